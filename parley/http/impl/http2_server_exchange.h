// The exchange that a handler gets of an HTTP/2 stream. Private to http.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "parley/http/exchange.h"
#include "parley/http/impl/dropped_body.h"
#include "parley/http/impl/handler_failure.h"
#include "parley/http/impl/http2_head.h"
#include "parley/http/impl/http2_link.h"
#include "parley/http/kept.h"
#include "parley/http/service.h"

namespace parley::http::impl {

class Http2ServerExchange final : public ServerExchange {
 public:
  using Then = std::function<void(std::unique_ptr<net::Stream>)>;

  Http2ServerExchange(Service& service, Kept& kept, std::shared_ptr<Http2Link> link,
                      SharedStream stream, Request request);

  Result<std::string_view> read(rt::Deadline deadline) override;
  [[nodiscard]] const Headers& trailers() const noexcept override { return stream_->trailers; }
  Status write(std::string_view piece, rt::Deadline deadline) override;
  Status flush(rt::Deadline deadline) override;
  [[nodiscard]] Protocol protocol() const noexcept override { return Protocol::http_2; }
  [[nodiscard]] const net::Address& remote_address() const noexcept override;
  [[nodiscard]] bool is_secure() const noexcept override { return link_->is_secure(); }
  [[nodiscard]] Request& request() noexcept override { return request_; }
  [[nodiscard]] BodySize request_size() const noexcept override { return stream_->length; }
  Status limit_body(std::uint64_t bytes) override;
  void note_body_fault(Code code, StatusCode answer) noexcept override {
    fault_.note(code, answer);
  }
  void lift_body_limits() noexcept override;
  [[nodiscard]] Response& response() noexcept override { return response_; }
  Status inform(const Response& informational, rt::Deadline deadline) override;
  Status begin(BodySize size) override;
  [[nodiscard]] bool has_begun() const noexcept override { return begun_; }
  Status hand_over(Then then) override;
  [[nodiscard]] Kept* kept() noexcept override { return &kept_; }
  [[nodiscard]] std::shared_ptr<Draining> draining() const override { return service_.draining(); }

  // What the handler returned, when it has: ends the answer, or cuts it, or answers for it.
  void conclude(const Status& returned);
  // The status of the answer, 0 when it was cut.
  [[nodiscard]] StatusCode answered() const noexcept { return cut_ ? 0 : response_.status; }
  // What is to be done with the stream after that; null mostly.
  [[nodiscard]] Then take_then() { return std::move(then_); }

 private:
  Status finish(const Headers* trailers, rt::Deadline deadline) override;
  Status send_head(bool has_body);
  void add_own_fields();
  void answer_failure(const Status& why);
  void cut();
  Result<std::string_view> note_failure(Status why, bool is_ours);
  Result<std::string_view> fail_read(Status why, StatusCode answer);

  Service& service_;
  Kept& kept_;
  const std::shared_ptr<Http2Link> link_;
  const SharedStream stream_;
  Request request_;
  Response response_;
  Http2Fields fields_;
  BodySize size_ = BodySize::none();
  std::uint64_t written_ = 0;
  bool is_head_ = false;
  bool is_connect_ = false;
  DroppedBody dropped_;
  bool is_dropped_ = false;  // the body: it is told of and not sent
  bool expects_continue_ = false;
  std::atomic<bool> begun_ = false;  // who reads looks at it, too
  bool head_sent_ = false;
  bool ended_ = false;
  bool cut_ = false;
  BodyFault fault_;
  Duration waited_{};     // for the body
  bool is_paced_ = true;  // that it must come at some rate
  Then then_;
};

}  // namespace parley::http::impl
