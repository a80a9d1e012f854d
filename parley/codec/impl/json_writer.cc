// The typed writer: walks a table of types and appends text.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "parley/base/base64.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/held_json.h"
#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/json_cursor.h"
#include "parley/codec/impl/json_escape.h"
#include "parley/codec/impl/json_number.h"
#include "parley/codec/impl/json_output.h"
#include "parley/codec/impl/json_scan.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/protobuf_json.h"
#include "parley/codec/impl/time_text.h"
#include "parley/codec/impl/utf8.h"
#include "parley/codec/json.h"
#include "parley/codec/members.h"

namespace parley::codec {
namespace impl {
namespace {

constexpr std::array<char, 5> true_text = {'t', 'r', 'u', 'e', ' '};
constexpr std::array<char, 5> false_text = {'f', 'a', 'l', 's', 'e'};

// Of an object that is JSON; its values are skipped.
class KeysOfObject : private JsonCursor {
 public:
  using JsonCursor::JsonCursor;

  // Whether one of them is the name of a member; then `key` is.
  bool find_known(const Members& members, std::string& key) {
    ++at_;
    for (skip_space(); peek() == '"'; skip_space()) {
      RawString raw;
      if (!scan_key(raw)) return false;
      key.assign(raw.text);
      if (raw.has_escapes) unescape_json(raw.text, key);
      if (members.find(key) != Members::npos) return true;
      if (!skip_value()) return false;
      skip_space();
      if (peek() == ',') ++at_;
    }
    return false;
  }
};

class JsonWriter : public JsonOutput {
 public:
  using JsonOutput::JsonOutput;

  bool write(const Type& type, const void* object) {
    char* const end = write_value(type, object, at_);
    if (end == nullptr) return false;
    at_ = end;
    return true;
  }

 private:
  // Each stands alone, as in the reader: write() calls itself. What is written most hands the
  // position on. Inlined into the loops over members and elements; calls only what stands alone.
  [[gnu::always_inline]] char* write_value(const Type& type, const void* object, char* at);
  [[gnu::noinline]] bool write_rare(const Type& type, const void* object);
  [[gnu::noinline]] bool write_optional(const Type& type, const void* object);
  [[gnu::noinline]] char* write_integer(const Type& type, const void* object, char* at);
  [[gnu::noinline]] bool write_float32(float value);
  using JsonOutput::write_string;
  bool write_string(std::string_view text) { return take(write_string(text, at_)); }
  [[gnu::noinline]] bool write_json(std::string_view text);
  [[gnu::noinline]] bool write_bytes(const BytesOperations& bytes, const void* object);
  [[gnu::noinline]] bool write_enumeration(const Type& type, const void* object);
  [[gnu::noinline]] bool write_time(const Type& type, const void* object);
  [[gnu::noinline]] bool write_list(const Type& type, const void* object);
  [[gnu::noinline]] char* write_array(const Type& element, const void* elements, std::size_t count,
                                      char* at);
  char* write_integers(const std::int32_t* values, std::size_t count, char* at);
  [[gnu::noinline]] bool write_tuple(const Type& type, const void* object);
  [[gnu::noinline]] bool write_map(const Type& type, const void* object);
  [[gnu::noinline]] bool write_key(const Type& type, const void* key);
  [[gnu::noinline]] bool write_variant(const VariantOperations& variant, const void* object);
  [[gnu::noinline]] bool write_represented(const Type& type, const void* object);
  [[gnu::noinline]] char* write_structure(const Type& type, const void* object, char* at);
  [[gnu::noinline]] static bool is_there(const Field& field, const void*& member);
  [[gnu::noinline]] bool write_unknown(const Members& members, const UnknownFields& unknown,
                                       bool is_first);
  bool check_json(std::string_view text, std::size_t depth, const char* what);

