// Peer: an equal among equals. It serves methods, listens, dials; the same type is client and
// server.
//
// Make it inside a fiber; it belongs to that fiber's runtime, and any of its fibers may use it. It
// lives until it is closed or destroyed, whatever becomes of the context of the fiber that made it.
//
//   parley::Peer peer;
//   peer.handle("/math/add", [](int a, int b) { return a + b; });
//   auto address = peer.listen("tcp://127.0.0.1:0");
//   auto session = peer.dial("tcp://127.0.0.1:4711");
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "parley/base/result.h"
#include "parley/net/address.h"
#include "parley/net/stream.h"
#include "parley/peer/context.h"
#include "parley/peer/controller.h"
#include "parley/peer/endpoints.h"
#include "parley/peer/handler.h"
#include "parley/peer/member_function.h"
#include "parley/peer/options.h"
#include "parley/peer/plugin.h"
#include "parley/peer/push.h"
#include "parley/peer/router.h"
#include "parley/peer/session.h"
#include "parley/peer/shutdown.h"
#include "parley/peer/stream_handler.h"
#include "parley/rt/deadline.h"

namespace parley {

class Group;

namespace impl {

class Plugins;

// What the methods of a group have in common.
struct MethodPlace {
  std::string prefix{};
  std::shared_ptr<const Plugins> plugins{};  // around their handlers; null when there are none
};

}  // namespace impl

class Peer {
 public:
  explicit Peer(PeerOptions options = {});
  // close().
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Serves `method`, on sessions dialled and accepted alike: CALLs get the function's result,
  // PUSHes run it and drop the result. See make_handler for what functions will do. Calls run in
  // parallel, also those of one session as soon as one of them waits or is slow, each to its end on
  // one fiber: what `function` shares between calls needs a lock (rt::Mutex), a channel or an
  // atomic, as in Go. They begin in the order in which they came, those through filters when
  // their body is undone. A method handled twice is a bug. What `function` refers to must outlive
  // the peer (declare it first), or close() must come before its end. Methods may be added at any
  // time. With `names` of all parameters callers may send them by name, too; they and `description`
  // are for schemas:
  //   peer.handle<"order", "urgent">("/order/place", &place, "Places an order.");
  template <codec::Name... names, class F>
  void handle(std::string_view method, F&& function, std::string_view description = {}) {
    handle_at<names...>({}, method, std::forward<F>(function), description);
  }
  void add_handler(std::string_view method, Handler handler, codec::MethodShape shape = {});

  // Serves streams that are opened as `method`: one fiber of `function` for each, until it returns
  // (make_stream_handler, stream.h). Otherwise as handle().
  template <class F>
  void handle_stream(std::string_view method, F&& function) {
    handle_stream_at({}, method, std::forward<F>(function));
  }

  // Serves the methods of an object as the description of its class says (controller.h), under the
  // names that PeerOptions::name_mapper makes of them. Returns those names.
  template <class Controller>
  std::vector<std::string> handle_controller(Controller& object) {
    return handle_controller_at({}, object);
  }

  // What is handled by no method: CALLs, PUSHes. As for handle(); what came is best taken as Bytes,
  // as it was sent, with Context::method() and body_codec(), and Bytes that are returned are sent
  // as they are:
  //   peer.handle_unknown_calls([](Context& context, Bytes body) -> Result<Bytes> {...});
  template <class F>
  void handle_unknown_calls(F&& function) {
    add_unknown(wire::MessageType::call, make_handler(std::decay_t<F>(std::forward<F>(function))));
  }
  template <class F>
  void handle_unknown_pushes(F&& function) {
    add_unknown(wire::MessageType::push, make_handler(std::decay_t<F>(std::forward<F>(function))));
  }
  // `function` as for handle_stream(), best with a RawStream.
  template <class F>
  void handle_unknown_streams(F&& function) {
    add_unknown(wire::MessageType::open, make_stream_handler(std::forward<F>(function)));
  }
  // The same for calls, pushes or streams (`open`) with a Handler. With `takes_filtered` it gets
  // bodies as they travelled (wire::Message::is_filtered), and may answer so.
  void add_unknown(wire::MessageType type, Handler handler, bool takes_filtered = false);

