#include "parley/codec/impl/msgpack_cursor.h"

#include <utility>

#include "parley/codec/impl/utf8.h"
#include "parley/codec/msgpack.h"

namespace parley::codec {
namespace impl {

std::string_view name_of(MsgpackForm form) noexcept {
  switch (form) {
    case MsgpackForm::nil:
      return "nil";
    case MsgpackForm::boolean:
      return "boolean";
    case MsgpackForm::integer:
      return "integer";
    case MsgpackForm::float32:
    case MsgpackForm::float64:
      return "float";
    case MsgpackForm::text:
      return "string";
    case MsgpackForm::bytes:
      return "bytes";
    case MsgpackForm::array:
      return "array";
    case MsgpackForm::map:
      return "map";
    case MsgpackForm::extension:
      return "extension";
  }
  return "value";
}

bool MsgpackCursor::check_size() {
  const auto size = static_cast<std::size_t>(end_ - begin_);
  if (size <= limits_.max_bytes) return true;
  return failure_.set(Code::resource_exhausted, "the message has " + std::to_string(size) +
                                                    " bytes, more than max_bytes (" +
                                                    std::to_string(limits_.max_bytes) + ")");
}

bool MsgpackCursor::expect_end() {
  if (at_ == end_) return true;
  return fail_at(at_, "expected the end of the message behind the value");
}

bool MsgpackCursor::fail_at(const char* at, std::string message) {
  return failure_.set(Code::invalid_argument,
                      message + " (byte " + std::to_string(at - begin_) + ")");
}

bool MsgpackCursor::fail_short(const MsgpackHead& head) {
  if (at_ == end_ && head.start == end_) {
    return fail_at(end_, "expected a value, got the end of the message");
  }
  return fail_at(head.start, "the message ends within this value");
}

bool MsgpackCursor::fail_depth() { return failure_.set_depth(limits_.max_depth); }

bool MsgpackCursor::fail_type(std::string_view expected, const MsgpackHead& head) {
  std::string message = "expected " + std::string(expected) + ", got ";
  message += name_of(head.form);
  if (head.form == MsgpackForm::extension) message += " " + std::to_string(head.extension);
  return failure_.set(Code::invalid_argument, std::move(message));
}

bool MsgpackCursor::take_head(MsgpackHead& head) {
  head.start = at_;
  head.is_negative = false;
  if (at_ == end_) return fail_short(head);
  const auto first = static_cast<std::uint8_t>(*at_++);
  if (first < msgpack::fixmap) {
    head.form = MsgpackForm::integer;
    head.bits = first;
    return true;
  }
  if (first >= msgpack::negative) {
    head.form = MsgpackForm::integer;
    head.is_negative = true;
    head.bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(first) - 0x100);
    return true;
  }
  if (first >= msgpack::nil) return take_fixed(first, head);
  if (first >= msgpack::fixstr) {
    head.form = MsgpackForm::text;
    head.bits = first - msgpack::fixstr;
  } else {
    head.form = first >= msgpack::fixarray ? MsgpackForm::array : MsgpackForm::map;
    head.bits = first & msgpack::max_fix_elements;
  }
  return check_length(head);
}

bool MsgpackCursor::take_number(std::size_t size, MsgpackHead& head) {
  if (static_cast<std::size_t>(end_ - at_) < size) return fail_short(head);
  head.bits = load_network(at_, size);
  at_ += size;
  return true;
}

// The first bytes from 0xc0 to 0xdf.
bool MsgpackCursor::take_fixed(std::uint8_t first, MsgpackHead& head) {
  // Where several sizes of one form follow each other, each is twice the one before.
  const auto size_from = [first](std::uint8_t lowest) {
    return std::size_t{1} << (first - lowest);
  };
  if (first == msgpack::nil) {
    head.form = MsgpackForm::nil;
    return true;
  }
  if (first == msgpack::never) return fail_at(head.start, "0xc1 starts no value");
  if (first <= msgpack::yes) {
    head.form = MsgpackForm::boolean;
    head.bits = first - msgpack::no;
    return true;
  }
  if (first < msgpack::ext8) {
    head.form = MsgpackForm::bytes;
    return take_number(size_from(msgpack::bin8), head) && check_length(head);
  }
  if (first < msgpack::float32 || (first >= msgpack::fixext1 && first < msgpack::str8)) {
    head.form = MsgpackForm::extension;
    if (first >= msgpack::fixext1) {
      head.bits = size_from(msgpack::fixext1);
    } else if (!take_number(size_from(msgpack::ext8), head)) {
      return false;
    }
    if (at_ == end_) return fail_short(head);
    head.extension = static_cast<std::int8_t>(static_cast<std::uint8_t>(*at_++));
    return check_length(head);
  }
  if (first < msgpack::uint8) {
    head.form = first == msgpack::float32 ? MsgpackForm::float32 : MsgpackForm::float64;
    return take_number(first == msgpack::float32 ? 4 : 8, head);
  }
  if (first < msgpack::fixext1) {
    head.form = MsgpackForm::integer;
    if (first < msgpack::int8) return take_number(size_from(msgpack::uint8), head);
    const std::size_t size = size_from(msgpack::int8);
    if (!take_number(size, head)) return false;
    const std::uint64_t sign = std::uint64_t{1} << (8 * size - 1);
    head.is_negative = (head.bits & sign) != 0;
    if (head.is_negative) head.bits |= ~(sign - 1);
    return true;
  }
  if (first < msgpack::array16) {
    head.form = MsgpackForm::text;
    return take_number(size_from(msgpack::str8), head) && check_length(head);
  }
  head.form = first < msgpack::map16 ? MsgpackForm::array : MsgpackForm::map;
  const std::uint8_t lowest = first < msgpack::map16 ? msgpack::array16 : msgpack::map16;
  return take_number(2 * size_from(lowest), head) && check_length(head);
}

bool MsgpackCursor::check_length(const MsgpackHead& head) {
  const auto left = static_cast<std::size_t>(end_ - at_);
  if (head.form == MsgpackForm::array || head.form == MsgpackForm::map) {
    if (head.bits > limits_.max_elements) {
      return failure_.set(Code::resource_exhausted, std::to_string(head.bits) +
                                                        " elements, more than max_elements (" +
                                                        std::to_string(limits_.max_elements) + ")");
    }
    const std::size_t least = head.form == MsgpackForm::map ? 2 : 1;
    return head.bits <= left / least || fail_short(head);
  }
  if (head.bits > limits_.max_string_bytes) {
    return failure_.set(Code::resource_exhausted, "a string of " + std::to_string(head.bits) +
                                                      " bytes, more than max_string_bytes (" +
                                                      std::to_string(limits_.max_string_bytes) +
                                                      ")");
  }
  return head.bits <= left || fail_short(head);
}

bool MsgpackCursor::take_text(const MsgpackHead& head, std::string_view& text) {
  text = take_body(head);
  return is_short_utf8(text) || fail_at(head.start, "a string that is not UTF-8");
}

bool MsgpackCursor::skip_value() {
  MsgpackHead head;
  if (!take_head(head)) return false;
  switch (head.form) {
    case MsgpackForm::text: {
      std::string_view text;
      return take_text(head, text);
    }
    case MsgpackForm::bytes:
    case MsgpackForm::extension:
      take_body(head);
      return true;
    case MsgpackForm::array:
    case MsgpackForm::map:
      return skip_elements(head);
    case MsgpackForm::nil:
    case MsgpackForm::boolean:
    case MsgpackForm::integer:
    case MsgpackForm::float32:
    case MsgpackForm::float64:
      break;
  }
  return true;
}

bool MsgpackCursor::skip_elements(const MsgpackHead& head) {
  if (!enter()) return false;
  const bool is_map = head.form == MsgpackForm::map;
  for (std::size_t i = 0; i < head.bits; ++i) {
    const char* const key = at_;
    if (is_map && !skip_value()) return failure_.in_key_number(i);
    if (skip_value()) continue;
    return is_map ? in_key_at(key, end_, failure_) : failure_.in_index(i);
  }
  --depth_;
  return true;
}

bool MsgpackCursor::in_key_at(const char* key, const char* end, Failure& failure) {
  const Limits limits{.max_bytes = static_cast<std::size_t>(-1),
                      .max_elements = static_cast<std::size_t>(-1),
                      .max_string_bytes = static_cast<std::size_t>(-1)};
  MsgpackCursor cursor({key, static_cast<std::size_t>(end - key)}, limits);
  MsgpackHead head;
  std::string_view text;
  if (!cursor.take_head(head)) return failure.in_field("?");
  switch (head.form) {
    case MsgpackForm::text:
      return failure.in_field(cursor.take_text(head, text) ? text : "?");
    case MsgpackForm::boolean:
      return failure.in_field(head.bits != 0 ? "true" : "false");
    case MsgpackForm::integer:
      return failure.in_field(head.is_negative
                                  ? std::to_string(static_cast<std::int64_t>(head.bits))
                                  : std::to_string(head.bits));
    default:
      return failure.in_field(name_of(head.form));
  }
}

}  // namespace impl

Status validate_msgpack(std::string_view bytes, const Limits& limits) {
  impl::MsgpackCursor cursor(bytes, limits);
  if (cursor.check_size() && cursor.skip_value() && cursor.expect_end()) return {};
  return cursor.failure().status();
}

}  // namespace parley::codec
