// Small helpers of a session: sizes and texts. Private to peer. Pure functions, safe anywhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/wire/message.h"

namespace parley::impl {

// What a request holds while it is served, in bytes.
std::size_t held_by(const wire::Message& request);

// Bytes of the other side for a log: they must not forge lines or drive a terminal.
std::string printable(std::string text);
// The same of a text that is kept: of its first 256 bytes.
std::string start_of(std::string_view text);

// "20 ms".
std::string in_milliseconds(Duration duration);

}  // namespace parley::impl
