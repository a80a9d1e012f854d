// Times as text: durations as decimal seconds ("1.5s"), points in time by RFC 3339 in UTC, both as
// protobuf's JSON has them.
#pragma once

#include <cstddef>
#include <string_view>

#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// The most characters either function below writes.
inline constexpr std::size_t max_time_chars = 40;

// Writes the shortest of 0, 3, 6 or 9 decimals that says it all; returns the end.
char* write_duration(char* out, Seconds time) noexcept;
// Null for a year outside 0000 to 9999, which RFC 3339 does not know.
char* write_instant(char* out, Seconds time) noexcept;

// False when the text is not of this form. Up to nine decimals; of an instant any offset.
bool read_duration(std::string_view text, Seconds& time) noexcept;
bool read_instant(std::string_view text, Seconds& time) noexcept;

}  // namespace parley::codec::impl
