// Fuzzes the payloads of erpc's WebSocket sub-protocols: JSON when the first byte is even, protobuf
// when it is odd. Every message that is read must survive being written and read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/wire/testing/toy_filters.h"
#include "parley/wire/ws_payload.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using parley::Bytes;
  const parley::wire::ErpcLimits roomy{.filters = parley::wire::testing::toy_prefixes()};
  const parley::wire::ErpcLimits limits{
      .max_frame_bytes = 4096, .max_metadata_entries = 64, .filters = roomy.filters};
  if (size == 0) return 0;
  const bool is_json = data[0] % 2 == 0;
  const auto encode = is_json ? parley::wire::encode_ws_json : parley::wire::encode_ws_pb;
  const auto decode = is_json ? parley::wire::decode_ws_json : parley::wire::decode_ws_pb;
  const std::string_view payload(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto message = decode(Bytes::copy_of(payload), limits);
  if (!message) return 0;
  std::string out;
  const parley::Status status = encode(*message, out, roomy);
  PARLEY_ASSERT(status.is_ok(), "a message that was read cannot be written: " + status.to_string());
  const auto back = decode(Bytes::from(out), roomy);
  PARLEY_ASSERT(back, "a payload we wrote cannot be read");
  PARLEY_ASSERT(*back == *message, "a message changed by being written and read");
  return 0;
}
