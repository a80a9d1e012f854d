#include "parley/http/impl/early_answers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/ready_queue.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::http::impl {
namespace {

// Takes what is written as soon as it may, or breaks.
class Taking final : public net::Stream {
 public:
  Result<std::size_t> read(std::span<char>, rt::Deadline) override { return std::size_t{0}; }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    begun.set();
    if (Status s = may_go_on.wait(deadline); !s.is_ok()) return s;
    if (is_broken) return Status(Code::unavailable, "Connection reset by peer");
    const std::string_view some = from.substr(0, 3);
    taken += some;
    return some.size();
  }
  Status close_write() override { return {}; }
  void close() override {
    is_broken = true;
    may_go_on.set();
  }
  [[nodiscard]] const net::Address& local_address() const override { return address_; }
  [[nodiscard]] const net::Address& remote_address() const override { return address_; }

  std::string taken{};
  bool is_broken = false;
  rt::Event begun{};
  rt::Event may_go_on{};

 private:
  net::Address address_{};
};

struct World {
  rt::ReadyQueue queue{"answers", rt::Context::background()};
  std::shared_ptr<EarlyAnswers> early =
      std::make_shared<EarlyAnswers>(queue, std::chrono::seconds(30));
  Taking stream{};
};

PARLEY_FIBER_TEST(EarlyAnswers, come_back_in_front_of_what_followed_them) {
  World world;
  for (const bool is_called : {false, true}) {
    std::string out = "early ";
    world.early->put(world.stream, out);
    EXPECT_EQ(out, "");
    out = "late";
    // Called, but no fiber has come yet: there need not be one.
    if (is_called) world.early->go();
    EXPECT_TRUE(world.early->settle(out, {}).is_ok());
    EXPECT_EQ(out, "early late");
    EXPECT_TRUE(world.early->settle(out, {}).is_ok()) << "twice is fine";
    EXPECT_EQ(out, "early late");
    EXPECT_FALSE(world.early->is_used_up());
  }
  rt::yield();
  EXPECT_EQ(world.stream.taken, "");
}

PARLEY_FIBER_TEST(EarlyAnswers, are_sent_by_another_fiber_once_it_has_begun) {
  World world;
  std::string out = "early answers";
  world.early->put(world.stream, out);
  world.early->go();
  world.early->go();
  ASSERT_TRUE(world.stream.begun.wait().is_ok());
  out = "late";
  const auto [context, cancel] = rt::Context::current().with_cancel();
  cancel(Status(Code::aborted, "enough"));
  {
    const rt::WithContext bound(context);
    EXPECT_EQ(world.early->settle(out, {}).code(), Code::aborted);
  }
  world.stream.may_go_on.set();
  EXPECT_TRUE(world.early->settle(out, {}).is_ok());
  EXPECT_EQ(world.stream.taken, "early answers");
  EXPECT_EQ(out, "late");
  EXPECT_TRUE(world.early->is_used_up());
}

PARLEY_FIBER_TEST(EarlyAnswers, that_cannot_be_sent_say_so) {
  World world;
  std::string out = "early answers";
  world.early->put(world.stream, out);
  world.early->go();
  ASSERT_TRUE(world.stream.begun.wait().is_ok());
  world.stream.close();
  EXPECT_EQ(world.early->settle(out, {}).code(), Code::unavailable);
  EXPECT_EQ(out, "");
}

void settle_at_the_same_time(World& world, rt::Scope& scope, int& sent) {
  Taking stream;
  stream.may_go_on.set();
  const auto early = std::make_shared<EarlyAnswers>(world.queue, std::chrono::seconds(30));
  std::string out = "early ";
  early->put(stream, out);
  out = "late";
  scope.go("calls", [early] { early->go(); });
  if (sent % 2 == 0) rt::yield();
  ASSERT_TRUE(early->settle(out, {}).is_ok());
  ASSERT_EQ(stream.taken + out, "early late");
  ++sent;
}

TEST(EarlyAnswers, leave_or_come_back_but_never_both_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        World world;
        rt::Scope scope;
        int sent = 0;
        for (int i = 0; i < 2000; ++i) settle_at_the_same_time(world, scope, sent);
        EXPECT_EQ(sent, 2000);
      },
      {.workers = 4});
}

}  // namespace
}  // namespace parley::http::impl
