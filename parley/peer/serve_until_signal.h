// serve_until_signal: the last line of a program that serves. Waits for Ctrl-C (or whatever the
// service is stopped with), then ends the peer in order (Peer::shutdown); a second signal ends it
// at once. Inside a fiber only.
//
//   return parley::run([] {
//     parley::Peer peer;
//     ...
//     const auto served = parley::serve_until_signal(peer, {.shutdown = {.limit = 20s}});
//     return served ? served->exit_code() : 1;
//   });
#pragma once

#include <csignal>
#include <vector>

#include "parley/base/result.h"
#include "parley/peer/peer.h"
#include "parley/peer/shutdown.h"

namespace parley {

struct ServeOptions {
  // What ends it.
  std::vector<int> signals = {SIGINT, SIGTERM};
  // How; `reason` gets the signal's name behind it.
  ShutdownOptions shutdown = {};
};

struct Served {
  int signal = 0;  // the first that came; 0: none did, something else ended it
  int second = 0;  // what ended it at once; 0: none did
  ShutdownReport report = {};

  // 0 when all that was under way was finished; 1 when the limit cut some of it; 128 and the number
  // of the second signal when that did, as shells say it.
  [[nodiscard]] int exit_code() const;
};

// Returns when the peer has ended. From when it is called until then `signals` have not their usual
// effect; after the second one they have: the third ends a program whose handlers do not mind the
// end of their context. Signals that came before it have their usual effect. When the context of
// the calling fiber ends, so does the peer, in order; and when somebody else ends the peer (a
// handler that calls Peer::shutdown), this returns once it has ended, within the limit given there.
// The error is that of rt::Signals::wait, and the peer goes on.
Result<Served> serve_until_signal(Peer& peer, const ServeOptions& options = {});

}  // namespace parley
