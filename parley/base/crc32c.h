// The CRC of RFC 3720, with Castagnoli's polynomial: tells that bytes are not what they were, by
// accident; who wants to can make bytes of any CRC. A pure function.
//
// Our own, since Debian 12 has no library for it and zlib's crc32 is of another polynomial.
//
//   const std::uint32_t sum = crc32c(body, crc32c(head));      // of both, one behind the other
#pragma once

#include <cstdint>
#include <string_view>

namespace parley {

// Of what came before, whose CRC is `before`, and `bytes` behind it.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace parley
