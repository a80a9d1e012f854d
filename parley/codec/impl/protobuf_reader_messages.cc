// The typed reader: what holds other values.
#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "parley/codec/impl/protobuf_quick.h"
#include "parley/codec/impl/protobuf_reader.h"
#include "parley/codec/impl/represented.h"
#include "parley/codec/impl/zero.h"

namespace parley::codec::impl {
namespace {

void* at(void* object, std::size_t offset) { return static_cast<char*>(object) + offset; }

constexpr Field no_field;  // whose tag is no tag

constexpr std::string_view no_zero = "the field is missing, and its type has no default";

const Field* first_of(const Members& members) {
  return members.fields().empty() ? &no_field : members.fields().data();
}

const Field* follower_of(const Members& members, const Field& field) {
  return &field == &members.fields().back() ? members.fields().data() : &field + 1;
}

}  // namespace

bool ProtobufReader::read_whole(const Type& type, void* object) {
  if (type.kind == Kind::structure || type.kind == Kind::tuple) {
    return enter() && read_members(type, object, true) && leave();
  }
  if (type.kind == Kind::bytes && type.bytes->is_message) {
    type.bytes->set(object, {at_, left()});
    return true;
  }
  if (type.kind != Kind::represented)
    return enter() && read_alone(type, object, {}, true) && leave();
  Target target{this, type.element, nullptr};
  const Fill fill = [](void* context, void* as) {
    const Target& self = *static_cast<Target*>(context);
    return self.reader->read_whole(*self.type, as);
  };
  return take_represented(type, object, fill, &target, is_represented_, failure_);
}

bool ProtobufReader::read_message(const Type& type, void* object, const Record& record) {
  std::size_t length = 0;
  if (!expect(WireType::bytes, record.tag) || !read_length(length) || !enter()) return false;
  const char* const end = end_;
  end_ = at_ + length;
  if (!read_inside(type, object, record.is_fresh, record.wires)) return false;
  end_ = end;
  return leave();
}

bool ProtobufReader::read_inside(const Type& type, void* object, bool is_fresh, Wires wires) {
  switch (type.kind) {
    case Kind::structure:
    case Kind::tuple:
      return read_members(type, object, is_fresh);
    case Kind::variant:
      return read_variant(type, object, is_fresh);
    case Kind::duration:
    case Kind::instant:
      return read_time(type, object, is_fresh);
    default:
      return read_alone(type, object, wires, is_fresh);
  }
}

// Plain fields, up to the end or to one that asks for more. A function of its own, so that its
// locals are not on the stack at each level.
const Field* ProtobufReader::read_quick_fields(const Members& members, void* object,
                                               SeenFields& seen, const Field* expected) {
  const char* from = at_;
  const Field* const first = members.fields().data();
  while (from != end_) {
    const Field* const field = quick_field(members, expected, static_cast<std::uint8_t>(*from));
    if (field == nullptr) break;
    const char* const behind = quick_value(field->quick, at(object, field->offset), start_,
                                           from + 1, end_, limits_.max_string_bytes);
    if (behind == nullptr) break;
    seen.mark(static_cast<std::size_t>(field - first));
    expected = follower_of(members, *field);
    from = behind;
  }
  at_ = from;
  return expected;
}

bool ProtobufReader::read_members(const Type& type, void* object, bool is_fresh) {
  const Members& members = type.members();
  if (is_fresh) {
    if (UnknownFields* const kept = members.unknown_fields(object)) *kept = {};
  }
  const std::size_t base = parts_.size();
  SeenFields seen(members.fields().size(), more_seen_);
  const Field* expected = first_of(members);
  Record record;
  while (!is_at_end()) {
    expected = read_quick_fields(members, object, seen, expected);
    if (is_at_end()) break;
    if (!read_tag(record.tag)) return false;
    const std::size_t index = members.find_number(record.tag.number);
    if (index == Members::npos) {
      if (!read_unknown(&members, object, record.tag)) return false;
      continue;
    }
    const Field& field = members.fields()[index];
    expected = follower_of(members, field);
    record.is_fresh = seen.mark(index) && is_fresh;
    record.wires = {.value = field.wire, .key = field.key_wire};
    void* member = at(object, field.offset);
    record.is_single = field.variant != nullptr;
    if (record.is_single) member = emplace_alternative(field, member, record.is_fresh);
    if (!read(*field.type, member, record)) return in_field(field);
  }
  if (is_fresh && seen.count() != members.fields().size() &&
      !zero_absent(members, seen, object, false, failure_)) {
    return false;
  }
  if (parts_.size() == base || finish_arrays(base)) return true;
  for (const Field& field : members.fields()) {
    if (at(object, field.offset) == parts_.back().array) return in_field(field);
  }
  return false;
}

void* ProtobufReader::emplace_alternative(const Field& field, void* variant, bool& is_fresh) {
  // What another alternative has made way for is gone.
  is_fresh = is_fresh || field.variant->index(variant) != field.alternative;
  return field.variant->emplace(variant, field.alternative);
}

// A message that has `type` as field 1, and nothing else.
bool ProtobufReader::read_alone(const Type& type, void* object, Wires wires, bool is_fresh) {
  const std::size_t base = parts_.size();
  Record record{.tag = {}, .wires = wires, .is_fresh = is_fresh};
  bool is_there = false;
  while (!is_at_end()) {
    if (!read_tag(record.tag)) return false;
    if (record.tag.number != only_number) {
      if (!read_unknown(nullptr, nullptr, record.tag)) return false;
      continue;
    }
    if (!read(type, object, record)) return false;
    record.is_fresh = false;
    is_there = true;
  }
  if (!is_there && is_fresh && !set_zero(type, object)) return fail_value(std::string(no_zero));
  return parts_.size() == base || finish_arrays(base);
}

bool ProtobufReader::read_time(const Type& type, void* object, bool is_fresh) {
  constexpr std::int64_t giga = 1'000'000'000;
  Seconds time;
  if (!is_fresh) (void)type.time->get(object, time);  // what came before, from the same field
  std::int64_t nanoseconds = time.nanoseconds;
  while (!is_at_end()) {
    Tag tag;
    std::uint64_t bits = 0;
    if (!read_tag(tag)) return false;
    if (tag.number > 2) {
      if (!read_unknown(nullptr, nullptr, tag)) return false;
      continue;
    }
    if (!expect(WireType::varint, tag) || !read_varint(bits)) return false;
    if (tag.number == 1) {
      time.seconds = static_cast<std::int64_t>(bits);
    } else {
      nanoseconds = static_cast<std::int32_t>(bits);
    }
  }
  const bool is_instant = type.kind == Kind::instant;
  const std::int64_t least = is_instant || time.seconds > 0 ? 0 : 1 - giga;
  const std::int64_t most = !is_instant && time.seconds < 0 ? 0 : giga - 1;
  if (nanoseconds < least || nanoseconds > most) {
    return fail_value(std::to_string(nanoseconds) + " nanoseconds beside " +
                      std::to_string(time.seconds) + " seconds: expected " + std::to_string(least) +
                      " to " + std::to_string(most));
  }
  time.nanoseconds = static_cast<std::int32_t>(nanoseconds);
  if (type.time->set(object, time)) return true;
  return fail_value(std::to_string(time.seconds) +
                    " seconds do not fit the unit and size of this " +
                    (is_instant ? "time" : "duration"));
}

// The last alternative on the wire holds.
bool ProtobufReader::read_variant(const Type& type, void* object, bool is_fresh) {
  const VariantOperations& variant = *type.variant;
  Record record{.tag = {}, .wires = {}, .is_fresh = is_fresh, .is_single = true};
  bool is_there = false;
  while (!is_at_end()) {
    if (!read_tag(record.tag)) return false;
    std::size_t index = 0;
    while (index < variant.alternatives.size() &&
           (variant.alternatives[index].type == nullptr ||
            number_of_alternative(variant, index) != record.tag.number)) {
      ++index;
    }
    if (index == variant.alternatives.size()) {
      if (!read_unknown(nullptr, nullptr, record.tag)) return false;
      continue;
    }
    const Alternative& alternative = variant.alternatives[index];
    record.is_fresh = (is_fresh && !is_there) || variant.index(object) != index;
    is_there = true;
    if (!read(*alternative.type, variant.emplace(object, index), record)) {
      return failure_.in_field(alternative.name);
    }
  }
  return is_there || !is_fresh || set_zero(type, object) || fail_value(std::string(no_zero));
}

bool ProtobufReader::read_optional(const Type& type, void* object, const Record& record) {
  Record inner = record;
  inner.is_single = true;
  inner.is_fresh = record.is_fresh || type.optional->get(object) == nullptr;
  return read(*type.element, type.optional->ensure(object), inner);
}

bool ProtobufReader::comes_again(const Tag& tag) {
  if (is_at_end() || *at_ != *tag.start) return false;
  const char* const before = at_;
  Tag next;
  // What is wrong with it is told by whoever reads the next field.
  if (read_tag(next) && next.number == tag.number && next.type == tag.type) return true;
  at_ = before;
  return false;
}

bool ProtobufReader::read_list(const Type& type, void* object, const Record& record) {
  const ListOperations& list = *type.list;
  if (record.is_fresh && (list.append == nullptr || list.data == nullptr)) list.truncate(object, 0);
  if (record.tag.type == WireType::bytes && is_packable(resolved(*type.element).kind)) {
    return read_packed(type, object, record);
  }
  const std::size_t old_size = list.size(object);
  std::size_t count = record.is_fresh ? 0 : old_size;
  if (old_size == 0 && list.reserve != nullptr) reserve_records(list, object, record.tag);
  const bool is_text = type.element->kind == Kind::string && record.tag.type == WireType::bytes;
  const ElementPlaces places(type, object, old_size);
  const Record fresh{.tag = record.tag, .wires = record.wires, .is_fresh = true, .is_single = true};
  do {
    if (count >= limits_.max_elements || list.append == nullptr) {
      if (!read_element(type, object, record, count, places, false)) {
        return failure_.in_index(count);
      }
      ++count;
      continue;
    }
    void* const element = places.at(count);
    const char* const behind =
        is_text
            ? quick_string(at_, end_, *static_cast<std::string*>(element), limits_.max_string_bytes)
            : nullptr;
    if (behind != nullptr) {
      at_ = behind;
    } else if (!read(*type.element, element, fresh)) {
      return failure_.in_index(count);
    }
    ++count;
  } while (comes_again(record.tag));
  if (count < old_size) list.truncate(object, count);
  return true;
}

// Room for the elements that follow at once, each with a length of up to two bytes; the cursor is
// behind the tag of the first.
void ProtobufReader::reserve_records(const ListOperations& list, void* object, const Tag& tag) {
  if (tag.type != WireType::bytes || at_ - tag.start != 1) return;
  std::size_t count = 0;
  for (const char* from = tag.start; end_ - from >= 3 && *from == *tag.start; ++count) {
    std::size_t size = static_cast<std::uint8_t>(from[1]);
    from += 2;
    if (size >= 0x80) size = (size & 0x7F) | std::size_t{static_cast<std::uint8_t>(*from++)} << 7;
    if (size > static_cast<std::size_t>(end_ - from)) break;
    from += size;
  }
  if (count > 1) list.reserve(object, std::min(count, limits_.max_elements));
}

bool ProtobufReader::read_packed(const Type& type, void* object, const Record& record) {
  const ListOperations& list = *type.list;
  const std::size_t old_size = list.size(object);
  std::size_t count = record.is_fresh ? 0 : old_size;
  std::size_t length = 0;
  if (!read_length(length)) return false;
  const char* const end = end_;
  end_ = at_ + length;
  if (old_size == 0 && list.reserve != nullptr) reserve_packed(type, object, record.wires.value);
  const bool is_plain = type.element->kind == Kind::int32 && record.wires.value == Wire::usual &&
                        list.append != nullptr;
  const ElementPlaces places(type, object, old_size);
  for (; !is_at_end(); ++count) {
    std::uint64_t bits = 0;
    const char* const behind =
        is_plain && count < limits_.max_elements ? quick_varint(start_, at_, end_, bits) : nullptr;
    if (behind != nullptr) {
      const auto low = static_cast<std::uint32_t>(bits);
      std::memcpy(places.at(count), &low, sizeof(low));
      at_ = behind;
      continue;
    }
    if (!read_element(type, object, record, count, places, true)) {
      return failure_.in_index(count);
    }
  }
  end_ = end;
  if (count < old_size) list.truncate(object, count);
  return true;
}

// Room for the elements up to the end, which are counted: by what ends a varint, or by their size.
void ProtobufReader::reserve_packed(const Type& type, void* object, Wire wire) {
  const Type& element = resolved(*type.element);
  std::size_t count = 0;
  switch (wire_type_of(element.kind == Kind::enumeration ? *element.element : element, wire)) {
    case WireType::fixed32:
      count = left() / 4;
      break;
    case WireType::fixed64:
      count = left() / 8;
      break;
    default:
      for (const char* byte = at_; byte != end_; ++byte) count += (*byte & 0x80) == 0 ? 1 : 0;
  }
  if (count <= limits_.max_elements) type.list->reserve(object, count);
}

bool ProtobufReader::read_element(const Type& type, void* object, const Record& record,
                                  std::size_t index, const ElementPlaces& places, bool is_packed) {
  if (index >= limits_.max_elements) return fail_elements();
  const ListOperations& list = *type.list;
  const Record fresh{.tag = record.tag, .wires = record.wires, .is_fresh = true, .is_single = true};
  if (list.append == nullptr) {
    Target target{this, type.element, &fresh};
    return list.insert(object, is_packed ? &read_packed_target : &read_target, &target);
  }
  void* const element = places.at(index);
  return is_packed ? take_scalar(*type.element, element, record.wires.value)
                   : read(*type.element, element, fresh);
}

bool ProtobufReader::read_array(const Type& type, void* object, const Record& record) {
  const Type& element = *type.element;
  std::size_t count = take_part(object, record.is_fresh);
  const char* const end = end_;
  const bool is_packed = record.tag.type == WireType::bytes && is_packable(resolved(element).kind);
  std::size_t length = 0;
  if (is_packed) {
    if (!read_length(length)) return false;
    end_ = at_ + length;
  }
  const Record fresh{.tag = record.tag, .wires = record.wires, .is_fresh = true, .is_single = true};
  while (!is_packed || !is_at_end()) {
    if (count == type.count) return fail_arity(type.count, count + 1);
    void* const place = at(object, count * element.size);
    if (!(is_packed ? take_scalar(element, place, record.wires.value)
                    : read(element, place, fresh))) {
      return failure_.in_index(count);
    }
    ++count;
    if (!is_packed && !comes_again(record.tag)) break;
  }
  end_ = end;
  if (count < type.count) parts_.push_back({object, count, type.count});
  return true;
}

// How many elements of the array have come before.
std::size_t ProtobufReader::take_part(const void* array, bool is_fresh) {
  if (is_fresh) return 0;
  for (std::size_t i = parts_.size(); i-- > 0;) {
    if (parts_[i].array != array) continue;
    const std::size_t count = parts_[i].count;
    parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(i));
    return count;
  }
  return 0;
}

