// Reads a stream whole, or cut into pieces, for fuzz programs: both must come to the same. For
// tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/assert.h"
#include "parley/wire/framing.h"

namespace parley::wire::testing {

struct Outcome {
  std::vector<Message> messages;
  Status error;
  std::size_t left = 0;  // bytes that no message used
  bool is_mid_message = false;
};

inline void drain(Decoder& decoder, Outcome& outcome) {
  while (outcome.error.is_ok()) {
    auto next = decoder.next();
    if (!next) {
      outcome.error = next.error();
    } else if (*next) {
      outcome.messages.push_back(std::move(**next));
    } else {
      break;
    }
  }
  outcome.left = decoder.buffered();
  outcome.is_mid_message = decoder.mid_message();
}

inline Outcome read_whole(Decoder& decoder, std::string_view stream) {
  Outcome outcome;
  decoder.feed(stream);
  drain(decoder, outcome);
  return outcome;
}

// Cut lengths come from a small generator seeded by the input, so that the fuzzer can steer them.
// At no time more than `most_held` bytes wait.
inline Outcome read_in_pieces(Decoder& decoder, std::string_view stream, std::uint8_t seed,
                              std::size_t most_held) {
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
    PARLEY_ASSERT(outcome.left <= most_held, "more than a frame is held");
  }
  drain(decoder, outcome);
  return outcome;
}

// Messages show what their decoders keep, so those must be there still.
inline void check_same(const Outcome& whole, const Outcome& pieces) {
  PARLEY_ASSERT(whole.messages == pieces.messages, "cutting the stream changed its messages");
  PARLEY_ASSERT(whole.error == pieces.error, "cutting the stream changed its error");
  PARLEY_ASSERT(whole.left == pieces.left, "cutting the stream changed what is left over");
  PARLEY_ASSERT(whole.is_mid_message == pieces.is_mid_message,
                "cutting the stream changed what is begun");
}

}  // namespace parley::wire::testing
