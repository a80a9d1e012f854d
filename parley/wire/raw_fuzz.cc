// Fuzzes the decoder of the raw framing. The first byte says how the rest is cut into chunks; then
//  - reading the stream whole and reading it in pieces must agree, message by message and error;
//  - every message must survive being written and read again.
#include <cstddef>
#include <cstdint>

#include "parley/wire/raw_framing.h"
#include "parley/wire/testing/erpc_fuzz.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using parley::wire::RawDecoder;
  using parley::wire::RawEncoder;
  parley::wire::testing::fuzz_erpc_stream<RawDecoder, RawEncoder>(data, size);
  return 0;
}
