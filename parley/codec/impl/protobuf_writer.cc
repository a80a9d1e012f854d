// The typed writer. It writes from the end to the front: the length of a message is known by then,
// when it has to be written, so nothing is measured beforehand.
#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/protobuf_cursor.h"
#include "parley/codec/impl/protobuf_wire.h"
#include "parley/codec/impl/utf8.h"
#include "parley/codec/json.h"
#include "parley/codec/members.h"
#include "parley/codec/protobuf.h"

namespace parley::codec {
namespace impl {
namespace {

constexpr std::size_t max_varint = 10;

enum class Presence : std::uint8_t {
  unless_zero,
  always,  // of what may be several records: as many as there are
  single,  // exactly one record, whatever the type
};

class ProtobufWriter {
 public:
  // Appends behind what `out` holds; finish() or undo() must be the last call.
  ProtobufWriter(std::string& out, const Limits& limits)
      : out_(out),
        start_(out.size()),
        limits_(limits),
        begin_(out.data() + start_),
        at_(begin_),
        end_(begin_) {}

  // The whole value as a message.
  bool write_whole(const Type& type, const void* object);

  void finish();
  void undo() { out_.resize(start_); }
  [[nodiscard]] Status status() const { return failure_.status(); }

 private:
  // Each stands alone: inlined into write(), which calls itself, all their locals would lie on the
  // stack once per level.
  bool write(const Type& type, const void* object, std::uint32_t number, Presence presence,
             Wires wires);
  [[gnu::noinline]] bool write_scalar(const Type& type, const void* object, std::uint32_t number,
                                      Presence presence, Wires wires);
  // Without a tag.
  [[gnu::noinline]] bool put_scalar(const Type& type, const void* object, Wire wire);
  [[gnu::noinline]] bool write_text(std::string_view text, std::uint32_t number, Presence presence);
  [[gnu::noinline]] bool write_bytes(const BytesOperations& bytes, const void* object,
                                     std::uint32_t number, Presence presence);
  [[gnu::noinline]] bool write_json(std::string_view text, std::uint32_t number, Presence presence);
  [[gnu::noinline]] bool write_optional(const Type& type, const void* object, std::uint32_t number,
                                        Wires wires);
  [[gnu::noinline]] bool write_list(const Type& type, const void* object, std::uint32_t number,
                                    Wires wires);
  [[gnu::noinline]] bool write_array(const Type& element, const void* elements, std::size_t count,
                                     std::uint32_t number, Wires wires);
  [[gnu::noinline]] bool write_apart(const Type& type, const void* object, std::uint32_t number,
                                     Wires wires);
  bool write_element(const Type& element, const void* object, std::uint32_t number, bool is_packed,
                     Wires wires);
  [[gnu::noinline]] bool write_map(const Type& type, const void* object, std::uint32_t number,
                                   Wires wires);
  [[gnu::noinline]] bool write_entry(const Type& type, const Cursor& cursor, std::uint32_t number,
                                     Wires wires);
  [[gnu::noinline]] bool write_represented(const Type& type, const void* object,
                                           std::uint32_t number, Presence presence, Wires wires);
  [[gnu::noinline]] bool write_message(const Type& type, const void* object, std::uint32_t number,
                                       Presence presence, Wires wires);

  // What stands in a message, without its tag and length.
  [[gnu::noinline]] bool write_time(const Type& type, const void* object);
  [[gnu::noinline]] bool write_variant(const VariantOperations& variant, const void* object);
  [[gnu::noinline]] bool write_members(const Members& members, const void* object);
  [[gnu::noinline]] bool write_unknown(const Members& members, std::string_view fields);

