// Where the rules of a type are, found once, so that validate() and bind_from() pass by everything
// else.
#pragma once

#include <cstddef>
#include <vector>

#include "parley/codec/members.h"
#include "parley/codec/rules.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// What there is to find in a type and in whatever it holds.
struct RulesFound {
  bool checks = false;    // for validate()
  bool bindings = false;  // for bind_from()

  RulesFound& operator|=(RulesFound other) {
    checks = checks || other.checks;
    bindings = bindings || other.bindings;
    return *this;
  }
};

// A field with something to look at, in itself or deeper.
struct RuleStep {
  std::size_t index = 0;
  const Rules* rules = nullptr;  // its own
  RulesFound deeper{};
};

struct RulePlan {
  std::vector<RuleStep> steps;
  RulesFound found;
};

// For any type but a struct or tuple this goes down to the next of those.
RulesFound rules_in(const Type& type);

// Whether the field of this index has its value from elsewhere, and so no place in a body.
inline bool is_bound(const Members& members, std::size_t index) {
  const Rules* const rules = members.rules(index);
  return rules != nullptr && rules->is_bound();
}

// Why these rules cannot be of a field of this type; null when they can. Sees what the compiler
// does not: ranges the wrong way round, types behind representations.
const char* misfit_of(const Rules& rules, const Type& type, bool is_flat);

}  // namespace parley::codec::impl
