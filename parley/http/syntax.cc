#include "parley/http/syntax.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "parley/http/impl/chars.h"

namespace parley::http {

bool is_token(std::string_view text) noexcept {
  return !text.empty() && impl::all_of(text, impl::chars::token);
}

namespace {

// Whether a byte of these eight is below a blank, or DEL: by the borrow of a subtraction from each,
// and since an error may only spread upwards, none is missed (Hacker's Delight 6-1).
constexpr bool may_have_control(std::uint64_t eight) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t tops = ones << 7U;
  const std::uint64_t no_del = eight ^ ones * 0x7f;
  return (((eight - ones * ' ') & ~eight) | ((no_del - ones) & ~no_del)) & tops;
}

}  // namespace

bool is_field_value(std::string_view text) noexcept {
  if (text.empty()) return true;
  if (impl::is_blank(text.front()) || impl::is_blank(text.back())) return false;
  for (; text.size() >= sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data(), sizeof eight);
    // A tab, for one, looks like it.
    if (may_have_control(eight) &&
        !impl::all_of(text.substr(0, sizeof eight), impl::chars::value)) {
      return false;
    }
  }
  return impl::all_of(text, impl::chars::value);
}

bool impl::same_letters(std::string_view a, std::string_view b) noexcept {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && lower_case(a[i]) != lower_case(b[i])) return false;
  }
  return true;
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
