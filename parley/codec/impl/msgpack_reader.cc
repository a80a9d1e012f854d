// The typed reader: scalars and texts.
#include "parley/codec/impl/msgpack_reader.h"

#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/json.h"

namespace parley::codec {
namespace impl {
namespace {

constexpr std::uint64_t nanoseconds_per_second = 1'000'000'000;

std::string text_of(const MsgpackHead& head) {
  return head.is_negative ? std::to_string(static_cast<std::int64_t>(head.bits))
                          : std::to_string(head.bits);
}

// Whether a T holds the integer, and which one that is. A mantissa has `digits` bits; zeros behind
// them cost none.
template <class T>
bool is_exact(const MsgpackHead& head, T& value) {
  const std::uint64_t size = head.is_negative ? 0 - head.bits : head.bits;
  const int used = size == 0 ? 0 : 64 - std::countl_zero(size) - std::countr_zero(size);
  if (used > std::numeric_limits<T>::digits) return false;
  const auto number = static_cast<T>(size);
  value = head.is_negative ? -number : number;
  return true;
}

}  // namespace

bool MsgpackReader::read(const Type& type, void* object) {
  switch (type.kind) {
    case Kind::boolean:
      return read_boolean(*static_cast<bool*>(object));
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
      return read_integer(type, object);
    case Kind::float32:
      return read_float32(*static_cast<float*>(object));
    case Kind::float64:
      return read_float64(*static_cast<double*>(object));
    case Kind::string:
      return read_string(*static_cast<std::string*>(object));
    case Kind::bytes:
      return read_bytes(*type.bytes, object);
    case Kind::json:
      return read_json(static_cast<Json*>(object)->text);
    case Kind::enumeration:
      return read_enumeration(type, object);
    case Kind::duration:
      return read_duration(type, object);
    case Kind::instant:
      return read_instant(type, object);
    case Kind::optional:
      if (peek() != msgpack::nil) return read(*type.element, type.optional->ensure(object));
      ++at_;
      type.optional->reset(object);
      return true;
    case Kind::list:
      return read_list(type, object);
    case Kind::array:
      return read_array(type, object);
    case Kind::tuple:
      return read_tuple(type, object);
    case Kind::map:
      return read_map(type, object);
    case Kind::variant:
      return read_variant(type, object);
    case Kind::structure:
      return read_structure(type, object);
    case Kind::represented:
      return read_represented(type, object);
  }
  return failure_.set(Code::internal, "a type table with an unknown kind");
}

bool MsgpackReader::read_target(void* target, void* object) {
  const Target& self = *static_cast<Target*>(target);
  return self.reader->read(*self.type, object);
}

bool MsgpackReader::fail_invalid(std::string message) {
  return failure_.set(Code::invalid_argument, std::move(message));
}

bool MsgpackReader::read_boolean(bool& value) {
  MsgpackHead head;
  if (!take_head(head)) return false;
  if (head.form != MsgpackForm::boolean) return fail_type("boolean", head);
  value = head.bits != 0;
  return true;
}

bool MsgpackReader::read_integer(const Type& type, void* object) {
  const std::uint8_t first = peek();
  if (first < msgpack::fixmap) {
    ++at_;
    store_integer(object, type.size, first);
    return true;
  }
  MsgpackHead head;
  return take_head(head) && store(type, head, object);
}

bool MsgpackReader::store(const Type& type, const MsgpackHead& head, void* object) {
  if (head.form != MsgpackForm::integer) return fail_type("integer", head);
  const IntegerRange range = range_of(type.kind);
  if ((head.is_negative ? 0 - head.bits : head.bits) > (head.is_negative ? range.min : range.max)) {
    return fail_range(text_of(head), range, failure_);
  }
  store_integer(object, type.size, head.bits);
  return true;
}

bool MsgpackReader::read_float64(double& value) {
  MsgpackHead head;
  if (!take_head(head)) return false;
  if (head.form == MsgpackForm::float64) {
    value = std::bit_cast<double>(head.bits);
    return true;
  }
  if (head.form == MsgpackForm::float32) {
    value = std::bit_cast<float>(static_cast<std::uint32_t>(head.bits));
    return true;
  }
  if (head.form != MsgpackForm::integer) return fail_type("number", head);
  return is_exact(head, value) || fail_inexact(head, "double");
}

bool MsgpackReader::read_float32(float& value) {
  MsgpackHead head;
  if (!take_head(head)) return false;
  if (head.form == MsgpackForm::float32) {
    value = std::bit_cast<float>(static_cast<std::uint32_t>(head.bits));
    return true;
  }
  if (head.form == MsgpackForm::float64) {
    const auto wide = std::bit_cast<double>(head.bits);
    value = static_cast<float>(wide);
    return std::isfinite(value) || !std::isfinite(wide) ||
           fail_invalid("the number does not fit float");
  }
  if (head.form != MsgpackForm::integer) return fail_type("number", head);
  return is_exact(head, value) || fail_inexact(head, "float");
}

bool MsgpackReader::fail_inexact(const MsgpackHead& head, std::string_view type) {
  return fail_invalid("the integer " + text_of(head) + " cannot be held exactly by " +
                      std::string(type));
}

bool MsgpackReader::read_string(std::string& value) {
  MsgpackHead head;
  std::string_view text;
  if (!take_head(head)) return false;
  if (head.form != MsgpackForm::text) return fail_type("string", head);
  if (!take_text(head, text)) return false;
  value.assign(text);
  return true;
}

bool MsgpackReader::read_bytes(const BytesOperations& bytes, void* object) {
  if (bytes.is_view && options_.refuse_views && !is_represented_) {
    return fail_invalid("a view would show bytes that are gone: use std::string or a vector");
  }
  MsgpackHead head;
  std::string_view body;
  if (!take_head(head)) return false;
  if (bytes.is_text) {
    if (head.form != MsgpackForm::text) return fail_type("string", head);
    if (!take_text(head, body)) return false;
  } else {
    if (head.form != MsgpackForm::bytes && head.form != MsgpackForm::text) {
      return fail_type("bytes", head);
    }
    body = take_body(head);
  }
  bytes.set(object, body);
  return true;
}

bool MsgpackReader::read_json(std::string& text) {
  if (!read_string(text)) return false;
  Limits limits = limits_;
  limits.max_depth -= depth_;
  const Status status = validate_json(text, limits);
  if (!status.is_ok()) return failure_.set(status.code(), "no JSON: " + status.message());
  constexpr std::string_view space = " \t\r\n";
  text.erase(text.find_last_not_of(space) + 1);
  text.erase(0, text.find_first_not_of(space));
  return true;
}

bool MsgpackReader::read_enumeration(const Type& type, void* object) {
  MsgpackHead head;
  std::string_view name;
  if (!take_head(head)) return false;
  if (head.form == MsgpackForm::integer) return store(*type.element, head, object);
  if (head.form != MsgpackForm::text) {
    return fail_type("the name of a " + std::string(type.name), head);
  }
  if (!take_text(head, name)) return false;
  for (const EnumValue& value : type.enumeration->values) {
    if (value.name != name) continue;
    store_integer(object, type.size, static_cast<std::uint64_t>(value.value));
    return true;
  }
  return fail_enumeration(type, name, failure_);
}

bool MsgpackReader::fail_time(const Type& type) {
  return fail_invalid(type.kind == Kind::instant
                          ? "this timestamp does not fit the unit and size of its field"
                          : "this duration does not fit the unit and size of its field");
}

// An extension of 4 bytes: seconds; of 8: 30 bits of nanoseconds and 34 of seconds; of 12:
// nanoseconds in 4 and signed seconds in 8.
bool MsgpackReader::read_instant(const Type& type, void* object) {
  MsgpackHead head;
  if (!take_head(head)) return false;
  if (head.form != MsgpackForm::extension || head.extension != msgpack::timestamp) {
    return fail_type("a timestamp (extension -1)", head);
  }
  const std::string_view body = take_body(head);
  std::uint64_t seconds = 0;
  std::uint64_t nanoseconds = 0;
  if (body.size() == 4) {
    seconds = load_network(body.data(), 4);
  } else if (body.size() == 8) {
    const std::uint64_t both = load_network(body.data(), 8);
    nanoseconds = both >> 34;
    seconds = both & ((std::uint64_t{1} << 34) - 1);
  } else if (body.size() == 12) {
    nanoseconds = load_network(body.data(), 4);
    seconds = load_network(body.data() + 4, 8);
  } else {
    return fail_at(head.start,
                   "a timestamp has 4, 8 or 12 bytes, not " + std::to_string(body.size()));
  }
  if (nanoseconds >= nanoseconds_per_second) {
    return fail_at(head.start, "a timestamp has less than 1000000000 nanoseconds, not " +
                                   std::to_string(nanoseconds));
  }
  const Seconds time{.seconds = static_cast<std::int64_t>(seconds),
                     .nanoseconds = static_cast<std::int32_t>(nanoseconds)};
  return type.time->set(object, time) || fail_time(type);
}

bool MsgpackReader::take_seconds(Seconds& time) {
  if (!enter_exactly(2)) return false;
  if (!read_integer(type_of<std::int64_t>(), &time.seconds)) return failure_.in_index(0);
  if (!read_integer(type_of<std::int32_t>(), &time.nanoseconds)) return failure_.in_index(1);
  --depth_;
  return true;
}

bool MsgpackReader::read_duration(const Type& type, void* object) {
  Seconds time;
  if (!take_seconds(time)) return false;
  constexpr auto most = static_cast<std::int32_t>(nanoseconds_per_second - 1);
  const bool differ =
      (time.seconds < 0 && time.nanoseconds > 0) || (time.seconds > 0 && time.nanoseconds < 0);
  if (differ || time.nanoseconds < -most || time.nanoseconds > most) {
    return fail_invalid(
        "expected [seconds, nanoseconds] of one sign, less than 1000000000 nanoseconds");
  }
  return type.time->set(object, time) || fail_time(type);
}

}  // namespace impl

Status decode_msgpack_as(std::string_view bytes, const Type& type, void* object,
                         const Limits& limits, const MsgpackOptions& options) {
  impl::MsgpackReader reader(bytes, limits, options);
  if (reader.check_size() && reader.read_message(type, object)) return {};
  return reader.failure().status();
}

}  // namespace parley::codec
