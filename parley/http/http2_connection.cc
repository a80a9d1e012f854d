#include "parley/http/http2_connection.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "parley/http/impl/client_connection.h"
#include "parley/http/impl/client_waits.h"
#include "parley/http/impl/http2_client_exchange.h"
#include "parley/http/impl/http2_link.h"
#include "parley/http/impl/http2_pooled.h"
#include "parley/http/impl/http2_timed_exchange.h"
#include "parley/rt/context.h"
#include "parley/rt/ready_queue.h"
#include "parley/rt/scope.h"

namespace parley::http {

struct Http2Connection::State {
  State(std::unique_ptr<net::Stream> connected, std::string_view with, const Http2Options& options)
      : stream(std::move(connected)),
        scheme(with),
        link(std::make_shared<impl::Http2Link>(impl::Http2Session::Role::client, options, *stream,
                                               with == "https")) {}

  const std::unique_ptr<net::Stream> stream;
  const std::string scheme;
  const std::shared_ptr<impl::Http2Link> link;
  // One writes; its life is the connection's, not that of who made it.
  rt::ReadyQueue queue{"http2 writer", rt::Context::background(), {.max_fibers = 1}};
  rt::Scope reader{rt::Context::background()};
};

namespace {

void read_all(impl::Http2Link& link, net::Stream& stream, Duration linger) {
  std::array<char, 16384> buffer;
  for (;;) {
    const auto size = stream.read(buffer);
    if (!size || *size == 0) {
      link.fail(size ? Status(Code::unavailable, "the other side closed the HTTP/2 connection")
                     : size.error());
      return;
    }
    const Status taken = link.take({buffer.data(), *size});
    if (taken.is_ok() && !link.is_over()) continue;
    link.drain(rt::Deadline::after(linger));
    link.fail(taken);
    return;
  }
}

}  // namespace

Http2Connection::Http2Connection(std::unique_ptr<net::Stream> stream, std::string_view scheme,
                                 const Http2Options& options)
    : state_(std::make_unique<State>(std::move(stream), scheme, options)) {
  state_->link->start(state_->queue, nullptr);
  state_->reader.go("http2 reader", [this, linger = options.linger] {
    read_all(*state_->link, *state_->stream, linger);
  });
}

Http2Connection::~Http2Connection() {
  close();
  const rt::WithContext whatever_happens(rt::Context::background());
  state_->reader.join();
  state_->link->close({});
}

// `is_reserved`: in a place of Http2Link::reserve(), which is gone in any case.
Result<impl::SharedStream> Http2Connection::open(const Request& request, BodySize size,
                                                 bool is_reserved, rt::Deadline deadline) {
  impl::Http2Link& link = *state_->link;
  impl::Http2Fields fields;
  if (Status s = fields.set_request(request, size, state_->scheme); !s.is_ok()) {
    if (is_reserved) link.unreserve();
    return s;
  }
  const bool tunnel = request.method == Method::connect;
  if (tunnel && request.headers.count("Upgrade") > 0) {
    if (Status s = link.await_extended_connect(deadline); !s.is_ok()) {
      if (is_reserved) link.unreserve();
      return s;
    }
  }
  const std::uint64_t most = tunnel ? UINT64_MAX : link.options().limits.max_body_bytes;
  return link.request(fields, tunnel || !size.is_none(), most, is_reserved, deadline);
}

std::unique_ptr<ClientExchange> Http2Connection::exchange_of(const Request& request, BodySize size,
                                                             impl::SharedStream stream) {
  const bool tunnel = request.method == Method::connect;
  return std::make_unique<impl::Http2ClientExchange>(state_->link, std::move(stream),
                                                     tunnel ? BodySize::unknown() : size, tunnel);
}

Result<std::unique_ptr<ClientExchange>> Http2Connection::begin(const Request& request,
                                                               BodySize size,
                                                               rt::Deadline deadline) {
  auto stream = open(request, size, false, deadline);
  if (!stream) return stream.error();
  return exchange_of(request, size, *std::move(stream));
}

bool Http2Connection::is_usable() const { return state_->link->takes_requests(); }

std::size_t Http2Connection::under_way() const { return state_->link->streams(); }

void Http2Connection::close() {
  state_->link->fail(Status(Code::unavailable, "the HTTP/2 connection was closed here"));
}

// In the pool of a client. Places that are reserved are counted in the link, with its streams.
class Http2PooledConnection final : public impl::ClientConnection {
 public:
  Http2PooledConnection(std::unique_ptr<net::Stream> stream, std::string_view scheme,
                        const Http2Options& options, const ExchangeTimes& times)
      : connection_(std::move(stream), scheme, options), times_(times) {}

  [[nodiscard]] bool is_multiplexed() const noexcept override { return true; }
  [[nodiscard]] bool is_settling() const noexcept override { return link().is_settling(); }
  [[nodiscard]] bool can_take_more() const noexcept override { return link().has_room(); }
  [[nodiscard]] bool reserve() noexcept override { return link().reserve(); }
  void unreserve() noexcept override { link().unreserve(); }
  [[nodiscard]] bool is_usable() override { return connection_.is_usable(); }
  [[nodiscard]] std::size_t under_way() const noexcept override { return link().streams(); }
  Result<std::unique_ptr<ClientExchange>> begin(Request request, BodySize size,
                                                rt::Deadline deadline) override {
    const impl::ClientWait wait(deadline, times_.answer_timeout);
    auto stream = connection_.open(request, size, true, wait.deadline());
    if (!stream) return wait.told(stream.error(), "took no request", "answer_timeout");
    auto inner = connection_.exchange_of(request, size, *stream);
    const bool expects = !size.is_none() && request.headers.has_element("Expect", "100-continue");
    return std::unique_ptr<ClientExchange>(std::make_unique<impl::Http2TimedExchange>(
        std::move(inner), connection_.state_->link, *std::move(stream), times_,
        impl::Http2TimedExchange::Sends{.has_body = !size.is_none(), .waits_for_100 = expects}));
  }
  void close() noexcept override { connection_.close(); }
  void on_change(std::function<void()> hook) override { link().on_change(std::move(hook)); }

 private:
  [[nodiscard]] impl::Http2Link& link() const { return *connection_.state_->link; }

  Http2Connection connection_;
  const ExchangeTimes times_;
};

namespace impl {

std::unique_ptr<ClientConnection> http2_client_connection(std::unique_ptr<net::Stream> stream,
                                                          std::string_view scheme,
                                                          const Http2Options& options,
                                                          const ExchangeTimes& times) {
  return std::make_unique<Http2PooledConnection>(std::move(stream), scheme, options, times);
}

}  // namespace impl
}  // namespace parley::http
