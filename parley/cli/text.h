// Text on its way to a person: safe to show on a terminal, short enough to read, quoted for a
// shell.
//
// Any thread; nothing here has state.
//
//   say("not JSON: " + excerpt(argument) + "; write " + shell_quoted("\"tea\""));
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace parley::cli {

// The longest piece of somebody else's text a message repeats, in bytes.
inline constexpr std::size_t max_excerpt = 80;

// `text` with control characters (but line feed and tab) written as \xNN: what another program sent
// must not move the cursor or change colours of the terminal.
std::string printable(std::string_view text);

// printable() of at most max_excerpt bytes, never ending inside a UTF-8 character; "..." follows
// what was cut.
std::string excerpt(std::string_view text);

// `text` in single quotes, as a POSIX shell reads it back.
std::string shell_quoted(std::string_view text);

}  // namespace parley::cli
