#include "parley/door/door.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "parley/door/erpc_http.h"
#include "parley/door/impl/door_servant.h"
#include "parley/door/impl/inner_listener.h"
#include "parley/door/post.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/raw_framing.h"

namespace parley::door {
namespace {

using impl::Rooms;

// What a peer speaks where nothing else is said, as far as it shows in first bytes.
std::vector<std::shared_ptr<const wire::Framing>> framings_of(const PeerOptions& options) {
  if (!options.framings.empty()) return options.framings;
  return {std::make_shared<wire::ParleyFraming>(),
          std::make_shared<wire::RawFraming>(
              wire::RawLimits{.max_frame_bytes = options.max_frame_bytes})};
}

bool speaks_erpc_http(const Peer& peer) {
  return std::ranges::any_of(peer.options().framings,
                             [](const auto& framing) { return framing->name() == erpc_http_name; });
}

// What is spoken; `outside` of TLS or within it.
Result<Detector> make_detector(const Peer& peer, const DoorOptions& options, bool outside) {
  std::vector<Candidate> all;
  if (outside && options.tls != nullptr) all.push_back({std::string(tls_name), tls_opening()});
  if (options.plain || !outside) {
    if (options.http2) all.push_back({std::string(http2_name), http2_opening()});
    if (options.http1) all.push_back({std::string(http1_name), http1_opening()});
    for (const auto& framing : framings_of(peer.options())) {
      if (!options.framings) break;
      // It begins as HTTP/1 does, and is told from it by its first head.
      if (options.http1 && framing->name() == erpc_http_name) continue;
      Result<Opening> opening = opening_of(*framing);
      if (!opening) return opening.error();
      all.push_back({std::string(framing->name()), *std::move(opening)});
    }
  }
  DetectOptions detect = options.detect;
  // Some of the order may be none of those that are told apart here: TLS within TLS, and what is
  // told from HTTP/1 by its first head, whatever the order.
  std::erase_if(detect.order, [&](const std::string& name) {
    const bool is_told_later =
        options.http1 && options.framings && name == erpc_http_name && speaks_erpc_http(peer);
    return is_told_later || (!outside && name == tls_name);
  });
  return Detector::make(std::move(all), std::move(detect));
}

Status answer_not_found(http::ServerExchange& exchange) {
  return exchange.answer(404, "nothing is served by HTTP here\n");
}

// Over HTTP/2 who reads is told, and says so in words of gRPC.
Status limited_body(http::ServerExchange& exchange, std::uint64_t most) {
  const Status status = exchange.limit_body(most);
  return exchange.protocol() == http::Protocol::http_2 ? Status() : status;
}

// The methods of the peer, by whatever the request speaks. POST says in its own words what is too
// large, so that the limit of a body is looked at here and not where heads of HTTP/1 are read.
http::Handler methods_of(Peer& peer, const DoorOptions& options) {
  const std::uint64_t most = options.http.limits.max_body_bytes;
  http::Handler post;
  if (options.post) {
    PostOptions own = *options.post;
    if (most < own.max_body) own.max_body = static_cast<std::size_t>(most);
    post = make_post(peer, std::move(own));
  }
  http::Handler grpc;
  if (options.grpc) grpc = make_grpc(peer, *options.grpc);
  return [most, post = std::move(post),
          grpc = std::move(grpc)](http::ServerExchange& exchange) -> Status {
    const bool is_for_grpc = grpc && is_grpc(exchange.request());
    if (post && !is_for_grpc) return post(exchange);
    if (Status s = limited_body(exchange, most); !s.is_ok()) return s;
    return is_for_grpc ? grpc(exchange) : answer_not_found(exchange);
  };
}

// Opens WebSockets, and leaves the rest to `handler`.
http::Handler with_websocket(http::Handler handler, Peer& peer, const DoorOptions& options,
                             std::atomic<std::uint64_t>& count) {
  if (options.websocket_path.empty()) return handler;
  return [handler = std::move(handler), path = options.websocket_path, &count,
          most = options.http.limits.max_body_bytes,
          socket = make_websocket_peer(peer, options.websocket)](http::ServerExchange& exchange) {
    const http::Request& request = exchange.request();
    if (request.method == http::Method::post || request.path() != path) return handler(exchange);
    count.fetch_add(1, std::memory_order_relaxed);
    if (Status s = limited_body(exchange, most); !s.is_ok()) return s;
    return socket(exchange);
  };
}

Result<std::shared_ptr<http::Service>> make_service(const http::Handler& handler,
                                                    const DoorOptions& options,
                                                    bool limits_bodies) {
  http::ServerOptions own = options.http;
  if (!limits_bodies) own.limits.max_body_bytes = std::numeric_limits<std::uint64_t>::max();
  own.max_connections = options.max_connections;
  own.max_handlers = options.max_handlers;
  own.open = nullptr;
  own.on_error = options.on_error;
  own.versions = http::Versions::all;
  if (!options.http1) own.versions = http::Versions::http_2;
  if (!options.http2) own.versions = http::Versions::http_1;
  return http::Service::make(handler, std::move(own));
}

}  // namespace

struct Door::State {
  State(net::Listener& on, Peer& of, DoorOptions with)
      : options(std::move(with)), rooms{.peer = of}, listener(on) {}

