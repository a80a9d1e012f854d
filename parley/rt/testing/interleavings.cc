#include "parley/rt/testing/interleavings.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "parley/base/assert.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/impl/switch.h"
#include "parley/rt/testing/interleavings_search.h"

namespace parley::rt::testing {

Search* searching = nullptr;

namespace {

// Of a run that fails, the last ones.
constexpr std::size_t most_steps_told = 150;
constexpr std::size_t most_schedule_told = 2'000;
constexpr std::size_t room_bytes = std::size_t{64} * 1024;
constexpr std::size_t stack_bytes = std::size_t{128} * 1024;

constexpr ThreadSet one(std::size_t thread) { return ThreadSet{1} << thread; }
constexpr bool has(ThreadSet set, std::size_t thread) { return (set & one(thread)) != 0; }
std::size_t lowest(ThreadSet set) { return static_cast<std::size_t>(__builtin_ctz(set)); }

// What a run that failed left behind is never destroyed; kept here, it is not lost.
std::vector<std::unique_ptr<char[]>>& abandoned() {
  // Nor is this: leaks are looked for when the program has ended.
  static auto& memory = *new std::vector<std::unique_ptr<char[]>>;
  return memory;
}

const char* name_of(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_consume:
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    case std::memory_order_acq_rel:
      return "acq_rel";
    case std::memory_order_seq_cst:
      break;
  }
  return "seq_cst";
}

}  // namespace

Interleaving::~Interleaving() {
  for (; !objects_.empty(); objects_.pop_back()) objects_.back().destroy(objects_.back().at);
}

void* Interleaving::allocate(std::size_t size, std::size_t alignment) {
  void* at = room_.data();
  std::size_t left = room_.size();
  PARLEY_ASSERT(std::align(alignment, size, at, left) != nullptr,
                "the objects of a run take more than room_bytes");
  room_ = room_.last(left - size);
  return at;
}

void Interleaving::go(std::string_view name, std::function<void()> body) {
  PARLEY_ASSERT(bodies_.size() + 1 < most_interleaved, "more threads than most_interleaved");
  bodies_.push_back({std::string(name), std::move(body)});
}

Search::Search(const InterleavingOptions& options, const InterleavedTest& test)
    : options_(options), test_(test), room_(std::make_unique<char[]>(room_bytes)) {
  PARLEY_ASSERT(searching == nullptr, "explore() inside explore()");
  searching = this;
  threads_.push_back(std::make_unique<Thread>());
  threads_[0]->name = "test";
  threads_[0]->tsan_fiber = impl::tsan_current();
}

Search::~Search() {
  for (const auto& thread : threads_) {
    if (thread->stack == nullptr) continue;
    if (!thread->ended) abandoned().push_back(std::move(thread->stack));
    impl::tsan_destroy(thread->tsan_fiber);
  }
  if (!failure_.empty()) abandoned().push_back(std::move(room_));
  searching = nullptr;
}

// Switching.

void Search::switch_to(std::size_t thread) {
  Thread& test = *threads_[0];
  const Thread& next = *threads_[thread];
  current_ = thread;
  impl::asan_leave(&test.fake_stack, next.stack.get(), stack_bytes);
  impl::tsan_switch(next.tsan_fiber);
  parley_rt_switch(&test.stack_pointer, next.stack_pointer, nullptr);
  impl::asan_arrive(test.fake_stack);
  current_ = 0;
}

void Search::switch_back() {
  Thread& self = *threads_[current_];
  impl::asan_leave(&self.fake_stack, own_stack_, own_stack_size_);
  impl::tsan_switch(threads_[0]->tsan_fiber);
  parley_rt_switch(&self.stack_pointer, threads_[0]->stack_pointer, nullptr);
  impl::asan_arrive(self.fake_stack, &own_stack_, &own_stack_size_);
}

LastOfStack Search::enter(void* argument) {
  auto& search = *static_cast<Search*>(argument);
  impl::asan_arrive(nullptr, &search.own_stack_, &search.own_stack_size_);
  return &live;
}

void Search::live(void* argument) {
  auto& search = *static_cast<Search*>(argument);
  for (;;) {
    Thread& self = *search.threads_[search.current_];
    self.body();
    self.ended = true;
    search.switch_back();
  }
}

void Search::judge(const std::string& complaint) {
  if (complaint.empty() || over_) return;
  if (failure_.empty()) failure_ = complaint;
  // It counts if what was read is stored yet.
  if (promise_ && !promise_->kept) return;
  over_ = true;
  // The thread goes no further.
  if (current_ != 0) switch_back();
}

