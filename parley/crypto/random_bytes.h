// Random bytes that nobody can guess: for keys, nonces, salts and tokens. From libcrypto's
// generator, which the kernel seeds and which knows of a fork.
//
// Callable from any thread. They follow from no seed: a simulation that must repeat itself is given
// its keys (Secret::copy_of, X25519Pair::from_secret). For jitter and sampling there is
// rt/random.h.
//
//   auto token = random_bytes(32);
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "parley/base/result.h"
#include "parley/base/status.h"

namespace parley::crypto {

// What is asked for at once; more is invalid_argument.
inline constexpr std::size_t max_random_bytes = std::size_t{1} << 20;

// Fills `out`. unavailable when the generator has no seed, as on a machine that has just started
// without a source of randomness: then nothing may be used.
Status fill_random(std::span<char> out);

// `size` of them.
Result<std::string> random_bytes(std::size_t size);

}  // namespace parley::crypto
