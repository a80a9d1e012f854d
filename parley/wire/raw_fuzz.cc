// Fuzzes the decoder of the raw framing. The first byte says how the rest is cut into chunks; then
//  - reading the stream whole and reading it in pieces must agree, message by message and error;
//  - every message must survive being written and read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/assert.h"
#include "parley/wire/raw_framing.h"

namespace {

using parley::Bytes;
using parley::Status;
using parley::wire::Message;
using parley::wire::RawDecoder;
using parley::wire::RawEncoder;

struct Outcome {
  std::vector<Message> messages;
  Status error;
  std::size_t left = 0;
};

void drain(RawDecoder& decoder, Outcome& outcome) {
  while (outcome.error.is_ok()) {
    auto next = decoder.next();
    if (!next) {
      outcome.error = next.error();
    } else if (*next) {
      outcome.messages.push_back(std::move(**next));
    } else {
      return;
    }
  }
}

constexpr parley::wire::RawLimits limits{.max_frame_bytes = 4096, .max_metadata_entries = 64};

Outcome read_whole(std::string_view stream) {
  Outcome outcome;
  RawDecoder decoder(limits);
  decoder.feed(stream);
  drain(decoder, outcome);
  outcome.left = decoder.buffered();
  return outcome;
}

// Cut lengths come from a small generator seeded by the input, so that the fuzzer can steer them.
Outcome read_in_pieces(std::string_view stream, std::uint8_t seed) {
  Outcome outcome;
  RawDecoder decoder(limits);
  std::uint32_t state = seed;
  while (!stream.empty()) {
    state = state * 1664525U + 1013904223U;
    const std::size_t size = 1 + (state >> 24U) % (1U + seed % 32U);
    const std::string_view piece = stream.substr(0, size);
    stream.remove_prefix(piece.size());
    if (seed % 5 == 0 && piece.size() > 1) {
      Bytes chain = Bytes::copy_of(piece.substr(0, 1));
      chain.append(Bytes::copy_of(piece.substr(1)));
      decoder.feed(std::move(chain));
    } else {
      decoder.feed(piece);
    }
    if (seed % 3 == 0 && state % 2 == 0) continue;  // feed several chunks before asking
    drain(decoder, outcome);
    PARLEY_ASSERT(decoder.buffered() < limits.max_frame_bytes, "more than a frame is held");
  }
  drain(decoder, outcome);
  outcome.left = decoder.buffered();
  return outcome;
}

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
  const Outcome whole = read_whole(stream);
  const Outcome pieces = read_in_pieces(stream, data[0]);
  PARLEY_ASSERT(whole.messages == pieces.messages, "cutting the stream changed its messages");
  PARLEY_ASSERT(whole.error == pieces.error, "cutting the stream changed its error");
  PARLEY_ASSERT(whole.left == pieces.left, "cutting the stream changed what is left over");
  for (const Message& message : whole.messages) check_round_trip(message);
  return 0;
}