void Search::end_with(const std::string& complaint) {
  if (failure_.empty()) failure_ = complaint;
  over_ = true;
}

// One run.

void Search::begin_threads(Interleaving& run) {
  begun_ = run.bodies_.size() + 1;
  for (std::size_t i = 1; i < begun_; ++i) {
    if (i == threads_.size()) threads_.push_back(std::make_unique<Thread>());
    Thread& thread = *threads_[i];
    if (thread.stack == nullptr || !thread.ended) {
      if (thread.stack == nullptr) {
        thread.stack = std::make_unique_for_overwrite<char[]>(stack_bytes);
        thread.tsan_fiber = impl::tsan_create();
      }
      impl::asan_clean_stack(thread.stack.get(), stack_bytes);
      thread.fake_stack = nullptr;
      thread.stack_pointer = impl::first_frame(thread.stack.get() + stack_bytes, &enter, this);
    }
    thread.name = std::move(run.bodies_[i - 1].name);
    thread.body = std::move(run.bodies_[i - 1].run);
    thread.ended = thread.lone = false;
    thread.next = {};
    thread.order = {};
    thread.reads.clear();
    thread.waits_for.clear();
    thread.asleep = false;
    thread.covered_below = 0;
    memory_.begin_thread(i);
  }
  // Up to the first step of each: what comes before touches nothing of the others.
  for (std::size_t i = 1; i < begun_ && !over_; ++i) switch_to(i);
}

ThreadSet Search::enabled() const {
  ThreadSet enabled = 0;
  for (std::size_t i = 1; i < begun_; ++i) {
    const Thread& thread = *threads_[i];
    if (thread.ended) continue;
    bool ready = thread.waits_for.empty();
    for (const Read& read : thread.waits_for) {
      ready = ready || memory_.stores(read.place) > read.index + 1;
    }
    if (thread.next.operation == Operation::lock && memory_.is_locked(thread.next.place)) {
      ready = false;
    }
    if (ready) enabled |= one(i);
  }
  return enabled;
}

std::string Search::who_waits() const {
  std::string text;
  for (std::size_t i = 1; i < begun_; ++i) {
    const Thread& thread = *threads_[i];
    if (thread.ended) continue;
    text += (text.empty() ? "" : ", ") + thread.name + " at " + place_name(thread.next_where);
  }
  return text;
}

void Search::run_threads(Interleaving& run) {
  begin_threads(run);
  while (!over_) {
    const ThreadSet ready = enabled();
    if (ready == 0) {
      const std::string waiting = who_waits();
      if (!waiting.empty()) end_with("nobody can go on: " + waiting);
      return;
    }
    if (steps_.size() >= options_.max_steps) {
      end_with("no end after " + std::to_string(steps_.size()) + " steps: " + who_waits());
      return;
    }
    if (const auto next = pick(ready)) perform(*next);
  }
}

void Search::run() {
  memory_.clear();
  steps_.clear();
  loads_.clear();
  decisions_.clear();
  promise_.reset();
  failure_.clear();
  at_ = 0;
  begun_ = 1;
  last_ = 0;
  spurious_ = preemptions_ = 0;
  covered_ = over_ = false;
  ++runs_;
  Interleaving run({reinterpret_cast<std::byte*>(room_.get()), room_bytes});
  test_(run);
  if (!over_) run_threads(run);
  if (!over_) {
    memory_.join_all();
    if (run.check_) run.check_();
  }
  over_ = true;
  // Nobody stored what was read: no processor would have done this.
  if (promise_ && (!promise_->kept || promise_->broken)) failure_.clear();
  if (!failure_.empty()) run.objects_.clear();
}

// Choosing.

std::optional<std::size_t> Search::pick(ThreadSet enabled) {
  if (given_) {
    PARLEY_ASSERT(decisions_.size() < given_->size(), "the schedule ends before the run");
    return static_cast<std::size_t>(given_->at(decisions_.size()).value);
  }
  if (covered_) return has(enabled, last_) ? last_ : lowest(enabled);
  if (at_ == nodes_.size()) return pick_new(enabled);
  const Node& node = nodes_[at_++];
  PARLEY_ASSERT(node.of_threads && node.enabled == enabled,
                "a run did not go as before: what it depends on must be made in the test");
  for (std::size_t i = 1; i < begun_; ++i) {
    if (has(node.done, i) && options_.reduction) threads_[i]->asleep = true;
  }
  return node.chosen;
}

