#include "parley/codec/xml/impl/xml_tree.h"

#include <functional>

namespace parley::codec::impl {
namespace {

// All white space of texts, and everything as XML 1.0 says: references, line ends, attributes.
constexpr unsigned int parse_options = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol |
                                       pugi::parse_wconv_attribute | pugi::parse_ws_pcdata;

}  // namespace

bool XmlTree::parse(std::string_view text, const Limits& limits) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (text.starts_with(mark)) text.remove_prefix(mark.size());
  text_ = text;
  XmlCheck check(text, limits);
  if (!check.run()) {
    problem_ = check.problem();
    return false;
  }
  buffer_.assign(text);
  const pugi::xml_parse_result result = document_.load_buffer_inplace(
      buffer_.data(), buffer_.size(), parse_options, pugi::encoding_utf8);
  if (result) return true;
  problem_ = {.code = result.status == pugi::status_out_of_memory ? Code::resource_exhausted
                                                                  : Code::invalid_argument,
              .message = result.description(),
              .offset = static_cast<std::size_t>(result.offset)};
  return false;
}

bool XmlTree::holds(const char* shown) const {
  const std::less<> is_before;
  return !is_before(shown, buffer_.data()) && is_before(shown, buffer_.data() + buffer_.size());
}

std::optional<std::string_view> XmlTree::in_source(std::string_view shown) const {
  if (shown.empty()) return text_.substr(0, 0);
  if (!holds(shown.data())) return {};
  const std::string_view source = text_.substr(offset_of(shown.data()), shown.size());
  if (source != shown) return {};
  return source;
}

std::string XmlTree::place(std::size_t offset) const {
  return " (" + xml_place(text_, offset) + ")";
}

}  // namespace parley::codec::impl
