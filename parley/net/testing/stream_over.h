// StreamOver: a Stream that passes everything on to another one, for tests that look at what passes
// or change it: they override what they care about. As fiber-safe as the one below.
//
//   struct Counting : StreamOver {
//     using StreamOver::StreamOver;
//     Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
//       return ++writes, StreamOver::write_some(from, deadline);
//     }
//   };
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "parley/net/stream.h"

namespace parley::net::testing {

class StreamOver : public Stream {
 public:
  explicit StreamOver(std::unique_ptr<Stream> below) : below_(std::move(below)) {}

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override {
    return below_->read(into, deadline);
  }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    return below_->write_some(from, deadline);
  }
  Status close_write() override { return below_->close_write(); }
  void close() override { below_->close(); }
  [[nodiscard]] const Address& local_address() const override { return below_->local_address(); }
  [[nodiscard]] const Address& remote_address() const override { return below_->remote_address(); }

 private:
  const std::unique_ptr<Stream> below_;
};

}  // namespace parley::net::testing
