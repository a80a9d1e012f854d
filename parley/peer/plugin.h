// Plugin: what is put around the life of a peer, its sessions and its calls without any handler
// knowing: who may come in, what is logged, counted, encrypted or sent elsewhere.
//
// A plain struct: set the functions that are of use, in a function that makes it from its options.
// They run in the order of the plugins in PeerOptions::plugins; those of a group after those of the
// peer. Fibers on different threads call one function at the same time: what it shares needs a
// lock (rt::Mutex) or an atomic. All of them may wait.
//
//   Plugin counting(std::atomic<int>& calls) {
//     return {.name = "counting", .serve = [&calls](ServeStep&, Next& next) {
//               ++calls;
//               return next();
//             }};
//   }
//   parley::Peer peer({.plugins = {counting(calls)}});
//   parley::Group admin = peer.group("/admin", {only_admins()});
//
// How they stand in time is data: plugin_order(), which docs/plugins.md shows. What they return is
// a contract:
//
//   A middleware (call, open, serve, serve_stream) is a function over the next step: next() runs
//   the plugins behind it and what they are around, and returns how that went. What the middleware
//   returns is how it went for those before it.
//   One that returns without next() cuts short: nothing behind it runs. Its error is the error of
//   the call; if it is ok, the result is what it has set (set_reply), or an empty body.
//   After next() it may return another status than that. An error then wins over a result; ok wins
//   over an error, with what was set as the result.
//   Of a PUSH an error is logged by who serves it, and told to nobody else.
//   next() once, except in `call`: there it makes the call again. Elsewhere the second time fails
//   with internal, and runs nothing.
//   What a plugin throws is internal, with its name; what had run by then has run.
//
//   A hook of the life of a session that fails ends what it belongs to, and those behind it are not
//   asked. Who was asked by after_dial or after_accept and did not refuse, or has neither, hears
//   once of the end (on_disconnect), also when another plugin refused.
//   A session that is dialled again (RedialOptions) goes through before_dial and after_dial for
//   each connection, and through the others once. not_sent, unavailable and deadline_exceeded are
//   then a failed attempt; any other error ends the session with it: it would only come again.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/status.h"

namespace parley::net {
struct Address;
}

namespace parley {

class CallStep;
class ClosedSession;
class EarlySession;
class Peer;
class ServeStep;
class Session;
struct PeerOptions;

// The rest of the way: see above. Valid until the middleware it was given to returns; for its
// fiber.
class Next {
 public:
  Status operator()() { return run_(argument_); }

  // Internal.
  Next(Status (*run)(void*), void* argument) : run_(run), argument_(argument) {}
  Next(const Next&) = delete;
  Next& operator=(const Next&) = delete;

 private:
  Status (*run_)(void*);
  void* argument_;
};

// A method that begins to be served.
struct Registration {
  std::string_view method;  // empty: what is handled by no method
  bool is_stream = false;
};

// A connection that is about to be made.
struct Dialling {
  const net::Address& address;
  bool is_redial = false;  // of a session that was cut
};

struct Plugin {
  // Must not be empty. Twice on the way of one call is a bug: the program ends and says which.
  std::string name{};

  // Of a peer. Until it was made it has no fibers. When one fails the peer neither listens nor
  // dials nor serves: each of these returns the error. Plugins added to the options are asked, too.
  std::function<Status(PeerOptions& options)> before_new_peer{};
  std::function<Status(Peer& peer)> after_new_peer{};
  std::function<Status(const Registration& registration)> on_register{};
  // An error is that of listen(), which closes the listener.
  std::function<Status(Peer& peer, const net::Address& address)> after_listen{};

  // Of a session, within PeerOptions::early_timeout (early_session.h). An error is that of dial()
  // or serve(), its code unchanged, and is logged by who accepted; the connection is closed.
  std::function<Status(const Dialling& dialling)> before_dial{};
  std::function<Status(EarlySession& session)> after_dial{};
  std::function<Status(EarlySession& session)> after_accept{};
  // It can be found, serves and calls from here on, also while this runs. An error closes it.
  std::function<Status(const Session& session)> on_session{};

  // Around a CALL or a PUSH that is made here, however it is made, and around the opening of a
  // stream (plugin_steps.h).
  std::function<Status(CallStep& step, Next& next)> call{};
  std::function<Status(CallStep& step, Next& next)> open{};
  // Around a CALL or a PUSH that is served here, and around the handler of a stream. Those of the
  // peer before the method is looked for, also if there is none; those of a group after it.
  std::function<Status(ServeStep& step, Next& next)> serve{};
  std::function<Status(ServeStep& step, Next& next)> serve_stream{};

  // The session has ended; its on_closed callbacks were told before. As one of these callbacks.
  std::function<void(const ClosedSession& session)> on_disconnect{};
};

// When a function of a plugin is called, and what its failure does: a row of the table.
struct PluginHook {
  std::string_view phase;
  std::string_view name;  // of the member of Plugin
  std::string_view side;  // peer, dialled, accepted, caller, callee or session: any of both
  std::string_view when;
  std::string_view failure;
};

// All there are, in the order in which they are called.
std::span<const PluginHook> plugin_order() noexcept;

}  // namespace parley
