#include "parley/peer/foreign_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/peer/foreign_session.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using wire::BodyCodec;

std::unique_ptr<ForeignSession> session_with(Peer& peer) {
  auto session = ForeignSession::open(peer, {.protocol = "HTTP"});
  EXPECT_TRUE(session) << session.error();
  return *std::move(session);
}

std::unique_ptr<ForeignStream> open_at(ForeignSession& session, std::string_view method,
                                       rt::Deadline deadline = {}) {
  auto stream =
      session.open_stream({.method = method, .codec = BodyCodec::json, .deadline = deadline});
  EXPECT_TRUE(stream) << stream.error();
  return *std::move(stream);
}

Bytes text(std::string body) { return Bytes::from(std::move(body)); }

// What is left until the end, and how that was.
std::vector<std::string> take_all(ForeignStream& stream, Status* end = nullptr) {
  std::vector<std::string> all;
  for (;;) {
    auto message = stream.take();
    if (end != nullptr && !message) *end = message.error();
    if (!message || !*message) return all;
    all.push_back((*message)->to_string());
  }
}

Status double_all(Stream<int, int>& stream) {
  for (;;) {
    auto number = stream.receive();
    if (!number) return number.error();
    if (!*number) return {};
    if (Status s = stream.send(**number * 2); !s.is_ok()) return s;
  }
}

PARLEY_PEER_TEST(ForeignStream, is_served_by_the_handler_that_serves_parley) {
  testing::Pair pair;
  pair.server.handle_stream("/double", double_all);
  auto parley = pair.dial().open<int, int>("/double");
  ASSERT_TRUE(parley) << parley.error();
  ASSERT_TRUE(parley->send(4).is_ok());
  auto doubled = parley->receive();
  ASSERT_TRUE(doubled && *doubled);
  EXPECT_EQ(**doubled, 8);
  const auto session = session_with(pair.server);
  const auto stream = open_at(*session, "/double");
  EXPECT_EQ(stream->codec(), BodyCodec::json);
  EXPECT_FALSE(stream->has_some());
  ASSERT_TRUE(stream->give(text("21")).is_ok());
  while (!stream->has_some()) rt::yield();
  auto first = stream->take(rt::Deadline::after(0s));
  ASSERT_TRUE(first && *first);
  EXPECT_EQ(**first, "42");
  ASSERT_TRUE(stream->give(text("1")).is_ok());
  ASSERT_TRUE(stream->give(text("2")).is_ok());
  stream->finish();
  stream->finish();
  EXPECT_EQ(stream->give(text("3")).code(), Code::failed_precondition);
  Status end;
  EXPECT_EQ(take_all(*stream, &end), (std::vector<std::string>{"2", "4"}));
  EXPECT_TRUE(end.is_ok()) << end;
}

