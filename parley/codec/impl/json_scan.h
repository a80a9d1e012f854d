// Finds what is special in a JSON string, sixteen bytes at a time, and sixty-four in long ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace parley::codec::impl {

inline constexpr std::ptrdiff_t chunk_bytes = 16;
inline constexpr std::ptrdiff_t block_bytes = 4 * chunk_bytes;

// Which of sixteen bytes are quotes, backslashes or control characters, and which are beyond ASCII.
struct ChunkMasks {
  std::uint32_t special;
  std::uint32_t high;
};

#if defined(__SSE2__)
inline __m128i are_special(__m128i bytes) noexcept {
  // With this bit turned over, a quote is the next after the control characters.
  const __m128i turned = _mm_xor_si128(bytes, _mm_set1_epi8(0x02));
  const __m128i is_low = _mm_cmpeq_epi8(_mm_min_epu8(turned, _mm_set1_epi8(0x20)), turned);
  return _mm_or_si128(is_low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
}

inline ChunkMasks masks_of(__m128i bytes) noexcept {
  return {static_cast<std::uint32_t>(_mm_movemask_epi8(are_special(bytes))),
          static_cast<std::uint32_t>(_mm_movemask_epi8(bytes))};
}

inline ChunkMasks masks_of(const char* at) noexcept {
  return masks_of(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}

inline std::uint32_t high_of(const char* at) noexcept {
  const auto* const bytes = reinterpret_cast<const __m128i*>(at);
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_loadu_si128(bytes)));
}

// Whether sixty-four bytes hold nothing special. If so, sets `has_high` where one is beyond ASCII.
inline bool is_plain_block(const char* at, bool& has_high) noexcept {
  const auto* const chunks = reinterpret_cast<const __m128i*>(at);
  const __m128i a = _mm_loadu_si128(chunks);
  const __m128i b = _mm_loadu_si128(chunks + 1);
  const __m128i c = _mm_loadu_si128(chunks + 2);
  const __m128i d = _mm_loadu_si128(chunks + 3);
  const __m128i special = _mm_or_si128(_mm_or_si128(are_special(a), are_special(b)),
                                       _mm_or_si128(are_special(c), are_special(d)));
  if (_mm_movemask_epi8(special) != 0) return false;
  const __m128i all = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
  if (_mm_movemask_epi8(all) != 0) has_high = true;
  return true;
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

inline bool is_plain_block(const char* at, bool& has_high) noexcept {
  ChunkMasks all{};
  for (std::ptrdiff_t i = 0; i < block_bytes; i += chunk_bytes) {
    const ChunkMasks masks = masks_of(at + i);
    all.special |= masks.special;
    all.high |= masks.high;
  }
  if (all.special == 0 && all.high != 0) has_high = true;
  return all.special == 0;
}

inline void copy_chunk(char* to, const char* from) noexcept {
  std::memcpy(to, from, static_cast<std::size_t>(chunk_bytes));
}
#endif

// The first quote, backslash or control character of [at, end), or end. Sets `has_high` when a byte
// beyond ASCII stands before it.
inline const char* find_special(const char* at, const char* end, bool& has_high) noexcept {
  constexpr int chunks_before_blocks = 4;  // most strings end within them
  int chunks = 0;
  for (; end - at >= chunk_bytes; at += chunk_bytes) {
    if (chunks++ == chunks_before_blocks) {
      while (end - at >= block_bytes && is_plain_block(at, has_high)) at += block_bytes;
      if (end - at < chunk_bytes) break;
    }
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
