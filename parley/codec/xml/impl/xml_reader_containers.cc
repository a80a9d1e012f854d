// The typed reader: what holds other values.
#include <span>

#include "parley/codec/impl/member_rules.h"
#include "parley/codec/xml/impl/xml_characters.h"
#include "parley/codec/xml/impl/xml_reader.h"
#include "parley/codec/xml/impl/xml_text.h"

namespace parley::codec::impl {
namespace {

void* at(void* object, std::size_t offset) { return static_cast<char*>(object) + offset; }

bool is_blank(std::string_view text) {
  return text.find_first_not_of(xml_space) == std::string_view::npos;
}

bool is_called(pugi::xml_node node, std::string_view name) {
  const std::string_view actual = node.name();
  return actual == name || local_name(actual) == name;
}

// Attributes that say something about the text and not about the value.
bool is_about_xml(std::string_view name) {
  const std::string_view prefix = prefix_of(name);
  return name == "xmlns" || prefix == "xmlns" || prefix == "xml" || prefix == "xsi" ||
         (!prefix.empty() && local_name(name) == "nil");
}

}  // namespace

bool XmlReader::next_element(pugi::xml_node& child) {
  for (; child && child.type() != pugi::node_element; child = child.next_sibling()) {
    if (!is_blank(child.value())) return fail_text(child);
  }
  return true;
}

bool XmlReader::count_items(pugi::xml_node node, std::size_t& count) {
  for (pugi::xml_node child = node.first_child(); child; child = child.next_sibling()) {
    if (!next_element(child)) return false;
    if (!child) return true;
    if (!is_called(child, xml_item)) return fail_name(child, xml_item);
    ++count;
  }
  return true;
}

// Of an element that is no struct: it has no attributes of its own.
bool XmlReader::check_attributes(const Place& place) {
  if (!options_.refuse_unknown_fields) return true;
  for (const pugi::xml_attribute attribute : place.node.attributes()) {
    const std::string_view name = attribute.name();
    if (is_about_xml(name) || (place.is_entry && name == xml_key)) continue;
    fail(tree_.offset_of(attribute.name()), "unknown attribute (refuse_unknown_fields is on)");
    return failure_.in_field(name);
  }
  return true;
}

bool XmlReader::read_element(const Type& type, std::size_t index, pugi::xml_node node,
                             void* object) {
  const ListOperations& list = *type.list;
  Target target{.reader = this, .type = type.element, .place = {.node = node}};
  bool is_read = false;
  if (list.append == nullptr) {
    is_read = list.insert(object, &read_target, &target);
  } else {
    // The elements of a reused list are decoded over, for the memory they hold.
    const bool is_old = list.data != nullptr && index < list.size(object);
    void* const element =
        is_old ? at(list.data(object), index * type.element->size) : list.append(object);
    is_read = read(*type.element, target.place, element);
  }
  return is_read || failure_.in_index(index);
}

bool XmlReader::read_list(const Type& type, const Place& place, void* object) {
  std::size_t count = 0;
  if (!check_attributes(place) || !count_items(place.node, count)) return false;
  const bool is_apart = type.list->append == nullptr || type.list->data == nullptr;
  if (is_apart || type.list->size(object) > count) {
    type.list->truncate(object, is_apart ? 0 : count);
  }
  std::size_t index = 0;
  for (const pugi::xml_node child : place.node.children()) {
    if (child.type() != pugi::node_element) continue;
    if (!read_element(type, index++, child, object)) return false;
  }
  return true;
}

bool XmlReader::read_array(const Type& type, const Place& place, void* object) {
  std::size_t count = 0;
  if (!check_attributes(place) || !count_items(place.node, count)) return false;
  failed_ = offset_of(place);
  if (count != type.count) return fail_arity(type.count, count, failure_);
  std::size_t index = 0;
  for (const pugi::xml_node child : place.node.children()) {
    if (child.type() != pugi::node_element) continue;
    void* const element = at(object, index * type.element->size);
    if (!read(*type.element, Place{.node = child}, element)) return failure_.in_index(index);
    ++index;
  }
  return true;
}

bool XmlReader::read_tuple(const Type& type, const Place& place, void* object) {
  std::size_t count = 0;
  if (!check_attributes(place) || !count_items(place.node, count)) return false;
  const std::span<const Field> fields = type.members().fields();
  failed_ = offset_of(place);
  if (count != fields.size()) return fail_arity(fields.size(), count, failure_);
  std::size_t index = 0;
  for (const pugi::xml_node child : place.node.children()) {
    if (child.type() != pugi::node_element) continue;
    const Field& field = fields[index];
    if (!read(*field.type, Place{.node = child}, at(object, field.offset))) {
      return failure_.in_index(index);
    }
    ++index;
  }
  return true;
}

bool XmlReader::read_map(const Type& type, const Place& place, void* object) {
  if (!check_attributes(place)) return false;
  type.map->clear(object, nullptr);
  for (pugi::xml_node child = place.node.first_child(); child; child = child.next_sibling()) {
    if (!next_element(child)) return false;
    if (!child) return true;
    if (!read_entry(type, child, object)) return false;
  }
  return true;
}

bool XmlReader::read_entry(const Type& type, pugi::xml_node entry, void* object) {
  if (!is_called(entry, xml_entry)) return fail_name(entry, xml_entry);
  const pugi::xml_attribute key = entry.attribute(xml_key.data());
  if (!key) return fail(Place{.node = entry}, "expected the attribute key");
  Target target{.reader = this, .type = type.key, .place = {.node = entry, .text = key.value()}};
  bool is_new = false;
  void* const value = type.map->insert(object, nullptr, &read_target, &target, is_new);
  if (value == nullptr) return failure_.in_field(key.value());
  if (!is_new) {
    fail(Place{.node = entry}, "the key appears twice");
    return failure_.in_field(key.value());
  }
  return read(*type.element, Place{.node = entry, .is_entry = true}, value) ||
         failure_.in_field(key.value());
}

// An element with the name of one alternative inside, or nothing.
bool XmlReader::read_variant(const Type& type, const Place& place, void* object) {
  if (!check_attributes(place)) return false;
  const VariantOperations& variant = *type.variant;
  pugi::xml_node child = place.node.first_child();
  if (!next_element(child)) return false;
  pugi::xml_node other = child.next_sibling();
  if (child && !next_element(other)) return false;
  if (other) return fail(Place{.node = other}, "more than one alternative");
  for (std::size_t i = 0; i < variant.alternatives.size(); ++i) {
    const Alternative& alternative = variant.alternatives[i];
    if ((alternative.type == nullptr) != !child) continue;
    if (child && !is_called(child, alternative.name)) continue;
    void* const value = variant.emplace(object, i);
    if (!child) return true;
    return read(*alternative.type, Place{.node = child}, value) ||
           failure_.in_field(alternative.name);
  }
  failed_ = offset_of(child ? Place{.node = child} : place);
  return fail_alternative(variant, child ? std::string_view(child.name()) : std::string_view(),
                          "nothing", failure_);
}

std::size_t XmlReader::find(const Members& members, std::string_view name, XmlPlace place) {
  for (const std::string_view meant : {name, local_name(name)}) {
    const std::size_t index = members.find(meant);
    if (index != Members::npos && members.fields()[index].xml == place) return index;
  }
  return Members::npos;
}

bool XmlReader::read_structure(const Type& type, const Place& place, void* object) {
  const Members& members = type.members();
  SeenFields seen(members.fields().size(), more_seen_);
  Counts counts(members.fields().size(), counts_);
  if (!read_attributes(members, place, seen, object)) return false;
  if (members.xml_text() != Members::npos && !read_own_text(members, place.node, seen, object)) {
    return false;
  }
  for (pugi::xml_node child = place.node.first_child(); child; child = child.next_sibling()) {
    if (members.xml_text() != Members::npos && child.type() != pugi::node_element) continue;
    if (!next_element(child)) return false;
    if (!child) break;
    if (!read_child(members, child, seen, counts, object)) return false;
  }
  if (UnknownFields* const kept = members.unknown_fields(object)) {
    *kept = {};
    keep_unknown(members, place, *kept);
  }
  return finish_members(members, place.node, seen, counts, object);
}

bool XmlReader::check_unknown(const Members& members, std::string_view name, const char* place,
                              const void* object) {
  if (!refuses_unknown(members, object, options_.refuse_unknown_fields)) return true;
  failed_ = tree_.offset_of(place);
  fail_unknown_field(members, name, failure_);
  return failure_.in_field(name);
}

bool XmlReader::read_attributes(const Members& members, const Place& place, SeenFields& seen,
                                void* object) {
  for (const pugi::xml_attribute attribute : place.node.attributes()) {
    const std::string_view name = attribute.name();
    if (place.is_entry && name == xml_key) continue;
    const std::size_t index = is_about_xml(name) && members.find(name) == Members::npos
                                  ? Members::npos
                                  : find(members, name, XmlPlace::attribute);
    if (index == Members::npos) {
      if (is_about_xml(name)) continue;
      if (!check_unknown(members, name, attribute.name(), object)) return false;
      continue;
    }
    const Field& field = members.fields()[index];
    if (!seen.mark(index)) {
      fail(tree_.offset_of(attribute.name()), "the attribute appears twice");
      return failure_.in_field(field.name);
    }
    const Place value{.node = place.node, .text = attribute.value()};
    if (!read(*field.type, value, at(object, field.offset))) return failure_.in_field(field.name);
  }
  return true;
}

// The text of the element that is a member, whatever stands between its pieces.
bool XmlReader::read_own_text(const Members& members, pugi::xml_node node, SeenFields& seen,
                              void* object) {
  const Field& field = members.fields()[members.xml_text()];
  seen.mark(members.xml_text());
  std::string text;
  for (const pugi::xml_node child : node.children()) {
    if (child.type() != pugi::node_element) text += child.value();
  }
  if (text.size() > style_.limits.max_string_bytes) {
    return fail_size(Place{.node = node}, text.size()) || failure_.in_field(field.name);
  }
  // Where it is one piece, views show it.
  const pugi::xml_node first = node.first_child();
  const bool is_one = first && first.type() != pugi::node_element && !first.next_sibling();
  const Place value{.node = node, .text = is_one ? first.value() : text.c_str()};
  return read(*field.type, value, at(object, field.offset)) || failure_.in_field(field.name);
}

// The field that the element is; no_field where it is skipped, failed_field with the failure.
std::size_t XmlReader::find_child(const Members& members, pugi::xml_node child, SeenFields& seen,
                                  const void* object) {
  const std::size_t index = find(members, child.name(), XmlPlace::element);
  if (index == Members::npos) {
    return check_unknown(members, child.name(), child.name(), object) ? no_field : failed_field;
  }
  failed_ = offset_of(Place{.node = child});
  if (seen.mark(index) || repeats(members.fields()[index])) return index;
  fail(failed_, "the element appears twice");
  failure_.in_field(members.fields()[index].name);
  return failed_field;
}

// Where to read the next element of this field. Null with the failure, for a variant; null where
// read_apart() goes on.
void* XmlReader::room_for(const Members& members, std::size_t index, SeenFields& seen,
                          Counts& counts, void* object) {
  const Field& field = members.fields()[index];
  if (field.variant != nullptr) {
    return emplace_alternative(members, index, seen, object, failure_);
  }
  void* const member = at(object, field.offset);
  if (!repeats(field)) return member;
  const Type& type = *field.type;
  const std::size_t count = counts[index]++;
  if (type.kind == Kind::array) {
    return count < type.count ? at(member, count * type.element->size) : nullptr;
  }
  const ListOperations& list = *type.list;
  const bool is_apart = list.append == nullptr || list.data == nullptr;
  if (count == 0 && is_apart) list.truncate(member, 0);
  if (list.append == nullptr) return nullptr;
  // The elements of a reused list are decoded over, for the memory they hold.
  const bool is_old = !is_apart && count < list.size(member);
  return is_old ? at(list.data(member), count * type.element->size) : list.append(member);
}

// An element that is put in once it is read; one too many for an array is refused at the end.
bool XmlReader::read_apart(const Type& type, pugi::xml_node child, void* object) {
  if (type.kind == Kind::array) return true;
  Target target{.reader = this, .type = type.element, .place = {.node = child}};
  return type.list->insert(object, &read_target, &target);
}

bool XmlReader::read_child(const Members& members, pugi::xml_node child, SeenFields& seen,
                           Counts& counts, void* object) {
  const std::size_t index = find_child(members, child, seen, object);
  if (index >= members.fields().size()) return index == no_field;
  const Field& field = members.fields()[index];
  void* const value = room_for(members, index, seen, counts, object);
  if (!repeats(field)) {
    if (value == nullptr) return false;
    return read(*field.type, Place{.node = child}, value) || failure_.in_field(field.name);
  }
  if (value == nullptr ? read_apart(*field.type, child, at(object, field.offset))
                       : read(*field.type->element, Place{.node = child}, value)) {
    return true;
  }
  failure_.in_index(counts[index] - 1);
  return failure_.in_field(field.name);
}

bool XmlReader::finish_members(const Members& members, pugi::xml_node node, SeenFields& seen,
                               Counts& counts, void* object) {
  failed_ = offset_of(Place{.node = node});
  const std::span<const Field> fields = members.fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    if (!repeats(field)) continue;
    if (field.type->kind == Kind::array) {
      if (counts[i] == 0 || counts[i] == field.type->count) continue;
      return fail_arity(field.type->count, counts[i], failure_) || failure_.in_field(field.name);
    }
    void* const list = at(object, field.offset);
    if (field.type->list->size(list) > counts[i]) field.type->list->truncate(list, counts[i]);
    seen.mark(i);
  }
  return seen.count() == fields.size() ||
         reset_absent(members, seen, object, options_.require_all_fields, failure_);
}

// As an element of its own, with what is unknown of this one.
void XmlReader::keep_unknown(const Members& members, const Place& place, UnknownFields& kept) {
  std::string text = "<" + std::string(xml_unknown);
  const std::size_t nothing = text.size() + 1;
  for (const pugi::xml_attribute attribute : place.node.attributes()) {
    const std::string_view name = attribute.name();
    if (is_about_xml(name) || (place.is_entry && name == xml_key)) continue;
    if (find(members, name, XmlPlace::attribute) != Members::npos) continue;
    append_xml_attribute(text, name, attribute.value());
  }
  text += '>';
  for (const pugi::xml_node child : place.node.children()) {
    if (child.type() != pugi::node_element) continue;
    if (find(members, child.name(), XmlPlace::element) != Members::npos) continue;
    append_xml_element(text, child);
  }
  if (text.size() == nothing) return;
  kept.xml = text + "</" + std::string(xml_unknown) + ">";
}

}  // namespace parley::codec::impl
