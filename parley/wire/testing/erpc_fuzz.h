// Fuzzes a decoder of erpc's formats: what raw_fuzz.cc says. For fuzz programs only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/wire/erpc_limits.h"
#include "parley/wire/testing/cut_stream.h"
#include "parley/wire/testing/toy_filters.h"

namespace parley::wire::testing {

template <typename DecoderType, typename EncoderType>
void check_erpc_round_trip(const Message& message) {
  // Escaping may make a text several times as long as it came.
  const ErpcLimits limits{.filters = toy_prefixes()};
  EncoderType encoder(limits);
  std::string out;
  const Status status = encoder.encode(message, out);
  PARLEY_ASSERT(status.is_ok(), "a message that was read cannot be written: " + status.to_string());
  DecoderType decoder(limits);
  decoder.feed(out);
  auto next = decoder.next();
  PARLEY_ASSERT(next && next->has_value(), "a frame we wrote cannot be read");
  PARLEY_ASSERT(**next == message, "a message changed by being written and read");
  PARLEY_ASSERT(!decoder.mid_frame(), "a frame we wrote has bytes to spare");
}

template <typename DecoderType, typename EncoderType>
void fuzz_erpc_stream(const std::uint8_t* data, std::size_t size) {
  const ErpcLimits limits{
      .max_frame_bytes = 4096, .max_metadata_entries = 64, .filters = toy_prefixes()};
  if (size == 0) return;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  DecoderType whole_decoder(limits);
  DecoderType pieces_decoder(limits);
  const Outcome whole = read_whole(whole_decoder, stream);
  check_same(whole, read_in_pieces(pieces_decoder, stream, data[0], limits.max_frame_bytes - 1));
  for (const Message& message : whole.messages) {
    check_erpc_round_trip<DecoderType, EncoderType>(message);
  }
}

}  // namespace parley::wire::testing
