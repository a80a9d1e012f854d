// The typed reader: what holds other values.
#include <algorithm>
#include <span>
#include <string>

#include "parley/codec/impl/begins_with.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/msgpack_reader.h"
#include "parley/codec/impl/represented.h"

namespace parley::codec::impl {
namespace {

void* at(void* object, std::size_t offset) { return static_cast<char*>(object) + offset; }

// What is made ready at once for a list of a claimed size; beyond that it grows with what is there.
constexpr std::size_t most_reserved_bytes = std::size_t{64} << 10;

std::size_t reserved_for(const Type& element, std::size_t count) {
  return std::min(count, std::max<std::size_t>(most_reserved_bytes / element.size, 1));
}

}  // namespace

bool MsgpackReader::enter_elements(MsgpackForm form, std::size_t& count) {
  MsgpackHead head;
  if (!take_head(head)) return false;
  if (head.form != form) return fail_type(name_of(form), head);
  count = static_cast<std::size_t>(head.bits);
  return enter();
}

bool MsgpackReader::enter_exactly(std::size_t count) {
  std::size_t got = 0;
  if (!enter_elements(MsgpackForm::array, got)) return false;
  return got == count || fail_arity(count, got, failure_);
}

bool MsgpackReader::read_list(const Type& type, void* object) {
  std::size_t count = 0;
  if (!enter_elements(MsgpackForm::array, count)) return false;
  const ListOperations& list = *type.list;
  const Type& element = *type.element;
  if (list.reserve != nullptr) list.reserve(object, reserved_for(element, count));
  if (list.append == nullptr || list.data == nullptr) return read_apart(type, object, count);
  const std::size_t old_size = list.size(object);
  for (std::size_t i = 0; i < count; ++i) {
    // The elements of a reused list are decoded over, for the memory they hold.
    void* const place =
        i < old_size ? at(list.data(object), i * element.size) : list.append(object);
    if (!read(element, place)) return failure_.in_index(i);
  }
  if (count < old_size) list.truncate(object, count);
  --depth_;
  return true;
}

// Lists whose elements do not lie side by side, or do not change once they are in.
bool MsgpackReader::read_apart(const Type& type, void* object, std::size_t count) {
  const ListOperations& list = *type.list;
  list.truncate(object, 0);
  Target target{this, type.element};
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_read = list.append != nullptr ? read(*type.element, list.append(object))
                                                : list.insert(object, &read_target, &target);
    if (!is_read) return failure_.in_index(i);
  }
  --depth_;
  return true;
}

bool MsgpackReader::read_array(const Type& type, void* object) {
  if (!enter_exactly(type.count)) return false;
  for (std::size_t i = 0; i < type.count; ++i) {
    if (!read(*type.element, at(object, i * type.element->size))) return failure_.in_index(i);
  }
  --depth_;
  return true;
}

bool MsgpackReader::read_tuple(const Type& type, void* object) {
  const std::span<const Field> fields = type.members().fields();
  if (type.members().are_parameters() && at_ != end_ && msgpack::is_map(peek())) {
    return read_structure(type, object);
  }
  if (!enter_exactly(fields.size())) return false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!read(*fields[i].type, at(object, fields[i].offset))) return failure_.in_index(i);
  }
  --depth_;
  return true;
}

bool MsgpackReader::read_map(const Type& type, void* object) {
  std::size_t count = 0;
  if (!enter_elements(MsgpackForm::map, count)) return false;
  MapSpare spare;
  type.map->clear(object, &spare);
  Target target{this, type.key};
  for (std::size_t i = 0; i < count; ++i) {
    bool is_new = false;
    const char* const key = at_;
    void* const value = type.map->insert(object, &spare, &read_target, &target, is_new);
    if (value == nullptr) return failure_.in_key_number(i);
    if (!is_new) return fail_duplicate(key);
    if (!read(*type.element, value)) return in_key_at(key, end_, failure_);
  }
  --depth_;
  return true;
}

bool MsgpackReader::fail_duplicate(const char* key) {
  fail_invalid("the key appears twice");
  return in_key_at(key, end_, failure_);
}

