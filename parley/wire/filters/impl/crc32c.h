// The CRC of RFC 3720, with Castagnoli's polynomial. Private to the filters. A pure function.
//
// Our own, since Debian 12 has no library for it and zlib's crc32 is of another polynomial.
#pragma once

#include <cstdint>
#include <string_view>

namespace parley::wire::impl {

// Of what came before, whose CRC is `before`, and `bytes` behind it.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace parley::wire::impl
