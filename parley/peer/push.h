// A PUSH to many sessions: the arguments are written once, and a session that does not keep up is
// waited for, passed over or cut, whatever PushOptions says; it never holds up the others.
//
// Fiber-safe, inside a fiber only. See also Peer::push_all and Peer::push_if.
//
//   std::vector<Session> room = ...;
//   Result<Pushed> pushed = push_to(room, {.when_full = WhenFull::drop}, "/room/said", "hello");
//   if (pushed && pushed->dropped > 0) ...
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/peer/body.h"
#include "parley/peer/options.h"
#include "parley/peer/session.h"
#include "parley/wire/message.h"

namespace parley {

// What became of a PUSH to many; together they are all sessions it was meant for.
struct Pushed {
  std::size_t sent = 0;     // it is on its way
  std::size_t dropped = 0;  // there was no room, in time
  std::size_t closed = 0;   // there was no room, and the session was cut
  std::size_t failed = 0;   // the session had ended, its other side takes no such message, or its
                            // peer lacks a filter

  friend bool operator==(const Pushed&, const Pushed&) = default;
};

namespace impl {

// Those of the peer that the first of the sessions belongs to; without any, of a peer like others.
const PeerOptions& options_of(std::span<const Session> sessions);

}  // namespace impl

// The same with a body that is already written.
Pushed push_raw_to(std::span<const Session> sessions, const PushOptions& options,
                   std::string_view method, wire::BodyCodec codec, const Bytes& body);

// Sends `method` with these arguments to each of the sessions. First to all that have room; then,
// with WhenFull::wait, it waits for the others, each of which gets it when it has room, at most
// PushOptions::timeout and until the fiber's context ends: those without room then are dropped. A
// session that is open and whose other side has not said yet what it speaks counts as one without
// room, and is never cut for that. invalid_argument when an argument cannot be written: nothing was
// sent.
template <class... Args>
Result<Pushed> push_to(std::span<const Session> sessions, const PushOptions& options,
                       std::string_view method, const Args&... args) {
  const PeerOptions& own = impl::options_of(sessions);
  const wire::BodyCodec codec = options.body_codec.value_or(own.body_codec);
  impl::Written<Args...> body;
  if (Status s = encode_arguments(own, codec, body, args...); !s.is_ok()) return s;
  return push_raw_to(sessions, options, method, label_of<Args...>(codec),
                     impl::as_body(std::move(body)));
}

}  // namespace parley
