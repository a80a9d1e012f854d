// The exchange of a client on an HTTP/2 stream. Private to http.
#pragma once

#include <memory>

#include "parley/http/exchange.h"
#include "parley/http/impl/http2_link.h"

namespace parley::http::impl {

class Http2ClientExchange final : public ClientExchange {
 public:
  // `size` of the request's body; `tunnel`: it was CONNECT.
  Http2ClientExchange(std::shared_ptr<Http2Link> link, SharedStream stream, BodySize size,
                      bool tunnel);
  ~Http2ClientExchange() override;

  Result<std::string_view> read(rt::Deadline deadline) override;
  [[nodiscard]] const Headers& trailers() const noexcept override { return stream_->trailers; }
  Status write(std::string_view piece, rt::Deadline deadline) override;
  Status flush(rt::Deadline deadline) override;
  [[nodiscard]] Protocol protocol() const noexcept override { return Protocol::http_2; }
  [[nodiscard]] const net::Address& remote_address() const noexcept override;
  [[nodiscard]] bool is_secure() const noexcept override { return link_->is_secure(); }
  Result<Response*> response(rt::Deadline deadline) override;
  void cancel() noexcept override;
  Result<std::unique_ptr<net::Stream>> take_stream() override;

 private:
  Status finish(const Headers* trailers, rt::Deadline deadline) override;

  const std::shared_ptr<Http2Link> link_;
  const SharedStream stream_;
  const BodySize size_;
  const bool tunnel_;
  std::uint64_t written_ = 0;
  bool ended_ = false;
  bool taken_ = false;
};

}  // namespace parley::http::impl
