// ForeignRoom: what a body that is still coming may take of memory. Whoever reads the arguments of
// a call from elsewhere (a door) holds them whole before they are a call, and until then nobody
// else counts them: without this a hundred slow uploads of one connection would be held however
// large they are. All rooms of a session together have PeerOptions::max_handler_bytes, as the
// arguments of calls that run have once more.
//
//   ForeignRoom room(*session);
//   while (read(piece)) {
//     body += piece;
//     if (Status s = room.hold(body.capacity()); !s.is_ok()) return refuse(s);
//   }
//   room.hold(0);                        // session->call() counts it now
//
// Belongs to one fiber; those of a session may be in many. Must be gone before its session is.
#pragma once

#include <cstddef>

#include "parley/base/status.h"

namespace parley {

class ForeignSession;

class ForeignRoom {
 public:
  // A body of at most so many bytes is not counted: the small ones of a session go on, however much
  // the others hold, and streams have limits of their own (Http2Limits::max_streams).
  static constexpr std::size_t small_bytes = std::size_t{64} << 10U;

  explicit ForeignRoom(ForeignSession& session) : session_(session) {}
  // Holds nothing any more.
  ~ForeignRoom();
  ForeignRoom(const ForeignRoom&) = delete;
  ForeignRoom& operator=(const ForeignRoom&) = delete;

  // So many bytes are there now, more or less than before. resource_exhausted when that is too much
  // for the session, and nothing has changed; a body alone may always be.
  Status hold(std::size_t bytes) {
    if (bytes <= small_bytes && held_ == 0) return {};
    return hold_large(bytes);
  }
  // hold() has refused.
  [[nodiscard]] bool was_full() const noexcept { return was_full_; }

 private:
  Status hold_large(std::size_t bytes);

  ForeignSession& session_;
  std::size_t held_ = 0;
  bool was_full_ = false;
};

}  // namespace parley