bool ProtobufReader::finish_arrays(std::size_t base) {
  return parts_.size() == base || fail_arity(parts_.back().expected, parts_.back().count);
}

bool ProtobufReader::read_map(const Type& type, void* object, const Record& record) {
  MapSpare spare;
  if (record.is_fresh) type.map->clear(object, &spare);
  do {
    if (type.map->size(object) >= limits_.max_elements) return fail_elements();
    if (!read_entry(type, object, spare, record)) return false;
  } while (comes_again(record.tag));
  return true;
}

// The key may stand behind the value, and either may be absent or there twice.
bool ProtobufReader::read_entry(const Type& type, void* object, MapSpare& spare,
                                const Record& record) {
  std::size_t length = 0;
  if (!expect(WireType::bytes, record.tag) || !read_length(length) || !enter()) return false;
  const char* const start = at_;
  const char* const end = end_;
  end_ = at_ + length;
  Record inner{.tag = {}, .wires = {.value = record.wires.key}, .is_fresh = true};
  const char* key = nullptr;
  if (!find_key(inner.tag, key)) return false;
  EntryKey target{this, type.key, &inner, key};
  bool is_new = false;
  void* const value = type.map->insert(object, &spare, &read_key_target, &target, is_new);
  if (value == nullptr) return false;
  at_ = start;
  if (!read_value(type, value, record.wires)) return in_key(target);
  end_ = end;
  return leave();
}

