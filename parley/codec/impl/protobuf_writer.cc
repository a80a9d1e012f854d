// The typed writer. It writes from the end to the front: the length of a message is known by then,
// when it has to be written, so nothing is measured beforehand.
#include <algorithm>
#include <bit>
#include <cstring>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/growth.h"
#include "parley/codec/impl/held_json.h"
#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/protobuf_cursor.h"
#include "parley/codec/impl/protobuf_put.h"
#include "parley/codec/impl/protobuf_wire.h"
#include "parley/codec/impl/utf8.h"
#include "parley/codec/members.h"
#include "parley/codec/protobuf.h"

namespace parley::codec {
namespace impl {
namespace {

// Room that is there whenever a value is to be written, so that a number, a time or the head of a
// text needs no look.
constexpr std::size_t slack = 64;
// What is written together before the string is needed for it: most messages.
constexpr std::size_t room_bytes = 2048;

class ProtobufWriter {
 public:
  // Appends behind what `out` holds; undo() must follow when write() failed.
  ProtobufWriter(std::string& out, const Limits& limits)
      : out_(out), start_(out.size()), limits_(limits) {}
  ProtobufWriter(const ProtobufWriter&) = delete;
  ProtobufWriter& operator=(const ProtobufWriter&) = delete;

  // The whole value as a message.
  bool write(const Type& type, const void* object) {
    const char* const at = write_whole(type, object, end_);
    if (at == nullptr) return false;
    finish(at);
    return true;
  }

  void undo() { out_.resize(start_); }
  [[nodiscard]] Status status() const { return failure_.status(); }

 private:
  // All of them write in front of `at`, which is handed on in a register, where the slack is free,
  // and return the start of what they wrote, or null. Each stands alone but write_value(), which is
  // inlined into the loops over members and elements.
  char* write_whole(const Type& type, const void* object, char* at);
  template <class Rare>
  [[gnu::always_inline]] char* write_value(QuickForm quick, const Type& type, const void* object,
                                           How how, char* at, Rare write_rare);
  [[gnu::noinline]] char* write_field(const Field& field, const void* member, char* at);
  [[gnu::noinline]] char* write_rare(const Type& type, const void* object, How how, char* at);
  [[gnu::noinline]] char* write_scalar(const Type& type, const void* object, How how, char* at);
  // Without a tag.
  [[gnu::noinline]] char* put_scalar(const Type& type, const void* object, Wire wire, char* at);
  [[gnu::always_inline]] char* write_string(const std::string& text, How how, char* at);
  [[gnu::noinline]] char* write_text(std::string_view text, How how, char* at);
  [[gnu::noinline]] char* write_bytes(const BytesOperations& bytes, const void* object, How how,
                                      char* at);
  [[gnu::noinline]] char* write_json(std::string_view text, How how, char* at);
  [[gnu::noinline]] char* write_optional(const Type& type, const void* object, How how, char* at);
  [[gnu::noinline]] char* write_array(const Type& element, const void* elements, std::size_t count,
                                      How how, char* at);
  [[gnu::noinline]] char* write_packed(const Type& element, const void* elements, std::size_t count,
                                       How how, char* at);
  [[gnu::noinline]] char* write_apart(const Type& type, const void* object, How how, char* at);
  [[gnu::noinline]] char* write_map(const Type& type, const void* object, How how, char* at);
  [[gnu::noinline]] char* write_entry(const Type& type, const Cursor& cursor, How how, char* at);
  [[gnu::noinline]] char* write_represented(const Type& type, const void* object, How how,
                                            char* at);
  [[gnu::noinline]] char* write_message(const Type& type, const void* object, How how, char* at);

  // What stands in a message, without its tag and length.
  [[gnu::noinline]] char* write_time(const Type& type, const void* object, char* at);
  [[gnu::noinline]] char* write_variant(const VariantOperations& variant, const void* object,
                                        char* at);
  [[gnu::noinline]] char* write_members(const Members& members, const void* object, char* at);
  [[gnu::noinline]] char* write_unknown(const Members& members, std::string_view fields, char* at);

