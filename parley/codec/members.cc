#include "parley/codec/members.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <set>

#include "parley/base/assert.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/msgpack_bytes.h"
#include "parley/codec/impl/protobuf_json.h"
#include "parley/codec/impl/protobuf_wire.h"
#include "parley/codec/impl/rule_plan.h"

namespace parley::codec {
namespace {

std::size_t hash_of(std::string_view name) noexcept {
  std::uint64_t hash = name.size();
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return static_cast<std::size_t>(hash ^ (hash >> 29));
}

[[noreturn]] void end_program(std::string_view type, std::string_view name, const char* problem) {
  assertion_failed("", "the struct '" + std::string(type) + "' has two fields " + problem + " '" +
                           std::string(name) + "': see parley::fields");
}

void* place(void* object, std::size_t offset) { return static_cast<char*>(object) + offset; }

bool take_value(const Type& type, void* to, void* from);

bool take_alternative(const VariantOperations& variant, void* to, void* from) {
  const std::size_t index = variant.index(from);
  if (index >= variant.alternatives.size()) return false;
  void* const value = variant.emplace(to, index);
  const Type* const type = variant.alternatives[index].type;
  return type == nullptr || take_value(*type, value, const_cast<void*>(variant.get(from)));
}

bool take_members(const Members& members, void* to, void* from) {
  if (UnknownFields* const kept = members.unknown_fields(to)) *kept = *members.unknown_fields(from);
  for (const Field& field : members.fields()) {
    void* const member = place(to, field.offset);
    void* const fresh = place(from, field.offset);
    const bool is_taken = field.variant == nullptr
                              ? take_value(*field.type, member, fresh)
                              : take_alternative(*field.variant, member, fresh);
    if (!is_taken) return false;
  }
  return true;
}

// Gives `to` the value of `from`, which may lose it. By kind and not by one function a type: those
// would be most of what a type costs.
bool take_value(const Type& type, void* to, void* from) {
  switch (type.kind) {
    case Kind::string:
      static_cast<std::string*>(to)->swap(*static_cast<std::string*>(from));
      return true;
    case Kind::json:
      static_cast<Json*>(to)->text.swap(static_cast<Json*>(from)->text);
      return true;
    case Kind::bytes: {
      std::string room;
      type.bytes->set(to, type.bytes->get(from, room));
      return true;
    }
    case Kind::optional:
      if (const void* const value = type.optional->get(from)) {
        return take_value(*type.element, type.optional->ensure(to), const_cast<void*>(value));
      }
      type.optional->reset(to);
      return true;
    case Kind::list:
      type.list->swap(to, from);
      return true;
    case Kind::map:
      type.map->swap(to, from);
      return true;
    case Kind::array:
      for (std::size_t i = 0; i < type.count; ++i) {
        const std::size_t offset = i * type.element->size;
        if (!take_value(*type.element, place(to, offset), place(from, offset))) return false;
      }
      return true;
    case Kind::tuple:
    case Kind::structure:
      return take_members(type.members(), to, from);
    case Kind::variant:
      return take_alternative(*type.variant, to, from);
    case Kind::represented:
      if (type.represented->move == nullptr) return false;
      type.represented->move(to, from);
      return true;
    default:  // numbers, truth values, enums, times
      std::memcpy(to, from, type.size);
      return true;
  }
}

bool is_bound(const Rules* rules) { return rules != nullptr && rules->is_bound(); }

[[noreturn]] void end_field(std::string_view type, std::string_view name,
                            const std::string& problem) {
  assertion_failed("", "the field '" + std::string(name) + "' of the struct '" + std::string(type) +
                           "': " + problem + ": see parley::fields");
}

}  // namespace

Members::Members(const MembersSource& source)
    : defaults_(source.defaults),
      make_(source.make),
      destroy_(source.destroy),
      set_defaults_(source.set_defaults),
      unknown_fields_(source.unknown_fields),
      on_unknown_(source.on_unknown),
      are_parameters_(source.are_parameters) {
  fields_.reserve(source.fields.size());
  for (std::size_t i = 0; i < source.fields.size(); ++i) take(source, i);
  std::uint32_t position = 0;
  for (Field& field : fields_) {
    ++position;
    if (field.number == 0) field.number = position;
    field.is_rare = field.variant != nullptr || field.type->kind == Kind::optional;
    if (field.is_rare) are_all_there_ = false;
    if (field.variant != nullptr) continue;
    field.quick = impl::quick_form_of(*field.type, field.wire);
    field.quick_tag = impl::quick_tag_of(field.quick, field.number);
  }
  note_xml_places(source.name);
  make_keys();
  make_msgpack_keys();
  make_slots(source.name);
  check_numbers(source.name);
  make_json_names(source.name);
  make_numbers();
  if (source.defaults != nullptr) set_defaults(source.defaults);
}

Members::~Members() { delete plan_.load(std::memory_order_relaxed); }

void Members::set_defaults(void* object) const {
  for (const auto& [members, offset] : inner_) members->set_defaults(at(object, offset));
  if (set_defaults_ != nullptr) set_defaults_(object);
}

void Members::take(const MembersSource& source, std::size_t index) {
  const FieldSource& field = source.fields[index];
  if (field.type == nullptr) return;  // the keeper of unknown fields
  const std::size_t offset = field.is_property ? 0 : source.offsets[index];
  if (field.rules != nullptr) {
    if (const char* const misfit = impl::misfit_of(*field.rules, *field.type, field.is_flat)) {
      end_field(source.name, field.name, misfit);
    }
  }
  note_inner(*field.type, offset);
  if (field.is_flat) return take_flat(source, field, offset);
  fields_.push_back({.type = field.type,
                     .offset = offset,
                     .number = field.number,
                     .is_required = field.is_required && !is_bound(field.rules),
                     .wire = field.wire,
                     .key_wire = field.key_wire,
                     .is_unpacked = field.is_unpacked,
                     .xml = field.xml,
                     .is_numbered = field.number != 0,
                     .name = field.name,
                     .json_name = field.json_name});
  add_rules(field.rules);
}

// Structs with defaults that stand in this one by value, alone or in an array or a tuple.
void Members::note_inner(const Type& type, std::size_t offset) {
  if (type.kind == Kind::array) {
    // Those of an array are alike: one look tells whether any is worth noting.
    const std::size_t before = inner_.size();
    for (std::size_t i = 0; i < type.count; ++i) {
      note_inner(*type.element, offset + i * type.element->size);
      if (inner_.size() == before) return;
    }
  }
  if (type.kind != Kind::structure && type.kind != Kind::tuple) return;
  const Members& inner = type.members();
  if (inner.set_defaults_ != nullptr || !inner.inner_.empty()) inner_.emplace_back(&inner, offset);
}

void Members::add_rules(const Rules* rules) {
  if (rules == nullptr && rules_.empty()) return;
  rules_.resize(fields_.size(), nullptr);
  rules_.back() = rules;
}

void Members::take_flat(const MembersSource& source, const FieldSource& field, std::size_t offset) {
  if (field.xml != XmlPlace::element) {
    end_field(source.name, field.name, "in_xml() is for what is not flattened");
  }
  if (field.type->kind == Kind::variant) return take_alternatives(field, offset);
  if (field.type->kind != Kind::structure) {
    end_field(source.name, field.name, "only a struct or a std::variant can be flattened");
  }
  if (field.is_required || field.wire != Wire::usual || field.key_wire != Wire::usual) {
    end_field(source.name, field.name,
              "required() and encoded_as() are for the fields of a flattened struct, not for it");
  }
  take_inner(source, field, offset);
}

void Members::take_alternatives(const FieldSource& field, std::size_t offset) {
  std::uint32_t number = field.number;
  for (std::size_t i = 0; i < field.type->variant->alternatives.size(); ++i) {
    const Alternative& alternative = field.type->variant->alternatives[i];
    if (alternative.type == nullptr) continue;
    Wire wire = field.wire;
    std::string_view json_name;
    if (!field.oneof.empty()) {
      number = field.oneof[i].number;
      wire = field.oneof[i].wire;
      json_name = field.oneof[i].json_name;
    }
    fields_.push_back({.type = alternative.type,
                       .offset = offset,
                       .number = number,
                       .is_required = field.is_required,
                       .wire = wire,
                       .key_wire = field.key_wire,
                       .is_numbered = number != 0,
                       .name = alternative.name,
                       .json_name = json_name,
                       .variant = field.type->variant,
                       .alternative = i});
    add_rules(field.rules);
    if (number != 0) ++number;
  }
}

// Its fields, and what it says of those it does not know.
void Members::take_inner(const MembersSource& source, const FieldSource& field,
                         std::size_t offset) {
  const Members& members = field.type->members();
  std::uint32_t number = field.number;
  std::size_t index = 0;
  for (Field inner : members.fields()) {
    inner.offset += offset;
    if (!inner.is_numbered) {
      inner.number = number;
      inner.is_numbered = number != 0;
    }
    if (number != 0) ++number;
    fields_.push_back(inner);
    add_rules(members.rules(index++));
  }
  if (members.unknown_fields_ != npos) {
    if (unknown_fields_ != npos) {
      end_field(source.name, field.name, "there are UnknownFields here already");
    }
    unknown_fields_ = offset + members.unknown_fields_;
  }
  if (on_unknown_ == OnUnknown::as_asked) on_unknown_ = members.on_unknown_;
}

void Members::note_xml_places(std::string_view type_name) {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const Field& field = fields_[i];
    if (field.xml == XmlPlace::element) continue;
    const Type* type = field.type;
    while (type->kind == Kind::represented ||
           (type->kind == Kind::optional && field.xml == XmlPlace::attribute)) {
      type = type->element;
    }
    if (type->kind > Kind::instant) {
      end_field(type_name, field.name, "only a single value can be an attribute or a text in XML");
    }
    has_xml_attributes_ = has_xml_attributes_ || field.xml == XmlPlace::attribute;
    if (field.xml != XmlPlace::text) continue;
    if (xml_text_ != npos) end_field(type_name, field.name, "another field is the text in XML");
    xml_text_ = i;
  }
}

