// simulate: runs a program of fibers so that one seed decides everything: which fiber runs next and
// when it gives way, the time, random numbers (random.h), the order of blocking calls, and with
// net::SimWorld what becomes of each byte. The same seed repeats the same run in any process;
// many seeds find what goes wrong once in many runs.
//
//   for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
//     rt::simulate({.seed = seed}, [] { transfer_money(); check_that_none_is_lost(); });
//   }
//
// It is the code that ships: one worker runs all fibers, on the calling thread. At each switch the
// next fiber is drawn from all that could run, and at locks, channels and other waits, where a
// fiber would go on undisturbed, it sometimes gives way. The clock stands for rt::now(), deadlines,
// timers and sleeps: it moves a little with each switch, and to the next timer when nothing else is
// left to do, so hours cost nothing. rt::blocking() runs its function in line, in an order that is
// drawn.
//
// What is not simulated is refused or is yours to avoid: descriptors cannot be watched
// (Pollable::watch, and so sockets, signals and Resolver: failed_precondition), and whatever reads
// the machine's clock, addresses of objects (an unordered_map over pointers), other threads or the
// file system without the file seam differs from run to run.
//
// A run ends the program, with a report and the command that repeats it, when no fiber can go on
// (a deadlock), at a limit below, and at simulation_failed(): fibers that wait for ever cannot be
// taken back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "parley/base/clock.h"
#include "parley/rt/impl/closure.h"

namespace parley::rt {

struct SimulationOptions {
  std::uint64_t seed = 1;
  // How much time may pass in the simulation; where a ticker keeps it going this ends it.
  Duration max_time = std::chrono::hours(24 * 365);
  // How often a fiber may be switched to, at most: two that wake each other for ever end here.
  std::uint64_t max_steps = 20'000'000;
  // Simulated time from one switch to the next: drawn from zero to twice as much.
  Duration step_time = std::chrono::microseconds(1);
  // At a lock, a channel or another wait a fiber that could go on gives way once in so many times;
  // 0: never, 1: always. None: the seed chooses, for the whole run.
  std::optional<std::uint32_t> interleave_one_in = std::nullopt;
  // Some fibers are passed over most of the time, as on a machine that is short of processors.
  // None: the seed chooses.
  std::optional<bool> slow_fibers = std::nullopt;
  // As in RuntimeOptions; a number of its own, so that it is the same on every machine.
  std::size_t stack_size = std::size_t{256} * 1024;
  std::size_t max_fibers = 100'000;
  // How many of the latest events a report shows.
  std::size_t events_shown = 100;
  // What the report of a failure gives as the command that repeats it. Empty: a call with the seed.
  std::string repeat_with = {};
  // Told each event as a line of text; to see where two runs part.
  std::function<void(std::string_view line)> on_event = {};
};

struct SimulationReport {
  // What the first fiber returned, if that is an int, else 0.
  int code = 0;
  // Of all events, in their order. Equal for equal runs.
  std::uint64_t hash = 0;
  // How often a fiber was switched to.
  std::uint64_t steps = 0;
  // How much time passed in the simulation.
  Duration elapsed{};
};

namespace impl {
SimulationReport simulate_closure(const SimulationOptions& options, const Closure& closure);
}  // namespace impl

// Runs `main`, which returns int or nothing, as the first fiber and returns when it and every fiber
// it started are done. One simulation at a time in a process, and not on a thread that runs a
// Runtime (bugs otherwise). While it runs, SIGABRT is handled, to name the seed when an assertion
// fails.
template <class F>
SimulationReport simulate(const SimulationOptions& options, F&& main) {
  int code = 0;
  auto body = [&] { code = impl::exit_code_of(main); };
  SimulationReport report = impl::simulate_closure(options, impl::closure_of(body));
  report.code = code;
  return report;
}

// Adds what happened to the trace of the simulation; nothing outside one. For whoever puts
// something simulated in the place of something real: what it did is then part of the hash. No
// addresses and no real time, or replays differ. `text` is cut at 80 bytes where it is shown.
void trace_event(std::string_view what, std::initializer_list<std::uint64_t> numbers = {},
                 std::string_view text = {});

// Ends the program as above, because `what` should not have happened. Outside a simulation the
// program ends with the message alone.
[[noreturn]] void simulation_failed(std::string_view what);

}  // namespace parley::rt
