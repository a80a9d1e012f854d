#include "parley/observe/trace_id.h"

#include <string_view>

namespace parley::observe {

std::string TraceId::to_string() const {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint64_t half : {high, low}) {
    for (unsigned shift = 64; shift > 0; shift -= 4) text += digits[(half >> (shift - 4)) & 15U];
  }
  return text;
}

}  // namespace parley::observe
