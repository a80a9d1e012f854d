// Random: a small fast generator for scheduling decisions (xorshift64*, Vigna, 2016). Not for
// secrets. Private to rt.
#pragma once

#include <cstdint>

namespace parley::rt::impl {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL | 1) {}

  std::uint32_t next() noexcept {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<std::uint32_t>((state_ * 0x2545f4914f6cdd1dULL) >> 32);
  }
  // From 0 to `limit` - 1.
  std::uint32_t below(std::uint32_t limit) noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{next()} * limit) >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace parley::rt::impl
