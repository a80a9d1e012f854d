// Go's language specification on channels, select and the go statement, a rule a row; what already
// had a test of its own is in channel_test.cc and select_test.cc. docs/go-semantics.md lists them
// all, with what is different here and why.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/scope.h"
#include "parley/rt/select.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;
using testing::wait_until_waiting;

const testing::Sentence channel_types[] = {
    {"any number of fibers send, receive and ask for len and cap; each value is received once",
     [] {
       constexpr int each = 200;
       Channel<int> channel(3);
       std::array<std::atomic<int>, 4 * each> received{};
       std::atomic<int> senders = 4;
       Scope scope;
       for (int k = 0; k < 4; ++k) {
         scope.go("sender", [&, k] {
           for (int i = 0; i < each; ++i) EXPECT_TRUE(channel.send(k * each + i).is_ok());
           if (--senders == 0) channel.close();
         });
         scope.go("receiver", [&] {
           for (const int value : channel) ++received[static_cast<std::size_t>(value)];
         });
         scope.go("observer", [&] { EXPECT_LE(channel.size(), channel.capacity()); });
       }
       scope.join();
       for (const std::atomic<int>& count : received) EXPECT_EQ(count, 1);
     }},
    {"values of one sender arrive in its order, also when others send in between",
     [] {
       Channel<std::pair<int, int>> channel(2);
       Scope scope;
       for (int k = 0; k < 2; ++k) {
         scope.go("sender", [&, k] {
           for (int i = 0; i < 100; ++i) EXPECT_TRUE(channel.send({k, i}).is_ok());
         });
       }
       std::array<int, 2> next{};
       for (int i = 0; i < 200; ++i) {
         const auto [sender, number] = *channel.receive();
         EXPECT_EQ(number, next[static_cast<std::size_t>(sender)]++);
       }
     }},
    {"a channel may carry where to answer to",
     [] {
       struct Question {
         int number = 0;
         Channel<int>* answer = nullptr;
       };
       Channel<Question> questions;
       Scope scope;
       scope.go("doubler", [&] {
         for (const Question& question : questions) {
           EXPECT_TRUE(question.answer->send(2 * question.number).is_ok());
         }
       });
       for (int i = 0; i < 10; ++i) {
         Channel<int> answer(1);
         EXPECT_TRUE(questions.send({i, &answer}).is_ok());
         EXPECT_EQ(*answer.receive(), 2 * i);
       }
       questions.close();
     }},
};

TEST(GoChannel, is_shared_and_ordered_as_the_specification_says) { testing::check(channel_types); }

struct LengthRow {
  const char* says;
  std::size_t capacity;
  int sent;
  int received;
  bool closed;
  std::size_t length;
};

constexpr LengthRow length_rows[] = {
    {"of an unbuffered channel both are 0", 0, 0, 0, false, 0},
    {"a new one holds nothing", 3, 0, 0, false, 0},
    {"len counts what is stored", 3, 2, 0, false, 2},
    {"and not what was received", 3, 3, 1, false, 2},
    {"a full one holds its capacity", 3, 3, 0, false, 3},
    {"closing changes neither", 3, 2, 0, true, 2},
    {"what is received after the close counts down", 3, 2, 1, true, 1},
};

PARLEY_FIBER_TEST(GoChannel, length_and_capacity_are_gos) {
  for (const LengthRow& row : length_rows) {
    Channel<int> channel(row.capacity);
    for (int i = 0; i < row.sent; ++i) EXPECT_TRUE(channel.send(i).is_ok());
    if (row.closed) channel.close();
    for (int i = 0; i < row.received; ++i) EXPECT_EQ(*channel.receive(), i) << row.says;
    EXPECT_EQ(channel.size(), row.length) << row.says;
    EXPECT_EQ(channel.capacity(), row.capacity) << row.says;
  }
}

// What waits when a channel is closed, and what comes afterwards: "Close", "Send statements",
// "Receive operator".
const testing::Sentence closing[] = {
    {"a receive after the close gets what was stored, in order, then the end, for ever",
     [] {
       Channel<int> channel(3);
       for (int i = 1; i <= 3; ++i) EXPECT_TRUE(channel.send(i).is_ok());
       channel.close();
       for (int i = 1; i <= 3; ++i) EXPECT_EQ(*channel.receive(), i);
       for (int i = 0; i < 3; ++i) {
         EXPECT_EQ(channel.receive().error().code(), Code::out_of_range);
       }
     }},
    {"the zero value that was sent and the end are told apart",
     [] {
       Channel<int> channel(1);
       EXPECT_TRUE(channel.send(0).is_ok());
       channel.close();
       EXPECT_TRUE(channel.receive().has_value());
       EXPECT_FALSE(channel.receive().has_value());
     }},
    {"senders that wait fail, and what was stored before them is still received",
     [] {
       Channel<int> channel(1);
       EXPECT_TRUE(channel.send(1).is_ok());
       Scope scope;
       for (int i = 0; i < 3; ++i) {
         scope.go("sender", [&] { EXPECT_EQ(channel.send(2).code(), Code::failed_precondition); });
       }
       wait_until_waiting("channel send", 3);
       channel.close();
       scope.join();
       EXPECT_EQ(*channel.receive(), 1);
       EXPECT_EQ(channel.receive().error().code(), Code::out_of_range);
     }},
};

