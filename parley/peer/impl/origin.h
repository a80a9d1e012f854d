// Origin: what a session has from its peer. Private to peer.
#pragma once

#include <functional>
#include <memory>

#include "parley/peer/impl/framings.h"
#include "parley/peer/impl/workplace.h"
#include "parley/peer/options.h"
#include "parley/peer/router.h"
#include "parley/rt/context.h"
#include "parley/rt/pool.h"
#include "parley/rt/ready_queue.h"

namespace parley::impl {

class Connection;
class Hub;
class Line;
class Plugins;

// Carried by the contexts of handlers and callbacks.
struct InSession {};

struct Origin {
  std::shared_ptr<const PeerOptions> options;
  std::shared_ptr<const Framings> framings;
  std::shared_ptr<Router> router;
  std::shared_ptr<const Plugins> plugins;  // null when there are none
  rt::ReadyQueue& queue;                   // whose fibers run it
  rt::Pool<std::unique_ptr<Workplace>>& workplaces;
  std::shared_ptr<Hub> hub;
  rt::Context context;                            // its fibers run under children of this one
  std::function<void(const Connection&)> forget;  // called at the very end
  std::shared_ptr<Line> line = {};                // what dials it again; null: nothing
};

}  // namespace parley::impl
