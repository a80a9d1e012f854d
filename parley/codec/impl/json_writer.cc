// The typed writer: walks a table of types and appends text.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "parley/codec/impl/json_cursor.h"
#include "parley/codec/impl/json_scan.h"
#include "parley/codec/impl/utf8.h"

namespace parley::codec {
namespace impl {
namespace {

// The letter behind the backslash; 'u' for what has none of its own; 0 for what needs no escape.
char escape_letter(unsigned char byte) {
  switch (byte) {
    case '"':
    case '\\':
      return static_cast<char>(byte);
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return byte < 0x20 ? 'u' : '\0';
  }
}

constexpr std::size_t max_escape = 6;  // of one byte: \u001f

template <class T>
T load(const void* object) {
  T value;
  std::memcpy(&value, object, sizeof(value));
  return value;
}

class JsonWriter {
 public:
  // Appends behind what `out` holds; finish() or undo() must be the last call.
  JsonWriter(std::string& out, const JsonLimits& limits)
      : out_(out),
        start_(out.size()),
        limits_(limits),
        at_(out.data() + start_),
        end_(out.data() + start_) {}

  bool write(const Type& type, const void* object);

  void finish() { out_.resize(static_cast<std::size_t>(at_ - out_.data())); }
  void undo() { out_.resize(start_); }
  [[nodiscard]] Status status() const { return failure_.status(); }

 private:
  // Each stands alone, as in the reader: write() calls itself.
  [[gnu::noinline]] bool write_integer(const Type& type, const void* object);
  [[gnu::noinline]] bool write_float64(double value);
  [[gnu::noinline]] bool write_float32(float value);
  [[gnu::noinline]] bool write_string(std::string_view text);
  [[gnu::noinline]] bool write_json(std::string_view text);
  [[gnu::noinline]] bool write_list(const Type& type, const void* object);
  [[gnu::noinline]] bool write_array(const Type& element, const void* elements, std::size_t count);
  [[gnu::noinline]] bool write_tuple(const Type& type, const void* object);
  [[gnu::noinline]] bool write_map(const Type& type, const void* object);
  [[gnu::noinline]] bool write_structure(const Type& type, const void* object);

