#include "parley/crypto/hex.h"

namespace parley::crypto {
namespace {

// All ones where low <= value <= high, else 0; all three are below 256.
constexpr unsigned inside(unsigned value, unsigned low, unsigned high) {
  return ~((value - low) >> 8U | (high - value) >> 8U) & 0xFFU;
}
// A difference that is negative has all of the bits above its lowest eight, others have none.
static_assert(inside('5', '0', '9') == 0xFF && inside('/', '0', '9') == 0 &&
              inside(':', '0', '9') == 0);

constexpr char digit_of(unsigned half) {
  return static_cast<char>('0' + half + (inside(half, 10, 15) & ('a' - '0' - 10)));
}

// 0 to 15; beyond 255 when it is no digit.
constexpr unsigned half_of(char digit) {
  const unsigned value = static_cast<unsigned char>(digit);
  const unsigned number = inside(value, '0', '9');
  const unsigned lower = inside(value, 'a', 'f');
  const unsigned upper = inside(value, 'A', 'F');
  return (number & (value - '0')) | (lower & (value - 'a' + 10)) | (upper & (value - 'A' + 10)) |
         ((~(number | lower | upper) & 0xFFU) << 8U);
}

}  // namespace

void append_hex(std::string& out, std::string_view bytes) {
  out.reserve(out.size() + 2 * bytes.size());
  for (const char byte : bytes) {
    const unsigned value = static_cast<unsigned char>(byte);
    out += digit_of(value >> 4U);
    out += digit_of(value & 15U);
  }
}

bool decode_hex(std::string_view text, std::span<char> out) noexcept {
  if (text.size() != 2 * out.size()) return false;
  unsigned wrong = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned high = half_of(text[2 * i]);
    const unsigned low = half_of(text[2 * i + 1]);
    wrong |= (high | low) >> 8U;
    out[i] = static_cast<char>(high << 4U | (low & 15U));
  }
  return wrong == 0;
}

std::size_t first_not_hex(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size() && half_of(text[at]) < 16) ++at;
  return at;
}

}  // namespace parley::crypto