  // Room for `count` more bytes.
  void reserve(std::size_t count) {
    if (static_cast<std::size_t>(at_ - begin_) < count) grow(count);
  }
  [[gnu::noinline]] void grow(std::size_t count);
  void put_varint(std::uint64_t value) {
    reserve(max_varint);
    if (value < 0x80) {
      *--at_ = static_cast<char>(value);
    } else {
      put_long_varint(value);
    }
  }
  void put_long_varint(std::uint64_t value);
  template <std::size_t bytes>
  void put_fixed(std::uint64_t value) {
    reserve(bytes);
    at_ -= bytes;
    for (std::size_t i = 0; i < bytes; ++i) at_[i] = static_cast<char>(value >> (8 * i) & 0xFF);
  }
  void put_bytes(std::string_view bytes) {
    if (bytes.empty()) return;
    reserve(bytes.size());
    at_ -= bytes.size();
    std::memcpy(at_, bytes.data(), bytes.size());
  }
  void put_tag(std::uint32_t number, WireType type) {
    put_varint(number << 3 | static_cast<std::uint32_t>(type));
  }
  // The length and the tag of what has been written since written() was `before`.
  void put_head(std::size_t before, std::uint32_t number) {
    put_varint(written() - before);
    put_tag(number, WireType::bytes);
  }
  [[nodiscard]] std::size_t written() const { return static_cast<std::size_t>(end_ - at_); }

  bool enter() { return depth_++ < limits_.max_depth; }
  bool leave() {
    --depth_;
    return true;
  }
  [[gnu::cold]] bool fail_depth();
  [[gnu::cold]] bool fail_value(std::string message);
  [[gnu::cold]] bool in_field(const Field& field);
  [[gnu::cold]] bool in_key(const Type& type, const void* key);

