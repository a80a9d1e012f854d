// ErpcLimits: what Teleport's formats (raw, json, pb and the messages of its WebSocket
// sub-protocols) take and send. A value.
//
//   JsonFraming framing({.max_frame_bytes = 1 << 20});
#pragma once

#include <cstddef>

namespace parley::wire {

struct ErpcLimits {
  // A whole frame with its length field, or one WebSocket message, in bytes; in both directions.
  std::size_t max_frame_bytes = std::size_t{16} << 20U;
  // Entries of a message's metadata; in both directions.
  std::size_t max_metadata_entries = 1024;
};

}  // namespace parley::wire
