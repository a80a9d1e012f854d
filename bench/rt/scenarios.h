// The scenarios of `./dev bench rt` that count CPU time per operation. Each does `ops` operations
// inside a fiber and returns a number that tells whether they were done: go/rt.go does the same
// work and has to return the same number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace parley::bench {

using Scenario = std::uint64_t (*)(std::uint64_t ops);

// spawn.cc
std::uint64_t spawn_join(std::uint64_t ops);        // start a fiber that does nothing, wait for it
std::uint64_t spawn_join_batch(std::uint64_t ops);  // the same, a thousand at a time
std::uint64_t yield(std::uint64_t ops);             // two fibers giving way to each other
std::uint64_t tree(std::uint64_t ops);              // fibers that start two more, 2^16 leaves

// channels.cc
std::uint64_t pingpong_same(std::uint64_t ops);   // a round trip over two unbuffered channels
std::uint64_t pingpong_cross(std::uint64_t ops);  // four pairs of fibers doing so
std::uint64_t buffered_1_1(std::uint64_t ops);    // a value through a channel of 128 places
std::uint64_t buffered_n_n(std::uint64_t ops);    // the same, eight senders and eight receivers

// selects.cc
std::uint64_t select_2(std::uint64_t ops);  // a value from one of two channels, a feeder each
std::uint64_t select_8(std::uint64_t ops);  // from one of eight

// sync.cc
std::uint64_t mutex(std::uint64_t ops);            // lock and unlock, nobody else wants it
std::uint64_t mutex_contended(std::uint64_t ops);  // eight fibers want it

// rwmutex.cc
std::uint64_t rwmutex(std::uint64_t ops);       // eight fibers read, every thousandth lock writes
std::uint64_t rwmutex_rare(std::uint64_t ops);  // every hundred thousandth

// timers.cc
std::uint64_t timers_fire(std::uint64_t ops);    // armed a hundred thousand at a time, all fire
std::uint64_t timers_cancel(std::uint64_t ops);  // armed and stopped

// One fiber's count, away from those of the others.
struct alignas(64) Lane {
  std::uint64_t value = 0;
};
std::uint64_t total(const std::vector<Lane>& lanes);

}  // namespace parley::bench
