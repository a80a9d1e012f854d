// Streams between two peers.
#include "parley/peer/stream.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/peer/peer.h"
#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"

namespace parley {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Foreign;
using testing::Pair;
using Numbers = Stream<std::int64_t, std::int64_t>;
using Texts = Stream<std::string, std::string>;
using wire::MessageType;

// What comes, plus one, until the other side has finished.
Status add_one(Numbers& numbers) {
  for (;;) {
    const auto number = numbers.receive();
    if (!number) return number.error();
    if (!*number) return {};
    if (Status s = numbers.send(**number + 1); !s.is_ok()) return s;
  }
}

// Until the stream's end, which must be ok.
template <class In, class Out>
std::vector<In> rest_of(Stream<In, Out>& stream) {
  std::vector<In> all;
  for (;;) {
    auto one = stream.receive();
    EXPECT_TRUE(one) << one.error();
    if (!one || !*one) return all;
    all.push_back(**std::move(one));
  }
}

PARLEY_PEER_TEST(Streams, carry_messages_both_ways_in_their_order) {
  Pair pair;
  pair.server.handle_stream("/add", &add_one);
  const Session session = pair.dial();
  auto numbers = session.open<std::int64_t, std::int64_t>("/add");
  ASSERT_TRUE(numbers) << numbers.error();
  for (std::int64_t i = 0; i < 100; ++i) ASSERT_TRUE(numbers->send(i).is_ok());
  EXPECT_EQ(numbers->receive().value(), 1);
  ASSERT_TRUE(numbers->finish().is_ok());
  const std::vector<std::int64_t> rest = rest_of(*numbers);
  ASSERT_EQ(rest.size(), 99U);
  EXPECT_EQ(rest.front(), 2);
  EXPECT_EQ(rest.back(), 100);
  EXPECT_EQ(numbers->receive().value(), std::nullopt) << "the end stays the end";
  EXPECT_EQ(numbers->send(1).code(), Code::cancelled) << "the other side is done";
}

PARLEY_PEER_TEST(Streams, are_opened_by_who_was_dialled_as_well) {
  Pair pair;
  rt::Event done;
  pair.server.handle("/begin", [&](Context& context) -> Result<std::int64_t> {
    auto numbers = context.session().open<std::int64_t, std::int64_t>("/add");
    if (!numbers) return numbers.error();
    if (Status s = numbers->send(41); !s.is_ok()) return s;
    auto got = numbers->receive();
    if (!got) return got.error();
    return got->value_or(0);
  });
  pair.client.handle_stream("/add", &add_one);
  EXPECT_EQ(pair.dial().call<std::int64_t>("/begin").value(), 42);
}

PARLEY_PEER_TEST(Streams, end_with_what_their_handler_returned) {
  Pair pair;
  pair.server.handle_stream("/fails", [](Context& context, Texts& texts) -> Status {
    context.reply_metadata().set("shop", "harbour");
    (void)texts.send("before");
    return Status(Code::not_found, "no such tea").with_business_code(7);
  });
  pair.server.handle_stream("/throws", [](Texts&) { throw 7; });
  const Session session = pair.dial();
  auto fails = session.open<std::string, std::string>("/fails");
  EXPECT_EQ(fails->end_metadata().error().code(), Code::failed_precondition);
  EXPECT_EQ(fails->receive().value(), "before") << "what was sent before comes first";
  const Status end = fails->receive().error();
  EXPECT_EQ(end.code(), Code::not_found);
  EXPECT_EQ(end.business_code(), 7);
  EXPECT_EQ(fails->end_metadata()->get("shop"), "harbour");
  EXPECT_EQ(fails->send("more").code(), Code::not_found);
  auto throws = session.open<std::string, std::string>("/throws");
  EXPECT_EQ(throws->receive().error().code(), Code::internal);
}

PARLEY_PEER_TEST(Streams, of_no_method_or_of_one_that_is_called_are_refused) {
  Pair pair;
  pair.server.handle("/add", [](int a) { return a; });
  pair.server.handle_stream("/numbers", &add_one);
  const Session session = pair.dial();
  auto none = session.open<std::string, std::string>("/nubmers");
  EXPECT_NE(none->receive().error().message().find("/numbers"), std::string::npos);
  auto called = session.open<std::string, std::string>("/add");
  EXPECT_NE(called->receive().error().message().find("is no stream"), std::string::npos);
  const Status opened = session.call("/numbers").error();
  EXPECT_EQ(opened.code(), Code::invalid_argument);
  EXPECT_NE(opened.message().find("is a stream"), std::string::npos);
}

PARLEY_PEER_TEST(Streams, need_a_framing_that_has_them) {
  Pair pair({.framings = testing::raw_only()});
  const auto stream = pair.dial().open<std::string, std::string>("/numbers");
  EXPECT_EQ(stream.error().code(), Code::unimplemented);
}

PARLEY_PEER_TEST(Streams, a_message_of_another_type_is_told_and_the_stream_goes_on) {
  Pair pair;
  pair.server.handle_stream("/two", [](Texts& texts) {
    (void)texts.send("no number");
    (void)texts.send("17");
  });
  auto stream = pair.dial().open_raw({}, "/two", wire::BodyCodec::json);
  Stream<std::int64_t, std::string> numbers(*std::move(stream));
  const Status status = numbers.receive().error();
  EXPECT_EQ(status.code(), Code::invalid_argument);
  EXPECT_NE(status.message().find("a message of the stream"), std::string::npos);
  EXPECT_EQ(numbers.receive().error().code(), Code::invalid_argument);
  EXPECT_EQ(numbers.receive().value(), std::nullopt);
}

// --- Credit

PARLEY_PEER_TEST(Streams, a_slow_reader_stops_its_writer_and_not_the_session) {
  Pair pair({.stream_credit = 65'536});
  rt::Event may_read;
  std::atomic<std::int64_t> sent = 0;
  pair.server.handle_stream("/slow", [&](Texts& texts) -> Status {
    if (Status s = may_read.wait(); !s.is_ok()) return s;
    std::int64_t count = 0;
    for (;;) {
      auto text = texts.receive();
      if (!text) return text.error();
      if (!*text) break;
      ++count;
    }
    return texts.send(std::to_string(count));
  });
  pair.server.handle_stream("/add", &add_one);
  const Session session = pair.dial();
  auto slow = session.open<std::string, std::string>("/slow");
  const std::string text(1'000, 'x');
  Status stopped;
  while (stopped.is_ok()) {
    stopped = slow->send(text, rt::Deadline::after(milliseconds(20)));
    if (stopped.is_ok()) ++sent;
  }
  EXPECT_EQ(stopped.code(), Code::deadline_exceeded);
  EXPECT_GE(sent, 65'536 / 1'018 - 1);
  EXPECT_LE(sent, 65'536 / 1'018 + 1) << "each costs its bytes and 16";
  // Others go on.
  auto numbers = session.open<std::int64_t, std::int64_t>("/add");
  ASSERT_TRUE(numbers->send(1).is_ok());
  EXPECT_EQ(numbers->receive().value(), 2);
  // And it does, once it is read.
  may_read.set();
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(slow->send(text).is_ok());
  ASSERT_TRUE(slow->finish().is_ok());
  EXPECT_EQ(slow->receive().value(), std::to_string(sent + 1'000));
}

PARLEY_PEER_TEST(Streams, more_credit_lets_more_come_unread) {
  std::vector<int> counts;
  for (const std::size_t credit : {std::size_t{65'536}, std::size_t{262'144}}) {
    rt::Event end;
    Pair pair({.stream_credit = credit});
    pair.server.handle_stream("/unread", [&](Texts&) { (void)end.wait(); });
    const Session session = pair.dial();
    // What it takes is known once it has answered.
    EXPECT_FALSE(session.call("/hello"));
    auto stream = session.open<std::string, std::string>("/unread");
    int count = 0;
    while (stream->send(std::string(10'000, 'x'), rt::Deadline::after(milliseconds(20))).is_ok()) {
      ++count;
    }
    counts.push_back(count);
    end.set();
  }
  EXPECT_EQ(counts[0], 6);
  EXPECT_EQ(counts[1], 26);
}

PARLEY_PEER_TEST(Streams, slow_readers_together_hold_no_more_than_the_session_allows) {
  rt::Event end;
  Pair pair({.session_credit = 1'048'576});
  pair.server.handle_stream("/unread", [&](Texts&) { (void)end.wait(); });
  const Session session = pair.dial();
  std::vector<Texts> streams;
  std::size_t sent = 0;
  const std::string text(10'000, 'x');
  for (int i = 0; i < 8; ++i) {
    streams.push_back(session.open<std::string, std::string>("/unread").value());
    while (streams.back().send(text, rt::Deadline::after(milliseconds(10))).is_ok()) ++sent;
  }
  EXPECT_EQ(sent, 1'048'576 / 10'018U);
  end.set();
}

PARLEY_PEER_TEST(Streams, a_message_larger_than_the_credit_travels) {
  Pair pair({.stream_credit = 65'536, .session_credit = 1'048'576});
  pair.server.handle_stream("/size", [](Texts& texts) -> Status {
    for (;;) {
      auto text = texts.receive();
      if (!text) return text.error();
      if (!*text) return {};
      if (Status s = texts.send(std::to_string((*text)->size())); !s.is_ok()) return s;
    }
  });
  const Session session = pair.dial();
  auto stream = session.open<std::string, std::string>("/size");
  for (const std::size_t size : {3'000'000U, 10U, 2'000'000U, 40'000U, 2'500'000U}) {
    ASSERT_TRUE(stream->send(std::string(size, 'x')).is_ok());
    EXPECT_EQ(stream->receive().value(), std::to_string(size));
  }
}

PARLEY_PEER_TEST(Streams, a_message_that_nobody_takes_is_refused_alone) {
  PeerOptions small;
  small.max_frame_bytes = 100'000;
  Pair pair(small, {});
  pair.server.handle_stream("/add", &add_one);
  const Session session = pair.dial();
  auto stream = session.open<std::int64_t, std::int64_t>("/add");
  ASSERT_TRUE(stream->send(1).is_ok());
  EXPECT_EQ(stream->receive().value(), 2);
  auto raw = session.open_raw({}, "/add", wire::BodyCodec::json);
  EXPECT_EQ(raw->send(Bytes::from(std::string(200'000, ' '))).code(), Code::resource_exhausted);
  ASSERT_TRUE(raw->send(Bytes::from("5")).is_ok());
  EXPECT_EQ(raw->receive().value()->to_string(), "6");
}

// --- Ends

PARLEY_PEER_TEST(Streams, cancelling_ends_the_handlers_context) {
  Pair pair;
  rt::Event began;
  rt::Event ended;
  Status why;
  pair.server.handle_stream("/waits", [&](Texts&) {
    began.set();
    why = rt::sleep(seconds(30));
    ended.set();
  });
  const Session session = pair.dial();
  auto stream = session.open<std::string, std::string>("/waits");
  ASSERT_TRUE(began.wait().is_ok());
  stream->cancel();
  EXPECT_EQ(stream->receive().error().code(), Code::cancelled);
  EXPECT_EQ(stream->send("x").code(), Code::cancelled);
  ASSERT_TRUE(ended.wait().is_ok());
  EXPECT_EQ(why.code(), Code::cancelled);
}

PARLEY_PEER_TEST(Streams, a_handle_that_goes_away_gives_its_stream_up) {
  Pair pair;
  rt::Event ended;
  Status why;
  pair.server.handle_stream("/reads", [&](Texts& texts) {
    why = texts.receive().error();
    ended.set();
  });
  const Session session = pair.dial();
  { const auto stream = session.open<std::string, std::string>("/reads"); }
  ASSERT_TRUE(ended.wait().is_ok());
  EXPECT_EQ(why.code(), Code::cancelled);
}

PARLEY_PEER_TEST(Streams, end_by_their_time_on_both_sides) {
  Pair pair;
  rt::Event ended;
  Status why;
  pair.server.handle_stream("/reads", [&](Texts& texts) {
    why = texts.receive().error();
    ended.set();
  });
  const Session session = pair.dial();
  auto stream =
      session.open<std::string, std::string>({.timeout = milliseconds(30)}, "/reads").value();
  EXPECT_EQ(stream.receive().error().code(), Code::deadline_exceeded);
  ASSERT_TRUE(ended.wait().is_ok());
  // By its own clock, or because the other side was first to look at its own.
  EXPECT_TRUE(why.code() == Code::deadline_exceeded || why.code() == Code::cancelled) << why;
}

PARLEY_PEER_TEST(Streams, a_receive_has_its_own_deadline) {
  Pair pair;
  pair.server.handle_stream("/add", &add_one);
  const Session session = pair.dial();
  auto stream = session.open<std::int64_t, std::int64_t>("/add");
  EXPECT_EQ(stream->receive(rt::Deadline::after(milliseconds(10))).error().code(),
            Code::deadline_exceeded);
  ASSERT_TRUE(stream->send(1).is_ok());
  EXPECT_EQ(stream->receive().value(), 2) << "the stream goes on";
}

PARLEY_PEER_TEST(Streams, end_when_the_session_is_cut) {
  rt::Event began;
  rt::Event ended;
  Status there;
  Pair pair({.drain_timeout = milliseconds(10)});
  pair.server.handle_stream("/reads", [&](Texts& texts) {
    began.set();
    there = texts.receive().error();
    ended.set();
  });
  const Session session = pair.dial();
  auto stream = session.open<std::string, std::string>("/reads");
  ASSERT_TRUE(began.wait().is_ok());
  rt::Scope scope;
  Status here;
  scope.go("receives", [&] { here = stream->receive().error(); });
  for (const Session& each : pair.server.sessions()) scope.go("close", [each] { each.close(); });
  scope.join();
  EXPECT_EQ(here.code(), Code::outcome_unknown) << here;
  ASSERT_TRUE(ended.wait().is_ok());
  EXPECT_FALSE(there.is_ok());
  EXPECT_EQ((session.open<std::string, std::string>("/reads").error().code()), Code::not_sent);
}

PARLEY_PEER_TEST(Streams, closing_a_session_waits_for_those_that_come_to_their_end) {
  Pair pair;
  pair.server.handle_stream("/add", &add_one);
  const Session session = pair.dial();
  auto numbers = session.open<std::int64_t, std::int64_t>("/add");
  ASSERT_TRUE(numbers->send(1).is_ok());
  EXPECT_EQ(numbers->receive().value(), 2) << "it is served";
  rt::Scope scope;
  scope.go("close", [&] { session.close(); });
  while (session.is_open()) rt::yield();
  EXPECT_EQ((session.open<std::int64_t, std::int64_t>("/add").error().code()), Code::not_sent);
  ASSERT_TRUE(numbers->send(2).is_ok());
  ASSERT_TRUE(numbers->finish().is_ok());
  EXPECT_EQ(rest_of(*numbers), std::vector<std::int64_t>{3});
  scope.join();
}

PARLEY_PEER_TEST(Streams, what_is_served_is_sent_to_who_has_finished_and_half_closed) {
  rt::Event has_closed;
  Pair pair;
  pair.server.handle_stream("/late", [&](Texts& texts) -> Status {
    while (true) {
      auto text = texts.receive();
      if (!text) return text.error();
      if (!*text) break;
    }
    if (Status s = has_closed.wait(); !s.is_ok()) return s;
    return texts.send("late");
  });
  Foreign foreign(pair.address);
  foreign.say_hello();
  foreign.say_at_once({{.seq = 1,
                        .type = MessageType::open,
                        .method = "/late",
                        .body_codec = wire::BodyCodec::json},
                       {.seq = 1, .type = MessageType::end, .own = true}});
  EXPECT_EQ(foreign.hear().type, MessageType::hello);
  foreign.finish();
  while (pair.server.sessions().front().is_open()) rt::yield();
  has_closed.set();
  EXPECT_EQ(foreign.hear().body.to_string(), "\"late\"");
  const wire::Message end = foreign.hear();
  EXPECT_EQ(end.type, MessageType::end);
  EXPECT_TRUE(end.status.is_ok()) << end.status;
}

PARLEY_PEER_TEST(Streams, a_thousand_end_at_once_when_their_callers_give_up) {
  constexpr int many = 1'000;
  std::atomic<int> began = 0;
  rt::WaitGroup running;
  Pair pair;
  pair.server.handle_stream("/reads", [&](Texts& texts) {
    ++began;
    while (texts.receive()) {}
    running.done();
  });
  pair.server.handle_stream("/add", &add_one);
  const Session session = pair.dial();
  std::vector<Texts> streams;
  running.add(many);
  for (int i = 0; i < many; ++i) {
    auto stream = session.open<std::string, std::string>("/reads");
    ASSERT_TRUE(stream) << stream.error();
    ASSERT_TRUE(stream->send(std::string(500, 'x')).is_ok());
    streams.push_back(*std::move(stream));
  }
  EXPECT_EQ((session.open<std::string, std::string>("/reads").error().code()),
            Code::resource_exhausted);
  while (began < many) rt::yield();
  const Instant start = rt::now();
  streams.clear();
  ASSERT_TRUE(running.wait().is_ok());
  EXPECT_LT(rt::now() - start, seconds(15)) << "far beyond what it takes, also under a sanitizer";
  // Room and credit are whole again.
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100;) {
      auto stream = session.open<std::int64_t, std::int64_t>("/add");
      if (!stream && stream.error().code() == Code::resource_exhausted) {
        rt::yield();  // the last ends are on their way
        continue;
      }
      ASSERT_TRUE(stream) << stream.error();
      ASSERT_TRUE(stream->send(i).is_ok());
      EXPECT_EQ(stream->receive().value(), i + 1);
      ++i;
    }
  }
}

PARLEY_PEER_TEST(Streams, one_fiber_sends_while_another_receives) {
  Pair pair;
  pair.server.handle_stream("/add", &add_one);
  const Session session = pair.dial();
  auto numbers = session.open<std::int64_t, std::int64_t>("/add");
  constexpr std::int64_t many = 20'000;
  rt::Scope scope;
  scope.go("send", [&] {
    for (std::int64_t i = 0; i < many; ++i) ASSERT_TRUE(numbers->send(i).is_ok());
    EXPECT_TRUE(numbers->finish().is_ok());
    EXPECT_TRUE(numbers->finish().is_ok()) << "twice is fine";
  });
  std::int64_t next = 1;
  for (const std::int64_t got : rest_of(*numbers)) EXPECT_EQ(got, next++);
  EXPECT_EQ(next, many + 1);
  scope.join();
}

PARLEY_PEER_TEST(Streams, nothing_is_sent_after_finish) {
  rt::Event end;
  Pair pair;
  pair.server.handle_stream("/waits", [&](RawStream&) -> Result<void> {
    (void)end.wait();
    return {};
  });
  auto stream = pair.dial().open<std::string, std::string>("/waits");
  ASSERT_TRUE(stream->finish().is_ok());
  EXPECT_EQ(stream->send("x").code(), Code::failed_precondition);
  end.set();
  EXPECT_EQ(stream->receive().value(), std::nullopt);
}

// Each sender waits for something else: credit of its stream, credit of the session.
PARLEY_PEER_TEST(Streams, whoever_waits_to_send_hears_that_the_stream_is_given_up) {
  rt::Event end;
  Pair pair({.stream_credit = 524'288, .session_credit = 1'048'576});
  pair.server.handle_stream("/unread", [&](Texts&) { (void)end.wait(); });
  const Session session = pair.dial();
  EXPECT_FALSE(session.call("/hello")) << "now it is known what it takes";
  std::vector<Texts> streams;
  const std::string text(100'000, 'x');
  for (int i = 0; i < 3; ++i) {
    streams.push_back(session.open<std::string, std::string>("/unread").value());
  }
  rt::Scope scope;
  std::array<Status, 3> ends;
  for (std::size_t i = 0; i < 3; ++i) {
    scope.go("send", [&, i] {
      while (ends[i].is_ok()) ends[i] = streams[i].send(text);
    });
  }
  for (Texts& stream : streams) {
    // It has come to wait when another message would have to.
    while (stream.receive(rt::Deadline::after(milliseconds(5))).error().code() !=
           Code::deadline_exceeded) {}
    stream.cancel();
  }
  scope.join();
  for (const Status& each : ends) EXPECT_EQ(each.code(), Code::cancelled) << each;
  end.set();
}

PARLEY_PEER_TEST(Streams, a_busy_stream_ends_by_its_time_too) {
  Pair pair;
  rt::Event ended;
  Status there;
  pair.server.handle_stream("/reads", [&](Texts& texts) {
    for (;;) {
      auto text = texts.receive();
      if (text) continue;
      there = text.error();
      break;
    }
    ended.set();
  });
  const Session session = pair.dial();
  auto stream = session.open<std::string, std::string>({.timeout = milliseconds(50)}, "/reads");
  Status here;
  while (here.is_ok()) {
    here = stream->send("x");
    rt::yield();
  }
  EXPECT_EQ(here.code(), Code::deadline_exceeded);
  EXPECT_EQ(stream->receive().error().code(), Code::deadline_exceeded);
  ASSERT_TRUE(ended.wait().is_ok());
  EXPECT_TRUE(there.code() == Code::deadline_exceeded || there.code() == Code::cancelled) << there;
}

PARLEY_PEER_TEST(Streams, a_handlers_own_not_sent_is_not_that_of_its_caller) {
  Pair pair;
  pair.server.handle_stream("/fails", [](Texts&) { return Status(Code::not_sent, "further on"); });
  auto stream = pair.dial().open<std::string, std::string>("/fails");
  EXPECT_EQ(stream->receive().error().code(), Code::unavailable);
}

PARLEY_PEER_TEST(Streams, one_that_is_assigned_over_is_given_up) {
  std::atomic<int> ended = 0;
  Pair pair;
  pair.server.handle_stream("/reads", [&](Texts& texts) {
    (void)texts.receive();
    ++ended;
  });
  const Session session = pair.dial();
  auto first = session.open_raw({}, "/reads", wire::BodyCodec::json).value();
  auto second = session.open_raw({}, "/reads", wire::BodyCodec::json).value();
  first = std::move(second);
  while (ended < 1) rt::yield();
  ASSERT_TRUE(first.send(Bytes::from("\"x\"")).is_ok());
  while (ended < 2) rt::yield();
  EXPECT_EQ(first.receive().value(), std::nullopt);
}

PARLEY_PEER_TEST(Streams, a_handle_may_outlive_its_handler_and_its_session) {
  std::optional<Texts> kept;
  rt::Event is_kept;
  std::optional<Texts> here;
  {
    Pair pair;
    pair.server.handle_stream("/keeps", [&](Texts& texts) {
      kept.emplace(std::move(texts));
      is_kept.set();
    });
    here = pair.dial().open<std::string, std::string>("/keeps").value();
    ASSERT_TRUE(is_kept.wait().is_ok());
    EXPECT_EQ(here->receive().value(), std::nullopt);
    EXPECT_EQ(kept->send("x").code(), Code::cancelled);
  }
  EXPECT_EQ(here->send("x").code(), Code::cancelled);
  EXPECT_EQ(kept->receive().error().code(), Code::cancelled);
}

// --- What others may do

PARLEY_PEER_TEST(Streams, one_that_is_refused_ends_no_other_of_its_number) {
  PeerOptions options;
  options.max_handler_bytes = 1'000;
  Pair pair(options);
  pair.server.handle_stream("/waits", [&](Texts& texts) { (void)texts.receive(); });
  Foreign foreign(pair.address);
  foreign.say_hello();
  wire::Message large{.seq = 2, .type = MessageType::open, .method = "/waits"};
  large.metadata.set("large", std::string(2'000, 'x'));
  foreign.say_at_once({{.seq = 1, .type = MessageType::open, .method = "/waits"},
                       large,
                       {.seq = 2, .type = MessageType::open, .method = "/waits"},
                       {.seq = 2, .type = MessageType::end, .own = true}});
  EXPECT_EQ(foreign.hear().type, MessageType::hello);
  std::vector<Code> ends;
  for (int i = 0; i < 2; ++i) {
    const wire::Message end = foreign.hear();
    EXPECT_EQ(end.type, MessageType::end);
    EXPECT_EQ(end.seq, 2);
    ends.push_back(end.status.code());
  }
  EXPECT_EQ(ends, (std::vector<Code>{Code::resource_exhausted, Code::ok}));
}

PARLEY_PEER_TEST(Streams, a_refused_message_ends_its_stream_and_gives_its_credit_back) {
  PeerOptions options;
  options.max_frame_bytes = 65'536;
  options.session_credit = 1'048'576;
  Pair pair(options);
  Status why;
  pair.server.handle_stream("/reads", [&](Texts& texts) -> Status {
    why = texts.receive().error();
    return why;
  });
  Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, MessageType::hello);
  const auto half = Bytes::from(std::string(40'000, 'x'));
  for (std::int32_t i = 1; i <= 7; ++i) {
    foreign.say_at_once(
        {{.seq = i, .type = MessageType::open, .method = "/reads"},
         {.seq = i, .type = MessageType::data, .own = true, .more = true, .body = half},
         {.seq = i, .type = MessageType::part, .own = true, .body = half}});
    wire::Message end = foreign.hear();
    if (end.type == MessageType::credit) {
      EXPECT_EQ(end.value, 7 * 80'016U);
      EXPECT_EQ(i, 7);
      end = foreign.hear();
    }
    EXPECT_EQ(end.type, MessageType::end);
    EXPECT_EQ(end.status.code(), Code::resource_exhausted);
  }
}

PARLEY_PEER_TEST(Streams, more_than_their_number_are_refused_by_the_other_side) {
  rt::Event end;
  Pair pair({.max_streams = 100});
  pair.server.handle_stream("/waits", [&](Texts&) { (void)end.wait(); });
  Foreign foreign(pair.address);
  foreign.say_hello();
  std::vector<wire::Message> opens;
  for (std::int32_t i = 1; i <= 101; ++i) {
    opens.push_back({.seq = i, .type = MessageType::open, .method = "/waits"});
  }
  foreign.say_at_once(opens);
  EXPECT_EQ(foreign.hear().type, MessageType::hello);
  const wire::Message refused = foreign.hear();
  EXPECT_EQ(refused.type, MessageType::end);
  EXPECT_EQ(refused.seq, 101);
  EXPECT_EQ(refused.status.code(), Code::resource_exhausted);
  end.set();
}

PARLEY_PEER_TEST(Streams, who_sends_beyond_its_credit_is_cut_off) {
  rt::Event end;
  Pair pair({.stream_credit = 65'536});
  pair.server.handle_stream("/waits", [&](Texts&) { (void)end.wait(); });
  Foreign foreign(pair.address);
  foreign.say_hello();
  foreign.say({.seq = 1, .type = MessageType::open, .method = "/waits"});
  const auto body = Bytes::from(std::string(30'000, 'x'));
  for (int i = 0; i < 3; ++i) {
    foreign.say({.seq = 1, .type = MessageType::data, .own = true, .body = body});
  }
  EXPECT_EQ(foreign.hear().type, MessageType::hello);
  EXPECT_EQ(foreign.hear().type, MessageType::cancel) << "the end of the connection";
  pair.server_log.wait_for("data of stream 1: beyond the credit of the stream");
  end.set();
}

PARLEY_PEER_TEST(Streams, a_number_in_use_and_a_message_after_the_end_cut_the_session) {
  rt::Event end;
  Pair pair;
  pair.server.handle_stream("/waits", [&](Texts&) { (void)end.wait(); });
  for (const auto& [second, why] :
       {std::pair{wire::Message{.seq = 1, .type = MessageType::open, .method = "/waits"},
                  "open of stream 1: its number is in use"},
        std::pair{wire::Message{.seq = 1, .type = MessageType::data, .own = true},
                  "data of stream 1: after the end"},
        std::pair{wire::Message{.seq = 1, .type = MessageType::end, .own = true},
                  "end of stream 1: a second time"},
        std::pair{wire::Message{.type = MessageType::credit, .value = std::uint64_t{1} << 60U},
                  "credit of stream 0: more than can be meant"}}) {
    Foreign foreign(pair.address);
    foreign.say_hello();
    foreign.say_at_once({{.seq = 1, .type = MessageType::open, .method = "/waits"},
                         {.seq = 1, .type = MessageType::end, .own = true},
                         second});
    pair.server_log.wait_for(why);
    while (foreign.hear().type != MessageType::cancel) {}
  }
  end.set();
}

PARLEY_PEER_TEST(Streams, what_comes_for_a_stream_that_is_over_gives_its_credit_back) {
  Pair pair({.session_credit = 1'048'576});
  pair.server.handle_stream("/ends", [](Texts&) {});
  Foreign foreign(pair.address);
  foreign.say_hello();
  foreign.say({.seq = 1, .type = MessageType::open, .method = "/ends"});
  const auto body = Bytes::from(std::string(60'000, 'x'));
  EXPECT_EQ(foreign.hear().type, MessageType::hello);
  EXPECT_EQ(foreign.hear().type, MessageType::end);
  for (int i = 0; i < 9; ++i) {
    foreign.say({.seq = 1, .type = MessageType::data, .own = true, .body = body});
  }
  const wire::Message credit = foreign.hear();
  EXPECT_EQ(credit.type, MessageType::credit);
  EXPECT_EQ(credit.seq, 0);
  EXPECT_EQ(credit.value, 9 * 60'016U);
}

}  // namespace
}  // namespace parley
