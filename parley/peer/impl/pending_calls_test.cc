#include "parley/peer/impl/pending_calls.h"

#include <gtest/gtest.h>

#include <deque>
#include <limits>

namespace parley::impl {
namespace {

TEST(PendingCalls, finds_each_call_by_its_number_once) {
  std::deque<PendingCall> calls(1'000);
  PendingCalls pending;
  EXPECT_EQ(pending.take(1), nullptr);
  EXPECT_FALSE(pending.contains(1));
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
    EXPECT_TRUE(pending.contains(calls[i].seq));
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

}  // namespace
}  // namespace parley::impl
