// RecordAtomic: an atomic of a fiber's record. A record is made anew in the same place for each
// fiber of a stack, and a dump on another thread may read it at any time, so that making it has to
// be atomic as well; std::atomic's own constructor is not. Private to rt.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "parley/rt/impl/atomics.h"

namespace parley::rt::impl {

template <class T>
class RecordAtomic {
 public:
  // A release store: who reads the new value sees all that happened to the record before.
  // NOLINTNEXTLINE(google-explicit-constructor): as that of std::atomic, whose place it takes
  RecordAtomic(T initial = {}) noexcept { store(initial, std::memory_order_release); }
  RecordAtomic(const RecordAtomic&) = delete;
  RecordAtomic& operator=(const RecordAtomic&) = delete;

  [[nodiscard]] T load(std::memory_order order) const noexcept {
    return std::bit_cast<T>(std::atomic_ref(word_).load(order));
  }
  void store(T value, std::memory_order order) noexcept {
    std::atomic_ref(word_).store(std::bit_cast<Word>(value), order);
  }
  T exchange(T value, std::memory_order order) noexcept {
    return std::bit_cast<T>(std::atomic_ref(word_).exchange(std::bit_cast<Word>(value), order));
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order) noexcept {
    auto word = std::bit_cast<Word>(expected);
    if (std::atomic_ref(word_).compare_exchange_strong(word, std::bit_cast<Word>(desired), order)) {
      return true;
    }
    expected = std::bit_cast<T>(word);
    return false;
  }

 private:
  // NOLINTBEGIN(bugprone-sizeof-expression): where T is a pointer, the pointer is what is kept
  static_assert(sizeof(T) == 8 || sizeof(T) == 4 || sizeof(T) == 1);
  // A number, which no constructor of its own touches before ours.
  using Word = std::conditional_t<sizeof(T) == 8, std::uint64_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint8_t>>;
  // NOLINTEND(bugprone-sizeof-expression)
  static_assert(std::atomic_ref<Word>::is_always_lock_free);

  alignas(std::atomic_ref<Word>::required_alignment) mutable Word word_;
};

struct RecordAtomics : RealAtomics {
  template <class T>
  using Atomic = RecordAtomic<T>;
};

}  // namespace parley::rt::impl
