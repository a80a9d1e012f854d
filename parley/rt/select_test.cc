#include "parley/rt/select.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "parley/rt/event.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

// What a select with one case and a default does, for each state of the channel: Go's language
// specification, "Select statements", "Send statements", "Receive operator", "Close".
struct Row {
  const char* sentence;
  std::size_t capacity;
  int stored;
  bool closed;
  bool nil;
  const char* receive;
  const char* send;
};

constexpr Row rows[] = {
    {"a nil channel is never ready", 0, 0, false, true, "default", "default"},
    {"open, unbuffered, nobody there", 0, 0, false, false, "default", "default"},
    {"open and empty", 2, 0, false, false, "default", "sent"},
    {"open, neither empty nor full", 2, 1, false, false, "value", "sent"},
    {"open and full", 2, 2, false, false, "value", "default"},
    {"closed and empty", 2, 0, true, false, "end", "closed"},
    {"closed with values stored", 2, 1, true, false, "value", "closed"},
    {"closed, unbuffered", 0, 0, true, false, "end", "closed"},
};

PARLEY_FIBER_TEST(Select, does_what_gos_does_in_every_state_of_a_channel) {
  for (const Row& row : rows) {
    Channel<int> channel(row.capacity);
    const auto prepare = [&](Channel<int>& it) {
      for (int i = 0; i < row.stored; ++i) EXPECT_TRUE(it.send(i).is_ok());
      if (row.closed) it.close();
    };
    prepare(channel);
    std::string done;
    EXPECT_TRUE(
        select(on_receive(row.nil ? nullptr : &channel,
                          [&](const Result<int>& value) { done = value ? "value" : "end"; }),
               otherwise([&] { done = "default"; }))
            .is_ok());
    EXPECT_EQ(done, row.receive) << row.sentence;

    Channel<int> other(row.capacity);
    prepare(other);
    EXPECT_TRUE(
        select(on_send(row.nil ? nullptr : &other, 7,
                       [&](const Status& status) { done = status.is_ok() ? "sent" : "closed"; }),
               otherwise([&] { done = "default"; }))
            .is_ok());
    EXPECT_EQ(done, row.send) << row.sentence;
  }
}

PARLEY_FIBER_TEST(Select, waits_for_the_first_of_several_channels) {
  Channel<int> numbers;
  Channel<std::string> words;
  Scope scope;
  scope.go("speaker", [&] {
    EXPECT_TRUE(words.send("hello").is_ok());
    EXPECT_TRUE(numbers.send(5).is_ok());
  });
  std::string heard;
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(select(on_receive(numbers, [&](Result<int> n) { heard += std::to_string(*n); }),
                       on_receive(words, [&](Result<std::string> word) { heard += *word; }))
                    .is_ok());
  }
  EXPECT_EQ(heard, "hello5");
}

PARLEY_FIBER_TEST(Select, can_send_and_receive_and_does_one_only) {
  Channel<int> in;
  Channel<int> out;
  Scope scope;
  scope.go("taker", [&] { EXPECT_EQ(*out.receive(), 9); });
  int received = 0;
  int sent = 0;
  EXPECT_TRUE(
      select(on_receive(in, [&] { ++received; }), on_send(out, 9, [&] { ++sent; })).is_ok());
  EXPECT_EQ(received, 0);
  EXPECT_EQ(sent, 1);
}

PARLEY_FIBER_TEST(Select, two_selects_can_meet) {
  Channel<int> here;
  Channel<int> there;
  Scope scope;
  std::atomic<int> met = 0;
  scope.go("other", [&] {
    EXPECT_TRUE(
        select(on_send(here, 1, [&] { ++met; }), on_receive(there, [&] { ++met; })).is_ok());
  });
  EXPECT_TRUE(select(on_receive(here, [&] { ++met; }), on_send(there, 2, [&] { ++met; })).is_ok());
  scope.join();
  EXPECT_EQ(met, 2);
}

PARLEY_FIBER_TEST(Select, a_select_does_not_meet_itself) {
  Channel<int> channel;
  bool timed_out = false;
  EXPECT_TRUE(select(on_receive(channel, [] { FAIL(); }), on_send(channel, 1, [] { FAIL(); }),
                     on_timeout(1ms, [&] { timed_out = true; }))
                  .is_ok());
  EXPECT_TRUE(timed_out);
}

PARLEY_FIBER_TEST(Select, picks_evenly_among_the_cases_that_are_ready) {
  constexpr int rounds = 3'000;
  std::array<int, 3> picked{};
  Channel<int> a(1);
  Channel<int> b(1);
  Channel<int> c(1);
  Channel<int> never;
  for (int i = 0; i < rounds; ++i) {
    int value = i;
    (void)a.try_send(value);
    (void)b.try_send(value);
    (void)c.try_send(value);
    EXPECT_TRUE(select(on_receive(a, [&] { ++picked[0]; }), on_receive(never, [] {}),
                       on_receive(b, [&] { ++picked[1]; }), on_receive(c, [&] { ++picked[2]; }))
                    .is_ok());
  }
  // Six standard deviations of a binomial (n = 3000, p = 1/3) are 155.
  for (const int count : picked) EXPECT_NEAR(count, rounds / 3, 155);
}

