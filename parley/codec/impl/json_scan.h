// Finds what is special in a JSON string, sixteen bytes at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace parley::codec::impl {

inline constexpr std::ptrdiff_t chunk_bytes = 16;

// Which of sixteen bytes are quotes, backslashes or control characters, and which are beyond ASCII.
struct ChunkMasks {
  std::uint32_t special;
  std::uint32_t high;
};

#if defined(__SSE2__)
inline ChunkMasks masks_of(__m128i bytes) noexcept {
  const __m128i is_quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i is_backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i is_control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
  const __m128i is_special = _mm_or_si128(is_control, _mm_or_si128(is_quote, is_backslash));
  return {static_cast<std::uint32_t>(_mm_movemask_epi8(is_special)),
          static_cast<std::uint32_t>(_mm_movemask_epi8(bytes))};
}

inline ChunkMasks masks_of(const char* at) noexcept {
  return masks_of(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}

inline std::uint32_t high_of(const char* at) noexcept {
  const auto* const bytes = reinterpret_cast<const __m128i*>(at);
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_loadu_si128(bytes)));
}

// Copies sixteen bytes.
inline void copy_chunk(char* to, const char* from) noexcept {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
#else
inline ChunkMasks masks_of(const char* at) noexcept {
  ChunkMasks masks{};
  for (std::uint32_t i = 0; i < chunk_bytes; ++i) {
    const auto byte = static_cast<unsigned char>(at[i]);
    if (byte == '"' || byte == '\\' || byte < 0x20) masks.special |= 1U << i;
    if (byte >= 0x80) masks.high |= 1U << i;
  }
  return masks;
}

inline std::uint32_t high_of(const char* at) noexcept { return masks_of(at).high; }

inline void copy_chunk(char* to, const char* from) noexcept {
  std::memcpy(to, from, static_cast<std::size_t>(chunk_bytes));
}
#endif

// The first quote, backslash or control character of [at, end), or end. Sets `has_high` when a byte
// beyond ASCII stands before it.
inline const char* find_special(const char* at, const char* end, bool& has_high) noexcept {
  for (; end - at >= chunk_bytes; at += chunk_bytes) {
    const ChunkMasks masks = masks_of(at);
    if (masks.special != 0) {
      const int first = __builtin_ctz(masks.special);
      if ((masks.high & ((1U << first) - 1)) != 0) has_high = true;
      return at + first;
    }
    if (masks.high != 0) has_high = true;
  }
  for (; at != end; ++at) {
    const auto byte = static_cast<unsigned char>(*at);
    if (byte == '"' || byte == '\\' || byte < 0x20) return at;
    if (byte >= 0x80) has_high = true;
  }
  return end;
}

}  // namespace parley::codec::impl
