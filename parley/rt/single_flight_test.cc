#include "parley/rt/single_flight.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;
using testing::wait_until_waiting;

using Flights = SingleFlight<std::string, int>;

const testing::Sentence single_flight_sentences[] = {
    {"call returns what the function returned",
     [] {
       Scope scope;
       Flights flights(scope);
       auto got = flights.call("tea", [] { return 7; });
       ASSERT_TRUE(got.has_value());
       EXPECT_EQ(got->value, 7);
       EXPECT_FALSE(got->shared);
       EXPECT_EQ(flights.in_flight(), 0u);
     }},
    {"an error comes to the caller as it is, and is not kept",
     [] {
       Scope scope;
       Flights flights(scope);
       const auto fails = []() -> Result<int> { return Status(Code::not_found, "no tea"); };
       EXPECT_EQ(flights.call("tea", fails).error(), Status(Code::not_found, "no tea"));
       EXPECT_EQ(flights.call("tea", [] { return 1; })->value, 1);
     }},
    {"those who ask meanwhile wait for the same call and learn that it was shared",
     [] {
       Event go_on;  // used by the calls, which the scope joins
       Scope flying;
       Flights flights(flying);
       std::atomic<int> called{0};
       std::atomic<int> shared{0};
       Scope scope;
       for (int i = 0; i < 5; ++i) {
         scope.go("caller", [&] {
           auto got = flights.call("tea", [&] {
             EXPECT_TRUE(go_on.wait().is_ok());
             return ++called;
           });
           EXPECT_EQ(got->value, 1);
           if (got->shared) ++shared;
         });
       }
       wait_until_waiting("event", 6);
       EXPECT_EQ(flights.in_flight(), 1u);
       go_on.set();
       scope.join();
       EXPECT_EQ(called, 1);
       EXPECT_EQ(shared, 5);
     }},
    {"calls for different keys are different calls",
     [] {
       Scope flying;
       Flights flights(flying);
       auto got =
           flights.call("tea", [&] { return flights.call("milk", [] { return 2; })->value + 1; });
       EXPECT_EQ(got->value, 3);
     }},
    {"after forget the next caller starts a call of its own, and the first still lands",
     [] {
       Event go_on;  // used by the calls, which the scope joins
       Scope flying;
       Flights flights(flying);
       Scope scope;
       scope.go("first", [&] {
         auto got = flights.call("tea", [&] {
           EXPECT_TRUE(go_on.wait().is_ok());
           return 1;
         });
         EXPECT_EQ(got->value, 1);
       });
       wait_until_waiting("event", 2);
       flights.forget("tea");
       EXPECT_EQ(flights.call("tea", [] { return 2; })->value, 2);
       go_on.set();
     }},
    {"cancelling the first caller does not fail the others",
     [] {
       Event go_on;  // used by the calls, which the scope joins
       Scope flying;
       Flights flights(flying);
       const auto slow = [&]() -> Result<int> {
         if (Status status = go_on.wait(); !status.is_ok()) return status;
         return 5;
       };
       Scope first;
       first.go("first",
                [&] { EXPECT_EQ(flights.call("tea", slow).error().code(), Code::cancelled); });
       wait_until_waiting("event", 2);
       Scope others;
       others.go("other", [&] {
         auto got = flights.call("tea", slow);
         EXPECT_TRUE(got.has_value()) << got.error();
         EXPECT_EQ(got->value, 5);
       });
       wait_until_waiting("event", 3);
       first.cancel();
       first.join();
       go_on.set();
     }},
    {"a deadline ends the wait of its caller",
     [] {
       Event go_on;  // used by the calls, which the scope joins
       Scope flying;
       Flights flights(flying);
       const auto slow = [&] {
         (void)go_on.wait();
         return 5;
       };
       auto got = flights.call("tea", slow, Deadline::after(1ms));
       EXPECT_EQ(got.error().code(), Code::deadline_exceeded);
     }},
    {"when all callers have gone the call is cancelled, and the next one starts another",
     [] {
       Event never;
       Event ended;
       Status seen;
       Scope flying;
       Flights flights(flying);
       const auto slow = [&]() -> Result<int> {
         seen = never.wait();
         ended.set();
         return seen;
       };
       (void)flights.call("tea", slow, Deadline::after(1ms));
       EXPECT_EQ(flights.in_flight(), 0u);
       EXPECT_TRUE(ended.wait().is_ok());
       EXPECT_EQ(seen.code(), Code::cancelled);
       EXPECT_EQ(flights.call("tea", [] { return 3; })->value, 3);
     }},
    {"a call in flight may outlive the SingleFlight",
     [] {
       Event go_on;
       Scope flying;
       auto flights = std::make_unique<Flights>(flying);
       const auto slow = [&]() -> Result<int> {
         const WithContext bound(Context::background());
         (void)go_on.wait();
         return 1;
       };
       (void)flights->call("tea", slow, Deadline::after(1ms));
       flights.reset();
       go_on.set();
     }},
};

TEST(SingleFlight, does_what_is_said_of_it) { testing::check(single_flight_sentences); }

TEST(SingleFlight, makes_one_call_at_a_time_for_a_key_under_stress) {
  testing::run_fiber_test(
      [] {
        Scope flying;
        SingleFlight<int, int> flights(flying);
        std::array<std::atomic<int>, 4> inside{};
        Scope scope;
        for (int i = 0; i < 8; ++i) {
          scope.go("caller", [&, i] {
            for (int k = 0; k < 300; ++k) {
              const int key = (i + k) % 4;
              auto got = flights.call(key, [&inside, key] {
                auto& here = inside[static_cast<std::size_t>(key)];
                EXPECT_EQ(++here, 1);
                yield();
                --here;
                return key;
              });
              EXPECT_EQ(got->value, key);
            }
          });
        }
        scope.join();
        EXPECT_EQ(flights.in_flight(), 0u);
      },
      {.workers = 4});
}

}  // namespace
}  // namespace parley::rt
