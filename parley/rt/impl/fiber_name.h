// FiberName: what dumps and errors call a fiber. Another thread may read it while a new fiber takes
// over the stack; it then reads something, but nothing undefined. Private to rt.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace parley::rt::impl {

class FiberName {
 public:
  static constexpr std::size_t capacity = 40;
  using Text = std::array<char, capacity + 1>;  // ends with a zero

  // Cut at the capacity. A name may come from another process (the method it calls) and dumps go
  // to terminals: control characters become question marks.
  void set(std::string_view name) noexcept {
    Text text{};
    const std::size_t size = std::min(name.size(), capacity);
    std::transform(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(size), text.begin(),
                   [](char byte) {
                     return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f ? '?' : byte;
                   });
    for (std::size_t i = 0; i < words_.size() && i * sizeof(Word) <= size; ++i) {
      Word word = 0;
      std::memcpy(&word, text.data() + i * sizeof word, sizeof word);
      words_[i].store(word, std::memory_order_relaxed);
    }
  }

  [[nodiscard]] Text get() const noexcept {
    Text text{};
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const Word word = words_[i].load(std::memory_order_relaxed);
      std::memcpy(text.data() + i * sizeof word, &word, sizeof word);
      if (std::memchr(&word, 0, sizeof word) != nullptr) break;
    }
    return text;
  }

 private:
  using Word = std::uint64_t;
  static_assert(capacity % sizeof(Word) == 0);

  std::array<std::atomic<Word>, capacity / sizeof(Word)> words_{};
};

}  // namespace parley::rt::impl
