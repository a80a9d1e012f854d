// ZstdHead: the first bytes of a zstd frame, and the window it wants. Private to the filters.
//
// libzstd is fed them one by one: where it sees a whole frame at once it takes another way, which
// looks neither at the window nor at the size of a block, and what came in one piece would be
// judged otherwise than what came in two.
//
//   if (!head.is_whole()) head.add(byte);
//   if (head.is_whole() && head.window() > most) return too_large();
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::wire::impl {

inline constexpr std::string_view zstd_magic = "\x28\xb5\x2f\xfd";

class ZstdHead {
 public:
  [[nodiscard]] bool is_whole() const noexcept { return size_ == bytes_.size(); }
  void add(char byte) noexcept { bytes_[size_++] = static_cast<unsigned char>(byte); }
  // Once it is whole: the window that the frame wants. 0 where it wants none: it is one segment, as
  // large as its content, or no frame with content.
  [[nodiscard]] std::uint64_t window() const noexcept {
    const bool is_frame =
        std::equal(zstd_magic.begin(), zstd_magic.end(), bytes_.begin(),
                   [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; });
    if (!is_frame || (bytes_[zstd_magic.size()] & one_segment) != 0) return 0;
    const unsigned char descriptor = bytes_.back();
    const std::uint64_t base = least_window << (descriptor >> 3U);
    return base + base / 8 * (descriptor & 7U);
  }

 private:
  // Of the byte behind the magic number.
  static constexpr unsigned char one_segment = 0x20;
  static constexpr std::uint64_t least_window = 1024;
  std::array<unsigned char, 6> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace parley::wire::impl
