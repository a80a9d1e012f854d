// The quick ways in which the reader of protobuf takes what comes most: plain fields, whole and as
// they should be. Each function returns what is behind the value, or null where the way for
// everything has to look at it, also for what is wrong.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "parley/codec/impl/protobuf_cursor.h"
#include "parley/codec/impl/utf8.h"
#include "parley/codec/members.h"

namespace parley::codec::impl {

// `begin` is that of the whole input: what stands before may be loaded too.
inline const char* quick_varint(const char* begin, const char* from, const char* end,
                                std::uint64_t& value) {
  const auto left = static_cast<std::size_t>(end - from);
  if (left == 0) return nullptr;
  const auto first = static_cast<std::uint8_t>(*from);
  if (first < 0x80) {
    value = first;
    return from + 1;
  }
  if (left == 1) return nullptr;
  const auto second = static_cast<std::uint8_t>(from[1]);
  if (second < 0x80) {
    value = (first & 0x7FU) | std::uint64_t{second} << 7;
    return from + 2;
  }
  std::uint64_t word = 0;
  if (left >= sizeof(word)) [[likely]] {
    std::memcpy(&word, from, sizeof(word));
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  } else {
    const std::size_t missing = sizeof(word) - left;
    if (static_cast<std::size_t>(from - begin) < missing) return nullptr;
    std::memcpy(&word, from - missing, sizeof(word));
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    word >>= 8 * missing;
  }
  const std::uint64_t ends = ~word & 0x8080808080808080;
  const auto size = static_cast<std::size_t>(std::countr_zero(ends) + 1) / 8;
  if (ends == 0 || size > left) return nullptr;  // more than eight bytes, or cut off
  word &= ends ^ (ends - 1);                     // up to the first byte that ends it
  word = (word & 0x007F007F007F007F) | (word & 0x7F007F007F007F00) >> 1;
  word = (word & 0x00003FFF00003FFF) | (word & 0x3FFF00003FFF0000) >> 2;
  value = (word & 0x0FFFFFFF) | (word & 0x0FFFFFFF00000000) >> 4;
  return from + size;
}

inline const char* quick_string(const char* from, const char* end, std::string& text,
                                std::size_t most) {
  if (end - from < 2) return nullptr;
  std::size_t size = static_cast<std::uint8_t>(*from++);
  if (size >= 0x80) {
    const std::size_t high = static_cast<std::uint8_t>(*from++);
    if (high >= 0x80) return nullptr;
    size = (size & 0x7F) | high << 7;
  }
  const std::string_view shown(from, size);
  if (size > static_cast<std::size_t>(end - from) || size > most || !is_short_utf8(shown))
    return nullptr;
  text.assign(shown);
  return from + size;
}

// `from` is behind the tag of a plain form.
inline const char* quick_value(QuickForm quick, void* object, const char* begin, const char* from,
                               const char* end, std::size_t most) {
  if (quick == QuickForm::string) {
    return quick_string(from, end, *static_cast<std::string*>(object), most);
  }
  std::uint64_t bits = 0;
  if (quick == QuickForm::float64) {
    if (static_cast<std::size_t>(end - from) < sizeof(bits)) return nullptr;
    std::memcpy(&bits, from, sizeof(bits));
    if constexpr (std::endian::native == std::endian::big) bits = __builtin_bswap64(bits);
    std::memcpy(object, &bits, sizeof(bits));
    return from + sizeof(bits);
  }
  from = quick_varint(begin, from, end, bits);
  if (from == nullptr) return nullptr;
  if (quick == QuickForm::varint64) {
    std::memcpy(object, &bits, sizeof(bits));
  } else if (quick == QuickForm::boolean) {
    *static_cast<bool*>(object) = bits != 0;
  } else {
    const auto low = static_cast<std::uint32_t>(bits);
    std::memcpy(object, &low, sizeof(low));
  }
  return from;
}

// The field whose tag is `tag`, null where that is not to be had at once. `expected` is the one
// that comes if they come in their order.
inline const Field* quick_field(const Members& members, const Field* expected, std::uint8_t tag) {
  if (tag == expected->quick_tag) return expected;
  // Number 0 and tags of more bytes are no field's here.
  const std::size_t index = tag < 0x80 ? members.find_number(tag >> 3) : Members::npos;
  if (index == Members::npos) return nullptr;
  const Field& field = members.fields()[index];
  return tag == field.quick_tag ? &field : nullptr;
}

}  // namespace parley::codec::impl
