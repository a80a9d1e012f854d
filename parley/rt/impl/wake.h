// Wake: why a parked fiber runs again. Private to rt.
#pragma once

#include <cstdint>

namespace parley::rt::impl {

enum class Wake : std::uint8_t {
  ready,      // what it waited for happened
  deadline,   // its deadline passed
  cancelled,  // its context ended
};

}  // namespace parley::rt::impl