// The last key in the entry, null when there is none.
bool ProtobufReader::find_key(Tag& key_tag, const char*& key) {
  while (!is_at_end()) {
    Tag tag;
    if (!read_tag(tag)) return false;
    if (tag.number == key_number) {
      key_tag = tag;
      key = at_;
    }
    if (!skip_value(tag)) return false;
  }
  return true;
}

bool ProtobufReader::read_key_target(void* target, void* object) {
  const EntryKey& self = *static_cast<EntryKey*>(target);
  if (self.start == nullptr) return set_zero(*self.type, object);
  self.reader->at_ = self.start;
  return self.reader->read(*self.type, object, *self.record);
}

bool ProtobufReader::read_value(const Type& type, void* value, Wires wires) {
  Record record{.tag = {}, .wires = {.value = wires.value}, .is_fresh = true, .is_single = true};
  while (!is_at_end()) {
    if (!read_tag(record.tag)) return false;
    if (record.tag.number == value_number) {
      if (!read(*type.element, value, record)) return false;
      record.is_fresh = false;
    } else if (record.tag.number == key_number) {
      if (!skip_value(record.tag)) return false;
    } else if (!read_unknown(nullptr, nullptr, record.tag)) {
      return false;
    }
  }
  return !record.is_fresh || set_zero(*type.element, value) || fail_value(std::string(no_zero));
}

