// What a peer speaks. Private to peer. Pure functions, safe anywhere.
#pragma once

#include <memory>
#include <vector>

#include "parley/peer/options.h"
#include "parley/wire/framing.h"

namespace parley::impl {

using Framings = std::vector<std::shared_ptr<const wire::Framing>>;

// Those of the options, or parley and raw within the options' limits.
Framings framings_of(const PeerOptions& options);

}  // namespace parley::impl
