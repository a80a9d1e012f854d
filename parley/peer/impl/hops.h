// Hops: how many proxies and tees a request has come through, by its metadata (proxy_hops_key), so
// that those that send to each other in a circle stop. Private to peer. Pure functions, safe
// anywhere.
//
//   if (Status s = count_hop(metadata, options.max_hops); !s.is_ok()) return s;
#pragma once

#include <cstddef>

#include "parley/base/status.h"
#include "parley/wire/metadata.h"

namespace parley::impl {

// Writes that it came through one more. resource_exhausted when it came through max_hops before;
// invalid_argument when what stands there is no number.
Status count_hop(wire::Metadata& metadata, std::size_t max_hops);

}  // namespace parley::impl