  std::string& out_;
  std::size_t start_;
  const Limits& limits_;
  char* begin_;  // of the room
  char* at_;     // what is written stands between this and the end
  char* end_;
  std::size_t depth_ = 0;
  Failure failure_;
};

// Doubles what has been written here, whatever the capacity: resize() clears what it adds, and a
// reused string may have far more room than this value needs.
void ProtobufWriter::grow(std::size_t count) {
  constexpr std::size_t smallest = 128;
  const std::size_t used = written();
  std::size_t size = start_ + used + std::max({smallest, count, used});
  if (out_.capacity() < size && out_.capacity() >= start_ + used + count) size = out_.capacity();
  const std::size_t old_size = out_.size();
  out_.resize(size);
  if (used > 0) std::memmove(out_.data() + size - used, out_.data() + old_size - used, used);
  begin_ = out_.data() + start_;
  end_ = out_.data() + size;
  at_ = end_ - used;
}

void ProtobufWriter::finish() {
  const std::size_t used = written();
  if (used > 0 && at_ != begin_) std::memmove(begin_, at_, used);
  out_.resize(start_ + used);
}

void ProtobufWriter::put_long_varint(std::uint64_t value) {
  const auto bits = static_cast<std::size_t>(std::bit_width(value));
  const std::size_t bytes = (bits + 6) / 7;
  at_ -= bytes;
  for (std::size_t i = 0; i + 1 < bytes; ++i, value >>= 7) {
    at_[i] = static_cast<char>((value & 0x7F) | 0x80);
  }
  at_[bytes - 1] = static_cast<char>(value);
}

bool ProtobufWriter::write_whole(const Type& type, const void* object) {
  if (type.kind == Kind::structure || type.kind == Kind::tuple) {
    return (enter() || fail_depth()) && write_members(type.members(), object) && leave();
  }
  if (type.kind == Kind::bytes && type.bytes->is_message) {
    std::string room;
    put_bytes(type.bytes->get(object, room));
    return true;
  }
  if (type.kind != Kind::represented) {
    return (enter() || fail_depth()) &&
           write(type, object, only_number, Presence::unless_zero, {}) && leave();
  }
  struct Target {
    ProtobufWriter* writer;
    const Type* type;
  } target{this, type.element};
  return type.represented->show(
      object,
      [](void* context, const void* as) {
        const auto& self = *static_cast<Target*>(context);
        return self.writer->write_whole(*self.type, as);
      },
      &target);
}

bool ProtobufWriter::write(const Type& type, const void* object, std::uint32_t number,
                           Presence presence, Wires wires) {
  switch (type.kind) {
    case Kind::boolean:
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
    case Kind::float32:
    case Kind::float64:
    case Kind::enumeration:
      return write_scalar(type, object, number, presence, wires);
    case Kind::string:
      return write_text(*static_cast<const std::string*>(object), number, presence);
    case Kind::bytes:
      return write_bytes(*type.bytes, object, number, presence);
    case Kind::json:
      return write_json(static_cast<const Json*>(object)->text, number, presence);
    case Kind::optional:
      if (presence == Presence::single) break;
      return write_optional(type, object, number, wires);
    case Kind::list:
      if (presence == Presence::single) break;
      return write_list(type, object, number, wires);
    case Kind::array:
      if (presence == Presence::single) break;
      return write_array(*type.element, object, type.count, number, wires);
    case Kind::map:
      if (presence == Presence::single) break;
      return write_map(type, object, number, wires);
    case Kind::duration:
    case Kind::instant:
    case Kind::tuple:
    case Kind::variant:
    case Kind::structure:
      break;
    case Kind::represented:
      return write_represented(type, object, number, presence, wires);
  }
  return write_message(type, object, number, presence, wires);
}

bool ProtobufWriter::write_scalar(const Type& type, const void* object, std::uint32_t number,
                                  Presence presence, Wires wires) {
  const Type& plain = type.kind == Kind::enumeration ? *type.element : type;
  if (presence == Presence::unless_zero) {
    // By its bits: -0.0 is not zero.
    constexpr char zeros[sizeof(std::uint64_t)] = {};
    if (std::memcmp(object, zeros, plain.size) == 0) return true;
  }
  put_scalar(plain, object, wires.value);
  put_tag(number, wire_type_of(plain, wires.value));
  return true;
}

bool ProtobufWriter::put_scalar(const Type& type, const void* object, Wire wire) {
  switch (type.kind) {
    case Kind::boolean:
      put_varint(*static_cast<const bool*>(object) ? 1 : 0);
      return true;
    case Kind::float32:
      put_fixed<4>(std::bit_cast<std::uint32_t>(*static_cast<const float*>(object)));
      return true;
    case Kind::float64:
      put_fixed<8>(std::bit_cast<std::uint64_t>(*static_cast<const double*>(object)));
      return true;
    case Kind::enumeration:
      return put_scalar(*type.element, object, Wire::usual);
    case Kind::represented:
      return write_represented(type, object, 0, Presence::single, {.value = wire});
    default:
      break;
  }
  std::int64_t value = 0;
  load_integer(type, object, value);
  auto bits = static_cast<std::uint64_t>(value);
  if (wire == Wire::zigzag) bits = bits << 1 ^ (value < 0 ? ~std::uint64_t{0} : 0);
  if (wire != Wire::fixed) {
    put_varint(bits);
  } else if (type.size == 8) {
    put_fixed<8>(bits);
  } else {
    put_fixed<4>(bits);
  }
  return true;
}

bool ProtobufWriter::write_text(std::string_view text, std::uint32_t number, Presence presence) {
  if (text.empty() && presence == Presence::unless_zero) return true;
  if (!is_text(text)) {
    return fail_value(
        "a string that is not UTF-8 cannot be written as protobuf: use std::vector<std::byte>");
  }
  put_bytes(text);
  put_varint(text.size());
  put_tag(number, WireType::bytes);
  return true;
}

bool ProtobufWriter::write_bytes(const BytesOperations& bytes, const void* object,
                                 std::uint32_t number, Presence presence) {
  std::string room;
  const std::string_view value = bytes.get(object, room);
  if (bytes.is_text) return write_text(value, number, presence);
  if (value.empty() && presence == Presence::unless_zero) return true;
  put_bytes(value);
  put_varint(value.size());
  put_tag(number, WireType::bytes);
  return true;
}

bool ProtobufWriter::write_json(std::string_view text, std::uint32_t number, Presence presence) {
  if (text == "null" && presence == Presence::unless_zero) return true;
  constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
  const Limits limits{.max_depth = limits_.max_depth - std::min(depth_, limits_.max_depth),
                      .max_bytes = any,
                      .max_elements = any,
                      .max_string_bytes = any};
  const Status status = validate_json(text, limits);
  if (!status.is_ok()) {
    return failure_.set(status.code(), "this Json cannot be written: " + status.message());
  }
  put_bytes(text);
  put_varint(text.size());
  put_tag(number, WireType::bytes);
  return true;
}

bool ProtobufWriter::write_optional(const Type& type, const void* object, std::uint32_t number,
                                    Wires wires) {
  const void* const value = type.optional->get(object);
  return value == nullptr || write(*type.element, value, number, Presence::single, wires);
}

bool ProtobufWriter::write_list(const Type& type, const void* object, std::uint32_t number,
                                Wires wires) {
  if (type.list->data == nullptr) return write_apart(type, object, number, wires);
  // Only to be read from: data() serves readers and writers alike.
  return write_array(*type.element, type.list->data(const_cast<void*>(object)),
                     type.list->size(object), number, wires);
}

bool ProtobufWriter::write_element(const Type& element, const void* object, std::uint32_t number,
                                   bool is_packed, Wires wires) {
  return is_packed ? put_scalar(element, object, wires.value)
                   : write(element, object, number, Presence::single, wires);
}

bool ProtobufWriter::write_array(const Type& element, const void* elements, std::size_t count,
                                 std::uint32_t number, Wires wires) {
  if (count == 0) return true;
  const bool is_packed = is_packable(resolved(element).kind) && !wires.is_unpacked;
  const std::size_t before = written();
  const auto* const first = static_cast<const char*>(elements);
  for (std::size_t i = count; i-- > 0;) {
    if (!write_element(element, first + i * element.size, number, is_packed, wires)) {
      return failure_.in_index(i);
    }
  }
  if (is_packed) put_head(before, number);
  return true;
}

// Lists whose elements do not lie side by side. Where they have no order, any will do.
bool ProtobufWriter::write_apart(const Type& type, const void* object, std::uint32_t number,
                                 Wires wires) {
  const ListOperations& list = *type.list;
  const std::size_t count = list.size(object);
  if (count == 0) return true;
  const bool is_packed = is_packable(resolved(*type.element).kind) && !wires.is_unpacked;
  const std::size_t before = written();
  Cursor cursor;
  if (list.show == nullptr) list.first(object, cursor);
  for (std::size_t i = count; i-- > 0;) {
    if (list.show != nullptr) list.show(object, cursor, i);
    if (!write_element(*type.element, cursor.value, number, is_packed, wires)) {
      return failure_.in_index(i);
    }
    if (list.show == nullptr) list.next(object, cursor);
  }
  if (is_packed) put_head(before, number);
  return true;
}

bool ProtobufWriter::write_map(const Type& type, const void* object, std::uint32_t number,
                               Wires wires) {
  Cursor cursor;
  for (bool some = type.map->first(object, cursor); some; some = type.map->next(object, cursor)) {
    if (!write_entry(type, cursor, number, wires)) return in_key(*type.key, cursor.key);
  }
  return true;
}

bool ProtobufWriter::write_entry(const Type& type, const Cursor& cursor, std::uint32_t number,
                                 Wires wires) {
  const std::size_t before = written();
  if (!enter()) return fail_depth();
  if (!write(*type.element, cursor.value, value_number, Presence::single, {.value = wires.value}) ||
      !write(*type.key, cursor.key, key_number, Presence::single, {.value = wires.key})) {
    return false;
  }
  put_head(before, number);
  return leave();
}

// Number 0: without a tag.
bool ProtobufWriter::write_represented(const Type& type, const void* object, std::uint32_t number,
                                       Presence presence, Wires wires) {
  struct Target {
    ProtobufWriter* writer;
    const Type* type;
    std::uint32_t number;
    Presence presence;
    Wires wires;
  } target{this, type.element, number, presence, wires};
  return type.represented->show(
      object,
      [](void* context, const void* as) {
        const auto& self = *static_cast<Target*>(context);
        if (self.number == 0) return self.writer->put_scalar(*self.type, as, self.wires.value);
        return self.writer->write(*self.type, as, self.number, self.presence, self.wires);
      },
      &target);
}

bool ProtobufWriter::write_message(const Type& type, const void* object, std::uint32_t number,
                                   Presence presence, Wires wires) {
  // What may be left out counts when it is not: it stands in an object by value, so that there is
  // an end to it.
  const bool may_be_left_out = presence == Presence::unless_zero;
  if (!enter() && !may_be_left_out) return fail_depth();
  const std::size_t before = written();
  bool is_written = false;
  switch (type.kind) {
    case Kind::duration:
    case Kind::instant:
      is_written = write_time(type, object);
      break;
    case Kind::variant:
      is_written = write_variant(*type.variant, object);
      break;
    case Kind::tuple:
    case Kind::structure:
      is_written = write_members(type.members(), object);
      break;
    default:  // alone in a message
      is_written = write(type, object, only_number, Presence::unless_zero, wires);
  }
  if (!is_written) return false;
  if (!may_be_left_out || written() != before) {
    if (depth_ > limits_.max_depth) return fail_depth();
    put_head(before, number);
  }
  return leave();
}

bool ProtobufWriter::write_time(const Type& type, const void* object) {
  Seconds time;
  if (!get_time(type, object, time, failure_)) return false;
  if (time.nanoseconds != 0) {
    put_varint(static_cast<std::uint64_t>(std::int64_t{time.nanoseconds}));
    put_tag(2, WireType::varint);
  }
  if (time.seconds != 0) {
    put_varint(static_cast<std::uint64_t>(time.seconds));
    put_tag(1, WireType::varint);
  }
  return true;
}

bool ProtobufWriter::write_variant(const VariantOperations& variant, const void* object) {
  const std::size_t index = variant.index(object);
  if (index >= variant.alternatives.size()) {
    return fail_value("a variant without a value cannot be written");
  }
  const Alternative& alternative = variant.alternatives[index];
  if (alternative.type == nullptr) return true;
  return write(*alternative.type, variant.get(object), number_of_alternative(variant, index),
               Presence::single, {}) ||
         failure_.in_field(alternative.name);
}

bool ProtobufWriter::write_members(const Members& members, const void* object) {
  const UnknownFields* const unknown = members.unknown_fields(object);
  if (unknown != nullptr && !unknown->protobuf.empty() &&
      !write_unknown(members, unknown->protobuf)) {
    return false;
  }
  const std::span<const Field> fields = members.fields();
  for (std::size_t i = fields.size(); i-- > 0;) {
    const Field& field = fields[i];
    const void* member = static_cast<const char*>(object) + field.offset;
    Presence presence = field.is_required ? Presence::always : Presence::unless_zero;
    if (field.variant != nullptr) {
      if (field.variant->index(member) != field.alternative) continue;
      member = field.variant->get(member);
      presence = Presence::single;
    }
    if (!write(*field.type, member, field.number, presence,
               {.value = field.wire, .key = field.key_wire, .is_unpacked = field.is_unpacked})) {
      return in_field(field);
    }
  }
  return true;
}

bool ProtobufWriter::write_unknown(const Members& members, std::string_view fields) {
  ProtobufCursor cursor(fields, limits_, depth_);
  while (!cursor.is_at_end()) {
    Tag tag;
    if (!cursor.read_tag(tag) || !cursor.skip_value(tag)) {
      const Status status = cursor.failure().status();
      return failure_.set(status.code(),
                          "what UnknownFields holds cannot be written: " + status.message());
    }
    if (members.find_number(tag.number) != Members::npos) {
      return fail_value("what UnknownFields holds cannot be written: field " +
                        std::to_string(tag.number) + " is known");
    }
  }
  put_bytes(fields);
  return true;
}

bool ProtobufWriter::fail_depth() {
  return failure_.set(Code::resource_exhausted,
                      "nested deeper than max_depth (" + std::to_string(limits_.max_depth) + ")");
}

bool ProtobufWriter::fail_value(std::string message) {
  return failure_.set(Code::invalid_argument, std::move(message));
}

bool ProtobufWriter::in_field(const Field& field) {
  return field.name.empty() ? failure_.in_index(field.number - 1) : failure_.in_field(field.name);
}

bool ProtobufWriter::in_key(const Type& type, const void* key) {
  return failure_.in_field(text_of_key(type, key));
}

}  // namespace
}  // namespace impl

Status encode_protobuf_as(std::string& out, const Type& type, const void* object,
                          const Limits& limits) {
  impl::ProtobufWriter writer(out, limits);
  if (writer.write_whole(type, object)) {
    writer.finish();
    return {};
  }
  writer.undo();
  return writer.status();
}

}  // namespace parley::codec
