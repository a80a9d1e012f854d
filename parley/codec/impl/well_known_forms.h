// What JSON as protobuf maps it needs to know of protobuf's own messages, besides reading and
// writing.
//
// Pure functions: safe everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// What google.protobuf.Duration may hold, either way: 10,000 years.
inline constexpr std::int64_t max_duration_seconds = 315'576'000'000;
// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what google.protobuf.Timestamp may hold.
inline constexpr std::int64_t first_timestamp_second = -62'135'596'800;
inline constexpr std::int64_t last_timestamp_second = 253'402'300'799;

// Null when they are what a google.protobuf.Timestamp or Duration may hold, else what is wrong.
const char* misfit_of_timestamp(const Seconds& time) noexcept;
const char* misfit_of_duration(const Seconds& time) noexcept;

// As read_instant(), with the capital letters that protobuf wants.
bool read_timestamp(std::string_view text, Seconds& time) noexcept;

// "user.display_name" as "user.displayName", appended to `out`. False when there is no way back, or
// no name.
bool append_camel_path(std::string& out, std::string_view path);
// The other way; false when it is none: there is an underscore, or nothing.
bool snake_path(std::string_view text, std::string& path);

// "type.googleapis.com/shop.Order": "shop.Order".
std::string_view message_name_of(std::string_view type_url) noexcept;
// The message of well_known.h with this full name; null when it is none.
const Type* find_well_known(std::string_view full_name) noexcept;

// Whether an Any has it under "value", and not its members beside "@type".
constexpr bool has_own_form(const Type& type) {
  return type.well_known != WellKnown::none && type.well_known != WellKnown::plain_message;
}
// Whether null is a value of it, and not an absent one.
constexpr bool takes_null(const Type& type) {
  return type.well_known == WellKnown::value || type.well_known == WellKnown::null_value;
}

}  // namespace parley::codec::impl
