// Service: a handler with the options under which it is served, and what the connections of it
// share: counts, metrics and the date. Connections of every version of HTTP serve one Service, and
// so can several servers.
//
// Any fiber, on any worker. Gone, where connections were served, inside a fiber.
//
//   auto service = *http::Service::make(handler, {.keep_alive_timeout = 20s});
//   auto servant = http::make_servant(stream, service);         // server.h
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/http/draining.h"
#include "parley/http/exchange.h"
#include "parley/http/framing.h"
#include "parley/http/http2_options.h"
#include "parley/http/versions.h"
#include "parley/net/stream.h"
#include "parley/rt/mutex.h"

namespace parley::observe {
class Registry;
}

namespace parley::rt {
class ReadyQueue;
}

namespace parley::http {

class Http2Service;

// Times that end or begin something when nothing comes or goes (head_timeout, body_timeout,
// write_timeout, keep_alive_timeout, ping_after): zero, and Duration::max(), is never, over every
// version of HTTP.
struct ServerOptions {
  // What is spoken with a client. Over TLS its ALPN chooses, else the first bytes do, and a request
  // of HTTP/1 may ask for h2c.
  Versions versions = Versions::all;
  // Of heads over HTTP/1; max_body_bytes is the limit of a body over every version.
  Http1Limits limits{};
  // Limits of HTTP/2, but for limits.max_body_bytes, which is that above. Of the times in it,
  // write_timeout, idle_timeout and ping_after are those below (write_timeout, keep_alive_timeout,
  // ping_after). What speaks of heads and buffers below is of HTTP/1.
  Http2Options http2{};
  // From the first byte of a head to its end; then 408.
  Duration head_timeout = std::chrono::seconds(10);
  // A body of which nothing comes for so long is given up: read() says deadline_exceeded, 408.
  Duration body_timeout = std::chrono::seconds(30);
  // Bytes per second that a body must bring on average while the handler waits for it, once it has
  // waited for body_grace in all. 0: any rate.
  std::size_t min_body_rate = 240;
  Duration body_grace = std::chrono::seconds(10);
  // The client takes not a byte for so long: the connection ends. Over HTTP/2 also a stream alone,
  // when the client keeps its window closed and something waits to be sent: write() says
  // deadline_exceeded. Not one that was handed over.
  Duration write_timeout = std::chrono::seconds(30);
  // At rest between two requests, and before the first.
  Duration keep_alive_timeout = std::chrono::seconds(75);
  // A connection of HTTP/2 on which nothing came for so long is sent a PING, and ends when the
  // answer does not come within Http2Options::ping_timeout: so do the streams of clients that are
  // gone without a word.
  Duration ping_after = std::chrono::seconds(60);
  // What was handed over (ServerExchange::hand_over) may go on for so long when the server drains:
  // then the context of `then` ends. Zero: until it returns.
  Duration handed_over_timeout = std::chrono::seconds(30);
  // At rest for so long, a connection gives back the memory it works with.
  Duration let_go_after = std::chrono::seconds(1);
  // Of one connection; the answer to the last one closes it. 0: no limit.
  std::uint64_t max_requests = 0;
  std::size_t max_connections = 1'000'000;  // as in net::ServeOptions
  std::size_t max_handlers = 10'000;        // of HTTP/1, and as many of HTTP/2
  // Of a request's body that the handler left unread, so that the connection can go on; else it
  // closes.
  std::uint64_t drain_bytes = 64 * 1024;
  // A connection that closes while more may come reads and drops that, so that the last answer
  // arrives: for so long, and so many bytes.
  Duration linger_time = std::chrono::seconds(5);
  std::uint64_t linger_bytes = 1024 * 1024;
  // Answers gathered before they leave.
  std::size_t out_buffer_bytes = 64 * 1024;
  bool send_date = true;
  std::string server_name{};  // the Server field; empty: none
  // Told why a connection to `remote` ended or what a handler that failed said. On a fiber of it.
  std::function<void(const net::Address& remote, const Status& why)> on_error{};
  // As in net::ServeOptions: to put TLS on it.
  std::function<Result<std::unique_ptr<net::Stream>>(std::unique_ptr<net::Stream>)> open{};
  // Where parley_http_* is counted; must outlive the service. Null: nowhere.
  observe::Registry* registry = nullptr;
  // The date of Date fields; must outlive the service. Null: the machine's.
  const Clock* clock = nullptr;
};

// What was served so far.
struct ServerCounts {
  std::uint64_t accepted = 0;
  std::size_t connections = 0;  // now
  std::size_t handlers = 0;     // now: fibers
  std::uint64_t requests = 0;   // heads that were accepted
  std::uint64_t refused = 0;    // what was answered for breaking a rule or limit of the parser
  std::uint64_t timeouts = 0;   // heads and bodies that were too slow
  std::uint64_t errors = 0;     // handlers that failed
  // Connections within TLS that ended without its close_notify while nothing was under way: many
  // clients do that, and on_error is not told of it.
  std::uint64_t cut_at_rest = 0;
};

class Service {
 public:
  // invalid_argument for an option nobody could be served with, or a Server name no field can have;
  // what the registry says.
  static Result<std::shared_ptr<Service>> make(Handler handler, ServerOptions options = {});
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  [[nodiscard]] const ServerOptions& options() const noexcept { return options_; }
  [[nodiscard]] const Handler& handler() const noexcept { return handler_; }
  // Requests, refused, timeouts, errors and handlers of HTTP/2; the rest is the server's.
  [[nodiscard]] ServerCounts counts() const;

