// The typed writer: walks a table of types and appends bytes.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/growth.h"
#include "parley/codec/impl/held_json.h"
#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/msgpack_bytes.h"
#include "parley/codec/impl/msgpack_cursor.h"
#include "parley/codec/impl/utf8.h"
#include "parley/codec/members.h"
#include "parley/codec/msgpack.h"

namespace parley::codec {
namespace impl {
namespace {

constexpr std::size_t any_size = std::numeric_limits<std::size_t>::max();
constexpr std::size_t max_length = std::numeric_limits<std::uint32_t>::max();

// Room that is there whenever a value is to be written, so that a number or a head needs no look.
constexpr std::size_t slack = 64;
static_assert(slack >= 2 * max_msgpack_head + Members::key_padding);
// What is written together before it goes to the string: most messages in one piece.
constexpr std::size_t room_bytes = 2048;

// The entries that UnknownFields holds.
class UnknownEntries : public MsgpackCursor {
 public:
  using MsgpackCursor::MsgpackCursor;

  // Steps over one; `name` is its key if that is a text, else empty.
  bool skip_entry(std::string_view& name) {
    const char* const key = at_;
    if (!skip_value()) return false;
    const char* const value = at_;
    at_ = key;
    MsgpackHead head;
    const bool is_text = take_head(head) && head.form == MsgpackForm::text;
    name = is_text ? take_body(head) : std::string_view();
    at_ = value;
    return skip_value();
  }
};

class MsgpackWriter {
 public:
  // Appends behind what `out` holds; undo() must follow when write() failed.
  MsgpackWriter(std::string& out, const Limits& limits, const MsgpackOptions& options)
      : out_(out), start_(out.size()), limits_(limits), options_(options) {}

  bool write(const Type& type, const void* object) {
    const char* const end = write_value(type, object, room_);
    if (end == nullptr) return false;
    out_.append(room_, static_cast<std::size_t>(end - room_));
    return true;
  }

  void undo() { out_.resize(start_); }
  [[nodiscard]] Status status() const { return failure_.status(); }

 private:
  // All of them write to `at`, which is handed on in a register, where the slack is free, and
  // return the end of what they wrote, or null. Each stands alone but this one, which is inlined
  // into the loops over members and elements.
  [[gnu::always_inline]] char* write_value(const Type& type, const void* object, char* at);
  [[gnu::noinline]] char* write_rare(const Type& type, const void* object, char* at);
  [[gnu::noinline]] static char* write_unsigned(std::uint64_t value, char* at);
  [[gnu::noinline]] static char* write_integer(std::int64_t value, char* at);
  [[gnu::noinline]] char* write_text(std::string_view text, char* at);
  [[gnu::noinline]] char* write_json(std::string_view text, char* at);
  [[gnu::noinline]] char* write_bytes(const BytesOperations& bytes, const void* object, char* at);
  [[gnu::noinline]] char* write_enumeration(const Type& type, const void* object, char* at);
  [[gnu::noinline]] char* write_time(const Type& type, const void* object, char* at);
  static char* write_instant(Seconds time, char* at);
  char* write_duration(Seconds time, char* at);
  [[gnu::noinline]] char* write_list(const Type& type, const void* object, char* at);
  [[gnu::noinline]] char* write_array(const Type& element, const void* elements, std::size_t count,
                                      char* at);
  [[gnu::noinline]] char* write_tuple(const Type& type, const void* object, char* at);
  [[gnu::noinline]] char* write_map(const Type& type, const void* object, char* at);
  [[gnu::noinline]] char* write_variant(const VariantOperations& variant, const void* object,
                                        char* at);
  [[gnu::noinline]] char* write_represented(const Type& type, const void* object, char* at);
  [[gnu::noinline]] char* write_structure(const Type& type, const void* object, char* at);
  [[gnu::noinline]] static std::size_t count_there(const Members& members, const void* object);
  [[gnu::noinline]] bool count_unknown(const Members& members, std::string_view entries,
                                       std::size_t& count);

