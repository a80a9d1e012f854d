#include "parley/codec/validate.h"

#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/rule_failure.h"
#include "parley/codec/impl/rule_plan.h"
#include "parley/codec/members.h"

namespace parley::codec {
namespace impl {
namespace {

const void* at(const void* object, std::size_t offset) {
  return static_cast<const char*>(object) + offset;
}

constexpr std::string_view hidden = "the value";

std::string shown_text(const Rules& rules, bool is_text, std::string_view text) {
  return rules.is_secret || !is_text ? std::string(hidden) : quoted(text);
}

std::string shown_integer(const Rules& rules, const Type& type, std::int64_t value) {
  if (rules.is_secret) return std::string(hidden);
  return type.kind == Kind::uint64 ? std::to_string(static_cast<std::uint64_t>(value))
                                   : std::to_string(value);
}

class Validator {
 public:
  explicit Validator(const ValidateOptions& options) : options_(options) {}

  // The rules of what is inside `object`. Each stands alone: a level of nesting needs little stack.
  [[gnu::noinline]] bool check(const Type& type, const void* object);
  [[nodiscard]] Status status() const { return failure_.status(); }

 private:
  // Whose rules, while something is shown to a function without a place for more.
  struct Target {
    Validator* validator;
    const Type* type;
    const Rules* rules = nullptr;
    bool is_whole = true;
  };

  [[gnu::noinline]] bool check_members(const Members& members, const void* object);
  [[gnu::noinline]] bool check_field(const RuleStep& step, const Field& field, const void* object);
  [[gnu::noinline]] bool check_elements(const Type& type, const void* object);
  [[gnu::noinline]] bool check_map(const Type& type, const void* object);
  [[gnu::noinline]] bool check_variant(const VariantOperations& variant, const void* object);
  [[gnu::noinline]] bool check_represented(const Type& type, const void* object);
  // Calls check(element) for each, with the index in the path where it fails.
  template <class Check>
  bool each(const Type& type, const void* object, Check check);

  // The rules of a field against its value; `is_whole` is false for the elements of its list.
  [[gnu::noinline]] bool apply(const Rules& rules, const Type& type, const void* object,
                               bool is_whole);
  [[gnu::noinline]] bool apply_to_each(const Rules& rules, const Type& type, const void* object);
  [[gnu::noinline]] bool apply_to_represented(const Rules& rules, const Type& type,
                                              const void* object, bool is_whole);
  [[gnu::noinline]] bool apply_to_bytes(const Rules& rules, const Type& type, const void* object,
                                        bool is_whole);
  [[gnu::noinline]] bool apply_to_text(const Rules& rules, std::string_view text, bool is_text,
                                       bool is_whole);
  [[gnu::noinline]] bool apply_to_integer(const Rules& rules, const Type& type, const void* object,
                                          bool is_whole);
  template <class Real>
  [[gnu::noinline]] bool apply_to_real(const Rules& rules, Real value, bool is_whole);
  [[gnu::noinline]] bool apply_to_count(const Rules& rules, std::string_view what,
                                        std::size_t count, bool is_whole);
  [[gnu::noinline]] bool apply_to_time(const Rules& rules, const Type& type, const void* object);
  [[gnu::noinline]] bool match(const Rules& rules, std::string_view text);

  [[gnu::noinline]] bool enter();
  [[gnu::cold]] bool fail(const Rules& rules, std::string message) {
    return failure_.set_broken(rules, std::move(message));
  }
  [[gnu::cold, gnu::noinline]] bool fail_kind() {
    return failure_.set(Code::internal, "a type table with an unknown kind");
  }

