// tee: a copy of each CALL and PUSH that is served goes to another session as well: to a service of
// the next version that is tried with real traffic, say, or to one that records. Nothing here waits
// for it, and nothing fails by it.
//
// A plugin for any number of peers; its functions are called by fibers of any worker at once.
//
//   Session shadow = *peer.dial("tcp://shadow:5020");
//   parley::Peer server({.plugins = {tee({.to = [shadow](const ServeStep&) { return shadow; }})}});
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "parley/peer/plugin.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/session.h"

namespace parley {

// What became of the copies.
struct TeeCounts {
  std::atomic<std::uint64_t> sent = 0;     // on their way
  std::atomic<std::uint64_t> dropped = 0;  // the session had no room, or had ended; max_hops
};

struct TeeOptions {
  // Where the copy of this request goes; nothing: there is none. A copy is a PUSH of the same name,
  // metadata and body, before other plugins and the handler change them: what it leads to over
  // there comes back to nobody.
  std::function<std::optional<Session>(const ServeStep& step)> to = {};
  // What is added to the metadata of a copy, so that it can be told apart.
  wire::Metadata mark = {};
  // How often a request may have been copied, or passed on by proxies, this copy among them: those
  // that copy to each other in a circle stop there. Counted in metadata of the copy
  // (proxy_hops_key); what a request says there when it comes is believed. Zero: nothing is copied.
  std::size_t max_hops = 8;
  // Counted here, if it is not null.
  std::shared_ptr<TeeCounts> counts = {};
};

// Streams are not copied.
Plugin tee(TeeOptions options);

}  // namespace parley
