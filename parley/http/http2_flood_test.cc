// What floods an HTTP/2 server ends with GOAWAY and ENHANCE_YOUR_CALM: each limit by its name, with
// two values.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>

#include "parley/base/clock.h"
#include "parley/http/testing/http2_frames.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley::http {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the frames are all it is about
using namespace std::chrono_literals;

constexpr const char* calm = "goaway 11";

// `frames(n)` n times; how many were taken before it was too much.
int taken(const Http2Limits& limits, const std::function<std::string(std::uint32_t)>& frames,
          int most, const std::string& name) {
  Heard heard(limits);
  EXPECT_TRUE(heard.take(hello() + frame(settings_frame, acknowledges, 0)).is_ok());
  for (int i = 0; i < most; ++i) {
    const Status status = heard.take(frames(static_cast<std::uint32_t>(i)));
    if (status.is_ok()) continue;
    EXPECT_EQ(status.code(), Code::resource_exhausted) << status;
    EXPECT_NE(status.message().find(name), std::string::npos) << status;
    EXPECT_EQ(heard.verdict(), calm);
    EXPECT_FALSE(heard.take(frame(ping_frame, 0, 0, "12345678")).is_ok()) << "nothing after it";
    return i;
  }
  EXPECT_EQ(heard.verdict() == calm, false);
  return most;
}

std::string open_and_reset(std::uint32_t n) {
  return head(2 * n + 1, get_fields()) + frame(reset_frame, 0, 2 * n + 1, number(8));
}

TEST(Http2Flood, rapid_reset_is_counted_in_a_second) {
  EXPECT_EQ(taken({.max_resets = 10}, open_and_reset, 100, "max_resets"), 10);
  EXPECT_EQ(taken({.max_resets = 20}, open_and_reset, 100, "max_resets"), 20);
}

// Of streams that break a rule or are too many: nobody took them back.
TEST(Http2Flood, resets_that_were_caused_are_counted_in_a_second) {
  const auto malformed = [](std::uint32_t n) { return head(2 * n + 1, {{":method", "GET"}}); };
  EXPECT_EQ(taken({.max_resets = 10}, malformed, 100, "max_resets"), 11);
  EXPECT_EQ(taken({.max_resets = 20}, malformed, 100, "max_resets"), 21);
  const auto too_long = [](std::uint32_t n) {
    return head(2 * n + 1, post_fields({{"content-length", "1"}}), 0) +
           frame(data_frame, 0, 2 * n + 1, "two");
  };
  EXPECT_EQ(taken({.max_resets = 10}, too_long, 100, "max_resets"), 11);
  EXPECT_EQ(taken({.max_resets = 20}, too_long, 100, "max_resets"), 21);
  const auto window = [](std::uint32_t n) {
    return head(2 * n + 1, post_fields(), 0) +
           frame(window_frame, 0, 2 * n + 1, number(0x7fffffff));
  };
  EXPECT_EQ(taken({.max_resets = 10}, window, 100, "max_resets"), 11);
}

// A client that does not acknowledge our settings may open as many streams as it likes: all are
// refused, and it reads nothing of that.
std::size_t refused_unread(std::size_t most) {
  Heard heard({.max_streams = 1, .max_queued = most});
  EXPECT_TRUE(heard.take(hello() + head(1, get_fields())).is_ok());
  for (std::uint32_t n = 1; n < 1000; ++n) {
    const Status status = heard.session().take(head(2 * n + 1, get_fields()));
    if (status.is_ok()) continue;
    EXPECT_EQ(status.code(), Code::resource_exhausted);
    EXPECT_NE(status.message().find("max_queued"), std::string::npos) << status;
    EXPECT_FALSE(heard.take("").is_ok());
    EXPECT_EQ(number_in(heard.sent.back().payload, 4), 11U) << "the last that is said: GOAWAY";
    return n;
  }
  return 0;
}

TEST(Http2Flood, what_waits_to_be_sent_is_bounded_by_max_queued) {
  EXPECT_EQ(refused_unread(50), 52U) << "one besides for max_streams";
  EXPECT_EQ(refused_unread(400), 402U);
}

