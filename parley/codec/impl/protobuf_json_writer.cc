// Writes JSON as protobuf maps it.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "parley/base/base64.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/held_json.h"
#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/json_escape.h"
#include "parley/codec/impl/json_number.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/protobuf_json.h"
#include "parley/codec/impl/protobuf_wire.h"
#include "parley/codec/impl/time_text.h"
#include "parley/codec/impl/utf8.h"
#include "parley/codec/impl/well_known_forms.h"
#include "parley/codec/members.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/well_known.h"

namespace parley::codec::impl {
namespace {

// Whether this is how the value is written that is left out on the wire.
bool is_nothing(const Type& type, std::string_view text) {
  switch (type.well_known) {
    case WellKnown::timestamp:
      return text == "\"1970-01-01T00:00:00Z\"";
    case WellKnown::duration:
      return text == "\"0s\"";
    case WellKnown::field_mask:
      return text == "\"\"";
    case WellKnown::what_it_holds:
      return is_nothing(*type.members().fields()[0].type, text);
    case WellKnown::value:  // only write_fields() can tell
      return false;
    case WellKnown::null_value:
      return true;
    default:
      break;
  }
  switch (type.kind) {
    case Kind::boolean:
      return text == "false";
    case Kind::string:
    case Kind::bytes:
      return text == "\"\"";
    case Kind::json:
      return text == "\"null\"";
    case Kind::enumeration: {
      const auto values = type.enumeration->values;
      const auto zero = std::ranges::find(values, 0, &EnumValue::value);
      return text == "0" ||
             (zero != values.end() && text.substr(1, text.size() - 2) == escaped_json(zero->name));
    }
    case Kind::duration:
      return text == "\"0s\"";
    case Kind::instant:
      return text == "\"1970-01-01T00:00:00Z\"";
    case Kind::list:
    case Kind::array:
      return text == "[]";
    case Kind::map:
    case Kind::structure:
    case Kind::tuple:
    case Kind::variant:
      return text == "{}";
    default:
      return text == "0" || text == "\"0\"";
  }
}

// An optional without a value, or a Value that is none.
bool is_absent(const Type& type, const void* object) {
  if (type.kind == Kind::optional) return type.optional->get(object) == nullptr;
  return type.well_known == WellKnown::value &&
         static_cast<const well_known::Value*>(object)->kind.index() == 0;
}

class ProtobufJsonWriter {
 public:
  ProtobufJsonWriter(std::string& out, const Limits& limits, const JsonOptions& options)
      : out_(out), limits_(limits), options_(options) {}

  bool write(const Type& type, const void* object);
  [[nodiscard]] Status status() const { return failure_.status(); }

 private:
  // Each stands alone: write() calls itself.
  [[gnu::noinline]] bool write_integer(const Type& type, const void* object);
  [[gnu::noinline]] bool write_float(double value, bool is_single);
  [[gnu::noinline]] bool write_text(std::string_view text);
  [[gnu::noinline]] bool write_json(std::string_view text);
  [[gnu::noinline]] bool write_bytes(const BytesOperations& bytes, const void* object);
  [[gnu::noinline]] bool write_enumeration(const Type& type, const void* object);
  [[gnu::noinline]] bool write_time(const Type& type, const void* object);
  [[gnu::noinline]] bool write_list(const Type& type, const void* object);
  [[gnu::noinline]] bool write_array(const Type& element, const void* elements, std::size_t count);
  [[gnu::noinline]] bool write_map(const Type& type, const void* object);
  [[gnu::noinline]] bool write_variant(const VariantOperations& variant, const void* object);
  [[gnu::noinline]] bool write_members(const Type& type, const void* object);
  [[gnu::noinline]] bool write_represented(const Type& type, const void* object);
  [[gnu::noinline]] bool write_well_known(const Type& type, const void* object);
  [[gnu::noinline]] bool write_seconds(const Seconds& time, bool is_instant);
  [[gnu::noinline]] bool write_mask(const well_known::FieldMask& mask);
  [[gnu::noinline]] bool write_value(const well_known::Value& value);
  [[gnu::noinline]] bool write_any(const well_known::Any& any);
  [[gnu::noinline]] bool read_from_any(const well_known::Any& any, const Type& type, void* message);
  bool write_held(const Type& type, const void* message);
  // The fields that have to be there, behind `count` others.
  bool write_fields(const Members& members, const void* object, std::size_t count);
  bool write_optional(const Type& type, const void* object) {
    const void* const value = type.optional->get(object);
    if (value != nullptr) return write(*type.element, value);
    out_ += "null";
    return true;
  }

