// Reads JSON as protobuf maps it: protobuf's own messages.
#include <algorithm>
#include <utility>

#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/protobuf_json.h"
#include "parley/codec/impl/protobuf_json_reader.h"
#include "parley/codec/impl/well_known_forms.h"
#include "parley/codec/message_types.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/type.h"

namespace parley::codec::impl {

bool ProtobufJsonReader::read_well_known(const Type& type, void* object) {
  Seconds time;
  switch (type.well_known) {
    case WellKnown::timestamp:
      if (!read_time_text(true, time)) return false;
      *static_cast<well_known::Timestamp*>(object) = {time.seconds, time.nanoseconds};
      return true;
    case WellKnown::duration:
      if (!read_time_text(false, time)) return false;
      *static_cast<well_known::Duration*>(object) = {time.seconds, time.nanoseconds};
      return true;
    case WellKnown::field_mask:
      return read_mask(*static_cast<well_known::FieldMask*>(object));
    case WellKnown::value:
      return read_value(*static_cast<well_known::Value*>(object));
    case WellKnown::what_it_holds: {
      const Field& only = type.members().fields()[0];
      return read(*only.type, static_cast<char*>(object) + only.offset);
    }
    default:  // null_value
      if (peek() != 'n') return read_number_or_name(type, object);
      *static_cast<well_known::NullValue*>(object) = well_known::NullValue::NULL_VALUE;
      return scan_literal("null");
  }
}

bool ProtobufJsonReader::read_mask(well_known::FieldMask& mask) {
  if (peek() != '"') return fail_type("the paths of a FieldMask in a string");
  RawString raw;
  if (!scan_string(raw)) return false;
  std::string room;
  std::string_view rest = meaning_of(raw, room);
  mask.paths.clear();
  bool is_done = rest.empty();
  while (!is_done) {
    if (mask.paths.size() >= limits_.max_elements) return fail_elements();
    const std::size_t end = rest.find(',');
    is_done = end == std::string_view::npos;
    if (!snake_path(rest.substr(0, end), mask.paths.emplace_back())) {
      return fail_invalid("the paths of a FieldMask are in camelCase here, got \"" +
                          shortened(rest.substr(0, end), 64) + '"');
    }
    if (!is_done) rest.remove_prefix(end + 1);
  }
  return true;
}

bool ProtobufJsonReader::read_value(well_known::Value& value) {
  switch (peek()) {
    case 'n':
      value.kind = well_known::NullValue::NULL_VALUE;
      return scan_literal("null");
    case 't':
    case 'f':
      return JsonReader::read(type_of<bool>(), &value.kind.emplace<bool>());
    case '"':
      return JsonReader::read(type_of<std::string>(), &value.kind.emplace<std::string>());
    case '{':
      return read_entries(type_of<decltype(well_known::Struct::fields)>(),
                          &value.kind.emplace<well_known::Struct>().fields);
    case '[':
      return read_elements(type_of<decltype(well_known::ListValue::values)>(),
                           &value.kind.emplace<well_known::ListValue>().values);
    default:
      return read_float(type_of<double>(), &value.kind.emplace<double>());
  }
}

// What it holds is read as what it is, and kept as protobuf writes it.
bool ProtobufJsonReader::read_any(well_known::Any& any) {
  if (peek() != '{') return fail_type("object");
  any.type_url.clear();
  any.value.clear();
  const char* const url = type_urls_.find(at_);
  if (url == nullptr) return read_empty_any();
  const Type* const type = read_type_url(url, any.type_url);
  std::string bytes;
  if (type == nullptr || !read_held(*type, bytes)) return false;
  set_bytes(any.value, bytes);
  return true;
}

void ProtobufJsonReader::set_bytes(std::vector<std::byte>& value, std::string_view text) {
  const auto bytes = bytes_of(text);
  value.assign(bytes.begin(), bytes.end());
}

// The message is gone when its bytes are copied: Anys in each other would pile up both.
bool ProtobufJsonReader::read_held(const Type& type, std::string& bytes) {
  const char* const start = at_;
  Members::Spare spare(type.members());
  const bool is_read = has_own_form(type) ? read_in_any(type, spare.object())
                                          : read_members(type, spare.object(), true);
  if (!is_read) return false;
  // Seldom more than its text: the writer need not guess, and no room is left over.
  constexpr std::size_t room_to_write = 128;
  bytes.reserve(static_cast<std::size_t>(at_ - start) + room_to_write);
  return write_held(type, spare.object(), bytes);
}

bool ProtobufJsonReader::write_held(const Type& type, const void* message, std::string& bytes) {
  Limits rest = limits_;
  rest.max_depth -= std::min(depth_, rest.max_depth);
  const Status written = encode_protobuf_as(bytes, type, message, rest);
  return written.is_ok() || failure_.set(written.code(), written.message());
}

// The URL at `at` and the type it names, null after a failure. The cursor stays where it is.
const Type* ProtobufJsonReader::read_type_url(const char* at, std::string& url) {
  const char* const start = std::exchange(at_, at);
  RawString raw;
  if (peek() != '"') {
    fail_type("string");
    failure_.in_field(type_url_key);
    return nullptr;
  }
  if (!scan_string(raw)) return nullptr;
  at_ = start;
  std::string room;
  url = meaning_of(raw, room);
  if (url.empty()) {
    fail_untyped();
    return nullptr;
  }
  const Type* const type = find_message(options_, url, failure_);
  if (type == nullptr) failure_.in_field(type_url_key);
  return type;
}

// Without a type nothing is in it.
bool ProtobufJsonReader::read_empty_any() {
  const char* const start = at_;
  if (!skip_value()) return false;
  return std::find(start, at_, '"') == at_ || fail_untyped();
}

bool ProtobufJsonReader::fail_untyped() {
  return fail_invalid("an Any needs the URL of its type under \"@type\"");
}

// Something that has a form of its own, under "value".
bool ProtobufJsonReader::read_in_any(const Type& type, void* object) {
  if (!enter()) return false;
  std::size_t count = 0;
  bool has_value = false;
  bool has_type_url = false;
  for (bool done = is_closed('}'); !done;) {
    switch (scan_key_in_any()) {
      case KeyInAny::failed:
        return false;
      case KeyInAny::value:
        if (std::exchange(has_value, true)) return fail_duplicate("value");
        if (!read(type, object)) return failure_.in_field("value");
        break;
      case KeyInAny::type_url:
        if (std::exchange(has_type_url, true)) return fail_duplicate(type_url_key);
        if (!skip_value()) return false;
        break;
      case KeyInAny::other:
        if (!skip_other(type)) return failure_.in_key(key_.text);
    }
    if (!next_element('}', ++count, done)) return false;
  }
  return has_value || fail_without_value(type);
}

ProtobufJsonReader::KeyInAny ProtobufJsonReader::scan_key_in_any() {
  if (!scan_key(key_)) return KeyInAny::failed;
  std::string room;
  const std::string_view name = meaning_of(key_, room);
  if (name == type_url_key) return KeyInAny::type_url;
  return name == "value" ? KeyInAny::value : KeyInAny::other;
}

bool ProtobufJsonReader::skip_other(const Type& type) {
  if (!options_.refuse_unknown_fields) return skip_value();
  fail_unknown_field(type.members(), key_.text, failure_);
  return false;
}

bool ProtobufJsonReader::fail_without_value(const Type& type) {
  return fail_invalid("an Any with a " + std::string(type.name) +
                      " has it under \"value\", and there is none");
}

const Type* find_message(const JsonOptions& options, std::string_view type_url, Failure& failure) {
  const std::string_view name = message_name_of(type_url);
  const Type* const type =
      options.message_types != nullptr ? options.message_types->find(name) : find_well_known(name);
  if (type == nullptr) {
    failure.set(Code::invalid_argument,
                "this Any holds a \"" + shortened(type_url, 128) +
                    "\", which nobody knows here: add the type to JsonOptions::message_types");
  }
  return type;
}

}  // namespace parley::codec::impl
