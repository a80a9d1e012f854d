// Calls of quick methods share what they run in, one after the other: none may see what another
// asked for, set or left behind.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>

#include "parley/peer/testing/pair.h"
#include "parley/rt/context.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

constexpr int callers = 32;
constexpr int rounds = 20;

// What each of them is to find, and some of them change.
Result<int> one_of_many(Context& context, int number) {
  const auto fails = [&](const std::string& what) {
    return Status(Code::data_loss, what + " is not as new in call " + std::to_string(number));
  };
  if (!context.reply_metadata().empty()) return fails("reply_metadata");
  if (!context.query().empty()) return fails("query");
  if (context.reply_codec() != wire::BodyCodec::json) return fails("reply_codec");
  if (context.age() > std::chrono::minutes(1)) return fails("came_at");
  switch (number % 7) {
    case 0:
      return Status(Code::not_found, "nothing of number " + std::to_string(number));
    case 1:
      context.reply_metadata().set("number", std::to_string(number));
      break;
    case 2:
      context.set_reply_codec(wire::BodyCodec::msgpack);
      break;
    case 3: {
      const rt::Context mine = rt::Context::current();
      const Duration left = mine.deadline().instant() - rt::now();
      if (mine.is_done()) return fails("rt::Context");
      const Duration given = std::chrono::hours(1 + number);
      if (left > given || left < given - std::chrono::minutes(30)) return fails("the deadline");
      break;
    }
    case 4:
      rt::yield();
      break;
    case 5:
      if (!context.session().is_open()) return fails("session");
      break;
    default:
      break;
  }
  return number;
}

// Without a word more than it has to be: nothing at all of its call.
int plain(int number) { return number; }

PARLEY_PEER_TEST(QuickCall, finds_everything_as_new) {
  testing::Pair pair;
  pair.server.handle("/many", one_of_many);
  pair.server.handle("/plain", plain);
  const Session session = pair.dial();
  std::atomic<int> answers = 0;
  rt::Scope scope;
  for (int caller = 0; caller < callers; ++caller) {
    scope.go("caller", [&, caller] {
      for (int round = 0; round < rounds; ++round) {
        const int number = caller + round;
        wire::Metadata metadata;
        const CallOptions options{.timeout = std::chrono::hours(1 + number),
                                  .reply_metadata = &metadata};
        const auto many = session.call<int>(options, "/many", number);
        if (number % 7 == 0) {
          EXPECT_EQ(many.error().code(), Code::not_found) << many.error();
        } else {
          EXPECT_TRUE(many && *many == number) << many.error();
        }
        EXPECT_EQ(metadata.size(), number % 7 == 1 ? 1U : 0U) << number;
        const auto same = session.call<int>("/plain", number);
        EXPECT_TRUE(same && *same == number) << same.error();
        answers += many || number % 7 == 0 ? 1 : 0;
      }
    });
  }
  scope.join();
  EXPECT_EQ(answers, callers * rounds);
}

PARLEY_PEER_TEST(QuickCall, has_a_number_of_its_own_by_which_it_may_close_its_session) {
  testing::Pair pair;
  pair.server.handle("/plain", plain);
  pair.server.handle("/leave", [](Context& context) { context.session().close(); });
  const Session session = pair.dial();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(session.call<int>("/plain", i));
  rt::Scope scope;
  for (int caller = 0; caller < callers; ++caller) {
    scope.go("caller", [&, caller] {
      if (caller % 8 == 7) {
        (void)session.call<void>("/leave");
      } else {
        (void)session.call<int>("/plain", caller);
      }
    });
  }
  scope.join();
  EXPECT_TRUE(session.wait_closed(rt::Deadline::after(std::chrono::minutes(1))).code() !=
              Code::deadline_exceeded);
}

}  // namespace
}  // namespace parley
