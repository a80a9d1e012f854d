#include "parley/rt/impl/scheduler.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <mutex>

#include "parley/base/assert.h"
#include "parley/observe/registry.h"
#include "parley/rt/impl/context_node.h"
#include "parley/rt/impl/cures.h"
#include "parley/rt/impl/debugger.h"
#include "parley/rt/impl/dump_on_signal.h"
#include "parley/rt/impl/machine.h"
#include "parley/rt/impl/overflow.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/impl/simulation.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/impl/worker_inline.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley::rt::impl {
namespace {

std::size_t workers_of(const RuntimeOptions& options) {
  const std::size_t wanted = options.workers == 0 ? usable_processors() : options.workers;
  return std::clamp<std::size_t>(wanted, 1, max_workers);
}

std::size_t limit_of_fibers(const RuntimeOptions& options, GuardKind guards) {
  const std::size_t wanted = options.max_fibers == 0 ? default_max_fibers() : options.max_fibers;
  if (options.max_fibers > most_stacks(guards)) tell_of_lower_limit(options.max_fibers);
  // ThreadSanitizer knows 8,128 threads and fibers at most.
  constexpr std::size_t most_under_tsan = 8'000;
  return std::min({wanted, most_stacks(guards), has_tsan ? most_under_tsan : wanted});
}

// Of a new thread: signals are the business of the program's own ones.
void block_signals() {
  sigset_t most;
  sigfillset(&most);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGURG}) sigdelset(&most, signal);
  ::pthread_sigmask(SIG_SETMASK, &most, nullptr);
}

}  // namespace

Scheduler::Scheduler(const RuntimeOptions& options)
    : options_(options),
      worker_count_(workers_of(options)),
      stacks_(options.max_idle_stacks, best_guard_kind()),
      max_fibers_(limit_of_fibers(options, stacks_.guards())),
      limited_by_guards_(max_fibers_ == most_stacks(stacks_.guards())),
      room_(static_cast<std::ptrdiff_t>(max_fibers_)),
      room_batch_(max_fibers_ < 100 * worker_count_ ? 1 : 32),
      background_(std::make_shared<ContextNode>(nullptr, Deadline::never())),
      blocking_(options.max_blocking_threads, options.blocking_idle_time),
      monitor_(*this) {
  for (std::size_t i = 0; i < worker_count_; ++i) {
    workers_.push_back(std::make_unique<Worker>(*this, i));
  }
}

Scheduler::~Scheduler() = default;

Scheduler* Scheduler::current() noexcept {
  const Worker* worker = Worker::current();
  return worker == nullptr ? nullptr : &worker->scheduler();
}

void Scheduler::run(const Closure& first) {
  PARLEY_ASSERT(Worker::current() == nullptr, "this thread already runs a Runtime");
  std::vector<Stack> stack;
  stacks_.take(stack_class_of(options_.stack_size), 1, stack);
  PARLEY_ASSERT(!stack.empty(), "no memory for the stack of the first fiber");
  room_.fetch_sub(1, std::memory_order_seq_cst);
  Fiber* fiber = Fiber::create(stack.front(), "main", first);
  fiber->scheduler = this;
  fiber->id.store(next_id_.fetch_add(1), std::memory_order_release);
  const DebuggerEntry in_debugger(*this, *fiber);
  const DumpOnSignal on_signal(*this, options_.dump_signal);
  background_->bind(*fiber);
  workers_[0]->find_own_stack();
  inject_all(std::span<Fiber* const>(&fiber, 1));

  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < worker_count_; ++i) {
    threads.emplace_back([this, i] {
      block_signals();
      ::pthread_setname_np(::pthread_self(), ("parley/" + std::to_string(i)).c_str());
      const FaultStack fault_stack;
      workers_[i]->find_own_stack();
      workers_[i]->run();
    });
  }
  // It goes by the machine's clock.
  if (!is_simulated()) monitor_.start();
  workers_[0]->run();
  for (std::thread& thread : threads) thread.join();
  monitor_.stop();
}

std::uint64_t Scheduler::seed() const { return is_simulated() ? simulation()->seed() : 0; }

void Scheduler::stop() {
  stopping_.store(true, std::memory_order_seq_cst);
  for (const auto& worker : workers_) worker->interrupt();
}

