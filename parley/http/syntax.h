// The small pieces of text that HTTP is made of (RFC 9110 5.1, 5.5, 5.6): tokens, field values and
// lists. Pure functions, from anywhere.
//
//   std::string_view rest = "gzip;q=1, br";
//   for (std::string_view element; next_element(rest, element);) use(element);
#pragma once

#include <string>
#include <string_view>

namespace parley::http {

// What a method or the name of a header is made of: at least one letter, digit or one of
// !#$%&'*+-.^_`|~
[[nodiscard]] bool is_token(std::string_view text) noexcept;

// Whether a header may have this value: visible ASCII, bytes above it, and between them blanks. No
// line break, no NUL, no other control, no blank at either end. Empty is fine.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;

namespace impl {
// As same_name(), for texts of one size.
[[nodiscard]] bool same_letters(std::string_view a, std::string_view b) noexcept;
}  // namespace impl

// Equal but for the case of ASCII letters.
[[nodiscard]] inline bool same_name(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && impl::same_letters(a, b);  // most are not of one size
}

// Without the spaces and tabs at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

// Takes the next element off a list with commas (RFC 9110 5.6.1) and says whether there was one.
// Empty elements are passed over; a comma between quotes parts nothing.
bool next_element(std::string_view& rest, std::string_view& element) noexcept;

// Text from outside as an error may show it: in quotes, controls and what is not ASCII as \x0d,
// cut after `most` bytes.
[[nodiscard]] std::string quoted(std::string_view text, std::size_t most = 64);

}  // namespace parley::http
