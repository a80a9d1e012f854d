// What decoding and encoding may cost, the same for every format.
#pragma once

#include <cstddef>

namespace parley::codec {

// Beyond a limit the status is resource_exhausted and names it.
struct Limits {
  std::size_t max_depth = 64;  // arrays and objects inside each other; also when encoding
  std::size_t max_bytes = std::size_t{16} << 20;  // of the whole input
  std::size_t max_elements = 1'000'000;  // in each array and object; paths in a FieldMask's text
  std::size_t max_string_bytes = std::size_t{16} << 20;  // in each string and key, as written
};

}  // namespace parley::codec
