// Range requests (RFC 9110 14): which bytes of a thing are asked for, and the parts of an answer
// that has several of them. Pure functions, from anywhere.
//
//   const ChosenRanges chosen = choose_ranges(exchange.request(), now, file_size);
//   if (chosen.kind == RangeKind::unsatisfiable) {
//     headers.set("Content-Range", unsatisfied_range(file_size));         // 416
//   } else if (chosen.ranges.size() == 1) {
//     headers.set("Content-Range", content_range(chosen.ranges[0], file_size));   // 206
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parley/http/conditions.h"
#include "parley/http/message.h"

namespace parley::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // included

  [[nodiscard]] std::uint64_t size() const noexcept { return last - first + 1; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

struct RangeLimits {
  // Ranges in one request; 0 obeys none.
  std::size_t max_ranges = 32;
  // Pairs of neighbours (by their first byte) that overlap: a flood asks for the same bytes again
  // and again (RFC 9110 17.15).
  std::size_t max_overlaps = 2;
  // Ranges that are at most so many bytes apart become one: a part of its own costs more.
  std::uint64_t join_gap = 80;
};
inline constexpr RangeLimits default_range_limits{};

enum class RangeKind : std::uint8_t {
  whole,          // no range, or none that is obeyed: 200
  partial,        // 206
  unsatisfiable,  // 416: none of them is in it, or they are beyond the limits
};

struct ChosenRanges {
  RangeKind kind = RangeKind::whole;
  // For partial: apart from each other and by their first byte, where any had to be joined; else in
  // the order they were asked for.
  std::vector<ByteRange> ranges{};
};

// For get only, and where If-Range allows it. What is no Range of bytes (another unit, a first byte
// behind the last one, the field twice) is passed over, as RFC 9110 14.2 wants it.
[[nodiscard]] ChosenRanges choose_ranges(const Request& request, const Validators& now,
                                         std::uint64_t size,
                                         const RangeLimits& limits = default_range_limits);

// "bytes 0-4/10", and "bytes */10".
[[nodiscard]] std::string content_range(const ByteRange& range, std::uint64_t size);
[[nodiscard]] std::string unsatisfied_range(std::uint64_t size);

// The answer to several ranges: multipart/byteranges (RFC 9110 14.6). Before the bytes of range i
// comes head_of(i), behind the last ones tail().
class MultipartRanges {
 public:
  // `content_type` that of the thing; may be empty.
  MultipartRanges(std::vector<ByteRange> ranges, std::uint64_t size, std::string_view content_type);

  // Content-Type of the answer.
  [[nodiscard]] std::string content_type() const;
  [[nodiscard]] std::string head_of(std::size_t index) const;
  [[nodiscard]] std::string tail() const;
  // Of the whole answer.
  [[nodiscard]] std::uint64_t total_bytes() const;
  [[nodiscard]] const std::vector<ByteRange>& ranges() const noexcept { return ranges_; }

 private:
  std::vector<ByteRange> ranges_;
  std::uint64_t size_;
  std::string content_type_;
  std::string boundary_;
};

}  // namespace parley::http
