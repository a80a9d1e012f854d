// IdleSet: which workers are at rest. Lock-free. Private to rt.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace parley::rt::impl {

inline constexpr std::size_t max_workers = 256;

class IdleSet {
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

  std::array<std::atomic<std::uint64_t>, max_workers / 64> words_{};
};

}  // namespace parley::rt::impl