  [[nodiscard]] std::size_t room_behind(const char* at) const {
    return static_cast<std::size_t>(room_ + room_bytes - at);
  }
  // How much was written when the position is `at`.
  [[nodiscard]] std::size_t written(const char* at) const {
    return out_.size() + static_cast<std::size_t>(at - room_);
  }
  // `at`, or the start of the room: with the slack behind it.
  char* ensure(char* at) { return room_behind(at) >= slack ? at : flush(at); }
  [[gnu::noinline]] char* flush(const char* at);
  void grow(std::size_t count);
  // Bytes of any number, with the slack behind them.
  [[gnu::noinline]] char* put(std::string_view bytes, char* at);
  // The head of a map (fixmap, map16) or an array, and a level; leave with --depth_.
  char* enter(std::uint8_t fixed, std::uint8_t wide, std::size_t count, char* at);
  char* enter_array(std::size_t count, char* at) {
    return enter(msgpack::fixarray, msgpack::array16, count, at);
  }
  char* enter_map(std::size_t count, char* at) {
    return enter(msgpack::fixmap, msgpack::map16, count, at);
  }
  // The field's value, when it is there to be written; otherwise null.
  static const void* shown(const Field& field, const void* object);

  [[gnu::cold]] char* fail_kind();
  [[gnu::cold]] char* fail_depth();
  [[gnu::cold]] char* fail_utf8();
  [[gnu::cold]] char* fail_length(std::size_t length);
  [[gnu::cold]] char* fail_in_key(std::size_t key, std::size_t key_end);