  // What is answered from now on closes its connection: who drains a server that shares this says
  // so here as well, for the answers that are under way.
  // WebSockets are closed with 1001, and others hear of it by draining().
  void drain();
  [[nodiscard]] const std::shared_ptr<Draining>& draining() const noexcept { return draining_; }
  // What serves the connections of HTTP/2; made by the first of them. Inside a fiber.
  Http2Service& http2();
  // The fibers that send answers while a handler behind them waits (impl/early_answers.h); made by
  // the first who asks. Inside a fiber.
  rt::ReadyQueue& senders();

  [[nodiscard]] bool is_draining() const noexcept { return draining_->has_begun(); }

  // For the connections. Appends the lines Server and Date, those that are wanted.
  void put_own_fields(bool with_server, bool with_date, std::string& out);
  // The value of Date, good for a minute; empty where none is wanted.
  [[nodiscard]] std::string_view date();
  // A request is over, answered with `status` (0: cut) after this time.
  void note_answer(StatusCode status, Duration took);
  [[nodiscard]] bool is_timed() const noexcept { return metrics_ != nullptr; }
  void note_connection(int by);
  void note_request() noexcept { requests_.fetch_add(1, std::memory_order_relaxed); }
  void note_refused();
  void note_timeout() noexcept { timeouts_.fetch_add(1, std::memory_order_relaxed); }
  void note_error(const net::Address& remote, const Status& why);
  // Of a connection at rest, whether what ended it is worth no word: then it is counted.
  bool note_cut_at_rest(const Status& why) noexcept;

 private:
  struct Metrics;
  struct Dates;
  Service(Handler handler, ServerOptions options);
  Status register_metrics();

  const Handler handler_;
  const ServerOptions options_;
  const std::string server_line_;
  const std::shared_ptr<Draining> draining_;
  std::atomic<std::uint64_t> requests_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<std::uint64_t> timeouts_ = 0;
  std::atomic<std::uint64_t> errors_ = 0;
  std::atomic<std::uint64_t> cut_at_rest_ = 0;
  const std::unique_ptr<Dates> dates_;
  std::unique_ptr<Metrics> metrics_;
  mutable rt::Mutex lock_;  // of the two
  std::unique_ptr<Http2Service> http2_;
  std::unique_ptr<rt::ReadyQueue> senders_;
};

}  // namespace parley::http