// A cancellation goes from parent to child with both locked; so must a select, whichever of them
// has the lower address.
TEST(Select, over_a_context_and_its_child_gets_along_with_their_cancellation) {
  testing::run_fiber_test(
      [] {
        int below = 0;
        for (int round = 0; round < 2'000; ++round) {
          // The highest of several, so that the child gets the place of one that goes.
          std::vector<std::pair<Context, Cancel>> several;
          for (int i = 0; i < 8; ++i) several.push_back(Context::background().with_cancel());
          std::ranges::sort(several, std::less<>(), [](const auto& of) { return of.first.node(); });
          auto [parent, cancel] = std::move(several.back());
          several.clear();
          auto [child, cancel_child] = parent.with_cancel();
          if (child.node() < parent.node()) ++below;
          Scope scope;
          scope.go("select", [&parent = parent, &child = child] {
            for (int i = 0; i < 3; ++i) {
              EXPECT_TRUE(select(on_done(child, [] {}), on_done(parent, [] {})).is_ok());
            }
          });
          scope.go("cancel", [&cancel = cancel] { cancel(); });
        }
        // Else it showed nothing; the allocators of sanitizers use no place again so soon.
        if (!impl::has_tsan && !impl::has_asan) {
          EXPECT_GT(below, 0);
        }
      },
      RuntimeOptions{.workers = 4});
}

PARLEY_FIBER_TEST(Select, ends_with_the_context_of_its_fiber) {
  auto [context, cancel] = Context::current().with_timeout(1ms);
  const WithContext bound(context);
  Channel<int> never;
  EXPECT_EQ(select(on_receive(never, [] { FAIL(); })).code(), Code::deadline_exceeded);
  EXPECT_EQ(select().code(), Code::deadline_exceeded);
}

PARLEY_FIBER_TEST(Select, notices_the_end_of_another_context) {
  auto [client, hang_up] = Context::current().with_cancel();
  Channel<int> never;
  Scope scope;
  scope.go("client", [hang_up = &hang_up] { (*hang_up)(Status(Code::aborted, "hung up")); });
  Status why;
  EXPECT_TRUE(select(on_receive(never, [] { FAIL(); }),
                     on_done(client, [&](const Status& status) { why = status; }))
                  .is_ok());
  EXPECT_EQ(why.code(), Code::aborted);
  why = {};
  EXPECT_TRUE(select(on_done(client, [&](const Status& status) { why = status; })).is_ok());
  EXPECT_EQ(why.code(), Code::aborted);
}

PARLEY_FIBER_TEST(Select, a_close_wakes_it_with_the_end) {
  Channel<int> channel;
  Channel<int> never;
  Scope scope;
  scope.go("closer", [&] { channel.close(); });
  Code code = Code::ok;
  EXPECT_TRUE(select(on_receive(never, [] { FAIL(); }),
                     on_receive(channel, [&](const Result<int>& v) { code = v.error().code(); }))
                  .is_ok());
  EXPECT_EQ(code, Code::out_of_range);
}

PARLEY_FIBER_TEST(Select, moves_what_can_only_be_moved) {
  Channel<std::unique_ptr<int>> channel;
  Scope scope;
  scope.go("sender",
           [&] { EXPECT_TRUE(select(on_send(channel, std::make_unique<int>(3), [] {})).is_ok()); });
  int got = 0;
  EXPECT_TRUE(
      select(on_receive(channel, [&](Result<std::unique_ptr<int>> v) { got = **v; })).is_ok());
  EXPECT_EQ(got, 3);
}

TEST(Select, loses_and_doubles_nothing_between_many_fibers_on_many_workers) {
  testing::run_fiber_test(
      [] {
        Channel<int> a;
        Channel<int> b(3);
        std::atomic<long> sum = 0;
        std::atomic<int> left = 4;
        Channel<int> over;
        Scope scope;
        for (int i = 0; i < 4; ++i) {
          scope.go("sender", [&] {
            for (int k = 1; k <= 500; ++k) {
              EXPECT_TRUE(select(on_send(a, k, [] {}), on_send(b, k, [] {})).is_ok());
            }
            if (--left == 0) over.close();
          });
          scope.go("receiver", [&] {
            for (bool more = true; more;) {
              const auto add = [&](const Result<int>& value) { sum += *value; };
              EXPECT_TRUE(select(on_receive(a, add), on_receive(b, add),
                                 on_receive(over, [&] { more = false; }))
                              .is_ok());
            }
          });
        }
        scope.join();
        while (auto value = b.try_receive()) sum += *value;
        EXPECT_EQ(sum, 4L * 500 * 501 / 2);
      },
      RuntimeOptions{.workers = 4});
}

}  // namespace
}  // namespace parley::rt
