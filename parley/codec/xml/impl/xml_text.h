// What both the writer and the reader write: texts with escapes, elements, the names of the
// mapping.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <string_view>

namespace parley::codec::impl {

inline constexpr std::string_view xml_item = "item";
inline constexpr std::string_view xml_entry = "entry";
inline constexpr std::string_view xml_key = "key";
inline constexpr std::string_view xml_nil =
    R"( xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true")";
inline constexpr std::string_view xml_unknown = "unknown";  // around what UnknownFields keeps

// Appends `text`, which is UTF-8 that XML can carry, for an element or an attribute.
void append_xml_text(std::string& out, std::string_view text);
// ` name="value"`
void append_xml_attribute(std::string& out, std::string_view name, std::string_view value);
// The element with all that is in it, but for comments and instructions.
void append_xml_element(std::string& out, pugi::xml_node element);

}  // namespace parley::codec::impl
