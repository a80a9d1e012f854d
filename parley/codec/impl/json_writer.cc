// The typed writer: walks a table of types and appends text.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "parley/base/base64.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/json_escape.h"
#include "parley/codec/impl/json_number.h"
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

// Room that is there whenever something is written, so that a number, a bracket, a comma, a whole
// chunk or an escape needs no look.
constexpr std::size_t slack = 64;
static_assert(slack >= max_number_chars + static_cast<std::size_t>(chunk_bytes));

class JsonWriter {
 public:
  // Appends behind what `out` holds; finish() or undo() must be the last call.
  JsonWriter(std::string& out, const Limits& limits, const JsonOptions& options)
      : out_(out),
        start_(out.size()),
        limits_(limits),
        options_(options),
        at_(out.data() + start_) {
    grow(0);
  }

  bool write(const Type& type, const void* object) {
    char* const end = write_value(type, object, at_);
    if (end == nullptr) return false;
    at_ = end;
    return true;
  }

  void finish() { out_.resize(static_cast<std::size_t>(at_ - out_.data())); }
  void undo() { out_.resize(start_); }
  [[nodiscard]] Status status() const { return failure_.status(); }

 private:
  // Each stands alone, as in the reader: write() calls itself.
  // As write(), to `at`: returns the end of what was written, null on failure. What is written most
  // hands the position on in a register; at_ is anywhere then. Inlined into the loops over members
  // and elements; calls only what stands alone.
  [[gnu::always_inline]] char* write_value(const Type& type, const void* object, char* at);
  [[gnu::noinline]] bool write_rare(const Type& type, const void* object);
  [[gnu::noinline]] bool write_optional(const Type& type, const void* object);
  [[gnu::noinline]] char* write_integer(const Type& type, const void* object, char* at);
  [[gnu::noinline]] char* write_float64(double value, char* at);
  [[gnu::noinline]] bool write_float32(float value);
  [[gnu::noinline]] char* write_string(std::string_view text, char* at);
  bool write_string(std::string_view text) { return take(write_string(text, at_)); }
  [[gnu::noinline]] char* write_escaped(const char* from, std::size_t size, std::size_t left,
                                        char* at);
  [[gnu::noinline]] bool write_json(std::string_view text);
  [[gnu::noinline]] bool write_bytes(const BytesOperations& bytes, const void* object);
  [[gnu::noinline]] bool write_enumeration(const Type& type, const void* object);
  [[gnu::noinline]] bool write_time(const Type& type, const void* object);
  [[gnu::noinline]] bool write_list(const Type& type, const void* object);
  [[gnu::noinline]] char* write_array(const Type& element, const void* elements, std::size_t count,
                                      char* at);
  [[gnu::noinline]] bool write_tuple(const Type& type, const void* object);
  [[gnu::noinline]] bool write_map(const Type& type, const void* object);
  [[gnu::noinline]] bool write_key(const Type& type, const void* key);
  [[gnu::noinline]] bool write_variant(const VariantOperations& variant, const void* object);
  [[gnu::noinline]] bool write_represented(const Type& type, const void* object);
  [[gnu::noinline]] char* write_structure(const Type& type, const void* object, char* at);
  [[gnu::noinline]] static bool is_there(const Field& field, const void*& member);
  [[gnu::noinline]] bool write_unknown(const UnknownFields& unknown, bool is_first);
  bool check_json(std::string_view text, std::size_t depth, const char* what);

  // `at`, or where it is after growing: with room for `count` more characters and the slack.
  char* ensure(char* at, std::size_t count = 0) {
    if (static_cast<std::ptrdiff_t>(count) <= limit_ - at) return at;
    at_ = at;
    grow(count);
    return at_;
  }
  [[gnu::noinline]] void grow(std::size_t count);
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
    if (depth_ >= limits_.max_depth) return fail_depth();
    ++depth_;
    put(opener);
    return true;
  }
  bool leave(char closer) {
    --depth_;
    put(closer);
    return true;
  }
  [[gnu::cold]] bool fail_kind();
  [[gnu::cold]] bool fail_depth();
  [[gnu::cold]] bool fail_utf8();
  [[gnu::cold]] bool fail_finite(double value);

  std::string& out_;
  std::size_t start_;
  const Limits& limits_;
  const JsonOptions& options_;
  char* at_;
  char* limit_ = nullptr;  // the end of the room, less the slack
  std::size_t depth_ = 0;
  Failure failure_;
};

// Doubles what has been written here, whatever the capacity: resize() clears what it adds, and a
// reused string may have far more room than this value needs.
void JsonWriter::grow(std::size_t count) {
  constexpr std::size_t smallest = 240;
  count += slack;
  const auto used = static_cast<std::size_t>(at_ - out_.data());
  std::size_t size = used + std::max({smallest, count, used - start_});
  if (out_.capacity() < size && out_.capacity() >= used + count) size = out_.capacity();
  out_.resize(size);
  at_ = out_.data() + used;
  limit_ = out_.data() + (size - slack);
}

