// FiberName: what dumps and errors call a fiber. Another thread may read it while a new fiber takes
// over the stack; it then reads something, but nothing undefined. Writing releases and reading
// acquires, so that a reader can ask afterwards whether the name was that of one fiber throughout
// (Fiber::id). Private to rt.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "parley/rt/impl/record_atomic.h"

namespace parley::rt::impl {

class FiberName {
 public:
  static constexpr std::size_t capacity = 40;
  using Text = std::array<char, capacity + 1>;  // ends with a zero

  // Cut at the capacity. A name may come from another process (the method it calls) and dumps go
  // to terminals: control characters become question marks.
  void set(std::string_view name) noexcept {
    const std::size_t size = std::min(name.size(), capacity);
    for (std::size_t i = 0; i < words_.size() && i * sizeof(Word) <= size; ++i) {
      words_[i].store(word_of(name.substr(i * sizeof(Word), size - i * sizeof(Word))),
                      std::memory_order_release);
    }
  }

  [[nodiscard]] Text get() const noexcept {
    Text text{};
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const Word word = words_[i].load(std::memory_order_acquire);
      std::memcpy(text.data() + i * sizeof word, &word, sizeof word);
      if (std::memchr(&word, 0, sizeof word) != nullptr) break;
    }
    return text;
  }

 private:
  using Word = std::uint64_t;
  static_assert(capacity % sizeof(Word) == 0);
  static_assert(std::endian::native == std::endian::little);

  // The first bytes of `text`. Put together in a register: what is stored byte by byte and then
  // loaded whole waits for the stores.
  static Word word_of(std::string_view text) noexcept {
    Word word = 0;
    for (std::size_t i = 0; i < std::min(text.size(), sizeof word); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      const bool is_control = byte < 0x20 || byte == 0x7f;
      word |= static_cast<Word>(is_control ? '?' : byte) << (8 * i);
    }
    return word;
  }

  std::array<RecordAtomic<Word>, capacity / sizeof(Word)> words_{};
};

}  // namespace parley::rt::impl
