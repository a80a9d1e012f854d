// Simulation: decides in the place of chance: what a simulated scheduler asks instead of looking at
// its queues, and the trace of what it answered. On one thread. Private to rt; see simulation.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/clock.h"
#include "parley/base/random.h"
#include "parley/rt/impl/interleave.h"
#include "parley/rt/simulation.h"

namespace parley::rt::impl {

class Fiber;
class Worker;
struct BlockingCall;

class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  [[nodiscard]] std::uint64_t seed() const { return options_.seed; }
  [[nodiscard]] const Clock& clock() const { return clock_; }

  // By the worker's loop: the fiber to run next, null when the scheduler has stopped.
  Fiber* next(Worker& worker);
  // By a fiber that is about to park: the call is made by the loop, sooner or later.
  void add(BlockingCall& call);
  // By a fiber that could go on: true when it is to give way.
  bool is_interrupted();
  // For the program.
  std::uint64_t random();

  void trace(std::string_view what, std::initializer_list<std::uint64_t> numbers = {},
             std::string_view text = {});
  [[noreturn]] void fail(std::string_view what);
  [[nodiscard]] SimulationReport report() const;
  // What to run to see this again.
  [[nodiscard]] std::string repeat_hint() const;

 private:
  // One line of the trace, kept for a report.
  struct Event {
    static constexpr std::size_t most_numbers = 4;
    static constexpr std::size_t most_text = 80;

    std::uint64_t step = 0;
    Duration at{};
    std::string what;
    std::array<std::uint64_t, most_numbers> numbers{};
    std::size_t count = 0;
    std::string text;
  };

  void gather(Worker& worker);
  bool pass_time(Worker& worker);
  std::size_t draw();
  Duration drawn_step();
  [[nodiscard]] bool is_slow(std::size_t index) const;
  void make_call(std::size_t index);
  void mix(std::uint64_t value);
  void mix(std::string_view text);
  void keep(std::string_view what, std::initializer_list<std::uint64_t> numbers,
            std::string_view text);
  [[nodiscard]] Duration elapsed() const { return clock_.now() - start_; }
  static std::string line_of(const Event& event);

  const SimulationOptions options_;
  // One stream for each purpose, so that a program that draws one number more is not scheduled
  // differently for that alone.
  parley::Random scheduling_;
  parley::Random interrupting_;
  parley::Random passing_;
  parley::Random program_;
  std::uint32_t interleave_one_in_ = 0;
  bool slow_fibers_ = false;
  ManualClock clock_;
  const Instant start_;

  // What could run now.
  std::vector<Fiber*> runnable_;
  std::vector<BlockingCall*> calls_;

  std::uint64_t steps_ = 0;
  std::uint64_t hash_ = 0;
  std::deque<Event> events_;  // the latest
};

}  // namespace parley::rt::impl
