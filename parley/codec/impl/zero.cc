#include "parley/codec/impl/zero.h"

#include <cstring>
#include <span>

#include "parley/codec/impl/protobuf_wire.h"
#include "parley/codec/impl/rule_plan.h"

namespace parley::codec::impl {
namespace {

bool fill_zero(void* type, void* object) {
  return set_zero(*static_cast<const Type*>(type), object);
}

bool set_zero_represented(const Type& type, void* object) {
  bool filled = false;
  return type.represented->take(object, &fill_zero, const_cast<Type*>(type.element), filled)
             .is_ok() &&
         filled;
}

// Nothing where it may be nothing, otherwise its first alternative.
bool set_zero_variant(const VariantOperations& variant, void* object) {
  std::size_t index = 0;
  for (std::size_t i = variant.alternatives.size(); i-- > 0;) {
    if (variant.alternatives[i].type == nullptr) index = i;
  }
  void* const value = variant.emplace(object, index);
  const Type* const type = variant.alternatives[index].type;
  return type == nullptr || set_zero(*type, value);
}

// Of a flattened variant, the variant.
bool set_zero_field(const Members& members, const Field& field, void* object) {
  void* const member = static_cast<char*>(object) + field.offset;
  const bool is_zero = field.variant != nullptr ? set_zero_variant(*field.variant, member)
                                                : set_zero(*field.type, member);
  if (is_zero) return true;
  Members::Spare spare(members);
  return members.reset(field, object, spare);
}

bool set_zero_members(const Members& members, void* object) {
  if (UnknownFields* const kept = members.unknown_fields(object)) *kept = {};
  const std::span<const Field> fields = members.fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    // Once for all alternatives, which stand side by side.
    if (i > 0 && field.variant != nullptr && fields[i - 1].variant != nullptr &&
        fields[i - 1].offset == field.offset) {
      continue;
    }
    if (!set_zero_field(members, field, object)) return false;
  }
  return true;
}

bool set_zero_array(const Type& type, void* object) {
  for (std::size_t i = 0; i < type.count; ++i) {
    if (!set_zero(*type.element, static_cast<char*>(object) + i * type.element->size)) return false;
  }
  return true;
}

}  // namespace

bool set_zero(const Type& type, void* object) {
  switch (type.kind) {
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
    case Kind::enumeration:
      std::memset(object, 0, type.size);
      return true;
    case Kind::string:
      static_cast<std::string*>(object)->clear();
      return true;
    case Kind::bytes:
      type.bytes->set(object, "");
      return true;
    case Kind::json:
      static_cast<Json*>(object)->text = "null";
      return true;
    case Kind::duration:
    case Kind::instant:
      return type.time->set(object, {});
    case Kind::optional:
      type.optional->reset(object);
      return true;
    case Kind::list:
      type.list->truncate(object, 0);
      return true;
    case Kind::map:
      type.map->clear(object, nullptr);
      return true;
    case Kind::array:
      return set_zero_array(type, object);
    case Kind::tuple:
    case Kind::structure:
      return set_zero_members(type.members(), object);
    case Kind::variant:
      return set_zero_variant(*type.variant, object);
    case Kind::represented:
      return set_zero_represented(type, object);
  }
  return false;
}

namespace {

bool must_be_there(const Field& field, bool require_all_fields) {
  const Kind kind = resolved(*field.type).kind;
  if (field.is_required) return !is_several(kind) || kind == Kind::optional;
  return require_all_fields && kind != Kind::optional && field.variant == nullptr;
}

}  // namespace

bool zero_absent(const Members& members, const SeenFields& seen, void* object,
                 bool require_all_fields, Failure& failure) {
  const std::span<const Field> fields = members.fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    bool is_there = seen.has(i);
    if (field.variant != nullptr) {
      // The alternatives of one variant stand side by side: absent when none of them is there.
      while (i + 1 < fields.size() && fields[i + 1].variant != nullptr &&
             fields[i + 1].offset == field.offset) {
        ++i;
        is_there = is_there || seen.has(i);
      }
    }
    if (is_there) continue;
    const bool must_be = must_be_there(field, require_all_fields && !is_bound(members, i));
    if (!must_be && set_zero_field(members, field, object)) continue;
    failure.set(Code::invalid_argument, must_be
                                            ? "the field is required and missing"
                                            : "the field is missing, and its type has no default");
    return field.name.empty() ? failure.in_index(i) : failure.in_field(field.name);
  }
  return true;
}

}  // namespace parley::codec::impl
