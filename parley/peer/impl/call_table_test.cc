#include "parley/peer/impl/call_table.h"

#include <gtest/gtest.h>

#include <deque>
#include <limits>

namespace parley::impl {
namespace {

TEST(PendingCalls, finds_each_call_by_its_number_once) {
  std::deque<PendingCall> calls(1'000);
  PendingCalls pending;
  EXPECT_EQ(pending.take(1), nullptr);
  EXPECT_EQ(pending.find(1), nullptr);
  // Numbers that begin again after the largest, and some that share a bucket.
  std::int32_t seq = std::numeric_limits<std::int32_t>::max() - 500;
  for (PendingCall& call : calls) {
    call.seq = seq;
    seq = seq == std::numeric_limits<std::int32_t>::max() ? 1 : seq + 1;
    pending.add(call);
  }
  EXPECT_EQ(pending.size(), calls.size());
  EXPECT_EQ(pending.take(-1), nullptr);
  EXPECT_EQ(pending.take(100'000), nullptr);
  for (std::size_t i = 0; i < calls.size(); i += 2) {
    EXPECT_EQ(pending.find(calls[i].seq), &calls[i]);
    EXPECT_EQ(pending.take(calls[i].seq), &calls[i]);
    EXPECT_EQ(pending.take(calls[i].seq), nullptr);
  }
  EXPECT_EQ(pending.size(), calls.size() / 2);
  std::size_t left = 0;
  for (PendingCall* call = pending.take_all(); call != nullptr; call = call->next) ++left;
  EXPECT_EQ(left, calls.size() / 2);
  EXPECT_EQ(pending.size(), 0u);
  EXPECT_EQ(pending.take(calls[1].seq), nullptr);
}

TEST(CallTable, removes_the_very_call_also_of_several_with_one_number) {
  std::deque<PendingCall> calls(3);
  PendingCalls table;
  for (PendingCall& call : calls) {
    call.seq = 7;
    table.add(call);
  }
  table.remove(calls[1]);
  EXPECT_NE(table.take(7), &calls[1]);
  EXPECT_NE(table.take(7), &calls[1]);
  EXPECT_EQ(table.take(7), nullptr);
}

TEST(CallTable, add_new_refuses_a_number_that_is_there) {
  std::deque<PendingCall> calls(100);
  PendingCalls table;
  std::int32_t seq = 0;
  for (PendingCall& call : calls) {
    call.seq = ++seq;
    ASSERT_TRUE(table.add_new(call));
  }
  PendingCall other;
  other.seq = 17;
  EXPECT_FALSE(table.add_new(other));
  EXPECT_EQ(table.size(), 100u);
  EXPECT_EQ(table.take(17), &calls[16]);
  EXPECT_TRUE(table.add_new(other));
  EXPECT_EQ(table.find(17), &other);
}

}  // namespace
}  // namespace parley::impl
