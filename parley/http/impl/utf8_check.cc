#include "parley/http/impl/utf8_check.h"

#include <cstddef>
#include <cstring>

namespace parley::http::impl {

bool Utf8Check::add(std::string_view piece) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  std::size_t at = 0;
  while (at < piece.size()) {
    if (left_ == 0) {
      std::uint64_t eight = 0;
      while (piece.size() - at >= sizeof(eight)) {
        std::memcpy(&eight, piece.data() + at, sizeof(eight));
        if ((eight & high_bits) != 0) break;
        at += sizeof(eight);
      }
      if (at == piece.size()) return true;
    }
    const auto byte = static_cast<unsigned char>(piece[at++]);
    if (left_ == 0) {
      if (byte >= 0x80 && !begin(byte)) return false;
    } else {
      if (byte < least_ || byte > most_) return false;
      --left_;
      least_ = 0x80;
      most_ = 0xbf;
    }
  }
  return true;
}

// By the first byte: no forms that are longer than need be, no surrogates, nothing above U+10FFFF.
bool Utf8Check::begin(unsigned char byte) noexcept {
  if (byte < 0xc2 || byte > 0xf4) return false;
  left_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  if (byte == 0xe0) least_ = 0xa0;
  if (byte == 0xed) most_ = 0x9f;
  if (byte == 0xf0) least_ = 0x90;
  if (byte == 0xf4) most_ = 0x8f;
  return true;
}

}  // namespace parley::http::impl
