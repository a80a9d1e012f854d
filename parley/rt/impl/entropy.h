// Random bits from the kernel's entropy, by a generator of each thread. Private to rt; see
// random.h.
#pragma once

#include <cstdint>

namespace parley::rt::impl {

std::uint64_t entropy();

}  // namespace parley::rt::impl
