#include "parley/codec/impl/protobuf_cursor.h"

#include <utility>

#include "parley/codec/impl/integers.h"

namespace parley::codec::impl {

std::string text_of_key(const Type& type, const void* key) {
  if (type.kind == Kind::string) return *static_cast<const std::string*>(key);
  if (type.kind == Kind::boolean) return *static_cast<const bool*>(key) ? "true" : "false";
  const Type& integer = type.kind == Kind::enumeration ? *type.element : type;
  std::int64_t value = 0;
  load_integer(integer, key, value);
  return integer.kind == Kind::uint64 ? std::to_string(static_cast<std::uint64_t>(value))
                                      : std::to_string(value);
}

bool ProtobufCursor::check_size() {
  return left() <= limits_.max_bytes || fail_limit("the input is", "max_bytes", limits_.max_bytes);
}

bool ProtobufCursor::read_long_varint(std::uint64_t& value) {
  constexpr int max_bytes = 10;
  const char* const start = at_;
  value = 0;
  for (int i = 0; i < max_bytes; ++i) {
    if (at_ == end_) return fail_at("the input ends within a varint", start);
    const auto byte = static_cast<std::uint8_t>(*at_++);
    // 9 * 7 bits are behind the tenth byte: it has room for one.
    if (i == max_bytes - 1 && byte > 1) {
      return fail_at(
          byte >= 0x80 ? "a varint of more than 10 bytes" : "a varint that does not fit 64 bits",
          start);
    }
    value |= std::uint64_t{byte & 0x7FU} << (7 * i);
    if (byte < 0x80) return true;
  }
  return true;
}

bool ProtobufCursor::read_long_tag(Tag& tag, bool is_in_group) {
  constexpr std::ptrdiff_t max_tag = 5;
  std::uint64_t value = 0;
  if (!read_varint(value)) return false;
  if (at_ - tag.start > max_tag || value > 0xFFFFFFFFU) {
    return fail_at("a tag of more than 32 bits", tag.start);
  }
  tag.number = static_cast<std::uint32_t>(value >> 3);
  tag.type = static_cast<WireType>(value & 7);
  if (tag.number == 0) return fail_at("a field with number 0", tag.start);
  if (tag.type > WireType::fixed32) {
    return fail_at("wire type " + std::to_string(value & 7) + ", which does not exist, of field " +
                       std::to_string(tag.number),
                   tag.start);
  }
  if (tag.type == WireType::group_end && !is_in_group) {
    return fail_at("the end of a group " + std::to_string(tag.number) + " that has not begun",
                   tag.start);
  }
  return true;
}

bool ProtobufCursor::skip_value(const Tag& tag) {
  std::uint64_t ignored = 0;
  switch (tag.type) {
    case WireType::varint:
      return read_varint(ignored);
    case WireType::fixed64:
      return read_fixed<8>(ignored);
    case WireType::fixed32:
      return read_fixed<4>(ignored);
    case WireType::bytes: {
      std::size_t length = 0;
      if (!read_length(length)) return false;
      at_ += length;
      return true;
    }
    case WireType::group_start:
      return skip_group(tag.number);
    case WireType::group_end:
      break;
  }
  return fail_at("the end of a group that has not begun", tag.start);
}

bool ProtobufCursor::skip_group(std::uint32_t number) {
  const char* const start = at_;
  if (!enter()) return false;
  for (;;) {
    if (is_at_end()) {
      return fail_at("the input ends within group " + std::to_string(number), start);
    }
    Tag tag;
    tag.start = at_;
    if (!read_long_tag(tag, true)) return false;
    if (tag.type == WireType::group_end) {
      if (tag.number == number) return leave();
      return fail_at("the end of group " + std::to_string(tag.number) + " within group " +
                         std::to_string(number),
                     tag.start);
    }
    if (!skip_value(tag)) return false;
  }
}

bool ProtobufCursor::fail_value(std::string message) {
  return failure_.set(Code::invalid_argument, std::move(message));
}

bool ProtobufCursor::fail_at(std::string message, const char* at) {
  return fail_value(std::move(message) + " at byte " + std::to_string(at - start_));
}

bool ProtobufCursor::fail_limit(std::string what, const char* name, std::size_t limit) {
  return failure_.set(Code::resource_exhausted, std::move(what) + " longer than " + name + " (" +
                                                    std::to_string(limit) + ")");
}

bool ProtobufCursor::fail_depth() { return failure_.set_depth(limits_.max_depth); }

bool ProtobufCursor::fail_end(std::size_t needed) {
  return fail_at("expected " + std::to_string(needed) + " bytes, but " + std::to_string(left()) +
                     (left() == 1 ? " is" : " are") + " left",
                 at_);
}

bool ProtobufCursor::fail_length(std::uint64_t claimed, const char* at) {
  return fail_at("a length of " + std::to_string(claimed) + ", but " + std::to_string(left()) +
                     (left() == 1 ? " byte is" : " bytes are") + " left",
                 at);
}

}  // namespace parley::codec::impl