TEST(GoChannel, closing_ends_what_gos_close_ends) { testing::check(closing); }

const testing::Sentence ranges[] = {
    {"a range receives until the channel is closed and empty",
     [] {
       Channel<int> channel(1);
       Scope scope;
       scope.go("sender", [&] {
         for (int i = 0; i < 20; ++i) EXPECT_TRUE(channel.send(i).is_ok());
         channel.close();
       });
       int next = 0;
       for (const int value : channel) EXPECT_EQ(value, next++);
       EXPECT_EQ(next, 20);
     }},
    {"over a closed and empty channel it runs not once",
     [] {
       Channel<int> channel;
       channel.close();
       for ([[maybe_unused]] const int value : channel) ADD_FAILURE() << value;
     }},
    {"a break takes only what the loop has seen",
     [] {
       Channel<int> channel(3);
       for (int i = 1; i <= 3; ++i) EXPECT_TRUE(channel.send(i).is_ok());
       for (const int value : channel) {
         if (value == 1) break;
       }
       EXPECT_EQ(channel.size(), 2u);
       EXPECT_EQ(*channel.receive(), 2);
     }},
    {"ours: it ends with the context of its fiber too, and the context tells which it was",
     [] {
       Channel<int> channel;
       Scope scope;
       Status why;
       scope.go("ranger", [&] {
         for ([[maybe_unused]] const int value : channel) ADD_FAILURE() << value;
         why = Context::current().status();
       });
       wait_until_waiting("channel receive", 1);
       scope.cancel(Status(Code::aborted, "enough"));
       scope.join();
       EXPECT_EQ(why.code(), Code::aborted);
       EXPECT_FALSE(channel.is_closed());
     }},
};

TEST(GoChannel, a_range_ends_where_gos_ends) { testing::check(ranges); }

const testing::Sentence selects[] = {
    {"the values of all sends are made, though one is sent",
     [] {
       Channel<int> ready(1);
       Channel<int> never;
       int made = 0;
       const auto make = [&] { return ++made; };
       EXPECT_TRUE(select(on_send(ready, make(), [] {}), on_send(never, make(), [] {})).is_ok());
       EXPECT_EQ(made, 2);
       EXPECT_EQ(ready.size(), 1u);
     }},
    {"only the function of the chosen case runs, once",
     [] {
       Channel<int> ready(1);
       Channel<int> never;
       EXPECT_TRUE(ready.send(1).is_ok());
       int ran = 0;
       EXPECT_TRUE(select(on_receive(ready, [&] { ++ran; }), on_receive(never, [&] { ran += 10; }),
                          on_send(never, 1, [&] { ran += 10; }), otherwise([&] { ran += 10; }))
                       .is_ok());
       EXPECT_EQ(ran, 1);
     }},
    {"one channel in several cases gives one value to one of them",
     [] {
       Channel<int> channel;
       Scope scope;
       scope.go("sender", [&] {
         EXPECT_TRUE(channel.send(1).is_ok());
         EXPECT_TRUE(channel.send(2).is_ok());
       });
       std::vector<int> received;
       const auto take = [&](const Result<int>& value) { received.push_back(*value); };
       for (int i = 0; i < 2; ++i) {
         EXPECT_TRUE(select(on_receive(channel, take), on_receive(channel, take)).is_ok());
       }
       EXPECT_EQ(received, (std::vector<int>{1, 2}));
     }},
    {"a closed channel is always ready, and does not starve the others",
     [] {
       Channel<int> closed;
       Channel<int> open(1);
       closed.close();
       int ends = 0;
       int values = 0;
       while (ends < 20 || values < 20) {
         int value = 1;
         (void)open.try_send(value);
         EXPECT_TRUE(
             select(on_receive(closed, [&] { ++ends; }), on_receive(open, [&] { ++values; }))
                 .is_ok());
       }
     }},
    {"its functions may use the channels, and select again",
     [] {
       Channel<int> a(1);
       Channel<int> b(1);
       EXPECT_TRUE(a.send(1).is_ok());
       int got = 0;
       EXPECT_TRUE(select(on_receive(a, [&](const Result<int>& value) {
                     EXPECT_TRUE(a.send(*value + 1).is_ok());
                     EXPECT_TRUE(select(on_send(b, 3, [] {}), on_receive(b, [] {})).is_ok());
                     got = *a.receive() + *b.receive();
                   })).is_ok());
       EXPECT_EQ(got, 5);
     }},
    {"of nil channels only, or of no case, it waits until its context ends",
     [] {
       Channel<int>* const nil = nullptr;
       auto [context, cancel] = Context::current().with_timeout(1ms);
       const WithContext bound(context);
       EXPECT_EQ(select(on_receive(nil, [] { ADD_FAILURE(); }), on_send(nil, 1, [] {})).code(),
                 Code::deadline_exceeded);
       EXPECT_EQ(select().code(), Code::deadline_exceeded);
     }},
    {"a case that is switched off with nil lets the others be",
     [] {
       Channel<int> off(1);
       Channel<int> on(1);
       EXPECT_TRUE(off.send(1).is_ok());
       EXPECT_TRUE(on.send(2).is_ok());
       Channel<int>* const nil = nullptr;
       int got = 0;
       EXPECT_TRUE(select(on_receive(nil, [] { ADD_FAILURE(); }),
                          on_receive(on, [&](const Result<int>& value) { got = *value; }))
                       .is_ok());
       EXPECT_EQ(got, 2);
       EXPECT_EQ(off.size(), 1u);
     }},
    {"a send that waits in a select is told of the close (Go panics)",
     [] {
       Channel<int> channel;
       Channel<int> never;
       Scope scope;
       scope.go("closer", [&] {
         wait_until_waiting("select", 1);
         channel.close();
       });
       Code code = Code::ok;
       EXPECT_TRUE(select(on_receive(never, [] { ADD_FAILURE(); }),
                          on_send(channel, 1, [&](const Status& status) { code = status.code(); }))
                       .is_ok());
       EXPECT_EQ(code, Code::failed_precondition);
     }},
};

