// Holds a value against the rules said beside its type (rule_words.h), in itself and in everything
// inside it: structs, optionals, lists, sets, maps, variants, pointers. It stops at the first that
// is broken; of one field in the order length, range, non_zero, pattern, then what is inside.
//
//   Status status = codec::validate(order);
//   // invalid_argument: $.items[3].quantity: 0 is smaller than 1
//
// The status names the field, the value (shortened, control characters escaped) and the rule. Where
// the rule has its own words (otherwise()) those are the message, and the above is the cause.
//
// A type without rules, and what is inside it, is passed by without a look. Regular expressions
// need somebody who knows them: parley/codec/regex/regex.h has RE2. Without one a type with
// patterns is an error, never passed.
//
// Pure functions: safe on every thread and fiber; at the default depth they need less than 32 KiB
// of stack, and what matches patterns its own.
#pragma once

#include <cstddef>
#include <string_view>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/limits.h"
#include "parley/codec/type.h"

namespace parley::codec {

// Knows regular expressions. Safe on every thread and fiber, all at once.
class PatternMatcher {
 public:
  PatternMatcher() = default;
  PatternMatcher(const PatternMatcher&) = delete;
  PatternMatcher& operator=(const PatternMatcher&) = delete;
  virtual ~PatternMatcher() = default;

  // Whether any part of `text` matches. `pattern` lives as long as the program. A pattern that is
  // none is failed_precondition: a bug in the program.
  [[nodiscard]] virtual Result<bool> matches(std::string_view pattern,
                                             std::string_view text) const = 0;
};

struct ValidateOptions {
  const PatternMatcher* patterns = nullptr;
  std::size_t max_depth = Limits{}.max_depth;  // structs, lists and maps inside each other
};

// For callers that have a table instead of a type. `object` must be of that type.
Status validate_as(const Type& type, const void* object, const ValidateOptions& options = {});
// Whether validate_as() has anything to look at in values of this type. Quick.
bool has_rules(const Type& type);
// Whether the rules of this type and of what is inside it can be applied: failed_precondition when
// there are patterns and nobody to match them, or one is no regular expression. To be asked once,
// when a program begins, instead of at the first value.
Status check_rules_as(const Type& type, const ValidateOptions& options = {});

// Ok when no rule is broken. invalid_argument, or what otherwise() says; resource_exhausted beyond
// max_depth; failed_precondition when a pattern cannot be matched.
template <class T>
Status validate(const T& value, const ValidateOptions& options = {}) {
  return validate_as(type_of<T>(), &value, options);
}

template <class T>
Status check_rules(const ValidateOptions& options = {}) {
  return check_rules_as(type_of<T>(), options);
}

}  // namespace parley::codec
