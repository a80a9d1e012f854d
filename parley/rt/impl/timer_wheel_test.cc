#include "parley/rt/impl/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

namespace parley::rt::impl {
namespace {

Instant at(std::int64_t nanoseconds) { return Instant(Duration(nanoseconds)); }

struct Recorder : Timer {
  explicit Recorder(std::vector<Instant>& into) : fired(&into) {
    fire = [](Timer& timer) { static_cast<Recorder&>(timer).fired->push_back(timer.at); };
  }
  std::vector<Instant>* fired;
};

TEST(TimerWheel, fires_what_is_due_in_the_order_of_the_times) {
  TimerWheel wheel(at(1'000));
  std::vector<Instant> fired;
  std::deque<Recorder> timers;
  for (const std::int64_t time : {5'000'000, 1'001, 900, 70'000, 5'000'001, 4'999'999}) {
    timers.emplace_back(fired).at = at(time);
    wheel.add(timers.back());
  }
  EXPECT_EQ(wheel.fire_due(at(1'000)), 1u);
  EXPECT_EQ(wheel.fire_due(at(4'999'999)), 3u);
  EXPECT_EQ(wheel.next(), at(5'000'000));
  EXPECT_EQ(wheel.fire_due(at(10'000'000)), 2u);
  EXPECT_EQ(fired, (std::vector{at(900), at(1'001), at(70'000), at(4'999'999), at(5'000'000),
                                at(5'000'001)}));
  EXPECT_EQ(wheel.next(), Instant::max());
}

TEST(TimerWheel, fires_as_many_as_asked_for_and_keeps_the_others_due) {
  TimerWheel wheel(at(0));
  std::vector<Instant> fired;
  std::deque<Recorder> timers;
  for (const std::int64_t time : {30, 10, 50'000, 20}) {
    timers.emplace_back(fired).at = at(time);
    wheel.add(timers.back());
  }
  EXPECT_EQ(wheel.fire_due(at(100'000), 2), 2u);
  EXPECT_EQ(fired, (std::vector{at(10), at(20)}));
  EXPECT_TRUE(wheel.has_due(at(100'000)));
  EXPECT_EQ(wheel.fire_due(at(100'000), 2), 2u);
  EXPECT_EQ(fired, (std::vector{at(10), at(20), at(30), at(50'000)}));
  EXPECT_EQ(wheel.fire_due(at(100'000), 2), 0u);
  EXPECT_EQ(wheel.next(), Instant::max());
}

struct PatientRecorder : Recorder {
  explicit PatientRecorder(std::vector<Instant>& into) : Recorder(into) { is_patient = true; }
};

TEST(TimerWheel, a_patient_timer_fires_when_it_was_wanted_last) {
  TimerWheel wheel(at(0));
  std::vector<Instant> fired;
  PatientRecorder timer(fired);
  wheel.want(timer, at(1'000));
  TimerWheel::want_no_more(timer);
  wheel.want(timer, at(70'000));
  wheel.want(timer, at(500'000));
  EXPECT_EQ(wheel.fire_due(at(499'999)), 0u);
  EXPECT_EQ(wheel.next(), at(500'000));
  wheel.want(timer, at(499'999));  // earlier than where it is by now
  EXPECT_EQ(wheel.fire_due(at(499'999)), 1u);
  EXPECT_EQ(fired, std::vector{at(499'999)});
  EXPECT_EQ(wheel.next(), Instant::max());
}

TEST(TimerWheel, a_patient_timer_that_is_not_wanted_is_not_there) {
  TimerWheel wheel(at(0));
  std::vector<Instant> fired;
  PatientRecorder timer(fired);
  PatientRecorder other(fired);
  wheel.want(timer, at(1'000));
  wheel.want(other, at(2'000'000));
  TimerWheel::want_no_more(timer);
  EXPECT_EQ(wheel.next(), at(2'000'000));
  wheel.want(timer, at(3'000'000));
  TimerWheel::want_no_more(other);
  TimerWheel::want_no_more(timer);
  EXPECT_EQ(wheel.fire_due(at(5'000'000)), 0u);
  EXPECT_EQ(wheel.next(), Instant::max());
  EXPECT_TRUE(fired.empty());
}

TEST(TimerWheel, a_patient_timer_moves_to_the_wheel_it_is_wanted_from) {
  TimerWheel first(at(0));
  TimerWheel second(at(0));
  std::vector<Instant> fired;
  PatientRecorder timer(fired);
  first.want(timer, at(1'000));
  second.want(timer, at(2'000));
  EXPECT_EQ(first.next(), Instant::max());
  EXPECT_EQ(second.next(), at(2'000));
  EXPECT_TRUE(TimerWheel::remove(timer));
  EXPECT_EQ(second.next(), Instant::max());
}

TEST(TimerWheel, one_that_is_put_off_while_it_is_due_does_not_fire_yet) {
  TimerWheel wheel(at(0));
  std::vector<Instant> fired;
  PatientRecorder first(fired);
  PatientRecorder second(fired);
  wheel.want(first, at(10));
  wheel.want(second, at(20));
  EXPECT_EQ(wheel.fire_due(at(100), 1), 1u);
  wheel.want(second, at(200));
  EXPECT_EQ(wheel.fire_due(at(100)), 0u);
  EXPECT_EQ(wheel.fire_due(at(200)), 1u);
  EXPECT_EQ(fired, (std::vector{at(10), at(200)}));
}

TEST(TimerWheel, two_who_read_the_clock_apart_fire_each_timer_once) {
  TimerWheel wheel(at(0));
  std::vector<Instant> fired;
  PatientRecorder first(fired);
  PatientRecorder second(fired);
  for (PatientRecorder* each : {&first, &second}) {
    each->at = each->wanted = at(5'000);
    wheel.add(*each);
  }
  EXPECT_EQ(wheel.fire_due(at(5'001), 1), 1u);
  // By one whose time has not come when he looked; the wheel knows better.
  EXPECT_EQ(wheel.fire_due(at(4'999), 64), 1u);
  EXPECT_EQ(fired.size(), 2u);
}

// Against a plain sorted list: random adds, removals and steps of time.
TEST(TimerWheel, agrees_with_a_sorted_list_whatever_is_added_and_removed) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 200; ++round) {
    std::int64_t now = static_cast<std::int64_t>(random() % 1'000'000'000'000);
    TimerWheel wheel(at(now));
    std::vector<Instant> fired;
    std::deque<Recorder> timers;
    std::vector<Recorder*> inside;
    for (int step = 0; step < 100; ++step) {
      const std::int64_t reach = std::int64_t{1} << (random() % 45);
      Recorder& timer = timers.emplace_back(fired);
      timer.at = at(now + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(reach)));
      wheel.add(timer);
      inside.push_back(&timer);
      if (random() % 3 == 0) {
        const std::size_t which = random() % inside.size();
        EXPECT_TRUE(TimerWheel::remove(*inside[which]));
        EXPECT_FALSE(TimerWheel::remove(*inside[which]));
        inside.erase(inside.begin() + static_cast<std::ptrdiff_t>(which));
      }
      if (random() % 4 != 0) continue;
      now += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(reach));
      fired.clear();
      wheel.fire_due(at(now));
      std::vector<Instant> expected;
      for (const Recorder* timer_inside : inside) {
        if (timer_inside->at <= at(now)) expected.push_back(timer_inside->at);
      }
      std::sort(expected.begin(), expected.end());
      ASSERT_EQ(fired, expected);
      std::erase_if(inside, [&](const Recorder* it) { return it->at <= at(now); });
      Instant earliest = Instant::max();
      for (const Recorder* it : inside) earliest = std::min(earliest, it->at);
      ASSERT_LE(wheel.next(), earliest);
      if (inside.size() < 64) {
        ASSERT_EQ(wheel.next(), earliest);
      }
    }
    for (Recorder* timer : inside) EXPECT_TRUE(TimerWheel::remove(*timer));
  }
}

TEST(TimerWheel, a_timer_that_refuses_is_not_fired) {
  TimerWheel wheel(at(0));
  std::vector<Instant> fired;
  Recorder timer(fired);
  timer.at = at(5);
  timer.claim = [](Timer&) { return false; };
  wheel.add(timer);
  EXPECT_EQ(wheel.fire_due(at(5)), 1u);
  EXPECT_TRUE(fired.empty());
  EXPECT_FALSE(TimerWheel::remove(timer));
}

TEST(TimerWheel, tells_a_timer_when_it_goes_first) {
  int abandoned = 0;
  struct Counting : Timer {
    int* count;
  } timer;
  timer.count = &abandoned;
  timer.at = at(1'000'000'000);
  timer.abandon = [](Timer& it) { ++*static_cast<Counting&>(it).count; };
  {
    TimerWheel wheel(at(0));
    wheel.add(timer);
  }
  EXPECT_EQ(abandoned, 1);
  // AddressSanitizer sees a look at the wheel that is gone.
  EXPECT_FALSE(TimerWheel::remove(timer));
}

TEST(TimerWheel, a_time_before_the_beginning_or_at_the_end_of_all_time_does_no_harm) {
  TimerWheel wheel(at(100));
  std::vector<Instant> fired;
  Recorder early(fired);
  Recorder late(fired);
  early.at = Instant::min();
  late.at = at(Instant::max().time_since_epoch().count() - 1);
  wheel.add(early);
  wheel.add(late);
  EXPECT_EQ(wheel.fire_due(at(100)), 1u);
  EXPECT_EQ(wheel.next(), late.at);
  EXPECT_TRUE(TimerWheel::remove(late));
}

}  // namespace
}  // namespace parley::rt::impl
