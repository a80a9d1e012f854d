#include "parley/rt/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

const testing::Sentence pool_sentences[] = {
    {"get makes an object when none is kept, and gives one that was put otherwise",
     [] {
       int made = 0;
       Pool<std::unique_ptr<int>> pool([&] { return std::make_unique<int>(++made); });
       auto first = pool.get();
       auto second = pool.get();
       EXPECT_EQ(made, 2);
       const int* address = first.get();
       pool.put(std::move(first));
       EXPECT_EQ(pool.get().get(), address);
       EXPECT_EQ(made, 2);
     }},
    {"an object is kept as it was put",
     [] {
       Pool<std::string> pool([] { return std::string("new"); });
       EXPECT_EQ(pool.try_get(), std::nullopt);
       pool.put("used");
       EXPECT_EQ(pool.size(), 1u);
       EXPECT_EQ(pool.get(), "used");
       EXPECT_EQ(pool.get(), "new");
     }},
    {"more than max_kept_per_worker is dropped",
     [] {
       auto alive = std::make_shared<int>(0);
       for (const std::size_t kept : {std::size_t{0}, std::size_t{2}}) {
         Pool<std::shared_ptr<int>> pool([&] { return alive; }, {.max_kept_per_worker = kept});
         for (int i = 0; i < 5; ++i) pool.put(alive);
         EXPECT_EQ(pool.size(), kept);
         EXPECT_EQ(alive.use_count(), 1 + static_cast<long>(kept));
       }
     }},
    {"clear drops all that is kept",
     [] {
       auto alive = std::make_shared<int>(0);
       Pool<std::shared_ptr<int>> pool([&] { return alive; });
       pool.put(alive);
       pool.clear();
       EXPECT_EQ(alive.use_count(), 1);
       pool.put(alive);
       EXPECT_EQ(pool.size(), 1u);
     }},
    {"what one worker put another can get",
     [] {
       Pool<int> pool([] { return 0; });
       Scope scope;
       scope.go("putter", [&] { pool.put(7); });
       testing::wait_until([&] { return pool.size() == 1; });
       EXPECT_EQ(pool.get(), 7);
     }},
    {"nobody gets an object that another has",
     [] {
       std::atomic<int> made{0};
       Pool<std::unique_ptr<std::atomic<bool>>> pool([&] {
         ++made;
         return std::make_unique<std::atomic<bool>>(false);
       });
       Scope scope;
       for (int i = 0; i < 8; ++i) {
         scope.go("user", [&] {
           for (int k = 0; k < 300; ++k) {
             auto object = pool.get();
             EXPECT_FALSE(object->exchange(true));
             if (k % 3 == 0) yield();
             object->store(false);
             pool.put(std::move(object));
           }
         });
       }
       scope.join();
       EXPECT_LT(made, 8 * 300) << "what is there is used again";
     }},
};

TEST(Pool, does_what_is_said_of_it) { testing::check(pool_sentences); }

TEST(Pool, can_be_used_outside_a_fiber) {
  Pool<int> pool([] { return 1; });
  pool.put(2);
  EXPECT_EQ(pool.get(), 2);
  EXPECT_EQ(pool.get(), 1);
}

TEST(Pool, needs_a_function_that_makes_objects) {
  EXPECT_DEATH(Pool<int>(nullptr), "needs a function");
}

}  // namespace
}  // namespace parley::rt
