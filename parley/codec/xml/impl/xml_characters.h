// The characters of XML 1.0 (fifth edition): which it can carry, and which make a name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::codec::impl {

inline constexpr std::string_view xml_space = " \t\r\n";

// A character of UTF-8 and how many bytes it takes; `text` is valid and not empty.
struct XmlCharacter {
  std::uint32_t point = 0;
  std::size_t size = 1;
};
XmlCharacter first_character(std::string_view text);

// Where the first character stands that XML cannot carry: controls but tab and line ends, U+FFFE
// and U+FFFF. npos when there is none. `text` is UTF-8.
std::size_t find_forbidden(std::string_view text);
bool is_forbidden(std::uint32_t point);

// "U+0001": what errors call a character.
std::string point_name(std::uint32_t point);

// How many bytes at the start of `text`, which is UTF-8, are a name; 0 when it begins with none.
std::size_t name_size(std::string_view text);
// Any text: one that is not UTF-8 is no name.
bool is_xml_name(std::string_view text);

// What stands behind the prefix of a namespace: "id" of "shop:id".
inline std::string_view local_name(std::string_view name) {
  return name.substr(name.find(':') + 1);  // npos + 1 is 0
}
// "shop" of "shop:id"; empty where there is none.
inline std::string_view prefix_of(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? std::string_view() : name.substr(0, colon);
}

}  // namespace parley::codec::impl
