// QuickFields: takes the fields of a small frame off its front as fast as can be, and says only
// whether all were as they should be. Who is told that they were not reads again with a
// FrameReader, which says why. Belongs to one fiber; the bytes must outlive it.
//
//   QuickFields fields(bytes);
//   const std::uint64_t length = fields.varint();
//   if (!fields.ends_after(length)) return false;   // from here on only within the frame
//   const std::uint64_t seq = fields.varint();
//   if (!fields.is_ok()) return false;
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::wire::impl {

class QuickFields {
 public:
  explicit QuickFields(std::string_view bytes) noexcept
      : at_(bytes.data()), end_(bytes.data() + bytes.size()), whole_(end_) {}

  // A varint of at most seven bytes (2^49), in its shortest form; 0 otherwise.
  std::uint64_t varint() noexcept {
    if (at_ == end_) return fail();
    const auto first = static_cast<unsigned char>(*at_++);
    if (first < 0x80) [[likely]]
      return first;
    if (at_ == end_) return fail();
    const auto second = static_cast<unsigned char>(*at_++);
    const std::uint64_t value = (first & 0x7fU) | static_cast<std::uint64_t>(second & 0x7fU) << 7U;
    if (second >= 0x80) return longer_varint(value);
    return second == 0 ? fail() : value;
  }
  unsigned char byte() noexcept {
    return at_ == end_ ? static_cast<unsigned char>(fail()) : static_cast<unsigned char>(*at_++);
  }
  // The frame ends so many bytes from here. False when they have not come, or something was wrong.
  bool ends_after(std::uint64_t size) noexcept {
    if (!is_ok_ || size > left()) return false;
    end_ = at_ + size;
    return true;
  }

  [[nodiscard]] bool is_ok() const noexcept { return is_ok_; }
  // Of the frame, what is behind what was read; how many bytes that is.
  [[nodiscard]] std::string_view rest() const noexcept { return {at_, left()}; }
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  // Bytes behind the frame.
  [[nodiscard]] std::size_t beyond() const noexcept {
    return static_cast<std::size_t>(whole_ - end_);
  }

 private:
  // From the third byte on.
  std::uint64_t longer_varint(std::uint64_t value) noexcept {
    for (unsigned shift = 14; shift < 49 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) return byte == 0 ? fail() : value;
    }
    return fail();
  }
  std::uint64_t fail() noexcept {
    is_ok_ = false;
    return 0;
  }

  const char* at_;
  const char* end_;
  const char* whole_;
  bool is_ok_ = true;
};

}  // namespace parley::wire::impl
