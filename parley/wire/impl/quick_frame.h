// QuickFrame: the fields of a small CALL or REPLY of the parley framing, taken off its front with
// hardly a look at where it ends: there are always some bytes more. Whatever is not as it mostly is
// (a long frame, a number of several bytes for a name, the last bytes there are) is left to
// QuickFields, and what is wrong to the reader proper. Private to wire. Pure functions; the bytes
// must outlive it.
//
//   QuickFrame frame;
//   if (end - at >= QuickFrame::most_head && frame.read(at, end, names)) use(frame.seq,
//   frame.body);
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "parley/wire/impl/parley_frames.h"
#include "parley/wire/impl/varint.h"

namespace parley::wire::impl {

struct QuickFrame {
  std::uint64_t seq = 0;
  std::uint64_t name = 0;     // of a call: as names are kept, from 0
  std::int64_t timeout = -1;  // none
  unsigned codec = 0;
  bool is_reply = false;
  std::string_view body{};
  const char* end = nullptr;

  // Kind, length, number, name, timeout and codec: so many bytes may be looked at, whatever they
  // are.
  static constexpr std::ptrdiff_t most_head = 2 + 5 + 1 + 7 + 1;
  // So many names have a number of one byte.
  static constexpr std::size_t most_names = 0x80 - first_name;

  // Of the bytes up to `limit`, at least most_head. False: it is none, or not whole, or of none of
  // the first `names` names.
  [[gnu::always_inline]] bool read(const char* at, const char* limit, std::size_t names) noexcept {
    constexpr unsigned reply = 0x02;
    constexpr unsigned call = 0x01;
    const unsigned first = byte(at);
    const unsigned length = byte(at + 1);
    if (length >= 0x80) return false;
    at += 2;
    end = at + length;
    if (end > limit) return false;
    if (!read_varint(at, 5, seq)) return false;
    is_reply = first == reply;
    if (!is_reply) {
      if ((first & ~flag_timeout) != call) return false;
      name = std::uint64_t{byte(at++)} - first_name;
      if (name >= names) return false;
      if (first != call) {
        std::uint64_t microseconds = 0;
        if (!read_varint(at, 7, microseconds)) return false;
        timeout = static_cast<std::int64_t>(microseconds);
      }
    }
    codec = byte(at++);
    if (at > end) return false;
    if ((codec & codec_filtered) != 0) return false;
    body = {at, end};
    return true;
  }

 private:
  static unsigned byte(const char* at) noexcept { return static_cast<unsigned char>(*at); }

  // In its shortest form, not zero, of so many bytes at most; five are those of a number.
  [[gnu::always_inline]] static bool read_varint(const char*& at, unsigned most,
                                                 std::uint64_t& value) noexcept {
    const std::uint64_t largest = most == 5 ? std::numeric_limits<std::int32_t>::max()
                                            : std::numeric_limits<std::uint64_t>::max();
    value = byte(at++);
    if (value < 0x80) return value != 0;
    // The first has a bit of 0x80 too many, and so has each of the next.
    const unsigned second = byte(at++);
    value += (std::uint64_t{second} << 7U) - 0x80;
    if (second - 1 < 0x7f) [[likely]]
      return true;
    if (second == 0) return false;
    for (unsigned i = 2; i < most; ++i) {
      const unsigned next = byte(at++);
      value += (std::uint64_t{next} << (7 * i)) - (std::uint64_t{0x80} << (7 * (i - 1)));
      if (next < 0x80) return next != 0 && value <= largest;
    }
    return false;
  }
};

}  // namespace parley::wire::impl
