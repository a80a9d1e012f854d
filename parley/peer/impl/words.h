// Small helpers of a session: sizes and texts. Private to peer. Pure functions, safe anywhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley::impl {

std::size_t bytes_of(const wire::Metadata& metadata);
// What a request holds while it is served, in bytes.
inline std::size_t held_by(const wire::Message& request) {
  const std::size_t body = request.body.size();
  return request.metadata.empty() ? body : body + bytes_of(request.metadata);
}

// What is shown of a name that the other side chose: its first 100 bytes.
inline std::string_view shown_name(std::string_view name) {
  constexpr std::size_t most = 100;
  return name.substr(0, most);
}

// Bytes of the other side for a log: they must not forge lines or drive a terminal.
std::string printable(std::string text);
// The same of a text that is kept: of its first 256 bytes.
std::string start_of(std::string_view text);

// As a JSON text; what is no UTF-8 has ? in place of its bytes.
void append_quoted(std::string& out, std::string_view text);

// "20 ms".
std::string in_milliseconds(Duration duration);

}  // namespace parley::impl
