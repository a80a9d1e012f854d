// Utf8Check: whether a text that comes in pieces is UTF-8 (RFC 3629), told at the first byte after
// which it cannot be any more. Private to http; belongs to one fiber.
//
//   if (!check.add(piece)) return no_text();
//   if (!check.is_whole()) return no_text();     // at the end: not within a character
#pragma once

#include <cstdint>
#include <string_view>

namespace parley::http::impl {

class Utf8Check {
 public:
  // False when no text can begin like this.
  bool add(std::string_view piece) noexcept;
  [[nodiscard]] bool is_whole() const noexcept { return left_ == 0; }
  void start() noexcept { *this = {}; }

 private:
  bool begin(unsigned char byte) noexcept;

  std::uint8_t left_ = 0;  // bytes that the character lacks
  // Between which the next byte lies.
  std::uint8_t least_ = 0x80;
  std::uint8_t most_ = 0xbf;
};

[[nodiscard]] inline bool is_utf8(std::string_view text) noexcept {
  Utf8Check check;
  return check.add(text) && check.is_whole();
}

}  // namespace parley::http::impl
