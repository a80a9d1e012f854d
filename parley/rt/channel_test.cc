#include "parley/rt/channel.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "parley/rt/context.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

PARLEY_FIBER_TEST(Channel, without_capacity_sender_and_receiver_meet) {
  Channel<int> channel;
  std::string trace;
  Scope scope;
  scope.go("sender", [&] {
    EXPECT_TRUE(channel.send(1).is_ok());
    trace += "sent ";
  });
  yield();
  EXPECT_EQ(trace, "");
  EXPECT_EQ(*channel.receive(), 1);
  scope.join();
  EXPECT_EQ(trace, "sent ");
}

PARLEY_FIBER_TEST(Channel, with_capacity_that_many_values_wait) {
  Channel<int> channel(2);
  EXPECT_TRUE(channel.send(1).is_ok());
  EXPECT_TRUE(channel.send(2).is_ok());
  EXPECT_EQ(channel.size(), 2u);
  EXPECT_EQ(channel.send(3, Deadline::after(1ms)).code(), Code::deadline_exceeded);
  int value = 4;
  EXPECT_FALSE(channel.try_send(value));
  EXPECT_EQ(*channel.receive(), 1);
  EXPECT_TRUE(channel.try_send(value));
  EXPECT_EQ(*channel.receive(), 2);
  EXPECT_EQ(*channel.receive(), 4);
  EXPECT_EQ(channel.try_receive(), std::nullopt);
}

PARLEY_FIBER_TEST(Channel, keeps_the_order_over_many_fibers_and_full_buffers) {
  Channel<int> channel(3);
  std::vector<int> received;
  Scope scope;
  scope.go("sender", [&] {
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(channel.send(i).is_ok());
    channel.close();
  });
  while (auto value = channel.receive()) received.push_back(*value);
  ASSERT_EQ(received.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(received[static_cast<std::size_t>(i)], i);
}

PARLEY_FIBER_TEST(Channel, close_wakes_every_receiver) {
  Channel<int> channel;
  int ended = 0;
  Scope scope;
  for (int i = 0; i < 3; ++i) {
    scope.go("receiver", [&] {
      EXPECT_EQ(channel.receive().error().code(), Code::out_of_range);
      ++ended;
    });
  }
  yield();
  channel.close();
  scope.join();
  EXPECT_EQ(ended, 3);
}

PARLEY_FIBER_TEST(Channel, what_was_stored_before_close_is_still_received) {
  Channel<int> channel(2);
  EXPECT_TRUE(channel.send(1).is_ok());
  channel.close();
  EXPECT_TRUE(channel.is_closed());
  EXPECT_EQ(*channel.receive(), 1);
  EXPECT_EQ(channel.receive().error().code(), Code::out_of_range);
  EXPECT_EQ(channel.send(2).code(), Code::failed_precondition);
  int value = 3;
  EXPECT_FALSE(channel.try_send(value));
}

PARLEY_FIBER_TEST(Channel, close_fails_a_waiting_sender) {
  Channel<int> channel;
  Scope scope;
  scope.go("sender", [&] { EXPECT_EQ(channel.send(1).code(), Code::failed_precondition); });
  yield();
  channel.close();
}

PARLEY_FIBER_TEST(Channel, a_cancelled_wait_leaves_nothing_behind) {
  Channel<int> channel;
  {
    Scope scope(OnExit::cancel);
    scope.go("receiver", [&] { EXPECT_EQ(channel.receive().error().code(), Code::cancelled); });
    scope.go("receiver with deadline", [&] {
      EXPECT_EQ(channel.receive(Deadline::after(0ms)).error().code(), Code::deadline_exceeded);
    });
    yield();
  }
  int value = 1;
  EXPECT_FALSE(channel.try_send(value)) << "a receiver that is gone still waits in the channel";
}

PARLEY_FIBER_TEST(Channel, a_value_handed_over_just_before_a_cancel_is_not_lost) {
  Channel<int> channel;
  Scope scope;
  Result<int> received = 0;
  scope.go("receiver", [&] { received = channel.receive(); });
  yield();
  EXPECT_TRUE(channel.send(42).is_ok());
  scope.cancel();
  scope.join();
  EXPECT_EQ(*received, 42);
}

PARLEY_FIBER_TEST(Channel, carries_values_that_only_move) {
  Channel<std::unique_ptr<int>> channel(1);
  EXPECT_TRUE(channel.send(std::make_unique<int>(5)).is_ok());
  EXPECT_EQ(**channel.receive(), 5);
}

PARLEY_FIBER_TEST(Channel, try_send_takes_a_value_made_for_it_and_leaves_one_it_cannot_take) {
  Channel<std::unique_ptr<int>> channel(1);
  EXPECT_TRUE(channel.try_send(std::make_unique<int>(5)));
  auto left = std::make_unique<int>(6);
  const auto offer = [&] { return channel.try_send(std::move(left)); };
  EXPECT_FALSE(offer());
  ASSERT_NE(left, nullptr);
  EXPECT_EQ(**channel.receive(), 5);
  EXPECT_TRUE(offer());
  EXPECT_EQ(left, nullptr);
  EXPECT_EQ(**channel.receive(), 6);
}

// Else the receiver, claimed and never woken, would wait for ever.
TEST(Channel, a_value_whose_move_throws_ends_the_program) {
  struct Stubborn {
    Stubborn() = default;
    Stubborn(Stubborn&& /*other*/) noexcept(false) { throw std::runtime_error("not me"); }
    Stubborn& operator=(Stubborn&&) = default;
  };
  EXPECT_DEATH(parley::run([] {
                 Channel<Stubborn> channel;
                 Scope scope;
                 scope.go("receiver", [&] { (void)channel.receive(); });
                 yield();
                 Stubborn value;
                 (void)channel.try_send(value);
               }),
               "not me");
}

TEST(Channel, closing_twice_is_a_bug) {
  EXPECT_DEATH(parley::run([] {
                 Channel<int> channel;
                 channel.close();
                 channel.close();
               }),
               "closed twice");
}

}  // namespace
}  // namespace parley::rt
