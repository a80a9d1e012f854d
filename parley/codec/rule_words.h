// The words for the rules of a field, said beside its type (fields.h): which values are good, where
// the value comes from when not from the body, and what is answered otherwise.
//
//   template <>
//   inline constexpr auto parley::fields<Order> = parley::codec::field_rules<Order>(
//       parley::codec::field<&Order::quantity>().range(1, 100),
//       parley::codec::field<&Order::sku>().characters(1, 20).matches("^[a-z]+$"),
//       parley::codec::field<&Order::token>().from_metadata("X-Token").non_zero().otherwise(
//           parley::Code::unauthenticated, "log in first"));
//
// A rule that does not fit the type of its field is refused while compiling; one that contradicts
// itself (a range from 5 to 3) ends the program when the type is first used.
// Compile-time values only: safe everywhere.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

#include "parley/base/status.h"
#include "parley/codec/impl/rule_traits.h"
#include "parley/codec/rules.h"

namespace parley::codec {

namespace impl {

template <class T>
constexpr Bound integer_bound(T end) {
  if constexpr (std::is_same_v<T, Unbounded>) {
    return {};
  } else if (std::is_unsigned_v<T> &&
             static_cast<std::uint64_t>(end) >
                 static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return {.what = Bound::What::natural, .natural = static_cast<std::uint64_t>(end)};
  } else {
    return {.what = Bound::What::integer, .integer = static_cast<std::int64_t>(end)};
  }
}

template <class T>
constexpr Bound real_bound(T end) {
  if constexpr (std::is_same_v<T, Unbounded>) {
    return {};
  } else {
    return {.what = Bound::What::real, .real = static_cast<double>(end)};
  }
}

template <class T>
concept IntegerEnd = std::is_same_v<T, Unbounded> || (std::integral<T> && !std::is_same_v<T, bool>);
// An int is a double exactly, a long may not be.
template <class T>
concept RealEnd = std::is_same_v<T, Unbounded> || std::floating_point<T> ||
                  (IntegerEnd<T> && sizeof(T) <= sizeof(std::int32_t));

// The most that a length may be.
struct LengthEnd {
  std::size_t most;

  // NOLINTBEGIN(google-explicit-constructor): a number stands for itself.
  constexpr LengthEnd(std::size_t end) : most(end) {}
  constexpr LengthEnd(Unbounded) : most(Rules::any_length) {}
  // NOLINTEND(google-explicit-constructor)
};

}  // namespace impl

// The words for rules, part of every FieldOf (fields.h). Each function returns the field with that
// changed. They are checked in this order: lengths, range, non_zero, pattern. A std::optional or
// std::unique_ptr that is empty passes all of them: required() says that it must be there.
template <class Self, class Value>
class RuleWords {
 public:
  // A number, or each in a list of them, from `least` to `most`, both included; `unbounded` for an
  // open end. Exact for integers; a NaN is in no range. Of a float the ends are rounded to floats.
  template <class Least, class Most>
  [[nodiscard]] constexpr Self range(Least least, Most most) const {
    using Number = impl::ElementBehind<Value>;
    static_assert(impl::NumberType<Number>,
                  "parley: range() is for numbers and lists of them: a text has bytes() or "
                  "characters(), a list or map elements()");
    constexpr bool is_integer = std::is_integral_v<Number>;
    static_assert(!is_integer || (impl::IntegerEnd<Least> && impl::IntegerEnd<Most>),
                  "parley: the range() of integers goes from an integer to an integer");
    static_assert(is_integer || (impl::RealEnd<Least> && impl::RealEnd<Most>),
                  "parley: the range() of floating point numbers goes from a double to a double");
    return with([&](Rules& rules) {
      if constexpr (is_integer) {
        rules.min = impl::integer_bound(least);
        rules.max = impl::integer_bound(most);
      } else {
        rules.min = impl::real_bound(least);
        rules.max = impl::real_bound(most);
      }
    });
  }

  // The length of a text or bytes, or of each in a list of them, in bytes.
  [[nodiscard]] constexpr Self bytes(std::size_t least, impl::LengthEnd end) const {
    using Text = impl::ElementBehind<Value>;
    static_assert(impl::TextType<Text> || impl::BytesType<Text>,
                  "parley: bytes() is for texts and bytes and lists of them: a list or map has "
                  "elements(), a number range()");
    return with_length(Unit::bytes, least, end.most);
  }
  // Exactly that many.
  [[nodiscard]] constexpr Self bytes(std::size_t exactly) const { return bytes(exactly, exactly); }

  // The length of a text, or of each in a list of them, in characters of Unicode.
  [[nodiscard]] constexpr Self characters(std::size_t least, impl::LengthEnd end) const {
    static_assert(impl::TextType<impl::ElementBehind<Value>>,
                  "parley: characters() is for texts and lists of them: bytes have bytes(), a list "
                  "or map elements(), a number range()");
    return with_length(Unit::characters, least, end.most);
  }
  [[nodiscard]] constexpr Self characters(std::size_t exactly) const {
    return characters(exactly, exactly);
  }

