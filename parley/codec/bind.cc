#include "parley/codec/bind.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/form_values.h"
#include "parley/codec/impl/rule_failure.h"
#include "parley/codec/impl/rule_plan.h"
#include "parley/codec/impl/scalar_text.h"
#include "parley/codec/members.h"

namespace parley::codec {
namespace impl {
namespace {

void* at(void* object, std::size_t offset) { return static_cast<char*>(object) + offset; }

// `the query "page"`.
std::string shown_source(Source source, std::string_view name) {
  return "the " + std::string(name_of(source)) + ' ' + quoted(name);
}

class Binder {
 public:
  Binder(const Sources& sources, const BindOptions& options)
      : sources_(sources), options_(options) {}

  // Only of types that have bound fields. Each stands alone: a level of nesting needs little stack.
  [[gnu::noinline]] bool bind(const Type& type, void* object);
  [[nodiscard]] Status status() const { return failure_.status(); }

 private:
  [[gnu::noinline]] bool bind_members(const Members& members, void* object);
  [[gnu::noinline]] bool bind_inside(const Field& field, void* object);
  [[gnu::noinline]] bool bind_elements(const Type& type, void* object);
  [[gnu::noinline]] bool bind_map(const Type& type, void* object);
  [[gnu::noinline]] bool bind_variant(const VariantOperations& variant, void* object);
  [[gnu::noinline]] bool bind_field(const Members& members, const RuleStep& step, void* object,
                                    Members::Spare& spare);
  bool read(const Rules& rules, const Field& field, void* object, Source source,
            std::string_view name);
  bool check_limits();
  [[gnu::cold]] bool fail_missing(const Rules& rules, const Field& field);
  [[gnu::noinline]] bool enter();
  // Bugs in the program. Their texts take no room in the frames of what calls itself.
  [[gnu::cold, gnu::noinline]] bool fail_represented() {
    return failure_.set(Code::failed_precondition,
                        "what is inside a type that travels as another cannot be bound");
  }
  [[gnu::cold, gnu::noinline]] bool fail_set() {
    return failure_.set(Code::failed_precondition,
                        "what is inside a set cannot be bound: use a std::vector");
  }
  [[gnu::cold, gnu::noinline]] bool fail_kind() {
    return failure_.set(Code::internal, "a type table with an unknown kind");
  }

