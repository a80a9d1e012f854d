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

#include <bit>
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

// A small frame that has a number below 2^28, a codec and a body, and nothing else. Sizes and
// numbers that are written longer than they have to be are not accepted, as elsewhere.
class QuickReply {
 public:
  QuickReply(std::string_view bytes, unsigned char kind, std::size_t longest) noexcept {
    const char* at = bytes.data();
    const char* const whole = at + bytes.size();
    if (bytes.size() < 4 || byte_at(at) != kind) return;
    std::size_t size = byte_at(at + 1);
    at += 2;
    if (size >= 0x80) [[unlikely]] {
      const std::size_t second = byte_at(at++);
      size = (size & 0x7fU) | second << 7U;
      if (second == 0 || second >= 0x80 || size > longest) return;
    }
    if (size > static_cast<std::size_t>(whole - at)) return;
    const char* const last = at + size;
    std::uint32_t number = 0;
    if (whole - at >= 4 && size > 4) [[likely]] {
      std::uint32_t four = 0;
      for (unsigned i = 0; i < 4; ++i) four |= byte_at(at + i) << 8 * i;  // one load
      const std::uint32_t ends = ~four & 0x80808080U;
      if (ends == 0) return;                                            // of more than 28 bits
      const auto bits = static_cast<unsigned>(std::countr_zero(ends));  // up to that one
      if (bits > 7 && (four >> (bits - 7)) << 25U == 0) return;         // ends in a needless 0
      four &= (2U << bits) - 1;
      number = (four & 0x7fU) | (four >> 1U & 0x3f80U) | (four >> 2U & 0x1fc000U) |
               (four >> 3U & 0xfe00000U);
      at += bits / 8 + 1;
    } else {
      for (unsigned shift = 0;; shift += 7) {
        if (at == last || shift > 21) return;
        const std::uint32_t byte = byte_at(at++);
        number |= (byte & 0x7fU) << shift;
        if (byte >= 0x80) continue;
        if (byte == 0 && shift > 0) return;
        break;
      }
    }
    if (number == 0) return;
    if (at == last) return;
    seq = static_cast<std::int32_t>(number);
    codec = byte_at(at++);
    body = {at, static_cast<std::size_t>(last - at)};
    end = last;
  }

  [[nodiscard]] bool is_ok() const noexcept { return end != nullptr; }

  std::int32_t seq = 0;
  unsigned codec = 0;
  std::string_view body;
  const char* end = nullptr;  // null: it is none, or has not come whole

 private:
  static unsigned byte_at(const char* at) noexcept { return static_cast<unsigned char>(*at); }
};

}  // namespace parley::wire::impl
