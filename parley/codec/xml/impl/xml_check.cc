#include "parley/codec/xml/impl/xml_check.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/utf8.h"
#include "parley/codec/xml/impl/xml_characters.h"

namespace parley::codec::impl {
namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::size_t max_shown = 64;

std::string quoted(std::string_view text) { return "'" + shortened(text, max_shown) + "'"; }

bool is_space(char c) { return xml_space.find(c) != npos; }

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

// Of the character of UTF-8 at the start of a text; 0 where there is none.
std::size_t character_size(std::string_view text) {
  for (std::size_t size = 1; size <= std::min<std::size_t>(4, text.size()); ++size) {
    if (is_utf8(text.substr(0, size))) return size;
  }
  return 0;
}

// The character that the digits of &#65; or &#x41; mean; a forbidden one when they are none.
std::uint32_t point_of(std::string_view digits) {
  constexpr std::uint32_t none = 0xFFFFFFFF;
  const bool is_hex = digits.starts_with('x');
  if (is_hex) digits.remove_prefix(1);
  if (digits.empty()) return none;
  std::uint32_t point = 0;
  for (const char c : digits) {
    std::uint32_t digit = 16;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint32_t>(c - '0');
    } else if (is_hex && ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')) {
      digit = static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
    }
    if (digit > 15) return none;
    point = point * (is_hex ? 16 : 10) + digit;
    if (point > 0x10FFFF) return none;
  }
  return point;
}

}  // namespace

std::string xml_place(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return "line " + std::to_string(1 + std::ranges::count(before, '\n')) + ", column " +
         std::to_string(before.size() - line_start + 1);
}

bool XmlCheck::fail(std::size_t at, std::string message) {
  problem_ = {.code = Code::invalid_argument, .message = std::move(message), .offset = at};
  return false;
}

bool XmlCheck::fail_limit(std::size_t at, std::string message) {
  problem_ = {.code = Code::resource_exhausted, .message = std::move(message), .offset = at};
  return false;
}

bool XmlCheck::run() {
  if (text_.size() > limits_.max_bytes) {
    return fail_limit(0, "the text has " + std::to_string(text_.size()) +
                             " bytes, more than max_bytes (" + std::to_string(limits_.max_bytes) +
                             ")");
  }
  if (!check_encoding() || !check_characters()) return false;
  if (stands("<?xml") && at_ + 5 < text_.size() && is_space(text_[at_ + 5]) &&
      !read_declaration()) {
    return false;
  }
  while (at_ < text_.size()) {
    if (!(text_[at_] == '<' ? read_markup() : read_characters())) return false;
  }
  if (!open_.empty())
    return fail(at_, "the text ends inside <" + std::string(open_.back().name) + ">");
  return has_root_ || fail(at_, "expected an element, got the end of the text");
}

// The other encodings that XML allows, seen by their first bytes.
bool XmlCheck::check_encoding() {
  using namespace std::string_view_literals;
  for (const std::string_view start : {"\xFE\xFF"sv, "\xFF\xFE"sv, "\0<"sv, "<\0"sv, "\0\0"sv}) {
    if (text_.starts_with(start)) return fail(0, "UTF-16 and UTF-32 are not read: send UTF-8");
  }
  return true;
}

bool XmlCheck::check_characters() {
  if (!is_utf8(text_)) {
    std::size_t at = 0;
    while (const std::size_t size = character_size(text_.substr(at))) at += size;
    return fail(at, "this is not UTF-8");
  }
  const std::size_t forbidden = find_forbidden(text_);
  if (forbidden == npos) return true;
  return fail(forbidden, point_name(first_character(text_.substr(forbidden)).point) +
                             " is no character of XML 1.0");
}

bool XmlCheck::skip_space() {
  const std::size_t start = at_;
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  return at_ > start;
}

bool XmlCheck::take_name(std::string_view& name, const char* expected) {
  const std::size_t size = name_size(text_.substr(at_));
  if (size == 0) return fail(at_, expected);
  name = text_.substr(at_, size);
  at_ += size;
  return check_size(at_ - size, size);
}

bool XmlCheck::check_size(std::size_t at, std::size_t size) {
  if (size <= limits_.max_string_bytes) return true;
  return fail_limit(at, "a text of " + std::to_string(size) +
                            " bytes, more than max_string_bytes (" +
                            std::to_string(limits_.max_string_bytes) + ")");
}

