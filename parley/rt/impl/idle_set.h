// RestingWorkers: which workers are at rest. Lock-free. Private to rt.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "parley/rt/impl/atomics.h"

namespace parley::rt::impl {

inline constexpr std::size_t max_workers = 256;

// Of at most `workers`.
template <class Atomics, std::size_t workers>
class BasicIdleSet {
 public:
  void add(std::size_t index) noexcept {
    words_[index / 64].fetch_or(bit(index), std::memory_order_seq_cst);
  }
  // False when it was not in here (any more).
  bool remove(std::size_t index) noexcept {
    return (words_[index / 64].fetch_and(~bit(index), std::memory_order_seq_cst) & bit(index)) != 0;
  }
  // Takes one out; max_workers when there is none.
  std::size_t take_any() noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      while (const std::uint64_t word = words_[i].load(std::memory_order_seq_cst)) {
        const std::size_t index = i * 64 + static_cast<std::size_t>(std::countr_zero(word));
        if (remove(index)) return index;
      }
    }
    return max_workers;
  }
  [[nodiscard]] bool any() const noexcept {
    for (const auto& word : words_) {
      if (word.load(std::memory_order_seq_cst) != 0) return true;
    }
    return false;
  }
  [[nodiscard]] std::size_t count() const noexcept {
    std::size_t sum = 0;
    for (const auto& word : words_) {
      sum += static_cast<std::size_t>(std::popcount(word.load(std::memory_order_seq_cst)));
    }
    return sum;
  }

 private:
  static std::uint64_t bit(std::size_t index) noexcept { return std::uint64_t{1} << index % 64; }

  std::array<typename Atomics::template Atomic<std::uint64_t>, (workers + 63) / 64> words_{};
};

// The workers at rest, of which one is called at a time when a worker has more to do than it should
// keep for itself.
template <class Atomics, std::size_t workers>
class BasicRestingWorkers : public BasicIdleSet<Atomics, workers> {
 public:
  // There is one to be called, and none on its way.
  [[nodiscard]] bool wants_thief() const noexcept {
    return this->any() && !called_.load(std::memory_order_relaxed);
  }
  // The one to be woken for that; max_workers when there is none.
  [[nodiscard]] std::size_t call_thief() noexcept {
    called_.store(true, std::memory_order_relaxed);
    const std::size_t index = this->take_any();
    // Otherwise it is the one that was called who takes this back.
    if (index == max_workers) called_.store(false, std::memory_order_relaxed);
    return index;
  }
  // By a worker that rests no more, whoever woke it.
  void end_rest(std::size_t index) noexcept {
    this->remove(index);
    called_.store(false, std::memory_order_relaxed);
  }

 private:
  typename Atomics::template Atomic<bool> called_{false};
};

using RestingWorkers = BasicRestingWorkers<RealAtomics, max_workers>;

}  // namespace parley::rt::impl
