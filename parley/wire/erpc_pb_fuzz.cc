// Fuzzes the decoder of the pb framing. The first byte says how the rest is cut into chunks.
#include <cstddef>
#include <cstdint>

#include "parley/wire/pb_framing.h"
#include "parley/wire/testing/erpc_fuzz.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using parley::wire::PbDecoder;
  using parley::wire::PbEncoder;
  parley::wire::testing::fuzz_erpc_stream<PbDecoder, PbEncoder>(data, size);
  return 0;
}
