#include "parley/rt/concurrent_map.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using Map = ConcurrentMap<std::string, int>;

const testing::Sentence concurrent_map_sentences[] = {
    {"a new one is empty and ready for use",
     [] {
       Map map;
       EXPECT_EQ(map.size(), 0u);
       EXPECT_EQ(map.load("tea"), std::nullopt);
       EXPECT_FALSE(map.contains("tea"));
     }},
    {"load returns what was stored last",
     [] {
       Map map;
       map.store("tea", 1);
       map.store("tea", 2);
       EXPECT_EQ(map.load("tea"), 2);
       EXPECT_TRUE(map.contains("tea"));
       EXPECT_EQ(map.size(), 1u);
     }},
    {"exchange stores and returns what was there",
     [] {
       Map map;
       EXPECT_EQ(map.exchange("tea", 1), std::nullopt);
       EXPECT_EQ(map.exchange("tea", 2), 1);
       EXPECT_EQ(map.load("tea"), 2);
     }},
    {"load_or_store returns what is there and true, or stores and returns that and false",
     [] {
       Map map;
       EXPECT_EQ(map.load_or_store("tea", 1), std::pair(1, false));
       EXPECT_EQ(map.load_or_store("tea", 2), std::pair(1, true));
     }},
    {"load_and_erase takes out and returns; erase tells whether there was something",
     [] {
       Map map;
       map.store("tea", 1);
       EXPECT_EQ(map.load_and_erase("tea"), 1);
       EXPECT_EQ(map.load_and_erase("tea"), std::nullopt);
       EXPECT_FALSE(map.erase("tea"));
       map.store("tea", 2);
       EXPECT_TRUE(map.erase("tea"));
       EXPECT_EQ(map.size(), 0u);
     }},
    {"compare_and_swap and compare_and_erase act only on the expected value",
     [] {
       Map map;
       EXPECT_FALSE(map.compare_and_swap("tea", 0, 1));
       map.store("tea", 1);
       EXPECT_FALSE(map.compare_and_swap("tea", 2, 3));
       EXPECT_TRUE(map.compare_and_swap("tea", 1, 2));
       EXPECT_FALSE(map.compare_and_erase("tea", 1));
       EXPECT_EQ(map.load("tea"), 2);
       EXPECT_TRUE(map.compare_and_erase("tea", 2));
       EXPECT_FALSE(map.contains("tea"));
     }},
    {"compute sees the value or nothing, and stores or erases what it leaves",
     [] {
       Map map;
       const auto count = [](std::optional<int>& value) { value = value.value_or(0) + 1; };
       EXPECT_EQ(map.compute("tea", count), 1);
       EXPECT_EQ(map.compute("tea", count), 2);
       EXPECT_EQ(map.compute("tea", [](std::optional<int>& value) { value.reset(); }),
                 std::nullopt);
       EXPECT_FALSE(map.contains("tea"));
       EXPECT_EQ(map.compute("tea", [](std::optional<int>&) {}), std::nullopt);
       EXPECT_EQ(map.size(), 0u);
     }},
    {"compute keeps what a change that throws leaves, not what it was moved from",
     [] {
       ConcurrentMap<std::string, std::string> map;
       const std::string tea(100, 't');
       map.store("tea", tea);
       const auto fails = [](std::optional<std::string>& value) {
         value = value.value_or("") + "!";
         throw std::runtime_error("no");
       };
       EXPECT_THROW(map.compute("tea", fails), std::runtime_error);
       EXPECT_EQ(map.load("tea"), tea + "!");
       EXPECT_THROW(map.compute("rum", fails), std::runtime_error);
       EXPECT_EQ(map.load("rum"), "!");
     }},
    {"for_each visits each entry once, and ends when the visitor returns false",
     [] {
       ConcurrentMap<int, int> map;
       for (int i = 0; i < 100; ++i) map.store(i, i * i);
       std::map<int, int> seen;
       map.for_each([&](int key, int value) { EXPECT_TRUE(seen.emplace(key, value).second); });
       EXPECT_EQ(seen.size(), 100u);
       EXPECT_EQ(seen[7], 49);
       int visited = 0;
       map.for_each([&](int, int) { return ++visited < 3; });
       EXPECT_EQ(visited, 3);
     }},
    {"the visitor may use the map",
     [] {
       ConcurrentMap<int, int> map;
       for (int i = 0; i < 100; ++i) map.store(i, i);
       map.for_each([&](int key, int) {
         map.erase(key);
         map.store(key + 1000, key);
         if (key >= 1000) map.erase(key);
       });
       map.for_each([&](int key, int) { EXPECT_GE(key, 1000); });
     }},
    {"clear erases all",
     [] {
       ConcurrentMap<int, int> map;
       for (int i = 0; i < 100; ++i) map.store(i, i);
       map.clear();
       EXPECT_EQ(map.size(), 0u);
     }},
    {"of fibers that store for the same key at once, one is first",
     [] {
       Map map;
       std::atomic<int> first{0};
       Scope scope;
       for (int i = 0; i < 8; ++i) {
         scope.go("storer", [&, i] {
           if (!map.load_or_store("tea", i).second) ++first;
         });
       }
       scope.join();
       EXPECT_EQ(first, 1);
     }},
};

TEST(ConcurrentMap, does_what_is_said_of_it) { testing::check(concurrent_map_sentences); }

TEST(ConcurrentMap, loses_no_change_under_stress) {
  testing::run_fiber_test(
      [] {
        ConcurrentMap<int, int> map;
        constexpr int rounds = 3'000;
        Scope scope;
        for (int i = 0; i < 8; ++i) {
          scope.go("fiber", [&, i] {
            for (int k = 0; k < rounds; ++k) {
              const int key = (k * 7 + i) % 16;
              map.compute(key, [](std::optional<int>& value) { value = value.value_or(0) + 1; });
              EXPECT_GE(map.load(key).value_or(0), 1);
              if (k % 64 == 0) map.for_each([](int, int count) { EXPECT_GE(count, 1); });
              if (k % 16 == 0) yield();
            }
          });
        }
        scope.join();
        int sum = 0;
        map.for_each([&](int, int count) { sum += count; });
        EXPECT_EQ(sum, 8 * rounds);
      },
      {.workers = 4});
}

}  // namespace
}  // namespace parley::rt
