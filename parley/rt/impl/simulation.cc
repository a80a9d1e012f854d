#include "parley/rt/impl/simulation.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>

#include "parley/rt/impl/blocking_pool.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/worker_inline.h"

namespace parley::rt::impl {
namespace {

// What the seed chooses from for a whole run: some bugs need many switches, others show only when
// most fibers get far.
constexpr std::array<std::uint32_t, 5> interleavings = {0, 2, 4, 16, 64};

// With slow fibers: one in so many is, and is passed over up to so many times at a switch.
constexpr std::uint64_t slow_one_in = 4;
constexpr int passed_over = 4;

std::string seconds(Duration time) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%lld.%09lld s",
                static_cast<long long>(time / std::chrono::seconds(1)),
                static_cast<long long>((time % std::chrono::seconds(1)).count()));
  return text.data();
}

std::uint64_t count_of(Duration time) { return static_cast<std::uint64_t>(time.count()); }

}  // namespace

Simulation* simulation_here() noexcept {
  if (!simulating.load(std::memory_order_relaxed)) return nullptr;
  const Worker* worker = Worker::current();
  return worker == nullptr ? nullptr : worker->scheduler().simulation();
}

void interleave_slowly() {
  Simulation* simulation = simulation_here();
  if (simulation == nullptr) return;
  Worker& worker = *Worker::current();
  Fiber* fiber = worker.running();
  // A fiber whose word is open is on its way to park and can be found by wakers already.
  if (fiber == nullptr || fiber->word.is_open()) return;
  if (simulation->is_interrupted()) worker.yield(*fiber);
}

Simulation::Simulation(const SimulationOptions& options)
    : options_(options),
      scheduling_(options.seed),
      interrupting_(scheduling_.fork()),
      passing_(scheduling_.fork()),
      program_(scheduling_.fork()),
      start_(clock_.now()) {
  const std::uint32_t chosen = interleavings[scheduling_.below(interleavings.size())];
  interleave_one_in_ = options.interleave_one_in.value_or(chosen);
  slow_fibers_ = options.slow_fibers.value_or(scheduling_.below(2) == 1);
  trace("simulation", {options.seed, interleave_one_in_, slow_fibers_ ? 1U : 0U});
}

Fiber* Simulation::next(Worker& worker) {
  for (;;) {
    if (worker.scheduler().is_stopping()) return nullptr;
    if (++steps_ > options_.max_steps) {
      fail("max_steps: it took more than " + std::to_string(options_.max_steps) +
           " switches; fibers that wake each other for ever, or a limit that is too low");
    }
    clock_.advance(drawn_step());
    if (worker.timers().has_due(clock_.now())) (void)worker.timers().fire_due(clock_.now());
    gather(worker);
    if (runnable_.empty() && calls_.empty()) {
      if (!pass_time(worker)) fail("a deadlock: no fiber can go on, and no timer is left");
      continue;
    }
    const std::size_t index = draw();
    if (index >= runnable_.size()) {
      make_call(index - runnable_.size());
      continue;
    }
    Fiber* fiber = runnable_[index];
    runnable_[index] = runnable_.back();
    runnable_.pop_back();
    trace("run", {fiber->id.load(std::memory_order_relaxed)}, fiber->name.get().data());
    return fiber;
  }
}

Duration Simulation::drawn_step() {
  const std::uint64_t most = 2 * count_of(options_.step_time);
  return Duration(static_cast<Duration::rep>(passing_.between(0, most)));
}

// What has become runnable since the last time, in the order in which it did.
void Simulation::gather(Worker& worker) {
  const std::size_t before = runnable_.size();
  worker.hand_over(runnable_);
  for (std::size_t i = before; i < runnable_.size(); ++i) {
    trace("ready", {runnable_[i]->id.load(std::memory_order_relaxed)});
  }
}

// To the next timer. False when there is none.
bool Simulation::pass_time(Worker& worker) {
  const Instant next = worker.timers().next();
  if (next == Instant::max()) return false;
  if (next - start_ > options_.max_time) {
    fail("max_time: it would go on after " + seconds(options_.max_time) +
         "; something that never ends, a deadlock beside a ticker, or a limit that is too low");
  }
  if (next > clock_.now()) clock_.advance(next - clock_.now());
  trace("time", {count_of(elapsed())});
  (void)worker.timers().fire_due(clock_.now());
  return true;
}

