// PARLEY_ASSERT: a bug in this program ends it at once, with a message, in every build type.
//
// For what only a programmer can get wrong. Bytes from a socket, a file or a user never meet an
// assert: they get a Status. Safe on any thread and any fiber.
//
//   PARLEY_ASSERT(slot < slots_.size(), "slot handed out twice");
#pragma once

#include <source_location>
#include <string_view>

namespace parley {

// Prints "file:line: function: what" to stderr and aborts. `expression` may be empty.
[[noreturn]] void assertion_failed(std::string_view expression, std::string_view what,
                                   std::source_location where = std::source_location::current());

// Has `tell` called between the message and the end: it may print more to stderr. For the runtime,
// which knows the fiber; the last one counts, null means none. Any thread.
void tell_after_assertion(void (*tell)());

}  // namespace parley

#define PARLEY_ASSERT(condition, what) \
  (static_cast<bool>(condition) ? void(0) : ::parley::assertion_failed(#condition, what))
