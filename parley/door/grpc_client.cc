#include "parley/door/grpc_client.h"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "parley/base/assert.h"
#include "parley/door/grpc_head.h"
#include "parley/http/http2_connection.h"
#include "parley/http/message.h"
#include "parley/net/tls.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/random.h"
#include "parley/rt/scope.h"
#include "parley/rt/single_flight.h"

namespace parley::door {
namespace {

using Connection = std::shared_ptr<http::Http2Connection>;

// One place for a connection.
struct Slot {
  Connection connection{};
  unsigned failures = 0;  // dials that failed one after the other
  Instant retry_at{};     // no dial before
  Status why{};           // of the last that failed
};

std::string authority_of(const net::Address& target) {
  const std::string text = target.to_string();
  const std::size_t at = text.find("://");
  return at == std::string::npos ? "localhost" : text.substr(at + 3);
}

// As the deadline of a call and its head have it.
rt::Deadline deadline_of(const GrpcCallOptions& call, const GrpcChannelOptions& channel) {
  const rt::Deadline outer = rt::Context::current().deadline();
  const Duration timeout = call.timeout.value_or(channel.timeout);
  if (!call.timeout && timeout == Duration::zero()) return outer;
  return std::min(outer, rt::Deadline::after(timeout));
}

Status over(const Status& cause) {
  return Status(Code::deadline_exceeded, "the deadline of the call came before it was sent")
      .with_cause(cause.message());
}

}  // namespace

struct GrpcChannel::State {
  State(net::Network& by, net::Address where, GrpcChannelOptions with)
      : network(by),
        target(std::move(where)),
        options(std::move(with)),
        slots(options.connections) {
    if (options.authority.empty()) options.authority = authority_of(target);
    options.http2.limits.max_body_bytes = UINT64_MAX;
  }

  Result<Connection> ready(rt::Deadline deadline, bool waits);
  void replace(Connection& old);
  Result<Connection> dial(std::size_t index);
  Result<Connection> dial_now();
  Result<http::Request> head(std::string_view method, const GrpcCallOptions& call,
                             rt::Deadline deadline) const;
  [[nodiscard]] Duration pause_after(unsigned failures) const;

  net::Network& network;
  const net::Address target;
  GrpcChannelOptions options;
  rt::Mutex mutex;
  std::vector<Slot> slots;
  // Those that take no more calls and have some under way, for close(). So many as calls hold.
  std::vector<std::weak_ptr<http::Http2Connection>> replaced;
  std::size_t next = 0;
  std::size_t dialled = 0;
  bool closed = false;
  rt::Event ended;
  rt::Scope scope{rt::Context::background(), rt::OnExit::cancel};
  rt::SingleFlight<std::size_t, Connection> dials{scope};
};

Duration GrpcChannel::State::pause_after(unsigned failures) const {
  Duration pause = std::max<Duration>(options.interval, std::chrono::milliseconds(1));
  for (unsigned i = 1; i < failures && pause < options.max_interval; ++i) pause *= 2;
  pause = std::min(pause, std::max<Duration>(options.max_interval, std::chrono::milliseconds(1)));
  const auto part = static_cast<std::uint64_t>(static_cast<double>(pause.count()) *
                                               std::clamp(options.jitter, 0.0, 1.0));
  return pause - Duration(static_cast<Duration::rep>(rt::random_below(part + 1)));
}

Result<Connection> GrpcChannel::State::dial_now() {
  auto stream = network.dial(target, rt::Deadline::after(options.dial_timeout));
  if (!stream) return stream.error();
  std::string_view scheme = "http";
  if (const auto* tls = dynamic_cast<const net::TlsStream*>(stream->get())) {
    scheme = "https";
    if (tls->info().alpn != "h2") {
      return Status(Code::failed_precondition,
                    target.to_string() + " did not agree on h2 by ALPN: put \"h2\" into " +
                        "TlsClientOptions::alpn, and ask whether the server speaks HTTP/2");
    }
  }
  return std::make_shared<http::Http2Connection>(*std::move(stream), scheme, options.http2);
}

// With the lock. What of `old` is held by calls only is still the channel's to end.
void GrpcChannel::State::replace(Connection& old) {
  std::erase_if(replaced, [](const auto& one) { return one.expired(); });
  if (old != nullptr) replaced.emplace_back(old);
}

// On a fiber of its own: those who wait for it may go. Its errors are not_sent.
Result<Connection> GrpcChannel::State::dial(std::size_t index) {
  {
    // Somebody may have been quicker.
    const std::lock_guard lock(mutex);
    const Connection& there = slots[index].connection;
    if (there != nullptr && there->is_usable()) return there;
  }
  auto made = dial_now();
  const bool was_stopped = rt::Context::current().is_done();
  Connection old;  // as in ready()
  const std::lock_guard lock(mutex);
  Slot& slot = slots[index];
  if (closed) return Status(Code::not_sent, "the channel is closed");
  if (made) {
    old = std::exchange(slot, Slot{.connection = *made}).connection;
    replace(old);
    ++dialled;
    return made;
  }
  const Status why =
      Status(Code::not_sent, "the gRPC server at " + target.to_string() + " cannot be reached")
          .with_cause(made.error().message());
  if (!was_stopped) {
    slot.why = why;
    slot.retry_at = rt::now() + pause_after(++slot.failures);
  }
  return why;
}

// A connection that takes calls, as far as one can know.
Result<Connection> GrpcChannel::State::ready(rt::Deadline deadline, bool waits) {
  for (Status last;;) {
    Connection old;  // its end may wait, and does so without the lock
    std::unique_lock lock(mutex);
    if (closed) return Status(Code::not_sent, "the channel is closed");
    const std::size_t index = next++ % slots.size();
    Slot& slot = slots[index];
    if (slot.connection != nullptr && slot.connection->is_usable()) return slot.connection;
    old = std::move(slot.connection);
    replace(old);
    const Instant retry_at = slot.retry_at;
    if (!slot.why.is_ok()) last = slot.why;
    lock.unlock();
    old.reset();
    if (rt::now() < retry_at) {
      if (!waits) return last;
      // close() wakes it.
      (void)ended.wait(rt::Deadline::at(std::min(retry_at, deadline.instant())));
      if (Status s = rt::Context::current().status(); !s.is_ok()) return s;
      if (deadline.is_over()) return over(last);
      continue;
    }
    auto made = dials.call(index, [this, index] { return dial(index); }, deadline);
    if (made) return made->value;
    last = made.error();
    if (last.code() == Code::deadline_exceeded) return over(last);
    if (last.code() != Code::not_sent || !waits) return last;
  }
}

Result<http::Request> GrpcChannel::State::head(std::string_view method, const GrpcCallOptions& call,
                                               rt::Deadline deadline) const {
  http::Request request;
  request.method = http::Method::post;
  request.target = method.starts_with('/') ? std::string(method) : '/' + std::string(method);
  const auto add = [&](std::string_view name, std::string_view value) {
    return request.headers.add(name, value);
  };
  Status status = add("host", options.authority);
  if (status.is_ok()) status = add("te", "trailers");
  if (status.is_ok() && !deadline.is_never()) {
    status = add("grpc-timeout", write_grpc_timeout(deadline.instant() - rt::now()));
  }
  if (status.is_ok()) status = add("content-type", "application/grpc");
  if (status.is_ok() && call.coding != GrpcCoding::identity) {
    status = add("grpc-encoding", name_of(call.coding));
  }
  if (status.is_ok()) status = add("grpc-accept-encoding", grpc_codings);
  if (status.is_ok()) status = add("user-agent", options.user_agent);
  if (!status.is_ok()) return status;
  for (const auto& [key, value] : call.metadata) {
    if (put_grpc_metadata(key, value, request.headers)) continue;
    return Status(
        Code::invalid_argument,
        "metadata \"" + key.substr(0, 100) +
            "\" cannot travel over gRPC: its name is none or gRPC's own, or its value is " +
            "no visible ASCII (for any bytes end the name in \"-bin\")");
  }
  return request;
}

GrpcChannel::GrpcChannel(net::Network& network, net::Address target, GrpcChannelOptions options)
    : state_(std::make_unique<State>(network, std::move(target), std::move(options))) {
  PARLEY_ASSERT(state_->options.connections > 0, "a GrpcChannel has at least one connection");
}

GrpcChannel::~GrpcChannel() {
  close();
  state_->scope.join();
}

void GrpcChannel::close() {
  std::vector<Connection> ends;
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    for (Slot& slot : state_->slots) {
      if (slot.connection != nullptr) ends.push_back(std::move(slot.connection));
    }
    for (const auto& one : std::exchange(state_->replaced, {})) {
      if (Connection connection = one.lock()) ends.push_back(std::move(connection));
    }
  }
  state_->ended.set();
  state_->scope.cancel();
  for (const Connection& connection : ends) connection->close();
}

