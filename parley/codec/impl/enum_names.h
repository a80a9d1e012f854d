// The names of an enum's values, read off how the compiler spells them. Only describe_values.h
// includes this file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "parley/codec/fields.h"
#include "parley/codec/impl/spelling.h"

namespace parley::codec::impl {

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunknown-warning-option"
#pragma clang diagnostic ignored "-Wenum-constexpr-conversion"
#endif
// Whether `value` may be cast to E at compile time: an enum without a fixed underlying type has
// only the values that the bits of its enumerators can form, and newer compilers refuse others.
template <class E, std::int64_t value>
concept Castable = requires { typename std::integral_constant<E, static_cast<E>(value)>; };

template <class E>
consteval EnumRange range_of_enum() {
  using Underlying = std::underlying_type_t<E>;
  EnumRange range = enum_range<E>;
  if constexpr (!requires { E{0}; }) {
    if constexpr (!Castable<E, -1>) range.least = 0;
    std::int64_t most = 0;
    [&]<int... bits>(std::integer_sequence<int, bits...>) {
      ((Castable<E, (std::int64_t{1} << (bits + 1)) - 1>
            ? void(most = (std::int64_t{1} << (bits + 1)) - 1)
            : void()),
       ...);
    }(std::make_integer_sequence<int, 30>());
    if (range.most > most) range.most = most;
    if (range.least < -most - 1) range.least = -most - 1;
  }
  if constexpr (std::is_unsigned_v<Underlying>) {
    if (range.least < 0) range.least = 0;
  }
  if constexpr (sizeof(Underlying) < sizeof(std::int64_t)) {
    constexpr auto bits = 8 * sizeof(Underlying) - (std::is_signed_v<Underlying> ? 1 : 0);
    const std::int64_t most = (std::int64_t{1} << bits) - 1;
    if (range.most > most) range.most = most;
    if (range.least < -most - 1) range.least = -most - 1;
  }
  return range;
}

template <class E, std::int64_t least, std::size_t... i>
consteval const char* spellings_of_enum(std::index_sequence<i...>) {
  return spellings<static_cast<E>(least + static_cast<std::int64_t>(i))...>();
}

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

// Steps through the values of spellings(), one after the other.
class SpellingWalk {
 public:
  consteval explicit SpellingWalk(std::string_view text)
      : text_(text.substr(text.find("values = ") + 10)) {}

  // The next value that has a name; false at the end. "(Colour)7" has none.
  consteval bool next() {
    while (start_ < text_.size()) {
      const std::size_t end = end_of_value();
      name = last_identifier(text_.substr(start_, end - start_));
      index = count_++;
      start_ = text_[end] == ',' ? end + 1 : text_.size();
      if (!name.empty() && (name[0] < '0' || name[0] > '9')) return true;
    }
    return false;
  }

  std::string_view name;
  std::size_t index = 0;

 private:
  [[nodiscard]] consteval std::size_t end_of_value() const {
    int depth = 0;
    for (std::size_t at = start_;; ++at) {
      const char c = text_[at];
      const bool closes = c == '>' || c == ')' || c == '}';
      if (depth == 0 && (c == ',' || closes)) return at;
      if (c == '<' || c == '(' || c == '{') ++depth;
      if (closes) --depth;
    }
  }

  std::string_view text_;
  std::size_t start_ = 0;
  std::size_t count_ = 0;
};

struct EnumNamesSize {
  std::size_t values = 0;
  std::size_t characters = 0;
};

consteval EnumNamesSize measure_names(std::string_view text) {
  EnumNamesSize sum;
  for (SpellingWalk walk(text); walk.next();) {
    ++sum.values;
    sum.characters += walk.name.size();
  }
  return sum;
}

template <std::size_t values, std::size_t characters>
struct EnumNames {
  std::array<std::int64_t, values> value{};
  std::array<std::size_t, values> size{};
  std::array<char, characters> text{};
};

// Kept apart from the spellings, which are long and would stay in the program.
template <class E>
consteval auto reflected_enum_names() {
  constexpr EnumRange range = range_of_enum<E>();
  static_assert(range.most - range.least < 1024, "parley: an enum_range has at most 1024 values");
  constexpr auto sequence =
      std::make_index_sequence<static_cast<std::size_t>(range.most - range.least + 1)>();
  constexpr std::string_view text = spellings_of_enum<E, range.least>(sequence);
  constexpr EnumNamesSize size = measure_names(text);
  EnumNames<size.values, size.characters> names;
  std::size_t count = 0;
  std::size_t end = 0;
  for (SpellingWalk walk(text); walk.next();) {
    names.value[count] = range.least + static_cast<std::int64_t>(walk.index);
    names.size[count++] = walk.name.size();
    for (const char c : walk.name) names.text[end++] = c;
  }
  return names;
}

template <class E>
inline constexpr auto kept_enum_names = reflected_enum_names<E>();

template <class E>
consteval auto list_enum_values() {
  if constexpr (std::is_same_v<std::remove_const_t<decltype(enum_names<E>)>, NoFields>) {
    constexpr auto& names = kept_enum_names<E>;
    std::array<EnumValue, names.value.size()> values{};
    const char* at = names.text.data();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = {.value = names.value[i], .name = {at, names.size[i]}};
      at += names.size[i];
    }
    return values;
  } else {
    return enum_names<E>;
  }
}

template <class E>
inline constexpr auto values_of_enum = list_enum_values<E>();

}  // namespace parley::codec::impl
