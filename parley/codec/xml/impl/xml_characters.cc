#include "parley/codec/xml/impl/xml_characters.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "parley/codec/impl/utf8.h"

namespace parley::codec::impl {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// NameStartChar beyond ASCII.
constexpr Range name_starts[] = {{0xC0, 0xD6},     {0xD8, 0xF6},     {0xF8, 0x2FF},
                                 {0x370, 0x37D},   {0x37F, 0x1FFF},  {0x200C, 0x200D},
                                 {0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF},
                                 {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF}};
// What NameChar has besides.
constexpr Range name_others[] = {{0xB7, 0xB7}, {0x300, 0x36F}, {0x203F, 0x2040}};

bool is_in(std::uint32_t point, const Range* first, const Range* last) {
  return std::any_of(
      first, last, [&](const Range& range) { return point >= range.first && point <= range.last; });
}

constexpr bool is_ascii_name(char c, bool is_first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
         (!is_first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

bool is_name_character(std::uint32_t point, bool is_first) {
  if (point < 0x80) return is_ascii_name(static_cast<char>(point), is_first);
  return is_in(point, std::begin(name_starts), std::end(name_starts)) ||
         (!is_first && is_in(point, std::begin(name_others), std::end(name_others)));
}

// Bytes that may be, or may begin, a character that XML cannot carry.
constexpr std::array<bool, 256> suspects = [] {
  std::array<bool, 256> found{};
  for (std::size_t byte = 0; byte < 0x20; ++byte) found[byte] = true;
  found['\t'] = found['\n'] = found['\r'] = false;
  found[0xEF] = true;
  return found;
}();

}  // namespace

XmlCharacter first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return std::uint32_t{static_cast<unsigned char>(text[i])};
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {.point = first, .size = 1};
  if (first < 0xE0) return {.point = (first & 0x1F) << 6 | (byte(1) & 0x3F), .size = 2};
  if (first < 0xF0) {
    return {.point = (first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), .size = 3};
  }
  return {.point = (first & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 |
                   (byte(3) & 0x3F),
          .size = 4};
}

bool is_forbidden(std::uint32_t point) {
  return (point < 0x20 && point != '\t' && point != '\n' && point != '\r') ||
         (point >= 0xD800 && point <= 0xDFFF) || point == 0xFFFE || point == 0xFFFF ||
         point > 0x10FFFF;
}

std::size_t find_forbidden(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!suspects[static_cast<unsigned char>(text[at])]) continue;
    if (is_forbidden(first_character(text.substr(at)).point)) return at;
  }
  return std::string_view::npos;
}

std::string point_name(std::uint32_t point) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string name = "U+";
  for (int shift = point > 0xFFFF ? 20 : 12; shift >= 0; shift -= 4) {
    name += digits[point >> shift & 15];
  }
  return name;
}

std::size_t name_size(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      if (!is_ascii_name(text[at], at == 0)) break;
      ++at;
      continue;
    }
    const XmlCharacter next = first_character(text.substr(at));
    if (!is_name_character(next.point, at == 0)) break;
    at += next.size;
  }
  return at;
}

bool is_xml_name(std::string_view text) {
  return !text.empty() && is_short_utf8(text) && name_size(text) == text.size();
}

}  // namespace parley::codec::impl
