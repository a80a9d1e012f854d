// The typed reader: what holds other values.
#include <optional>
#include <span>
#include <utility>

#include "parley/base/suggest.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/represented.h"
#include "parley/codec/yaml/impl/yaml_reader.h"

namespace parley::codec::impl {
namespace {

constexpr std::size_t max_shown_text = 64;
constexpr std::string_view free_key = "x-";

void* at(void* object, std::size_t offset) { return static_cast<char*>(object) + offset; }

bool holds_text(const Type& type) {
  switch (type.kind) {
    case Kind::string:
    case Kind::bytes:
      return true;
    case Kind::represented:
      return holds_text(*type.element);
    default:
      return false;
  }
}

}  // namespace

bool YamlReader::read_optional(const Type& type, YamlId id, void* object) {
  const YamlNode& node = tree_.at(id);
  const bool is_null = node.what == YamlNode::What::null ||
                       (node.is_verbatim && !holds_text(*type.element) && is_yaml_null(node.text));
  if (is_null) {
    type.optional->reset(object);
    return true;
  }
  return read(*type.element, id, type.optional->ensure(object));
}

bool YamlReader::read_list(const Type& type, YamlId id, void* object) {
  if (!expect(id, YamlNode::What::list, "a list")) return false;
  const ListOperations& list = *type.list;
  const std::vector<YamlId>& children = tree_.at(id).children;
  const bool in_place = list.append != nullptr && list.data != nullptr;
  const std::size_t old_size = list.size(object);
  if (!in_place) list.truncate(object, 0);
  for (std::size_t i = 0; i < children.size(); ++i) {
    bool filled = false;
    if (in_place) {
      // The elements of a reused list are decoded over, for the memory they hold.
      void* const element =
          i < old_size ? at(list.data(object), i * type.element->size) : list.append(object);
      filled = read(*type.element, children[i], element);
    } else if (list.append != nullptr) {
      filled = read(*type.element, children[i], list.append(object));
    } else {
      Target target{.reader = this, .type = type.element, .id = children[i]};
      filled = list.insert(object, &read_target, &target);
    }
    if (!filled) return failure_.in_index(i);
  }
  if (in_place && children.size() < old_size) list.truncate(object, children.size());
  return true;
}

bool YamlReader::fail_arity(YamlId id, std::size_t expected) {
  return fail(id, "expected a list of " + std::to_string(expected) +
                      (expected == 1 ? " element" : " elements") + ", got " +
                      std::to_string(tree_.at(id).children.size()));
}

bool YamlReader::read_array(const Type& type, YamlId id, void* object) {
  if (!expect(id, YamlNode::What::list, "a list")) return false;
  const std::vector<YamlId>& children = tree_.at(id).children;
  if (children.size() != type.count) return fail_arity(id, type.count);
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (!read(*type.element, children[i], at(object, i * type.element->size))) {
      return failure_.in_index(i);
    }
  }
  return true;
}

bool YamlReader::read_tuple(const Type& type, YamlId id, void* object) {
  if (!expect(id, YamlNode::What::list, "a list")) return false;
  const std::vector<YamlId>& children = tree_.at(id).children;
  const std::span<const Field> fields = type.members().fields();
  if (children.size() != fields.size()) return fail_arity(id, fields.size());
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (!read(*fields[i].type, children[i], at(object, fields[i].offset))) {
      return failure_.in_index(i);
    }
  }
  return true;
}

bool YamlReader::read_map(const Type& type, YamlId id, void* object) {
  if (!is_empty_document(id) && !expect(id, YamlNode::What::map, "a map")) return false;
  type.map->clear(object, nullptr);
  const std::vector<YamlId>& children = tree_.at(id).children;
  for (std::size_t i = 0; i < children.size(); i += 2) {
    const std::string& text = tree_.at(children[i]).text;
    Target target{.reader = this, .type = type.key, .id = children[i]};
    bool is_new = false;
    void* const value = type.map->insert(object, nullptr, &read_key_target, &target, is_new);
    if (value == nullptr) return failure_.in_field(text);
    if (!is_new) {
      // 16 and 0x10, say: the texts differ.
      fail(children[i], "the key appears twice");
      return failure_.in_field(text);
    }
    if (!read(*type.element, children[i + 1], value)) return failure_.in_field(text);
  }
  return true;
}

bool YamlReader::read_key_target(void* target, void* key) {
  const Target& self = *static_cast<Target*>(target);
  self.reader->in_key_ = true;
  const bool is_read = self.reader->read(*self.type, self.id, key);
  self.reader->in_key_ = false;
  return is_read;
}