  // How many a list, set or map holds.
  [[nodiscard]] constexpr Self elements(std::size_t least, impl::LengthEnd end) const {
    using Many = impl::ValueBehind<Value>;
    static_assert(impl::ListType<Many> || impl::MapType<Many>,
                  "parley: elements() is for lists, sets and maps: a text has bytes() or "
                  "characters(), an array always as many");
    return with([&](Rules& rules) {
      rules.min_elements = least;
      rules.max_elements = end.most;
    });
  }
  [[nodiscard]] constexpr Self elements(std::size_t exactly) const {
    return elements(exactly, exactly);
  }

  // Not 0, false, the enum's 0, 1970 or no duration; of texts, bytes, lists and maps: not empty.
  [[nodiscard]] constexpr Self non_zero() const {
    using Whole = impl::ValueBehind<Value>;
    static_assert(!impl::MembersType<Whole> && !impl::FixedArray<Whole>,
                  "parley: non_zero() is for numbers, texts, times, enums, lists and maps: a "
                  "struct, variant or array has no zero");
    return with([](Rules& rules) { rules.is_non_zero = true; });
  }

  // Some part of the text, or of each in a list of them, matches this regular expression, in RE2's
  // syntax; `^` and `$` make it the whole. It must live as long as the program (a literal does).
  // Who validates brings what matches (PatternMatcher).
  [[nodiscard]] constexpr Self matches(std::string_view pattern) const {
    static_assert(impl::TextType<impl::ElementBehind<Value>>,
                  "parley: matches() is for texts and lists of them: a number has range()");
    return with([&](Rules& rules) { rules.pattern = pattern; });
  }

  // The value comes from there and never from the body, once bind_from() has been called. Without a
  // name: that of the field. What no source has gets its default, or is an error when required().
  [[nodiscard]] constexpr Self from_metadata(std::string_view name = {}) const {
    return with_source(Source::metadata, name);
  }
  [[nodiscard]] constexpr Self from_path(std::string_view name = {}) const {
    return with_source(Source::path, name);
  }
  [[nodiscard]] constexpr Self from_query(std::string_view name = {}) const {
    return with_source(Source::query, name);
  }
  [[nodiscard]] constexpr Self from_session(std::string_view name = {}) const {
    return with_source(Source::session, name);
  }

  // The errors of validate() and bind_from() do not show the value: a password, a token.
  [[nodiscard]] constexpr Self secret() const {
    return with([](Rules& rules) { rules.is_secret = true; });
  }

  // What it means, for people who read a schema.
  [[nodiscard]] constexpr Self described(std::string_view text) const {
    return with([&](Rules& rules) { rules.description = text; });
  }

  // What is answered when a rule of this field is broken, or it is required and no source has it:
  // this message, with what is wrong behind it as its cause. `business_code` is 1000 or more; the
  // code stays invalid_argument.
  [[nodiscard]] constexpr Self otherwise(std::int32_t business_code,
                                         std::string_view message) const {
    return with([&](Rules& rules) {
      rules.business_code = business_code;
      rules.message = message;
    });
  }
  [[nodiscard]] constexpr Self otherwise(Code code, std::string_view message) const {
    return with([&](Rules& rules) {
      rules.code = code;
      rules.message = message;
    });
  }

  [[nodiscard]] constexpr const Rules& rules() const { return rules_; }

 protected:
  constexpr void require() { rules_.is_required = true; }

 private:
  friend Self;
  constexpr RuleWords() = default;

  template <class Change>
  constexpr Self with(Change change) const {
    Self changed = static_cast<const Self&>(*this);
    Rules& rules = static_cast<RuleWords&>(changed).rules_;
    change(rules);
    rules.says_something = true;
    return changed;
  }
  constexpr Self with_length(Unit unit, std::size_t least, std::size_t most) const {
    return with([&](Rules& rules) {
      rules.unit = unit;
      rules.min_length = least;
      rules.max_length = most;
    });
  }
  constexpr Self with_source(Source source, std::string_view name) const {
    using Whole = impl::ValueBehind<Value>;
    using Single = impl::ElementBehind<Value>;
    static_assert(
        (!impl::MembersType<Single> || std::is_same_v<Single, Json>) && !impl::MapType<Whole>,
        "parley: only single values and lists of them come from metadata, path, query or "
        "session: say it of the members of the struct");
    return with([&](Rules& rules) {
      rules.bindings[static_cast<std::size_t>(source)] = {.is_there = true, .name = name};
    });
  }

  Rules rules_{};
};

}  // namespace parley::codec