PARLEY_PEER_TEST(ForeignStream, ends_with_the_handlers_error_and_metadata) {
  Peer peer;
  peer.handle_stream("/count", [](Context& context, Stream<int, int>& stream) -> Status {
    context.reply_metadata().set("shop", std::string(*context.metadata().get("till")));
    for (int i = 0; i < 3; ++i) {
      if (Status s = stream.send(i); !s.is_ok()) return s;
    }
    return Status::business(1001, "out of numbers");
  });
  const auto session = session_with(peer);
  ForeignCall call{.method = "/count", .codec = BodyCodec::json};
  call.metadata.set("till", "seven");
  auto opened = session->open_stream(std::move(call));
  ASSERT_TRUE(opened) << opened.error();
  ForeignStream& stream = **opened;
  Status end;
  EXPECT_EQ(take_all(stream, &end), (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(end.business_code(), 1001) << end;
  auto metadata = stream.end_metadata();
  ASSERT_TRUE(metadata) << metadata.error();
  EXPECT_EQ(metadata->get("shop"), "seven");
  EXPECT_EQ(stream.give(text("1")).code(), Code::cancelled);
}

PARLEY_PEER_TEST(ForeignStream, tells_what_was_set_before_the_handlers_first_words) {
  Peer peer;
  peer.handle_stream("/ask", [](Context& context, Stream<int, int>& stream) -> Status {
    context.reply_metadata().set("shop", "harbour");
    const auto said = stream.receive();
    context.reply_metadata().set("till", "seven");
    return said ? stream.send(**said) : said.error();
  });
  peer.handle_stream("/silent", [](Stream<int, int>&) -> Status { return {}; });
  const auto session = session_with(peer);
  const auto ask = open_at(*session, "/ask");
  const auto head = ask->take_head();  // the handler waits for us
  ASSERT_TRUE(head && *head);
  EXPECT_EQ(**head, (wire::Metadata{{"shop", "harbour"}}));
  ASSERT_TRUE(ask->give(text("1")).is_ok());
  ask->finish();
  EXPECT_EQ(take_all(*ask), std::vector<std::string>{"1"});
  EXPECT_EQ(*ask->end_metadata(), (wire::Metadata{{"shop", "harbour"}, {"till", "seven"}}));
  EXPECT_EQ(*open_at(*session, "/silent")->take_head(), std::nullopt);
  const auto left = open_at(*session, "/ask");
  left->cancel(Status(Code::aborted, "gone"));
  EXPECT_EQ(left->take_head().error().code(), Code::aborted);
}

PARLEY_PEER_TEST(ForeignStream, names_that_are_no_streams_are_refused_as_to_anybody) {
  Peer peer;
  peer.handle("/tea", [] { return 1; });
  peer.handle_stream("/double", double_all);
  const auto session = session_with(peer);
  EXPECT_EQ(open_at(*session, "/tea")->take().error().code(), Code::invalid_argument);
  const Status unknown = open_at(*session, "/dubble")->take().error();
  EXPECT_EQ(unknown.code(), Code::not_found) << unknown;
  const auto wrong = open_at(*session, "/double");
  EXPECT_EQ(wrong->end_metadata().error().code(), Code::failed_precondition);
  ASSERT_TRUE(wrong->give(text("\"two\"")).is_ok());
  EXPECT_EQ(wrong->take().error().code(), Code::invalid_argument);
}

// A handler that reads nothing stops who gives, and one whose messages nobody takes stops itself.
PARLEY_PEER_TEST(ForeignStream, who_is_slow_stops_the_other_side) {
  PeerOptions options;
  options.stream_credit = std::size_t{64} << 10U;
  Peer peer(std::move(options));
  rt::Event go_on;
  std::size_t read = 0;
  peer.handle_stream("/sum", [&](Stream<Bytes, Bytes>& stream) -> Status {
    (void)go_on.wait();
    for (;;) {
      auto piece = stream.receive();
      if (!piece) return piece.error();
      if (!*piece) return {};
      read += (*piece)->size();
    }
  });
  std::atomic<int> sent = 0;
  peer.handle_stream("/pour", [&](Stream<Bytes, Bytes>& stream) -> Status {
    for (; sent < 200; ++sent) {
      if (Status s = stream.send(text(std::string(1000, 'x'))); !s.is_ok()) return s;
    }
    return {};
  });
  const auto session = session_with(peer);
  const auto sum = open_at(*session, "/sum");
  const auto pour = open_at(*session, "/pour");
  int given = 0;
  Status full;
  while (given < 200) {
    full = sum->give(text(std::string(1000, 'x')), rt::Deadline::after(0ms));
    if (!full.is_ok()) break;
    ++given;
  }
  EXPECT_EQ(full.code(), Code::deadline_exceeded) << full;
  EXPECT_EQ(given, 65536 / 1016);
  while (sent < given) rt::yield();
  EXPECT_EQ(sent, given);
  rt::Scope scope;
  scope.go("giver", [&] {
    for (int i = given; i < 200; ++i) {
      EXPECT_TRUE(sum->give(text(std::string(1000, 'x'))).is_ok());
    }
    sum->finish();
  });
  go_on.set();
  EXPECT_TRUE(take_all(*sum).empty());
  EXPECT_EQ(read, 200'000U);
  EXPECT_EQ(take_all(*pour).size(), 200U);
  scope.join();
}

// More than the credit of a session, by messages larger than that of a stream.
PARLEY_PEER_TEST(ForeignStream, carries_large_messages_of_many_streams) {
  PeerOptions options;
  options.stream_credit = std::size_t{64} << 10U;
  options.session_credit = std::size_t{1} << 20U;
  Peer peer(std::move(options));
  peer.handle_stream("/echo", [](RawStream& stream) -> Status {
    for (;;) {
      auto message = stream.receive();
      if (!message) return message.error();
      if (!*message) return {};
      if (Status s = stream.send(**std::move(message)); !s.is_ok()) return s;
    }
  });
  const auto session = session_with(peer);
  rt::Scope scope;
  for (int i = 0; i < 20; ++i) {
    scope.go("stream", [&session, i] {
      const auto stream = open_at(*session, "/echo");
      const std::string body(100'000, static_cast<char>('a' + i));
      rt::Scope giver;
      giver.go("giver", [&] {
        for (int k = 0; k < 10; ++k) EXPECT_TRUE(stream->give(text(body)).is_ok());
        stream->finish();
      });
      const std::vector<std::string> all = take_all(*stream);
      EXPECT_EQ(all, std::vector<std::string>(10, body));
    });
  }
  scope.join();
}

PARLEY_PEER_TEST(ForeignStream, who_gives_up_ends_the_handlers_context) {
  Peer peer;
  rt::Event begun;
  std::vector<Status> ended;
  peer.handle_stream("/wait", [&](RawStream& stream) -> Status {
    begun.set();
    auto message = stream.receive();
    ended.push_back(message ? Status() : message.error());
    ended.push_back(stream.send(text("late")));
    ended.push_back(rt::Context::current().wait_done());
    return {};
  });
  const auto session = session_with(peer);
  auto stream = open_at(*session, "/wait");
  (void)begun.wait();
  stream->cancel(Status(Code::aborted, "the client went away"));
  stream->cancel();
  EXPECT_EQ(stream->take().error().code(), Code::aborted);
  EXPECT_EQ(stream->give(text("1")).code(), Code::aborted);
  stream.reset();  // waits for the handler
  ASSERT_EQ(ended.size(), 3U);
  EXPECT_FALSE(ended[0].is_ok());
  EXPECT_FALSE(ended[1].is_ok());
  EXPECT_EQ(ended[2].code(), Code::aborted) << ended[2];

  begun.reset();
  const auto [context, cancel] = rt::Context::current().with_cancel();
  rt::Scope scope;
  scope.go("caller", [&session, context = context] {
    const rt::WithContext bound(context);
    const auto its = open_at(*session, "/wait");
    EXPECT_EQ(its->take().error().code(), Code::unavailable);
  });
  (void)begun.wait();
  cancel(Status(Code::unavailable, "the connection is gone"));
  scope.join();
  ASSERT_EQ(ended.size(), 6U);
  EXPECT_EQ(ended[5].code(), Code::unavailable) << ended[5];
}

TEST(ForeignStream, ends_at_its_deadline_on_both_sides) {
  rt::testing::in_virtual_time([] {
    Peer peer;
    Status handlers;
    peer.handle_stream("/wait", [&](RawStream& stream) -> Status {
      handlers = stream.receive().error();
      return handlers;
    });
    const auto session = session_with(peer);
    auto stream = open_at(*session, "/wait", rt::Deadline::after(5s));
    EXPECT_EQ(stream->take(rt::Deadline::after(1s)).error().code(), Code::deadline_exceeded);
    ASSERT_TRUE(handlers.is_ok());  // the stream goes on
    const Instant start = rt::now();
    EXPECT_EQ(stream->take().error().code(), Code::deadline_exceeded);
    EXPECT_EQ(rt::now() - start, Duration(4s));
    EXPECT_FALSE(stream->give(text("1")).is_ok());
    stream.reset();
    EXPECT_EQ(handlers.code(), Code::deadline_exceeded) << handlers;
    auto late = session->open_stream({.method = "/wait", .deadline = rt::Deadline::after(0s)});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code(), Code::deadline_exceeded);
  });
}

PARLEY_PEER_TEST(ForeignStream, limits_of_the_peer_hold) {
  PeerOptions options;
  options.max_streams = 100;
  options.max_frame_bytes = 70'000;
  Peer peer(std::move(options));
  peer.handle_stream("/wait", [](RawStream& stream) -> Status { return stream.receive().error(); });
  const auto session = session_with(peer);
  std::vector<std::unique_ptr<ForeignStream>> open;
  for (int i = 0; i < 100; ++i) open.push_back(open_at(*session, "/wait"));
  const auto further = session->open_stream({.method = "/wait"});
  ASSERT_FALSE(further);
  EXPECT_NE(further.error().message().find("max_streams"), std::string::npos) << further.error();
  const Status large = open[0]->give(text(std::string(70'001, 'x')));
  EXPECT_EQ(large.code(), Code::resource_exhausted) << large;
  open.clear();
  EXPECT_NE(open_at(*session, "/wait"), nullptr);

  PeerOptions few;
  few.max_handlers = 1;
  Peer small(std::move(few));
  small.handle_stream("/wait",
                      [](RawStream& stream) -> Status { return stream.receive().error(); });
  const auto its = session_with(small);
  const auto only = open_at(*its, "/wait");
  const auto second = its->open_stream({.method = "/wait"});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message().find("max_handlers"), std::string::npos) << second.error();
}

PARLEY_PEER_TEST(ForeignStream, goes_through_plugins) {
  std::vector<std::string> seen;
  PeerOptions options;
  options.plugins.push_back({.name = "notes", .serve_stream = [&](ServeStep& step, Next& next) {
                               seen.push_back("serve " + std::string(step.method()));
                               Status status = next();
                               seen.push_back(status.to_string());
                               return status;
                             }});
  Peer peer(std::move(options));
  peer.handle_stream("/double", double_all);
  const auto session = session_with(peer);
  const auto stream = open_at(*session, "/double");
  ASSERT_TRUE(stream->give(text("2")).is_ok());
  stream->finish();
  EXPECT_EQ(take_all(*stream), std::vector<std::string>{"4"});
  EXPECT_EQ(seen, (std::vector<std::string>{"serve /double", Status().to_string()}));
}

PARLEY_PEER_TEST(ForeignStream, the_end_of_the_peer_waits_for_it) {
  Peer peer;
  peer.handle_stream("/double", double_all);
  const auto session = session_with(peer);
  const auto stream = open_at(*session, "/double");
  rt::Scope scope;
  scope.go("end", [&] { EXPECT_TRUE(peer.shutdown().is_over); });
  while (session->is_open()) rt::yield();
  EXPECT_EQ(session->open_stream({.method = "/double"}).error().code(), Code::not_sent);
  ASSERT_TRUE(stream->give(text("2")).is_ok());
  stream->finish();
  EXPECT_EQ(take_all(*stream), std::vector<std::string>{"4"});
}

}  // namespace
}  // namespace parley
