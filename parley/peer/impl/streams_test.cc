// Streams of two sides that speak to each other without a connection: credit and ends, whatever
// happens in which order.
#include "parley/peer/impl/streams.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/random.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

constexpr wire::Settings small{
    .max_streams = 8, .stream_credit = 1'000, .session_credit = 3'000, .max_names = 1};

// One side, with what it has said and the other side has not heard.
struct Side {
  explicit Side(const wire::Settings& other) : streams(small, other) {}

  // False when its credit does not allow it.
  bool send(StreamCore& core, std::size_t size) {
    const std::size_t cost = size + StreamCore::message_cost;
    if (core.is_over || core.has_finished) return true;
    if (streams.missing(core, cost) != Streams::Missing::nothing) return false;
    streams.spend(core, cost);
    said.push_back({.seq = core.seq,
                    .type = MessageType::data,
                    .own = core.is_own,
                    .body = Bytes::from(std::string(size, 'x'))});
    return true;
  }
  void read(StreamCore& core) {
    if (core.inbox.empty()) return;
    const std::size_t cost = core.cost_of(core.inbox.front());
    core.inbox.erase(core.inbox.begin());
    streams.eaten(core, cost);
    tell_credit();
  }
  void tell_credit() {
    while (auto credit = streams.next_credit()) said.push_back(*std::move(credit));
  }
  std::size_t unread() const {
    std::size_t bytes = 0;
    for (const auto& core : cores) {
      for (const Bytes& body : core->inbox) bytes += core->cost_of(body);
    }
    return bytes;
  }

  Streams streams;
  std::deque<Message> said;
  std::vector<Streams::Core> cores;
};

// Two sides, each of which opens and serves.
struct Two {
  void hear(Side& from, Side& to) {
    if (from.said.empty()) return;
    Message message = std::move(from.said.front());
    from.said.pop_front();
    if (message.type == MessageType::open) {
      ASSERT_TRUE(to.streams.takes_another());
      to.cores.push_back(to.streams.serve(message.seq, wire::BodyCodec::json));
    } else {
      const Status status = to.streams.take(message);
      ASSERT_TRUE(status.is_ok()) << status;
    }
    to.tell_credit();
  }
  void hear_all() {
    while (!one.said.empty() || !other.said.empty()) {
      hear(one, other);
      hear(other, one);
    }
  }
  Side& side(bool first) { return first ? one : other; }

  Side one{small};
  Side other{small};
};

void open(Side& side, std::int32_t seq) {
  if (!side.streams.has_room().is_ok()) return;
  side.said.push_back({.seq = seq, .type = MessageType::open});
  side.cores.push_back(side.streams.open(seq, wire::BodyCodec::json));
}

void finish(Side& side, StreamCore& core) {
  if (core.is_own && !core.is_over && !std::exchange(core.has_finished, true)) {
    side.said.push_back({.seq = core.seq, .type = MessageType::end, .own = true});
  }
}

// Of one's own: given up. Of the other side's: its handler returns.
void leave(Side& side, StreamCore& core) {
  if (core.is_abandoned) return;
  const bool was_over = core.is_over;
  side.streams.abandon(core, Status(Code::cancelled, "left"));
  if (core.is_own) {
    if (!was_over) side.said.push_back({.seq = core.seq, .type = MessageType::cancel});
  } else {
    side.said.push_back({.seq = core.seq, .type = MessageType::end});
  }
  side.tell_credit();
}

void play(std::uint64_t seed) {
  Random random(seed);
  Two two;
  std::int32_t last_seq = 0;
  for (int step = 0; step < 3'000; ++step) {
    const bool first = random.below(2) == 0;
    Side& side = two.side(first);
    StreamCore* core =
        side.cores.empty() ? nullptr : side.cores[random.below(side.cores.size())].get();
    switch (random.below(16)) {
      case 0:
        open(side, ++last_seq);
        break;
      case 1:
        if (core != nullptr && random.below(8) == 0) finish(side, *core);
        break;
      case 2:
        if (core != nullptr && random.below(8) == 0) leave(side, *core);
        break;
      case 3:
      case 4:
      case 5:
      case 6:
        if (core == nullptr) break;
        (void)side.send(*core, random.below(random.below(20) == 0 ? 5'000 : 300));
        break;
      case 7:
      case 8:
      case 9:
      case 10:
        if (core != nullptr) side.read(*core);
        break;
      default:
        two.hear(two.side(!first), side);
    }
    if (::testing::Test::HasFatalFailure()) return;
    ASSERT_LE(side.unread(), small.session_credit + 5'016);
    ASSERT_GE(side.streams.may_send(), -5'016);
  }
  // All that came is read or thrown away: what is missing is what was not worth telling.
  two.hear_all();
  for (const bool first : {true, false}) {
    for (const auto& core : two.side(first).cores) leave(two.side(first), *core);
  }
  two.hear_all();
  for (const bool first : {true, false}) {
    const Side& side = two.side(first);
    EXPECT_EQ(side.unread(), 0U);
    EXPECT_LT(side.streams.to_return(), small.session_credit / 2);
    EXPECT_EQ(static_cast<std::int64_t>(small.session_credit) - two.side(!first).streams.may_send(),
              static_cast<std::int64_t>(side.streams.to_return()))
        << "what one side may send and what the other gave back are one account";
    EXPECT_EQ(side.streams.served_count(), 0U);
    EXPECT_EQ(side.streams.opened_count(), 0U);
  }
}

TEST(StreamCredit, is_kept_whatever_happens_in_which_order) {
  rt::testing::run_fiber_test([] {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      play(seed);
      if (::testing::Test::HasFailure()) return;
    }
  });
}

TEST(StreamCredit, who_reads_on_can_always_be_sent_to) {
  rt::testing::run_fiber_test([] {
    Two two;
    open(two.one, 1);
    two.hear_all();
    Random random(7);
    for (int i = 0; i < 1'000; ++i) {
      const std::size_t size = random.below(3'000);
      ASSERT_TRUE(two.one.send(*two.one.cores[0], size)) << i << ": " << size;
      two.hear_all();
      two.other.read(*two.other.cores[0]);
      two.hear_all();
    }
  });
}

TEST(StreamCredit, grows_when_the_other_side_says_that_it_takes_more) {
  rt::testing::run_fiber_test([] {
    Streams streams(small, small);
    const auto core = streams.open(1, wire::BodyCodec::json);
    streams.spend(*core, 1'000);
    EXPECT_EQ(streams.missing(*core, 100), Streams::Missing::stream);
    wire::Settings more = small;
    more.stream_credit = 1'200;
    streams.allow(more);
    EXPECT_EQ(streams.missing(*core, 200), Streams::Missing::nothing);
    EXPECT_EQ(streams.missing(*core, 201), Streams::Missing::stream);
    const auto next = streams.open(2, wire::BodyCodec::json);
    EXPECT_EQ(next->may_send, 1'200);
  });
}

PARLEY_FIBER_TEST(Streams, max_streams_may_be_any_number) {
  for (const std::uint64_t most : {std::uint64_t{0}, std::uint64_t{1} << 62U, ~std::uint64_t{0}}) {
    wire::Settings takes = small;
    takes.max_streams = most;
    Streams streams(takes, small);
    const Streams::Core core = streams.serve(1, wire::BodyCodec::json);
    EXPECT_EQ(core->tell_at, most == 0 ? small.stream_credit / 4 : 0U);
  }
}

}  // namespace
}  // namespace parley::impl
