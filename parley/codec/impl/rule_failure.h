// How a broken rule is worded, and how a value is compared with the ends of a range.
#pragma once

#include <cfloat>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "parley/base/status.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/rules.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// A Failure that knows when it is a rule which was broken, and what that rule wants answered.
class RuleFailure : public Failure {
 public:
  [[gnu::cold]] bool set_broken(const Rules& rules, std::string message);
  // What failed already is a broken rule, and `more` belongs to its message.
  [[gnu::cold]] bool blame(const Rules& rules, std::string_view more);

  [[nodiscard]] Status status() const;

 private:
  const Rules* broken_ = nullptr;
};

// Adds the entry of this key to the path, and returns false.
[[gnu::noinline]] bool in_entry(Failure& failure, const Type& key_type, const void* key);

// `value` in quotes, shortened, what a terminal could obey escaped; not the value where it is no
// UTF-8.
std::string quoted(std::string_view value);
std::string shown_pattern(std::string_view pattern);
std::string shown_real(double value);
std::string shown_real(float value);
std::string to_text(const Bound& bound);
// `"ab" has 2 characters, fewer than 3`.
std::string wrong_length(std::string_view what, std::size_t length, std::string_view unit,
                         std::size_t least, std::size_t most);
std::string nobody_matches(std::string_view pattern);

// Of what is UTF-8; of anything else the bytes that begin a character.
std::size_t count_characters(std::string_view text);

template <class Integer>
bool is_below(Integer value, const Bound& bound) {
  if (bound.what == Bound::What::integer) return std::cmp_less(value, bound.integer);
  return bound.what == Bound::What::natural && std::cmp_less(value, bound.natural);
}
template <class Integer>
bool is_beyond(Integer value, const Bound& bound) {
  if (bound.what == Bound::What::integer) return std::cmp_greater(value, bound.integer);
  return bound.what == Bound::What::natural && std::cmp_greater(value, bound.natural);
}

// What is beyond every finite Real stays beyond them.
template <class Real>
Real nearest_real(double bound) {
  if constexpr (std::is_same_v<Real, float>) {
    if (bound > static_cast<double>(FLT_MAX)) return std::numeric_limits<float>::infinity();
    if (bound < -static_cast<double>(FLT_MAX)) return -std::numeric_limits<float>::infinity();
  }
  return static_cast<Real>(bound);
}

}  // namespace parley::codec::impl
