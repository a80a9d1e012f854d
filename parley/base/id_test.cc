#include "parley/base/id.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <unordered_set>

namespace parley {
namespace {

struct SessionTag;
struct StreamTag;
using SessionId = StrongId<SessionTag, std::uint64_t>;
using StreamId = StrongId<StreamTag, std::uint64_t>;

TEST(StrongId, orders_and_hashes_as_its_number) {
  EXPECT_LT(SessionId{1}, SessionId{2});
  EXPECT_EQ(SessionId{}, SessionId{0});
  const std::unordered_set<SessionId> ids{SessionId{1}, SessionId{2}, SessionId{1}};
  EXPECT_EQ(ids.size(), 2u);
}

TEST(StrongId, of_one_kind_is_not_the_other_kind) {
  static_assert(!std::is_convertible_v<SessionId, StreamId>);
  static_assert(!std::is_convertible_v<std::uint64_t, SessionId>);
  static_assert(!std::is_constructible_v<SessionId, StreamId>);
}

}  // namespace
}  // namespace parley
