// The typed reader: what holds other values.
#include <cstring>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "parley/base/suggest.h"
#include "parley/codec/impl/json_reader.h"

namespace parley::codec::impl {
namespace {

void* place(void* object, std::size_t offset) { return static_cast<char*>(object) + offset; }

// Whether the text at `text` begins with `key`, behind which Members::key_padding bytes may be
// read.
bool begins_with(const char* text, const char* end, std::string_view key) {
#if defined(__SSE2__)
  static_assert(Members::key_padding >= 16);
  if (key.size() <= 16 && end - text >= 16) {
    const __m128i is_same =
        _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text)),
                       _mm_loadu_si128(reinterpret_cast<const __m128i*>(key.data())));
    const std::uint32_t differs = ~static_cast<std::uint32_t>(_mm_movemask_epi8(is_same));
    return (differs & ((std::uint32_t{1} << key.size()) - 1)) == 0;
  }
#endif
  return static_cast<std::size_t>(end - text) >= key.size() &&
         std::memcmp(text, key.data(), key.size()) == 0;
}

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
  return fail_invalid("expected an array of " + std::to_string(expected) +
                      (expected == 1 ? " element" : " elements") + ", got " + std::to_string(got));
}

bool JsonReader::read_map(const Type& type, void* object) {
  if (peek() != '{') return fail_type("object");
  if (!enter()) return false;
  type.map->clear(object);
  Target target{this, type.key};
  std::size_t count = 0;
  for (bool done = is_closed('}'); !done;) {
    bool is_new = false;
    void* const value = type.map->insert(object, &read_key_target, &target, is_new);
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
    if (peek() == '}') return fail_alternative(variant, {});
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
  return fail_alternative(variant, name);
}

bool JsonReader::fail_alternative(const VariantOperations& variant, std::string_view name) {
  std::string message = "no alternative \"" + shortened(escaped_json(name), 64) + "\": expected ";
  if (name.data() == nullptr) message = "no alternative: expected ";
  std::string separator;
  for (const Alternative& alternative : variant.alternatives) {
    message += separator + (alternative.type == nullptr ? "null" : std::string(alternative.name));
    separator = ", ";
  }
  return fail_invalid(message);
}

bool JsonReader::read_represented(const Type& type, void* object) {
  Target target{this, type.element};
  bool filled = false;
  const Status status = type.represented->take(object, &read_target, &target, filled);
  if (!filled) return false;
  return status.is_ok() || failure_.set(status.code(), status.message());
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
                              : emplace_alternative(members, index, seen, object);
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
  return reset_absent(members, seen, object) ? at : nullptr;
}

// Null when another alternative of the same variant has been read.
void* JsonReader::emplace_alternative(const Members& members, std::size_t index,
                                      const SeenFields& seen, void* object) {
  const std::span<const Field> fields = members.fields();
  const Field& field = fields[index];
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i == index || fields[i].variant == nullptr || fields[i].offset != field.offset) continue;
    if (!seen.has(i)) continue;
    fail_invalid("there is '" + std::string(fields[i].name) + "' already, and only one of them");
    failure_.in_field(field.name);
    return nullptr;
  }
  return field.variant->emplace(place(object, field.offset), field.alternative);
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
  UnknownFields* const kept = members.unknown_fields(object);
  const OnUnknown policy = members.on_unknown();
  if (kept == nullptr && (policy == OnUnknown::refuse ||
                          (policy == OnUnknown::as_asked && options_.refuse_unknown_fields))) {
    std::vector<std::string_view> names;
    for (const Field& field : members.fields()) names.push_back(field.name);
    constexpr std::size_t longest_word = 64;
    const auto near = key.size() <= longest_word ? nearest(key, names) : std::nullopt;
    fail_invalid(std::string("unknown field") +
                 (near ? ", did you mean '" + std::string(*near) + "'?" : "") +
                 (policy == OnUnknown::refuse ? " (its type refuses them)"
                                              : " (refuse_unknown_fields is on)"));
    return failure_.in_key(key);
  }
  if (!skip_value()) return failure_.in_key(key);
  if (kept != nullptr) {
    if (!kept->json.empty()) kept->json += ',';
    kept->json.append(start, at_);
  }
  return true;
}

bool JsonReader::reset_absent(const Members& members, const SeenFields& seen, void* object) {
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
    } else if (seen.has(i)) {
      continue;
    } else if (field.is_required) {
      fail_invalid("the field is required and missing");
      return failure_.in_field(field.name);
    } else if (options_.require_all_fields && field.type->kind != Kind::optional) {
      fail_invalid("the field is missing (require_all_fields is on)");
      return failure_.in_field(field.name);
    }
    if (!members.reset(field, object, spare)) {
      fail_invalid("the field is missing, and its type has no default");
      return failure_.in_field(field.name);
    }
  }
  return true;
}

}  // namespace parley::codec::impl
