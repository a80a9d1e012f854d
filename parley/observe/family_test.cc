#include "parley/observe/family.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "parley/observe/limits.h"
#include "parley/observe/registry.h"

namespace parley::observe {
namespace {

// A family of one label, in a registry of its own.
struct Calls {
  explicit Calls(FamilyOptions options)
      : family(
            *registry.counters({.name = "calls", .help = "Calls."}, std::move(options)).value()) {}
  Registry registry;
  CounterFamily& family;
};

bool shows(const Registry& registry, const std::string& line) {
  return registry.open_metrics().find(line + "\n") != std::string::npos;
}

TEST(Family, gives_the_same_series_for_the_same_values) {
  Calls calls({.labels = {"method", "code"}});
  Counter& ok = calls.family.with({"/tea", "ok"});
  EXPECT_EQ(&calls.family.with({"/tea", "ok"}), &ok);
  EXPECT_NE(&calls.family.with({"/tea", "not_found"}), &ok);
  EXPECT_NE(&calls.family.with({"ok", "/tea"}), &ok);
  EXPECT_NE(&calls.family.with({"/teao", "k"}), &ok);
  EXPECT_EQ(calls.family.size(), 4u);
}

TEST(Family, counts_in_one_visible_series_beyond_its_limit) {
  for (const std::size_t limit : {std::size_t{1}, std::size_t{3}}) {
    Calls calls({.labels = {"method"}, .max_series = limit});
    Counter& first = calls.family.with({"/0"});
    for (int i = 0; i < 5; ++i) calls.family.with({"/" + std::to_string(i)}).add();
    EXPECT_EQ(calls.family.size(), limit);
    EXPECT_TRUE(calls.family.has_overflowed());
    EXPECT_TRUE(
        shows(calls.registry, "calls_total{method=\"overflow\"} " + std::to_string(5 - limit)));
    EXPECT_EQ(&calls.family.with({"/0"}), &first) << "what is known stays known";
  }
}

TEST(Family, has_no_overflow_series_while_it_has_room) {
  Calls calls({.labels = {"method"}, .max_series = 2});
  calls.family.with({"/0"}).add();
  calls.family.with({"/1"}).add();
  EXPECT_FALSE(calls.family.has_overflowed());
  EXPECT_EQ(calls.registry.open_metrics().find("overflow"), std::string::npos);
}

TEST(Family, counts_values_that_are_too_long_in_the_overflow_series) {
  Calls calls({.labels = {"method"}});
  calls.family.with({std::string(limits::label_value_bytes, 'a')}).add();
  EXPECT_FALSE(calls.family.has_overflowed());
  calls.family.with({std::string(limits::label_value_bytes + 1, 'a')}).add();
  calls.family.with({std::string(1 << 20, 'b')}).add();
  EXPECT_EQ(calls.family.size(), 1u);
  EXPECT_TRUE(shows(calls.registry, "calls_total{method=\"overflow\"} 2"));
}

TEST(Family, shows_a_value_that_reads_overflow_in_the_same_series) {
  Calls calls({.labels = {"method"}, .max_series = 1});
  calls.family.with({"overflow"}).add();
  calls.family.with({"/0"}).add();
  calls.family.with({"/1"}).add();
  EXPECT_TRUE(shows(calls.registry, "calls_total{method=\"overflow\"} 2"));
}

TEST(Family, takes_bytes_that_are_no_text) {
  Calls calls({.labels = {"method"}});
  Counter& one = calls.family.with({"a\xff"});
  EXPECT_EQ(&calls.family.with({"a\xfe"}), &one) << "both read the same";
  EXPECT_EQ(&calls.family.with({"a\xef\xbf\xbd"}), &one);
  one.add();
  EXPECT_TRUE(shows(calls.registry, "calls_total{method=\"a\xef\xbf\xbd\"} 1"));
}

TEST(Family, ends_the_program_when_values_and_labels_do_not_match) {
  Calls calls({.labels = {"method", "code"}});
  EXPECT_DEATH(calls.family.with({"/tea"}),
               "counter 'calls' has 2 labels but was asked for with 1 values");
}

TEST(Family, loses_nothing_when_many_threads_make_series_and_scrape) {
  constexpr int thread_count = 8;
  constexpr int rounds = 2'000;
  constexpr std::size_t limit = 50;
  Calls calls({.labels = {"method"}, .max_series = limit});
  std::vector<std::thread> threads;
  for (int i = 0; i < thread_count; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        calls.family.with({std::to_string(round % 100)}).add();
        if (round % 500 == 0) (void)calls.registry.open_metrics();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::uint64_t sum = 0;
  calls.family.for_each(
      [&](std::span<const std::string>, const Counter& counter) { sum += counter.value(); });
  EXPECT_EQ(sum, std::uint64_t{thread_count} * rounds);
  EXPECT_EQ(calls.family.size(), limit);
}

}  // namespace
}  // namespace parley::observe
