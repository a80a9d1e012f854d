// What becomes of what a compressing stream still holds back. A value.
#pragma once

#include <cstdint>

namespace parley::wire {

enum class Flush : std::uint8_t {
  none,    // it may stay inside: smallest
  sync,    // all of it comes out, to be read now; the stream goes on
  finish,  // and the stream ends
};

}  // namespace parley::wire