  // `at`, or where it is after growing: with room for `count` more bytes and the slack.
  char* ensure(char* at, std::size_t count = 0) {
    return static_cast<std::size_t>(at - begin_) >= count + slack ? at : grow(at, count);
  }
  [[gnu::noinline]] char* grow(const char* at, std::size_t count);
  void finish(const char* at);

  char* put_bytes(std::string_view bytes, char* at) {
    if (bytes.empty()) return at;
    at = ensure(at, bytes.size()) - bytes.size();
    std::memcpy(at, bytes.data(), bytes.size());
    return at;
  }
  // The length and the tag of what has been written since written() was `before`.
  char* put_head(std::size_t before, std::uint32_t number, char* at) {
    at = ensure(at);
    return put_tag(number, WireType::bytes, put_varint(written(at) - before, at));
  }
  [[nodiscard]] std::size_t written(const char* at) const {
    return static_cast<std::size_t>(end_ - at);
  }

  bool enter() { return depth_++ < limits_.max_depth; }
  char* leave(char* at) {
    --depth_;
    return at;
  }
  [[gnu::cold]] char* fail_depth();
  [[gnu::cold]] char* fail_value(std::string message);
  [[gnu::cold]] char* in_index(std::size_t index);
  [[gnu::cold]] char* in_field(const Field& field);
  [[gnu::cold]] char* in_key(const Type& type, const void* key);

