// Protobuf's own messages (google.protobuf) as plain structs. They travel in every format as the
// structs they are; JSON as protobuf maps it (JsonOptions::protobuf_mapping) has forms of its own
// for them: a Timestamp is "1972-01-01T10:00:20.021Z", a Duration "1.500s", a FieldMask
// "user.displayName,photo", a wrapper its value, a Struct, a Value and a ListValue are JSON itself,
// and an Any is the message in it beside "@type" (message_types.h). What the form cannot say is an
// error: a time outside the years 1 to 9999, a path that is not in snake_case, a Value that is not
// finite.
//
// Values, and pure functions of them: safe on every thread and fiber.
//
//   struct Event { std::optional<well_known::Timestamp> at; well_known::Value what; };
//   Event event{.at = well_known::timestamp_of(std::chrono::system_clock::now()),
//               .what = {.kind = 1.5}};
//   codec::encode_json(event, {}, {.protobuf_mapping = true});   // {"at":"2026-...","what":1.5}
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "parley/base/result.h"
#include "parley/codec/fields.h"
#include "parley/codec/type_table.h"

namespace parley::well_known {

// Since 1970, nanos never negative: the years 1 to 9999.
struct Timestamp {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;

  friend bool operator==(const Timestamp&, const Timestamp&) = default;
};

// Nanos have the sign of the seconds or are 0: up to 315,576,000,000 s, either way.
struct Duration {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;

  friend bool operator==(const Duration&, const Duration&) = default;
};

// Any message, as protobuf writes it; what follows the last '/' of the URL is its name.
struct Any {
  std::string type_url;
  std::vector<std::byte> value;

  friend bool operator==(const Any&, const Any&) = default;
};

struct Empty {
  friend bool operator==(const Empty&, const Empty&) = default;
};

// Members of a message, by their names in the .proto: "user.display_name".
struct FieldMask {
  std::vector<std::string> paths;

  friend bool operator==(const FieldMask&, const FieldMask&) = default;
};

// Its name, and kind_at below, as protoc-gen-parley would make them.
// NOLINTNEXTLINE(readability-identifier-naming): as it is called in protobuf
enum class NullValue : std::int32_t { NULL_VALUE = 0 };

struct Value;

// A JSON object.
struct Struct {
  std::map<std::string, Value> fields;

  friend bool operator==(const Struct& a, const Struct& b);
};

// A JSON array.
struct ListValue {
  std::vector<Value> values;

  friend bool operator==(const ListValue& a, const ListValue& b);
};

// A JSON value. One that is nothing at all reads as null.
struct Value {
  // Where the alternatives of `kind` stand.
  // NOLINTNEXTLINE(readability-identifier-naming): as it is called in protobuf
  struct kind_at {
    static constexpr std::size_t null_value = 1;
    static constexpr std::size_t number_value = 2;
    static constexpr std::size_t string_value = 3;
    static constexpr std::size_t bool_value = 4;
    static constexpr std::size_t struct_value = 5;
    static constexpr std::size_t list_value = 6;
  };
  std::variant<std::monostate, NullValue, double, std::string, bool, Struct, ListValue> kind;

