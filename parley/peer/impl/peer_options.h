// Whether a peer can be what its options say. Private to peer. Safe on any fiber.
#pragma once

#include "parley/base/status.h"
#include "parley/peer/endpoints.h"
#include "parley/peer/impl/framings.h"
#include "parley/peer/options.h"

namespace parley::impl {

// Invalid_argument, with the name of the option, what it is to be and what it is.
Status check(const PeerOptions& options);
Status check(const ListenOptions& options);
Status check(const DialOptions& options);  // those of RedialOptions have their own

// Asks the plugins, which may change the options and add others, who are asked as well; then looks
// at them. After an error they are such that a peer can be made, which says so to who asks for
// sessions.
Status complete(PeerOptions& options);

}  // namespace parley::impl
