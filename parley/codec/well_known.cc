#include "parley/codec/well_known.h"

#include <array>
#include <cstdint>
#include <string>

#include "parley/base/assert.h"
#include "parley/codec/impl/time_text.h"
#include "parley/codec/impl/well_known_forms.h"
#include "parley/codec/message_types.h"
#include "parley/codec/type.h"

namespace parley {
namespace well_known {
namespace {

constexpr std::int64_t billion = 1'000'000'000;

// False when nanoseconds of 64 bits do not go that far.
bool to_nanoseconds(std::int64_t seconds, std::int32_t nanos, std::int64_t& out) noexcept {
  const auto wide = static_cast<__int128>(seconds) * billion + nanos;
  out = static_cast<std::int64_t>(wide);
  return out == wide;
}

}  // namespace

Timestamp timestamp_of(TimePoint time) noexcept {
  const std::int64_t count = time.time_since_epoch().count();
  const std::int64_t rest = count % billion;
  const bool is_before = rest < 0;
  return {.seconds = count / billion - (is_before ? 1 : 0),
          .nanos = static_cast<std::int32_t>(is_before ? rest + billion : rest)};
}

Result<TimePoint> time_of(const Timestamp& timestamp) {
  if (const char* const misfit =
          codec::impl::misfit_of_timestamp({timestamp.seconds, timestamp.nanos})) {
    return Status(Code::invalid_argument, misfit);
  }
  std::int64_t count = 0;
  if (to_nanoseconds(timestamp.seconds, timestamp.nanos, count)) {
    return TimePoint(std::chrono::nanoseconds(count));
  }
  return Status(Code::invalid_argument,
                "a time outside the years 1677 to 2262 does not fit nanoseconds of 64 bits");
}

Duration duration_of(std::chrono::nanoseconds span) noexcept {
  return {.seconds = span.count() / billion,
          .nanos = static_cast<std::int32_t>(span.count() % billion)};
}

Result<std::chrono::nanoseconds> span_of(const Duration& duration) {
  if (const char* const misfit =
          codec::impl::misfit_of_duration({duration.seconds, duration.nanos})) {
    return Status(Code::invalid_argument, misfit);
  }
  std::int64_t count = 0;
  if (to_nanoseconds(duration.seconds, duration.nanos, count)) {
    return std::chrono::nanoseconds(count);
  }
  return Status(Code::invalid_argument,
                "a duration beyond 292 years does not fit nanoseconds of 64 bits");
}

}  // namespace well_known

namespace codec {

const Type* MessageTypes::find(std::string_view full_name) const {
  const auto found = types_.find(full_name);
  return found != types_.end() ? found->second : impl::find_well_known(full_name);
}

void MessageTypes::add_type(std::string_view full_name, const Type& type) {
  if (type.kind != Kind::structure) {
    assertion_failed("", "'" + std::string(full_name) +
                             "' cannot be held by an Any: only a struct is a message by itself");
  }
  types_.insert_or_assign(std::string(full_name), &type);
}

bool is_any_of(const well_known::Any& any, std::string_view full_name) noexcept {
  return impl::message_name_of(any.type_url) == full_name;
}

namespace impl {
namespace {

constexpr std::int32_t most_nanoseconds = 999'999'999;

bool is_small(char c) { return c >= 'a' && c <= 'z'; }
bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

const char* misfit_of_timestamp(const Seconds& time) noexcept {
  if (time.seconds < first_timestamp_second || time.seconds > last_timestamp_second) {
    return "a time outside the years 0001 to 9999 cannot be written for protobuf";
  }
  if (time.nanoseconds < 0 || time.nanoseconds > most_nanoseconds) {
    return "the nanos of a Timestamp go from 0 to 999,999,999";
  }
  return nullptr;
}

const char* misfit_of_duration(const Seconds& time) noexcept {
  if (time.seconds < -max_duration_seconds || time.seconds > max_duration_seconds) {
    return "a duration beyond 10,000 years cannot be written for protobuf";
  }
  if (time.nanoseconds < -most_nanoseconds || time.nanoseconds > most_nanoseconds) {
    return "the nanos of a Duration go from -999,999,999 to 999,999,999";
  }
  if ((time.seconds < 0 && time.nanoseconds > 0) || (time.seconds > 0 && time.nanoseconds < 0)) {
    return "the nanos of a Duration have the sign of its seconds";
  }
  return nullptr;
}

bool read_timestamp(std::string_view text, Seconds& time) noexcept {
  return text.find_first_of("tz") == std::string_view::npos && read_instant(text, time);
}

bool append_camel_path(std::string& out, std::string_view path) {
  if (path.empty()) return false;
  bool is_behind = false;
  for (const char c : path) {
    if (is_capital(c) || (is_behind && !is_small(c))) return false;
    if (c != '_') out += is_behind ? static_cast<char>(c - 'a' + 'A') : c;
    is_behind = c == '_';
  }
  return !is_behind;
}

bool snake_path(std::string_view text, std::string& path) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (c == '_') return false;
    if (is_capital(c)) path += '_';
    path += is_capital(c) ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return true;
}

std::string_view message_name_of(std::string_view type_url) noexcept {
  return type_url.substr(type_url.rfind('/') + 1);
}

const Type* find_well_known(std::string_view full_name) noexcept {
  static constexpr std::array<const Type*, 17> known = {
      &type_of<well_known::Any>(),         &type_of<well_known::BoolValue>(),
      &type_of<well_known::BytesValue>(),  &type_of<well_known::DoubleValue>(),
      &type_of<well_known::Duration>(),    &type_of<well_known::Empty>(),
      &type_of<well_known::FieldMask>(),   &type_of<well_known::FloatValue>(),
      &type_of<well_known::Int32Value>(),  &type_of<well_known::Int64Value>(),
      &type_of<well_known::ListValue>(),   &type_of<well_known::StringValue>(),
      &type_of<well_known::Struct>(),      &type_of<well_known::Timestamp>(),
      &type_of<well_known::UInt32Value>(), &type_of<well_known::UInt64Value>(),
      &type_of<well_known::Value>(),
  };
  constexpr std::string_view package = "google.protobuf.";
  if (!full_name.starts_with(package)) return nullptr;
  full_name.remove_prefix(package.size());
  for (const Type* type : known) {
    if (type->name == full_name) return type;
  }
  return nullptr;
}

}  // namespace impl
}  // namespace codec
}  // namespace parley
