#include "parley/rt/impl/monitor.h"

#include <pthread.h>

#include <csignal>
#include <optional>
#include <string>
#include <utility>

#include "parley/rt/impl/overflow.h"
#include "parley/rt/impl/say.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/stack_trace.h"
#include "parley/rt/impl/thread_state.h"
#include "parley/rt/impl/worker.h"

namespace parley::rt::impl {
namespace {

// How often it looks: often while there is something to find, less often otherwise.
constexpr Duration shortest_pause = std::chrono::milliseconds(1);
constexpr Duration longest_pause = std::chrono::milliseconds(10);
constexpr int quiet_looks_before_slower = 50;
// Looks in a row at which all workers were at rest, after which it sleeps until one is not.
constexpr int restful_looks_before_sleep = 5;

// A program that holds its workers all the time does not fill its log with it.
constexpr std::uint32_t reports_a_minute = 10;

std::string advice(const std::optional<SystemCall>& call) {
  if (!call) {
    return "computing: give way with rt::checkpoint() in long loops, or run it in rt::blocking()";
  }
  const std::string where = "blocked in the system call " + call->name;
  if (call->is_futex) {
    return where +
           " (a mutex, condition or thread of the operating system): use rt::Mutex, rt::Cond or "
           "rt::Scope, or run it in rt::blocking()";
  }
  return where + ": run it in rt::blocking(), or wait for the descriptor with rt::Pollable";
}

}  // namespace

void Monitor::start() {
  seen_.resize(scheduler_.worker_count());
  thread_ = std::thread([this] {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    ::pthread_setname_np(::pthread_self(), "parley/monitor");
    watch();
  });
}

void Monitor::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_seq_cst);
  wake();
  thread_.join();
}

void Monitor::wake() {
  asleep_.store(false, std::memory_order_seq_cst);
  asleep_.notify_one();
}

void Monitor::watch() {
  Duration pause = shortest_pause;
  int quiet_looks = 0;
  int restful_looks = 0;
  while (!stopping_.load(std::memory_order_acquire)) {
    std::this_thread::sleep_for(pause);
    const Instant now = RealClock().now();
    bool found = false;
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      found = look_at(scheduler_.worker(i), seen_[i], now) || found;
    }
    // Workers that ran between two looks are not at rest, even if they are whenever this thread,
    // which may have to share their processor, gets to look.
    const std::uint64_t before = std::exchange(switches_, switches());
    const bool at_rest = scheduler_.all_at_rest() && switches_ == before;
    restful_looks = at_rest ? restful_looks + 1 : 0;
    if (restful_looks == 0) nothing_since_.reset();
    if (restful_looks >= restful_looks_before_sleep && !may_be_deadlock(now)) {
      restful_looks = 0;
      sleep_until_needed();
      found = true;
    }
    quiet_looks = found ? 0 : quiet_looks + 1;
    if (found) pause = shortest_pause;
    if (quiet_looks >= quiet_looks_before_slower && pause < longest_pause) {
      quiet_looks = 0;
      pause = std::min(2 * pause, longest_pause);
    }
  }
}

std::uint64_t Monitor::switches() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < seen_.size(); ++i) sum += scheduler_.worker(i).switches();
  return sum;
}

// True while it has to be looked at again whether that is one.
bool Monitor::may_be_deadlock(Instant now) {
  const Duration after = scheduler_.options().deadlock_after;
  if (after <= Duration::zero() || !scheduler_.nothing_can_wake()) {
    nothing_since_.reset();
    return false;
  }
  if (!nothing_since_ || switches_ != switches_then_) {
    nothing_since_ = now;
    switches_then_ = switches_;
  }
  if (told_at_switches_ == switches_) return false;
  if (now - *nothing_since_ < after) return true;
  told_at_switches_ = switches_;
  say("parley: deadlock: every fiber waits, and no timer, descriptor or blocking call is left that "
      "could wake one; only a thread outside that releases a Semaphore could. " +
      scheduler_.dump());
  return false;
}

void Monitor::sleep_until_needed() {
  asleep_.store(true, std::memory_order_seq_cst);
  // Looked at again now that a worker that wakes would see this.
  if (!scheduler_.all_at_rest() || stopping_.load(std::memory_order_seq_cst)) {
    asleep_.store(false, std::memory_order_seq_cst);
    return;
  }
  asleep_.wait(true, std::memory_order_seq_cst);
}

// True when something was done about it.
bool Monitor::look_at(Worker& worker, Seen& seen, Instant now) {
  const std::uint64_t switches = worker.switches();
  if (switches != seen.switches || worker.running() == nullptr) {
    const std::uint64_t polls = worker.poller().polls();
    // No fiber ran long, but together those that have turns let descriptors and timers wait.
    if (polls == seen.polls && worker.running() != nullptr) worker.ask_to_give_way();
    seen = {.switches = switches, .polls = polls, .since = now, .computed = {}, .reported = false};
    return false;
  }
  const Duration held = now - seen.since;
  if (held < shortest_pause) return false;
  if (!seen.computed) seen.computed = processor_time_of(worker.thread_id());
  worker.ask_to_give_way();
  bool found = false;
  if (worker.backlog() > 0) {
    worker.raise_average_run(held);
    scheduler_.wake_thief();
    found = true;
  }
  const Duration allowed = scheduler_.options().longest_run;
  if (allowed > Duration::zero() && held >= allowed && !seen.reported) {
    worker.set_held(true);
    // The fiber may have given way just now: then nobody else would take this back.
    if (worker.switches() != switches) worker.set_held(false);
    scheduler_.wake_thief();
    found = true;
    if (is_to_blame(worker, seen)) {
      seen.reported = true;
      long_runs_.fetch_add(1, std::memory_order_relaxed);
      report(worker, held);
    }
  }
  return found;
}

// Not a fiber whose thread waits for a processor that others use: its worker is as late, but there
// is nothing to mend in it.
bool Monitor::is_to_blame(const Worker& worker, const Seen& seen) const {
  if (blocked_in(worker.thread_id())) return true;
  const auto computed = processor_time_of(worker.thread_id());
  return !computed || !seen.computed ||
         *computed - *seen.computed >= scheduler_.options().longest_run / 2;
}

void Monitor::report(Worker& worker, Duration held) {
  const Instant now = RealClock().now();
  if (now - reports_renewed_ >= std::chrono::minutes(1)) {
    reports_renewed_ = now;
    reports_left_ = reports_a_minute;
  }
  if (reports_left_ == 0) return;
  --reports_left_;
  // Asked before the signal that asks for the stack interrupts the call.
  const auto call = blocked_in(worker.thread_id());
  const RunningFiber fiber = trace_running_fiber(worker);
  if (fiber.id == 0) return;
  const std::string text =
      "parley: fiber '" + fiber.name + "' has held its worker for " +
      std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(held).count()) +
      " ms, " + advice(call) + "\n" + text_of_stack(fiber.frames) +
      (reports_left_ == 0 ? "  (no more such reports within this minute)\n" : "");
  say(text);
}

}  // namespace parley::rt::impl
