// The search behind interleavings.h: its threads, its steps, and the choices that lead to the next
// run. For interleavings.cc and interleavings_steps.cc alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "parley/rt/impl/switch.h"
#include "parley/rt/testing/interleavings.h"

namespace parley::rt::testing {

enum class Operation : std::uint8_t {
  none,
  load,
  store,
  read_modify_write,
  fence,
  light_fence,
  heavy_fence,
  lock,
  unlock,
};

struct Access {
  Operation operation = Operation::none;
  InterleavedMemory::Place place = 0;
  bool writes = false;
  bool seq_cst = false;
};

// Whether it matters which of the two comes first.
[[nodiscard]] bool depend(const Access& a, const Access& b);

// One step of a run.
struct Step {
  std::size_t thread = 0;
  Access access;
  VectorClock order;  // the steps that had to come before it, and itself
  std::optional<std::size_t> node;
  std::size_t oldest = 0;  // of a load: what it might have read
  std::size_t index = 0;   // what it read, or the store it made

  // For the trace.
  const char* what = "";
  std::memory_order memory_order = std::memory_order_relaxed;
  std::uint64_t bits = 0;
  std::source_location where;
};

using ThreadSet = std::uint32_t;

// A choice of a run: of the next thread, or of what a load reads.
struct Node {
  bool of_threads = false;
  std::size_t chosen = 0;
  // Of threads.
  ThreadSet enabled = 0;
  ThreadSet asleep = 0;
  ThreadSet wanted = 0;
  ThreadSet done = 0;
  std::size_t last_thread = 0;
  unsigned preemptions = 0;
  // Of values: those that are there, and those that come later.
  std::size_t options = 0;
  std::vector<std::uint64_t> future;
};

class Search {
 public:
  Search(const InterleavingOptions& options, const InterleavedTest& test);
  ~Search();
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;

  InterleavingReport explore();
  InterleavingReport replay(std::string_view schedule);

  // By the Checked types (interleavings_steps.cc).
  std::uint64_t load(InterleavedMemory::Place place, std::memory_order order,
                     std::source_location where);
  void store(InterleavedMemory::Place place, std::uint64_t bits, std::memory_order order,
             std::source_location where);
  std::uint64_t read_modify_write(InterleavedMemory::Place place, const interleaved::Exchange& how,
                                  const interleaved::Change& change, std::source_location where);
  void fence(Operation operation, std::source_location where);
  void lock(InterleavedMemory::Place place, std::source_location where);
  void unlock(InterleavedMemory::Place place, std::source_location where);
  void relax();
  void set_lone();
  [[nodiscard]] bool is_lone() const;
  void judge(const std::string& complaint);  // ends the run unless it is empty
  [[nodiscard]] InterleavedMemory& memory() { return memory_; }
  [[nodiscard]] std::size_t thread() const { return current_; }
  [[nodiscard]] bool is_over() const { return over_; }

 private:
  struct Read {
    InterleavedMemory::Place place = 0;
    std::size_t index = 0;
  };
  struct Thread;
  struct RelaxedLoad {
    std::size_t thread = 0;
    InterleavedMemory::Place place = 0;
    std::uint32_t when = 0;
    std::size_t node = 0;
  };
  // A load read what was to be stored later.
  struct Promise {
    std::size_t thread = 0;
    InterleavedMemory::Place place = 0;
    std::uint64_t bits = 0;
    std::uint32_t when = 0;
    bool kept = false;
    bool broken = false;
  };
  struct Decision {
    char kind = 't';
    std::uint64_t value = 0;
  };

  // Runs (interleavings.cc).
  void run();
  void run_threads(Interleaving& run);
  void end_with(const std::string& complaint);
  void begin_threads(Interleaving& run);
  [[nodiscard]] ThreadSet enabled() const;
  [[nodiscard]] std::string who_waits() const;
  std::optional<std::size_t> pick(ThreadSet enabled);
  std::optional<std::size_t> pick_new(ThreadSet enabled);
  void perform(std::size_t thread);
  void relate(std::size_t step);
  void want(std::size_t first, std::size_t second);
  void let_others_know(const Step& step);
  bool advance();
  bool next_thread(Node& node);
  void switch_to(std::size_t thread);
  void switch_back();
  static LastOfStack enter(void* search);
  static void live(void* search);
  [[nodiscard]] InterleavingReport report(bool complete) const;
  [[nodiscard]] std::string trace() const;
  [[nodiscard]] std::string schedule() const;

  // Steps (interleavings_steps.cc).
  void reach(const Access& access, const char* what, std::memory_order order,
             std::source_location where);
  std::memory_order order_at(std::source_location where, const char* operation,
                             std::memory_order order);
  bool is_left_out(std::source_location where, const char* operation);
  void note_site(std::source_location where, const char* operation, std::memory_order order);
  std::size_t choose_value(std::size_t options, bool may_be_future, std::uint64_t& future);
  void offer_to_earlier_loads(InterleavedMemory::Place place, std::uint64_t bits);
  void done(std::uint64_t bits, std::size_t index);

  const InterleavingOptions& options_;
  const InterleavedTest& test_;
  std::unique_ptr<char[]> room_;  // for the objects of a run
  InterleavedMemory memory_;
  std::vector<std::unique_ptr<Thread>> threads_;  // the first stands for the test itself
  std::size_t begun_ = 0;                         // how many of them this run has
  std::size_t current_ = 0;

  std::vector<Node> nodes_;
  std::size_t at_ = 0;    // the next of them
  bool covered_ = false;  // by another run: the rest of this one is not searched
  std::vector<Step> steps_;
  std::vector<RelaxedLoad> loads_;
  std::optional<Promise> promise_;
  unsigned spurious_ = 0;
  unsigned preemptions_ = 0;
  std::size_t last_ = 0;
  std::vector<Decision> decisions_;
  std::optional<std::vector<Decision>> given_;  // to be run again
  bool over_ = false;
  std::string failure_;
  const void* own_stack_ = nullptr;  // of who called explore()
  std::size_t own_stack_size_ = 0;

  std::uint64_t runs_ = 0;
  bool bounded_ = false;
  std::set<OrderedSite> sites_;
};

struct Search::Thread {
  std::string name;
  std::function<void()> body;
  bool ended = true;
  bool lone = false;
  Access next;
  std::source_location next_where;
  VectorClock order;
  std::vector<Read> reads;        // since it last relaxed
  std::vector<Read> waits_for;    // a newer store to one of these
  bool asleep = false;            // what it would do now was covered
  std::size_t covered_below = 0;  // its load has covered reading older stores than this

  std::unique_ptr<char[]> stack;
  void* stack_pointer = nullptr;
  void* fake_stack = nullptr;
  void* tsan_fiber = nullptr;
};

// The search that is under way.
extern Search* searching;

}  // namespace parley::rt::testing