  // Methods of this peer whose names all begin with `prefix`, with plugins around their handlers
  // beside those of the peer (plugin.h): after those, and after the method was found. With an empty
  // prefix one method alone can have plugins. Must not outlive the peer.
  [[nodiscard]] Group group(const std::string& prefix, std::vector<Plugin> plugins = {});

  // What handle(), and handle_stream(), serve, by name: for openapi_of() and so on (schema.h).
  [[nodiscard]] std::vector<codec::MethodShape> methods() const;
  [[nodiscard]] std::vector<codec::MethodShape> stream_methods() const;

  // What it was made with.
  [[nodiscard]] const PeerOptions& options() const;

  // Accepts sessions at `address` ("tcp://127.0.0.1:0") and returns the address with its real port.
  // May be called several times, for several networks too. Errors: of Address::parse and
  // Network::listen; failed_precondition once the peer is closed; resource_exhausted without a
  // fiber to accept with; that of a plugin that refused.
  Result<net::Address> listen(std::string_view address, const ListenOptions& options = {});
  // Listens no more at the address that listen() returned, on whatever network; those who wait to
  // be accepted are refused. Sessions that have begun go on. not_found when it does not listen
  // there.
  Status stop_listening(const net::Address& address);

  // Opens a session. not_sent, with the reason as cause, when that fails within
  // DialOptions::timeout; invalid_argument for an address that is none, and for options that make
  // no sense; resource_exhausted at max_sessions; the error of a plugin that refused, whatever
  // its code: no call was sent.
  Result<Session> dial(std::string_view address, const DialOptions& options = {});

  // A session over a stream that was made elsewhere (TLS, a tunnel, a test), as if it had been
  // accepted, or dialled, here. `framings`: what is spoken on it; none: those of the peer. not_sent
  // when the peer is closed, resource_exhausted at max_sessions: the stream is gone then.
  Result<Session> serve(std::unique_ptr<net::Stream> stream, Side side = Side::accepted,
                        std::vector<std::shared_ptr<const wire::Framing>> framings = {});

  // Sends a PUSH to all sessions that are open, or those for which which(session) is true; see
  // push_to().
  template <class... Args>
  Result<Pushed> push_all(const PushOptions& options, std::string_view method,
                          const Args&... args) const {
    return push_if([](const Session&) { return true; }, options, method, args...);
  }
  template <class Which, class... Args>
    requires std::is_invocable_r_v<bool, Which&, const Session&>
  Result<Pushed> push_if(Which which, const PushOptions& options, std::string_view method,
                         const Args&... args) const {
    std::vector<Session> chosen = sessions();
    std::erase_if(chosen, [&](const Session& each) { return !each.is_open() || !which(each); });
    return push_to(chosen, options, method, args...);
  }

  // The sessions there are, those that are closing among them, in no order.
  [[nodiscard]] std::vector<Session> sessions() const;
  [[nodiscard]] std::size_t session_count() const;

  // The session of that id (Session::id), if it is open: one whose id was taken over is never given
  // again, from the very moment on.
  [[nodiscard]] std::optional<Session> session(std::string_view id) const;
  // One of those that are open, each as likely as the others; nothing when there is none.
  [[nodiscard]] std::optional<Session> random_session() const;
  // Calls visit(session) for each that was there when this was called and still is open, until it
  // returns false; returning nothing goes on. No lock is held: it may wait, and close sessions.
  template <class F>
    requires std::is_invocable_v<F&, const Session&>
  void visit_sessions(F&& visit) const {
    for (const Session& each : sessions()) {
      if (!each.is_open()) continue;
      if constexpr (std::is_void_v<decltype(visit(each))>) {
        visit(each);
      } else if (!visit(each)) {
        return;
      }
    }
  }

  // Ends the peer in order. Stops listening (connections that nobody has taken are refused) and
  // takes no calls from the very moment on: those of this side fail with not_sent, those that still
  // come are answered with not_sent and never run, PUSHes are dropped and logged. The other side of
  // each session is told (GO_AWAY, in framings that have it): its calls fail with not_sent over
  // there, those under way go on. Then all sessions at the same time wait for their handlers,
  // streams and calls of this side, at most `limit`; then flush_timeout for what is queued and
  // close_timeout for the other side. What is left is cut: contexts of handlers end, callers get
  // outcome_unknown. Returns when every handler and callback has returned (callbacks know of the
  // end and have drain_timeout, at most `limit`, before their context ends), one that does not mind
  // the end of its context too, and a dial() under way (dial_timeout); the calling fiber's context
  // does not end it. A line in the log when it begins and one when it is over.
  // Any number of fibers may call it, and close(), once or often: all wait for the same end and get
  // the same report; a limit that is shorter than what is left counts from then on, so that
  // shutdown({.limit = Duration::zero()}) ends at once what was to take longer. A handler or a
  // callback of the peer itself gets an answer at once, with is_over = false: the end has begun and
  // waits for that handler too, whose own answer is still sent.
  ShutdownReport shutdown(const ShutdownOptions& options = {});

