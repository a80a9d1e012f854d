#include "parley/codec/impl/member_rules.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/suggest.h"
#include "parley/codec/impl/rule_plan.h"

namespace parley::codec::impl {
namespace {

constexpr std::size_t max_shown_text = 64;

bool fail_invalid(Failure& failure, std::string message) {
  return failure.set(Code::invalid_argument, std::move(message));
}

// Whether it has std::monostate among its alternatives.
bool may_be_nothing(const VariantOperations& variant) {
  return std::ranges::any_of(variant.alternatives,
                             [](const Alternative& one) { return one.type == nullptr; });
}

bool may_be_empty(const Type& type) {
  const Type* shape = &type;
  while (shape->kind == Kind::represented) shape = shape->element;
  return shape->kind == Kind::list || shape->kind == Kind::map;
}

}  // namespace

bool reset_absent(const Members& members, const SeenFields& seen, void* object,
                  bool require_all_fields, Failure& failure, EmptyIs empty) {
  const std::span<const Field> fields = members.fields();
  Members::Spare spare(members);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    if (field.variant != nullptr) {
      // The alternatives of one variant stand side by side: absent when none of them is there.
      bool is_there = false;
      for (; i < fields.size() && fields[i].variant != nullptr && fields[i].offset == field.offset;
           ++i) {
        is_there = is_there || seen.has(i);
      }
      --i;
      if (is_there) continue;
      if (field.is_required || (require_all_fields && !may_be_nothing(*field.variant))) {
        fail_invalid(failure, "none of the alternatives is there, and one must be");
        return failure.in_field(field.name);
      }
    } else if (seen.has(i)) {
      continue;
    } else if (empty == EmptyIs::absent && may_be_empty(*field.type)) {
      // Its default, as for any other.
    } else if (field.is_required) {
      fail_invalid(failure, "the field is required and missing");
      return failure.in_field(field.name);
    } else if (members.are_parameters() && field.type->kind != Kind::optional) {
      fail_invalid(failure, "the argument is missing");
      return failure.in_field(field.name);
    } else if (require_all_fields && field.type->kind != Kind::optional && !is_bound(members, i)) {
      fail_invalid(failure, "the field is missing (require_all_fields is on)");
      return failure.in_field(field.name);
    }
    if (!members.reset(field, object, spare)) {
      fail_invalid(failure, "the field is missing, and its type has no default");
      return failure.in_field(field.name);
    }
  }
  return true;
}

void* emplace_alternative(const Members& members, std::size_t index, const SeenFields& seen,
                          void* object, Failure& failure) {
  const std::span<const Field> fields = members.fields();
  const Field& field = fields[index];
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i == index || fields[i].variant == nullptr || fields[i].offset != field.offset) continue;
    if (!seen.has(i)) continue;
    fail_invalid(failure,
                 "there is '" + std::string(fields[i].name) + "' already, and only one of them");
    failure.in_field(field.name);
    return nullptr;
  }
  return field.variant->emplace(static_cast<char*>(object) + field.offset, field.alternative);
}

bool get_time(const Type& type, const void* object, Seconds& time, Failure& failure) {
  return type.time->get(object, time) ||
         fail_invalid(failure,
                      "a time that is not finite, or beyond 2^63 seconds, cannot be "
                      "written");
}

bool refuses_unknown(const Members& members, const void* object, bool asked) {
  if (members.unknown_fields(object) != nullptr) return false;
  return members.on_unknown() == OnUnknown::as_asked ? asked
                                                     : members.on_unknown() == OnUnknown::refuse;
}

bool fail_unknown_field(const Members& members, std::string_view name, Failure& failure) {
  std::vector<std::string_view> names;
  for (const Field& field : members.fields()) names.push_back(field.name);
  const auto near = name.size() <= max_shown_text ? nearest(name, names) : std::nullopt;
  return fail_invalid(
      failure, std::string("unknown field") +
                   (near ? ", did you mean '" + std::string(*near) + "'?" : "") +
                   (members.on_unknown() == OnUnknown::refuse ? " (its type refuses them)"
                                                              : " (refuse_unknown_fields is on)"));
}

bool fail_enumeration(const Type& type, std::string_view name, Failure& failure) {
  std::vector<std::string_view> names;
  for (const EnumValue& value : type.enumeration->values) names.push_back(value.name);
  std::string message =
      '"' + shortened(escaped_json(name), max_shown_text) + "\" is no " + std::string(type.name);
  if (name.size() <= max_shown_text) {
    if (const auto near = nearest(name, names)) {
      return fail_invalid(failure, message + ": did you mean \"" + std::string(*near) + "\"?");
    }
  }
  constexpr std::size_t most = 8;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) {
    message += (i == 0 ? ": expected " : ", ") + std::string(names[i]);
  }
  return fail_invalid(failure, message + (names.size() > most ? ", ..." : ""));
}

bool fail_alternative(const VariantOperations& variant, std::string_view name,
                      std::string_view nothing, Failure& failure) {
  std::string message =
      "no alternative \"" + shortened(escaped_json(name), max_shown_text) + "\": expected ";
  if (name.data() == nullptr) message = "no alternative: expected ";
  std::string separator;
  for (const Alternative& alternative : variant.alternatives) {
    message += separator;
    message += alternative.type == nullptr ? nothing : alternative.name;
    separator = ", ";
  }
  return fail_invalid(failure, message);
}

bool fail_range(std::string_view number, const IntegerRange& range, Failure& failure) {
  return fail_invalid(failure, std::string(number) + " does not fit " + std::string(range.name) +
                                   " (" + (range.min == 0 ? "" : "-") + std::to_string(range.min) +
                                   " to " + std::to_string(range.max) + ")");
}

bool fail_arity(std::size_t expected, std::size_t got, Failure& failure) {
  return fail_invalid(failure, "expected an array of " + std::to_string(expected) +
                                   (expected == 1 ? " element" : " elements") + ", got " +
                                   std::to_string(got));
}

}  // namespace parley::codec::impl
