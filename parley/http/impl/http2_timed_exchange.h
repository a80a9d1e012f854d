// The exchange of a Client on an HTTP/2 stream: Http2ClientExchange with the times of the client's
// options, and with Expect: 100-continue. One fiber may read while another writes. Private to http.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/http/exchange.h"
#include "parley/http/exchange_times.h"
#include "parley/http/impl/http2_link.h"

namespace parley::http::impl {

class Http2TimedExchange final : public ClientExchange {
 public:
  struct Sends {
    bool has_body;
    bool waits_for_100;
  };
  Http2TimedExchange(std::unique_ptr<ClientExchange> inner, std::shared_ptr<Http2Link> link,
                     SharedStream stream, const ExchangeTimes& times, Sends sends);

  Result<std::string_view> read(rt::Deadline deadline) override;
  [[nodiscard]] const Headers& trailers() const noexcept override { return inner_->trailers(); }
  Status write(std::string_view piece, rt::Deadline deadline) override;
  Status flush(rt::Deadline deadline) override { return inner_->flush(deadline); }
  [[nodiscard]] Protocol protocol() const noexcept override { return inner_->protocol(); }
  [[nodiscard]] const net::Address& remote_address() const noexcept override {
    return inner_->remote_address();
  }
  [[nodiscard]] bool is_secure() const noexcept override { return inner_->is_secure(); }
  Result<Response*> response(rt::Deadline deadline) override;
  void cancel() noexcept override { inner_->cancel(); }
  Result<std::unique_ptr<net::Stream>> take_stream() override { return inner_->take_stream(); }

 private:
  Status finish(const Headers* trailers, rt::Deadline deadline) override;
  Status await_continue(rt::Deadline deadline);

  const std::unique_ptr<ClientExchange> inner_;
  const std::shared_ptr<Http2Link> link_;
  const SharedStream stream_;
  const ExchangeTimes times_;
  bool waits_for_100_;  // of who writes, as the next
  Status write_error_;
  std::atomic<bool> is_sent_;  // all of the request was handed over, at
  std::atomic<Instant> last_sent_;
};

}  // namespace parley::http::impl