// A map with the name of one alternative, or null for nothing.
bool YamlReader::read_variant(const Type& type, YamlId id, void* object) {
  const VariantOperations& variant = *type.variant;
  const YamlNode& node = tree_.at(id);
  const bool is_null = node.what == YamlNode::What::null;
  if (!is_null && node.what != YamlNode::What::map) {
    return fail_type(id, "a map with the name of one alternative");
  }
  failed_ = is_null || node.children.empty() ? id : node.children[0];
  if (!is_null && node.children.empty()) return fail_alternative(variant, {}, "null", failure_);
  if (node.children.size() > 2) return fail(node.children[2], "more than one alternative");
  for (std::size_t i = 0; i < variant.alternatives.size(); ++i) {
    const Alternative& alternative = variant.alternatives[i];
    if ((alternative.type == nullptr) != is_null) continue;
    if (!is_null && alternative.name != tree_.at(node.children[0]).text) continue;
    void* const value = variant.emplace(object, i);
    if (is_null) return true;
    return read(*alternative.type, node.children[1], value) || failure_.in_field(alternative.name);
  }
  const std::string_view name =
      is_null ? std::string_view() : std::string_view(tree_.at(node.children[0]).text);
  return fail_alternative(variant, name, "null", failure_);
}

bool YamlReader::read_represented(const Type& type, YamlId id, void* object) {
  Target target{.reader = this, .type = type.element, .id = id};
  return take_represented(
      type, object, &read_target, &target, is_represented_,
      [&](const Status& status) { return fail(id, status.message(), status.code()); });
}

bool YamlReader::read_structure(const Type& type, YamlId id, void* object) {
  const YamlNode& node = tree_.at(id);
  if (!is_empty_document(id) && !expect(id, YamlNode::What::map, "a map")) return false;
  const Members& members = type.members();
  if (UnknownFields* const kept = members.unknown_fields(object)) *kept = {};
  SeenFields seen(members.fields().size(), more_seen_);
  for (std::size_t i = 0; i < node.children.size(); i += 2) {
    if (!read_member(members, id, i, seen, object)) return false;
  }
  if (seen.count() == members.fields().size()) return true;
  failed_ = id;
  return reset_absent(members, seen, object, false, failure_);
}

bool YamlReader::read_member(const Members& members, YamlId map, std::size_t place,
                             SeenFields& seen, void* object) {
  const YamlId key = tree_.at(map).children[place];
  const std::size_t index = members.find(tree_.at(key).text);
  if (index == Members::npos) return read_unknown_member(members, map, place, object);
  const Field& field = members.fields()[index];
  failed_ = key;
  seen.mark(index);  // keys are unique in a node
  void* const value = field.variant == nullptr
                          ? at(object, field.offset)
                          : emplace_alternative(members, index, seen, object, failure_);
  if (value == nullptr) return false;
  return read(*field.type, tree_.at(map).children[place + 1], value) ||
         failure_.in_field(field.name);
}

bool YamlReader::read_unknown_member(const Members& members, YamlId map, std::size_t place,
                                     void* object) {
  const YamlId key = tree_.at(map).children[place];
  const std::string& name = tree_.at(key).text;
  if (UnknownFields* const kept = members.unknown_fields(object)) {
    std::string json = '"' + escaped_json(name) + "\":";
    if (!append_json(tree_.at(map).children[place + 1], json)) return failure_.in_field(name);
    if (!kept->json.empty()) kept->json += ',';
    kept->json += json;
    return true;
  }
  if (!refuses_unknown(members, object, !options_.ignore_unknown_fields)) return true;
  if (is_document_ && map == document_ && name.starts_with(free_key)) return true;
  return fail_unknown(members, key);
}

bool YamlReader::fail_unknown(const Members& members, YamlId key) {
  const std::string& name = tree_.at(key).text;
  std::vector<std::string_view> names;
  for (const Field& field : members.fields()) names.push_back(field.name);
  const auto near = name.size() <= max_shown_text ? nearest(name, names) : std::nullopt;
  std::string message = "unknown key";
  if (near) {
    message += ", did you mean '" + std::string(*near) + "'?";
  } else {
    constexpr std::size_t most = 12;
    for (std::size_t i = 0; i < names.size() && i < most; ++i) {
      message += (i == 0 ? ": there are " : ", ") + std::string(names[i]);
    }
    if (names.size() > most) message += ", ...";
  }
  fail(key, std::move(message));
  return failure_.in_field(name);
}

}  // namespace parley::codec::impl
