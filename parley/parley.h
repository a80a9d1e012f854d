// Everything a program that uses Parley reaches for in one include: peers, fibers, channels,
// select, the primitives of sync, the network. The floors' own headers can be included one by one
// as well. What stands apart is included by name: what tests use (rt/simulation.h,
// net/sim_network.h), files, metrics, passing listeners on, and what other frameworks are built
// from (rt/pollable.h).
//
//   #include <parley/parley.h>
#pragma once

#include "parley/base/assert.h"
#include "parley/base/bytes.h"
#include "parley/base/clock.h"
#include "parley/base/guard.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/json.h"
#include "parley/net/address.h"
#include "parley/net/datagram.h"
#include "parley/net/message_stream.h"
#include "parley/net/network.h"
#include "parley/net/resolver.h"
#include "parley/net/serve.h"
#include "parley/net/tls_client.h"
#include "parley/net/tls_server.h"
#include "parley/peer/batch.h"
#include "parley/peer/peer.h"
#include "parley/rt/barrier.h"
#include "parley/rt/blocking.h"
#include "parley/rt/channel.h"
#include "parley/rt/concurrent_map.h"
#include "parley/rt/cond.h"
#include "parley/rt/context.h"
#include "parley/rt/done_call.h"
#include "parley/rt/error_group.h"
#include "parley/rt/event.h"
#include "parley/rt/label.h"
#include "parley/rt/mutex.h"
#include "parley/rt/once.h"
#include "parley/rt/pool.h"
#include "parley/rt/runtime.h"
#include "parley/rt/rw_mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/select.h"
#include "parley/rt/semaphore.h"
#include "parley/rt/signal.h"
#include "parley/rt/single_flight.h"
#include "parley/rt/time.h"
#include "parley/rt/timer.h"
#include "parley/rt/wait_group.h"
