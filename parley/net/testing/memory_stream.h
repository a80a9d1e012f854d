// Two streams joined in memory, without a descriptor: what one writes the other reads. For tests;
// fiber-safe as a Stream is.
//
//   auto [client, server] = memory_streams({.piece_bytes = 1});
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "parley/net/stream.h"

namespace parley::net::testing {

struct MemoryStreamOptions {
  // A write hands over at most this much, and a read gets at most this much.
  std::size_t piece_bytes = 4096;
  // Pieces on their way in each direction; then a write waits.
  std::size_t max_pieces = 64;
};

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> memory_streams(
    const MemoryStreamOptions& options = {});

}  // namespace parley::net::testing