TEST(Http2Flood, resets_are_counted_against_what_was_asked) {
  const auto mostly = [](std::uint32_t n) {
    return n % 10 < 7 ? open_and_reset(n) : head(2 * n + 1, post_fields());
  };
  const Http2Limits limits = {.max_streams = 1000, .max_resets = 10'000, .resets_counted_from = 50};
  Http2Limits strict = limits;
  strict.max_resets_in_hundred = 50;
  EXPECT_EQ(taken(limits, mostly, 200, "max_resets_in_hundred"), 200);
  EXPECT_EQ(taken(strict, mostly, 200, "max_resets_in_hundred"), 50);
  strict.resets_counted_from = 100;
  EXPECT_EQ(taken(strict, mostly, 200, "max_resets_in_hundred"), 100);
}

TEST(Http2Flood, settings_pings_and_priorities_are_counted_in_a_second) {
  const auto settings = [](std::uint32_t) { return frame(settings_frame, 0, 0); };
  EXPECT_EQ(taken({.max_settings = 5}, settings, 100, "max_settings"), 4) << "and one at first";
  EXPECT_EQ(taken({.max_settings = 9}, settings, 100, "max_settings"), 8);
  const auto ping = [](std::uint32_t) { return frame(ping_frame, 0, 0, "12345678"); };
  EXPECT_EQ(taken({.max_pings = 5}, ping, 100, "max_pings"), 5);
  EXPECT_EQ(taken({.max_pings = 9}, ping, 100, "max_pings"), 9);
  const auto priority = [](std::uint32_t n) {
    return frame(priority_frame, 0, 2 * n + 1, number(0) + "\x10");
  };
  EXPECT_EQ(taken({.max_priorities = 5}, priority, 100, "max_priorities"), 5);
  EXPECT_EQ(taken({.max_priorities = 9}, priority, 100, "max_priorities"), 9);
}

TEST(Http2Flood, empty_and_unknown_frames_are_counted_in_a_second) {
  const auto empty = [](std::uint32_t n) {
    return (n == 0 ? head(1, post_fields(), 0) : "") + frame(data_frame, 0, 1);
  };
  EXPECT_EQ(taken({.max_empty_frames = 5}, empty, 100, "max_empty_frames"), 5);
  EXPECT_EQ(taken({.max_empty_frames = 9}, empty, 100, "max_empty_frames"), 9);
  const auto unknown = [](std::uint32_t) { return frame(0x77, 0, 0, "what"); };
  EXPECT_EQ(taken({.max_unknown_frames = 5}, unknown, 100, "max_unknown_frames"), 5);
  EXPECT_EQ(taken({.max_unknown_frames = 9}, unknown, 100, "max_unknown_frames"), 9);
}

TEST(Http2Flood, window_updates_are_counted_in_a_second) {
  const auto update = [](std::uint32_t) { return frame(window_frame, 0, 0, number(1)); };
  EXPECT_EQ(taken({.max_window_updates = 5}, update, 100, "max_window_updates"), 5);
  EXPECT_EQ(taken({.max_window_updates = 9}, update, 100, "max_window_updates"), 9);
}

TEST(Http2Flood, a_head_has_so_many_continuations) {
  for (const std::size_t most : {std::size_t{2}, std::size_t{4}}) {
    Heard heard({.max_continuations = most});
    std::string in = hello() + frame(headers_frame, ends_stream, 1, hpack(get_fields()));
    for (std::size_t i = 0; i < 3; ++i) in += frame(continuation_frame, 0, 1, hpack({{"a", "b"}}));
    const Status status = heard.take(in);
    EXPECT_EQ(status.is_ok(), most == 4) << status;
    EXPECT_EQ(heard.verdict(), most == 4 ? "ok" : calm);
  }
}

TEST(Http2Flood, a_head_that_is_too_large_is_told_apart_from_others) {
  const Fields large = get_fields({{"x", std::string(200, 'x')}});
  for (const std::size_t most : {std::size_t{300}, std::size_t{600}}) {
    Heard heard({.max_header_list = most});
    ASSERT_TRUE(heard.take(hello() + head(1, large) + head(3, get_fields())).is_ok());
    EXPECT_EQ(heard.log, most == 300 ? "large end request end " : "request end request end ");
  }
  for (const std::size_t most : {std::size_t{4}, std::size_t{5}}) {
    Heard heard({.max_headers = most});
    ASSERT_TRUE(heard.take(hello() + head(1, large)).is_ok());
    EXPECT_EQ(heard.log, most == 4 ? "large end " : "request end ");
  }
}

TEST(Http2Flood, the_header_table_is_as_large_as_was_told) {
  // Dynamic table size update (7541 6.3): 5 bits, 31 and more in the bytes behind.
  const std::string to_4096 = "\x3f\xe1\x1f";
  for (const std::uint32_t most : {100U, 4096U}) {
    Heard heard({.max_header_table = most});
    (void)heard.take(hello() + frame(settings_frame, acknowledges, 0));
    (void)heard.take(frame(headers_frame, 5, 1, to_4096 + hpack(get_fields())));
    EXPECT_EQ(heard.verdict(), most == 100 ? "goaway 9" : "ok");
  }
}

TEST(Http2Flood, the_next_second_counts_anew) {
  rt::testing::in_virtual_time([] {
    Heard heard({.max_pings = 5});
    ASSERT_TRUE(heard.take(hello()).is_ok());
    for (int second = 0; second < 3; ++second) {
      for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(heard.take(frame(ping_frame, 0, 0, "12345678")).is_ok());
      }
      ASSERT_TRUE(rt::sleep(1001ms).is_ok());
    }
    for (int i = 0; i < 5; ++i) (void)heard.take(frame(ping_frame, 0, 0, "12345678"));
    EXPECT_EQ(heard.take(frame(ping_frame, 0, 0, "12345678")).code(), Code::resource_exhausted);
  });
}

}  // namespace
}  // namespace parley::http
