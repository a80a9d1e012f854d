#include "scenario.h"

#include <array>
#include <string>

#include "parley/rt/random.h"
#include "parley/rt/simulation.h"
#include "parley/rt/time.h"

namespace parley::sim {
namespace {

constexpr std::array holding = {
    Scenario{"ledger", "transfers between accounts lose and make no money", &ledger},
    Scenario{"pipeline", "every value of a pipeline arrives once, in its producer's order",
             &pipeline},
    Scenario{"limits", "semaphores, barriers, conditions and single flights keep their limits",
             &limits},
    Scenario{"deadlines", "what is cancelled or late ends, and nothing ends twice", &deadlines},
    Scenario{"store", "what a store promised survives power cuts and a failing disk", &store},
    Scenario{"tree", "what the log of a watchable tree kept is what there is, and what is told",
             &tree},
    Scenario{"peers", "no call is lost or run twice, and not_sent means not run", &peers},
    Scenario{"talk", "streams and PUSHes keep their order, and what is promised is told once",
             &talk},
    Scenario{"restarts", "peers that end in order lose no call they took, and run none they refuse",
             &restarts},
    Scenario{"proxied", "what passes a proxy runs once, and what it could not bring on did not run",
             &proxied},
    Scenario{"web", "a request over HTTP is answered once, or its error tells the truth", &web},
    Scenario{"doors", "a call keeps its promises by whatever protocol it comes through a door",
             &doors},
};

constexpr std::array wrong = {
    Scenario{"planted_lost_update", "a counter is read and written in two steps",
             &planted_lost_update},
    Scenario{"planted_deadlock", "two mutexes are locked in two orders", &planted_deadlock},
    Scenario{"planted_real_time", "the machine's clock decides", &planted_real_time},
};

}  // namespace

std::span<const Scenario> scenarios() { return holding; }
std::span<const Scenario> planted() { return wrong; }

void must(bool holds, std::string_view what) {
  if (!holds) rt::simulation_failed("this must hold: " + std::string(what));
}

int draw(int least, int most) {
  const auto span = static_cast<std::uint64_t>(most - least);
  return least + static_cast<int>(rt::random_below(span + 1));
}

bool once_in(int times) { return draw(1, times) == 1; }

void pause(Duration most) {
  if (once_in(2)) return;
  const auto limit = static_cast<std::uint64_t>(most.count());
  (void)rt::sleep(Duration(static_cast<Duration::rep>(rt::random_below(limit))));
}

}  // namespace parley::sim
