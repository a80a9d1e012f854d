// Finds what is special in a JSON string, sixteen bytes at a time.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace parley::codec::impl {

// The first quote, backslash or control character of [at, end), or end. Sets `has_high` when a byte
// beyond ASCII stands before it.
inline const char* find_special(const char* at, const char* end, bool& has_high) noexcept {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1F);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i is_control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i is_special = _mm_or_si128(
        is_control, _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
    const auto special = static_cast<unsigned>(_mm_movemask_epi8(is_special));
    const auto high = static_cast<unsigned>(_mm_movemask_epi8(bytes));
    if (special != 0) {
      const int first = __builtin_ctz(special);
      if ((high & ((1U << first) - 1)) != 0) has_high = true;
      return at + first;
    }
    if (high != 0) has_high = true;
  }
#endif
  for (; at != end; ++at) {
    const auto byte = static_cast<unsigned char>(*at);
    if (byte == '"' || byte == '\\' || byte < 0x20) return at;
    if (byte >= 0x80) has_high = true;
  }
  return end;
}

}  // namespace parley::codec::impl
