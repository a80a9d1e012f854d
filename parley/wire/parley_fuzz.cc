// Fuzzes the decoder of the parley framing. The first byte says whether a hello is put in front and
// how the rest is cut into chunks; then
//  - reading the stream whole and reading it in pieces must agree, message by message and error;
//  - every message must survive being written and read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/assert.h"
#include "parley/wire/parley_framing.h"

namespace {

using parley::Bytes;
using parley::Status;
using parley::wire::Message;
using parley::wire::MessageType;
using parley::wire::ParleyDecoder;
using parley::wire::ParleyEncoder;
using parley::wire::ParleyLimits;

constexpr std::string_view hello("\xF0PRL\x01\x00", 6);

ParleyLimits small_limits() {
  ParleyLimits limits{.takes = {.max_frame = 70'000}, .max_metadata_entries = 64};
  limits.max_unfinished_bytes = 2'000;
  return limits;
}

struct Outcome {
  std::vector<Message> messages;
  Status error;
  std::size_t left = 0;
  std::size_t unfinished = 0;
};

void drain(ParleyDecoder& decoder, Outcome& outcome) {
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

void finish(const ParleyDecoder& decoder, Outcome& outcome) {
  outcome.left = decoder.buffered();
  outcome.unfinished = decoder.unfinished();
  PARLEY_ASSERT(outcome.unfinished <= 64, "more bodies are under way than may be");
}

Outcome read_whole(ParleyDecoder& decoder, std::string_view stream) {
  Outcome outcome;
  decoder.feed(stream);
  drain(decoder, outcome);
  finish(decoder, outcome);
  return outcome;
}

// Cut lengths come from a small generator seeded by the input, so that the fuzzer can steer them.
Outcome read_in_pieces(ParleyDecoder& decoder, std::string_view stream, std::uint8_t seed) {
  Outcome outcome;
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
  }
  drain(decoder, outcome);
  finish(decoder, outcome);
  return outcome;
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
  const Outcome pieces = read_in_pieces(pieces_decoder, stream, data[0] & 0x7FU);
  PARLEY_ASSERT(whole.messages == pieces.messages, "cutting the stream changed its messages");
  PARLEY_ASSERT(whole.error == pieces.error, "cutting the stream changed its error");
  PARLEY_ASSERT(whole.left == pieces.left, "cutting the stream changed what is left over");
  PARLEY_ASSERT(whole.unfinished == pieces.unfinished, "cutting the stream changed what is begun");
  for (const Message& message : whole.messages) check_round_trip(message);
  return 0;
}
