#include "parley/codec/impl/rule_plan.h"

#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include "parley/codec/impl/scalar_text.h"

namespace parley::codec::impl {
namespace {

using Visited = std::set<const Members*>;

RulesFound find_in_members(const Members& members, Visited& visited);

// Every circle of types goes through a struct. Without `visited` the plan of a struct is asked.
RulesFound find_in(const Type& type, Visited* visited) {
  switch (type.kind) {
    case Kind::optional:
    case Kind::list:
    case Kind::array:
    case Kind::map:  // the keys are scalars
    case Kind::represented:
      return find_in(*type.element, visited);
    case Kind::variant: {
      RulesFound found;
      for (const Alternative& alternative : type.variant->alternatives) {
        if (alternative.type != nullptr) found |= find_in(*alternative.type, visited);
      }
      return found;
    }
    case Kind::tuple:
    case Kind::structure:
      if (visited == nullptr) return type.members().rule_plan().found;
      return find_in_members(type.members(), *visited);
    default:
      return {};
  }
}

RulesFound find_in_members(const Members& members, Visited& visited) {
  if (!visited.insert(&members).second) return {};
  RulesFound found;
  for (std::size_t i = 0; i < members.fields().size(); ++i) {
    if (const Rules* const rules = members.rules(i)) {
      found |= {.checks = rules->has_checks(), .bindings = rules->is_bound()};
    }
    found |= find_in(*members.fields()[i].type, &visited);
  }
  return found;
}

bool is_above(const Bound& min, const Bound& max) {
  if (min.what == Bound::What::none || max.what == Bound::What::none) return false;
  if (min.what == Bound::What::real) return min.real > max.real;
  if (min.what == Bound::What::natural) {
    return max.what == Bound::What::integer || min.natural > max.natural;
  }
  return max.what == Bound::What::integer && min.integer > max.integer;
}

bool is_nan(const Bound& bound) {
  return bound.what == Bound::What::real && std::isnan(bound.real);
}

// The type behind optionals and representations, and behind lists.
const Type& element_of(const Type& type) {
  const Type* element = &shape_of(type);
  while (element->kind == Kind::list || element->kind == Kind::array) {
    element = &shape_of(*element->element);
  }
  return *element;
}

bool is_integer(Kind kind) { return kind >= Kind::int8 && kind <= Kind::uint64; }
bool is_real(Kind kind) { return kind == Kind::float32 || kind == Kind::float64; }
bool is_text(const Type& type) {
  return type.kind == Kind::string || (type.kind == Kind::bytes && type.bytes->is_text);
}

bool is_bindable(const Type& shape) {
  const bool is_list = shape.kind == Kind::list || shape.kind == Kind::array;
  return is_scalar((is_list ? shape_of(*shape.element) : shape).kind);
}

const char* misfit_of_range(const Rules& rules, Kind kind) {
  if (!rules.has_range()) return nullptr;
  const bool has_reals = rules.min.what == Bound::What::real || rules.max.what == Bound::What::real;
  if (has_reals ? !is_real(kind) : !is_integer(kind)) return "its type does not fit the range()";
  if (is_above(rules.min, rules.max)) return "nothing is in its range(): it ends before it begins";
  if (is_nan(rules.min) || is_nan(rules.max)) return "a range() ends at a number, not at NaN";
  return nullptr;
}

const char* misfit_of_length(const Rules& rules, const Type& type) {
  if (rules.min_length > rules.max_length) {
    return "nothing is as long as it must be: the least length is above the most";
  }
  if (rules.has_length() && !is_text(type) &&
      (type.kind != Kind::bytes || rules.unit != Unit::bytes)) {
    return "its type does not fit bytes() or characters()";
  }
  return nullptr;
}

const char* misfit_of_elements(const Rules& rules, Kind kind) {
  if (rules.min_elements > rules.max_elements) {
    return "nothing has as many elements() as it must: the least is above the most";
  }
  if (rules.has_elements() && kind != Kind::list && kind != Kind::map) {
    return "only a list, set or map has elements()";
  }
  return nullptr;
}

}  // namespace

RulesFound rules_in(const Type& type) { return find_in(type, nullptr); }

const char* misfit_of(const Rules& rules, const Type& type, bool is_flat) {
  const Type& element = element_of(type);
  const Kind whole = shape_of(type).kind;
  if (is_flat && (rules.has_checks() || rules.is_bound())) {
    return "rules are for the members of what is flattened, not for it";
  }
  if (const char* const misfit = misfit_of_range(rules, element.kind)) return misfit;
  if (const char* const misfit = misfit_of_length(rules, element)) return misfit;
  if (const char* const misfit = misfit_of_elements(rules, whole)) return misfit;
  if (!rules.pattern.empty() && !is_text(element)) return "only a text matches() a pattern";
  if (rules.is_non_zero && (whole == Kind::json || whole == Kind::array || whole == Kind::tuple ||
                            whole == Kind::structure || whole == Kind::variant)) {
    return "its type has no zero for non_zero()";
  }
  if (rules.is_bound() && !is_bindable(shape_of(type))) {
    return "only single values and lists of them come from metadata, path, query or session";
  }
  if (rules.code == Code::ok) return "otherwise() needs an error, not ok";
  if (rules.business_code != 0 && rules.business_code < 1000) {
    return "the codes of otherwise() begin at 1000: those below are Parley's own";
  }
  return nullptr;
}

}  // namespace parley::codec::impl

namespace parley::codec {

const impl::RulePlan& Members::rule_plan() const {
  if (const impl::RulePlan* const plan = plan_.load(std::memory_order_acquire)) return *plan;
  auto made = std::make_unique<impl::RulePlan>();
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    impl::RuleStep step{.index = i};
    impl::RulesFound own;
    if (const Rules* const said = rules(i)) {
      own = {.checks = said->has_checks(), .bindings = said->is_bound()};
    }
    if (own.checks || own.bindings) step.rules = rules(i);
    // Only what is met from here on decides: a struct seen in one field may be all that is in
    // another.
    impl::Visited visited;
    step.deeper = impl::find_in(*fields_[i].type, &visited);
    if (step.rules == nullptr && !step.deeper.checks && !step.deeper.bindings) continue;
    made->found |= own;
    made->found |= step.deeper;
    made->steps.push_back(step);
  }
  const impl::RulePlan* known = nullptr;
  // Who comes second takes what the first made: both are the same.
  if (plan_.compare_exchange_strong(known, made.get(), std::memory_order_acq_rel)) {
    return *made.release();
  }
  return *known;
}

}  // namespace parley::codec