// ` name="value"` if it is there; `value` has no data otherwise.
bool XmlCheck::read_pseudo_attribute(std::string_view name, std::string_view& value) {
  const std::size_t start = at_;
  const bool has_space = skip_space();
  if (!stands(name)) {
    at_ = start;
    return true;
  }
  if (!has_space) return fail(at_, "expected a space in front of " + std::string(name));
  at_ += name.size();
  skip_space();
  if (!stands("=")) return fail(at_, "expected '=' behind " + std::string(name));
  ++at_;
  skip_space();
  const char quote = at_ < text_.size() ? text_[at_] : '\0';
  if (quote != '"' && quote != '\'') return fail(at_, "expected a value in quotes");
  const std::size_t end = text_.find(quote, at_ + 1);
  if (end == npos) return fail(at_, "the quote is not closed");
  value = text_.substr(at_ + 1, end - at_ - 1);
  at_ = end + 1;
  return true;
}

bool XmlCheck::read_declaration() {
  at_ += 5;
  std::string_view version;
  std::string_view encoding;
  std::string_view standalone;
  if (!read_pseudo_attribute("version", version)) return false;
  if (version != "1.0") {
    return fail(at_, version.data() == nullptr
                         ? "expected version=\"1.0\" in the declaration"
                         : "XML " + quoted(version) + " is not read: only 1.0 is");
  }
  if (!read_pseudo_attribute("encoding", encoding)) return false;
  if (encoding.data() != nullptr && !equals_ignoring_case(encoding, "utf-8")) {
    return fail(at_, "the encoding " + quoted(encoding) + " is not read: send UTF-8");
  }
  if (!read_pseudo_attribute("standalone", standalone)) return false;
  if (standalone.data() != nullptr && standalone != "yes" && standalone != "no") {
    return fail(at_, "standalone must be \"yes\" or \"no\"");
  }
  skip_space();
  if (!stands("?>")) return fail(at_, "expected '?>' at the end of the declaration");
  at_ += 2;
  return true;
}

// Up to the next '<'.
bool XmlCheck::read_characters() {
  const std::size_t start = at_;
  const std::size_t end = std::min(text_.find('<', at_), text_.size());
  if (open_.empty()) {
    skip_space();
    if (at_ == end) return true;
    return fail(at_, has_root_ ? "text behind the root element" : "expected an element, got text");
  }
  for (; at_ < end; ++at_) {
    if (text_[at_] == '&' && !read_reference(at_, end)) return false;
    if (text_[at_] == ']' && stands("]]>"))
      return fail(at_, "']]>' outside of CDATA: write ]]&gt;");
  }
  return check_size(start, end - start);
}

bool XmlCheck::read_reference(std::size_t at, std::size_t end) {
  const std::string_view rest = text_.substr(at + 1, end - at - 1);
  const std::size_t semicolon = rest.find(';');
  if (rest.starts_with('#') && semicolon != npos) {
    const std::string_view digits = rest.substr(1, semicolon - 1);
    if (!is_forbidden(point_of(digits))) return true;
    return fail(at,
                quoted("&#" + shortened(digits, max_shown) + ";") + " is no character of XML 1.0");
  }
  const std::size_t size = name_size(rest);
  if (size == 0 || semicolon != size) return fail(at, "an '&' that begins nothing: write &amp;");
  for (const std::string_view name : {"lt", "gt", "amp", "quot", "apos"}) {
    if (rest.substr(0, size) == name) return true;
  }
  return fail(at, "the entity " + quoted(rest.substr(0, size)) +
                      " is not known: there are lt, gt, amp, quot and apos");
}

bool XmlCheck::read_markup() {
  if (stands("<!--")) return read_comment();
  if (stands("<![CDATA[")) return read_cdata();
  if (stands("<!DOCTYPE")) {
    return fail(at_, "a DOCTYPE is not read: it could define entities, which may grow without end");
  }
  if (stands("<!")) return fail(at_, "expected a comment or CDATA behind '<!'");
  if (stands("<?")) return read_instruction();
  return stands("</") ? read_end() : read_start();
}

bool XmlCheck::read_comment() {
  const std::size_t end = text_.find("--", at_ + 4);
  if (end == npos) return fail(at_, "the comment is not closed");
  if (!text_.substr(end).starts_with("-->")) return fail(end, "'--' inside a comment");
  at_ = end + 3;
  return true;
}