void Members::make_keys() {
  std::vector<std::size_t> starts;
  for (const Field& field : fields_) {
    starts.push_back(keys_.size());
    if (!field.name.empty()) keys_ += '"' + impl::escaped_json(field.name) + "\":";
  }
  starts.push_back(keys_.size());
  keys_.append(key_padding, '\0');
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    fields_[i].key = std::string_view(keys_).substr(starts[i], starts[i + 1] - starts[i]);
  }
}

void Members::make_msgpack_keys() {
  for (const Field& field : fields_) {
    if (!field.name.empty()) impl::append_msgpack_text(msgpack_keys_, field.name);
  }
  const std::size_t size = msgpack_keys_.size();
  msgpack_keys_.append(key_padding, '\0');
  std::string_view rest = std::string_view(msgpack_keys_).substr(0, size);
  for (Field& field : fields_) {
    if (field.name.empty()) continue;
    const std::size_t length = impl::msgpack_text_head_size(field.name.size()) + field.name.size();
    field.msgpack_key = rest.substr(0, length);
    rest.remove_prefix(length);
  }
}

// What would be called like another field keeps the name it has here (foo_bar beside fooBar),
// unless that other one was named so.
void Members::make_json_names(std::string_view type_name) {
  std::map<std::string, std::size_t> counts;
  std::set<std::string_view> given;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    ++counts[impl::protobuf_json_name(fields_[i], i)];
    given.insert(fields_[i].json_name);
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    Field& field = fields_[i];
    std::string name = impl::protobuf_json_name(field, i);
    if (counts[name] > 1 && !given.contains(name)) {
      field.json_name = field.name;
      name = field.name;
    }
    has_json_names_ = has_json_names_ || !field.json_name.empty();
    if (!names.insert(name).second) {
      end_program(type_name, name, "called the same in protobuf's JSON");
    }
  }
}

