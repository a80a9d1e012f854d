// What decoding and encoding may cost, the same for every format.
#pragma once

#include <cstddef>

namespace parley::codec {

// Beyond a limit the status is resource_exhausted and names it.
struct Limits {
  std::size_t max_depth = 64;  // arrays and objects inside each other; also when encoding
  std::size_t max_bytes = std::size_t{16} << 20;  // of the whole input
  // In each array and object; of a form all pairs; paths in a FieldMask's text. Not in what
  // protobuf skips or keeps (protobuf.h).
  std::size_t max_elements = 1'000'000;
  // In each string and key, as written. Not in what protobuf skips or keeps.
  std::size_t max_string_bytes = std::size_t{16} << 20;
};

// What every function takes where it is given none. Limits made in each call would be code in each
// call; so it is with the options of the formats.
inline constexpr Limits default_limits{};

}  // namespace parley::codec
