// RestStream: a Stream from which some bytes were read already that belong to whoever reads next.
// As fiber-safe as the stream below. Private to http.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "parley/net/stream.h"

namespace parley::http::impl {

class RestStream final : public net::Stream {
 public:
  RestStream(std::unique_ptr<net::Stream> below, std::string_view rest)
      : below_(std::move(below)), rest_(rest) {}

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override {
    return rest_.empty() ? below_->read(into, deadline) : Result<std::size_t>(take(into));
  }
  Result<std::optional<std::size_t>> try_read(std::span<char> into) override {
    if (rest_.empty()) return below_->try_read(into);
    return std::optional<std::size_t>(take(into));
  }
  Result<bool> wait_readable(rt::Deadline deadline) override {
    return rest_.empty() ? below_->wait_readable(deadline) : Result<bool>(true);
  }
  Result<std::size_t> peek(std::span<char> into, std::size_t at_least,
                           rt::Deadline deadline) override {
    const std::size_t size = std::min(into.size(), rest_.size());
    std::ranges::copy(std::string_view(rest_).substr(0, size), into.begin());
    if (size == into.size() || (size >= at_least && size > 0)) return size;
    const std::size_t missing = at_least > size ? at_least - size : 1;
    const auto more = below_->peek(into.subspan(size), missing, deadline);
    return more ? Result<std::size_t>(size + *more) : more.error();
  }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    return below_->write_some(from, deadline);
  }
  Result<std::size_t> write_some_of(std::span<const std::string_view> pieces,
                                    rt::Deadline deadline) override {
    return below_->write_some_of(pieces, deadline);
  }
  Status close_write() override { return below_->close_write(); }
  void close() override { below_->close(); }
  [[nodiscard]] const net::Address& local_address() const override {
    return below_->local_address();
  }
  [[nodiscard]] const net::Address& remote_address() const override {
    return below_->remote_address();
  }
  [[nodiscard]] rt::Pollable* readiness() override { return below_->readiness(); }
  [[nodiscard]] Unread unread() override {
    return rest_.empty() ? below_->unread() : Unread::perhaps;
  }
  [[nodiscard]] int descriptor() const override { return below_->descriptor(); }

 private:
  std::size_t take(std::span<char> into) {
    const std::size_t size = std::min(into.size(), rest_.size());
    std::ranges::copy(std::string_view(rest_).substr(0, size), into.begin());
    rest_.erase(0, size);
    return size;
  }

  const std::unique_ptr<net::Stream> below_;
  std::string rest_;
};

}  // namespace parley::http::impl