// Reads the key again, for the path.
bool ProtobufReader::in_key(const EntryKey& key) {
  if (key.type->kind == Kind::string) {
    std::string text;
    if (key.start != nullptr) read_key_target(const_cast<EntryKey*>(&key), &text);
    return failure_.in_field(text);
  }
  std::uint64_t room = 0;
  read_key_target(const_cast<EntryKey*>(&key), &room);
  return failure_.in_field(text_of_key(*key.type, &room));
}

bool ProtobufReader::read_represented(const Type& type, void* object, const Record& record) {
  const Kind kind = resolved(type).kind;
  const bool is_whole =
      is_packable(kind) || kind == Kind::string || kind == Kind::bytes || kind == Kind::json;
  if (!record.is_fresh && !is_whole) {
    return fail_at(
        "the field comes again, and its type, which travels as another one, cannot be "
        "put together",
        record.tag.start);
  }
  Target target{this, type.element, &record};
  return take_represented(type, object, &read_target, &target, is_represented_, failure_);
}

bool ProtobufReader::read_unknown(const Members* members, void* object, const Tag& tag) {
  UnknownFields* const kept = members == nullptr ? nullptr : members->unknown_fields(object);
  const OnUnknown policy = members == nullptr ? OnUnknown::as_asked : members->on_unknown();
  if (kept == nullptr && (policy == OnUnknown::refuse ||
                          (policy == OnUnknown::as_asked && options_.refuse_unknown_fields))) {
    return fail_at("unknown field " + std::to_string(tag.number) +
                       (policy == OnUnknown::refuse ? " (its type refuses them)"
                                                    : " (refuse_unknown_fields is on)"),
                   tag.start);
  }
  if (!skip_value(tag)) return false;
  if (kept != nullptr) kept->protobuf.append(tag.start, at_);
  return true;
}

bool ProtobufReader::fail_arity(std::size_t expected, std::size_t got) {
  return fail_value("expected " + std::to_string(expected) +
                    (expected == 1 ? " element" : " elements") + ", got " +
                    (got > expected ? "more" : std::to_string(got)));
}

bool ProtobufReader::fail_elements() {
  return failure_.set(Code::resource_exhausted, "more elements than max_elements (" +
                                                    std::to_string(limits_.max_elements) + ")");
}

bool ProtobufReader::in_field(const Field& field) {
  return field.name.empty() ? failure_.in_index(field.number - 1) : failure_.in_field(field.name);
}

}  // namespace parley::codec::impl