  void reserve(std::size_t count) { at_ = ensure(at_, count); }
  void put(char c) {
    *at_++ = c;
    reserve(0);
  }
  void put(std::string_view text) {
    reserve(text.size());
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  bool take(char* end) {
    if (end != nullptr) at_ = end;
    return end != nullptr;
  }
  // Where the position is after something that returned `is_written`.
  char* after(bool is_written) { return is_written ? at_ : nullptr; }
  // A comma in front of every element but the first.
  void separate(std::size_t index) {
    if (index > 0) put(',');
  }

  bool enter(char opener) {
    if (!go_deeper()) return false;
    put(opener);
    return true;
  }
  bool leave(char closer) {
    come_up();
    put(closer);
    return true;
  }
  [[gnu::cold]] bool fail_kind();

  friend JsonOutput;
};

inline char* JsonWriter::write_value(const Type& type, const void* object, char* at) {
  switch (type.kind) {
    case Kind::boolean: {
      const std::array<char, 5>& text = *static_cast<const bool*>(object) ? true_text : false_text;
      std::memcpy(at, text.data(), text.size());
      return ensure(at + (&text == &true_text ? 4 : 5));
    }
    case Kind::int32:
      return ensure(write_int64(at, load<std::int32_t>(object)));
    case Kind::int64:
      return ensure(write_int64(at, load<std::int64_t>(object)));
    case Kind::int8:
    case Kind::int16:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
      return write_integer(type, object, at);
    case Kind::float64:
      return write_float64(*static_cast<const double*>(object), at);
    case Kind::string: {
      const auto& text = *static_cast<const std::string*>(object);
      char* const end = write_short(text, at);
      return end != nullptr ? ensure(end) : write_string(text, at);
    }
    case Kind::array:
      return write_array(*type.element, object, type.count, at);
    case Kind::structure:
      return write_structure(type, object, at);
    case Kind::list:
      if (type.list->data != nullptr) {
        // Only to be read from: data() serves readers and writers alike.
        return write_array(*type.element, type.list->data(const_cast<void*>(object)),
                           type.list->size(object), at);
      }
      [[fallthrough]];
    default:
      at_ = at;
      return after(write_rare(type, object));
  }
}

// What write_value() does not know itself.
bool JsonWriter::write_rare(const Type& type, const void* object) {
  switch (type.kind) {
    case Kind::float32:
      return write_float32(*static_cast<const float*>(object));
    case Kind::bytes:
      return write_bytes(*type.bytes, object);
    case Kind::json:
      return write_json(static_cast<const Json*>(object)->text);
    case Kind::enumeration:
      return write_enumeration(type, object);
    case Kind::duration:
    case Kind::instant:
      return write_time(type, object);
    case Kind::optional:
      return write_optional(type, object);
    case Kind::list:
      return write_list(type, object);
    case Kind::tuple:
      return write_tuple(type, object);
    case Kind::map:
      return write_map(type, object);
    case Kind::variant:
      return write_variant(*type.variant, object);
    case Kind::represented:
      return write_represented(type, object);
    default:
      return fail_kind();
  }
}

bool JsonWriter::fail_kind() {
  return failure_.set(Code::internal, "a type table with an unknown kind");
}

char* JsonWriter::write_integer(const Type& type, const void* object, char* at) {
  std::int64_t value = 0;
  load_integer(type, object, value);
  return ensure(type.kind == Kind::uint64 ? write_uint64(at, static_cast<std::uint64_t>(value))
                                          : write_int64(at, value));
}

bool JsonWriter::write_float32(float value) {
  if (!std::isfinite(value)) return fail_finite(static_cast<double>(value));
  reserve(max_number_chars);
  at_ = impl::write_float32(at_, value);
  return true;
}

// Whether `text` is JSON that fits in here.
bool JsonWriter::check_json(std::string_view text, std::size_t depth, const char* what) {
  const Status status = check_held_json(text, limits_, depth);
  if (status.code() == Code::resource_exhausted) return fail_depth();
  return status.is_ok() ||
         failure_.set(status.code(), std::string(what) + " cannot be written: " + status.message());
}

bool JsonWriter::write_json(std::string_view text) {
  if (!check_json(text, depth_, "this Json")) return false;
  put(text);
  return true;
}

bool JsonWriter::write_bytes(const BytesOperations& bytes, const void* object) {
  std::string room;
  const std::string_view text = bytes.get(object, room);
  if (bytes.is_text) return write_string(text);
  std::string encoded = "\"";
  append_base64(encoded, text);
  encoded += '"';
  put(encoded);
  return true;
}

bool JsonWriter::write_enumeration(const Type& type, const void* object) {
  if (!options_.enums_as_numbers) {
    std::int64_t number = 0;
    load_integer(*type.element, object, number);
    for (const EnumValue& value : type.enumeration->values) {
      if (value.value == number) return write_string(value.name);
    }
  }
  return take(write_integer(*type.element, object, at_));
}

bool JsonWriter::write_time(const Type& type, const void* object) {
  Seconds time;
  if (!get_time(type, object, time, failure_)) return false;
  reserve(max_time_chars + 2);
  char* const start = at_;
  *at_++ = '"';
  at_ = type.kind == Kind::instant ? write_instant(at_, time) : write_duration(at_, time);
  if (at_ == nullptr) {
    at_ = start;
    return failure_.set(Code::invalid_argument,
                        "a time outside the years 0000 to 9999 cannot be written as JSON");
  }
  *at_++ = '"';
  return true;
}

bool JsonWriter::write_optional(const Type& type, const void* object) {
  const void* const value = type.optional->get(object);
  if (value != nullptr) return write(*type.element, value);
  put("null");
  return true;
}

// One whose elements do not lie side by side.
bool JsonWriter::write_list(const Type& type, const void* object) {
  const ListOperations& list = *type.list;
  if (!enter('[')) return false;
  Cursor cursor;
  std::size_t count = 0;
  for (bool some = list.first(object, cursor); some; some = list.next(object, cursor)) {
    separate(count);
    if (!write(*type.element, cursor.value)) return failure_.in_index(count);
    ++count;
  }
  return leave(']');
}

// The rest of an array of them.
char* JsonWriter::write_integers(const std::int32_t* values, std::size_t count, char* at) {
  for (std::size_t i = 0; i < count; ++i) {
    at = ensure(write_int64(at, values[i]));
    *at++ = ',';
  }
  // In place of the last comma.
  if (count > 0) --at;
  *at++ = ']';
  return at;
}

char* JsonWriter::write_array(const Type& element, const void* elements, std::size_t count,
                              char* at) {
  if (!go_deeper()) return nullptr;
  // Arrays may open inside each other without anything else in between.
  at = ensure(at);
  *at++ = '[';
  if (element.kind == Kind::int32) {
    at = write_integers(static_cast<const std::int32_t*>(elements), count, at);
    --depth_;
    return ensure(at);
  }
  const auto* value = static_cast<const char*>(elements);
  Progress progress{.before = 0, .count = count};
  begin_list(progress, at);
  for (; progress.done < count; ++progress.done, value += element.size) {
    if (progress.done > 0) *at++ = ',';
    at = write_value(element, value, at);
    if (at == nullptr) return after(failure_.in_index(progress.done));
  }
  end_list(progress);
  --depth_;
  *at++ = ']';
  return ensure(at);
}

bool JsonWriter::write_tuple(const Type& type, const void* object) {
  if (!enter('[')) return false;
  const std::span<const Field> fields = type.members().fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    separate(i);
    if (!write(*fields[i].type, static_cast<const char*>(object) + fields[i].offset)) {
      return failure_.in_index(i);
    }
  }
  return leave(']');
}

bool JsonWriter::write_map(const Type& type, const void* object) {
  if (!enter('{')) return false;
  Cursor cursor;
  std::size_t count = 0;
  for (bool some = type.map->first(object, cursor); some; some = type.map->next(object, cursor)) {
    separate(count++);
    const std::size_t key_start = written();
    if (!write_key(*type.key, cursor.key)) return failure_.in_key_number(count - 1);
    const std::size_t key_end = written();
    put(':');
    if (!write(*type.element, cursor.value)) {
      return failure_.in_key({begin_ + key_start + 1, key_end - key_start - 2});
    }
  }
  return leave('}');
}

// A text; numbers and truth values stand in quotes.
bool JsonWriter::write_key(const Type& type, const void* key) {
  if (type.kind == Kind::string) return write_string(*static_cast<const std::string*>(key));
  const std::size_t start = written();
  if (!write(type, key)) return false;
  if (begin_[start] == '"') return true;
  const std::string number(begin_ + start, at_);
  at_ = begin_ + start;
  put('"');
  put(number);
  put('"');
  return true;
}

bool JsonWriter::write_variant(const VariantOperations& variant, const void* object) {
  const std::size_t index = variant.index(object);
  if (index >= variant.alternatives.size()) {
    return failure_.set(Code::invalid_argument, "a variant without a value cannot be written");
  }
  const Alternative& alternative = variant.alternatives[index];
  if (alternative.type == nullptr) {
    put("null");
    return true;
  }
  if (!enter('{') || !write_string(alternative.name)) return false;
  put(':');
  if (!write(*alternative.type, variant.get(object))) return failure_.in_field(alternative.name);
  return leave('}');
}

bool JsonWriter::write_represented(const Type& type, const void* object) {
  struct Target {
    JsonWriter* writer;
    const Type* type;
  } target{this, type.element};
  return type.represented->show(
      object,
      [](void* context, const void* as) {
        const auto& self = *static_cast<Target*>(context);
        return self.writer->write(*self.type, as);
      },
      &target);
}

char* JsonWriter::write_structure(const Type& type, const void* object, char* at) {
  if (type.hot != nullptr) return type.hot->write_json(*this, object, at);
  if (!go_deeper()) return nullptr;
  *at++ = '{';
  const Members& members = type.members();
  bool is_first = true;
  for (const Field& field : members.fields()) {
    const void* member = static_cast<const char*>(object) + field.offset;
    if (field.is_rare && !is_there(field, member)) continue;
    if (!is_first) *at++ = ',';
    is_first = false;
    // Room for the key; what is behind it may be read, and stored.
    at = ensure(at, field.key.size());
    const char* from = field.key.data();
    char* const value = at + field.key.size();
    for (; at < value; at += chunk_bytes, from += chunk_bytes) copy_chunk(at, from);
    at = write_value(*field.type, member, value);
    if (at == nullptr) return after(failure_.in_field(field.name));
  }
  const UnknownFields* const unknown = members.unknown_fields(object);
  if (unknown != nullptr && !unknown->json.empty()) {
    at_ = at;
    if (!write_unknown(members, *unknown, is_first)) return nullptr;
    at = at_;
  }
  --depth_;
  *at++ = '}';
  return ensure(at);
}

// Empty optionals are left out, and the alternatives that a flattened variant does not hold; of the
// one that it does, `member` becomes the value.
bool JsonWriter::is_there(const Field& field, const void*& member) {
  if (field.variant != nullptr) {
    if (field.variant->index(member) != field.alternative) return false;
    member = field.variant->get(member);
    return true;
  }
  return field.type->optional->get(member) != nullptr;
}

bool JsonWriter::write_unknown(const Members& members, const UnknownFields& unknown,
                               bool is_first) {
  if (unknown.json.find_first_not_of(" \t\r\n") == std::string::npos) return true;
  // Inside the object that is being written, which counts already.
  const std::string whole = '{' + unknown.json + '}';
  if (!check_json(whole, depth_ - 1, "what UnknownFields holds")) return false;
  std::string known;
  if (KeysOfObject(whole, limits_).find_known(members, known)) {
    return failure_.set(Code::invalid_argument,
                        "what UnknownFields holds cannot be written: \"" + known + "\" is known");
  }
  if (!is_first) put(',');
  put(unknown.json);
  return true;
}

}  // namespace

char* JsonOutput::write_other(const Type& type, const void* object, char* at) {
  return static_cast<JsonWriter&>(*this).write_value(type, object, at);
}

}  // namespace impl

Status encode_json_as(std::string& out, const Type& type, const void* object, const Limits& limits,
                      const JsonOptions& options) {
  if (options.protobuf_mapping) {
    return impl::encode_protobuf_json(out, type, object, limits, options);
  }
  impl::JsonWriter writer(out, limits, options);
  if (writer.write(type, object)) {
    writer.finish();
    return {};
  }
  writer.undo();
  return writer.status();
}

}  // namespace parley::codec
