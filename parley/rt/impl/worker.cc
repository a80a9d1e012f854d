#include "parley/rt/impl/worker.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <cxxabi.h>
#include <cerrno>

#include "parley/base/assert.h"
#include "parley/rt/impl/cures.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/simulation.h"
#include "parley/rt/impl/worker_inline.h"

namespace parley::rt::impl {
namespace {

// A thief costs 10 to 20 microseconds of CPU, on two processors; less waiting work than this is
// done sooner without one.
constexpr Duration backlog_worth_a_thief = std::chrono::microseconds(50);

// What they start runs before more of them fire: a stack that was used just now is warm, and that
// of the hundredth fiber at once is not.
constexpr std::uint32_t timers_at_once = 64;

// While a worker is held, the others look after its descriptors and timers this often at least.
constexpr Duration rest_beside_held = std::chrono::milliseconds(1);

// While looking before others had the processor is in vain, it is tried once in so many times.
constexpr std::uint32_t yields_between_looks = 15;

thread_local Worker* worker_of_thread = nullptr;

Instant real_now() noexcept { return RealClock().now(); }

}  // namespace

void RealAtomics::give_way() noexcept { ::sched_yield(); }

Worker::Worker(Scheduler& scheduler, std::size_t index)
    : scheduler_(scheduler),
      index_(index),
      alone_(scheduler.worker_count() == 1),
      coarse_now_(scheduler.now()),
      random_(scheduler.seed() + index + 1),
      idle_spin_(scheduler.options().idle_spin),
      stacks_(scheduler.stacks()),
      timers_(scheduler.now()),
      poller_(scheduler.poll_table()) {}

// noinline, with a barrier: the compiler may otherwise keep the address of a thread-local variable
// in a register over a switch, and a fiber may wake up on another thread.
[[gnu::noinline]] Worker* Worker::current() noexcept {
  asm volatile("" ::: "memory");
  return worker_of_thread;
}

Worker& Worker::of_current_fiber(const char* what) {
  Worker* worker = current();
  if (worker == nullptr || worker->running() == nullptr) {
    assertion_failed("", std::string(what) +
                             " outside a fiber: run it in a function given to parley::run() or "
                             "rt::Scope::go()");
  }
  return *worker;
}

Fiber& Worker::current_fiber(const char* what) { return *of_current_fiber(what).running(); }

void Worker::find_own_stack() {
  if (!has_asan) return;
  pthread_attr_t attributes;
  PARLEY_ASSERT(::pthread_getattr_np(::pthread_self(), &attributes) == 0,
                "the stack of this thread cannot be found");
  void* bottom = nullptr;
  ::pthread_attr_getstack(&attributes, &bottom, &loop_stack_size_);
  ::pthread_attr_destroy(&attributes);
  loop_stack_bottom_ = bottom;
}

void Worker::run() {
  PARLEY_ASSERT(worker_of_thread == nullptr, "this thread already runs a Runtime");
  worker_of_thread = this;
  is_lone_worker = alone_;
  thread_id_.store(::gettid(), std::memory_order_release);
  thread_eh_globals_ = reinterpret_cast<EhGlobals*>(abi::__cxa_get_globals());
  thread_errno_ = &errno;
  loop_tsan_fiber_ = tsan_current();

  while (Fiber* fiber = find()) resume(*fiber);
  is_lone_worker = false;
  worker_of_thread = nullptr;
}

void Worker::push_into_full_ring(Fiber& fiber) {
  do {
    std::array<Fiber*, 128> half{};
    const std::uint32_t count = ring_.steal(half);
    scheduler_.inject_all({half.data(), count});
  } while (!ring_.push(&fiber));
}

void Worker::prefer_child_of(const Scope& scope, std::uint64_t until) {
  if (next_.load(std::memory_order_relaxed) != nullptr || force_migration) return;
  Fiber* newest = ring_.pop_newest();
  if (newest == nullptr) return;
  if (newest->scope == &scope && newest->nth <= until && newest->last_worker == nullptr) {
    next_.store(newest, std::memory_order_release);
  } else {
    (void)ring_.push(newest);  // to where it was
  }
}

void Worker::consider_thief() {
  if (!scheduler_.wants_thief()) return;
  if (backlog() * average_run_.load(std::memory_order_relaxed) > backlog_worth_a_thief.count()) {
    scheduler_.wake_thief();
  }
}

std::uint64_t Worker::next_id() {
  constexpr std::uint64_t batch = 256;
  if (next_id_ == ids_end_) {
    next_id_ = scheduler_.next_ids(batch);
    ids_end_ = next_id_ + batch;
  }
  return next_id_++;
}

void Worker::hand_over(std::vector<Fiber*>& runnable) {
  for (;;) {
    if (Fiber* fiber = pop()) {
      runnable.push_back(fiber);
    } else if (Fiber* injected = scheduler_.take(*this)) {
      runnable.push_back(injected);
    } else {
      break;
    }
  }
  coarse_now_ = scheduler_.now();
  // So the next switch comes back to the loop.
  ticks_ = ticks_between_looks - 1;
}

void Worker::look_around() {
  const Instant now = scheduler_.now();
  if (!was_idle_) {
    average_run_.store((now - coarse_now_).count() / ticks_between_looks,
                       std::memory_order_relaxed);
  }
  was_idle_ = false;
  coarse_now_ = now;
  if (timers_.has_due(now)) timers_.fire_due(now, timers_at_once);
  poller_.poll(Poller::at_once);
  if (!alone_) {
    (void)scheduler_.return_room(*this);
    (void)help_others(now);
  }
}

Fiber* Worker::find() {
  if (scheduler_.is_simulated()) return scheduler_.simulation()->next(*this);
  while (!scheduler_.is_stopping()) {
    if (ticks_ % ticks_between_looks == 0) {
      ++ticks_;
      look_around();
      if (Fiber* fiber = scheduler_.take(*this)) return fiber;
    }
    if (Fiber* fiber = pop()) return fiber;
    coarse_now_ = scheduler_.now();
    if (timers_.has_due(coarse_now_) && timers_.fire_due(coarse_now_, timers_at_once) > 0) continue;
    if (Fiber* fiber = scheduler_.take(*this)) return fiber;
    if (!alone_ && (steal() || help_others(coarse_now_))) continue;
    if (scheduler_.return_room(*this)) continue;
    idle();
  }
  return nullptr;
}

bool Worker::steal() {
  const auto count = static_cast<std::uint32_t>(scheduler_.worker_count());
  const std::uint32_t start = random_.below(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Worker& victim = scheduler_.worker((start + i) % count);
    if (&victim == this) continue;
    const auto average = victim.average_run_.load(std::memory_order_relaxed);
    const bool held = victim.is_held();
    if (!held && victim.backlog() * average < backlog_worth_a_thief.count() / 2) continue;
    std::array<Fiber*, 128> stolen{};
    const std::uint32_t taken = victim.ring_.steal(stolen);
    for (std::uint32_t k = 0; k < taken; ++k) (void)ring_.push(stolen[k]);
    if (taken > 0) {
      counts_.steals.add();
      return true;
    }
    Fiber* next = held ? victim.next_.exchange(nullptr, std::memory_order_acq_rel) : nullptr;
    if (next == nullptr) continue;
    (void)ring_.push(next);
    counts_.steals.add();
    return true;
  }
  return false;
}

// A worker that is held does not look at its timers and descriptors. And where time is not real,
// a sleeping worker does not know that it has passed.
bool Worker::help_others(Instant now) {
  bool any = false;
  for (std::size_t i = 0; i < scheduler_.worker_count(); ++i) {
    Worker& other = scheduler_.worker(i);
    if (&other == this) continue;
    const bool held = other.is_held();
    if ((held || !scheduler_.has_real_clock()) && other.timers_.has_due(now)) {
      any = other.timers_.fire_due(now, timers_at_once) > 0 || any;
    }
    if (held) any = other.poller_.poll(Poller::at_once) > 0 || any;
  }
  return any;
}

void Worker::idle() {
  was_idle_ = true;
  // Where time is real, find() has read it just now.
  const Instant start = scheduler_.has_real_clock() ? coarse_now_ : real_now();
  if (!spin(start)) rest();
  idle_spin_.record(real_now() - start);
}

bool Worker::spin(Instant start) {
  const Duration budget = idle_spin_.budget();
  // Whoever we wait for may need this processor. Where that was so the last time, looking before
  // they had it would be in vain; now and then it is done all the same, to see whether it still is.
  bool gives_way = yields_first_ > 0;
  if (gives_way) --yields_first_;
  for (Instant now = start; now - start < budget && !scheduler_.is_stopping(); now = real_now()) {
    if (gives_way) ::sched_yield();
    if (poller_.poll(Poller::at_once) > 0 || scheduler_.has_injected() ||
        timers_.has_due(scheduler_.has_real_clock() ? now : scheduler_.now()) ||
        (!alone_ && steal())) {
      return true;
    }
    if (!gives_way) yields_first_ = yields_between_looks;
    gives_way = true;
  }
  yields_first_ = 0;
  return false;
}

void Worker::rest() {
  // The monitor may have taken the last fiber for one that holds it just as that gave way.
  if (is_held()) set_held(false);
  scheduler_.begin_rest(index_);
  // Looked at again now that the others see this worker at rest.
  if (!scheduler_.is_stopping()) {
    counts_.rests.add();
    poller_.poll(scheduler_.has_injected() ? Poller::at_once : time_to_rest());
  }
  scheduler_.end_rest(index_);
}

Duration Worker::time_to_rest() {
  Duration limit = Poller::for_ever;
  const Instant next = timers_.next();
  if (next != Instant::max()) limit = std::max(next - scheduler_.now(), Duration::zero());
  if (!alone_ && scheduler_.any_held()) limit = std::min(limit, rest_beside_held);
  return limit;
}

}  // namespace parley::rt::impl