  void append_name(const Field& field, std::size_t index);
  bool enter(char opener);
  bool leave(char closer) {
    --depth_;
    out_ += closer;
    return true;
  }
  [[gnu::cold]] bool fail_invalid(std::string message) {
    return failure_.set(Code::invalid_argument, std::move(message));
  }

  std::string& out_;
  const Limits& limits_;
  const JsonOptions& options_;
  std::size_t depth_ = 0;
  bool is_ours_ = false;  // what is written was read out of an Any here, and is gone afterwards
  Failure failure_;
};

bool ProtobufJsonWriter::write(const Type& type, const void* object) {
  // By itself: these lie in each other, and each step on the way takes stack.
  if (type.well_known == WellKnown::any) {
    return write_any(*static_cast<const well_known::Any*>(object));
  }
  if (has_own_form(type)) return write_well_known(type, object);
  switch (type.kind) {
    case Kind::boolean:
      out_ += *static_cast<const bool*>(object) ? "true" : "false";
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
      return write_float(static_cast<double>(*static_cast<const float*>(object)), true);
    case Kind::float64:
      return write_float(*static_cast<const double*>(object), false);
    case Kind::string:
      return write_text(*static_cast<const std::string*>(object));
    case Kind::json:
      return write_json(static_cast<const Json*>(object)->text);
    case Kind::bytes:
      return write_bytes(*type.bytes, object);
    case Kind::enumeration:
      return write_enumeration(type, object);
    case Kind::duration:
    case Kind::instant:
      return write_time(type, object);
    case Kind::optional:
      return write_optional(type, object);
    case Kind::list:
      return write_list(type, object);
    case Kind::array:
      return write_array(*type.element, object, type.count);
    case Kind::map:
      return write_map(type, object);
    case Kind::variant:
      return write_variant(*type.variant, object);
    case Kind::tuple:
    case Kind::structure:
      return write_members(type, object);
    case Kind::represented:
      return write_represented(type, object);
  }
  return failure_.set(Code::internal, "a type table with an unknown kind");
}

std::string integer_text(const Type& type, std::int64_t value) {
  return type.kind == Kind::uint64 ? std::to_string(static_cast<std::uint64_t>(value))
                                   : std::to_string(value);
}

// Those of 64 bits in quotes, which JavaScript could not read in full otherwise.
bool ProtobufJsonWriter::write_integer(const Type& type, const void* object) {
  std::int64_t value = 0;
  load_integer(type, object, value);
  const bool is_wide = type.size == sizeof(std::int64_t);
  const std::string text = integer_text(type, value);
  out_ += is_wide ? '"' + text + '"' : text;
  return true;
}

bool ProtobufJsonWriter::write_float(double value, bool is_single) {
  if (!std::isfinite(value)) {
    out_ += std::isnan(value) ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
    return true;
  }
  std::array<char, max_number_chars> digits{};
  char* const end = is_single ? write_float32(digits.data(), static_cast<float>(value))
                              : write_float64(digits.data(), value);
  out_.append(digits.data(), end);
  return true;
}

bool ProtobufJsonWriter::write_json(std::string_view text) {
  const Status status = check_held_json(text, limits_, depth_);
  if (status.is_ok()) return write_text(text);
  return failure_.set(status.code(), "this Json cannot be written: " + status.message());
}

bool ProtobufJsonWriter::write_text(std::string_view text) {
  if (!is_utf8(text)) return fail_invalid("a string that is not UTF-8 cannot be written as JSON");
  out_ += '"';
  for (const char c : text) {
    const Escape& escape = escapes[static_cast<unsigned char>(c)];
    out_.append(escape.text.data(), escape.size);
  }
  out_ += '"';
  return true;
}

bool ProtobufJsonWriter::write_bytes(const BytesOperations& bytes, const void* object) {
  std::string room;
  const std::string_view text = bytes.get(object, room);
  if (bytes.is_text) return write_text(text);
  out_ += '"';
  append_base64(out_, text);
  out_ += '"';
  return true;
}

bool ProtobufJsonWriter::write_enumeration(const Type& type, const void* object) {
  std::int64_t number = 0;
  load_integer(*type.element, object, number);
  const auto values = type.enumeration->values;
  const auto named = std::ranges::find(values, number, &EnumValue::value);
  if (named != values.end() && !options_.enums_as_numbers) return write_text(named->name);
  out_ += integer_text(*type.element, number);
  return true;
}

bool ProtobufJsonWriter::write_time(const Type& type, const void* object) {
  Seconds time;
  return get_time(type, object, time, failure_) && write_seconds(time, type.kind == Kind::instant);
}

bool ProtobufJsonWriter::write_seconds(const Seconds& time, bool is_instant) {
  const char* const misfit = is_instant ? misfit_of_timestamp(time) : misfit_of_duration(time);
  if (misfit != nullptr) return fail_invalid(misfit);
  std::array<char, max_time_chars> text{};
  char* const end =
      is_instant ? write_instant(text.data(), time) : write_duration(text.data(), time);
  out_ += '"';
  out_.append(text.data(), end);
  out_ += '"';
  return true;
}

bool ProtobufJsonWriter::enter(char opener) {
  if (depth_ >= limits_.max_depth) {
    return failure_.set_depth(limits_.max_depth);
  }
  ++depth_;
  out_ += opener;
  return true;
}

bool ProtobufJsonWriter::write_list(const Type& type, const void* object) {
  const ListOperations& list = *type.list;
  if (list.data != nullptr) {
    // Only to be read from: data() serves readers and writers alike.
    return write_array(*type.element, list.data(const_cast<void*>(object)), list.size(object));
  }
  if (!enter('[')) return false;
  Cursor cursor;
  std::size_t count = 0;
  for (bool some = list.first(object, cursor); some; some = list.next(object, cursor)) {
    if (count > 0) out_ += ',';
    if (!write(*type.element, cursor.value)) return failure_.in_index(count);
    ++count;
  }
  return leave(']');
}

bool ProtobufJsonWriter::write_array(const Type& element, const void* elements, std::size_t count) {
  if (!enter('[')) return false;
  const auto* const first = static_cast<const char*>(elements);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out_ += ',';
    if (!write(element, first + i * element.size)) return failure_.in_index(i);
  }
  return leave(']');
}

bool ProtobufJsonWriter::write_map(const Type& type, const void* object) {
  if (!enter('{')) return false;
  Cursor cursor;
  std::size_t count = 0;
  for (bool some = type.map->first(object, cursor); some; some = type.map->next(object, cursor)) {
    if (count > 0) out_ += ',';
    const std::size_t start = out_.size();
    if (!write(*type.key, cursor.key)) return failure_.in_key_number(count);
    if (out_[start] != '"') out_.insert(start, 1, '"') += '"';
    const std::string key = out_.substr(start + 1, out_.size() - start - 2);
    out_ += ':';
    if (!write(*type.element, cursor.value)) return failure_.in_key(key);
    ++count;
  }
  return leave('}');
}

bool ProtobufJsonWriter::write_variant(const VariantOperations& variant, const void* object) {
  const std::size_t index = variant.index(object);
  if (index >= variant.alternatives.size()) {
    return fail_invalid("a variant without a value cannot be written");
  }
  if (!enter('{')) return false;
  const Alternative& alternative = variant.alternatives[index];
  if (alternative.type != nullptr) {
    out_ += '"' + escaped_json(protobuf_json_name(alternative.name)) + "\":";
    if (!write(*alternative.type, variant.get(object))) return failure_.in_field(alternative.name);
  }
  return leave('}');
}

void ProtobufJsonWriter::append_name(const Field& field, std::size_t index) {
  out_ += '"';
  out_ += escaped_json(protobuf_json_name(field, index));
  out_ += "\":";
}

bool ProtobufJsonWriter::write_members(const Type& type, const void* object) {
  return enter('{') && write_fields(type.members(), object, 0) && leave('}');
}

// What the wire would not carry is not written either.
bool ProtobufJsonWriter::write_fields(const Members& members, const void* object,
                                      std::size_t count) {
  const std::span<const Field> fields = members.fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    const void* member = static_cast<const char*>(object) + field.offset;
    if (field.variant != nullptr) {
      if (field.variant->index(member) != field.alternative) continue;
      member = field.variant->get(member);
    } else if (is_absent(*field.type, member)) {
      continue;
    }
    const std::size_t before = out_.size();
    if (count > 0) out_ += ',';
    append_name(field, i);
    const std::size_t start = out_.size();
    if (!write(*field.type, member)) {
      return field.name.empty() ? failure_.in_index(i) : failure_.in_field(field.name);
    }
    const bool has_presence =
        field.variant != nullptr || field.is_required || field.type->kind == Kind::optional;
    const std::string_view value = std::string_view(out_).substr(start);
    if (!has_presence && is_nothing(resolved(*field.type), value)) {
      out_.resize(before);
    } else {
      ++count;
    }
  }
  return true;
}

