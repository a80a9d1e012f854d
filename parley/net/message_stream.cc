#include "parley/net/message_stream.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "parley/base/assert.h"

namespace parley::net {
namespace {

constexpr std::size_t length_size = 4;
// What a length alone makes this side allocate; more only as bytes come.
constexpr std::size_t largest_block = std::size_t{64} << 10;
// What one read takes at most, unless a message wants more: many small messages in one call.
constexpr std::size_t buffer_size = 4096;

class FramedMessages final : public MessageStream {
 public:
  FramedMessages(std::unique_ptr<Stream> stream, const MessageOptions& options)
      : stream_(std::move(stream)), max_message_(options.max_message) {
    PARLEY_ASSERT(max_message_ <= std::numeric_limits<std::uint32_t>::max(),
                  "max_message does not fit the four bytes of a length");
  }

  Result<Bytes> receive(rt::Deadline deadline) override {
    if (!ended_.is_ok()) return ended_;
    while (length_seen_ < length_size) {
      if (buffered_.empty()) {
        if (Status s = fill(deadline); !s.is_ok()) return s;
      }
      length_ = (length_ << 8) | static_cast<unsigned char>(buffered_.front());
      buffered_ = buffered_.subspan(1);
      ++length_seen_;
    }
    if (length_ > max_message_) {
      stream_->close();
      return ended_ = Status(Code::resource_exhausted,
                             "receive: a message of " + std::to_string(length_) +
                                 " bytes, max_message is " + std::to_string(max_message_));
    }
    while (message_.size() < length_) {
      if (Status s = grow(deadline); !s.is_ok()) return s;
    }
    length_ = 0;
    length_seen_ = 0;
    return std::exchange(message_, {});
  }

  Status close_write() override { return stream_->close_write(); }
  void close() override { stream_->close(); }
  [[nodiscard]] std::size_t max_message() const override { return max_message_; }
  [[nodiscard]] const Address& local_address() const override { return stream_->local_address(); }
  [[nodiscard]] const Address& remote_address() const override { return stream_->remote_address(); }
  [[nodiscard]] int descriptor() const override { return stream_->descriptor(); }

 private:
  Status send_pieces(std::span<const std::string_view> pieces, rt::Deadline deadline) override {
    if (cut_) {
      return {Code::unavailable, "send: an earlier message was cut off, none can follow it"};
    }
    std::size_t size = 0;
    for (const std::string_view piece : pieces) size += piece.size();
    if (size > max_message_) {
      return {Code::invalid_argument, "send: a message of " + std::to_string(size) +
                                          " bytes, max_message is " + std::to_string(max_message_)};
    }
    std::array<char, length_size> length{};
    for (std::size_t i = 0; i < length_size; ++i) {
      length[i] = static_cast<char>(size >> (8 * (length_size - 1 - i)) & 0xff);
    }
    std::vector<std::string_view> parts{{length.data(), length.size()}};
    parts.insert(parts.end(), pieces.begin(), pieces.end());
    std::span<std::string_view> rest(parts);
    bool begun = false;
    while (!rest.empty()) {
      const auto written = stream_->write_some_of(rest, deadline);
      if (!written) {
        cut_ = begun;
        return written.error();
      }
      begun = true;
      rest = behind(rest, *written);
    }
    return {};
  }

  // What is left of `parts` after their first `count` bytes and the empty ones behind them.
  static std::span<std::string_view> behind(std::span<std::string_view> parts, std::size_t count) {
    while (!parts.empty() && parts.front().size() <= count) {
      count -= parts.front().size();
      parts = parts.subspan(1);
    }
    if (!parts.empty()) parts.front().remove_prefix(count);
    return parts;
  }

  // Ok when something was read to `into`.
  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) {
    const auto size = stream_->read(into, deadline);
    if (!size || *size > 0) return size;
    if (length_seen_ == 0) {
      ended_ = Status(Code::out_of_range, "receive: the other side has finished");
    } else if (length_seen_ < length_size) {
      ended_ = Status(Code::data_loss, "receive: the stream ended inside a message's length");
    } else {
      ended_ = Status(Code::data_loss, "receive: the stream ended after " +
                                           std::to_string(message_.size() + filled_) + " of " +
                                           std::to_string(length_) + " bytes of a message");
    }
    return ended_;
  }

  Status fill(rt::Deadline deadline) {
    const auto size = read(buffer_, deadline);
    if (!size) return size.error();
    buffered_ = std::span(buffer_).first(*size);
    return {};
  }

  // Adds to the message what is there of it, reading once if nothing is.
  Status grow(rt::Deadline deadline) {
    if (!block_) {
      block_ = BlockRef(Block::allocate(std::min(length_ - message_.size(), largest_block)));
      room_ = std::min(length_ - message_.size(), largest_block);
      filled_ = 0;
    }
    const std::span<char> room(block_->data() + filled_, room_ - filled_);
    std::size_t size = std::min(room.size(), buffered_.size());
    if (size == 0 && room.size() >= buffer_size) {
      const auto read_size = read(room, deadline);
      if (!read_size) return read_size.error();
      size = *read_size;
    } else if (size == 0) {
      return fill(deadline);
    } else {
      std::memcpy(room.data(), buffered_.data(), size);
      buffered_ = buffered_.subspan(size);
    }
    filled_ += size;
    if (filled_ < room_) return {};
    message_.append(Bytes::view_of(std::move(block_), 0, room_));
    block_ = BlockRef();
    filled_ = 0;
    return {};
  }

  std::unique_ptr<Stream> stream_;
  const std::size_t max_message_;

  // Receiving: a message that has come in part survives a deadline here.
  std::array<char, buffer_size> buffer_{};
  std::span<char> buffered_;  // read and not yet used, within buffer_
  std::size_t length_ = 0;
  std::size_t length_seen_ = 0;  // of its four bytes
  Bytes message_;
  BlockRef block_;  // the next piece of the message
  std::size_t room_ = 0;
  std::size_t filled_ = 0;
  Status ended_;

  bool cut_ = false;  // sending: part of a message went out
};

}  // namespace

Status MessageStream::send(const Bytes& message, rt::Deadline deadline) {
  std::vector<std::string_view> pieces;
  pieces.reserve(message.piece_count());
  for (std::size_t i = 0; i < message.piece_count(); ++i) pieces.push_back(message.piece(i));
  return send_pieces(pieces, deadline);
}

Status MessageStream::send(std::string_view message, rt::Deadline deadline) {
  return send_pieces({&message, 1}, deadline);
}

std::unique_ptr<MessageStream> message_stream_over(std::unique_ptr<Stream> stream,
                                                   const MessageOptions& options) {
  return std::make_unique<FramedMessages>(std::move(stream), options);
}

}  // namespace parley::net
