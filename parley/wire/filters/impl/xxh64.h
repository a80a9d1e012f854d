// XXH64 with the seed 0, of which a zstd frame has the lower half as its content's checksum.
// Private to the filters. A pure function.
//
// Our own, since libzstd does not hand out its own, and a library for some bytes below min_bytes
// would be one more that whoever uses filters has to link.
#pragma once

#include <cstdint>
#include <string_view>

namespace parley::wire::impl {

std::uint64_t xxh64(std::string_view bytes) noexcept;

}  // namespace parley::wire::impl
