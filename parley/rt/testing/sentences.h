// Tables of what a primitive promises: a row says one sentence and shows that it holds, with one
// worker and with several.
//
//   const testing::Sentence sentences[] = {{"a set event lets everybody pass", [] { ... }}};
//   TEST(Event, does_what_its_documentation_says) { testing::check(sentences); }
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace parley::rt::testing {

struct Sentence {
  const char* says;
  std::function<void()> holds;  // in a fiber
  bool has_threads = false;     // of its own, which a simulation refuses
};

// Each sentence as a fiber test of its own, with 1, 2 and 4 workers, and as a few simulations.
void check(std::span<const Sentence> sentences);

// Gives way until `count` fibers of the runtime are parked for `reason`, the name that dump()
// shows.
void wait_until_waiting(std::string_view reason, std::size_t count);
// Gives way until it is true.
void wait_until(const std::function<bool()>& condition);

}  // namespace parley::rt::testing
