// The typed reader: walks a table of types and the text side by side. Scalars and texts are read in
// json_reader.cc, what holds other values in json_reader_containers.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/json_cursor.h"
#include "parley/codec/impl/seen.h"
#include "parley/codec/json.h"
#include "parley/codec/members.h"

namespace parley::codec::impl {

class JsonReader : public JsonCursor {
 public:
  JsonReader(std::string_view text, const Limits& limits, const JsonOptions& options)
      : JsonCursor(text, limits), options_(options) {}

  // The whole text as one value.
  bool read_text(const Type& type, void* object) {
    skip_space();
    return read(type, object) && expect_end();
  }

 protected:
  static constexpr std::size_t unknown_field = Members::npos;
  static constexpr std::size_t no_field = Members::npos - 1;  // the failure is set

  // A value to be read in a call back.
  struct Target {
    JsonReader* reader;
    const Type* type;
  };

  // The value under the cursor; white space before it has been skipped.
  bool read(const Type& type, void* object);
  // As read(), of the value at `at`: returns what is behind it, null on failure. The cursor stands
  // anywhere afterwards: what is read most hands the position on in a register. Inlined into the
  // loops over members and elements; calls only what stands alone.
  [[gnu::always_inline]] const char* read_value(const Type& type, void* object, const char* at);
  static bool read_target(void* target, void* object);
  static bool read_key_target(void* target, void* key);

  [[gnu::noinline]] bool read_rare(const Type& type, void* object);
  // Each stands alone: inlined into read(), which calls itself, all their locals would lie on the
  // stack once per level.
  [[gnu::noinline]] const char* read_boolean(bool& value, const char* at);
  [[gnu::noinline]] const char* read_integer(const Type& type, void* object, const char* at);
  [[gnu::noinline]] const char* read_float64(double& value, const char* at);
  [[gnu::noinline]] bool read_float32(float& value);
  [[gnu::noinline]] const char* read_string(std::string& value, const char* at);
  [[gnu::noinline]] bool read_any_string(std::string& value);
  [[gnu::noinline]] bool read_bytes(const BytesOperations& bytes, void* object);
  [[gnu::noinline]] bool read_json(std::string& text);
  [[gnu::noinline]] bool read_enumeration(const Type& type, void* object);
  [[gnu::noinline]] bool read_time(const Type& type, void* object);
  // The time that stands in quotes under the cursor.
  [[gnu::noinline]] bool read_time_text(bool is_instant, Seconds& time);
  [[gnu::noinline]] bool read_optional(const Type& type, void* object);
  [[gnu::noinline]] const char* read_list(const Type& type, void* object, const char* at);
  [[gnu::noinline]] bool read_apart(const Type& type, void* object);
  [[gnu::noinline]] bool read_array(const Type& type, void* object);
  [[gnu::noinline]] bool read_tuple(const Type& type, void* object);
  [[gnu::noinline]] bool read_map(const Type& type, void* object);
  [[gnu::noinline]] bool read_variant(const Type& type, void* object);
  [[gnu::noinline]] bool read_represented(const Type& type, void* object);
  [[gnu::noinline]] const char* read_structure(const Type& type, void* object, const char* at);

  // `raw` as it is meant: itself, or resolved in `room`.
  static std::string_view meaning_of(const RawString& raw, std::string& room);
  static bool has_name(const Type& type, std::string_view name);
  bool set_enumeration(const Type& type, std::string_view name, void* object);
  [[gnu::noinline]] bool set_key(const Type& type, const RawString& raw, void* key);
  bool scan_value_number(std::string_view expected, JsonNumber& number);
  bool store_number(const Type& type, const JsonNumber& number, void* object);
  // The position behind the opening bracket, and behind white space; null at the depth limit.
  const char* enter_at(const char* at) {
    at_ = at;
    return enter() ? at_ : nullptr;
  }
  // As next_element(), at `at`.
  const char* next_at(const char* at, char closer, std::size_t count, bool& done) {
    if (at != end_ && count < limits_.max_elements) {
      if (*at == ',') return skip_space_at(at + 1);
      if (*at == closer) {
        --depth_;
        done = true;
        return at + 1;
      }
    }
    at_ = at;
    return next_element_apart(closer, count, done) ? at_ : nullptr;
  }
  const char* skip_space_at(const char* at) {
    if (at != end_ && static_cast<unsigned char>(*at) > ' ') return at;
    at_ = at;
    skip_space();
    return at_;
  }
  // Where the cursor is after something that returned `is_read`.
  const char* after(bool is_read) { return is_read ? at_ : nullptr; }

  [[gnu::noinline]] std::size_t find_any_field(const Members& members);
  [[gnu::noinline]] bool read_unknown_member(const Members& members, void* object);
  [[gnu::cold]] bool fail_arity(std::size_t expected, std::size_t got, bool closed);
  [[gnu::cold]] bool fail_kind();
  [[gnu::cold]] bool fail_invalid(std::string message);
  [[gnu::cold]] bool fail_fraction(const JsonNumber& number);
  [[gnu::cold]] bool fail_range(const JsonNumber& number, const IntegerRange& range);
  [[gnu::cold]] bool fail_float(const JsonNumber& number, std::string_view type);
  [[gnu::cold]] bool fail_duplicate(std::string_view key);

  const JsonOptions& options_;
  bool is_represented_ = false;  // what is read is taken over while the text is there
  std::string taken_;            // what bytes and texts with escapes mean
  RawString key_;                // the last key that was no field's
  const char* key_start_ = nullptr;
  std::vector<std::uint64_t> more_seen_;
};

inline const char* JsonReader::read_value(const Type& type, void* object, const char* at) {
  switch (type.kind) {
    case Kind::boolean:
      return read_boolean(*static_cast<bool*>(object), at);
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
      return read_integer(type, object, at);
    case Kind::float64:
      return read_float64(*static_cast<double*>(object), at);
    case Kind::string:
      return read_string(*static_cast<std::string*>(object), at);
    case Kind::list:
      return read_list(type, object, at);
    case Kind::structure:
      return read_structure(type, object, at);
    default:
      at_ = at;
      return after(read_rare(type, object));
  }
}

}  // namespace parley::codec::impl
