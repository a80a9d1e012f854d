// Random numbers for programs: jitter, sampling, shuffling. Different in each run of a process; in
// a simulation (simulation.h) they follow from its seed, so use these and no generator that is
// seeded by something else. Callable anywhere, thread-safe. Not for secrets: whoever sees a few can
// guess the next.
//
//   rt::sleep(pause + std::chrono::milliseconds(rt::random_below(100)));
//   std::shuffle(replicas.begin(), replicas.end(), rt::RandomBits());
#pragma once

#include <cstdint>
#include <limits>

namespace parley::rt {

// 64 random bits.
std::uint64_t random_bits();

// From 0 to `limit` - 1, each as likely as the others. A limit of 0 is a bug.
std::uint64_t random_below(std::uint64_t limit);

// The same as a generator of the standard library (std::uniform_random_bit_generator).
struct RandomBits {
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()() const { return random_bits(); }
};

}  // namespace parley::rt