TEST(GoSelect, does_what_the_specification_says) { testing::check(selects); }

const testing::Sentence go_statements[] = {
    {"what the function captures by value is copied where go is called",
     [] {
       int value = 1;
       std::atomic<int> seen = 0;
       Scope scope;
       scope.go("reader", [value, &seen] { seen = value; });
       value = 2;
       scope.join();
       EXPECT_EQ(seen, 1);
     }},
    {"each turn of a loop captures its own value",
     [] {
       std::array<std::atomic<int>, 4> seen{};
       Scope scope;
       for (std::size_t i = 0; i < seen.size(); ++i) {
         scope.go("turn", [&seen, i] { ++seen[i]; });
       }
       scope.join();
       for (const std::atomic<int>& count : seen) EXPECT_EQ(count, 1);
     }},
    {"go does not wait for the fiber it starts",
     [] {
       Channel<int> channel;
       Scope scope;
       scope.go("waits for what comes later", [&] { EXPECT_EQ(*channel.receive(), 1); });
       EXPECT_TRUE(channel.send(1).is_ok());
     }},
    {"what was made in the fiber is destroyed at its end, the last first",
     [] {
       struct Noted {
         std::string* order;
         char name;
         Noted(std::string* to, char as) : order(to), name(as) {}
         Noted(const Noted&) = delete;
         Noted& operator=(const Noted&) = delete;
         ~Noted() { *order += name; }
       };
       std::string order;
       Scope scope(OnExit::cancel);
       Channel<int> never;
       scope.go("cancelled", [&] {
         const Noted first(&order, 'a');
         const Noted second(&order, 'b');
         EXPECT_FALSE(never.receive().has_value());
       });
       wait_until_waiting("channel receive", 1);
       scope.cancel();
       scope.join();
       EXPECT_EQ(order, "ba");
     }},
};

TEST(GoStatement, does_what_the_specification_says) { testing::check(go_statements); }

TEST(GoStatement, ours_the_program_waits_for_every_fiber_of_its_scopes) {
  bool finished = false;
  EXPECT_EQ(parley::run([&] {
              Scope scope;
              scope.go("slow", [&] {
                yield();
                finished = true;
              });
              return 3;
            }),
            3);
  EXPECT_TRUE(finished);
}

TEST(GoStatement, ours_what_belongs_to_one_place_cannot_be_copied) {
  static_assert(!std::is_copy_constructible_v<Channel<int>>);
  static_assert(!std::is_move_constructible_v<Channel<int>>);
  static_assert(!std::is_copy_constructible_v<Scope>);
  static_assert(!std::is_move_constructible_v<Scope>);
  EXPECT_TRUE(std::is_copy_constructible_v<Context>) << "a context is passed along freely";
}

}  // namespace
}  // namespace parley::rt
