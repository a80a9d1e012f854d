// Happy eyeballs (RFC 8305): of the many addresses of a name, the first that connects is used, and
// one that is silent costs a fraction of a second instead of minutes. Inside a fiber. Private to
// net.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/net/address.h"
#include "parley/net/network.h"
#include "parley/net/resolver.h"
#include "parley/net/stream.h"
#include "parley/rt/deadline.h"

namespace parley::net::impl {

struct Race {
  using Found = Result<std::vector<HostAddress>>;
  using Connected = Result<std::unique_ptr<Stream>>;

  Address address;  // its host is a name
  RaceOptions options;
  // The addresses of one family. Called once for each, both at the same time.
  std::function<Found(Family, rt::Deadline)> lookup;
  // Connects to one numeric address, which its error names. Called on a fiber of its own, whose
  // context ends when another one was faster.
  std::function<Connected(const Address&, rt::Deadline)> connect;
};

// The first connection made; all other attempts have ended, and what they may still have made is
// closed, when this returns. Otherwise the lookup's error when no address was found; when none
// connected, unavailable (or the code all attempts agree on) with what became of each;
// deadline_exceeded, or the context's status, when that came first; invalid_argument for options
// out of range.
Race::Connected run_race(const Race& race, rt::Deadline deadline);

}  // namespace parley::net::impl