// Goes on with the same thread where that is new. Nothing when all that could happen from here was
// covered: the run only has to be brought to its end then.
std::optional<std::size_t> Search::pick_new(ThreadSet enabled) {
  Node node;
  node.of_threads = true;
  node.enabled = enabled;
  node.last_thread = last_;
  node.preemptions = preemptions_;
  for (std::size_t i = 1; i < begun_; ++i) {
    if (threads_[i]->asleep) node.asleep |= one(i);
  }
  ThreadSet open = enabled & ~node.asleep;
  if (has(enabled, last_) && options_.max_preemptions &&
      preemptions_ >= *options_.max_preemptions) {
    open &= one(last_);
  }
  if (open == 0) {
    covered_ = true;
    return std::nullopt;
  }
  node.chosen = has(open, last_) ? last_ : lowest(open);
  node.wanted = options_.reduction ? one(node.chosen) : enabled;
  nodes_.push_back(std::move(node));
  ++at_;
  return nodes_.back().chosen;
}

bool Search::next_thread(Node& node) {
  node.done |= one(node.chosen);
  ThreadSet open = node.wanted & node.enabled & ~node.done & ~node.asleep;
  if (has(node.enabled, node.last_thread) && options_.max_preemptions &&
      node.preemptions >= *options_.max_preemptions) {
    bounded_ = bounded_ || (open & ~one(node.last_thread)) != 0;
    open &= one(node.last_thread);
  }
  if (open == 0) return false;
  node.chosen = lowest(open);
  return true;
}

// To the next run: the last choice that has something left.
bool Search::advance() {
  for (; !nodes_.empty(); nodes_.pop_back()) {
    Node& node = nodes_.back();
    if (node.of_threads) {
      if (next_thread(node)) return true;
    } else if (node.chosen + 1 < node.options + node.future.size()) {
      ++node.chosen;
      return true;
    }
  }
  return false;
}

void Search::perform(std::size_t thread) {
  Thread& self = *threads_[thread];
  if (last_ != thread && last_ != 0 && has(enabled(), last_)) ++preemptions_;
  last_ = thread;
  self.asleep = false;
  // A loop that looks at one thing only would do the same again if it read the same again.
  if (!self.waits_for.empty() && self.next.operation == Operation::load) {
    const Read& last = self.waits_for.back();
    const bool only =
        std::all_of(self.waits_for.begin(), self.waits_for.end(), [&](const Read& read) {
          return read.place == last.place && last.place == self.next.place;
        });
    if (only) self.covered_below = std::max(self.covered_below, last.index + 1);
  }
  self.waits_for.clear();
  Step& step = steps_.emplace_back();
  step.thread = thread;
  step.access = self.next;
  if (!covered_ && !given_) step.node = at_ - 1;
  decisions_.push_back({'t', thread});
  switch_to(thread);
  relate(steps_.size() - 1);
  let_others_know(steps_.back());
}

// What the last step came after; where it might have come first, that is to be tried.
void Search::relate(std::size_t number) {
  Step& step = steps_[number];
  Thread& self = *threads_[step.thread];
  VectorClock known = self.order;
  step.order = self.order;
  const bool is_load = step.access.operation == Operation::load;
  for (std::size_t i = number; i-- > 0;) {
    const Step& other = steps_[i];
    if (other.thread == step.thread || !depend(other.access, step.access)) continue;
    const bool same_place = step.access.place != 0 && step.access.place == other.access.place;
    if (step.access.operation == Operation::lock && other.access.operation == Operation::unlock) {
      step.order.join(other.order);  // the other way round it cannot be
      continue;
    }
    // It read what was there before, so it is as if it had come first.
    if (is_load && same_place && other.index > step.index) continue;
    const bool tried_by_value = is_load && same_place && other.index > step.oldest;
    if (!tried_by_value && other.order.of[other.thread] > known.of[other.thread] && other.node) {
      want(i, number);
    }
    known.join(other.order);
    step.order.join(other.order);
  }
  ++step.order.of[step.thread];
  self.order = step.order;
}