bool XmlCheck::read_cdata() {
  if (open_.empty()) return fail(at_, "CDATA outside the root element");
  const std::size_t start = at_ + 9;
  const std::size_t end = text_.find("]]>", start);
  if (end == npos) return fail(at_, "CDATA is not closed");
  at_ = end + 3;
  return check_size(start, end - start);
}

bool XmlCheck::read_instruction() {
  const std::size_t start = at_;
  at_ += 2;
  std::string_view name;
  if (!take_name(name, "expected the name of an instruction behind '<?'")) return false;
  if (equals_ignoring_case(name, "xml")) {
    return fail(start, "an XML declaration stands at the very start, and once");
  }
  if (!stands("?>") && !skip_space()) return fail(at_, "expected a space behind the name");
  const std::size_t end = text_.find("?>", at_);
  if (end == npos) return fail(start, "the instruction is not closed");
  at_ = end + 2;
  return true;
}

bool XmlCheck::read_start() {
  const std::size_t tag = at_++;
  std::string_view name;
  if (!take_name(name, "expected the name of an element behind '<'")) return false;
  if (!enter(name, tag)) return false;
  attributes_.clear();
  while (true) {
    const bool has_space = skip_space();
    if (at_ == text_.size()) return fail(tag, "the tag is not closed");
    if (stands("/>") || stands(">")) break;
    if (!has_space) return fail(at_, "expected a space, '>' or '/>' in the tag");
    if (!read_attribute()) return false;
  }
  if (attributes_.size() > 1 && !check_attribute_names(tag)) return false;
  if (stands("/>")) {
    open_.pop_back();
    ++at_;
  }
  ++at_;
  return true;
}

bool XmlCheck::enter(std::string_view name, std::size_t tag) {
  if (open_.empty()) {
    if (has_root_) return fail(tag, "a second root element");
    has_root_ = true;
  } else if (++open_.back().children > limits_.max_elements) {
    return fail_limit(tag, "more elements in one than max_elements (" +
                               std::to_string(limits_.max_elements) + ")");
  }
  if (open_.size() >= limits_.max_depth) {
    return fail_limit(tag,
                      "nested deeper than max_depth (" + std::to_string(limits_.max_depth) + ")");
  }
  open_.push_back({.name = name});
  return true;
}

bool XmlCheck::read_attribute() {
  std::string_view name;
  const std::size_t start = at_;
  if (!take_name(name, "expected an attribute, '>' or '/>' in the tag")) return false;
  attributes_.push_back(name);
  if (attributes_.size() > limits_.max_elements) {
    return fail_limit(start, "more attributes in one element than max_elements (" +
                                 std::to_string(limits_.max_elements) + ")");
  }
  skip_space();
  if (!stands("=")) return fail(at_, "expected '=' behind the name of an attribute");
  ++at_;
  skip_space();
  return read_attribute_value();
}

bool XmlCheck::read_attribute_value() {
  const char quote = at_ < text_.size() ? text_[at_] : '\0';
  if (quote != '"' && quote != '\'') return fail(at_, "expected a value in quotes");
  const std::size_t start = at_ + 1;
  const std::size_t end = text_.find(quote, start);
  if (end == npos) return fail(at_, "the quote is not closed");
  for (std::size_t at = start; at < end; ++at) {
    if (text_[at] == '<') return fail(at, "'<' in the value of an attribute: write &lt;");
    if (text_[at] == '&' && !read_reference(at, end)) return false;
  }
  at_ = end + 1;
  return check_size(start, end - start);
}

bool XmlCheck::check_attribute_names(std::size_t tag) {
  std::ranges::sort(attributes_);
  const auto twice = std::ranges::adjacent_find(attributes_);
  if (twice == attributes_.end()) return true;
  return fail(tag, "the attribute " + quoted(*twice) + " appears twice");
}

bool XmlCheck::read_end() {
  const std::size_t tag = at_;
  at_ += 2;
  std::string_view name;
  if (!take_name(name, "expected the name of an element behind '</'")) return false;
  if (open_.empty()) return fail(tag, "</" + shortened(name, max_shown) + "> closes nothing");
  if (open_.back().name != name) {
    return fail(tag, "</" + shortened(name, max_shown) + "> where </" +
                         shortened(open_.back().name, max_shown) + "> was expected");
  }
  open_.pop_back();
  skip_space();
  if (!stands(">")) return fail(at_, "expected '>' at the end of the tag");
  ++at_;
  return true;
}

}  // namespace parley::codec::impl
