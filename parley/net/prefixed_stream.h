// PrefixedStream: a stream of which the first bytes were read already and come once more.
// Fiber-safe as the stream below it is.
//
//   auto stream = std::make_unique<PrefixedStream>(std::move(read_before), std::move(below));
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "parley/net/stream.h"

namespace parley::net {

class PrefixedStream final : public Stream {
 public:
  PrefixedStream(std::string prefix, std::unique_ptr<Stream> below);

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override;
  Result<std::optional<std::size_t>> try_read(std::span<char> into) override;
  Result<bool> wait_readable(rt::Deadline deadline) override;
  Result<std::size_t> peek(std::span<char> into, std::size_t at_least,
                           rt::Deadline deadline) override;
  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    return below_->write_some(from, deadline);
  }
  Result<std::size_t> write_some_of(std::span<const std::string_view> pieces,
                                    rt::Deadline deadline) override {
    return below_->write_some_of(pieces, deadline);
  }
  Status close_write() override { return below_->close_write(); }
  void close() override { below_->close(); }
  [[nodiscard]] const Address& local_address() const override { return below_->local_address(); }
  [[nodiscard]] const Address& remote_address() const override { return below_->remote_address(); }
  [[nodiscard]] rt::Pollable* readiness() override { return below_->readiness(); }
  [[nodiscard]] Unread unread() override {
    return prefix_.empty() ? below_->unread() : Unread::perhaps;
  }
  [[nodiscard]] int descriptor() const override { return below_->descriptor(); }

 private:
  std::size_t take(std::span<char> into);

  std::string prefix_;
  std::size_t at_ = 0;
  const std::unique_ptr<Stream> below_;
};

}  // namespace parley::net
