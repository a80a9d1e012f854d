// The typed reader: what holds other values.
#include <utility>

#include "parley/codec/impl/begins_with.h"
#include "parley/codec/impl/json_reader.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/represented.h"

namespace parley::codec::impl {
namespace {

void* place(void* object, std::size_t offset) { return static_cast<char*>(object) + offset; }

}  // namespace

bool JsonReader::read_optional(const Type& type, void* object) {
  if (peek() == 'n') {
    if (!scan_literal("null")) return false;
    type.optional->reset(object);
    return true;
  }
  return read(*type.element, type.optional->ensure(object));
}

const char* JsonReader::read_list(const Type& type, void* object, const char* at) {
  const ListOperations& list = *type.list;
  if (at == end_ || *at != '[' || list.append == nullptr || list.data == nullptr) {
    at_ = at;
    return after(read_apart(type, object));
  }
  at = enter_at(at);
  if (at == nullptr) return nullptr;
  const Type& element_type = *type.element;
  const std::size_t old_size = list.size(object);
  std::size_t count = 0;
  bool done = at != end_ && *at == ']';
  if (done) {
    --depth_;
    ++at;
  }
  while (!done) {
    // The elements of a reused list are decoded over, for the memory they hold.
    void* const element = count < old_size ? place(list.data(object), count * element_type.size)
                                           : list.append(object);
    at = read_value(element_type, element, at);
    if (at == nullptr) return after(failure_.in_index(count));
    at = next_at(at, ']', ++count, done);
    if (at == nullptr) return nullptr;
  }
  if (count < old_size) list.truncate(object, count);
  return at;
}

// Lists whose elements do not lie side by side, or do not change once they are in.
bool JsonReader::read_apart(const Type& type, void* object) {
  if (peek() != '[') return fail_type("array");
  if (!enter()) return false;
  const ListOperations& list = *type.list;
  list.truncate(object, 0);
  Target target{this, type.element};
  std::size_t count = 0;
  for (bool done = is_closed(']'); !done;) {
    const bool is_read = list.append != nullptr ? read(*type.element, list.append(object))
                                                : list.insert(object, &read_target, &target);
    if (!is_read) return failure_.in_index(count);
    if (!next_element(']', ++count, done)) return false;
  }
  return true;
}

bool JsonReader::read_array(const Type& type, void* object) {
  if (peek() != '[') return fail_type("array");
  if (!enter()) return false;
  std::size_t count = 0;
  for (bool done = is_closed(']'); !done;) {
    if (count == type.count) return fail_arity(type.count, count, false);
    if (!read(*type.element, place(object, count * type.element->size))) {
      return failure_.in_index(count);
    }
    if (!next_element(']', ++count, done)) return false;
  }
  return count == type.count || fail_arity(type.count, count, true);
}

bool JsonReader::read_tuple(const Type& type, void* object) {
  if (peek() == '{' && type.members().are_parameters()) {
    const char* const end = read_structure(type, object, at_);
    if (end != nullptr) at_ = end;
    return end != nullptr;
  }
  if (peek() != '[') return fail_type("array");
  if (!enter()) return false;
  const std::span<const Field> fields = type.members().fields();
  std::size_t count = 0;
  for (bool done = is_closed(']'); !done;) {
    if (count == fields.size()) return fail_arity(fields.size(), count, false);
    const Field& field = fields[count];
    if (!read(*field.type, place(object, field.offset))) return failure_.in_index(count);
    if (!next_element(']', ++count, done)) return false;
  }
  return count == fields.size() || fail_arity(fields.size(), count, true);
}

// Unless the array is closed already, counts what is left of it.
bool JsonReader::fail_arity(std::size_t expected, std::size_t got, bool closed) {
  while (!closed) {
    if (!skip_value()) return failure_.in_index(got);
    if (!next_element(']', ++got, closed)) return false;
  }
  return impl::fail_arity(expected, got, failure_);
}

bool JsonReader::read_map(const Type& type, void* object) {
  if (peek() != '{') return fail_type("object");
  if (!enter()) return false;
  MapSpare spare;
  type.map->clear(object, &spare);
  Target target{this, type.key};
  std::size_t count = 0;
  for (bool done = is_closed('}'); !done;) {
    bool is_new = false;
    void* const value = type.map->insert(object, &spare, &read_key_target, &target, is_new);
    if (value == nullptr) return false;
    const std::string_view key = key_.text;
    if (!is_new) return fail_duplicate(key);
    if (!read(*type.element, value)) return failure_.in_key(key);
    if (!next_element('}', ++count, done)) return false;
  }
  return true;
}

bool JsonReader::read_key_target(void* target, void* key) {
  const Target& self = *static_cast<Target*>(target);
  RawString& raw = self.reader->key_;
  if (!self.reader->scan_key(raw)) return false;
  if (self.type->kind != Kind::string) return self.reader->set_key(*self.type, raw, key);
  auto& text = *static_cast<std::string*>(key);
  if (raw.has_escapes) {
    unescape_json(raw.text, text);
  } else {
    text.assign(raw.text);
  }
  return true;
}

bool JsonReader::fail_duplicate(std::string_view key) {
  fail_invalid("the key appears twice");
  return failure_.in_key(key);
}

// {"Name of the alternative": its value}, or null for nothing.
bool JsonReader::read_variant(const Type& type, void* object) {
  const VariantOperations& variant = *type.variant;
  RawString raw;
  if (peek() == '{') {
    if (!enter()) return false;
    if (peek() == '}') return fail_alternative(variant, {}, "null", failure_);
    if (!scan_key(raw)) return false;
  } else if (peek() != 'n') {
    return fail_type("an object with the name of one alternative");
  } else if (!scan_literal("null")) {
    return false;
  }
  std::string room;
  const std::string_view name = meaning_of(raw, room);
  for (std::size_t i = 0; i < variant.alternatives.size(); ++i) {
    const Alternative& alternative = variant.alternatives[i];
    if ((alternative.type == nullptr) != (raw.text.data() == nullptr)) continue;
    if (alternative.type != nullptr && alternative.name != name) continue;
    void* const value = variant.emplace(object, i);
    if (alternative.type == nullptr) return true;
    if (!read(*alternative.type, value)) return failure_.in_key(raw.text);
    bool done = false;
    if (!next_element('}', 1, done)) return false;
    return done || fail_invalid("more than one alternative");
  }
  return fail_alternative(variant, name, "null", failure_);
}

bool JsonReader::read_represented(const Type& type, void* object) {
  Target target{this, type.element};
  return take_represented(type, object, &read_target, &target, is_represented_, failure_);
}

const char* JsonReader::read_structure(const Type& type, void* object, const char* at) {
  if (at == end_ || *at != '{') {
    at_ = at;
    return after(fail_type("object"));
  }
  at = enter_at(at);
  if (at == nullptr) return nullptr;
  const Members& members = type.members();
  const std::span<const Field> fields = members.fields();
  if (UnknownFields* const kept = members.unknown_fields(object)) *kept = {};
  SeenFields seen(fields.size(), more_seen_);
  std::size_t expected = 0;
  std::size_t count = 0;
  bool done = at != end_ && *at == '}';
  if (done) {
    --depth_;
    ++at;
  }
  while (!done) {
    std::size_t index = expected;
    // Nearly always the members come in the order of the struct: one comparison then.
    if (index < fields.size() && begins_with(at, end_, fields[index].key)) {
      at = skip_space_at(at + fields[index].key.size());
    } else {
      at_ = at;
      index = find_any_field(members);
      at = at_;
    }
    if (index < fields.size()) {
      const Field& field = fields[index];
      if (!seen.mark(index)) return after(fail_duplicate(field.name));
      expected = index + 1;
      void* const value = field.variant == nullptr
                              ? place(object, field.offset)
                              : emplace_alternative(members, index, seen, object, failure_);
      if (value == nullptr) return nullptr;
      at = read_value(*field.type, value, at);
      if (at == nullptr) return after(failure_.in_field(field.name));
    } else if (index == no_field || !read_unknown_member(members, object)) {
      return nullptr;
    } else {
      at = at_;
    }
    at = next_at(at, '}', ++count, done);
    if (at == nullptr) return nullptr;
  }
  if (seen.count() == fields.size()) return at;
  return reset_absent(members, seen, object, options_.require_all_fields, failure_) ? at : nullptr;
}

std::size_t JsonReader::find_any_field(const Members& members) {
  key_start_ = at_;
  if (!scan_key(key_)) return no_field;
  if (!key_.has_escapes) return members.find(key_.text);
  std::string room;
  return members.find(meaning_of(key_, room));
}

bool JsonReader::read_unknown_member(const Members& members, void* object) {
  const std::string_view key = key_.text;
  const char* const start = key_start_;
  if (refuses_unknown(members, object, options_.refuse_unknown_fields)) {
    fail_unknown_field(members, key, failure_);
    return failure_.in_key(key);
  }
  if (!skip_value()) return failure_.in_key(key);
  if (UnknownFields* const kept = members.unknown_fields(object)) {
    if (!kept->json.empty()) kept->json += ',';
    kept->json.append(start, at_);
  }
  return true;
}

}  // namespace parley::codec::impl