// {"Name of the alternative": its value}, or nil for nothing.
bool MsgpackReader::read_variant(const Type& type, void* object) {
  const Alternative* const alternative = read_alternative(*type.variant, object);
  if (alternative == nullptr) return false;
  if (alternative->type == nullptr) return true;
  if (!read(*alternative->type, object)) return failure_.in_field(alternative->name);
  --depth_;
  return true;
}

// `object` becomes the value of the alternative.
const Alternative* MsgpackReader::read_alternative(const VariantOperations& variant,
                                                   void*& object) {
  MsgpackHead head;
  std::string_view name;
  if (!take_head(head)) return nullptr;
  if (head.form == MsgpackForm::map) {
    if (!enter()) return nullptr;
    if (head.bits != 1) {
      head.bits == 0 ? fail_alternative(variant, {}, "nil", failure_)
                     : fail_invalid("more than one alternative");
      return nullptr;
    }
    if (!take_head(head)) return nullptr;
    if (head.form != MsgpackForm::text) {
      fail_type("the name of one alternative", head);
      return nullptr;
    }
    if (!take_text(head, name)) return nullptr;
  } else if (head.form != MsgpackForm::nil) {
    fail_type("a map with the name of one alternative", head);
    return nullptr;
  }
  for (std::size_t i = 0; i < variant.alternatives.size(); ++i) {
    const Alternative& alternative = variant.alternatives[i];
    if ((alternative.type == nullptr) != (head.form == MsgpackForm::nil)) continue;
    if (alternative.type != nullptr && alternative.name != name) continue;
    object = variant.emplace(object, i);
    return &alternative;
  }
  fail_alternative(variant, name, "nil", failure_);
  return nullptr;
}

bool MsgpackReader::read_represented(const Type& type, void* object) {
  Target target{this, type.element};
  return take_represented(type, object, &read_target, &target, is_represented_, failure_);
}

bool MsgpackReader::read_structure(const Type& type, void* object) {
  std::size_t count = 0;
  if (!enter_elements(MsgpackForm::map, count)) return false;
  const Members& members = type.members();
  if (UnknownFields* const kept = members.unknown_fields(object)) *kept = {};
  SeenFields seen(members.fields().size(), more_seen_);
  std::size_t expected = 0;
  for (; count > 0; --count) {
    const char* const key = at_;
    const std::size_t index = find_field(members, expected);
    if (index == no_field) return false;
    if (index == unknown_field) {
      if (!read_unknown_member(members, object)) return in_key_at(key, end_, failure_);
      continue;
    }
    const Field& field = members.fields()[index];
    if (!seen.mark(index)) return fail_duplicate(key);
    expected = index + 1;
    void* const value = field.variant == nullptr
                            ? at(object, field.offset)
                            : emplace_alternative(members, index, seen, object, failure_);
    if (value == nullptr) return false;
    if (!read(*field.type, value)) return failure_.in_field(field.name);
  }
  --depth_;
  return seen.count() == members.fields().size() ||
         reset_absent(members, seen, object, options_.require_all_fields, failure_);
}

// Nearly always the members come in the order of the struct: one comparison then.
std::size_t MsgpackReader::find_field(const Members& members, std::size_t expected) {
  const std::span<const Field> fields = members.fields();
  if (expected < fields.size() && begins_with(at_, end_, fields[expected].msgpack_key)) {
    at_ += fields[expected].msgpack_key.size();
    return expected;
  }
  return find_any_field(members);
}

std::size_t MsgpackReader::find_any_field(const Members& members) {
  key_ = at_;
  MsgpackHead head;
  if (!take_head(head)) return no_field;
  if (head.form != MsgpackForm::text) {
    fail_type("the name of a member as a string", head);
    return no_field;
  }
  if (!take_text(head, key_text_)) return no_field;
  return members.find(key_text_);
}

bool MsgpackReader::read_unknown_member(const Members& members, void* object) {
  const char* const start = key_;
  if (refuses_unknown(members, object, options_.refuse_unknown_fields)) {
    return fail_unknown_field(members, key_text_, failure_);
  }
  if (!skip_value()) return false;
  if (UnknownFields* const kept = members.unknown_fields(object)) kept->msgpack.append(start, at_);
  return true;
}

}  // namespace parley::codec::impl
