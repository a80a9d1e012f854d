// Names, cut from how the compiler spells a template's arguments.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace parley::codec::impl {

// Not a string_view: g++ would append the meaning of that alias to the spelling.
template <auto value>
consteval const char* spelling() {
  return __PRETTY_FUNCTION__;
}

template <auto... values>
consteval const char* spellings() {
  return __PRETTY_FUNCTION__;
}

template <class T>
consteval const char* spelling_of_type() {
  return __PRETTY_FUNCTION__;
}

consteval bool is_part_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

// The member's name is the last identifier of the spelling: "...Order::tea)}]", "...object.tea}]".
consteval std::string_view last_identifier(std::string_view text) {
  while (!text.empty() && !is_part_of_name(text.back())) text.remove_suffix(1);
  std::size_t start = text.size();
  while (start > 0 && is_part_of_name(text[start - 1])) --start;
  return text.substr(start);
}

// "Order" of "... [with T = shop::Order]", "Page" of "... [T = shop::Page<shop::Order>]".
template <class T>
consteval std::string_view name_of_type() {
  constexpr std::size_t prefix = std::string_view(spelling_of_type<int>()).find("T = ") + 4;
  std::string_view text = spelling_of_type<T>();
  text.remove_prefix(prefix);
  text.remove_suffix(1);
  std::size_t start = 0;
  std::size_t at = 0;
  for (; at < text.size() && text[at] != '<' && text[at] != ';'; ++at) {
    // The name of a function with local types: "f(int)::Order".
    if (!is_part_of_name(text[at])) start = at + 1;
  }
  return text.substr(start, at - start);
}

// Kept apart from the spelling, which is longer and would stay in the program.
template <std::size_t size>
consteval std::array<char, size> copy_of(std::string_view name) {
  std::array<char, size> text{};
  for (std::size_t i = 0; i < name.size(); ++i) text[i] = name[i];
  return text;
}
template <class T>
inline constexpr auto type_name_text = copy_of<name_of_type<T>().size() + 1>(name_of_type<T>());
template <class T>
inline constexpr std::string_view kept_type_name = {type_name_text<T>.data(),
                                                    type_name_text<T>.size() - 1};

}  // namespace parley::codec::impl