  std::string& out_;
  std::size_t start_;
  const Limits& limits_;
  const MsgpackOptions& options_;
  const Progress* progress_ = nullptr;
  std::size_t depth_ = 0;
  Failure failure_;
  char room_[room_bytes];
};

char* MsgpackWriter::flush(const char* at) {
  const auto count = static_cast<std::size_t>(at - room_);
  grow(count);
  out_.append(room_, count);
  return room_;
}

void MsgpackWriter::grow(std::size_t count) {
  if (out_.capacity() - out_.size() >= count) return;
  const std::size_t used = out_.size() + count - start_;
  out_.reserve(start_ + likely_size(used, progress_));
}

char* MsgpackWriter::put(std::string_view bytes, char* at) {
  if (room_behind(at) < bytes.size() + slack) at = flush(at);
  if (room_bytes < bytes.size() + slack) {
    grow(bytes.size());
    out_.append(bytes);
    return at;
  }
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

inline char* MsgpackWriter::write_value(const Type& type, const void* object, char* at) {
  switch (type.kind) {
    case Kind::boolean:
      return store_byte(at, *static_cast<const bool*>(object) ? msgpack::yes : msgpack::no);
    case Kind::int32:
      return write_integer(load<std::int32_t>(object), at);
    case Kind::int64:
      return write_integer(load<std::int64_t>(object), at);
    case Kind::uint32:
      return write_unsigned(load<std::uint32_t>(object), at);
    case Kind::uint64:
      return write_unsigned(load<std::uint64_t>(object), at);
    case Kind::float64:
      return store_network<8>(store_byte(at, msgpack::float64), load<std::uint64_t>(object));
    case Kind::string:
      return write_text(*static_cast<const std::string*>(object), at);
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
      return write_rare(type, object, at);
  }
}

// What write_value() does not know itself.
char* MsgpackWriter::write_rare(const Type& type, const void* object, char* at) {
  switch (type.kind) {
    case Kind::int8:
    case Kind::int16:
    case Kind::uint8:
    case Kind::uint16: {
      std::int64_t value = 0;
      load_integer(type, object, value);
      return write_integer(value, at);
    }
    case Kind::float32:
      return store_network<4>(store_byte(at, msgpack::float32), load<std::uint32_t>(object));
    case Kind::bytes:
      return write_bytes(*type.bytes, object, at);
    case Kind::json:
      return write_json(static_cast<const Json*>(object)->text, at);
    case Kind::enumeration:
      return write_enumeration(type, object, at);
    case Kind::duration:
    case Kind::instant:
      return write_time(type, object, at);
    case Kind::optional: {
      const void* const value = type.optional->get(object);
      if (value != nullptr) return write_value(*type.element, value, at);
      return store_byte(at, msgpack::nil);
    }
    case Kind::list:
      return write_list(type, object, at);
    case Kind::tuple:
      return write_tuple(type, object, at);
    case Kind::map:
      return write_map(type, object, at);
    case Kind::variant:
      return write_variant(*type.variant, object, at);
    case Kind::represented:
      return write_represented(type, object, at);
    default:
      return fail_kind();
  }
}

char* MsgpackWriter::fail_kind() {
  failure_.set(Code::internal, "a type table with an unknown kind");
  return nullptr;
}

// `first` is what starts a number of one byte; `bits` the highest that it needs.
char* store_sized(char* at, std::uint8_t first, int bits, std::uint64_t value) {
  constexpr std::array<std::uint8_t, 8> classes = {0, 1, 2, 2, 3, 3, 3, 3};
  const std::uint8_t size_class = classes[static_cast<std::size_t>(bits) >> 3];
  const int size = 1 << size_class;
  at = store_byte(at, static_cast<std::uint8_t>(first + size_class));
  store_network<8>(at, value << (64 - 8 * size));  // stores more than counts: there is slack
  return at + size;
}

char* MsgpackWriter::write_unsigned(std::uint64_t value, char* at) {
  if (value < msgpack::fixmap) return store_byte(at, static_cast<std::uint8_t>(value));
  return store_sized(at, msgpack::uint8, static_cast<int>(std::bit_width(value)) - 1, value);
}

char* MsgpackWriter::write_integer(std::int64_t value, char* at) {
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= 0) return write_unsigned(bits, at);
  if (value >= -32) return store_byte(at, static_cast<std::uint8_t>(bits));
  return store_sized(at, msgpack::int8, static_cast<int>(std::bit_width(~bits)), bits);
}

char* MsgpackWriter::write_text(std::string_view text, char* at) {
  if (room_behind(at) < text.size() + slack) {
    if (text.size() > max_length) return fail_length(text.size());
    if (!is_short_utf8(text)) return fail_utf8();
    return put(text, store_msgpack_text_head(at, text.size()));
  }
  at = store_msgpack_text_head(at, text.size());
  if (!copy_utf8(at, text)) return fail_utf8();
  return at + text.size();
}

char* MsgpackWriter::write_json(std::string_view text, char* at) {
  const Status status = check_held_json(text, limits_, depth_);
  if (status.is_ok()) return write_text(text, at);
  failure_.set(status.code(), "this Json cannot be written: " + status.message());
  return nullptr;
}

char* MsgpackWriter::write_bytes(const BytesOperations& bytes, const void* object, char* at) {
  std::string room;
  const std::string_view body = bytes.get(object, room);
  if (bytes.is_text) return write_text(body, at);
  if (body.size() > max_length) return fail_length(body.size());
  if (body.size() <= 0xff) {
    at = store_network<1>(store_byte(at, msgpack::bin8), body.size());
  } else if (body.size() <= 0xffff) {
    at = store_network<2>(store_byte(at, msgpack::bin8 + 1), body.size());
  } else {
    at = store_network<4>(store_byte(at, msgpack::bin8 + 2), body.size());
  }
  return put(body, at);
}

char* MsgpackWriter::write_enumeration(const Type& type, const void* object, char* at) {
  if (!options_.enums_as_numbers) {
    std::int64_t number = 0;
    load_integer(*type.element, object, number);
    for (const EnumValue& value : type.enumeration->values) {
      if (value.value == number) return write_text(value.name, at);
    }
  }
  return write_value(*type.element, object, at);
}

char* MsgpackWriter::write_time(const Type& type, const void* object, char* at) {
  Seconds time;
  if (!get_time(type, object, time, failure_)) return nullptr;
  return type.kind == Kind::instant ? write_instant(time, at) : write_duration(time, at);
}

char* MsgpackWriter::write_instant(Seconds time, char* at) {
  const auto seconds = static_cast<std::uint64_t>(time.seconds);
  const auto nanoseconds = static_cast<std::uint64_t>(time.nanoseconds);
  constexpr auto type = static_cast<std::uint8_t>(msgpack::timestamp);
  if (seconds >> 34 != 0) {  // also where they are negative
    at = store_byte(store_network<1>(store_byte(at, msgpack::ext8), 12), type);
    return store_network<8>(store_network<4>(at, nanoseconds), seconds);
  }
  if (nanoseconds != 0 || seconds >> 32 != 0) {
    at = store_byte(store_byte(at, msgpack::fixext1 + 3), type);
    return store_network<8>(at, nanoseconds << 34 | seconds);
  }
  at = store_byte(store_byte(at, msgpack::fixext1 + 2), type);
  return store_network<4>(at, seconds);
}

char* MsgpackWriter::write_duration(Seconds time, char* at) {
  at = enter_array(2, at);
  if (at == nullptr) return nullptr;
  --depth_;
  return write_integer(time.nanoseconds, write_integer(time.seconds, at));
}

inline char* MsgpackWriter::enter(std::uint8_t fixed, std::uint8_t wide, std::size_t count,
                                  char* at) {
  if (depth_ >= limits_.max_depth) return fail_depth();
  ++depth_;
  if (count <= msgpack::max_fix_elements) {
    return store_byte(at, static_cast<std::uint8_t>(fixed + count));
  }
  if (count <= 0xffff) return store_network<2>(store_byte(at, wide), count);
  if (count > max_length) return fail_length(count);
  return store_network<4>(store_byte(at, static_cast<std::uint8_t>(wide + 1)), count);
}

// One whose elements do not lie side by side.
char* MsgpackWriter::write_list(const Type& type, const void* object, char* at) {
  const ListOperations& list = *type.list;
  at = enter_array(list.size(object), at);
  if (at == nullptr) return nullptr;
  Cursor cursor;
  std::size_t count = 0;
  for (bool some = list.first(object, cursor); some; some = list.next(object, cursor)) {
    at = write_value(*type.element, cursor.value, ensure(at));
    if (at == nullptr) return failure_.in_index(count), nullptr;
    ++count;
  }
  --depth_;
  return at;
}

char* MsgpackWriter::write_array(const Type& element, const void* elements, std::size_t count,
                                 char* at) {
  Progress progress{.before = written(at) - start_, .count = count};
  const bool is_outermost = progress_ == nullptr;
  if (is_outermost) progress_ = &progress;
  at = enter_array(count, at);
  if (at == nullptr) return nullptr;
  const auto* value = static_cast<const char*>(elements);
  for (; progress.done < count; ++progress.done, value += element.size) {
    at = write_value(element, value, ensure(at));
    if (at == nullptr) return failure_.in_index(progress.done), nullptr;
  }
  if (is_outermost) progress_ = nullptr;
  --depth_;
  return at;
}

char* MsgpackWriter::write_tuple(const Type& type, const void* object, char* at) {
  const std::span<const Field> fields = type.members().fields();
  at = enter_array(fields.size(), at);
  if (at == nullptr) return nullptr;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const void* const member = static_cast<const char*>(object) + fields[i].offset;
    at = write_value(*fields[i].type, member, ensure(at));
    if (at == nullptr) return failure_.in_index(i), nullptr;
  }
  --depth_;
  return at;
}

char* MsgpackWriter::write_map(const Type& type, const void* object, char* at) {
  at = enter_map(type.map->size(object), at);
  if (at == nullptr) return nullptr;
  Cursor cursor;
  std::size_t count = 0;
  for (bool some = type.map->first(object, cursor); some; some = type.map->next(object, cursor)) {
    at = ensure(at);
    const std::size_t key = written(at);
    at = write_value(*type.key, cursor.key, at);
    if (at == nullptr) return failure_.in_key_number(count), nullptr;
    const std::size_t key_end = written(at);
    at = write_value(*type.element, cursor.value, ensure(at));
    if (at == nullptr) return fail_in_key(key, key_end);
    ++count;
  }
  --depth_;
  return at;
}

// What is in the room still is as it was when the value behind the key failed.
char* MsgpackWriter::fail_in_key(std::size_t key, std::size_t key_end) {
  if (key_end > out_.size()) out_.append(room_, key_end - out_.size());
  MsgpackCursor::in_key_at(out_.data() + key, out_.data() + key_end, failure_);
  return nullptr;
}

char* MsgpackWriter::write_variant(const VariantOperations& variant, const void* object, char* at) {
  const std::size_t index = variant.index(object);
  if (index >= variant.alternatives.size()) {
    failure_.set(Code::invalid_argument, "a variant without a value cannot be written");
    return nullptr;
  }
  const Alternative& alternative = variant.alternatives[index];
  if (alternative.type == nullptr) return store_byte(at, msgpack::nil);
  at = enter_map(1, at);
  if (at != nullptr) at = write_text(alternative.name, at);
  if (at == nullptr) return nullptr;
  at = write_value(*alternative.type, variant.get(object), ensure(at));
  if (at == nullptr) return failure_.in_field(alternative.name), nullptr;
  --depth_;
  return at;
}

char* MsgpackWriter::write_represented(const Type& type, const void* object, char* at) {
  struct Target {
    MsgpackWriter* writer;
    const Type* type;
    char* at;
  } target{this, type.element, at};
  const bool is_written = type.represented->show(
      object,
      [](void* context, const void* as) {
        auto& self = *static_cast<Target*>(context);
        self.at = self.writer->write_value(*self.type, as, self.at);
        return self.at != nullptr;
      },
      &target);
  return is_written ? target.at : nullptr;
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

char* MsgpackWriter::write_structure(const Type& type, const void* object, char* at) {
  const Members& members = type.members();
  const UnknownFields* const unknown = members.unknown_fields(object);
  std::size_t count = members.fields().size();
  if (!members.are_all_there()) count = count_there(members, object);
  if (unknown != nullptr && !count_unknown(members, unknown->msgpack, count)) return nullptr;
  at = enter_map(count, at);
  if (at == nullptr) return nullptr;
  for (const Field& field : members.fields()) {
    const void* const member =
        field.is_rare ? shown(field, object) : static_cast<const char*>(object) + field.offset;
    if (member == nullptr) continue;
    const std::string_view key = field.msgpack_key;
    if (room_behind(at) < key.size() + Members::key_padding + slack) [[unlikely]] {
      at = put(key, at);
    } else {
      // What is behind the key may be read, and overwritten.
      for (std::size_t place = 0; place < key.size(); place += Members::key_padding) {
        std::memcpy(at + place, key.data() + place, Members::key_padding);
      }
      at += key.size();
    }
    at = write_value(*field.type, member, at);
    if (at == nullptr) return failure_.in_field(field.name), nullptr;
  }
  if (unknown != nullptr) at = put(unknown->msgpack, at);
  --depth_;
  return at;
}

std::size_t MsgpackWriter::count_there(const Members& members, const void* object) {
  std::size_t count = 0;
  for (const Field& field : members.fields()) {
    if (!field.is_rare || shown(field, object) != nullptr) ++count;
  }
  return count;
}

// What users put there by hand is checked like what came in.
bool MsgpackWriter::count_unknown(const Members& members, std::string_view entries,
                                  std::size_t& count) {
  const Limits limits{.max_depth = limits_.max_depth,
                      .max_bytes = any_size,
                      .max_elements = any_size,
                      .max_string_bytes = any_size};
  UnknownEntries cursor(entries, limits, depth_ + 1);
  const std::string problem = "what UnknownFields holds cannot be written: ";
  for (std::string_view name; !cursor.is_at_end(); ++count) {
    if (!cursor.skip_entry(name)) {
      const Status status = cursor.failure().status();
      return failure_.set(status.code(), problem + status.message());
    }
    if (members.find(name) != Members::npos) {
      return failure_.set(Code::invalid_argument,
                          problem + '"' + std::string(name) + "\" is known");
    }
  }
  return true;
}

char* MsgpackWriter::fail_depth() {
  failure_.set_depth(limits_.max_depth);
  return nullptr;
}

char* MsgpackWriter::fail_utf8() {
  failure_.set(Code::invalid_argument,
               "a string that is not UTF-8 cannot be written as MessagePack: use bytes");
  return nullptr;
}

char* MsgpackWriter::fail_length(std::size_t length) {
  failure_.set(Code::invalid_argument,
               "MessagePack has no length beyond 4294967295, got " + std::to_string(length));
  return nullptr;
}

}  // namespace
}  // namespace impl

Status encode_msgpack_as(std::string& out, const Type& type, const void* object,
                         const Limits& limits, const MsgpackOptions& options) {
  impl::MsgpackWriter writer(out, limits, options);
  if (writer.write(type, object)) return {};
  writer.undo();
  return writer.status();
}

}  // namespace parley::codec
