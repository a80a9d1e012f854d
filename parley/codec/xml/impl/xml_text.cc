#include "parley/codec/xml/impl/xml_text.h"

namespace parley::codec::impl {
namespace {

// As Go's encoding/xml. Tabs and line ends too: readers turn them into spaces or '\n' otherwise.
std::string_view escape_of(char c) {
  switch (c) {
    case '"':
      return "&#34;";
    case '\'':
      return "&#39;";
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '\t':
      return "&#x9;";
    case '\n':
      return "&#xA;";
    case '\r':
      return "&#xD;";
    default:
      return {};
  }
}

}  // namespace

void append_xml_text(std::string& out, std::string_view text) {
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view escape = escape_of(text[at]);
    if (escape.empty()) continue;
    out.append(text, start, at - start);
    out += escape;
    start = at + 1;
  }
  out.append(text, start);
}

void append_xml_attribute(std::string& out, std::string_view name, std::string_view value) {
  out += ' ';
  out += name;
  out += "=\"";
  append_xml_text(out, value);
  out += '"';
}

void append_xml_element(std::string& out, pugi::xml_node element) {
  out += '<';
  out += element.name();
  for (const pugi::xml_attribute attribute : element.attributes()) {
    append_xml_attribute(out, attribute.name(), attribute.value());
  }
  out += '>';
  for (const pugi::xml_node child : element.children()) {
    if (child.type() == pugi::node_element) {
      append_xml_element(out, child);
    } else {
      append_xml_text(out, child.value());
    }
  }
  out += "</";
  out += element.name();
  out += '>';
}

}  // namespace parley::codec::impl
