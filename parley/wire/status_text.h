// Status text: `code=1001&msg=out%20of%20tea&cause=...`, the query text in which Teleport's
// framings carry a status. Ok is `code=0`; `msg` and `cause` are left out when empty.
//
// All functions are pure. The number is that of status_code.h.
//
//   std::string text;
//   append_status_text(text, Status::business(1001, "out of tea"));
//   Status back;
//   if (Status bad = decode_status_text(text, back); !bad.is_ok()) return bad;
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "parley/base/status.h"

namespace parley::wire {

// The text of a status, in bytes: what a u16 length can say.
inline constexpr std::size_t max_status_text = 65535;

// Appends the text of `status`. What would be longer than `limit` bytes is cut, first the cause and
// then the message, each between two UTF-8 characters and with a "…" where it was cut: an error
// always reaches the caller, if need be as its number alone (at most 16 bytes, whatever `limit`
// is).
void append_status_text(std::string& out, const Status& status,
                        std::size_t limit = max_status_text);

// Reads status text into `out`. Keys may come in any order, be missing or be unknown; the first of
// equal keys counts. Without a code it is ok if there is neither msg nor cause, else unknown (an
// error whose number got lost must not pass for a success). Returns invalid_argument, and leaves
// `out` alone, for a code that is no 32-bit decimal number and for a malformed percent escape.
Status decode_status_text(std::string_view text, Status& out);

}  // namespace parley::wire