  // Room for `count` more characters.
  void reserve(std::size_t count) {
    if (static_cast<std::size_t>(end_ - at_) < count) grow(count);
  }
  [[gnu::noinline]] void grow(std::size_t count);
  void put(char c) {
    reserve(1);
    *at_++ = c;
  }
  void put(std::string_view text) {
    reserve(text.size());
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
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
  const JsonLimits& limits_;
  char* at_;
  char* end_;
  std::size_t depth_ = 0;
  JsonFailure failure_;
};

// Doubles what has been written here, whatever the capacity: resize() clears what it adds, and a
// reused string may have far more room than this value needs.
void JsonWriter::grow(std::size_t count) {
  constexpr std::size_t smallest = 128;
  const auto used = static_cast<std::size_t>(at_ - out_.data());
  std::size_t size = used + std::max({smallest, count, used - start_});
  if (out_.capacity() < size && out_.capacity() >= used + count) size = out_.capacity();
  out_.resize(size);
  at_ = out_.data() + used;
  end_ = out_.data() + size;
}

bool JsonWriter::write(const Type& type, const void* object) {
  switch (type.kind) {
    case Kind::boolean:
      put(*static_cast<const bool*>(object) ? std::string_view("true") : "false");
      return true;
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
      return write_integer(type, object);
    case Kind::float32:
      return write_float32(*static_cast<const float*>(object));
    case Kind::float64:
      return write_float64(*static_cast<const double*>(object));
    case Kind::string:
      return write_string(*static_cast<const std::string*>(object));
    case Kind::json:
      return write_json(static_cast<const Json*>(object)->text);
    case Kind::optional: {
      const void* const value = type.optional->get(object);
      if (value != nullptr) return write(*type.element, value);
      put("null");
      return true;
    }
    case Kind::list:
      return write_list(type, object);
    case Kind::array:
      return write_array(*type.element, object, type.count);
    case Kind::tuple:
      return write_tuple(type, object);
    case Kind::map:
      return write_map(type, object);
    case Kind::structure:
      return write_structure(type, object);
  }
  return fail_kind();
}

bool JsonWriter::fail_kind() {
  return failure_.set(Code::internal, "a type table with an unknown kind");
}

bool JsonWriter::write_integer(const Type& type, const void* object) {
  std::int64_t value = 0;
  switch (type.kind) {
    case Kind::int8:
      value = load<std::int8_t>(object);
      break;
    case Kind::int16:
      value = load<std::int16_t>(object);
      break;
    case Kind::int32:
      value = load<std::int32_t>(object);
      break;
    case Kind::uint8:
      value = load<std::uint8_t>(object);
      break;
    case Kind::uint16:
      value = load<std::uint16_t>(object);
      break;
    case Kind::uint32:
      value = load<std::uint32_t>(object);
      break;
    case Kind::uint64:
      reserve(max_number_chars);
      at_ = std::to_chars(at_, end_, load<std::uint64_t>(object)).ptr;
      return true;
    default:
      value = load<std::int64_t>(object);
  }
  reserve(max_number_chars);
  at_ = std::to_chars(at_, end_, value).ptr;
  return true;
}

bool JsonWriter::write_float64(double value) {
  if (!std::isfinite(value)) return fail_finite(value);
  reserve(max_number_chars);
  at_ = impl::write_float64(at_, value);
  return true;
}

bool JsonWriter::write_float32(float value) {
  if (!std::isfinite(value)) return fail_finite(static_cast<double>(value));
  reserve(max_number_chars);
  at_ = impl::write_float32(at_, value);
  return true;
}

bool JsonWriter::write_string(std::string_view text) {
  reserve(text.size() + 2);
  *at_++ = '"';
  const char* from = text.data();
  const char* const end = from + text.size();
  bool has_high = false;
  for (;;) {
    const char* const special = find_special(from, end, has_high);
    const auto plain = static_cast<std::size_t>(special - from);
    // What is left of the text, were it all plain, is what has been reserved.
    reserve(static_cast<std::size_t>(end - from) + 1);
    if (plain > 0) std::memcpy(at_, from, plain);
    at_ += plain;
    if (special == end) break;
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(*special);
    reserve(max_escape);
    *at_++ = '\\';
    *at_++ = escape_letter(byte);
    if (at_[-1] == 'u') {
      for (const char c : {'0', '0', digits[byte >> 4], digits[byte & 15]}) *at_++ = c;
    }
    from = special + 1;
  }
  put('"');
  return !has_high || is_utf8(text) || fail_utf8();
}

bool JsonWriter::write_json(std::string_view text) {
  constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
  const JsonLimits limits{.max_depth = limits_.max_depth - depth_,
                          .max_bytes = any,
                          .max_elements = any,
                          .max_string_bytes = any};
  const Status status = validate_json(text, limits);
  if (!status.is_ok()) {
    return failure_.set(status.code(), "this Json cannot be written: " + status.message());
  }
  put(text);
  return true;
}

bool JsonWriter::write_list(const Type& type, const void* object) {
  const ListOperations& list = *type.list;
  const std::size_t size = list.size(object);
  if (list.data != nullptr) {
    // Only to be read from: data() serves readers and writers alike.
    return write_array(*type.element, list.data(const_cast<void*>(object)), size);
  }
  if (!enter('[')) return false;
  for (std::size_t i = 0; i < size; ++i) {
    separate(i);
    put(list.bit(object, i) ? std::string_view("true") : "false");
  }
  return leave(']');
}

bool JsonWriter::write_array(const Type& element, const void* elements, std::size_t count) {
  if (!enter('[')) return false;
  const auto* at = static_cast<const char*>(elements);
  for (std::size_t i = 0; i < count; ++i, at += element.size) {
    separate(i);
    if (!write(element, at)) return failure_.in_index(i);
  }
  return leave(']');
}

bool JsonWriter::write_tuple(const Type& type, const void* object) {
  if (!enter('[')) return false;
  const std::span<const Field> fields = type.members().fields;
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
  MapCursor cursor;
  std::size_t count = 0;
  for (bool some = type.map->first(object, cursor); some; some = type.map->next(object, cursor)) {
    separate(count++);
    if (!write_string(*cursor.key)) return false;
    put(':');
    if (!write(*type.element, cursor.value)) return failure_.in_field(*cursor.key);
  }
  return leave('}');
}

bool JsonWriter::write_structure(const Type& type, const void* object) {
  if (!enter('{')) return false;
  bool is_first = true;
  for (const Field& field : type.members().fields) {
    const void* const member = static_cast<const char*>(object) + field.offset;
    const Kind kind = field.type->kind;
    if (kind == Kind::optional && field.type->optional->get(member) == nullptr) continue;
    if (!is_first) put(',');
    is_first = false;
    put(field.key);
    if (!write(*field.type, member)) return failure_.in_field(field.name());
  }
  return leave('}');
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

Status encode_json_as(std::string& out, const Type& type, const void* object,
                      const JsonLimits& limits) {
  impl::JsonWriter writer(out, limits);
  if (writer.write(type, object)) {
    writer.finish();
    return {};
  }
  writer.undo();
  return writer.status();
}

}  // namespace parley::codec
