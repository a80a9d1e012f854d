#include "parley/net/testing/memory_stream.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "parley/rt/channel.h"

namespace parley::net::testing {
namespace {

struct Direction {
  explicit Direction(std::size_t max_pieces) : pieces(max_pieces) {}
  void close() {
    if (!closed.exchange(true)) pieces.close();
  }

  rt::Channel<std::string> pieces;
  std::atomic<bool> closed = false;
};

class MemoryStream final : public Stream {
 public:
  MemoryStream(std::shared_ptr<Direction> in, std::shared_ptr<Direction> out,
               std::size_t piece_bytes)
      : in_(std::move(in)), out_(std::move(out)), piece_bytes_(piece_bytes) {}
  ~MemoryStream() override { close(); }

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override {
    const auto more = wait_readable(deadline);
    if (!more) return more.error();
    if (!*more) return std::size_t{0};
    const std::size_t size = std::min(into.size(), left_.size());
    std::copy_n(left_.begin(), size, into.begin());
    left_.erase(0, size);
    return size;
  }

  Result<bool> wait_readable(rt::Deadline deadline) override {
    if (!left_.empty()) return true;
    if (closed_) return closed_here();
    auto piece = in_->pieces.receive(deadline);
    if (!piece && piece.error().code() == Code::out_of_range) {
      return closed_ ? Result<bool>(closed_here()) : false;
    }
    if (!piece) return piece.error();
    left_ = *std::move(piece);
    return true;
  }

  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    const std::size_t size = std::min(from.size(), piece_bytes_);
    const Status sent = out_->pieces.send(std::string(from.substr(0, size)), deadline);
    if (sent.is_ok()) return size;
    if (sent.code() == Code::failed_precondition) return closed_here();
    return sent;
  }

  Status close_write() override {
    out_->close();
    return {};
  }

  void close() override {
    closed_ = true;
    out_->close();
    in_->close();
  }

  [[nodiscard]] const Address& local_address() const override { return address_; }
  [[nodiscard]] const Address& remote_address() const override { return address_; }

 private:
  static Status closed_here() { return {Code::unavailable, "the memory stream is closed"}; }

  std::shared_ptr<Direction> in_;
  std::shared_ptr<Direction> out_;
  const std::size_t piece_bytes_;
  std::string left_;
  std::atomic<bool> closed_ = false;
  const Address address_{.network = "tcp", .host = "192.0.2.1", .port = 1};
};

}  // namespace

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> memory_streams(
    const MemoryStreamOptions& options) {
  auto there = std::make_shared<Direction>(options.max_pieces);
  auto back = std::make_shared<Direction>(options.max_pieces);
  return {std::make_unique<MemoryStream>(back, there, options.piece_bytes),
          std::make_unique<MemoryStream>(there, back, options.piece_bytes)};
}

}  // namespace parley::net::testing
