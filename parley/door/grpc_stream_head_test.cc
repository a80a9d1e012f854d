// What of a stream's metadata goes before its messages and what behind them, and when.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/door/grpc.h"
#include "parley/door/grpc_client.h"
#include "parley/door/testing/grpc_caller.h"
#include "parley/door/testing/house.h"
#include "parley/peer/peer.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"

namespace parley::door {
namespace {

using Caller = testing::GrpcCaller;
using World = testing::GrpcWorld;

// What a field is in the head of the answer, and behind it.
std::string before(Caller& caller, std::string_view name) {
  const auto response = caller.exchange->response();
  EXPECT_TRUE(response) << response.error();
  return response ? std::string((*response)->headers.get(name).value_or("none")) : "no answer";
}
std::string behind(const Caller& caller, std::string_view name) {
  return std::string(caller.exchange->trailers().get(name).value_or("none"));
}

// Whoever waits for the head before it says anything gets it from a handler that listens first.
PARLEY_PEER_TEST(GrpcStreamHead, leaves_when_the_handler_waits_for_the_client) {
  Peer peer;
  peer.handle_stream("/chat", [](Context& context, Stream<int, int>& stream) -> Status {
    context.reply_metadata().set("first", "1");
    const auto said = stream.receive();
    if (!said) return said.error();
    context.reply_metadata().set("second", "2");
    if (Status s = stream.send(**said); !s.is_ok()) return s;
    context.reply_metadata().set("third", "3");
    return {};
  });
  const World world(peer);
  const auto connection = world.dial();
  Caller caller(*connection, "/chat");
  ASSERT_TRUE(caller.exchange->flush().is_ok());
  EXPECT_EQ(before(caller, "first"), "1");  // and nothing was sent
  EXPECT_EQ(before(caller, "grpc-status"), "none");
  ASSERT_TRUE(caller.send("7").is_ok());
  ASSERT_TRUE(caller.exchange->end().is_ok());
  EXPECT_EQ(caller.receive(), "7");
  EXPECT_EQ(caller.receive(), std::nullopt);
  EXPECT_TRUE(caller.status().is_ok()) << caller.status();
  EXPECT_EQ(before(caller, "second"), "none");
  EXPECT_EQ(behind(caller, "first"), "none") << "what was said is not said again";
  EXPECT_EQ(behind(caller, "second"), "2");
  EXPECT_EQ(behind(caller, "third"), "3");
}

void add_chat(Peer& peer) {
  peer.handle_stream("/chat", [](Context& context, Stream<int, int>& stream) -> Status {
    context.reply_metadata().set("first", "1");
    const auto said = stream.receive();
    return said ? stream.send(**said) : said.error();
  });
}

PARLEY_PEER_TEST(GrpcStreamHead, is_there_for_our_client_before_it_sends) {
  Peer peer;
  add_chat(peer);
  const World world(peer);
  net::SocketNetwork network;
  GrpcChannel channel(network, world.listener->address());
  const auto call = channel.open("/chat");
  ASSERT_TRUE(call) << call.error();
  const auto initial = (*call)->initial_metadata();
  ASSERT_TRUE(initial) << initial.error();
  EXPECT_EQ(**initial, (wire::Metadata{{"first", "1"}}));
  ASSERT_TRUE((*call)->write("\x08\x07").is_ok());
  EXPECT_TRUE((*call)->finish().is_ok());
}

PARLEY_PEER_TEST(GrpcStreamHead, leaves_as_early_in_gRPC_Web_over_HTTP_1) {
  http::Handler grpc;
  testing::House house({}, {}, [&](http::ServerExchange& exchange) { return grpc(exchange); });
  grpc = make_grpc(house.peer);
  add_chat(house.peer);
  const auto stream = house.dial();
  ASSERT_TRUE(stream
                  ->write("POST /chat HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                          "Content-Type: application/grpc-web+json\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n")
                  .is_ok());
  const std::string head = testing::read_until(*stream, "\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ")) << head;
  EXPECT_NE(head.find("first: 1\r\n"), std::string::npos) << head;
  ASSERT_TRUE(stream
                  ->write(std::string("6\r\n\0\0\0\0\1"
                                      "7\r\n0\r\n\r\n",
                                      16))
                  .is_ok());
  const std::string rest = testing::read_until(*stream, {});
  EXPECT_NE(rest.find("grpc-status: 0\r\n"), std::string::npos) << rest;
  EXPECT_EQ(rest.find("first"), std::string::npos) << rest;
}

PARLEY_PEER_TEST(GrpcStreamHead, has_what_was_set_before_the_first_message) {
  Peer peer;
  rt::Event go_on;
  peer.handle_stream("/pour", [&](Context& context, Stream<int, int>& stream) -> Status {
    context.reply_metadata().add("tag", "a");
    context.reply_metadata().add("tag", "a");
    context.reply_metadata().set("changes", "old");
    if (Status s = stream.send(1); !s.is_ok()) return s;
    if (Status s = go_on.wait(); !s.is_ok()) return s;
    context.reply_metadata().add("tag", "a");
    context.reply_metadata().set("changes", "new");
    return Status(Code::aborted, "enough");
  });
  const World world(peer);
  const auto connection = world.dial();
  Caller caller(*connection, "/pour");
  EXPECT_EQ(caller.receive(), "1");
  EXPECT_EQ((*caller.exchange->response())->headers.count("tag"), 2U);
  EXPECT_EQ(before(caller, "changes"), "old");
  go_on.set();
  EXPECT_EQ(caller.receive(), std::nullopt);
  EXPECT_EQ(caller.status().code(), Code::aborted);
  EXPECT_EQ(caller.exchange->trailers().count("tag"), 1U) << "the third";
  EXPECT_EQ(behind(caller, "changes"), "new");
}

PARLEY_PEER_TEST(GrpcStreamHead, trailing_names_go_behind_whenever_they_are_set) {
  Peer peer;
  peer.handle_stream("/pour", [&](Context& context, Stream<int, int>& stream) -> Status {
    context.reply_metadata().set("Sum", "7");
    return stream.send(1);
  });
  peer.handle_stream("/silent", [&](Context& context, Stream<int, int>&) -> Status {
    context.reply_metadata().set("Sum", "7");
    context.reply_metadata().set("other", "8");
    return {};
  });
  const auto ask = [&](const std::string& path, const GrpcOptions& options) {
    const World world(peer, options);
    const auto connection = world.dial();
    Caller caller(*connection, path);
    while (caller.receive()) {}
    EXPECT_TRUE(caller.status().is_ok()) << caller.status();
    return before(caller, "sum") + " " + behind(caller, "sum") + " " + before(caller, "other");
  };
  EXPECT_EQ(ask("/pour", {}), "7 none none");
  EXPECT_EQ(ask("/pour", {.trailing = {"sum"}}), "none 7 none");
  EXPECT_EQ(ask("/silent", {}), "7 none 8") << "a handler without a word";
  EXPECT_EQ(ask("/silent", {.trailing = {"sum"}}), "none 7 8");
}

PARLEY_PEER_TEST(GrpcStreamHead, a_handler_that_fails_before_a_word_has_one_head_for_all) {
  Peer peer;
  peer.handle_stream("/closed", [&](Context& context, Stream<int, int>&) -> Status {
    context.reply_metadata().set("until", "noon");
    return Status(Code::unavailable, "closed");
  });
  const World world(peer);
  const auto connection = world.dial();
  Caller caller(*connection, "/closed");
  EXPECT_EQ(caller.receive(), std::nullopt);
  EXPECT_EQ(before(caller, "grpc-status"), "14");
  EXPECT_EQ(before(caller, "until"), "noon");
}

// Metadata belong to the fiber of the handler: where another one has the first word they wait.
PARLEY_PEER_TEST(GrpcStreamHead, has_no_metadata_where_another_fiber_speaks_first) {
  Peer peer;
  peer.handle_stream("/both", [&](Context& context, Stream<int, int>& stream) -> Status {
    Status sent;
    rt::Scope scope;
    scope.go("speaker", [&] { sent = stream.send(1); });
    context.reply_metadata().set("shop", "harbour");
    scope.join();
    return sent;
  });
  const World world(peer);
  const auto connection = world.dial();
  Caller caller(*connection, "/both");
  EXPECT_EQ(caller.receive(), "1");
  EXPECT_EQ(caller.receive(), std::nullopt);
  EXPECT_EQ(before(caller, "shop"), "none");
  EXPECT_EQ(behind(caller, "shop"), "harbour");
}

// Options of messages, for a method that streams its answer.
PARLEY_PEER_TEST(GrpcStreamHead, says_how_messages_are_compressed) {
  Peer peer;
  peer.handle_stream("/pour", [&](Stream<int, std::string>& stream) -> Status {
    if (Status s = stream.send(std::string(2000, 'x')); !s.is_ok()) return s;
    return stream.send("tea");
  });
  using Fields = std::vector<std::pair<std::string, std::string>>;
  // Which of the two messages came compressed.
  const auto ask = [&](const GrpcOptions& options, const Fields& fields) {
    const World world(peer, options);
    const auto connection = world.dial();
    Caller caller(*connection, "/pour", "", fields);
    std::string said = before(caller, "grpc-encoding");
    std::string body;
    for (auto piece = caller.exchange->read(); piece && !piece->empty();) {
      body += *piece;
      piece = caller.exchange->read();
    }
    EXPECT_TRUE(caller.status().is_ok()) << caller.status();
    GrpcReader reader;
    GrpcMessage message;
    for (std::string_view left = body; !left.empty();) {
      EXPECT_TRUE(*reader.next(left, message));
      said += message.is_compressed ? " gzip" : " plain";
    }
    return said;
  };
  const Fields accepts = {{"grpc-accept-encoding", "identity,gzip"}};
  const Fields sends = {{"grpc-accept-encoding", "identity,gzip"}, {"grpc-encoding", "gzip"}};
  const Fields says = {{"grpc-accept-encoding", "identity,gzip"}, {"grpc-encoding", "identity"}};
  EXPECT_EQ(ask({}, accepts), "none plain plain");
  EXPECT_EQ(ask({}, sends), "gzip gzip plain");
  EXPECT_EQ(ask({.compress_from = 4000}, sends), "gzip plain plain");
  EXPECT_EQ(ask({.compresses_first = true}, accepts), "gzip gzip plain");
  EXPECT_EQ(ask({.compresses_first = true}, says), "gzip gzip plain");
  EXPECT_EQ(ask({.compresses_first = true}, {}), "none plain plain") << "who reads none";
}

PARLEY_PEER_TEST(GrpcStreamHead, messages_and_time_have_the_limits_of_the_options) {
  Peer peer;
  peer.handle_stream("/size", [](Stream<std::string, int>& stream) -> Status {
    const auto said = stream.receive();
    if (!said) return said.error();
    return stream.send(static_cast<int>((*said)->size()));
  });
  peer.handle_stream("/wait", [](Stream<int, int>&) { return rt::Context::current().wait_done(); });
  const auto ask = [&](const GrpcOptions& options, const std::string& path) {
    const World world(peer, options);
    const auto connection = world.dial();
    Caller caller(*connection, path);
    (void)caller.send("\"" + std::string(2000, 'x') + "\"");
    (void)caller.receive_all();  // the status is behind them
    return caller.status().code();
  };
  EXPECT_EQ(ask({.max_message = 2002}, "/size"), Code::ok);
  EXPECT_EQ(ask({.max_message = 2001}, "/size"), Code::resource_exhausted);
  EXPECT_EQ(ask({.timeout = std::chrono::milliseconds(1)}, "/wait"), Code::deadline_exceeded);
  EXPECT_EQ(ask({.timeout = std::chrono::hours(1)}, "/size"), Code::ok);
}

}  // namespace
}  // namespace parley::door
