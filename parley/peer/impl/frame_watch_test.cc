#include "parley/peer/impl/frame_watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::impl {
namespace {

using namespace std::chrono_literals;

// Time stands still but where a test lets it go on.
template <class F>
void in_still_time(F body) {
  ManualClock clock;
  rt::testing::run_fiber_test([&] { body(clock); }, {.clock = &clock});
}

TEST(FrameWatch, what_has_begun_has_its_time_however_it_drips) {
  in_still_time([](ManualClock& clock) {
    FrameWatch watch(1s);
    watch.look(false, {});
    EXPECT_TRUE(watch.deadline().is_never());
    watch.look(true, {});
    const rt::Deadline until = rt::Deadline::after(1s);
    EXPECT_EQ(watch.deadline(), until);
    clock.advance(400ms);
    watch.look(true, {});
    EXPECT_EQ(watch.deadline(), until);
    // A message came, and what is there now has begun behind it.
    watch.came();
    watch.look(true, {});
    EXPECT_EQ(watch.deadline(), rt::Deadline::after(1s));
  });
}

TEST(FrameWatch, bodies_in_parts_have_each_their_own_time) {
  in_still_time([](ManualClock& clock) {
    FrameWatch watch(1s);
    watch.look(false, {.oldest = 1, .last = 2});
    const rt::Deadline of_the_first = rt::Deadline::after(1s);
    clock.advance(300ms);
    watch.look(false, {.oldest = 1, .last = 3});
    const rt::Deadline of_the_third = rt::Deadline::after(1s);
    clock.advance(300ms);
    watch.look(false, {.oldest = 2, .last = 3});
    EXPECT_EQ(watch.deadline(), of_the_first) << "the second began with the first";
    watch.look(false, {.oldest = 3, .last = 3});
    EXPECT_EQ(watch.deadline(), of_the_third);
    watch.look(false, {.oldest = 0, .last = 3});
    EXPECT_TRUE(watch.deadline().is_never());
    watch.look(false, {.oldest = 4, .last = 4});
    EXPECT_EQ(watch.deadline(), rt::Deadline::after(1s));
  });
}

// Beside one that does not come whole: it is cut in its time, with that much longer at most.
TEST(FrameWatch, a_stream_of_bodies_stretches_the_time_of_none) {
  in_still_time([](ManualClock& clock) {
    FrameWatch watch(1s);
    const Duration longer = Duration(1s) / 64;
    const rt::Deadline until = rt::Deadline::after(1s + longer);
    for (std::uint64_t last = 1; last < 10'000; ++last) {
      watch.look(false, {.oldest = 1, .last = last});
      clock.advance(100us);
    }
    EXPECT_LE(watch.deadline(), until);
    EXPECT_GE(watch.deadline().instant(), until.instant() - longer);
  });
}

TEST(FrameWatch, a_time_without_end_is_never_over) {
  in_still_time([](ManualClock& clock) {
    FrameWatch watch(Duration::max());
    watch.look(true, {.oldest = 1, .last = 1});
    clock.advance(1h);
    watch.look(true, {.oldest = 1, .last = 2});
    EXPECT_TRUE(watch.deadline().is_never());
  });
}

}  // namespace
}  // namespace parley::impl
