// Fuzzes the decoder of the parley framing. The first byte says whether a hello is put in front and
// how the rest is cut into chunks; then
//  - reading the stream whole and reading it in pieces must agree, message by message and error;
//  - every message must survive being written and read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/testing/cut_stream.h"

namespace {

using parley::Status;
using parley::wire::Message;
using parley::wire::MessageType;
using parley::wire::ParleyDecoder;
using parley::wire::ParleyEncoder;
using parley::wire::ParleyLimits;
using parley::wire::testing::Outcome;
using parley::wire::testing::read_in_pieces;
using parley::wire::testing::read_whole;

constexpr std::string_view hello("\xF0PRL\x01\x00", 6);

constexpr std::size_t largest_frame = 70'000;

ParleyLimits small_limits() {
  ParleyLimits limits{.takes = {.max_frame = largest_frame}, .max_metadata_entries = 64};
  limits.max_unfinished_bytes = 2'000;
  return limits;
}

void check_round_trip(Message message) {
  if (message.type == MessageType::hello) return;
  if (message.is_refused) return;  // which is for this side only
  if (message.type == MessageType::push) message.seq = 0;
  ParleyLimits limits;
  ParleyEncoder encoder(limits);
  encoder.allow(limits.takes);
  std::string out(hello);
  const Status status = encoder.encode(message, out);
  PARLEY_ASSERT(status.is_ok(), "a message that was read cannot be written: " + status.to_string());
  ParleyDecoder decoder(limits);
  decoder.feed(out);
  (void)decoder.next();
  auto next = decoder.next();
  PARLEY_ASSERT(next && next->has_value(), "a frame we wrote cannot be read");
  PARLEY_ASSERT(**next == message, "a message changed by being written and read");
  PARLEY_ASSERT(!decoder.mid_frame(), "a frame we wrote has bytes to spare");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string stream(data[0] < 0x80 ? hello : std::string_view());
  stream.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  // Messages show the names their decoder keeps.
  ParleyDecoder whole_decoder(small_limits());
  ParleyDecoder pieces_decoder(small_limits());
  const Outcome whole = read_whole(whole_decoder, stream);
  const auto seed = static_cast<std::uint8_t>(data[0] & 0x7FU);
  check_same(whole, read_in_pieces(pieces_decoder, stream, seed, largest_frame + 16));
  for (const Message& message : whole.messages) check_round_trip(message);
  return 0;
}
