// Reads JSON as protobuf maps it. Scalars and what holds other values are read in
// protobuf_json_reader.cc, protobuf's own messages in protobuf_json_reader_own.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parley/codec/impl/json_reader.h"
#include "parley/codec/impl/type_urls.h"
#include "parley/codec/well_known.h"

namespace parley::codec::impl {

// Texts, times and names are as in plain JSON; numbers and what holds other values are not.
class ProtobufJsonReader : public JsonReader {
 public:
  ProtobufJsonReader(std::string_view text, const Limits& limits, const JsonOptions& options)
      : JsonReader(text, limits, options), type_urls_(text, limits) {}

  bool read_text(const Type& type, void* object) {
    skip_space();
    return read(type, object) && expect_end();
  }

 private:
  static constexpr std::string_view type_url_key = TypeUrls::key;
  static constexpr std::size_t type_url_field = no_field - 1;

  struct Target {
    ProtobufJsonReader* reader;
    const Type* type;
  };
  // In an Any whose message has a form of its own.
  enum class KeyInAny : std::uint8_t { failed, type_url, value, other };

  bool read(const Type& type, void* object);
  static bool read_target(void* target, void* object) {
    const Target& self = *static_cast<Target*>(target);
    return self.reader->read(*self.type, object);
  }
  static bool read_key_target(void* target, void* key);

  // Each stands alone: read() calls itself.
  [[gnu::noinline]] bool read_number(const Type& type, void* object);
  [[gnu::noinline]] bool read_whole(const Type& type, const JsonNumber& number, void* object);
  [[gnu::noinline]] bool read_float(const Type& type, void* object);
  [[gnu::noinline]] bool take_special(double& value);
  [[gnu::noinline]] bool take_number(std::string_view expected, JsonNumber& number);
  [[gnu::noinline]] bool read_number_or_name(const Type& type, void* object);
  [[gnu::noinline]] bool read_own_text(const Type& type, void* object);
  [[gnu::noinline]] bool read_nullable(const Type& type, void* object);
  [[gnu::noinline]] bool read_elements(const Type& type, void* object);
  [[gnu::noinline]] bool read_exactly(const Type& type, void* object);
  [[gnu::noinline]] bool read_entries(const Type& type, void* object);
  [[gnu::noinline]] bool read_choice(const Type& type, void* object);
  [[gnu::noinline]] bool read_members(const Type& type, void* object, bool is_in_any = false);
  [[gnu::noinline]] bool read_member(const Members& members, std::size_t index, SeenFields& seen,
                                     void* object);
  [[gnu::noinline]] static void forget_unknown(const Members& members, void* object);
  [[gnu::noinline]] bool set_absent(const Members& members, const SeenFields& seen, void* object);
  [[gnu::noinline]] std::size_t scan_member(const Members& members, bool is_in_any);
  [[gnu::noinline]] bool skip_unknown(const Members& members, void* object);
  [[gnu::cold]] bool fail_twice(const Members& members, std::size_t index);
  [[gnu::noinline]] bool read_as(const Type& type, void* object);
  [[gnu::noinline]] bool read_well_known(const Type& type, void* object);
  [[gnu::noinline]] bool read_mask(well_known::FieldMask& mask);
  [[gnu::noinline]] bool read_value(well_known::Value& value);
  [[gnu::noinline]] bool read_any(well_known::Any& any);
  [[gnu::noinline]] bool read_held(const Type& type, std::string& bytes);
  [[gnu::noinline]] static void set_bytes(std::vector<std::byte>& value, std::string_view text);
  [[gnu::noinline]] bool write_held(const Type& type, const void* message, std::string& bytes);
  [[gnu::noinline]] const Type* read_type_url(const char* at, std::string& url);
  [[gnu::noinline]] bool read_empty_any();
  [[gnu::cold]] bool fail_untyped();
  [[gnu::noinline]] bool read_in_any(const Type& type, void* object);
  [[gnu::noinline]] KeyInAny scan_key_in_any();
  [[gnu::noinline]] bool skip_other(const Type& type);
  [[gnu::cold]] bool fail_without_value(const Type& type);
  static std::size_t find_member(const Members& members, std::string_view name);
  bool in_member(const Members& members, std::size_t index) {
    const std::string_view name = members.fields()[index].name;
    return name.empty() ? failure_.in_index(index) : failure_.in_field(name);
  }

  std::string number_;  // in quotes, and with escapes
  TypeUrls type_urls_;
};

}  // namespace parley::codec::impl
