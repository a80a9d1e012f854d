// Everything a user of Parley needs in one include. The floors' own headers can be included one by
// one as well.
//
//   #include <parley/parley.h>
#pragma once

#include "parley/base/assert.h"
#include "parley/base/bytes.h"
#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/json.h"
#include "parley/net/address.h"
#include "parley/peer/peer.h"
#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/signal.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"