// Steps `first` and `second` might have come in the other order. What did not have to come after
// the first one can go before it, beginning with any thread whose step there had to wait for none
// of the others: one of those is to be tried, unless one was or will be. (The source sets of
// Abdulla and others, POPL 2014.)
void Search::want(std::size_t first, std::size_t second) {
  const Step& before = steps_[first];
  ThreadSet here = 0;
  ThreadSet beginning = 0;
  std::vector<const Step*> movable;
  for (std::size_t i = first + 1; i <= second; ++i) {
    const Step& step = steps_[i];
    if (i < second && step.order.of[before.thread] >= before.order.of[before.thread]) continue;
    if (!has(here, step.thread)) {
      const auto& order = i < second ? step.order : threads_[step.thread]->order;
      bool waits = false;
      for (const Step* other : movable) {
        waits = waits || order.of[other->thread] >= other->order.of[other->thread] ||
                (i == second && depend(other->access, step.access));
      }
      if (!waits) beginning |= one(step.thread);
    }
    here |= one(step.thread);
    movable.push_back(&step);
  }
  Node& node = nodes_[*before.node];
  if (((node.wanted | node.asleep) & beginning) != 0) return;
  const ThreadSet possible = beginning & node.enabled;
  node.wanted |= possible == 0 ? node.enabled : one(lowest(possible));
}

void Search::let_others_know(const Step& step) {
  for (std::size_t i = 1; i < begun_; ++i) {
    Thread& other = *threads_[i];
    if (i == step.thread || other.ended) continue;
    if (depend(step.access, other.next)) {
      // A load that was covered before this store has covered what it could read then.
      const bool newer = other.next.operation == Operation::load && !other.next.seq_cst &&
                         other.next.place == step.access.place;
      if (!newer) {
        other.covered_below = 0;
      } else if (other.asleep) {
        other.covered_below = step.index;
      }
      other.asleep = false;
    }
    bool was_ready = false;
    bool woken = false;
    for (const Read& read : other.waits_for) {
      const bool here = step.access.writes && read.place == step.access.place;
      const std::size_t newest = memory_.stores(read.place) - 1;
      was_ready = was_ready || (here ? step.index - 1 : newest) > read.index;
      woken = woken || (here && newest > read.index);
    }
    if (woken && !was_ready) other.order.join(step.order);
  }
}

// What came of it.

std::string Search::schedule() const {
  std::string text;
  for (const Decision& decision : decisions_) {
    text +=
        (text.empty() ? "" : " ") + std::string(1, decision.kind) + std::to_string(decision.value);
  }
  return text;
}

std::string Search::trace() const {
  std::string text;
  std::size_t number = 0;
  for (const Step& step : steps_) {
    ++number;
    if (number + most_steps_told < steps_.size()) continue;
    text += "\n  " + std::to_string(number) + "  " + threads_[step.thread]->name + "  " +
            place_name(step.where) + "  " + step.what + "(" + name_of(step.memory_order) + ")";
    if (step.access.place == 0) continue;
    text += " #" + std::to_string(step.access.place);
    text += (step.access.writes ? " := " : " -> ") + std::to_string(step.bits);
  }
  return text;
}

InterleavingReport Search::report(bool complete) const {
  InterleavingReport report;
  report.runs = runs_;
  report.complete = complete && !bounded_ && failure_.empty();
  report.sites.assign(sites_.begin(), sites_.end());
  if (!failure_.empty()) {
    report.schedule = schedule();
    report.failure = failure_ + "\nin run " + std::to_string(runs_) +
                     " (step, thread, where, what, on which atomic, its value):" + trace() +
                     "\nreplay: " +
                     (report.schedule.size() <= most_schedule_told
                          ? report.schedule
                          : "too long to be told here: see InterleavingReport::schedule");
  }
  return report;
}

InterleavingReport Search::explore() {
  while (runs_ < options_.max_runs) {
    run();
    if (!failure_.empty()) return report(false);
    if (!advance()) return report(true);
  }
  return report(false);
}

InterleavingReport Search::replay(std::string_view schedule) {
  auto& given = given_.emplace();
  while (!schedule.empty()) {
    const std::string_view word = schedule.substr(0, schedule.find(' '));
    Decision& decision = given.emplace_back();
    decision.kind = word.front();
    const auto read = std::from_chars(word.data() + 1, word.data() + word.size(), decision.value);
    PARLEY_ASSERT(read.ec == std::errc(), "a schedule is what a report gave");
    schedule.remove_prefix(std::min(schedule.size(), word.size() + 1));
  }
  run();
  return report(false);
}

InterleavingReport explore(const InterleavingOptions& options, const InterleavedTest& test) {
  return Search(options, test).explore();
}

InterleavingReport replay(const InterleavingOptions& options, std::string_view schedule,
                          const InterleavedTest& test) {
  return Search(options, test).replay(schedule);
}

}  // namespace parley::rt::testing