  const Sources& sources_;
  const BindOptions& options_;
  std::size_t depth_ = 0;
  std::vector<std::string_view> values_;
  RuleFailure failure_;
};

bool Binder::enter() {
  if (depth_ < options_.limits.max_depth) {
    ++depth_;
    return true;
  }
  return failure_.set_depth(options_.limits.max_depth);
}

bool Binder::bind(const Type& type, void* object) {
  switch (type.kind) {
    case Kind::optional: {
      const void* const value = type.optional->get(object);
      return value == nullptr || bind(*type.element, const_cast<void*>(value));
    }
    case Kind::list:
    case Kind::array:
      return bind_elements(type, object);
    case Kind::tuple:
    case Kind::structure:
      return bind_members(type.members(), object);
    case Kind::map:
      return bind_map(type, object);
    case Kind::variant:
      return bind_variant(*type.variant, object);
    case Kind::represented:
      return fail_represented();
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

bool Binder::bind_members(const Members& members, void* object) {
  const RulePlan& plan = members.rule_plan();
  if (!plan.found.bindings) return true;
  if (!enter()) return false;
  Members::Spare spare(members);
  for (const RuleStep& step : plan.steps) {
    const Field& field = members.fields()[step.index];
    const bool is_own = step.rules != nullptr && step.rules->is_bound();
    if ((!is_own || bind_field(members, step, object, spare)) &&
        (!step.deeper.bindings || bind_inside(field, object))) {
      continue;
    }
    return field.name.empty() ? failure_.in_index(step.index) : failure_.in_field(field.name);
  }
  --depth_;
  return true;
}

bool Binder::bind_inside(const Field& field, void* object) {
  void* const value = at(object, field.offset);
  if (field.variant == nullptr) return bind(*field.type, value);
  return field.variant->index(value) != field.alternative ||
         bind(*field.type, const_cast<void*>(field.variant->get(value)));
}

bool Binder::bind_elements(const Type& type, void* object) {
  if (!enter()) return false;
  const bool is_array = type.kind == Kind::array;
  if (is_array || type.list->data != nullptr) {
    const std::size_t count = is_array ? type.count : type.list->size(object);
    for (std::size_t i = 0; i < count; ++i) {
      void* const elements = is_array ? object : type.list->data(object);
      if (!bind(*type.element, at(elements, i * type.element->size))) return failure_.in_index(i);
    }
  } else if (type.list->append == nullptr) {
    return fail_set();
  } else {
    Cursor cursor;
    std::size_t index = 0;
    for (bool more = type.list->first(object, cursor); more;
         more = type.list->next(object, cursor)) {
      if (!bind(*type.element, const_cast<void*>(cursor.value))) return failure_.in_index(index);
      ++index;
    }
  }
  --depth_;
  return true;
}

bool Binder::bind_map(const Type& type, void* object) {
  if (!enter()) return false;
  Cursor cursor;
  for (bool more = type.map->first(object, cursor); more; more = type.map->next(object, cursor)) {
    if (!bind(*type.element, const_cast<void*>(cursor.value))) {
      return in_entry(failure_, *type.key, cursor.key);
    }
  }
  --depth_;
  return true;
}

bool Binder::bind_variant(const VariantOperations& variant, void* object) {
  const std::size_t index = variant.index(object);
  if (index >= variant.alternatives.size()) return true;  // valueless
  const Alternative& alternative = variant.alternatives[index];
  if (alternative.type == nullptr || !rules_in(*alternative.type).bindings) return true;
  if (!enter()) return false;
  if (!bind(*alternative.type, const_cast<void*>(variant.get(object)))) {
    return failure_.in_field(alternative.name);
  }
  --depth_;
  return true;
}

bool Binder::bind_field(const Members& members, const RuleStep& step, void* object,
                        Members::Spare& spare) {
  const Field& field = members.fields()[step.index];
  for (std::size_t i = 0; i < source_count; ++i) {
    const auto source = static_cast<Source>(i);
    const Rules::Binding& binding = step.rules->binding(source);
    if (!binding.is_there) continue;
    const std::string_view name = binding.name.empty() ? field.name : binding.name;
    values_.clear();
    sources_.find(source, name, values_);
    if (!values_.empty()) return read(*step.rules, field, at(object, field.offset), source, name);
  }
  if (step.rules->is_required) return fail_missing(*step.rules, field);
  return members.reset(field, object, spare) ||
         failure_.set(Code::failed_precondition,
                      "no source has the value, and its type has no default");
}

bool Binder::check_limits() {
  const Limits& limits = options_.limits;
  if (values_.size() > limits.max_elements) {
    return failure_.set(
        Code::resource_exhausted,
        "more than max_elements (" + std::to_string(limits.max_elements) + ") values");
  }
  for (const std::string_view value : values_) {
    if (value.size() <= limits.max_string_bytes) continue;
    return failure_.set(Code::resource_exhausted, "a value of " + std::to_string(value.size()) +
                                                      " bytes, more than max_string_bytes (" +
                                                      std::to_string(limits.max_string_bytes) +
                                                      ")");
  }
  return true;
}

bool Binder::read(const Rules& rules, const Field& field, void* object, Source source,
                  std::string_view name) {
  if (!check_limits()) return failure_.explain(" in " + shown_source(source, name));
  if (read_values(values_, *field.type, object, options_.limits, options_.refuse_views, failure_)) {
    return true;
  }
  if (rules.is_secret) failure_.set(rules.code, "the value does not fit its type");
  return failure_.blame(rules, " (from " + shown_source(source, name) + ")");
}

bool Binder::fail_missing(const Rules& rules, const Field& field) {
  std::string message = "it is required, and missing in ";
  std::string_view separator;
  for (std::size_t i = 0; i < source_count; ++i) {
    const auto source = static_cast<Source>(i);
    const Rules::Binding& binding = rules.binding(source);
    if (!binding.is_there) continue;
    message += separator;
    message += shown_source(source, binding.name.empty() ? field.name : binding.name);
    separator = " and ";
  }
  return failure_.set_broken(rules, std::move(message));
}

}  // namespace
}  // namespace impl

std::string_view name_of(Source source) noexcept {
  switch (source) {
    case Source::metadata:
      return "metadata";
    case Source::path:
      return "path";
    case Source::query:
      return "query";
    case Source::session:
      return "session";
  }
  return "source";
}

void SourceValues::add(Source source, std::string name, std::string value) {
  values_.push_back({.source = source, .name = std::move(name), .value = std::move(value)});
}

void SourceValues::find(Source source, std::string_view name,
                        std::vector<std::string_view>& values) const {
  for (const Value& value : values_) {
    if (value.source == source && value.name == name) values.push_back(value.value);
  }
}

bool has_bindings(const Type& type) { return impl::rules_in(type).bindings; }

Status bind_from_as(const Type& type, void* object, const Sources& sources,
                    const BindOptions& options) {
  if (!has_bindings(type)) return {};
  impl::Binder binder(sources, options);
  if (binder.bind(type, object)) return {};
  return binder.status();
}

}  // namespace parley::codec
