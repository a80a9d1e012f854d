// Histogram: how values spread: how many fell below each bound, how many in all, and their sum.
//
// Any thread and any fiber, at the same time; nothing here waits, locks or allocates. Counts are
// spread over cache lines, one group per CPU, as a Counter's are.
//
//   Histogram& took = *registry.histogram({.name = "call_seconds", .help = "...",
//                                          .unit = "seconds"}, Bounds::latency()).value();
//   took.observe(clock.now() - began);
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "parley/base/clock.h"
#include "parley/observe/bounds.h"
#include "parley/observe/impl/shard.h"
#include "parley/observe/trace_id.h"

namespace parley::observe {

// One value that was seen, and the trace in which it was: the way from a slow bucket to a cause.
struct Exemplar {
  double value = 0;
  TraceId trace;

  friend bool operator==(const Exemplar&, const Exemplar&) noexcept = default;
};

class Histogram {
 public:
  // Registry::histogram() makes those that are to be seen.
  explicit Histogram(Bounds bounds);

  // Counts `value`, in O(log buckets). A value that is negative or not finite cannot be summed: it
  // is left out and counted by refused().
  void observe(double value) noexcept;
  // The same in seconds, whatever the unit the duration was counted in.
  void observe(Duration value) noexcept { observe(seconds(value)); }
  // The same, and the bucket's exemplar is now this one. While another thread writes the same
  // exemplar, that one wins. A trace id that is not valid leaves the exemplar as it was.
  void observe(double value, const TraceId& trace) noexcept;
  void observe(Duration value, const TraceId& trace) noexcept { observe(seconds(value), trace); }

  struct Reading {
    // Values in each bucket alone, in the order of the bounds; the last one is +Inf's.
    std::vector<std::uint64_t> buckets;
    std::vector<std::optional<Exemplar>> exemplars;  // of the same buckets
    std::uint64_t count = 0;                         // all buckets together
    double sum = 0;
  };
  // What was counted. `count` always fits the buckets; the sum may lack, or already hold, values
  // that other threads observe meanwhile.
  [[nodiscard]] Reading read() const;

  // Values that could not be counted.
  [[nodiscard]] std::uint64_t refused() const noexcept {
    return refused_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] const Bounds& bounds() const noexcept { return bounds_; }

 private:
  using Word = std::atomic<std::uint64_t>;
  static constexpr std::size_t words_per_line = impl::cache_line / sizeof(Word);
  struct alignas(impl::cache_line) Line {
    std::array<Word, words_per_line> words{};
  };
  // A sequence lock: odd while a writer is in it.
  struct Slot {
    Word sequence{0};
    Word value{0};
    Word high{0};
    Word low{0};
  };

  static double seconds(Duration value) noexcept {
    return std::chrono::duration<double>(value).count();
  }
  bool count(double value, std::size_t bucket) noexcept;
  [[nodiscard]] Word& word(std::size_t shard, std::size_t index) const noexcept;
  static void remember(Slot& slot, double value, const TraceId& trace) noexcept;
  static std::optional<Exemplar> recall(const Slot& slot) noexcept;

  Bounds bounds_;
  std::size_t shard_count_;
  std::size_t lines_per_shard_;
  // A shard is its sum, as the bits of a double, then a count for each bucket.
  std::unique_ptr<Line[]> lines_;
  std::unique_ptr<Slot[]> slots_;
  Word refused_{0};
};

}  // namespace parley::observe
