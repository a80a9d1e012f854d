// Scenarios: small worlds with an invariant, run under rt::simulate with many seeds by the program
// `sim`. Each draws its sizes and its delays from the seed, and ends the run with
// rt::simulation_failed() when what must hold does not.
#pragma once

#include <span>
#include <string_view>

#include "parley/base/clock.h"

namespace parley::sim {

struct Scenario {
  std::string_view name;
  // What must hold, or which bug is planted.
  std::string_view says;
  // The first fiber.
  void (*run)();
};

// Those that hold.
std::span<const Scenario> scenarios();
// Those with a bug that the simulation, or comparing two runs, is to find: for its own tests.
std::span<const Scenario> planted();

void ledger();
void pipeline();
void limits();
void deadlines();
void store();
void tree();
void peers();
void talk();
void restarts();
void proxied();
void web();
void doors();
void planted_lost_update();
void planted_deadlock();
void planted_real_time();

// Ends the run, naming `what` should have held, unless it does.
void must(bool holds, std::string_view what);

// From `least` to `most`.
int draw(int least, int most);
// True once in so many times.
bool once_in(int times);
// Sleeps up to `most`, or not at all.
void pause(Duration most);

}  // namespace parley::sim
