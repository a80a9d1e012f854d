// A stream of an HTTP/2 connection as a net::Stream: after CONNECT (RFC 9113 8.5, RFC 8441). It
// tells when it becomes readable, so that a tunnel at rest has no fiber. Private to http.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "parley/http/impl/http2_link.h"
#include "parley/net/stream.h"
#include "parley/rt/pollable.h"

namespace parley::http::impl {

class Http2Tunnel final : public net::Stream {
 public:
  // Inside a fiber.
  Http2Tunnel(std::shared_ptr<Http2Link> link, SharedStream stream);
  ~Http2Tunnel() override;

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override;
  Result<std::optional<std::size_t>> try_read(std::span<char> into) override;
  Result<bool> wait_readable(rt::Deadline deadline) override;
  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override;
  Status close_write() override;
  void close() override;
  [[nodiscard]] const net::Address& local_address() const override;
  [[nodiscard]] const net::Address& remote_address() const override;
  [[nodiscard]] rt::Pollable* readiness() override { return &pollable_; }
  [[nodiscard]] Unread unread() override;

 private:
  const std::shared_ptr<Http2Link> link_;
  const SharedStream stream_;
  rt::Pollable pollable_;
  std::string_view rest_;  // of the piece that was taken last
};

}  // namespace parley::http::impl