  // Waits until shutdown() or close() is called. Errors: deadline_exceeded, the context's status.
  Status wait_shutdown(rt::Deadline deadline = {}) const;

  // shutdown() with the limits of the PeerOptions and without a word in the log. In one of its own
  // handlers or callbacks a bug: it would wait for itself.
  void close();

 private:
  friend class Group;
  class Impl;

  void add(const impl::MethodPlace& place, std::string_view method, Handler handler,
           codec::MethodShape shape, bool is_stream);
  // Those of `place`, then these.
  [[nodiscard]] impl::MethodPlace place_in(const impl::MethodPlace& place, std::string_view prefix,
                                           std::vector<Plugin> plugins) const;
  // What the mapper makes of the name of a method of a class.
  [[nodiscard]] std::string name_of(std::string_view controller, std::string_view method) const;

  template <codec::Name... names, class F>
  void handle_at(const impl::MethodPlace& place, std::string_view method, F&& function,
                 std::string_view description) {
    using Function = std::decay_t<F>;
    add(place, method, make_handler<names...>(Function(std::forward<F>(function))),
        handler_shape<Function, names...>(method, description), false);
  }
  template <class F>
  void handle_stream_at(const impl::MethodPlace& place, std::string_view method, F&& function) {
    add(place, method, make_stream_handler(std::forward<F>(function)), stream_shape<F>(), true);
  }
  template <class Controller>
  std::vector<std::string> handle_controller_at(const impl::MethodPlace& place,
                                                Controller& object) {
    std::vector<std::string> names;
    add_methods(place, object, Controller::parley_methods, names);
    return names;
  }
  template <class Controller, codec::Name name, class... Methods>
  void add_methods(const impl::MethodPlace& place, Controller& object,
                   const ControllerMethods<name, Methods...>& methods,
                   std::vector<std::string>& names) {
    std::apply(
        [&](const auto&... each) { (add_method(place, name.view(), object, each, names), ...); },
        methods.all);
  }
  template <class Controller, codec::Name name, class Member, codec::Name... parameters>
  void add_method(const impl::MethodPlace& place, std::string_view controller, Controller& object,
                  const ControllerMethod<name, Member, parameters...>& method,
                  std::vector<std::string>& names) {
    const std::string called = name_of(controller, name.view());
    handle_at<parameters...>(place, called, member_function(object, method.member),
                             method.description);
    names.push_back(place.prefix + called);
  }

  std::unique_ptr<Impl> impl_;
};

// See Peer::group(). A value.
class Group {
 public:
  Group(Peer& peer, const std::string& prefix, std::vector<Plugin> plugins = {})
      : Group(peer, peer.place_in({}, prefix, std::move(plugins))) {}

  // As those of Peer, with the prefix before each name.
  template <codec::Name... names, class F>
  void handle(std::string_view method, F&& function, std::string_view description = {}) {
    peer_->handle_at<names...>(place_, method, std::forward<F>(function), description);
  }
  template <class F>
  void handle_stream(std::string_view method, F&& function) {
    peer_->handle_stream_at(place_, method, std::forward<F>(function));
  }
  template <class Controller>
  std::vector<std::string> handle_controller(Controller& object) {
    return peer_->handle_controller_at(place_, object);
  }
  // With the plugins of this one, and then its own.
  [[nodiscard]] Group group(std::string_view prefix, std::vector<Plugin> plugins = {}) const {
    return {*peer_, peer_->place_in(place_, prefix, std::move(plugins))};
  }

 private:
  Group(Peer& peer, impl::MethodPlace place) : peer_(&peer), place_(std::move(place)) {}

  Peer* peer_;
  impl::MethodPlace place_;
};

inline Group Peer::group(const std::string& prefix, std::vector<Plugin> plugins) {
  return {*this, prefix, std::move(plugins)};
}

}  // namespace parley
