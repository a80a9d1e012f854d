// Http1Connection: the client's side of one connection of HTTP/1.1 over any Stream. One exchange at
// a time, no pipelining; the answer is read while the body still goes out. Most programs use a
// Client (client.h), which keeps connections and gives them out.
//
// Made and used inside fibers. Exchanges share the connection and may outlive every other holder.
//
//   auto connection = Http1Connection::create(std::move(stream));
//   if (!connection->reserve()) return later();
//   auto exchange = connection->begin(request, BodySize::none(), deadline);
//   if (!exchange) return exchange.error();
//   auto response = (*exchange)->response(deadline);
//
// What an exchange does beyond exchange.h:
// * The connection is free for the next one as soon as the body was read to its end (read() gave
//   nothing) and the one that goes has ended; at the latest when the exchange is destroyed. If it
//   is destroyed before that, or after any error, the connection is closed.
// * not_sent: the head of the request did not leave whole, so no server can have acted on it.
//   unavailable: it left, and not a byte of an answer came. Who may ask twice (is_idempotent) asks
//   again; a server that ends an idle connection just then looks like this (RFC 9112 9.3.1).
//   data_loss: the connection ended within the answer.
// * Responses 1xx are passed over. With Expect: 100-continue among the headers the first write()
//   of the body sends the head and waits for 100, for ExchangeTimes::continue_timeout at most. A
//   final answer instead makes it return cancelled: read the answer.
// * write() returns cancelled, too, when the server ended the connection after its answer had come.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/http/exchange_times.h"
#include "parley/http/framing.h"
#include "parley/http/http1_parser.h"
#include "parley/http/http1_writer.h"
#include "parley/http/impl/client_connection.h"
#include "parley/net/stream.h"
#include "parley/rt/mutex.h"

namespace parley::http {

namespace impl {
class Http1ClientExchange;
}

struct Http1ConnectionOptions {
  Http1Limits limits{};  // of its answers
  // Over TLS: what Exchange::is_secure() says.
  bool is_secure = false;
  ExchangeTimes times{};
};

class Http1Connection final : public impl::ClientConnection,
                              public std::enable_shared_from_this<Http1Connection> {
 public:
  static std::shared_ptr<Http1Connection> create(std::unique_ptr<net::Stream> stream,
                                                 const Http1ConnectionOptions& options = {});
  ~Http1Connection() override;

  [[nodiscard]] bool can_take_more() const noexcept override { return !is_dead_ && !is_taken_; }
  [[nodiscard]] bool reserve() noexcept override;
  void unreserve() noexcept override { give_back(); }
  [[nodiscard]] bool is_usable() override;
  [[nodiscard]] std::size_t under_way() const noexcept override { return is_taken_ ? 1 : 0; }
  Result<std::unique_ptr<ClientExchange>> begin(Request request, BodySize size,
                                                rt::Deadline deadline) override;
  void close() noexcept override;
  void on_change(std::function<void()> hook) override { hook_ = std::move(hook); }

 private:
  friend class impl::Http1ClientExchange;
  Http1Connection(std::unique_ptr<net::Stream> stream, const Http1ConnectionOptions& options);

  void close_locked() noexcept;
  // The exchange is over.
  void give_back() noexcept;
  std::unique_ptr<net::Stream> take_stream();

  rt::Mutex lock_;  // of stream_ as it is taken or closed, and of exchanges as they end
  std::unique_ptr<net::Stream> stream_;
  const net::Address remote_;
  const bool is_secure_;
  const ExchangeTimes times_;
  std::atomic<bool> is_taken_ = false;
  std::atomic<bool> is_dead_ = false;
  Http1Parser parser_;
  Http1Writer writer_;
  std::vector<char> buffer_;
  std::string_view in_;  // of buffer_, not yet parsed
  std::string out_;      // gathered, not yet sent
  std::function<void()> hook_;
};

}  // namespace parley::http