  Status prepare(http::Handler handler);
  Status make_servers(const Result<Detector>& outside, const Result<Detector>& within);
  Status serve_both();
  void begin_end();
  void set_cut(const rt::Cancel* by) {
    const std::lock_guard guarded(lock);
    cut = by;
  }

  const DoorOptions options;
  Rooms rooms;
  net::Listener& listener;
  impl::InnerListener inner;  // what turned out to be TLS
  std::optional<net::Server> within;
  std::optional<net::Server> server;
  rt::Mutex lock;
  const rt::Cancel* cut = nullptr;  // ends serve(); under the lock
  std::atomic<bool> has_begun = false;
  std::atomic<bool> is_ending = false;
  rt::Event done;
};

Status Door::State::prepare(http::Handler handler) {
  if (!options.websocket_path.empty()) {
    if (Status bad = check(options.websocket); !bad.is_ok()) return bad;
  }
  const bool has_own = handler != nullptr;
  if (!has_own) handler = methods_of(rooms.peer, options);
  handler = with_websocket(std::move(handler), rooms.peer, options, rooms.websockets);
  const Result<Detector> outer = make_detector(rooms.peer, options, true);
  if (!outer) return outer.error();
  const Result<Detector> inside =
      options.tls != nullptr ? make_detector(rooms.peer, options, false) : outer;
  if (!inside) return inside.error();
  auto service = make_service(handler, options, has_own);
  if (!service) return service.error();
  rooms.http = *std::move(service);
  rooms.on_error = options.on_error;
  rooms.takes_erpc_http = options.http1 && options.framings && speaks_erpc_http(rooms.peer);
  rooms.pass_on = [this](std::unique_ptr<net::Stream> stream) { inner.pass(std::move(stream)); };
  return make_servers(outer, inside);
}

Status Door::State::make_servers(const Result<Detector>& outside, const Result<Detector>& inside) {
  const auto servant_of = [this](const Detector& detector) {
    return net::Server::MakeServant([this, detector](net::Stream&) {
      return std::make_unique<impl::DoorServant>(rooms, detector);
    });
  };
  for (const Detector* each : {&*outside, &*inside}) {
    for (const Candidate& candidate : each->candidates()) rooms.counts.try_emplace(candidate.name);
  }
  if (rooms.takes_erpc_http) rooms.counts.try_emplace(std::string(erpc_http_name));
  net::ServeOptions own{.max_connections = options.max_connections,
                        .max_handlers = options.max_handlers,
                        .on_error = options.on_error};
  server.emplace(listener, servant_of(*outside), own);
  if (options.tls == nullptr) return {};
  std::vector<std::string> alpn;
  if (options.http2) alpn.emplace_back("h2");
  if (options.http1) alpn.emplace_back("http/1.1");
  own.open = [tls = options.tls, alpn = std::move(alpn)](
                 std::unique_ptr<net::Stream> stream) -> Result<std::unique_ptr<net::Stream>> {
    auto opened = tls->accept(std::move(stream), {}, alpn);
    if (!opened) return opened.error();
    return std::unique_ptr<net::Stream>(*std::move(opened));
  };
  within.emplace(inner, servant_of(*inside), own);
  return {};
}

Status Door::State::serve_both() {
  if (!within) return server->serve();
  rt::Scope scope;
  Status inside;
  scope.go("door within TLS", [&] { inside = within->serve(); });
  Status status = server->serve();
  inner.close();
  if (!status.is_ok()) scope.cancel();
  scope.join();
  return status.is_ok() ? inside : status;
}

// Nobody new, and those who are there are told.
void Door::State::begin_end() {
  listener.close();
  if (!is_ending.exchange(true) && options.on_shutdown) options.on_shutdown();
  rooms.http->drain();
  server->drain();
  if (within) within->drain();
}

Door::Door(net::Listener& listener, Peer& peer, http::Handler handler, DoorOptions options)
    : state_([&]() -> Result<std::unique_ptr<State>> {
        auto state = std::make_unique<State>(listener, peer, std::move(options));
        Status prepared = state->prepare(std::move(handler));
        if (!prepared.is_ok()) return prepared;
        return state;
      }()) {}

Door::~Door() = default;

Status Door::serve() {
  if (!state_) return state_.error();
  State& state = **state_;
  state.has_begun = true;
  auto [context, cancel] = rt::Context::current().with_cancel();
  state.set_cut(&cancel);
  Status status;
  {
    const rt::WithContext bound(context);
    rt::Scope with_peer(rt::OnExit::cancel);
    if (state.options.ends_with_peer) {
      with_peer.go("door end", [&] {
        if (state.rooms.peer.wait_shutdown().is_ok()) state.begin_end();
      });
    }
    status = state.serve_both();
  }
  state.set_cut(nullptr);
  state.done.set();
  return status;
}

Status Door::shutdown(rt::Deadline deadline) {
  if (!state_) return {};
  State& state = **state_;
  state.begin_end();
  if (!state.has_begun) return {};  // nor will it: it accepts nobody any more
  Status status = state.done.wait(deadline);
  if (status.is_ok()) return status;
  {
    const std::lock_guard lock(state.lock);
    if (state.cut != nullptr) (*state.cut)();
  }
  const rt::WithContext whatever_happens(rt::Context::background());
  (void)state.done.wait();
  return status;
}

std::uint64_t DoorCounts::of(std::string_view protocol) const {
  for (const auto& [name, count] : by_protocol) {
    if (name == protocol) return count;
  }
  return 0;
}

DoorCounts Door::counts() const {
  DoorCounts counts;
  if (!state_) return counts;
  const State& state = **state_;
  const net::ServeCounts outer = state.server->counts();
  const net::ServeCounts inner = state.within ? state.within->counts() : net::ServeCounts();
  counts.accepted = outer.accepted;
  counts.connections = outer.connections + inner.connections;
  counts.handlers = outer.handlers + inner.handlers;
  counts.undetected = state.rooms.undetected;
  counts.refused = state.rooms.refused;
  counts.timeouts = state.rooms.timeouts;
  counts.websockets = state.rooms.websockets;
  counts.cut_at_rest = state.rooms.http->counts().cut_at_rest;
  for (const auto& [name, count] : state.rooms.counts) counts.by_protocol.emplace_back(name, count);
  return counts;
}

}  // namespace parley::door