bool Scheduler::take_room(Worker& worker) {
  if (worker.room() > 0) {
    worker.set_room(worker.room() - 1);
    return true;
  }
  std::ptrdiff_t here = room_.load(std::memory_order_seq_cst);
  for (;;) {
    const std::ptrdiff_t taken = std::min(here, room_batch_);
    if (taken <= 0) return false;
    if (room_.compare_exchange_weak(here, here - taken, std::memory_order_seq_cst)) {
      worker.set_room(taken - 1);
      return true;
    }
  }
}

void Scheduler::give_room_back(Worker& worker) {
  worker.set_room(worker.room() + 1);
  const bool somebody_waits = room_waiter_count_.load(std::memory_order_seq_cst) > 0;
  if (worker.room() < 2 * room_batch_ && room_batch_ > 1 && !somebody_waits) return;
  const std::ptrdiff_t given = somebody_waits ? worker.room() : worker.room() - room_batch_ + 1;
  worker.set_room(worker.room() - given);
  room_.fetch_add(given, std::memory_order_seq_cst);
}

bool Scheduler::return_all_room(Worker& worker) {
  std::ptrdiff_t given = worker.room();
  if (given <= 0) return false;
  worker.set_room(0);
  room_.fetch_add(given, std::memory_order_seq_cst);
  for (; given > 0; --given) {
    std::unique_lock lock(room_lock_);
    WaitNode* node = claim_front(room_waiters_);
    lock.unlock();
    if (node == nullptr) break;
    wake(*node);
  }
  return true;
}

std::size_t Scheduler::live() const noexcept {
  std::ptrdiff_t room = room_.load(std::memory_order_seq_cst);
  for (const auto& worker : workers_) room += worker->room();
  return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(max_fibers_) - room);
}

void Scheduler::wait_for_room() {
  PARLEY_ASSERT(max_fibers_ > 1, "no room for a second fiber: max_fibers is 1");
  // Counted before the last look, so that the fiber that makes room sees one of the two.
  room_waiter_count_.fetch_add(1, std::memory_order_seq_cst);
  // Other workers keep some at hand, those that rest as well; now they give it back.
  const Worker* here = Worker::current();
  for (const auto& worker : workers_) {
    if (worker.get() != here) worker->interrupt();
  }
  std::unique_lock lock(room_lock_);
  if (room_.load(std::memory_order_seq_cst) <= 0) {
    WaitNode node;
    wait_in_for_ever(lock, room_waiters_, node, "max_fibers");
  } else {
    // There is room, but no memory for a stack perhaps: who has some may end meanwhile.
    lock.unlock();
    yield();
  }
  room_waiter_count_.fetch_sub(1, std::memory_order_seq_cst);
}

void Scheduler::stop_if_all_ended() {
  RealAtomics::full_fence();
  if (live() == 0) stop();
}

void Scheduler::main_ended() {
  main_ended_.store(true, std::memory_order_seq_cst);
  stop_if_all_ended();
}

void Scheduler::fiber_ended(Worker& worker) {
  give_room_back(worker);
  if (main_ended_.load(std::memory_order_relaxed)) stop_if_all_ended();
  if (room_waiter_count_.load(std::memory_order_relaxed) == 0) return;
  std::unique_lock lock(room_lock_);
  WaitNode* node = claim_front(room_waiters_);
  lock.unlock();
  if (node != nullptr) wake(*node);
}

bool Scheduler::try_spawn(Worker& worker, const Birth& birth, Place place) {
  if (!take_room(worker)) return false;
  const std::size_t size = birth.stack_size == 0 ? options_.stack_size : birth.stack_size;
  const Stack stack = worker.stacks().take(stack_class_of(size));
  if (stack.bottom == nullptr) {
    give_room_back(worker);
    return false;
  }
  launch(worker, stack, birth, place);
  return true;
}

void Scheduler::spawn_over_limit(const Birth& birth) {
  Worker& worker = *Worker::current();
  if (!take_room(worker)) room_.fetch_sub(1, std::memory_order_seq_cst);
  const Stack stack = worker.stacks().take(stack_class_of(options_.stack_size));
  PARLEY_ASSERT(stack.bottom != nullptr, "no memory for the stack of a fiber that a timer starts");
  // Timers that are due together: in their order.
  launch(worker, stack, birth, Place::last);
}

