// InParts: what a Connection does with large bodies that go in parts (parts.h). Private to peer,
// and to it.
//
// Under the lock of the connection where nothing else is said.
#pragma once

#include <cstdint>

#include "parley/peer/impl/call_table.h"
#include "parley/peer/impl/parts.h"

namespace parley::impl {

class Connection;

struct InParts {
  // What the next write is put together of goes to `sending_`: small frames first, then some parts.
  static void take_to_send(Connection& connection);
  // Takes out what is left of an exchange of this side's. Where nothing of it has begun, nobody has
  // to be told.
  static Parts::Left drop(Connection& connection, std::int32_t seq);
  // Calls of which not all has left do not run over there once they are given up, which is said
  // here: takes them out, in a chain that is the caller's to end with end_unsent().
  static PendingCall* take_unsent(Connection& connection);
  // Not under the lock.
  static void end_unsent(PendingCall* calls, const Status& why);
  // Not under the lock: nobody waits for the answer to a call of the other side's.
  static void shorten_reply(Connection& connection, std::int32_t seq);
};

}  // namespace parley::impl
