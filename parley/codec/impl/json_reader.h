// The typed reader: walks a table of types and the text side by side. Scalars and texts are read in
// json_reader.cc, what holds other values in json_reader_containers.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parley/codec/impl/json_cursor.h"
#include "parley/codec/impl/seen.h"
#include "parley/codec/json.h"
#include "parley/codec/members.h"

namespace parley::codec::impl {

struct IntegerRange {
  std::string_view name;
  std::uint64_t max;  // of what is not negative
  std::uint64_t min;  // of what is negative, without its sign
};

class JsonReader : public JsonCursor {
 public:
  JsonReader(std::string_view text, const Limits& limits, const JsonOptions& options)
      : JsonCursor(text, limits), options_(options) {}

  // The whole text as one value.
  bool read_text(const Type& type, void* object) {
    skip_space();
    return read(type, object) && expect_end();
  }

 private:
  static constexpr std::size_t unknown_field = Members::npos;
  static constexpr std::size_t no_field = Members::npos - 1;  // the failure is set

  // A value to be read in a call back.
  struct Target {
    JsonReader* reader;
    const Type* type;
  };

  // The value under the cursor; white space before it has been skipped.
  bool read(const Type& type, void* object);
  static bool read_target(void* target, void* object);
  static bool read_key_target(void* target, void* key);

  // Each stands alone: inlined into read(), which calls itself, all their locals would lie on the
  // stack once per level.
  [[gnu::noinline]] bool read_boolean(bool& value);
  [[gnu::noinline]] bool read_integer(const Type& type, void* object);
  [[gnu::noinline]] bool read_float64(double& value);
  [[gnu::noinline]] bool read_float32(float& value);
  [[gnu::noinline]] bool read_string(std::string& value);
  [[gnu::noinline]] bool read_bytes(const BytesOperations& bytes, void* object);
  [[gnu::noinline]] bool read_json(std::string& text);
  [[gnu::noinline]] bool read_enumeration(const Type& type, void* object);
  [[gnu::noinline]] bool read_time(const Type& type, void* object);
  [[gnu::noinline]] bool read_optional(const Type& type, void* object);
  [[gnu::noinline]] bool read_list(const Type& type, void* object);
  [[gnu::noinline]] bool read_apart(const Type& type, void* object);
  [[gnu::noinline]] bool read_array(const Type& type, void* object);
  [[gnu::noinline]] bool read_tuple(const Type& type, void* object);
  [[gnu::noinline]] bool read_map(const Type& type, void* object);
  [[gnu::noinline]] bool read_variant(const Type& type, void* object);
  [[gnu::noinline]] bool read_represented(const Type& type, void* object);
  [[gnu::noinline]] bool read_structure(const Type& type, void* object);

  // `raw` as it is meant: itself, or resolved in `room`.
  static std::string_view meaning_of(const RawString& raw, std::string& room);
  bool set_enumeration(const Type& type, std::string_view name, void* object);
  [[gnu::noinline]] bool set_key(const Type& type, const RawString& raw, void* key);
  bool scan_value_number(std::string_view expected, JsonNumber& number);
  bool store_number(const Type& type, const JsonNumber& number, void* object);
  std::size_t find_field(const Members& members, std::size_t expected);
  [[gnu::noinline]] std::size_t find_any_field(const Members& members);
  bool read_field(const Members& members, std::size_t index, SeenFields& seen, void* object);
  [[gnu::noinline]] void* emplace_alternative(const Members& members, std::size_t index,
                                              const SeenFields& seen, void* object);
  [[gnu::noinline]] bool read_unknown_member(const Members& members, void* object);
  [[gnu::noinline]] bool reset_absent(const Members& members, const SeenFields& seen, void* object);
  [[gnu::cold]] bool fail_arity(std::size_t expected, std::size_t got, bool closed);
  [[gnu::cold]] bool fail_invalid(std::string message);
  [[gnu::cold]] bool fail_fraction(const JsonNumber& number);
  [[gnu::cold]] bool fail_range(const JsonNumber& number, const IntegerRange& range);
  [[gnu::cold]] bool fail_float(const JsonNumber& number, std::string_view type);
  [[gnu::cold]] bool fail_duplicate(std::string_view key);
  [[gnu::cold]] bool fail_enumeration(const Type& type, std::string_view name);
  [[gnu::cold]] bool fail_alternative(const VariantOperations& variant, std::string_view name);

  const JsonOptions& options_;
  RawString key_;  // the last key that was no field's
  const char* key_start_ = nullptr;
  std::vector<std::uint64_t> more_seen_;
};

}  // namespace parley::codec::impl
