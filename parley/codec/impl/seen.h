// Which members of an object have been decoded: without allocation for up to 64, and in memory that
// the reader reuses for more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace parley::codec::impl {

class SeenFields {
 public:
  // `more` outlives this; those made inside each other may share it.
  SeenFields(std::size_t count, std::vector<std::uint64_t>& more)
      : more_(more), base_(more.size()) {
    if (count > 64) more.resize(base_ + (count - 1) / 64);
  }
  SeenFields(const SeenFields&) = delete;
  SeenFields& operator=(const SeenFields&) = delete;
  ~SeenFields() { more_.resize(base_); }

  // False when it was marked before.
  bool mark(std::size_t index) {
    std::uint64_t& word = index < 64 ? first_ : more_[base_ + index / 64 - 1];
    const std::uint64_t bit = std::uint64_t{1} << (index % 64);
    if ((word & bit) != 0) return false;
    word |= bit;
    ++count_;
    return true;
  }
  [[nodiscard]] bool has(std::size_t index) const {
    const std::uint64_t word = index < 64 ? first_ : more_[base_ + index / 64 - 1];
    return (word >> (index % 64) & 1) != 0;
  }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  std::uint64_t first_ = 0;
  std::size_t count_ = 0;
  std::vector<std::uint64_t>& more_;
  std::size_t base_;
};

}  // namespace parley::codec::impl