std::size_t Simulation::draw() {
  const std::size_t size = runnable_.size() + calls_.size();
  std::size_t index = scheduling_.below(size);
  for (int i = 0; slow_fibers_ && i < passed_over && is_slow(index); ++i) {
    index = scheduling_.below(size);
  }
  return index;
}

bool Simulation::is_slow(std::size_t index) const {
  if (index >= runnable_.size()) return false;
  std::uint64_t state = options_.seed ^ runnable_[index]->id.load(std::memory_order_relaxed) << 32;
  return split_mix(state) % slow_one_in == 0;
}

void Simulation::add(BlockingCall& call) { calls_.push_back(&call); }

void Simulation::make_call(std::size_t index) {
  BlockingCall& call = *calls_[index];
  calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(index));
  trace("blocking call", {index});
  call.run(call.argument);
  call.done(call);
}

bool Simulation::is_interrupted() {
  return interleave_one_in_ != 0 && interrupting_.below(interleave_one_in_) == 0;
}

std::uint64_t Simulation::random() {
  const std::uint64_t drawn = program_.next();
  trace("random", {drawn});
  return drawn;
}

void Simulation::mix(std::uint64_t value) {
  hash_ = (std::rotl(hash_, 23) ^ value) * 0x9e3779b97f4a7c15ULL;
  hash_ ^= hash_ >> 32;
}

void Simulation::mix(std::string_view text) {
  mix(text.size());
  // FNV-1a, 64 bits.
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  mix(hash);
}

void Simulation::trace(std::string_view what, std::initializer_list<std::uint64_t> numbers,
                       std::string_view text) {
  mix(what);
  mix(count_of(elapsed()));
  mix(numbers.size());
  for (const std::uint64_t number : numbers) mix(number);
  mix(text);
  keep(what, numbers, text);
}

void Simulation::keep(std::string_view what, std::initializer_list<std::uint64_t> numbers,
                      std::string_view text) {
  if (options_.events_shown == 0 && !options_.on_event) return;
  Event event;
  if (!events_.empty() && events_.size() >= options_.events_shown) {
    event = std::move(events_.front());
    events_.pop_front();
  }
  event.step = steps_;
  event.at = elapsed();
  event.what = what;
  event.count = std::min(numbers.size(), Event::most_numbers);
  std::copy_n(numbers.begin(), event.count, event.numbers.begin());
  event.text = text.substr(0, Event::most_text);
  if (options_.on_event) options_.on_event(line_of(event));
  if (options_.events_shown > 0) events_.push_back(std::move(event));
}

std::string Simulation::line_of(const Event& event) {
  std::string line = std::to_string(event.step) + "  " + seconds(event.at) + "  " + event.what;
  for (std::size_t i = 0; i < event.count; ++i) line += " " + std::to_string(event.numbers[i]);
  if (!event.text.empty()) line += " '" + event.text + "'";
  return line;
}

SimulationReport Simulation::report() const {
  return {.code = 0, .hash = hash_, .steps = steps_, .elapsed = elapsed()};
}

std::string Simulation::repeat_hint() const {
  const std::string seed = std::to_string(options_.seed);
  return "simulation of seed " + seed + ", repeat it with: " +
         (options_.repeat_with.empty() ? "rt::simulate({.seed = " + seed + "}, ...)"
                                       : options_.repeat_with);
}

void Simulation::fail(std::string_view what) {
  simulating.store(false, std::memory_order_relaxed);
  std::string text = "the last events:\n";
  for (const Event& event : events_) text += "  " + line_of(event) + "\n";
  text += "the fibers:\n" + dump();
  text += "simulation failed after " + std::to_string(steps_) + " steps, " + seconds(elapsed()) +
          " of its time: " + std::string(what) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
  // Where this is caught, the seed and the command are printed last.
  std::abort();
}

}  // namespace parley::rt::impl
