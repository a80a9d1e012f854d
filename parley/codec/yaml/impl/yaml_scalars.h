// What a text means in YAML 1.2's core schema, once the type of the field has said what it is to
// be; and durations as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parley/codec/type_table.h"

namespace parley::codec::impl {

struct YamlNumber {
  enum class Form : std::uint8_t {
    no_number,
    integer,       // decimal, 0x or 0o
    leading_zero,  // 0644: decimal for YAML 1.2, octal for 1.1
    real,          // with point or exponent
    special,       // .inf, .nan
    huge,          // 0x or 0o with more than 64 bits
  };

  Form form = Form::no_number;
  std::string json{};  // the same number as JSON writes it; of an integer, a leading zero, a real
  double special = 0;
};

YamlNumber scan_yaml_number(std::string_view text);

// "true" and its two other spellings, "false" and its two.
bool read_yaml_boolean(std::string_view text, bool& value);
// What to write instead of YAML 1.1's booleans: "true" for yes, "false" for off; empty for others.
std::string_view meant_boolean(std::string_view text);
// Nothing, ~ or null.
bool is_yaml_null(std::string_view text);

// 250ms, 1m30s, -1.5h, 2d: units d h m s ms us ns from large to small, each at most once, a
// fraction at the last only. False for another form, and for what is finer than a nanosecond or
// beyond 64 bits of seconds.
bool read_yaml_duration(std::string_view text, Seconds& time);

}  // namespace parley::codec::impl
