// ForeignSession: a session of a Peer whose other side speaks something else than frames: HTTP,
// say. Whoever understands that (a door) calls the peer's methods here, and they are served as the
// calls of any session: the same handlers, plugins, rules, limits and metadata, the address that
// the other side really has, and the end of the peer waits for them. Handlers run on the fiber that
// calls. One for each connection; any number of fibers may use it at once.
//
//   auto session = ForeignSession::open(peer, {.remote = stream.remote_address()});
//   ForeignAnswer answer;
//   Status status = session->call({.method = "/math/add", .codec = json, .body = "[1,2]"}, answer);
//
// What the other side cannot do cannot be asked of it: a handler that calls or pushes back by this
// session gets unimplemented, and a plugin that expects a first message from it unauthenticated.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/net/address.h"
#include "parley/peer/foreign_room.h"
#include "parley/peer/foreign_stream.h"
#include "parley/peer/handler.h"
#include "parley/peer/peer.h"
#include "parley/peer/session.h"
#include "parley/rt/deadline.h"
#include "parley/rt/scope.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley {

struct ForeignOptions {
  net::Address local = {};
  net::Address remote = {};
  // What it speaks, for errors: "HTTP".
  std::string protocol = "another protocol";
};

// What is asked. The method is a view of the caller's, who keeps it until call() has returned.
struct ForeignCall {
  std::string_view method{};
  wire::BodyCodec codec = wire::BodyCodec::none;
  Bytes body{};
  wire::Metadata metadata{};
  // What the result shall be written in, if it is known here.
  std::optional<wire::BodyCodec> accept{};
  rt::Deadline deadline{};
};

// What is answered. Of a call that failed only the metadata.
struct ForeignAnswer {
  Answer body{};
  wire::Metadata metadata{};
};

// What a name stands for: `other` is none that there is, and what comes for it goes to whoever
// takes the calls of unknown names (Peer::handle_unknown_calls).
enum class MethodKind : std::uint8_t { none, call, stream, other };

class ForeignSession {
 public:
  // As Peer::serve(), with its errors: not_sent when the peer is closed, resource_exhausted at
  // max_sessions, that of a plugin that refused. `peer` need not outlive it. Inside a fiber.
  static Result<std::unique_ptr<ForeignSession>> open(Peer& peer, const ForeignOptions& options);
  // The connection is over: the session ends. No call may be under way.
  ~ForeignSession();
  ForeignSession(const ForeignSession&) = delete;
  ForeignSession& operator=(const ForeignSession&) = delete;

  // Calls a method, on the calling fiber. The handler's context ends with `call.deadline`, with the
  // deadline of the calling fiber's context, when that context ends, or with the session. Errors as
  // of Session::call(): the handler's own; not_found, which may name the method that was meant;
  // invalid_argument of arguments and rules; resource_exhausted at max_handlers, max_handler_bytes
  // and max_frame_bytes; deadline_exceeded; not_sent when the session takes no calls any more.
  Status call(ForeignCall call, ForeignAnswer& answer);

  // Opens a stream method: one more way into the handler that handle_stream() was given, within the
  // limits of streams (PeerOptions::max_streams and the credits). Nothing of `call` has to be kept;
  // its body and what it accepts are not looked at, since messages follow, each in `call.codec`.
  // The stream ends with `call.deadline`, with the calling fiber's context, or with the session.
  // Errors as for call(), before the handler runs; an unknown method is told by take(). It must be
  // gone before this is.
  Result<std::unique_ptr<ForeignStream>> open_stream(ForeignCall call);

  // False once it takes no calls any more: the peer is closing, or a handler closed it.
  [[nodiscard]] bool is_open() const { return session_.is_open(); }
  [[nodiscard]] const Session& session() const { return session_; }
  // For who has several names for one method. A query behind the name is part of it here.
  [[nodiscard]] MethodKind kind_of(std::string_view method) const;

 private:
  friend class ForeignRoom;
  explicit ForeignSession(Session session);

  const Session session_;
  std::atomic<std::size_t> coming_ = 0;         // bytes of ForeignRooms
  std::atomic<std::uint32_t> last_number_ = 0;  // it may begin anew
  rt::Scope ends_;                              // fibers that pass on the end of a caller's context
};

}  // namespace parley
