// Random: a fast generator of numbers that look random and follow from a seed: for simulations,
// jitter and tests. Not for secrets: who has seen a few numbers knows the rest.
//
// xoshiro256** 1.0 (Blackman and Vigna, 2018), seeded by SplitMix64 as its authors advise: each
// seed, 0 included, gives a good state, and neighbouring seeds have nothing in common. The numbers
// that follow from a seed are the same on every machine and will not change. Not thread-safe.
//
//   Random random(seed);
//   const Duration pause(random.between(0, 1'000'000));
//   if (random.chance(0.1)) drop(packet);
#pragma once

#include <array>
#include <cstdint>

namespace parley {

// SplitMix64 (Steele, Lea and Flood, 2014): the number that follows from `state`, which it moves
// on.
std::uint64_t split_mix(std::uint64_t& state) noexcept;

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept;
  // The state itself; all zeros is a bug, since only zeros would follow.
  explicit Random(const std::array<std::uint64_t, 4>& state);

  // Any 64 bits.
  std::uint64_t next() noexcept;
  // From 0 to `limit` - 1, each as likely as the others. A limit of 0 is a bug.
  std::uint64_t below(std::uint64_t limit);
  // From `least` to `most`, both included. `most` below `least` is a bug.
  std::uint64_t between(std::uint64_t least, std::uint64_t most);
  // True with this probability: never at 0 or less, always at 1 or more. Moves on by one number
  // whatever it is.
  bool chance(double probability) noexcept;
  // A generator whose numbers have nothing to do with those that follow here. Give one to each part
  // of a simulation, and what one part asks does not move the others.
  Random fork() noexcept { return Random(next()); }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace parley