  friend bool operator==(const Value& a, const Value& b);
};

inline bool operator==(const Struct& a, const Struct& b) { return a.fields == b.fields; }
inline bool operator==(const ListValue& a, const ListValue& b) { return a.values == b.values; }
inline bool operator==(const Value& a, const Value& b) { return a.kind == b.kind; }

// A number, a text or bytes in a message of its own, which tells 0 from absent.
struct DoubleValue {
  double value = 0;
  friend bool operator==(const DoubleValue&, const DoubleValue&) = default;
};
struct FloatValue {
  float value = 0;
  friend bool operator==(const FloatValue&, const FloatValue&) = default;
};
struct Int64Value {
  std::int64_t value = 0;
  friend bool operator==(const Int64Value&, const Int64Value&) = default;
};
struct UInt64Value {
  std::uint64_t value = 0;
  friend bool operator==(const UInt64Value&, const UInt64Value&) = default;
};
struct Int32Value {
  std::int32_t value = 0;
  friend bool operator==(const Int32Value&, const Int32Value&) = default;
};
struct UInt32Value {
  std::uint32_t value = 0;
  friend bool operator==(const UInt32Value&, const UInt32Value&) = default;
};
struct BoolValue {
  bool value = false;
  friend bool operator==(const BoolValue&, const BoolValue&) = default;
};
struct StringValue {
  std::string value;
  friend bool operator==(const StringValue&, const StringValue&) = default;
};
struct BytesValue {
  std::vector<std::byte> value;
  friend bool operator==(const BytesValue&, const BytesValue&) = default;
};

using TimePoint = std::chrono::sys_time<std::chrono::nanoseconds>;

// The same time. Those of std::chrono go from 1677 to 2262: invalid_argument outside of that, and
// for nanos that the message cannot have.
Timestamp timestamp_of(TimePoint time) noexcept;
Result<TimePoint> time_of(const Timestamp& timestamp);
// The same for durations; up to 292 years.
Duration duration_of(std::chrono::nanoseconds span) noexcept;
Result<std::chrono::nanoseconds> span_of(const Duration& duration);

}  // namespace parley::well_known

namespace parley::codec::impl {

template <>
inline constexpr WellKnown well_known_of<well_known::Timestamp> = WellKnown::timestamp;
template <>
inline constexpr WellKnown well_known_of<well_known::Duration> = WellKnown::duration;
template <>
inline constexpr WellKnown well_known_of<well_known::Any> = WellKnown::any;
template <>
inline constexpr WellKnown well_known_of<well_known::FieldMask> = WellKnown::field_mask;
template <>
inline constexpr WellKnown well_known_of<well_known::NullValue> = WellKnown::null_value;
template <>
inline constexpr WellKnown well_known_of<well_known::Value> = WellKnown::value;
template <>
inline constexpr WellKnown well_known_of<well_known::Struct> = WellKnown::what_it_holds;
template <>
inline constexpr WellKnown well_known_of<well_known::ListValue> = WellKnown::what_it_holds;
template <>
inline constexpr WellKnown well_known_of<well_known::DoubleValue> = WellKnown::what_it_holds;
template <>
inline constexpr WellKnown well_known_of<well_known::FloatValue> = WellKnown::what_it_holds;
template <>
inline constexpr WellKnown well_known_of<well_known::Int64Value> = WellKnown::what_it_holds;
template <>
inline constexpr WellKnown well_known_of<well_known::UInt64Value> = WellKnown::what_it_holds;
template <>
inline constexpr WellKnown well_known_of<well_known::Int32Value> = WellKnown::what_it_holds;
template <>
inline constexpr WellKnown well_known_of<well_known::UInt32Value> = WellKnown::what_it_holds;
template <>
inline constexpr WellKnown well_known_of<well_known::BoolValue> = WellKnown::what_it_holds;
template <>
inline constexpr WellKnown well_known_of<well_known::StringValue> = WellKnown::what_it_holds;
template <>
inline constexpr WellKnown well_known_of<well_known::BytesValue> = WellKnown::what_it_holds;
template <>
inline constexpr WellKnown well_known_of<well_known::Empty> = WellKnown::plain_message;

}  // namespace parley::codec::impl

namespace parley {

template <>
inline constexpr auto fields<well_known::Value> = codec::field_table<well_known::Value>(
    codec::field<&well_known::Value::kind>("kind").oneof({{},
                                                          {"null_value", 1},
                                                          {"number_value", 2},
                                                          {"string_value", 3},
                                                          {"bool_value", 4},
                                                          {"struct_value", 5},
                                                          {"list_value", 6}}));

}  // namespace parley