void Scheduler::launch(Worker& worker, const Stack& stack, const Birth& birth, Place place) {
  Fiber* fiber = Fiber::create(stack, birth.name, birth.closure);
  fiber->scheduler = this;
  fiber->scope = &birth.scope;
  worker.counts().started.add();
  fiber->id.store(worker.next_id(), std::memory_order_release);
  birth.scope.adopt(*fiber);
  worker.enqueue(*fiber, place);
}

void Scheduler::inject(Fiber& fiber) {
  // A worker hands over to itself.
  PARLEY_ASSERT(!is_simulated(),
                "a thread outside a simulation woke one of its fibers: no seed decides when");
  Fiber* const one = &fiber;
  inject_all({&one, 1});
}

void Scheduler::inject_all(std::span<Fiber* const> fibers) {
  {
    const std::lock_guard lock(queue_lock_);
    for (Fiber* fiber : fibers) {
      fiber->queue_next = nullptr;
      (queue_last_ == nullptr ? queue_first_ : queue_last_->queue_next) = fiber;
      queue_last_ = fiber;
    }
    injected_count_.fetch_add(fibers.size(), std::memory_order_seq_cst);
  }
  wake_resting();
}

Fiber* Scheduler::take(Worker& worker) {
  if (injected_count_.load(std::memory_order_relaxed) == 0) return nullptr;
  const std::lock_guard lock(queue_lock_);
  if (force_migration) return take_migrant(worker);
  const std::size_t here = injected_count_.load(std::memory_order_relaxed);
  // A fair share, and no more than half a ring, which is empty or nearly so.
  const std::size_t share = std::min<std::size_t>(here / worker_count_ + 1, 128);
  Fiber* first = nullptr;
  std::size_t taken = 0;
  for (; taken < share && queue_first_ != nullptr; ++taken) {
    Fiber* fiber = std::exchange(queue_first_, queue_first_->queue_next);
    if (queue_first_ == nullptr) queue_last_ = nullptr;
    if (first == nullptr) {
      first = fiber;
    } else if (!worker.accept(*fiber)) {
      fiber->queue_next = queue_first_;
      queue_first_ = fiber;
      if (queue_last_ == nullptr) queue_last_ = fiber;
      break;
    }
  }
  injected_count_.fetch_sub(taken, std::memory_order_seq_cst);
  return first;
}

// For tests: the first fiber that ran on another worker last. One that has waited for that in vain
// is taken by whoever comes.
Fiber* Scheduler::take_migrant(Worker& worker) {
  Fiber* before = nullptr;
  for (Fiber* fiber = queue_first_; fiber != nullptr; before = fiber, fiber = fiber->queue_next) {
    constexpr unsigned patience = 20'000;
    if (worker_count_ > 1 && fiber->last_worker == &worker && ++fiber->passed_over < patience) {
      wake_resting();
      continue;
    }
    fiber->passed_over = 0;
    (before == nullptr ? queue_first_ : before->queue_next) = fiber->queue_next;
    if (queue_last_ == fiber) queue_last_ = before;
    injected_count_.fetch_sub(1, std::memory_order_seq_cst);
    return fiber;
  }
  return nullptr;
}

void Scheduler::begin_rest(std::size_t worker) { resting_.add(worker); }

void Scheduler::end_rest(std::size_t worker) {
  resting_.end_rest(worker);
  monitor_.worker_woke();
}

void Scheduler::wake_resting() {
  const std::size_t index = resting_.take_any();
  if (index != max_workers) workers_[index]->interrupt();
}

void Scheduler::wake_thief() {
  const std::size_t index = resting_.call_thief();
  if (index != max_workers) workers_[index]->interrupt();
}

void Scheduler::keep(std::vector<observe::Reading> readings) {
  const std::lock_guard lock(readings_lock_);
  for (observe::Reading& reading : readings) readings_.push_back(std::move(reading));
}

bool Scheduler::all_at_rest() const { return resting_.count() == worker_count_; }

bool Scheduler::nothing_can_wake() {
  return all_at_rest() && !has_injected() && !is_stopping() && poll_table_.size() == 0 &&
         blocking_.counts().unfinished == 0 &&
         std::ranges::all_of(workers_, [](const auto& worker) {
           return worker->backlog() == 0 && worker->timers().next() == Instant::max();
         });
}

bool Scheduler::any_held() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->is_held(); });
}

}  // namespace parley::rt::impl
