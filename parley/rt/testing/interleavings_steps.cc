// What a step of a thread does.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "parley/base/assert.h"
#include "parley/rt/testing/interleavings_search.h"

namespace parley::rt::testing {
namespace {

// Later runs go nowhere new.
constexpr std::uint64_t runs_with_sites = 200;

bool is_order(const Access& access) {
  return access.operation == Operation::fence || access.operation == Operation::heavy_fence;
}

// "claim_from" of "bool ns::BasicParkWord<Atomics>::claim_from(State, bool) [with ...]".
std::string short_name(const std::string& whole) {
  // Clang writes (anonymous namespace), g++ {anonymous}.
  static const std::string unnamed = "(anonymous namespace)";
  std::string named = whole;
  for (auto at = named.find(unnamed); at != std::string::npos; at = named.find(unnamed)) {
    named.erase(at, unnamed.size());
  }
  std::string_view function = named;
  function = function.substr(0, function.find('('));
  while (function.ends_with('>')) function = function.substr(0, function.rfind('<'));
  const auto colon = function.rfind(':');
  if (colon != std::string_view::npos) function.remove_prefix(colon + 1);
  const auto space = function.rfind(' ');
  if (space != std::string_view::npos) function.remove_prefix(space + 1);
  return std::string(function);
}

std::string_view file_of(const std::source_location& where) {
  const std::string_view file = where.file_name();
  return file.substr(file.rfind('/') + 1);
}

Search& in_search() {
  PARLEY_ASSERT(searching != nullptr, "a Checked variable is used outside explore()");
  return *searching;
}

}  // namespace

bool depend(const Access& a, const Access& b) {
  if (a.place != 0 && a.place == b.place) return a.writes || b.writes;
  if (is_order(a)) return is_order(b) || b.seq_cst || (b.operation == Operation::light_fence);
  if (is_order(b)) return a.seq_cst || (a.operation == Operation::light_fence);
  return false;
}

// The thread stops before its next step, until it is its turn.
void Search::reach(const Access& access, const char* what, std::memory_order order,
                   std::source_location where) {
  if (current_ != 0) {
    threads_[current_]->next = access;
    threads_[current_]->next_where = where;
    switch_back();
    Step& step = steps_.back();
    step.what = what;
    step.memory_order = order;
    step.where = where;
  }
  memory_.tick(current_);
  if (access.place != 0) judge(memory_.touch(current_, access.place, where));
}

void Search::done(std::uint64_t bits, std::size_t index) {
  if (current_ != 0) {
    steps_.back().bits = bits;
    steps_.back().index = index;
  }
  memory_.tick(current_);
}

void Search::note_site(std::source_location where, const char* operation, std::memory_order order) {
  if (runs_ > runs_with_sites || order == std::memory_order_relaxed) return;
  sites_.insert({std::string(file_of(where)), where.line(), where.column(),
                 short_name(where.function_name()), operation, order});
}

bool Search::is_left_out(std::source_location where, const char* operation) {
  if (!options_.weakening) return false;
  const OrderedSite& at = options_.weakening->at;
  return at.line == where.line() && at.column == where.column() && at.operation == operation &&
         at.file == file_of(where);
}

std::memory_order Search::order_at(std::source_location where, const char* operation,
                                   std::memory_order order) {
  note_site(where, operation, order);
  return is_left_out(where, operation) ? options_.weakening->to : order;
}

// Which of so many values a load reads; `options` when it is the one in `future`.
std::size_t Search::choose_value(std::size_t options, bool may_be_future, std::uint64_t& future) {
  if (given_) {
    const Decision decision = given_->at(decisions_.size());
    decisions_.push_back(decision);
    future = decision.value;
    return decision.kind == 'f' ? options : static_cast<std::size_t>(decision.value);
  }
  std::size_t chosen = 0;
  if (!covered_ && (options > 1 || may_be_future)) {
    if (at_ == nodes_.size()) nodes_.emplace_back().options = options;
    const Node& node = nodes_[at_++];
    PARLEY_ASSERT(!node.of_threads && node.options == options,
                  "a run did not go as before: what it depends on must be made in the test");
    chosen = node.chosen;
    if (chosen >= options) {
      future = node.future[chosen - options];
      decisions_.push_back({'f', future});
      return options;
    }
  }
  decisions_.push_back({'v', chosen});
  return chosen;
}

std::uint64_t Search::load(InterleavedMemory::Place place, std::memory_order order,
                           std::source_location where) {
  order = order_at(where, "load", order);
  const bool seq_cst = order == std::memory_order_seq_cst;
  reach({Operation::load, place, false, seq_cst}, "load", order, where);
  if (current_ == 0) return memory_.load_last(0, place, order);
  Thread& self = *threads_[current_];
  const std::size_t stores = memory_.stores(place);
  const std::size_t oldest =
      std::max(memory_.oldest(current_, place, seq_cst), std::exchange(self.covered_below, 0));
  steps_.back().oldest = oldest;
  std::vector<std::size_t> candidates;
  for (std::size_t i = stores; i-- > oldest;) {
    if (!memory_.is_worn(current_, place, i, options_.stale_reads)) candidates.push_back(i);
  }
  const bool may_be_future =
      options_.future_reads && order == std::memory_order_relaxed && !promise_ && !covered_;
  std::uint64_t future = 0;
  const std::uint32_t when = memory_.known_to(current_).before.of[current_];
  const std::size_t chosen = choose_value(candidates.size(), may_be_future, future);
  if (promise_ && promise_->thread == current_ && promise_->place == place && !promise_->kept) {
    promise_->broken = true;
  }
  if (chosen == candidates.size()) {
    promise_ = Promise{current_, place, future, when};
    done(future, stores - 1);
    steps_.back().what = "load of what is stored later";
    return future;
  }
  if (may_be_future) loads_.push_back({current_, place, when, at_ - 1});
  const std::size_t index = candidates[chosen];
  const std::uint64_t bits = memory_.load(current_, place, index, order);
  self.reads.push_back({place, index});
  if (index + 1 < stores) steps_.back().what = "load of an older value";
  done(bits, index);
  return bits;
}

void Search::offer_to_earlier_loads(InterleavedMemory::Place place, std::uint64_t bits) {
  if (current_ == 0) return;
  const VectorClock& before = memory_.known_to(current_).before;
  if (promise_ && promise_->place == place) {
    const bool mine = promise_->thread == current_;
    if (mine && !promise_->kept) promise_->broken = true;
    if (!mine && promise_->bits == bits && promise_->when > before.of[promise_->thread]) {
      promise_->kept = true;
    }
  }
  if (promise_ || covered_) return;
  for (const RelaxedLoad& load : loads_) {
    if (load.place != place || load.thread == current_) continue;
    if (load.when <= before.of[load.thread]) continue;
    auto& future = nodes_[load.node].future;
    if (std::find(future.begin(), future.end(), bits) == future.end()) future.push_back(bits);
  }
}

void Search::store(InterleavedMemory::Place place, std::uint64_t bits, std::memory_order order,
                   std::source_location where) {
  order = order_at(where, "store", order);
  reach({Operation::store, place, true, order == std::memory_order_seq_cst}, "store", order, where);
  offer_to_earlier_loads(place, bits);
  if (current_ != 0) threads_[current_]->reads.clear();
  memory_.store(current_, place, bits, order, false);
  done(bits, memory_.stores(place) - 1);
}

std::uint64_t Search::read_modify_write(InterleavedMemory::Place place,
                                        const interleaved::Exchange& how,
                                        const interleaved::Change& change,
                                        std::source_location where) {
  const std::memory_order order = order_at(where, how.operation, how.success);
  const bool seq_cst = order == std::memory_order_seq_cst;
  reach({Operation::read_modify_write, place, true, seq_cst}, how.operation, order, where);
  const std::size_t last = memory_.stores(place) - 1;
  const std::uint64_t was = memory_.store_at(place, last).bits;
  bool fails = false;
  if (current_ != 0) {
    threads_[current_]->reads.push_back({place, last});
    std::uint64_t none = 0;
    if (how.may_fail_spuriously && spurious_ < options_.spurious_failures) {
      fails = choose_value(2, false, none) == 1;
      if (fails) ++spurious_;
    }
  }
  std::optional<std::uint64_t> next;
  if (!fails) next = change(was);
  if (!next) {
    (void)memory_.load_last(current_, place, how.failure);
    if (current_ != 0) {
      steps_.back().access.writes = false;
      steps_.back().what = "compare_exchange fails";
    }
    done(was, last);
    return was;
  }
  (void)memory_.load_last(current_, place, order);
  offer_to_earlier_loads(place, *next);
  memory_.store(current_, place, *next, order, true);
  if (current_ != 0) threads_[current_]->reads = {{place, last + 1}};
  done(*next, last + 1);
  return was;
}

void Search::fence(Operation operation, std::source_location where) {
  const char* name = operation == Operation::fence         ? "full_fence"
                     : operation == Operation::light_fence ? "light_fence"
                                                           : "heavy_fence";
  note_site(where, name, std::memory_order_seq_cst);
  if (is_left_out(where, name)) return;
  reach({operation}, name, std::memory_order_seq_cst, where);
  if (operation == Operation::fence) memory_.fence(current_, std::memory_order_seq_cst);
  if (operation == Operation::light_fence) memory_.light_fence(current_);
  if (operation == Operation::heavy_fence) memory_.heavy_fence(current_);
  done(0, 0);
}

void Search::lock(InterleavedMemory::Place place, std::source_location where) {
  reach({Operation::lock, place, true}, "lock", std::memory_order_acquire, where);
  memory_.lock(current_, place);
  done(0, 0);
}

void Search::unlock(InterleavedMemory::Place place, std::source_location where) {
  reach({Operation::unlock, place, true}, "unlock", std::memory_order_release, where);
  memory_.unlock(current_, place);
  done(0, 0);
}

// There is no use in another round before there is something new to read.
void Search::relax() {
  Thread& self = *threads_[current_];
  self.waits_for = std::exchange(self.reads, {});
  PARLEY_ASSERT(current_ != 0, "the test itself would wait for ever: its threads are not running");
}

void Search::set_lone() { threads_[current_]->lone = true; }

bool Search::is_lone() const { return threads_[current_]->lone; }

void require(bool ok, const char* what, std::source_location where) {
  if (!ok) in_search().judge(place_name(where) + ": " + what);
}

namespace interleaved {

Place add_atomic(std::uint64_t bits) {
  return in_search().memory().add(in_search().thread(), bits);
}
void remove_atomic(Place place, Where where) {
  Search& search = in_search();
  if (search.is_over()) return;
  search.judge(search.memory().remove(search.thread(), place, where));
}
std::uint64_t load(Place place, std::memory_order order, Where where) {
  return in_search().load(place, order, where);
}
void store(Place place, std::uint64_t bits, std::memory_order order, Where where) {
  in_search().store(place, bits, order, where);
}
std::uint64_t read_modify_write(Place place, const Exchange& how, const Change& change,
                                Where where) {
  return in_search().read_modify_write(place, how, change, where);
}
void fence(Where where) { in_search().fence(Operation::fence, where); }
void light_fence(Where where) { in_search().fence(Operation::light_fence, where); }
void heavy_fence(Where where) { in_search().fence(Operation::heavy_fence, where); }
void relax() { in_search().relax(); }
std::size_t thread() { return in_search().thread(); }
void become_lone() { in_search().set_lone(); }
bool is_lone() { return in_search().is_lone(); }
void lock(Place place, Where where) { in_search().lock(place, where); }
void unlock(Place place, Where where) { in_search().unlock(place, where); }
Place add_cell(Where where) { return in_search().memory().add_cell(in_search().thread(), where); }
void read_cell(Place place, Where where) {
  Search& search = in_search();
  search.judge(search.memory().read_cell(search.thread(), place, where));
}
void write_cell(Place place, Where where, bool ends) {
  Search& search = in_search();
  if (ends && search.is_over()) return;
  search.judge(search.memory().write_cell(search.thread(), place, where, ends));
}

}  // namespace interleaved

}  // namespace parley::rt::testing
