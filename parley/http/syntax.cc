#include "parley/http/syntax.h"

#include <algorithm>
#include <cstddef>

#include "parley/http/impl/chars.h"

namespace parley::http {

bool is_token(std::string_view text) noexcept {
  return !text.empty() && impl::all_of(text, impl::chars::token);
}

bool is_field_value(std::string_view text) noexcept {
  return impl::all_of(text, impl::chars::value) && trimmed(text).size() == text.size();
}

bool same_name(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return impl::lower_case(x) == impl::lower_case(y);
         });
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && impl::is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && impl::is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool next_element(std::string_view& rest, std::string_view& element) noexcept {
  while (!rest.empty()) {
    std::size_t end = 0;
    for (bool in_quotes = false; end < rest.size(); ++end) {
      const char c = rest[end];
      if (c == ',' && !in_quotes) break;
      if (c == '"') in_quotes = !in_quotes;
      if (c == '\\' && in_quotes && end + 1 < rest.size()) ++end;
    }
    element = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!element.empty()) return true;
  }
  return false;
}

std::string quoted(std::string_view text, std::size_t most) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, most)) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == ' ' || impl::is_of(c, impl::chars::visible)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return out + (text.size() > most ? "\"..." : "\"");
}

}  // namespace parley::http
