#include "parley/http/ranges.h"

#include <gtest/gtest.h>

#include <string>

namespace parley::http {
namespace {

std::string chosen(const std::string& range, std::uint64_t size = 1000,
                   const RangeLimits& limits = default_range_limits, Method method = Method::get) {
  Request request;
  request.method = method;
  EXPECT_TRUE(request.headers.add("Range", range).is_ok());
  const ChosenRanges ranges = choose_ranges(request, {}, size, limits);
  if (ranges.kind == RangeKind::whole) return "whole";
  if (ranges.kind == RangeKind::unsatisfiable) return "none";
  std::string text;
  for (const ByteRange& it : ranges.ranges) {
    text += std::to_string(it.first) + "-" + std::to_string(it.last) + " ";
  }
  return text;
}

TEST(Ranges, are_read_from_the_start_from_the_end_and_open) {
  EXPECT_EQ(chosen("bytes=0-0"), "0-0 ");
  EXPECT_EQ(chosen("bytes=5-"), "5-999 ");
  EXPECT_EQ(chosen("BYTES=-5"), "995-999 ");
  EXPECT_EQ(chosen("bytes=-5000"), "0-999 ");
  EXPECT_EQ(chosen("bytes=990-99999999999999999999999"), "990-999 ");
  EXPECT_EQ(chosen("bytes=500-600, 0-9"), "500-600 0-9 ");
}

TEST(Ranges, outside_are_unsatisfiable_and_wrong_ones_are_passed_over) {
  for (const auto* text : {"bytes=1000-", "bytes=-0", "bytes=5000-6000"}) {
    EXPECT_EQ(chosen(text), "none") << text;
  }
  EXPECT_EQ(chosen("bytes=0-", 0), "none");
  EXPECT_EQ(chosen("bytes=-1", 0), "none");
  EXPECT_EQ(chosen("bytes=0-1,5000-"), "0-1 ");
  for (const auto* text : {"bytes=", "bytes", "lines=0-1", "bytes=5-4", "bytes=a-b", "bytes=1",
                           "bytes=--1", "bytes=0-1;2-3", "bytes=+1-2", "bytes=0 - 1", "bytes= ,"}) {
    EXPECT_EQ(chosen(text), "whole") << text;
  }
  EXPECT_EQ(chosen("bytes=0-1", 1000, {}, Method::head), "whole");
  EXPECT_EQ(chosen("bytes=0-1", 1000, {}, Method::post), "whole");
}

TEST(Ranges, that_overlap_or_touch_become_one_and_floods_none) {
  EXPECT_EQ(chosen("bytes=0-99,50-149"), "0-149 ");
  EXPECT_EQ(chosen("bytes=500-599,100-199,0-99"), "0-199 500-599 ");
  EXPECT_EQ(chosen("bytes=0-9,20-29"), "0-29 ");
  EXPECT_EQ(chosen("bytes=0-9,20-29", 1000, {.join_gap = 5}), "0-9 20-29 ");
  EXPECT_EQ(chosen("bytes=0-,0-,0-"), "0-999 ");
  EXPECT_EQ(chosen("bytes=0-,0-,0-,0-"), "none");
  EXPECT_EQ(chosen("bytes=0-,0-,0-,0-", 1000, {.max_overlaps = 3}), "0-999 ");
  std::string many = "bytes=0-0";
  for (int i = 1; i < 33; ++i) many += "," + std::to_string(i * 2) + "-" + std::to_string(i * 2);
  EXPECT_EQ(chosen(many), "none");
  EXPECT_EQ(chosen(many, 1000, {.max_ranges = 33}), "0-64 ");
  EXPECT_EQ(chosen("bytes=0-0", 1000, {.max_ranges = 0}), "whole");
}

TEST(Ranges, twice_or_of_something_older_are_passed_over) {
  Request request;
  EXPECT_TRUE(request.headers.add("Range", "bytes=0-1").is_ok());
  EXPECT_TRUE(request.headers.add("If-Range", "\"v6\"").is_ok());
  EXPECT_EQ(choose_ranges(request, {.tag = EntityTag{"v6"}}, 9).kind, RangeKind::partial);
  EXPECT_EQ(choose_ranges(request, {.tag = EntityTag{"v7"}}, 9).kind, RangeKind::whole);
  EXPECT_TRUE(request.headers.set("If-Range", "\"v7\"").is_ok());
  EXPECT_TRUE(request.headers.add("Range", "bytes=0-1").is_ok());
  EXPECT_EQ(choose_ranges(request, {.tag = EntityTag{"v7"}}, 9).kind, RangeKind::whole);
}

TEST(Ranges, of_several_parts_know_their_size) {
  const MultipartRanges parts({{0, 1}, {7, 9}}, 10, "text/plain");
  const std::string boundary = parts.content_type().substr(31);
  const std::string all = parts.head_of(0) + "ab" + parts.head_of(1) + "hij" + parts.tail();
  EXPECT_EQ(parts.content_type(), "multipart/byteranges; boundary=" + boundary);
  EXPECT_EQ(all,
            "--" + boundary +
                "\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\nab\r\n--" +
                boundary +
                "\r\nContent-Type: text/plain\r\nContent-Range: bytes 7-9/10\r\n\r\nhij\r\n--" +
                boundary + "--\r\n");
  EXPECT_EQ(parts.total_bytes(), all.size());
  EXPECT_EQ(unsatisfied_range(10), "bytes */10");
}

}  // namespace
}  // namespace parley::http
