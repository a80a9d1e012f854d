// The shipped channel, walked through with its park words: each value is received once or its
// sender is told, a close wakes everybody, and no wake-up is lost.
#include "parley/rt/channel.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "parley/rt/testing/interleaved_waits.h"
#include "parley/rt/testing/weakenings.h"

namespace parley::rt::impl {
namespace {

using testing::CheckedVar;
using testing::explore;
using testing::go_fiber;
using testing::InterleavedTest;
using testing::InterleavedWaits;
using testing::Interleaving;
using testing::require;
using testing::weaken_each;

using Line = BasicChannel<CheckedVar<int>, InterleavedWaits>;

// What became of each value.
struct Ledger {
  std::array<int, 8> sent{};
  std::array<int, 8> received{};
  std::array<bool, 8> refused{};

  void send(Line& line, int value) {
    const auto at = static_cast<std::size_t>(value);
    if (line.send(value).is_ok()) {
      ++sent[at];
    } else {
      refused[at] = true;
    }
  }
  bool receive(Line& line) {
    auto value = line.receive();
    if (value) ++received[static_cast<std::size_t>(value->read())];
    return value.has_value();
  }
  // `left`: those that may be in the channel.
  void check(std::size_t left = 0) const {
    std::size_t missing = 0;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      require(received[i] <= 1, "a value is received once");
      require(received[i] <= sent[i], "what was received was sent, and its sender knows");
      require(!(refused[i] && received[i] != 0), "what was refused is not received");
      if (received[i] < sent[i]) ++missing;
    }
    require(missing <= left, "what was sent is received");
  }
};

struct Place {
  explicit Place(std::size_t capacity) : line(capacity) {}
  Line line;
  Ledger ledger;
};

InterleavedTest two_values(std::size_t capacity) {
  return [=](Interleaving& run) {
    auto& at = run.make<Place>(capacity);
    go_fiber(run, "sender", [&at] {
      at.ledger.send(at.line, 1);
      at.ledger.send(at.line, 2);
    });
    go_fiber(run, "receiver", [&at] {
      for (int i = 0; i < 2; ++i) require(at.ledger.receive(at.line), "there is a value");
    });
    run.finally([&at] { at.ledger.check(); });
  };
}

InterleavedTest two_senders(std::size_t capacity) {
  return [=](Interleaving& run) {
    auto& at = run.make<Place>(capacity);
    for (const int value : {1, 2}) {
      go_fiber(run, "sender " + std::to_string(value),
               [&at, value] { at.ledger.send(at.line, value); });
    }
    go_fiber(run, "receiver", [&at] {
      for (int i = 0; i < 2; ++i) require(at.ledger.receive(at.line), "there is a value");
    });
    run.finally([&at] { at.ledger.check(); });
  };
}

InterleavedTest two_receivers(std::size_t capacity) {
  return [=](Interleaving& run) {
    auto& at = run.make<Place>(capacity);
    go_fiber(run, "sender", [&at] {
      at.ledger.send(at.line, 1);
      at.ledger.send(at.line, 2);
    });
    for (const char* name : {"receiver", "other receiver"}) {
      go_fiber(run, name, [&at] { require(at.ledger.receive(at.line), "there is a value"); });
    }
    run.finally([&at] { at.ledger.check(); });
  };
}

// A close while one sends and one receives until the end.
InterleavedTest closed(std::size_t capacity) {
  return [=](Interleaving& run) {
    auto& at = run.make<Place>(capacity);
    go_fiber(run, "sender", [&at] { at.ledger.send(at.line, 1); });
    go_fiber(run, "receiver", [&at] {
      while (at.ledger.receive(at.line)) {}
    });
    run.go("closes", [&at] { at.line.close(); });
    run.finally([&at] {
      at.ledger.check();
      require(at.line.is_closed() && at.line.size() == 0, "nothing is left");
    });
  };
}

enum class End : bool { cancellation, deadline };

// The end of a wait that comes beside a value and beside the close.
InterleavedTest ended(std::size_t capacity, bool the_receiver, End by) {
  return [=](Interleaving& run) {
    auto& at = run.make<Place>(capacity);
    auto& sender = go_fiber(run, "sender", [&at] { at.ledger.send(at.line, 1); });
    auto& receiver = go_fiber(run, "receiver", [&at] { (void)at.ledger.receive(at.line); });
    run.go("ends", [&, the_receiver, by] {
      auto& fiber = the_receiver ? receiver : sender;
      by == End::deadline ? fiber.expire() : fiber.cancel();
      at.line.close();
    });
    run.finally([&at, capacity] { at.ledger.check(capacity); });
  };
}

// Nothing else would wake it.
InterleavedTest only_cancelled(std::size_t capacity, bool the_receiver) {
  return [=](Interleaving& run) {
    auto& at = run.make<Place>(capacity);
    auto& fiber = go_fiber(run, "waits", [&at, capacity, the_receiver] {
      if (the_receiver) {
        require(!at.ledger.receive(at.line), "nothing comes");
        return;
      }
      for (std::size_t i = 0; i <= capacity; ++i) at.ledger.send(at.line, static_cast<int>(i));
      require(at.ledger.refused[capacity], "there is no room for the last one");
    });
    run.go("cancels", [&fiber] { fiber.cancel(); });
    run.finally([&at, capacity] { at.ledger.check(capacity); });
  };
}

// One fiber tries, so it never waits.
void tried(Interleaving& run) {
  auto& at = run.make<Place>(0);
  go_fiber(run, "receiver", [&at] { (void)at.ledger.receive(at.line); });
  run.go("tries", [&at] {
    CheckedVar<int> value = 1;
    if (at.line.try_send(value)) {
      ++at.ledger.sent[1];
    } else {
      at.line.close();
    }
  });
  run.finally([&at] { at.ledger.check(); });
}

void expect_holds(const InterleavedTest& test) {
  const auto report = explore(test);
  EXPECT_FALSE(report.failure) << *report.failure;
  EXPECT_TRUE(report.complete);
  ::testing::Test::RecordProperty("runs", std::to_string(report.runs));
}

class ChannelInterleavings : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ChannelInterleavings, two_values_arrive_once_each) { expect_holds(two_values(GetParam())); }
TEST_P(ChannelInterleavings, two_senders_are_both_received) {
  expect_holds(two_senders(GetParam()));
}
TEST_P(ChannelInterleavings, two_receivers_get_one_each) {
  expect_holds(two_receivers(GetParam()));
}
TEST_P(ChannelInterleavings, a_close_ends_every_wait_and_loses_nothing) {
  expect_holds(closed(GetParam()));
}
TEST_P(ChannelInterleavings, a_cancelled_receiver_loses_no_value) {
  expect_holds(ended(GetParam(), true, End::cancellation));
}
TEST_P(ChannelInterleavings, a_cancelled_sender_knows_whether_its_value_was_received) {
  expect_holds(ended(GetParam(), false, End::cancellation));
}
TEST_P(ChannelInterleavings, a_deadline_beside_a_value_loses_nothing) {
  expect_holds(ended(GetParam(), true, End::deadline));
  expect_holds(ended(GetParam(), false, End::deadline));
}
TEST_P(ChannelInterleavings, a_cancellation_alone_ends_a_wait) {
  expect_holds(only_cancelled(GetParam(), true));
  expect_holds(only_cancelled(GetParam(), false));
}
INSTANTIATE_TEST_SUITE_P(Capacity, ChannelInterleavings, ::testing::Values(0, 1));

TEST(ChannelTrialInterleavings, a_value_that_is_tried_arrives_or_stays) { expect_holds(tried); }

// The fences between a park and a cancellation; and the park word, seen from here.
TEST(ChannelTrialInterleavings, weaker_steps_are_found_out) {
  const auto fences = weaken_each({{"receiver", only_cancelled(0, true)}}, "waiting_steps.h");
  EXPECT_EQ(fences.found, (std::set<std::string>{
                              "cancel_each heavy_fence seq_cst left out",
                              "is_cancelled_before_it_parks light_fence seq_cst left out",
                          }));
  EXPECT_EQ(fences.unnoticed, (std::set<std::string>{}));
  const auto word = weaken_each({{"tried", tried}}, "park_word.h");
  EXPECT_TRUE(word.found.contains("settle store release -> relaxed"));
}

}  // namespace
}  // namespace parley::rt::impl