  std::string& out_;
  std::size_t start_;
  const Limits& limits_;
  char* begin_ = room_;  // of the room: room_ first, then the end of out_
  char* end_ = room_ + room_bytes;
  const Progress* progress_ = nullptr;
  std::size_t depth_ = 0;
  Failure failure_;
  char room_[room_bytes];
};

// Not the whole capacity, whatever it is: resize() clears what it adds, and a reused string may
// have far more room than this value needs.
char* ProtobufWriter::grow(const char* at, std::size_t count) {
  const std::size_t used = written(at);
  const std::size_t needed = used + count + slack;
  std::size_t size = std::max(needed + needed / 2, likely_size(used, progress_));
  const std::size_t room = out_.capacity() - start_;
  if (room < size && room >= needed) size = room;
  if (begin_ == room_) {
    out_.resize(start_ + size);
    std::memcpy(out_.data() + start_ + size - used, at, used);
  } else {
    const std::size_t old_size = out_.size();
    out_.resize(start_ + size);
    std::memmove(out_.data() + start_ + size - used, out_.data() + old_size - used, used);
  }
  begin_ = out_.data() + start_;
  end_ = begin_ + size;
  return end_ - used;
}

void ProtobufWriter::finish(const char* at) {
  const std::size_t used = written(at);
  if (begin_ == room_) {
    out_.append(at, used);
  } else {
    std::memmove(begin_, at, used);
    out_.resize(start_ + used);
  }
}

char* ProtobufWriter::write_whole(const Type& type, const void* object, char* at) {
  if (type.kind == Kind::structure || type.kind == Kind::tuple) {
    if (!enter()) return fail_depth();
    return leave(write_members(type.members(), object, at));
  }
  if (type.kind == Kind::bytes && type.bytes->is_message) {
    std::string room;
    return put_bytes(type.bytes->get(object, room), at);
  }
  if (type.kind != Kind::represented) {
    if (!enter()) return fail_depth();
    return leave(write_rare(type, object, {only_number, Presence::unless_zero}, at));
  }
  struct Target {
    ProtobufWriter* writer;
    const Type* type;
    char* at;
  } target{this, type.element, at};
  const bool is_written = type.represented->show(
      object,
      [](void* context, const void* as) {
        auto& self = *static_cast<Target*>(context);
        self.at = self.writer->write_whole(*self.type, as, self.at);
        return self.at != nullptr;
      },
      &target);
  return is_written ? target.at : nullptr;
}

template <class Rare>
inline char* ProtobufWriter::write_value(QuickForm quick, const Type& type, const void* object,
                                         How how, char* at, Rare write_rare) {
  switch (quick) {
    case QuickForm::boolean:
      return put_number(*static_cast<const bool*>(object) ? 1 : 0, how, at);
    case QuickForm::int32:
      return put_number(static_cast<std::uint64_t>(std::int64_t{load<std::int32_t>(object)}), how,
                        at);
    case QuickForm::varint64:
      return put_number(load<std::uint64_t>(object), how, at);
    case QuickForm::uint32:
      return put_number(load<std::uint32_t>(object), how, at);
    case QuickForm::float64: {
      // By its bits: -0.0 is not zero.
      const auto bits = load<std::uint64_t>(object);
      if (bits == 0 && how.presence() == Presence::unless_zero) return at;
      return put_tag(how.number(), WireType::fixed64, put_fixed<8>(bits, at));
    }
    case QuickForm::string:
      return write_string(*static_cast<const std::string*>(object), how, at);
    case QuickForm::message:
      return write_message(type, object, how, at);
    case QuickForm::list:
      // Only to be read from: data() serves readers and writers alike.
      return write_array(*type.element, type.list->data(const_cast<void*>(object)),
                         type.list->size(object), how, at);
    case QuickForm::none:
      break;
  }
  return write_rare(at);
}

char* ProtobufWriter::write_rare(const Type& type, const void* object, How how, char* at) {
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
      return write_scalar(type, object, how, at);
    case Kind::string:
      return write_text(*static_cast<const std::string*>(object), how, at);
    case Kind::bytes:
      return write_bytes(*type.bytes, object, how, at);
    case Kind::json:
      return write_json(static_cast<const Json*>(object)->text, how, at);
    case Kind::optional:
      if (how.presence() == Presence::single) break;
      return write_optional(type, object, how, at);
    case Kind::list:
      if (how.presence() == Presence::single) break;
      if (type.list->data == nullptr) return write_apart(type, object, how, at);
      return write_array(*type.element, type.list->data(const_cast<void*>(object)),
                         type.list->size(object), how, at);
    case Kind::array:
      if (how.presence() == Presence::single) break;
      return write_array(*type.element, object, type.count, how, at);
    case Kind::map:
      if (how.presence() == Presence::single) break;
      return write_map(type, object, how, at);
    case Kind::duration:
    case Kind::instant:
    case Kind::tuple:
    case Kind::variant:
    case Kind::structure:
      break;
    case Kind::represented:
      return write_represented(type, object, how, at);
  }
  return write_message(type, object, how, at);
}

char* ProtobufWriter::write_scalar(const Type& type, const void* object, How how, char* at) {
  const Type& plain = type.kind == Kind::enumeration ? *type.element : type;
  if (how.presence() == Presence::unless_zero) {
    // By its bits: -0.0 is not zero.
    constexpr char zeros[sizeof(std::uint64_t)] = {};
    if (std::memcmp(object, zeros, plain.size) == 0) return at;
  }
  at = put_scalar(plain, object, how.wire(), at);
  return put_tag(how.number(), wire_type_of(plain, how.wire()), at);
}

char* ProtobufWriter::put_scalar(const Type& type, const void* object, Wire wire, char* at) {
  switch (type.kind) {
    case Kind::boolean:
      return put_varint(*static_cast<const bool*>(object) ? 1 : 0, at);
    case Kind::float32:
      return put_fixed<4>(load<std::uint32_t>(object), at);
    case Kind::float64:
      return put_fixed<8>(load<std::uint64_t>(object), at);
    case Kind::enumeration:
      return put_scalar(*type.element, object, Wire::usual, at);
    case Kind::represented:
      return write_represented(type, object, {0, Presence::single, {.value = wire}}, at);
    default:
      break;
  }
  std::int64_t value = 0;
  load_integer(type, object, value);
  auto bits = static_cast<std::uint64_t>(value);
  if (wire == Wire::zigzag) bits = bits << 1 ^ (value < 0 ? ~std::uint64_t{0} : 0);
  if (wire != Wire::fixed) return put_varint(bits, at);
  return type.size == 8 ? put_fixed<8>(bits, at) : put_fixed<4>(bits, at);
}

inline char* ProtobufWriter::write_string(const std::string& text, How how, char* at) {
  char* const text_at = put_short_text(text, at);
  if (text_at == nullptr) return write_text(text, how, at);
  return put_tag(how.number(), WireType::bytes, put_varint(text.size(), text_at));
}

char* ProtobufWriter::write_text(std::string_view text, How how, char* at) {
  if (text.empty() && how.presence() == Presence::unless_zero) return at;
  at = ensure(at, text.size()) - text.size();
  if (!copy_utf8(at, text)) {
    return fail_value(
        "a string that is not UTF-8 cannot be written as protobuf: use std::vector<std::byte>");
  }
  return put_tag(how.number(), WireType::bytes, put_varint(text.size(), at));
}

char* ProtobufWriter::write_bytes(const BytesOperations& bytes, const void* object, How how,
                                  char* at) {
  std::string room;
  const std::string_view value = bytes.get(object, room);
  if (bytes.is_text) return write_text(value, how, at);
  if (value.empty() && how.presence() == Presence::unless_zero) return at;
  return put_tag(how.number(), WireType::bytes, put_varint(value.size(), put_bytes(value, at)));
}

char* ProtobufWriter::write_json(std::string_view text, How how, char* at) {
  if (text == "null" && how.presence() == Presence::unless_zero) return at;
  const Status status = check_held_json(text, limits_, depth_);
  if (!status.is_ok()) {
    failure_.set(status.code(), "this Json cannot be written: " + status.message());
    return nullptr;
  }
  return put_tag(how.number(), WireType::bytes, put_varint(text.size(), put_bytes(text, at)));
}

char* ProtobufWriter::write_optional(const Type& type, const void* object, How how, char* at) {
  const void* const value = type.optional->get(object);
  how = how.single();
  return value == nullptr ? at : write_rare(*type.element, value, how, at);
}

char* ProtobufWriter::write_array(const Type& element, const void* elements, std::size_t count,
                                  How how, char* at) {
  if (count == 0) return at;
  if (!how.is_unpacked() && is_packable(resolved(element).kind)) {
    return write_packed(element, elements, count, how, at);
  }
  Progress progress{.before = written(at), .count = count};
  const bool is_outermost = progress_ == nullptr;
  if (is_outermost) progress_ = &progress;
  how = how.single();
  // A list in a list stands in a message.
  const QuickForm form = quick_form_of(element, how.wire());
  const QuickForm quick = form == QuickForm::list ? QuickForm::none : form;
  const auto* value = static_cast<const char*>(elements) + count * element.size;
  for (; progress.done < count; ++progress.done) {
    value -= element.size;
    at = write_value(quick, element, value, how, ensure(at),
                     [&](char* from) { return write_rare(element, value, how, from); });
    if (at == nullptr) return in_index(count - 1 - progress.done);
  }
  if (is_outermost) progress_ = nullptr;
  return at;
}

char* ProtobufWriter::write_packed(const Type& element, const void* elements, std::size_t count,
                                   How how, char* at) {
  const std::size_t before = written(at);
  const auto* const first = static_cast<const char*>(elements);
  if (element.kind == Kind::int32 && how.wire() == Wire::usual) {
    for (std::size_t i = count; i-- > 0;) {
      const std::int64_t value = load<std::int32_t>(first + i * sizeof(std::int32_t));
      at = put_short_varint(static_cast<std::uint64_t>(value), ensure(at));
    }
    return put_head(before, how.number(), at);
  }
  for (std::size_t i = count; i-- > 0;) {
    at = put_scalar(element, first + i * element.size, how.wire(), ensure(at));
    if (at == nullptr) return in_index(i);
  }
  return put_head(before, how.number(), at);
}

// Lists whose elements do not lie side by side. Where they have no order, any will do.
char* ProtobufWriter::write_apart(const Type& type, const void* object, How how, char* at) {
  const ListOperations& list = *type.list;
  const std::size_t count = list.size(object);
  if (count == 0) return at;
  const bool is_packed = is_packable(resolved(*type.element).kind) && !how.is_unpacked();
  const std::size_t before = written(at);
  how = how.single();
  Cursor cursor;
  if (list.show == nullptr) list.first(object, cursor);
  for (std::size_t i = count; i-- > 0;) {
    if (list.show != nullptr) list.show(object, cursor, i);
    at = ensure(at);
    at = is_packed ? put_scalar(*type.element, cursor.value, how.wire(), at)
                   : write_rare(*type.element, cursor.value, how, at);
    if (at == nullptr) return in_index(i);
    if (list.show == nullptr) list.next(object, cursor);
  }
  return is_packed ? put_head(before, how.number(), at) : at;
}

char* ProtobufWriter::write_map(const Type& type, const void* object, How how, char* at) {
  Cursor cursor;
  for (bool some = type.map->first(object, cursor); some; some = type.map->next(object, cursor)) {
    at = write_entry(type, cursor, how, ensure(at));
    if (at == nullptr) return in_key(*type.key, cursor.key);
  }
  return at;
}

char* ProtobufWriter::write_entry(const Type& type, const Cursor& cursor, How how, char* at) {
  if (!enter()) return fail_depth();
  const std::size_t before = written(at);
  at = write_rare(*type.element, cursor.value,
                  {value_number, Presence::single, {.value = how.wire()}}, at);
  if (at == nullptr) return nullptr;
  at = write_rare(*type.key, cursor.key, {key_number, Presence::single, {.value = how.key_wire()}},
                  ensure(at));
  return at == nullptr ? nullptr : leave(put_head(before, how.number(), at));
}

// Number 0: without a tag.
char* ProtobufWriter::write_represented(const Type& type, const void* object, How how, char* at) {
  struct Target {
    ProtobufWriter* writer;
    const Type* type;
    How how;
    char* at;
  } target{this, type.element, how, at};
  const bool is_written = type.represented->show(
      object,
      [](void* context, const void* as) {
        auto& self = *static_cast<Target*>(context);
        self.at = self.how.number() == 0
                      ? self.writer->put_scalar(*self.type, as, self.how.wire(), self.at)
                      : self.writer->write_rare(*self.type, as, self.how, self.at);
        return self.at != nullptr;
      },
      &target);
  return is_written ? target.at : nullptr;
}

char* ProtobufWriter::write_message(const Type& type, const void* object, How how, char* at) {
  // What may be left out counts when it is not: it stands in an object by value, so that there is
  // an end to it.
  const bool may_be_left_out = how.presence() == Presence::unless_zero;
  if (!enter() && !may_be_left_out) return fail_depth();
  const std::size_t before = written(at);
  switch (type.kind) {
    case Kind::duration:
    case Kind::instant:
      at = write_time(type, object, at);
      break;
    case Kind::variant:
      at = write_variant(*type.variant, object, at);
      break;
    case Kind::tuple:
    case Kind::structure:
      at = write_members(type.members(), object, at);
      break;
    default:  // alone in a message
      at = write_rare(type, object, how.alone(), at);
  }
  if (at == nullptr) return nullptr;
  if (!may_be_left_out || written(at) != before) {
    if (depth_ > limits_.max_depth) return fail_depth();
    at = put_head(before, how.number(), at);
  }
  return leave(at);
}

char* ProtobufWriter::write_time(const Type& type, const void* object, char* at) {
  Seconds time;
  if (!get_time(type, object, time, failure_)) return nullptr;
  const auto nanoseconds = static_cast<std::uint64_t>(std::int64_t{time.nanoseconds});
  at = put_number(nanoseconds, {2, Presence::unless_zero}, at);
  return put_number(static_cast<std::uint64_t>(time.seconds), {1, Presence::unless_zero}, at);
}

char* ProtobufWriter::write_variant(const VariantOperations& variant, const void* object,
                                    char* at) {
  const std::size_t index = variant.index(object);
  if (index >= variant.alternatives.size()) {
    return fail_value("a variant without a value cannot be written");
  }
  const Alternative& alternative = variant.alternatives[index];
  if (alternative.type == nullptr) return at;
  at = write_rare(*alternative.type, variant.get(object),
                  {number_of_alternative(variant, index), Presence::single}, at);
  if (at == nullptr) failure_.in_field(alternative.name);
  return at;
}

char* ProtobufWriter::write_members(const Members& members, const void* object, char* at) {
  const UnknownFields* const unknown = members.unknown_fields(object);
  if (unknown != nullptr && !unknown->protobuf.empty()) {
    at = write_unknown(members, unknown->protobuf, at);
    if (at == nullptr) return nullptr;
  }
  const std::span<const Field> fields = members.fields();
  for (std::size_t i = fields.size(); i-- > 0;) {
    const Field& field = fields[i];
    const void* const member = static_cast<const char*>(object) + field.offset;
    at = write_value(field.quick, *field.type, member, How(field), ensure(at),
                     [&](char* from) { return write_field(field, member, from); });
    if (at == nullptr) return in_field(field);
  }
  return at;
}

// What has no quick form.
char* ProtobufWriter::write_field(const Field& field, const void* member, char* at) {
  const How how(field);
  if (field.variant == nullptr) return write_rare(*field.type, member, how, at);
  if (field.variant->index(member) != field.alternative) return at;
  return write_rare(*field.type, field.variant->get(member), how.single(), at);
}

char* ProtobufWriter::write_unknown(const Members& members, std::string_view fields, char* at) {
  ProtobufCursor cursor(fields, limits_, depth_);
  while (!cursor.is_at_end()) {
    Tag tag;
    if (!cursor.read_tag(tag) || !cursor.skip_value(tag)) {
      const Status status = cursor.failure().status();
      failure_.set(status.code(),
                   "what UnknownFields holds cannot be written: " + status.message());
      return nullptr;
    }
    if (members.find_number(tag.number) != Members::npos) {
      return fail_value("what UnknownFields holds cannot be written: field " +
                        std::to_string(tag.number) + " is known");
    }
  }
  return put_bytes(fields, at);
}

char* ProtobufWriter::fail_depth() {
  failure_.set_depth(limits_.max_depth);
  return nullptr;
}

char* ProtobufWriter::fail_value(std::string message) {
  failure_.set(Code::invalid_argument, std::move(message));
  return nullptr;
}

char* ProtobufWriter::in_index(std::size_t index) {
  failure_.in_index(index);
  return nullptr;
}

char* ProtobufWriter::in_field(const Field& field) {
  if (field.name.empty()) return in_index(field.number - 1);
  failure_.in_field(field.name);
  return nullptr;
}

char* ProtobufWriter::in_key(const Type& type, const void* key) {
  failure_.in_field(text_of_key(type, key));
  return nullptr;
}

}  // namespace
}  // namespace impl

Status encode_protobuf_as(std::string& out, const Type& type, const void* object,
                          const Limits& limits) {
  impl::ProtobufWriter writer(out, limits);
  if (writer.write(type, object)) return {};
  writer.undo();
  return writer.status();
}

}  // namespace parley::codec
