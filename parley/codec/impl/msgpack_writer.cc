// The typed writer: walks a table of types and appends bytes.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/msgpack_bytes.h"
#include "parley/codec/impl/msgpack_cursor.h"
#include "parley/codec/impl/utf8.h"
#include "parley/codec/json.h"
#include "parley/codec/members.h"
#include "parley/codec/msgpack.h"

namespace parley::codec {
namespace impl {
namespace {

constexpr std::size_t any_size = std::numeric_limits<std::size_t>::max();
constexpr std::size_t max_length = std::numeric_limits<std::uint32_t>::max();

class MsgpackWriter {
 public:
  // Appends behind what `out` holds; finish() or undo() must be the last call.
  MsgpackWriter(std::string& out, const Limits& limits, const MsgpackOptions& options)
      : out_(out),
        start_(out.size()),
        limits_(limits),
        options_(options),
        at_(out.data() + start_),
        end_(out.data() + start_) {}

  bool write(const Type& type, const void* object);

  void finish() { out_.resize(static_cast<std::size_t>(at_ - out_.data())); }
  void undo() { out_.resize(start_); }
  [[nodiscard]] Status status() const { return failure_.status(); }

 private:
  // Each stands alone, as in the reader: write() calls itself.
  [[gnu::noinline]] bool write_integer(const Type& type, const void* object);
  [[gnu::noinline]] bool write_float32(float value);
  [[gnu::noinline]] bool write_float64(double value);
  [[gnu::noinline]] bool write_text(std::string_view text);
  [[gnu::noinline]] bool write_json(std::string_view text);
  [[gnu::noinline]] bool write_bytes(const BytesOperations& bytes, const void* object);
  [[gnu::noinline]] bool write_enumeration(const Type& type, const void* object);
  [[gnu::noinline]] bool write_time(const Type& type, const void* object);
  [[gnu::noinline]] bool write_instant(Seconds time);
  [[gnu::noinline]] bool write_duration(Seconds time);
  [[gnu::noinline]] bool write_list(const Type& type, const void* object);
  [[gnu::noinline]] bool write_array(const Type& element, const void* elements, std::size_t count);
  [[gnu::noinline]] bool write_tuple(const Type& type, const void* object);
  [[gnu::noinline]] bool write_map(const Type& type, const void* object);
  [[gnu::noinline]] bool write_variant(const VariantOperations& variant, const void* object);
  [[gnu::noinline]] bool write_represented(const Type& type, const void* object);
  [[gnu::noinline]] bool write_structure(const Type& type, const void* object);
  [[gnu::noinline]] bool count_entries(const Members& members, const void* object,
                                       std::size_t& count);
  [[gnu::noinline]] bool count_unknown(std::string_view entries, std::size_t& count);

