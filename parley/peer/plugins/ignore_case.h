// ignore_case: methods are found whatever the case they are called in, as Teleport's plugin of that
// name does it. Put it before plugins that look at names.
//
// A plugin for any number of peers. ASCII letters only: other bytes stay as they are.
//
//   parley::Peer peer({.plugins = {ignore_case()}});
//   peer.handle("/order/place", &place);          // "/Order/Place" finds it
#pragma once

#include "parley/peer/plugin.h"

namespace parley {

// Methods must be registered in lower case: one that is not could never be found, and the peer
// refuses to listen and to dial (invalid_argument). The handler sees the name in lower case.
Plugin ignore_case();

}  // namespace parley