inline char* JsonWriter::write_value(const Type& type, const void* object, char* at) {
  switch (type.kind) {
    case Kind::boolean: {
      const std::array<char, 5>& text = *static_cast<const bool*>(object) ? true_text : false_text;
      std::memcpy(at, text.data(), text.size());
      return ensure(at + (&text == &true_text ? 4 : 5));
    }
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
      return write_integer(type, object, at);
    case Kind::float64:
      return write_float64(*static_cast<const double*>(object), at);
    case Kind::string:
      return write_string(*static_cast<const std::string*>(object), at);
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

char* JsonWriter::write_float64(double value, char* at) {
  if (!std::isfinite(value)) return after(fail_finite(value));
  return ensure(impl::write_float64(at, value));
}

bool JsonWriter::write_float32(float value) {
  if (!std::isfinite(value)) return fail_finite(static_cast<double>(value));
  reserve(max_number_chars);
  at_ = impl::write_float32(at_, value);
  return true;
}

char* JsonWriter::write_string(std::string_view text, char* at) {
  at = ensure(at, text.size());
  *at++ = '"';
  const char* from = text.data();
  const char* const end = from + text.size();
  bool has_high = false;
  for (; end - from >= chunk_bytes; from += chunk_bytes) {
    const ChunkMasks masks = masks_of(from);
    if (masks.high != 0) has_high = true;
    copy_chunk(at, from);
    if (masks.special == 0) {
      at += chunk_bytes;
    } else {
      const auto left = static_cast<std::size_t>(end - from - chunk_bytes);
      at = write_escaped(from, static_cast<std::size_t>(chunk_bytes), left, at);
    }
  }
  const auto rest = static_cast<std::size_t>(end - from);
  at = copy_short(at, from, rest, has_high) ? at + rest : write_escaped(from, rest, 0, at);
  *at++ = '"';
  if (has_high && !is_utf8(text)) return after(fail_utf8());
  return ensure(at);
}

// `size` bytes of which some need escapes. Without a branch for each byte: where escapes are dense
// nothing could foresee it. `left` more bytes of the text follow.
char* JsonWriter::write_escaped(const char* from, std::size_t size, std::size_t left, char* at) {
  at = ensure(at, 6 * size + left);
  for (std::size_t i = 0; i < size; ++i) at = append_byte(at, from[i]);
  return at;
}

// Whether `text` is JSON that fits in here.
bool JsonWriter::check_json(std::string_view text, std::size_t depth, const char* what) {
  constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
  const Limits limits{.max_depth = limits_.max_depth - depth,
                      .max_bytes = any,
                      .max_elements = any,
                      .max_string_bytes = any};
  const Status status = validate_json(text, limits);
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

char* JsonWriter::write_array(const Type& element, const void* elements, std::size_t count,
                              char* at) {
  if (depth_ >= limits_.max_depth) return after(fail_depth());
  ++depth_;
  // Arrays may open inside each other without anything else in between.
  at = ensure(at);
  *at++ = '[';
  const auto* value = static_cast<const char*>(elements);
  for (std::size_t i = 0; i < count; ++i, value += element.size) {
    if (i > 0) *at++ = ',';
    at = write_value(element, value, at);
    if (at == nullptr) return after(failure_.in_index(i));
  }
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
    const std::size_t key_start = static_cast<std::size_t>(at_ - out_.data());
    if (!write_key(*type.key, cursor.key)) return failure_.in_key_number(count - 1);
    const std::size_t key_end = static_cast<std::size_t>(at_ - out_.data());
    put(':');
    if (!write(*type.element, cursor.value)) {
      return failure_.in_key(std::string_view(out_).substr(key_start + 1, key_end - key_start - 2));
    }
  }
  return leave('}');
}

// A text; numbers and truth values stand in quotes.
bool JsonWriter::write_key(const Type& type, const void* key) {
  if (type.kind == Kind::string) return write_string(*static_cast<const std::string*>(key));
  const std::size_t start = static_cast<std::size_t>(at_ - out_.data());
  if (!write(type, key)) return false;
  if (out_[start] == '"') return true;
  const std::string number =
      out_.substr(start, static_cast<std::size_t>(at_ - out_.data()) - start);
  at_ = out_.data() + start;
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
  if (depth_ >= limits_.max_depth) return after(fail_depth());
  ++depth_;
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
    if (!write_unknown(*unknown, is_first)) return nullptr;
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

bool JsonWriter::write_unknown(const UnknownFields& unknown, bool is_first) {
  if (unknown.json.find_first_not_of(" \t\r\n") == std::string::npos) return true;
  // Inside the object that is being written, which counts already.
  if (!check_json('{' + unknown.json + '}', depth_ - 1, "what UnknownFields holds")) return false;
  if (!is_first) put(',');
  put(unknown.json);
  return true;
}

bool JsonWriter::fail_depth() {
  return failure_.set(Code::resource_exhausted,
                      "nested deeper than max_depth (" + std::to_string(limits_.max_depth) + ")");
}

bool JsonWriter::fail_utf8() {
  return failure_.set(Code::invalid_argument,
                      "a string that is not UTF-8 cannot be written as JSON");
}

bool JsonWriter::fail_finite(double value) {
  const char* const name = std::isnan(value) ? "NaN" : value < 0 ? "-infinity" : "infinity";
  return failure_.set(Code::invalid_argument, std::string(name) +
                                                  " cannot be written as JSON: use std::optional "
                                                  "for a number that may be missing");
}

}  // namespace
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