  // Room for `count` more bytes.
  void reserve(std::size_t count) {
    if (static_cast<std::size_t>(end_ - at_) < count) grow(count);
  }
  [[gnu::noinline]] void grow(std::size_t count);
  void put(std::uint8_t byte) {
    reserve(1);
    at_ = store_byte(at_, byte);
  }
  void put(std::string_view bytes) {
    reserve(bytes.size());
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void put_unsigned(std::uint64_t value);
  void put_negative(std::int64_t value);
  void put_integer(std::int64_t value) {
    return value < 0 ? put_negative(value) : put_unsigned(static_cast<std::uint64_t>(value));
  }
  // The head of a map (fixmap, map16) or an array, and a level; leave with --depth_.
  [[gnu::noinline]] bool enter(std::uint8_t fixed, std::uint8_t wide, std::size_t count);
  bool enter_array(std::size_t count) { return enter(msgpack::fixarray, msgpack::array16, count); }
  bool enter_map(std::size_t count) { return enter(msgpack::fixmap, msgpack::map16, count); }
  // The field's value, when it is there to be written; otherwise null.
  static const void* shown(const Field& field, const void* object);

  [[gnu::cold]] bool fail_kind();
  [[gnu::cold]] bool fail_depth();
  [[gnu::cold]] bool fail_utf8();
  [[gnu::cold]] bool fail_length(std::size_t length);

  std::string& out_;
  std::size_t start_;
  const Limits& limits_;
  const MsgpackOptions& options_;
  char* at_;
  char* end_;
  std::size_t depth_ = 0;
  Failure failure_;
};

// Doubles what has been written here, as in JSON.
void MsgpackWriter::grow(std::size_t count) {
  constexpr std::size_t smallest = 128;
  const auto used = static_cast<std::size_t>(at_ - out_.data());
  std::size_t size = used + std::max({smallest, count, used - start_});
  if (out_.capacity() < size && out_.capacity() >= used + count) size = out_.capacity();
  out_.resize(size);
  at_ = out_.data() + used;
  end_ = out_.data() + size;
}

bool MsgpackWriter::write(const Type& type, const void* object) {
  switch (type.kind) {
    case Kind::boolean:
      put(*static_cast<const bool*>(object) ? msgpack::yes : msgpack::no);
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
      return write_text(*static_cast<const std::string*>(object));
    case Kind::bytes:
      return write_bytes(*type.bytes, object);
    case Kind::json:
      return write_json(static_cast<const Json*>(object)->text);
    case Kind::enumeration:
      return write_enumeration(type, object);
    case Kind::duration:
    case Kind::instant:
      return write_time(type, object);
    case Kind::optional: {
      const void* const value = type.optional->get(object);
      if (value != nullptr) return write(*type.element, value);
      put(msgpack::nil);
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
    case Kind::variant:
      return write_variant(*type.variant, object);
    case Kind::structure:
      return write_structure(type, object);
    case Kind::represented:
      return write_represented(type, object);
  }
  return fail_kind();
}

bool MsgpackWriter::fail_kind() {
  return failure_.set(Code::internal, "a type table with an unknown kind");
}

void MsgpackWriter::put_unsigned(std::uint64_t value) {
  reserve(max_msgpack_head);
  if (value < msgpack::fixmap) {
    at_ = store_byte(at_, static_cast<std::uint8_t>(value));
  } else if (value <= 0xff) {
    at_ = store_network<1>(store_byte(at_, msgpack::uint8), value);
  } else if (value <= 0xffff) {
    at_ = store_network<2>(store_byte(at_, msgpack::uint8 + 1), value);
  } else if (value <= 0xffff'ffff) {
    at_ = store_network<4>(store_byte(at_, msgpack::uint8 + 2), value);
  } else {
    at_ = store_network<8>(store_byte(at_, msgpack::uint8 + 3), value);
  }
}

void MsgpackWriter::put_negative(std::int64_t value) {
  reserve(max_msgpack_head);
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= -32) {
    at_ = store_network<1>(at_, bits);
  } else if (value >= std::numeric_limits<std::int8_t>::min()) {
    at_ = store_network<1>(store_byte(at_, msgpack::int8), bits);
  } else if (value >= std::numeric_limits<std::int16_t>::min()) {
    at_ = store_network<2>(store_byte(at_, msgpack::int8 + 1), bits);
  } else if (value >= std::numeric_limits<std::int32_t>::min()) {
    at_ = store_network<4>(store_byte(at_, msgpack::int8 + 2), bits);
  } else {
    at_ = store_network<8>(store_byte(at_, msgpack::int8 + 3), bits);
  }
}

bool MsgpackWriter::write_integer(const Type& type, const void* object) {
  std::int64_t value = 0;
  load_integer(type, object, value);
  if (type.kind == Kind::uint64) {
    put_unsigned(static_cast<std::uint64_t>(value));
  } else {
    put_integer(value);
  }
  return true;
}

bool MsgpackWriter::write_float32(float value) {
  reserve(max_msgpack_head);
  at_ = store_network<4>(store_byte(at_, msgpack::float32), std::bit_cast<std::uint32_t>(value));
  return true;
}

bool MsgpackWriter::write_float64(double value) {
  reserve(max_msgpack_head);
  at_ = store_network<8>(store_byte(at_, msgpack::float64), std::bit_cast<std::uint64_t>(value));
  return true;
}

bool MsgpackWriter::write_text(std::string_view text) {
  if (text.size() > max_length) return fail_length(text.size());
  if (!is_short_utf8(text)) return fail_utf8();
  reserve(max_msgpack_head + text.size());
  at_ = store_msgpack_text_head(at_, text.size());
  put(text);
  return true;
}

bool MsgpackWriter::write_json(std::string_view text) {
  const Limits limits{.max_depth = limits_.max_depth - depth_,
                      .max_bytes = any_size,
                      .max_elements = any_size,
                      .max_string_bytes = any_size};
  const Status status = validate_json(text, limits);
  if (status.is_ok()) return write_text(text);
  return failure_.set(status.code(), "this Json cannot be written: " + status.message());
}

bool MsgpackWriter::write_bytes(const BytesOperations& bytes, const void* object) {
  std::string room;
  const std::string_view body = bytes.get(object, room);
  if (bytes.is_text) return write_text(body);
  if (body.size() > max_length) return fail_length(body.size());
  reserve(max_msgpack_head + body.size());
  if (body.size() <= 0xff) {
    at_ = store_network<1>(store_byte(at_, msgpack::bin8), body.size());
  } else if (body.size() <= 0xffff) {
    at_ = store_network<2>(store_byte(at_, msgpack::bin8 + 1), body.size());
  } else {
    at_ = store_network<4>(store_byte(at_, msgpack::bin8 + 2), body.size());
  }
  put(body);
  return true;
}

bool MsgpackWriter::write_enumeration(const Type& type, const void* object) {
  if (!options_.enums_as_numbers) {
    std::int64_t number = 0;
    load_integer(*type.element, object, number);
    for (const EnumValue& value : type.enumeration->values) {
      if (value.value == number) return write_text(value.name);
    }
  }
  return write_integer(*type.element, object);
}

bool MsgpackWriter::write_time(const Type& type, const void* object) {
  Seconds time;
  if (!get_time(type, object, time, failure_)) return false;
  return type.kind == Kind::instant ? write_instant(time) : write_duration(time);
}

bool MsgpackWriter::write_instant(Seconds time) {
  const auto seconds = static_cast<std::uint64_t>(time.seconds);
  const auto nanoseconds = static_cast<std::uint64_t>(time.nanoseconds);
  constexpr auto type = static_cast<std::uint8_t>(msgpack::timestamp);
  reserve(2 * max_msgpack_head);
  if (seconds >> 34 != 0) {  // also where they are negative
    at_ = store_byte(store_network<1>(store_byte(at_, msgpack::ext8), 12), type);
    at_ = store_network<8>(store_network<4>(at_, nanoseconds), seconds);
  } else if (nanoseconds != 0 || seconds >> 32 != 0) {
    at_ = store_byte(store_byte(at_, msgpack::fixext1 + 3), type);
    at_ = store_network<8>(at_, nanoseconds << 34 | seconds);
  } else {
    at_ = store_byte(store_byte(at_, msgpack::fixext1 + 2), type);
    at_ = store_network<4>(at_, seconds);
  }
  return true;
}

bool MsgpackWriter::write_duration(Seconds time) {
  if (!enter_array(2)) return false;
  put_integer(time.seconds);
  put_integer(time.nanoseconds);
  --depth_;
  return true;
}

bool MsgpackWriter::enter(std::uint8_t fixed, std::uint8_t wide, std::size_t count) {
  if (depth_ >= limits_.max_depth) return fail_depth();
  if (count > max_length) return fail_length(count);
  ++depth_;
  reserve(max_msgpack_head);
  if (count <= msgpack::max_fix_elements) {
    at_ = store_byte(at_, static_cast<std::uint8_t>(fixed + count));
  } else if (count <= 0xffff) {
    at_ = store_network<2>(store_byte(at_, wide), count);
  } else {
    at_ = store_network<4>(store_byte(at_, static_cast<std::uint8_t>(wide + 1)), count);
  }
  return true;
}

bool MsgpackWriter::write_list(const Type& type, const void* object) {
  const ListOperations& list = *type.list;
  if (list.data != nullptr) {
    // Only to be read from: data() serves readers and writers alike.
    return write_array(*type.element, list.data(const_cast<void*>(object)), list.size(object));
  }
  if (!enter_array(list.size(object))) return false;
  Cursor cursor;
  std::size_t count = 0;
  for (bool some = list.first(object, cursor); some; some = list.next(object, cursor)) {
    if (!write(*type.element, cursor.value)) return failure_.in_index(count);
    ++count;
  }
  --depth_;
  return true;
}

bool MsgpackWriter::write_array(const Type& element, const void* elements, std::size_t count) {
  if (!enter_array(count)) return false;
  const auto* at = static_cast<const char*>(elements);
  for (std::size_t i = 0; i < count; ++i, at += element.size) {
    if (!write(element, at)) return failure_.in_index(i);
  }
  --depth_;
  return true;
}

bool MsgpackWriter::write_tuple(const Type& type, const void* object) {
  const std::span<const Field> fields = type.members().fields();
  if (!enter_array(fields.size())) return false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!write(*fields[i].type, static_cast<const char*>(object) + fields[i].offset)) {
      return failure_.in_index(i);
    }
  }
  --depth_;
  return true;
}

bool MsgpackWriter::write_map(const Type& type, const void* object) {
  if (!enter_map(type.map->size(object))) return false;
  Cursor cursor;
  std::size_t count = 0;
  for (bool some = type.map->first(object, cursor); some; some = type.map->next(object, cursor)) {
    const auto key = static_cast<std::size_t>(at_ - out_.data());
    if (!write(*type.key, cursor.key)) return failure_.in_key_number(count);
    if (!write(*type.element, cursor.value)) {
      return MsgpackCursor::in_key_at(out_.data() + key, at_, failure_);
    }
    ++count;
  }
  --depth_;
  return true;
}

bool MsgpackWriter::write_variant(const VariantOperations& variant, const void* object) {
  const std::size_t index = variant.index(object);
  if (index >= variant.alternatives.size()) {
    return failure_.set(Code::invalid_argument, "a variant without a value cannot be written");
  }
  const Alternative& alternative = variant.alternatives[index];
  if (alternative.type == nullptr) {
    put(msgpack::nil);
    return true;
  }
  if (!enter_map(1) || !write_text(alternative.name)) return false;
  if (!write(*alternative.type, variant.get(object))) return failure_.in_field(alternative.name);
  --depth_;
  return true;
}

bool MsgpackWriter::write_represented(const Type& type, const void* object) {
  struct Target {
    MsgpackWriter* writer;
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

const void* MsgpackWriter::shown(const Field& field, const void* object) {
  const void* const member = static_cast<const char*>(object) + field.offset;
  if (field.variant != nullptr) {
    return field.variant->index(member) == field.alternative ? field.variant->get(member) : nullptr;
  }
  if (field.type->kind == Kind::optional && field.type->optional->get(member) == nullptr) {
    return nullptr;
  }
  return member;
}

bool MsgpackWriter::write_structure(const Type& type, const void* object) {
  const Members& members = type.members();
  std::size_t count = 0;
  if (!count_entries(members, object, count) || !enter_map(count)) return false;
  for (const Field& field : members.fields()) {
    const void* const member =
        field.is_rare ? shown(field, object) : static_cast<const char*>(object) + field.offset;
    if (member == nullptr) continue;
    put(field.msgpack_key);
    if (!write(*field.type, member)) return failure_.in_field(field.name);
  }
  const UnknownFields* const unknown = members.unknown_fields(object);
  if (unknown != nullptr) put(unknown->msgpack);
  --depth_;
  return true;
}

bool MsgpackWriter::count_entries(const Members& members, const void* object, std::size_t& count) {
  for (const Field& field : members.fields()) {
    if (!field.is_rare || shown(field, object) != nullptr) ++count;
  }
  const UnknownFields* const unknown = members.unknown_fields(object);
  return unknown == nullptr || unknown->msgpack.empty() || count_unknown(unknown->msgpack, count);
}

// What users put there by hand is checked like what came in.
bool MsgpackWriter::count_unknown(std::string_view entries, std::size_t& count) {
  const Limits limits{.max_depth = limits_.max_depth,
                      .max_bytes = any_size,
                      .max_elements = any_size,
                      .max_string_bytes = any_size};
  MsgpackCursor cursor(entries, limits, depth_ + 1);
  for (; !cursor.is_at_end(); ++count) {
    if (cursor.skip_value() && cursor.skip_value()) continue;
    const Status status = cursor.failure().status();
    return failure_.set(status.code(),
                        "what UnknownFields holds cannot be written: " + status.message());
  }
  return true;
}

bool MsgpackWriter::fail_depth() {
  return failure_.set(Code::resource_exhausted,
                      "nested deeper than max_depth (" + std::to_string(limits_.max_depth) + ")");
}

bool MsgpackWriter::fail_utf8() {
  return failure_.set(Code::invalid_argument,
                      "a string that is not UTF-8 cannot be written as MessagePack: use bytes");
}

bool MsgpackWriter::fail_length(std::size_t length) {
  return failure_.set(Code::invalid_argument,
                      "MessagePack has no length beyond 4294967295, got " + std::to_string(length));
}

}  // namespace
}  // namespace impl

Status encode_msgpack_as(std::string& out, const Type& type, const void* object,
                         const Limits& limits, const MsgpackOptions& options) {
  impl::MsgpackWriter writer(out, limits, options);
  if (writer.write(type, object)) {
    writer.finish();
    return {};
  }
  writer.undo();
  return writer.status();
}

}  // namespace parley::codec
