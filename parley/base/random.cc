#include "parley/base/random.h"

#include <bit>

#include "parley/base/assert.h"

namespace parley {

std::uint64_t split_mix(std::uint64_t& state) noexcept {
  state += 0x9e3779b97f4a7c15ULL;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
  return mixed ^ (mixed >> 31);
}

Random::Random(std::uint64_t seed) noexcept : state_{} {
  for (std::uint64_t& word : state_) word = split_mix(seed);
}

Random::Random(const std::array<std::uint64_t, 4>& state) : state_(state) {
  PARLEY_ASSERT((state[0] | state[1] | state[2] | state[3]) != 0,
                "a Random whose state is all zeros yields only zeros");
}

std::uint64_t Random::next() noexcept {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

// As many bits as the limit has, and again when they are too many: a remainder would favour the
// small numbers. Twice on average at most.
std::uint64_t Random::below(std::uint64_t limit) {
  PARLEY_ASSERT(limit != 0, "no number is below 0");
  if (limit == 1) return 0;
  const int spare = std::countl_zero(limit - 1);
  for (;;) {
    const std::uint64_t number = next() >> spare;
    if (number < limit) return number;
  }
}

std::uint64_t Random::between(std::uint64_t least, std::uint64_t most) {
  PARLEY_ASSERT(least <= most, "nothing lies between these two");
  const std::uint64_t width = most - least;
  return width == UINT64_MAX ? next() : least + below(width + 1);
}

bool Random::chance(double probability) noexcept {
  // The 53 bits a double holds exactly: from 0 up to, but not including, 1.
  const double number = static_cast<double>(next() >> 11) * 0x1.0p-53;
  return number < probability;
}

}  // namespace parley
