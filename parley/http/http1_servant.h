// Http1Servant: one connection of HTTP/1.0 or 1.1 in a net::Server: reads requests, runs the
// handler of its Service for each and writes the answers, in order. A connection at rest owns no
// fiber, and after ServerOptions::let_go_after no buffers.
//
// Belongs to the server's fiber of the connection. Mostly made by make_servant() (server.h).
//
//   net::Server server(listener, [service](net::Stream& stream) {
//     return std::make_unique<http::Http1Servant>(stream, service);
//   });
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "parley/http/exchange.h"
#include "parley/http/http1_parser.h"
#include "parley/http/http1_writer.h"
#include "parley/http/impl/dropped_body.h"
#include "parley/http/impl/handler_failure.h"
#include "parley/http/kept.h"
#include "parley/http/service.h"
#include "parley/net/serve.h"
#include "parley/rt/mutex.h"

namespace parley::http {

namespace impl {
class EarlyAnswers;
}

class Http1Servant final : public net::Servant, private ServerExchange {
 public:
  // `read_before`: what was read of the stream already.
  Http1Servant(net::Stream& stream, std::shared_ptr<Service> service,
               std::string_view read_before = {});
  ~Http1Servant() override;

  Result<net::Next> on_readable(net::Stream& stream) override;
  [[nodiscard]] Instant due() override { return due_; }
  Result<net::Next> on_due(net::Stream& stream) override;
  Result<net::Next> on_drain(net::Stream& stream) override;
  void take(std::unique_ptr<net::Stream> stream) override;

  // A request may ask for HTTP/2 over TCP (Upgrade: h2c) from now on. After that successor() is
  // what serves the connection.
  void allow_h2c() noexcept { may_upgrade_ = true; }
  [[nodiscard]] std::unique_ptr<net::Servant>& successor() noexcept { return successor_; }

 private:
  // Of one request.
  struct Turn {
    Answered answered{};
    bool has_begun = false;
    bool has_ended = false;       // the answer
    bool is_read = false;         // the request, to its end
    bool waits_continue = false;  // the client, for 100, or did
    bool has_continued = false;
    bool is_cut = false;   // nothing can be written any more
    bool is_left = false;  // the rest of the body is nobody's
    impl::BodyFault fault{};
    Duration waited{};             // for the body
    std::uint64_t body_bytes = 0;  // taken from the network
    impl::DroppedBody dropped{};
    std::size_t in_bytes = 0;  // in_, behind the head, where a body comes
    StatusCode status = 0;
  };

  // How far the body of a request was read: by one fiber, while another may begin the answer.
  enum class Body : std::uint8_t { untouched, flows, whole, failed };

  // ServerExchange
  Result<std::string_view> read(rt::Deadline deadline) override;
  [[nodiscard]] const Headers& trailers() const noexcept override;
  Status write(std::string_view piece, rt::Deadline deadline) override;
  Status flush(rt::Deadline deadline) override;
  Status finish(const Headers* trailers, rt::Deadline deadline) override;
  [[nodiscard]] Protocol protocol() const noexcept override;
  [[nodiscard]] const net::Address& remote_address() const noexcept override {
    return stream_->remote_address();
  }
  [[nodiscard]] bool is_secure() const noexcept override { return is_secure_; }
  [[nodiscard]] Request& request() noexcept override { return parser_.request(); }
  [[nodiscard]] BodySize request_size() const noexcept override;
  Status limit_body(std::uint64_t bytes) override;
  void note_body_fault(Code code, StatusCode answer) noexcept override {
    turn_.fault.note(code, answer);
  }
  [[nodiscard]] Response& response() noexcept override { return response_; }
  Status inform(const Response& informational, rt::Deadline deadline) override;
  Status begin(BodySize size) override;
  [[nodiscard]] bool has_begun() const noexcept override { return turn_.has_begun; }
  Status hand_over(std::function<void(std::unique_ptr<net::Stream>)> then) override;
  [[nodiscard]] Kept* kept() noexcept override { return &kept_; }
  [[nodiscard]] std::shared_ptr<Draining> draining() const override { return service_->draining(); }

  // The connection
  Result<net::Next> work(net::Stream& stream, std::span<char> buffer, std::size_t size);
  Result<net::Next> serve_all();
  bool serve_one();
  [[nodiscard]] bool asks_for_h2c();
  Result<net::Next> go_on_with_h2c();
  Status run_handler();
  Status run_behind_others();
  void answer_failure(const Status& why);
  bool end_turn();
  void leave_body();
  void refuse(StatusCode status, const Status& why);
  Result<net::Next> close_down();
  Result<net::Next> drop_rest(net::Stream& stream);
  net::Next settle();

  // The body
  Result<std::string_view> fail_read(const Status& why, StatusCode answer);
  Status read_more(rt::Deadline deadline);
  Status send_continue(rt::Deadline deadline);
  [[nodiscard]] bool keeps_alive_now() const;

  Status send(std::string_view behind, rt::Deadline deadline);

  const std::shared_ptr<Service> service_;
  net::Stream* stream_;  // while one of its functions runs
  Http1Parser parser_;
  Http1Writer writer_;
  Response response_;
  Turn turn_;
  std::string out_;  // what was gathered
  // Answers before that, while the handler behind them runs: null until some are.
  std::shared_ptr<impl::EarlyAnswers> early_;
  std::atomic<Body> body_ = Body::untouched;
  std::string_view in_;     // read and not parsed; in buffer_
  std::span<char> buffer_;  // on the stack of the function that runs
  std::string before_;      // what others read: before the first request, or for take()
  std::function<void(std::unique_ptr<net::Stream>)> then_;
  // What writes 100 and what begins the answer may be two fibers.
  rt::Mutex continue_lock_;
  Kept kept_;
  std::unique_ptr<net::Servant> successor_;
  std::uint64_t requests_ = 0;
  std::uint64_t linger_left_ = 0;
  Instant due_;
  Instant head_since_{};  // no head under way
  Instant rest_until_{};
  bool has_let_go_ = true;
  bool is_secure_ = false;
  bool handlers_wait_ = false;
  bool is_draining_ = false;
  bool is_lingering_ = false;
  bool may_upgrade_ = false;
  std::atomic<bool> is_broken_ = false;  // nothing more can be written
};

}  // namespace parley::http
