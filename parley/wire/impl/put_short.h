// Copies a short text by a few wide moves instead of a call: most bodies are a few bytes. Private
// to wire. Pure functions.
//
//   char* end = put_short(at, "[1,2]");     // there is room for it at `at`
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace parley::wire::impl {

// Whether two texts are the same, without a call where they are no longer than most names.
inline bool is_same(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  const auto word = [](const char* at) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    return bytes;
  };
  if (a.size() < 8 || a.size() > 16) return a == b;
  return word(a.data()) == word(b.data()) &&
         word(a.data() + a.size() - 8) == word(b.data() + b.size() - 8);
}

// Not in line: what is around the call would have to keep its registers for it.
[[gnu::noinline]] inline char* put_longer(char* at, const char* text, std::size_t size,
                                          std::size_t most) noexcept {
  if (size > most) return nullptr;
  std::memcpy(at, text, size);
  return at + size;
}

// Null when it is longer than `most`, which is at least 16.
inline char* put_short(char* at, std::string_view text,
                       std::size_t most = std::string_view::npos) noexcept {
  // Two moves of which the second ends where the text ends; they may overlap.
  const auto put_ends = [&]<class Word>(Word) {
    Word first;
    Word last;
    std::memcpy(&first, text.data(), sizeof first);
    std::memcpy(&last, text.data() + text.size() - sizeof last, sizeof last);
    std::memcpy(at, &first, sizeof first);
    std::memcpy(at + text.size() - sizeof last, &last, sizeof last);
  };
  if (text.size() > 16) [[unlikely]]
    return put_longer(at, text.data(), text.size(), most);
  if (text.size() >= 8) {
    put_ends(std::uint64_t{});
  } else if (text.size() >= 4) {
    put_ends(std::uint32_t{});
  } else {
    for (std::size_t i = 0; i < text.size(); ++i) at[i] = text[i];
  }
  return at + text.size();
}

}  // namespace parley::wire::impl
