#include "parley/rt/random.h"

#include "parley/base/random.h"
#include "parley/rt/impl/entropy.h"
#include "parley/rt/impl/simulation.h"

namespace parley::rt {

std::uint64_t random_bits() {
  impl::Simulation* simulation = impl::simulation_here();
  return simulation == nullptr ? impl::entropy() : simulation->random();
}

std::uint64_t random_below(std::uint64_t limit) { return Random(random_bits()).below(limit); }

}  // namespace parley::rt
