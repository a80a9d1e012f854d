// proxy: what a peer has no method for goes on to another one: a gateway before services, an entry
// into a network. CALLs, PUSHes and streams pass as bytes: nothing is decoded, so no codec and no
// type of them need be known here, and large bodies are passed on as they lie in memory.
//
// A plugin for one peer or several; its functions are called by fibers of any worker at once. The
// peer must not handle what is unknown by itself (Peer::handle_unknown_calls, _pushes, _streams):
// that is a bug.
//
//   parley::Peer inside;
//   Session tea = *inside.dial("tcp://tea:5020");
//   SessionPool coffee(inside, "tcp://coffee:5020");
//   parley::Peer edge({.plugins = {proxy({.pick = [&](const ProxyLabel& label)
//                                             -> Result<ProxyTarget> {
//     if (label.method().starts_with("/tea/")) return tea;
//     return &coffee;
//   }})}});
//
// What passes, both ways: the method with its query, the codec of the body and what is asked for
// the answer (X-Accept-Body-Codec), metadata, status, deadline and cancellation. Bodies that came
// through transfer filters go on as they travelled: the filters need not be known here, if both
// sides speak parley. Teleport's formats put whole frames through them, so there, and where a
// plugin looks at a body, filters are undone and done again, and have to be in PeerOptions::filters
// of this side.
// A stream's messages pass one at a time: credit of the one side is given when the other has taken,
// so a slow reader stops its writer, and no more than stream_credit lies here.
//
// What the caller gets when it is the backend that fails:
//   unavailable, with the business code 502, when no backend had the call: it was not run;
//   unknown, with 502, when the backend's session was cut under way: it may have run;
//   both with the reason as cause. What Teleport tells of a connection (100 to 199) is the same.
//   All other errors, of the backend or of `pick`, pass as they are.
// A call costs a fiber here while it waits for its answer, within max_under_way, and counts for
// PeerOptions::max_handlers of its session and max_fibers of its peer; a stream costs two. PUSHes
// of one session go on in their order as long as the backend has room for them.
//
// The other way round, from backends to who came in here, is open where sessions to backends belong
// to a peer with this plugin, too: `session_key` says in metadata whom a request came from, a
// backend that calls or pushes says so as well, and `pick` finds Peer::session(id).
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/peer/context.h"
#include "parley/peer/plugin.h"
#include "parley/peer/session.h"
#include "parley/peer/session_pool.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley {

// What there is to choose a backend by. Valid while `pick` runs.
class ProxyLabel {
 public:
  // Of who asks.
  [[nodiscard]] const Session& session() const { return context_.session(); }
  [[nodiscard]] std::string session_id() const { return session().id(); }
  [[nodiscard]] std::string real_ip() const { return context_.real_ip(); }
  // With its query, if it has one.
  [[nodiscard]] std::string_view method() const { return context_.method(); }
  // As it came.
  [[nodiscard]] const wire::Metadata& metadata() const { return context_.metadata(); }
  [[nodiscard]] bool is_push() const { return type_ == wire::MessageType::push; }
  [[nodiscard]] bool is_stream() const { return type_ == wire::MessageType::open; }
  // How many backends were picked for this request before, and could not be sent it.
  [[nodiscard]] std::size_t tries() const { return tries_; }

  // Internal.
  ProxyLabel(const Context& context, wire::MessageType type, std::size_t tries)
      : context_(context), type_(type), tries_(tries) {}

 private:
  const Context& context_;
  const wire::MessageType type_;
  const std::size_t tries_;
};

// The pool must outlive the peer with the plugin.
using ProxyTarget = std::variant<Session, SessionPool*>;

struct ProxyOptions {
  // Where a request goes. May wait, and dial. An error is the answer.
  std::function<Result<ProxyTarget>(const ProxyLabel& label)> pick = {};
  // How often a request that was not sent is tried, each time on what `pick` says then; at least 1.
  // The first two tries follow at once; before the third is a pause of 1 ms, before each further
  // one one twice as long, up to 250 ms. Tries end with the time of the call; those of a stream
  // that has none after PeerOptions::call_timeout.
  std::size_t max_tries = 2;
  // The longest that a call may take from here, all tries together, and a PUSH wait for room.
  // Nothing: as long as its caller waits; PeerOptions::call_timeout where that is not said. Not of
  // streams.
  std::optional<Duration> timeout = {};
  // Requests that wait here at once, streams among them; a further one is answered with
  // resource_exhausted.
  std::size_t max_under_way = 10'000;
  // How many proxies a request may come through, this one among them: those that send to each other
  // in a circle stop there, with resource_exhausted. Counted in metadata (proxy_hops_key), as are
  // the copies of `tee`.
  std::size_t max_hops = 8;
  // Metadata X-Real-IP is added when it is not there. True: what is there is replaced, for callers
  // that are not to be believed.
  bool replaces_real_ip = false;
  // Metadata that says the id of the session a request came by, whatever stood there; empty: none.
  std::string session_key = {};
};

inline constexpr std::string_view proxy_hops_key = "X-Parley-Hops";

// Without `pick`, or with max_tries 0, it is a bug.
Plugin proxy(ProxyOptions options);

}  // namespace parley