  const ValidateOptions& options_;
  std::size_t depth_ = 0;
  RuleFailure failure_;
};

bool Validator::enter() {
  if (depth_ < options_.max_depth) {
    ++depth_;
    return true;
  }
  return failure_.set_depth(options_.max_depth);
}

bool Validator::check(const Type& type, const void* object) {
  switch (type.kind) {
    case Kind::optional: {
      const void* const value = type.optional->get(object);
      return value == nullptr || check(*type.element, value);
    }
    case Kind::list:
    case Kind::array:
      return check_elements(type, object);
    case Kind::tuple:
    case Kind::structure:
      return check_members(type.members(), object);
    case Kind::map:
      return check_map(type, object);
    case Kind::variant:
      return check_variant(*type.variant, object);
    case Kind::represented:
      return check_represented(type, object);
    case Kind::boolean:
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
    case Kind::float32:
    case Kind::float64:
    case Kind::string:
    case Kind::bytes:
    case Kind::json:
    case Kind::enumeration:
    case Kind::duration:
    case Kind::instant:
      return true;
  }
  return fail_kind();
}

bool Validator::check_members(const Members& members, const void* object) {
  const RulePlan& plan = members.rule_plan();
  if (!plan.found.checks) return true;
  if (!enter()) return false;
  for (const RuleStep& step : plan.steps) {
    const Field& field = members.fields()[step.index];
    if (check_field(step, field, object)) continue;
    return field.name.empty() ? failure_.in_index(step.index) : failure_.in_field(field.name);
  }
  --depth_;
  return true;
}

bool Validator::check_field(const RuleStep& step, const Field& field, const void* object) {
  const void* value = at(object, field.offset);
  if (field.variant != nullptr) {
    if (field.variant->index(value) != field.alternative) return true;
    value = field.variant->get(value);
  }
  if (step.rules != nullptr && !apply(*step.rules, *field.type, value, true)) return false;
  return !step.deeper.checks || check(*field.type, value);
}

template <class Check>
bool Validator::each(const Type& type, const void* object, Check check) {
  if (type.kind == Kind::array || type.list->data != nullptr) {
    const std::size_t count = type.kind == Kind::array ? type.count : type.list->size(object);
    // Only to be read from: data() serves readers and writers alike.
    const void* const elements =
        type.kind == Kind::array ? object : type.list->data(const_cast<void*>(object));
    for (std::size_t i = 0; i < count; ++i) {
      if (!check(at(elements, i * type.element->size))) return failure_.in_index(i);
    }
    return true;
  }
  Cursor cursor;
  std::size_t index = 0;
  for (bool more = type.list->first(object, cursor); more; more = type.list->next(object, cursor)) {
    if (!check(cursor.value)) return failure_.in_index(index);
    ++index;
  }
  return true;
}

bool Validator::check_elements(const Type& type, const void* object) {
  if (!enter()) return false;
  if (!each(type, object, [&](const void* element) { return check(*type.element, element); })) {
    return false;
  }
  --depth_;
  return true;
}

bool Validator::check_map(const Type& type, const void* object) {
  if (!enter()) return false;
  Cursor cursor;
  for (bool more = type.map->first(object, cursor); more; more = type.map->next(object, cursor)) {
    if (!check(*type.element, cursor.value)) return in_entry(failure_, *type.key, cursor.key);
  }
  --depth_;
  return true;
}

bool Validator::check_variant(const VariantOperations& variant, const void* object) {
  const std::size_t index = variant.index(object);
  if (index >= variant.alternatives.size()) return true;  // valueless
  const Alternative& alternative = variant.alternatives[index];
  if (alternative.type == nullptr || !rules_in(*alternative.type).checks) return true;
  if (!enter()) return false;
  if (!check(*alternative.type, variant.get(object))) return failure_.in_field(alternative.name);
  --depth_;
  return true;
}

bool Validator::check_represented(const Type& type, const void* object) {
  Target target{.validator = this, .type = type.element};
  return type.represented->show(
      object,
      [](void* context, const void* as) {
        const auto& self = *static_cast<Target*>(context);
        return self.validator->check(*self.type, as);
      },
      &target);
}

bool Validator::apply(const Rules& rules, const Type& type, const void* object, bool is_whole) {
  switch (type.kind) {
    case Kind::boolean:
      return !is_whole || !rules.is_non_zero || *static_cast<const bool*>(object) ||
             fail(rules, "it must not be false");
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
      return apply_to_integer(rules, type, object, is_whole);
    case Kind::float32:
      return apply_to_real(rules, load<float>(object), is_whole);
    case Kind::float64:
      return apply_to_real(rules, load<double>(object), is_whole);
    case Kind::string:
      return apply_to_text(rules, *static_cast<const std::string*>(object), true, is_whole);
    case Kind::bytes:
      return apply_to_bytes(rules, type, object, is_whole);
    case Kind::enumeration:
      return apply_to_integer(rules, *type.element, object, is_whole);
    case Kind::duration:
    case Kind::instant:
      return !is_whole || apply_to_time(rules, type, object);
    case Kind::optional: {
      const void* const value = type.optional->get(object);
      return value == nullptr || apply(rules, *type.element, value, is_whole);
    }
    case Kind::list:
      return apply_to_count(rules, "the list", type.list->size(object), is_whole) &&
             apply_to_each(rules, type, object);
    case Kind::array:
      return apply_to_each(rules, type, object);
    case Kind::map:
      return apply_to_count(rules, "the map", type.map->size(object), is_whole);
    case Kind::represented:
      return apply_to_represented(rules, type, object, is_whole);
    case Kind::json:
    case Kind::tuple:
    case Kind::variant:
    case Kind::structure:
      return true;  // members.cc refuses rules for them
  }
  return fail_kind();
}

bool Validator::apply_to_each(const Rules& rules, const Type& type, const void* object) {
  if (!rules.has_length() && !rules.has_range() && rules.pattern.empty()) return true;
  return each(type, object,
              [&](const void* element) { return apply(rules, *type.element, element, false); });
}

bool Validator::apply_to_represented(const Rules& rules, const Type& type, const void* object,
                                     bool is_whole) {
  Target target{.validator = this, .type = type.element, .rules = &rules, .is_whole = is_whole};
  return type.represented->show(
      object,
      [](void* context, const void* as) {
        const auto& self = *static_cast<Target*>(context);
        return self.validator->apply(*self.rules, *self.type, as, self.is_whole);
      },
      &target);
}

bool Validator::apply_to_count(const Rules& rules, std::string_view what, std::size_t count,
                               bool is_whole) {
  if (!is_whole) return true;
  if (count < rules.min_elements || count > rules.max_elements) {
    return fail(rules,
                wrong_length(what, count, "elements", rules.min_elements, rules.max_elements));
  }
  return !rules.is_non_zero || count != 0 || fail(rules, "it must not be empty");
}

bool Validator::apply_to_bytes(const Rules& rules, const Type& type, const void* object,
                               bool is_whole) {
  std::string room;
  const std::string_view bytes = type.bytes->get(object, room);
  return apply_to_text(rules, bytes, type.bytes->is_text, is_whole);
}

bool Validator::apply_to_text(const Rules& rules, std::string_view text, bool is_text,
                              bool is_whole) {
  if (rules.has_length()) {
    const bool by_bytes = rules.unit == Unit::bytes;
    const std::size_t length = by_bytes ? text.size() : count_characters(text);
    if (length < rules.min_length || length > rules.max_length) {
      return fail(rules, wrong_length(shown_text(rules, is_text, text), length,
                                      by_bytes ? "bytes" : "characters", rules.min_length,
                                      rules.max_length));
    }
  }
  if (is_whole && rules.is_non_zero && text.empty()) return fail(rules, "it must not be empty");
  return rules.pattern.empty() || match(rules, text);
}

bool Validator::match(const Rules& rules, std::string_view text) {
  if (options_.patterns == nullptr) {
    return failure_.set(Code::failed_precondition, nobody_matches(rules.pattern));
  }
  const Result<bool> is_match = options_.patterns->matches(rules.pattern, text);
  if (!is_match) {
    return failure_.set(is_match.error().code(), is_match.error().message());
  }
  return *is_match || fail(rules, shown_text(rules, true, text) + " does not match " +
                                      shown_pattern(rules.pattern));
}

bool Validator::apply_to_integer(const Rules& rules, const Type& type, const void* object,
                                 bool is_whole) {
  std::int64_t value = 0;
  load_integer(type, object, value);
  const bool is_natural = type.kind == Kind::uint64;
  const auto natural = static_cast<std::uint64_t>(value);
  if (is_natural ? is_below(natural, rules.min) : is_below(value, rules.min)) {
    return fail(rules,
                shown_integer(rules, type, value) + " is smaller than " + to_text(rules.min));
  }
  if (is_natural ? is_beyond(natural, rules.max) : is_beyond(value, rules.max)) {
    return fail(rules, shown_integer(rules, type, value) + " is bigger than " + to_text(rules.max));
  }
  return !is_whole || !rules.is_non_zero || value != 0 || fail(rules, "it must not be 0");
}

template <class Real>
bool Validator::apply_to_real(const Rules& rules, Real value, bool is_whole) {
  // The ends as this type has them: the float nearest to 0.1 is not above 0.1.
  const bool is_low =
      rules.min.what == Bound::What::real && !(value >= nearest_real<Real>(rules.min.real));
  const bool is_high =
      rules.max.what == Bound::What::real && !(value <= nearest_real<Real>(rules.max.real));
  if (is_low || is_high) {
    const std::string shown = rules.is_secret ? std::string(hidden) : shown_real(value);
    if (std::isnan(value)) return fail(rules, shown + " is in no range");
    return fail(rules, is_low ? shown + " is smaller than " + to_text(rules.min)
                              : shown + " is bigger than " + to_text(rules.max));
  }
  return !is_whole || !rules.is_non_zero || value != 0 || fail(rules, "it must not be 0");
}

bool Validator::apply_to_time(const Rules& rules, const Type& type, const void* object) {
  if (!rules.is_non_zero) return true;
  Seconds time;
  if (!type.time->get(object, time) || time.seconds != 0 || time.nanoseconds != 0) return true;
  return fail(rules, "it must not be 0");
}

using Visited = std::set<const Members*>;

Status check_patterns(const Type& type, const ValidateOptions& options, Visited& visited);

Status check_pattern(const Rules& rules, const ValidateOptions& options) {
  if (rules.pattern.empty()) return {};
  if (options.patterns == nullptr) {
    return Status(Code::failed_precondition, nobody_matches(rules.pattern));
  }
  const Result<bool> is_match = options.patterns->matches(rules.pattern, "");
  return is_match ? Status() : is_match.error();
}

Status check_members(const Members& members, const ValidateOptions& options, Visited& visited) {
  if (!visited.insert(&members).second) return {};
  for (const RuleStep& step : members.rule_plan().steps) {
    const Field& field = members.fields()[step.index];
    Status status = step.rules == nullptr ? Status() : check_pattern(*step.rules, options);
    if (status.is_ok()) status = check_patterns(*field.type, options, visited);
    if (!status.is_ok()) return status.with_context(field.name);
  }
  return {};
}

Status check_patterns(const Type& type, const ValidateOptions& options, Visited& visited) {
  switch (type.kind) {
    case Kind::optional:
    case Kind::list:
    case Kind::array:
    case Kind::map:
    case Kind::represented:
      return check_patterns(*type.element, options, visited);
    case Kind::variant:
      for (const Alternative& alternative : type.variant->alternatives) {
        if (alternative.type == nullptr) continue;
        Status status = check_patterns(*alternative.type, options, visited);
        if (!status.is_ok()) return status;
      }
      return {};
    case Kind::tuple:
    case Kind::structure:
      return check_members(type.members(), options, visited);
    default:
      return {};
  }
}

}  // namespace
}  // namespace impl

Status validate_as(const Type& type, const void* object, const ValidateOptions& options) {
  if (!has_rules(type)) return {};
  impl::Validator validator(options);
  if (validator.check(type, object)) return {};
  return validator.status();
}

bool has_rules(const Type& type) { return impl::rules_in(type).checks; }

Status check_rules_as(const Type& type, const ValidateOptions& options) {
  impl::Visited visited;
  return impl::check_patterns(type, options, visited);
}

}  // namespace parley::codec
