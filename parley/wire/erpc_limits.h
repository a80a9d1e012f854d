// ErpcLimits: what Teleport's formats (raw, json, pb and the messages of its WebSocket
// sub-protocols) take and send, and the transfer filters they know. A value.
//
//   JsonFraming framing({.max_frame_bytes = 1 << 20, .filters = filters});
#pragma once

#include <cstddef>
#include <memory>

namespace parley::wire {

class Filters;  // filter.h

struct ErpcLimits {
  // A whole frame with its length field, or one WebSocket message, in bytes; in both directions,
  // and also of what comes out of transfer filters.
  std::size_t max_frame_bytes = std::size_t{16} << 20U;
  // Entries of a message's metadata; in both directions.
  std::size_t max_metadata_entries = 1024;
  // What Message::filters may name, and a frame that is read. Null: nothing.
  std::shared_ptr<const Filters> filters{};
};

}  // namespace parley::wire