void Members::make_slots(std::string_view type_name) {
  slots_.assign(std::bit_ceil(2 * fields_.size() + 1), 0);
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].name.empty()) continue;
    if (find(fields_[i].name) != npos) end_program(type_name, fields_[i].name, "named");
    std::size_t slot = hash_of(fields_[i].name) & (slots_.size() - 1);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = static_cast<std::uint16_t>(i + 1);
  }
}

void Members::check_numbers(std::string_view type_name) const {
  std::set<std::uint32_t> numbers;
  for (const Field& field : fields_) {
    const std::string name =
        field.name.empty() ? std::to_string(field.number) : std::string(field.name);
    if (field.number > 536'870'911 || (field.number >= 19'000 && field.number <= 19'999)) {
      end_field(type_name, name,
                std::to_string(field.number) + " is no number of a field in protobuf");
    }
    if (!impl::fits_wire(*field.type, field.wire, field.key_wire)) {
      end_field(type_name, name, "its type cannot be encoded_as that");
    }
    if (field.is_unpacked && !impl::can_be_packed(*field.type)) {
      end_field(type_name, name, "only a list of numbers can be unpacked()");
    }
    if (numbers.insert(field.number).second) continue;
    end_program(type_name, std::to_string(field.number), "numbered");
  }
}

