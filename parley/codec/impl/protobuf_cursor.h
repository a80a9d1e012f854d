// Walks the bytes of protobuf without knowing types: tags, varints, lengths, and what is skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/status.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/protobuf_wire.h"
#include "parley/codec/limits.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// The field of the oneof that holds this alternative; std::monostate has none.
constexpr std::uint32_t number_of_alternative(const VariantOperations& variant, std::size_t index) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i <= index; ++i)
    number += variant.alternatives[i].type == nullptr ? 0 : 1;
  return number;
}

// The key of a map, for the path to it.
std::string text_of_key(const Type& type, const void* key);

struct Tag {
  std::uint32_t number = 0;
  WireType type = WireType::varint;
  const char* start = nullptr;
};

class ProtobufCursor {
 public:
  // `depth` messages are around it.
  ProtobufCursor(std::string_view bytes, const Limits& limits, std::size_t depth)
      : start_(bytes.data()),
        at_(start_),
        end_(start_ + bytes.size()),
        limits_(limits),
        depth_(depth) {}

  // Each returns false after a failure.
  [[nodiscard]] bool check_size();
  [[nodiscard]] bool is_at_end() const { return at_ == end_; }
  // The tag under the cursor: never that of an end of a group.
  bool read_tag(Tag& tag) {
    tag.start = at_;
    const auto byte = static_cast<std::uint8_t>(*at_);
    tag.number = byte >> 3;
    tag.type = static_cast<WireType>(byte & 7);
    if (byte >= 0x80 || tag.number == 0 || tag.type > WireType::fixed32 ||
        tag.type == WireType::group_end) {
      return read_long_tag(tag, false);
    }
    ++at_;
    return true;
  }
  // What is behind the tag, up to the next one.
  [[gnu::noinline]] bool skip_value(const Tag& tag);

  [[nodiscard]] const Failure& failure() const { return failure_; }

 protected:
  bool read_varint(std::uint64_t& value) {
    if (at_ != end_ && static_cast<std::uint8_t>(*at_) < 0x80) {
      value = static_cast<std::uint8_t>(*at_++);
      return true;
    }
    return read_long_varint(value);
  }
  // A length, which is there.
  bool read_length(std::size_t& length) {
    std::uint64_t claimed = 0;
    const char* const start = at_;
    if (!read_varint(claimed)) return false;
    if (claimed > left()) return fail_length(claimed, start);
    length = static_cast<std::size_t>(claimed);
    return true;
  }
  template <std::size_t bytes>
  bool read_fixed(std::uint64_t& value) {
    if (left() < bytes) return fail_end(bytes);
    value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      value |= std::uint64_t{static_cast<std::uint8_t>(at_[i])} << (8 * i);
    }
    at_ += bytes;
    return true;
  }
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  bool enter() { return depth_++ < limits_.max_depth || fail_depth(); }
  bool leave() {
    --depth_;
    return true;
  }
  [[gnu::cold]] bool fail_value(std::string message);
  // As fail_value, with the byte.
  [[gnu::cold]] bool fail_at(std::string message, const char* at);
  [[gnu::cold]] bool fail_limit(std::string what, const char* name, std::size_t limit);
  [[gnu::cold]] bool fail_depth();
  [[gnu::cold]] bool fail_end(std::size_t needed);
  [[gnu::cold]] bool fail_length(std::uint64_t claimed, const char* at);

  const char* start_;  // of the whole input
  const char* at_;
  const char* end_;  // of the message that is read
  const Limits& limits_;
  std::size_t depth_;
  Failure failure_;

 private:
  [[gnu::noinline]] bool read_long_tag(Tag& tag, bool is_in_group);
  [[gnu::noinline]] bool read_long_varint(std::uint64_t& value);
  bool skip_group(std::uint32_t number);
};

}  // namespace parley::codec::impl
