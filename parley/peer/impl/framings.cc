#include "parley/peer/impl/framings.h"

#include <algorithm>
#include <cstdint>

#include "parley/wire/parley_framing.h"
#include "parley/wire/raw_framing.h"

namespace parley::impl {

Framings framings_of(const PeerOptions& options) {
  if (!options.framings.empty()) return options.framings;
  wire::ParleyLimits limits;
  limits.takes.max_message =
      std::max<std::uint64_t>(options.max_frame_bytes, wire::Settings().max_message);
  limits.takes.max_frame = std::min(limits.takes.max_frame, limits.takes.max_message);
  const wire::Settings least;
  limits.takes.max_streams = std::max<std::uint64_t>(options.max_streams, least.max_streams);
  limits.takes.stream_credit = std::max<std::uint64_t>(options.stream_credit, least.stream_credit);
  limits.takes.session_credit =
      std::max<std::uint64_t>(options.session_credit, least.session_credit);
  const wire::RawLimits raw_limits{.max_frame_bytes = options.max_frame_bytes,
                                   .filters = options.filters};
  return {std::make_shared<wire::ParleyFraming>(limits),
          std::make_shared<wire::RawFraming>(raw_limits)};
}

}  // namespace parley::impl