// Numbers are small and close together nearly always.
void Members::make_numbers() {
  const std::size_t size = 4 * fields_.size() + 64;
  numbers_.assign(size, 0);
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].number < size) {
      numbers_[fields_[i].number] = static_cast<std::uint16_t>(i + 1);
    } else {
      high_numbers_.push_back(static_cast<std::uint16_t>(i));
    }
  }
  std::ranges::sort(high_numbers_, {}, [&](std::size_t i) { return fields_[i].number; });
}

std::size_t Members::find_high_number(std::uint32_t number) const noexcept {
  const auto at = std::ranges::lower_bound(high_numbers_, number, {},
                                           [&](std::size_t i) { return fields_[i].number; });
  return at != high_numbers_.end() && fields_[*at].number == number ? *at : npos;
}

std::size_t Members::find(std::string_view name) const noexcept {
  for (std::size_t slot = hash_of(name);; ++slot) {
    const std::size_t index = slots_[slot & (slots_.size() - 1)];
    if (index == 0) return npos;
    if (fields_[index - 1].name == name) return index - 1;
  }
}

bool Members::reset(const Field& field, void* object, Spare& spare) const {
  if (defaults_ == nullptr) return false;
  void* const to = at(object, field.offset);
  const void* const from = static_cast<const char*>(defaults_) + field.offset;
  // The usual ones without making an object, and keeping the memory they hold.
  if (field.variant == nullptr) {
    switch (field.type->kind) {
      case Kind::string:
        *static_cast<std::string*>(to) = *static_cast<const std::string*>(from);
        return true;
      case Kind::optional:
        if (field.type->optional->get(from) != nullptr) break;
        field.type->optional->reset(to);
        return true;
      case Kind::list:
        if (field.type->list->size(from) != 0) break;
        field.type->list->truncate(to, 0);
        return true;
      case Kind::map:
        if (field.type->map->size(from) != 0) break;
        field.type->map->clear(to, nullptr);
        return true;
      case Kind::enumeration:
      case Kind::duration:
      case Kind::instant:
        std::memcpy(to, from, field.type->size);
        return true;
      default:
        if (field.type->kind > Kind::float64) break;
        std::memcpy(to, from, field.type->size);
        return true;
    }
  }
  if (make_ == nullptr) return false;
  void* const fresh = at(spare.object(), field.offset);
  if (field.variant == nullptr) return take_value(*field.type, to, fresh);
  return take_alternative(*field.variant, to, fresh);
}

}  // namespace parley::codec