bool ProtobufJsonWriter::write_represented(const Type& type, const void* object) {
  struct Target {
    ProtobufJsonWriter* writer;
    const Type* type;
  } target{this, type.element};
  // What is shown may be anybody's.
  const bool is_ours = std::exchange(is_ours_, false);
  const bool is_written = type.represented->show(
      object,
      [](void* context, const void* as) {
        const auto& self = *static_cast<Target*>(context);
        return self.writer->write(*self.type, as);
      },
      &target);
  is_ours_ = is_ours;
  return is_written;
}

bool ProtobufJsonWriter::write_well_known(const Type& type, const void* object) {
  switch (type.well_known) {
    case WellKnown::timestamp: {
      const auto& time = *static_cast<const well_known::Timestamp*>(object);
      return write_seconds({time.seconds, time.nanos}, true);
    }
    case WellKnown::duration: {
      const auto& span = *static_cast<const well_known::Duration*>(object);
      return write_seconds({span.seconds, span.nanos}, false);
    }
    case WellKnown::field_mask:
      return write_mask(*static_cast<const well_known::FieldMask*>(object));
    case WellKnown::value:
      return write_value(*static_cast<const well_known::Value*>(object));
    case WellKnown::what_it_holds: {
      const Field& only = type.members().fields()[0];
      return write(*only.type, static_cast<const char*>(object) + only.offset);
    }
    default:  // null_value
      out_ += "null";
      return true;
  }
}

