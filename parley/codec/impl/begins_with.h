// Whether the input goes on with the prepared key of a field, in one comparison.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "parley/codec/members.h"

namespace parley::codec::impl {

// `key` is one of a Field: behind it Members::key_padding bytes may be read.
inline bool begins_with(const char* text, const char* end, std::string_view key) {
#if defined(__SSE2__)
  static_assert(Members::key_padding >= 16);
  if (key.size() <= 16 && end - text >= 16) {
    const __m128i is_same =
        _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text)),
                       _mm_loadu_si128(reinterpret_cast<const __m128i*>(key.data())));
    const std::uint32_t differs = ~static_cast<std::uint32_t>(_mm_movemask_epi8(is_same));
    return (differs & ((std::uint32_t{1} << key.size()) - 1)) == 0;
  }
#endif
  return static_cast<std::size_t>(end - text) >= key.size() &&
         std::memcmp(text, key.data(), key.size()) == 0;
}

}  // namespace parley::codec::impl