std::size_t GrpcChannel::dialled() const {
  const std::lock_guard lock(state_->mutex);
  return state_->dialled;
}

Result<std::unique_ptr<GrpcCall>> GrpcChannel::open(std::string_view method,
                                                    const GrpcCallOptions& options) {
  const rt::Deadline deadline = deadline_of(options, state_->options);
  const GrpcCallSettings settings{.deadline = deadline,
                                  .coding = options.coding,
                                  .max_receive = state_->options.max_receive,
                                  .max_send = state_->options.max_send};
  for (bool is_again = false;; is_again = true) {
    if (deadline.is_over()) return over({});
    auto connection = state_->ready(deadline, options.wait_for_ready);
    if (!connection) return connection.error();
    const auto request = state_->head(method, options, deadline);
    if (!request) return request.error();
    auto exchange = (*connection)->begin(*request, http::BodySize::unknown(), deadline);
    if (exchange) {
      return std::make_unique<GrpcCall>(*std::move(exchange), settings, *std::move(connection));
    }
    const Status why = exchange.error();
    if (why.code() == Code::deadline_exceeded) return over(why);
    if (why.code() != Code::not_sent || is_again) return why;
  }
}

Result<Bytes> GrpcChannel::call_bytes(std::string_view method, std::string_view request,
                                      const GrpcCallOptions& options,
                                      GrpcAnswerMetadata* metadata) {
  GrpcCallOptions within = options;
  const rt::Deadline deadline = deadline_of(options, state_->options);
  for (bool is_again = false;; is_again = true) {
    // Both tries have one deadline.
    if (!deadline.is_never()) within.timeout = deadline.instant() - rt::now();
    auto call = open(method, within);
    if (!call) return call.error();
    Status status = (*call)->write(request);
    if (status.is_ok()) status = (*call)->done_writing();
    // That it is over says why it is.
    if (!status.is_ok() && status.code() != Code::out_of_range) return status;
    auto answer = (*call)->read_only();
    if (metadata != nullptr) {
      const auto initial = (*call)->initial_metadata();
      metadata->initial = initial ? **initial : wire::Metadata();
      metadata->trailing = (*call)->trailing_metadata();
    }
    if (answer || answer.error().code() != Code::not_sent || is_again) return answer;
  }
}

}  // namespace parley::door