bool ProtobufJsonWriter::write_mask(const well_known::FieldMask& mask) {
  std::string text;
  for (const std::string& path : mask.paths) {
    if (&path != mask.paths.data()) text += ',';
    if (path.find(',') != std::string::npos || !append_camel_path(text, path)) {
      return fail_invalid("the path \"" + shortened(path, 64) +
                          "\" of a FieldMask is not in snake_case, and would come back as another");
    }
  }
  return write_text(text);
}

// Straight to what it holds: these lie in each other, and each step on the way takes stack.
bool ProtobufJsonWriter::write_value(const well_known::Value& value) {
  using At = well_known::Value::kind_at;
  const void* const held =
      std::visit([](const auto& one) -> const void* { return &one; }, value.kind);
  switch (value.kind.index()) {
    case At::number_value: {
      const double number = *static_cast<const double*>(held);
      if (std::isfinite(number)) return write_float(number, false);
      return fail_invalid("a Value of protobuf is a finite number, and this one is not");
    }
    case At::string_value:
      return write_text(*static_cast<const std::string*>(held));
    case At::bool_value:
      return write(type_of<bool>(), held);
    case At::struct_value:
      return write_map(type_of<decltype(well_known::Struct::fields)>(),
                       &static_cast<const well_known::Struct*>(held)->fields);
    case At::list_value: {
      const auto& list = *static_cast<const well_known::ListValue*>(held);
      return write_array(type_of<well_known::Value>(), list.values.data(), list.values.size());
    }
    default:
      out_ += "null";
      return true;
  }
}

// With as many levels as are left here. Bytes that nobody needs any more are given back, or each
// level of Anys in each other would keep a copy of all below it; except where the message shows
// parts of them.
bool ProtobufJsonWriter::read_from_any(const well_known::Any& any, const Type& type,
                                       void* message) {
  Limits rest = limits_;
  rest.max_depth -= std::min(depth_, rest.max_depth);
  const std::string_view bytes = text_of(any.value);
  if (is_ours_ && decode_protobuf_as(bytes, type, message, rest, {.refuse_views = true}).is_ok()) {
    std::vector<std::byte>().swap(const_cast<well_known::Any&>(any).value);
    return true;
  }
  const Status read = decode_protobuf_as(bytes, type, message, rest);
  return read.is_ok() || failure_.set(read.code(), "what this Any holds is no " + any.type_url +
                                                       ": " + read.message());
}

bool ProtobufJsonWriter::write_any(const well_known::Any& any) {
  if (any == well_known::Any()) {
    out_ += "{}";
    return true;
  }
  const Type* const type = find_message(options_, any.type_url, failure_);
  if (type == nullptr) return false;
  Members::Spare spare(type->members());
  if (!read_from_any(any, *type, spare.object())) return false;
  if (!enter('{')) return false;
  out_ += "\"@type\":";
  if (!write_text(any.type_url)) return failure_.in_field("@type");
  const bool is_ours = std::exchange(is_ours_, true);
  const bool is_written = write_held(*type, spare.object());
  is_ours_ = is_ours;
  return is_written && leave('}');
}

bool ProtobufJsonWriter::write_held(const Type& type, const void* message) {
  if (!has_own_form(type)) return write_fields(type.members(), message, 1);
  out_ += ",\"value\":";
  return write(type, message) || failure_.in_field("value");
}

}  // namespace

Status encode_protobuf_json(std::string& out, const Type& type, const void* object,
                            const Limits& limits, const JsonOptions& options) {
  const std::size_t before = out.size();
  ProtobufJsonWriter writer(out, limits, options);
  if (writer.write(type, object)) return {};
  out.resize(before);
  return writer.status();
}

}  // namespace parley::codec::impl
