// The typed reader: numbers and texts.
#include "parley/codec/impl/protobuf_reader.h"

#include <bit>
#include <utility>

#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/represented.h"
#include "parley/codec/impl/utf8.h"
#include "parley/codec/json.h"

namespace parley::codec {
namespace impl {
namespace {

std::string_view name_of(WireType type) {
  constexpr std::string_view names[] = {"a varint", "8 bytes",        "a length and bytes",
                                        "a group",  "end of a group", "4 bytes"};
  return names[static_cast<std::size_t>(type)];
}

std::string_view without_space(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const std::size_t first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

}  // namespace

bool ProtobufReader::expect(WireType type, const Tag& tag) {
  return tag.type == type || fail_wire_type(type, tag);
}

bool ProtobufReader::read(const Type& type, void* object, const Record& record) {
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
      return read_scalar(type, object, record);
    case Kind::string:
      return read_string(*static_cast<std::string*>(object), record);
    case Kind::bytes:
      return read_bytes(*type.bytes, object, record);
    case Kind::json:
      return read_json(static_cast<Json*>(object)->text, record);
    case Kind::duration:
    case Kind::instant:
    case Kind::tuple:
    case Kind::variant:
    case Kind::structure:
      break;
    case Kind::optional:
      if (record.is_single) break;
      return read_optional(type, object, record);
    case Kind::list:
      if (record.is_single) break;
      return read_list(type, object, record);
    case Kind::array:
      if (record.is_single) break;
      return read_array(type, object, record);
    case Kind::map:
      if (record.is_single) break;
      return read_map(type, object, record);
    case Kind::represented:
      return read_represented(type, object, record);
  }
  return read_message(type, object, record);
}

bool ProtobufReader::read_target(void* target, void* object) {
  const Target& self = *static_cast<Target*>(target);
  return self.reader->read(*self.type, object, *self.record);
}

bool ProtobufReader::read_packed_target(void* target, void* object) {
  const Target& self = *static_cast<Target*>(target);
  return self.reader->take_scalar(*self.type, object, self.record->wires.value);
}

bool ProtobufReader::read_scalar(const Type& type, void* object, const Record& record) {
  const Type& plain = type.kind == Kind::enumeration ? *type.element : type;
  return expect(wire_type_of(plain, record.wires.value), record.tag) &&
         take_scalar(plain, object, record.wires.value);
}

bool ProtobufReader::take_scalar(const Type& type, void* object, Wire wire) {
  std::uint64_t bits = 0;
  switch (type.kind) {
    case Kind::boolean:
      if (!read_varint(bits)) return false;
      *static_cast<bool*>(object) = bits != 0;
      return true;
    case Kind::float32:
      if (!read_fixed<4>(bits)) return false;
      *static_cast<float*>(object) = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      return true;
    case Kind::float64:
      if (!read_fixed<8>(bits)) return false;
      *static_cast<double*>(object) = std::bit_cast<double>(bits);
      return true;
    case Kind::enumeration:
      return take_scalar(*type.element, object, Wire::usual);
    case Kind::represented: {
      const Record record{.tag = {}, .wires = {.value = wire}};
      Target target{this, type.element, &record};
      return take_represented(type, object, &read_packed_target, &target, is_represented_,
                              failure_);
    }
    default:
      break;
  }
  if (wire != Wire::fixed) return read_varint(bits) && store_varint(type, object, bits, wire);
  if (type.size == 8) return read_fixed<8>(bits) && store_varint(type, object, bits, wire);
  return read_fixed<4>(bits) && store_varint(type, object, bits, wire);
}

// What has 32 bits in protobuf loses those above; what is smaller in C++ must fit then.
bool ProtobufReader::store_varint(const Type& type, void* object, std::uint64_t bits, Wire wire) {
  if (type.size < 8) bits &= 0xFFFFFFFFU;
  if (wire == Wire::zigzag) bits = bits >> 1 ^ (~(bits & 1) + 1);
  if (type.size < 4) {
    const IntegerRange range = range_of(type.kind);
    const std::int64_t value =
        is_signed(type.kind) ? static_cast<std::int32_t>(bits) : static_cast<std::int64_t>(bits);
    const std::uint64_t size =
        value < 0 ? -static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    if (size > (value < 0 ? range.min : range.max)) return fail_range(type, value);
  }
  store_integer(object, type.size, bits);
  return true;
}

bool ProtobufReader::read_text(std::string_view& text, const Record& record) {
  std::size_t length = 0;
  if (!expect(WireType::bytes, record.tag) || !read_length(length)) return false;
  if (length > limits_.max_string_bytes) {
    return fail_limit("a string of " + std::to_string(length) + " bytes is", "max_string_bytes",
                      limits_.max_string_bytes);
  }
  text = {at_, length};
  at_ += length;
  return true;
}

bool ProtobufReader::read_string(std::string& text, const Record& record) {
  std::string_view shown;
  if (!read_text(shown, record)) return false;
  if (!is_short_utf8(shown)) return fail_at("a string that is not UTF-8", shown.data());
  text.assign(shown);
  return true;
}

bool ProtobufReader::read_bytes(const BytesOperations& bytes, void* object, const Record& record) {
  std::string_view shown;
  if (bytes.is_view && options_.refuse_views && !is_represented_) {
    return fail_value("a view would show bytes that are gone: use std::string or a vector");
  }
  if (!read_text(shown, record)) return false;
  if (bytes.is_text && !is_short_utf8(shown)) {
    return fail_at("a string that is not UTF-8", shown.data());
  }
  bytes.set(object, shown);
  return true;
}

bool ProtobufReader::read_json(std::string& text, const Record& record) {
  std::string_view shown;
  if (!read_text(shown, record)) return false;
  if (shown.empty()) {
    text = "null";
    return true;
  }
  Limits limits = limits_;
  limits.max_depth -= depth_;
  const Status status = validate_json(shown, limits);
  if (!status.is_ok()) {
    return failure_.set(status.code(), "a string that is no JSON: " + status.message());
  }
  text.assign(without_space(shown));
  return true;
}

bool ProtobufReader::fail_wire_type(WireType expected, const Tag& tag) {
  return fail_at("expected " + std::string(name_of(expected)) + " (wire type " +
                     std::to_string(static_cast<int>(expected)) + "), got " +
                     std::string(name_of(tag.type)) + " (wire type " +
                     std::to_string(static_cast<int>(tag.type)) + ")",
                 tag.start);
}

bool ProtobufReader::fail_range(const Type& type, std::int64_t value) {
  const IntegerRange range = range_of(type.kind);
  return fail_value(std::to_string(value) + " does not fit " + std::string(range.name) + " (" +
                    (range.min == 0 ? "0" : "-" + std::to_string(range.min)) + " to " +
                    std::to_string(range.max) + ")");
}

}  // namespace impl

Status decode_protobuf_as(std::string_view bytes, const Type& type, void* object,
                          const Limits& limits, const ProtobufOptions& options) {
  impl::ProtobufReader reader(bytes, limits, options);
  if (reader.check_size() && reader.read_whole(type, object)) return {};
  return reader.failure().status();
}

}  // namespace parley::codec
