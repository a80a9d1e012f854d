// Walks through every interleaving of a few threads that share atomics, and through everything
// each of their loads may read; so a test can run the shipped lock-free code, which is templated
// over its atomics, and not a model of it. For tests only.
//
//   const auto report = explore([](Interleaving& run) {  // see also checked_atomics.h
//     auto& ring = run.make<BasicRunRing<CheckedAtomics, Item, 4>>();
//     run.go("owner", [&] { (void)ring.push(&item); });
//     run.go("thief", [&] { (void)ring.steal(out); });
//     run.finally([&] { require(nothing_is_lost(), "an item was lost"); });
//   });
//   EXPECT_FALSE(report.failure) << *report.failure;
//
// It looks for: a require() that fails, a data race on a Checked variable, the use of what is
// destroyed, threads that wait for ever. The test function is called for each run, and all it
// depends on must be made in it; the threads are fibers of ours on the calling thread.
//
// How: depth first, by running again from the start; dynamic partial order reduction with sleep
// sets (Flanagan and Godefroid, POPL 2005), and a load that comes after a store reads what it would
// have read before it, too. What loads may read: interleavings_memory.h. Loops must say relax()
// where they wait; a thread that does then goes on when there is a newer store to something it has
// read.
//
// Its limits: most_interleaved; a thread that reads a store after there is a later one does so
// `stale_reads` times; loads that read what is stored later only with `future_reads`; a
// PARLEY_ASSERT that fails in the code under test ends the program.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/rt/testing/interleavings_memory.h"

namespace parley::rt::testing {

// A place in the code under test that asks for an order.
struct OrderedSite {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;
  std::string function;
  std::string operation;
  std::memory_order order = std::memory_order_seq_cst;

  [[nodiscard]] bool operator==(const OrderedSite&) const = default;
  [[nodiscard]] auto operator<=>(const OrderedSite&) const = default;
};

// Explores the code with another order at one place; a fence is left out.
struct Weakening {
  OrderedSite at;
  std::memory_order to = std::memory_order_relaxed;
};

struct InterleavingOptions {
  // Gives up after so many runs: the report is not complete then.
  std::uint64_t max_runs = 1'000'000;
  // Of one run; more are taken for a loop that never ends.
  std::size_t max_steps = 2'000;
  // Switches away from a thread that could go on, so many a run; nothing: any number. With it the
  // search finds mistakes but shows nothing: not complete either.
  std::optional<unsigned> max_preemptions;
  unsigned stale_reads = 2;
  // A relaxed load may read a store that is made later and that it does not happen before: what
  // processors do that let a store overtake a load. One such load a run.
  bool future_reads = false;
  // Of compare_exchange_weak, a run.
  unsigned spurious_failures = 0;
  // Without it every interleaving is run, also those that differ in nothing. For its own test.
  bool reduction = true;
  std::optional<Weakening> weakening;
};

struct InterleavingReport {
  std::optional<std::string> failure;  // with the run that led there, step by step
  std::string schedule;                // of that run, for replay()
  std::uint64_t runs = 0;
  bool complete = false;           // every interleaving was covered
  std::vector<OrderedSite> sites;  // every place that asks for more than relaxed
};

// One run.
class Interleaving {
 public:
  Interleaving(const Interleaving&) = delete;
  Interleaving& operator=(const Interleaving&) = delete;
  ~Interleaving();

  // An object that lives until the run is over; in each run at the same address, so that a pointer
  // is the same value.
  template <class T, class... Arguments>
  T& make(Arguments&&... arguments) {
    T* object = std::construct_at(static_cast<T*>(allocate(sizeof(T), alignof(T))),
                                  std::forward<Arguments>(arguments)...);
    objects_.push_back({object, [](void* at) { std::destroy_at(static_cast<T*>(at)); }});
    return *object;
  }
  // One more thread; it begins when the test function has returned.
  void go(std::string_view name, std::function<void()> body);
  // Called when all threads have ended, and knows all they did.
  void finally(std::function<void()> check) { check_ = std::move(check); }

 private:
  friend class Search;

  explicit Interleaving(std::span<std::byte> room) : room_(room) {}
  void* allocate(std::size_t size, std::size_t alignment);

  struct Object {
    void* at = nullptr;
    void (*destroy)(void* at) = nullptr;
  };
  struct Body {
    std::string name;
    std::function<void()> run;
  };

  std::vector<Body> bodies_;
  std::function<void()> check_;
  std::span<std::byte> room_;  // what is left
  std::vector<Object> objects_;
};

using InterleavedTest = std::function<void(Interleaving& run)>;

[[nodiscard]] InterleavingReport explore(const InterleavingOptions& options,
                                         const InterleavedTest& test);
[[nodiscard]] inline InterleavingReport explore(const InterleavedTest& test) {
  return explore(InterleavingOptions(), test);
}
// That one run again.
[[nodiscard]] InterleavingReport replay(const InterleavingOptions& options,
                                        std::string_view schedule, const InterleavedTest& test);

// The run fails here unless `ok`; `what` says what should have held.
void require(bool ok, const char* what,
             std::source_location where = std::source_location::current());

// What the types of checked_atomics.h are made of: steps of the thread that makes them.
namespace interleaved {

using Where = std::source_location;
using Place = InterleavedMemory::Place;

Place add_atomic(std::uint64_t bits);
void remove_atomic(Place place, Where where);
std::uint64_t load(Place place, std::memory_order order, Where where);
void store(Place place, std::uint64_t bits, std::memory_order order, Where where);
// Reads the last store, and makes another when `change` (of what was read) says which.
struct Exchange {
  const char* operation;
  std::memory_order success;
  std::memory_order failure;
  bool may_fail_spuriously;
};
using Change = std::function<std::optional<std::uint64_t>(std::uint64_t)>;
std::uint64_t read_modify_write(Place place, const Exchange& how, const Change& change,
                                Where where);
void fence(Where where);
void light_fence(Where where);
void heavy_fence(Where where);
void relax();
[[nodiscard]] std::size_t thread();
void become_lone();
[[nodiscard]] bool is_lone();
void lock(Place place, Where where);
void unlock(Place place, Where where);
Place add_cell(Where where);
void read_cell(Place place, Where where);
void write_cell(Place place, Where where, bool ends = false);

}  // namespace interleaved

}  // namespace parley::rt::testing
