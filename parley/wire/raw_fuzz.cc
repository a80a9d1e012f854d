// Fuzzes the decoder of the raw framing. The first byte says how the rest is cut into chunks; then
//  - reading the stream whole and reading it in pieces must agree, message by message and error;
//  - every message must survive being written and read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/wire/raw_framing.h"
#include "parley/wire/testing/cut_stream.h"

namespace {

using parley::Status;
using parley::wire::Message;
using parley::wire::RawDecoder;
using parley::wire::RawEncoder;
using parley::wire::testing::Outcome;
using parley::wire::testing::read_in_pieces;
using parley::wire::testing::read_whole;

constexpr parley::wire::RawLimits limits{.max_frame_bytes = 4096, .max_metadata_entries = 64};

void check_round_trip(const Message& message) {
  // Escaping may make a text three times as long as it came.
  RawEncoder encoder;
  std::string out;
  const Status status = encoder.encode(message, out);
  PARLEY_ASSERT(status.is_ok(), "a message that was read cannot be written: " + status.to_string());
  RawDecoder decoder;
  decoder.feed(out);
  auto next = decoder.next();
  PARLEY_ASSERT(next && next->has_value(), "a frame we wrote cannot be read");
  PARLEY_ASSERT(**next == message, "a message changed by being written and read");
  PARLEY_ASSERT(!decoder.mid_frame(), "a frame we wrote has bytes to spare");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  RawDecoder whole_decoder(limits);
  RawDecoder pieces_decoder(limits);
  const Outcome whole = read_whole(whole_decoder, stream);
  check_same(whole, read_in_pieces(pieces_decoder, stream, data[0], limits.max_frame_bytes - 1));
  for (const Message& message : whole.messages) check_round_trip(message);
  return 0;
}
