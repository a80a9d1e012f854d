// The rules of a field as data: which values are good, where the value comes from when not from the
// body, what is answered otherwise, what it means. rule_words.h has the words that make them;
// validate.h and bind.h apply them; schemas show them.
//
// Compile-time values only: safe everywhere.
//
//   const codec::Rules* rules = codec::type_of<Order>().members().rules(0);  // null: none
//   if (rules != nullptr && rules->is_non_zero) ...
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "parley/base/status.h"

namespace parley::codec {

// In place of an end of a range or of a length: there is none.
struct Unbounded {};
inline constexpr Unbounded unbounded;

// An end of a range. Exact: an integer is never rounded to a double.
struct Bound {
  enum class What : std::uint8_t {
    none,
    integer,
    natural,  // an integer beyond the largest int64
    real,
  };

  What what = What::none;
  std::int64_t integer = 0;
  std::uint64_t natural = 0;
  double real = 0;

  friend constexpr bool operator==(const Bound&, const Bound&) = default;
};

// What the length of a text is counted in.
enum class Unit : std::uint8_t {
  none,  // there is no rule
  bytes,
  characters,  // of Unicode: "né" has two
};

// Where a value comes from that is not in the body. Where a field names several, the first of this
// order that has one.
enum class Source : std::uint8_t {
  metadata,
  path,
  query,
  session,
};
inline constexpr std::size_t source_count = 4;

// "metadata", "path", "query", "session".
std::string_view name_of(Source source) noexcept;

// What is said about one field. Those left alone say nothing.
struct Rules {
  static constexpr std::size_t any_length = std::numeric_limits<std::size_t>::max();

  struct Binding {
    bool is_there = false;
    std::string_view name{};  // empty: that of the field

    friend constexpr bool operator==(const Binding&, const Binding&) = default;
  };

  bool says_something = false;  // more than is_required, which the field tells itself
  // Of the number; in a list of each.
  Bound min{};
  Bound max{};
  // Of the text or the bytes; in a list of each.
  Unit unit = Unit::none;
  std::size_t min_length = 0;
  std::size_t max_length = any_length;
  // Of the list or the map.
  std::size_t min_elements = 0;
  std::size_t max_elements = any_length;
  bool is_non_zero = false;
  std::string_view pattern{};                    // none when empty
  bool is_required = false;                      // as Field::is_required, but of bound fields too
  bool is_secret = false;                        // the value is in no error
  std::array<Binding, source_count> bindings{};  // by Source
  std::string_view description{};
  // What is answered when the value is bad; the message is ours where it is empty.
  Code code = Code::invalid_argument;
  std::int32_t business_code = 0;
  std::string_view message{};

  [[nodiscard]] constexpr bool has_length() const { return unit != Unit::none; }
  [[nodiscard]] constexpr bool has_elements() const {
    return min_elements != 0 || max_elements != any_length;
  }
  [[nodiscard]] constexpr bool has_range() const {
    return min.what != Bound::What::none || max.what != Bound::What::none;
  }
  // Whether there is something that validate() looks at.
  [[nodiscard]] constexpr bool has_checks() const {
    return has_length() || has_elements() || has_range() || is_non_zero || !pattern.empty();
  }
  [[nodiscard]] constexpr bool is_bound() const {
    for (const Binding& binding : bindings) {
      if (binding.is_there) return true;
    }
    return false;
  }
  [[nodiscard]] constexpr const Binding& binding(Source source) const {
    return bindings[static_cast<std::size_t>(source)];
  }

  friend constexpr bool operator==(const Rules&, const Rules&) = default;
};

}  // namespace parley::codec
