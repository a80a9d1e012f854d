#include "parley/door/post.h"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/sanitized.h"
#include "parley/door/testing/grpc_caller.h"
#include "parley/http/testing/memory_exchange.h"
#include "parley/rt/context.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using http::Method;
using http::testing::MemoryExchange;

constexpr std::string_view curls_type = "application/x-www-form-urlencoded";

void fill(Peer& peer) {
  peer.handle<"a", "b">("/math/add", [](int a, int b) { return a + b; });
  peer.handle("/order/place", []() -> Result<int> { return Status::business(1001, "out of tea"); });
  peer.handle("/echo", [](Context& context, const std::string& text) {
    context.reply_metadata().set("seen",
                                 std::string(context.metadata().get("till").value_or("none")));
    context.reply_metadata().set("no field", "left out");
    return text + std::string(context.query());
  });
  peer.handle("/wait", []() -> Status { return rt::Context::current().wait_done(); });
}

// The number of the answer and its body.
std::string asked(const http::Handler& handler, MemoryExchange& exchange) {
  const Status status = exchange.run(handler);
  EXPECT_TRUE(status.is_ok()) << status;
  return std::to_string(exchange.answered().status) + " " + exchange.body();
}
std::string posted(const http::Handler& handler, std::string path, std::string body,
                   std::string_view type = "application/json") {
  MemoryExchange exchange(Method::post, std::move(path));
  exchange.with("Content-Type", type).sends({std::move(body)});
  return asked(handler, exchange);
}

PARLEY_FIBER_TEST(Post, calls_a_method_by_a_plain_post) {
  Peer peer;
  fill(peer);
  const http::Handler post = make_post(peer);
  EXPECT_EQ(posted(post, "/math/add", "[1,2]"), "200 3");
  EXPECT_EQ(posted(post, "/math/add", R"({"b":40,"a":2})"), "200 42");
  EXPECT_EQ(posted(post, "/echo?x=1", R"("tea")"), R"(200 "teax=1")");
  EXPECT_EQ(posted(post, "/%65cho", R"("tea")"), R"(200 "tea")");
}

PARLEY_FIBER_TEST(Post, what_curl_calls_a_form_may_be_json) {
  Peer peer;
  fill(peer);
  const http::Handler post = make_post(peer);
  EXPECT_EQ(posted(post, "/math/add", " [1,2]", curls_type), "200 3");
  EXPECT_EQ(posted(post, "/math/add", "a=1&b=2", curls_type), "200 3");
  EXPECT_EQ(posted(post, "/echo", R"("a=b")", curls_type), R"(200 "a=b")");
}

PARLEY_FIBER_TEST(Post, answers_in_what_accept_asks_for) {
  Peer peer;
  fill(peer);
  const http::Handler post = make_post(peer);
  const auto type_for = [&](std::string_view accept) {
    MemoryExchange exchange(Method::post, "/echo");
    exchange.with("Content-Type", "application/json").with("Accept", accept).sends({"\"tea\""});
    (void)asked(post, exchange);
    return exchange.field("Content-Type") + ": " + exchange.body();
  };
  EXPECT_EQ(type_for("*/*"), "application/json: \"tea\"");
  EXPECT_EQ(type_for("text/html, text/plain;q=0.9, */*;q=0.1"), "text/plain: tea");
  EXPECT_EQ(type_for("text/plain;q=0.2, application/json;q=0.85"), "application/json: \"tea\"");
  EXPECT_EQ(type_for("text/plain;q=0"), "application/json: \"tea\"");
}

PARLEY_FIBER_TEST(Post, errors_have_a_number_and_a_body_of_json) {
  Peer peer;
  fill(peer);
  const http::Handler post = make_post(peer);
  EXPECT_EQ(posted(post, "/order/place", ""),
            "412 {\"code\":\"failed_precondition\",\"message\":\"out of tea\","
            "\"business_code\":1001}\n");
  EXPECT_TRUE(posted(post, "/math/add", "[1").starts_with("400 {\"code\":\"invalid_argument\""));
  const std::string unknown = posted(post, "/math/ad", "[1,2]");
  EXPECT_TRUE(unknown.starts_with("404 {\"code\":\"not_found\"")) << unknown;
  EXPECT_NE(unknown.find("/math/add"), std::string::npos) << unknown;
  const http::Handler ants = make_post(peer, {.rule = HttpRule::ant});
  EXPECT_TRUE(posted(ants, "/order/place", "").starts_with("299 "));
}

PARLEY_FIBER_TEST(Post, refuses_what_it_cannot_take) {
  Peer peer;
  fill(peer);
  const http::Handler post = make_post(peer, {.max_body = 10});
  EXPECT_TRUE(posted(post, "/echo", "x", "image/png").starts_with("415 {"));
  EXPECT_TRUE(posted(post, "/echo", R"("12345678")").starts_with("200 "));
  const std::string large = posted(post, "/echo", R"("123456789")");
  EXPECT_TRUE(large.starts_with("413 {")) << large;
  EXPECT_NE(large.find("PostOptions::max_body"), std::string::npos) << large;
  MemoryExchange zipped(Method::post, "/echo");
  zipped.with("Content-Encoding", "gzip").sends({"x"});
  EXPECT_TRUE(asked(post, zipped).starts_with("415 {"));
  MemoryExchange put(Method::put, "/echo");
  EXPECT_TRUE(asked(post, put).starts_with("405 {"));
  EXPECT_EQ(put.field("Allow"), "POST");
}

PARLEY_FIBER_TEST(Post, get_calls_only_where_it_is_allowed) {
  Peer peer;
  fill(peer);
  MemoryExchange refused(Method::get, "/math/add?a=1&b=2");
  EXPECT_TRUE(asked(make_post(peer), refused).starts_with("405 {"));
  const http::Handler post = make_post(peer, {.allow_get = true});
  MemoryExchange get(Method::get, "/math/add?a=1&b=2");
  EXPECT_EQ(asked(post, get), "200 3");
  MemoryExchange put(Method::put, "/math/add");
  EXPECT_TRUE(asked(post, put).starts_with("405 {"));
  EXPECT_EQ(put.field("Allow"), "GET, HEAD, POST");
}

PARLEY_FIBER_TEST(Post, a_prefix_stands_before_the_method) {
  Peer peer;
  fill(peer);
  const http::Handler post = make_post(peer, {.prefix = "/api"});
  EXPECT_EQ(posted(post, "/api/math/add", "[1,2]"), "200 3");
  EXPECT_TRUE(posted(post, "/math/add", "[1,2]").starts_with("404 {"));
  EXPECT_TRUE(posted(post, "/api", "[1,2]").starts_with("404 {"));
}

PARLEY_FIBER_TEST(Post, metadata_travels_in_fields_both_ways) {
  Peer peer;
  fill(peer);
  const http::Handler post = make_post(peer, {.metadata_fields = {"till"}});
  MemoryExchange exchange(Method::post, "/echo");
  exchange.with("Parley-Meta-Till", "seven").sends({R"("x")"});
  EXPECT_EQ(asked(post, exchange), R"(200 "x")");
  EXPECT_EQ(exchange.field("parley-meta-seen"), "seven");
  MemoryExchange named(Method::post, "/echo");
  named.with("Till", "eight").sends({R"("x")"});
  (void)asked(post, named);
  EXPECT_EQ(named.field("parley-meta-seen"), "eight");
}

PARLEY_FIBER_TEST(Post, a_call_ends_when_its_caller_waits_no_longer) {
  Peer peer;
  fill(peer);
  const http::Handler post = make_post(peer, {.timeout = 1ms});
  EXPECT_TRUE(posted(post, "/wait", "").starts_with("504 {\"code\":\"deadline_exceeded\""));
  const http::Handler patient = make_post(peer, {.timeout = 24h});
  for (const std::string_view name : {"Parley-Timeout", "grpc-timeout"}) {
    MemoryExchange said(Method::post, "/wait");
    said.with(name, "2m");
    EXPECT_TRUE(asked(patient, said).starts_with("504 {")) << name;
    MemoryExchange wrong(Method::post, "/wait");
    wrong.with(name, "soon");
    EXPECT_TRUE(asked(patient, wrong).starts_with("400 {")) << name;
  }
}

PARLEY_FIBER_TEST(Post, requests_of_one_connection_have_one_session) {
  Peer peer;
  peer.handle("/count", [](Context& context) {
    const auto last = context.session().values().get<int>("count");
    const int next = last == nullptr ? 1 : *last + 1;
    EXPECT_TRUE(context.session().values().set("count", next).is_ok());
    return next;
  });
  const http::Handler post = make_post(peer);
  const auto count_by = [&](http::Kept& kept) {
    MemoryExchange exchange(Method::post, "/count");
    return asked(post, exchange.comes_by(kept));
  };
  {
    http::Kept one;
    http::Kept another;
    EXPECT_EQ(count_by(one), "200 1");
    EXPECT_EQ(count_by(one), "200 2");
    EXPECT_EQ(count_by(another), "200 1");
    EXPECT_EQ(peer.session_count(), 2U);
    for (const Session& session : peer.sessions()) session.close();
    EXPECT_EQ(count_by(one), "200 1") << "one that was closed is not kept";
  }
  EXPECT_EQ(posted(post, "/count", ""), "200 1") << "nothing is kept here";
  while (peer.session_count() > 0) rt::yield();
}

TEST(ParseTimeout, reads_what_grpc_writes_and_nothing_else) {
  EXPECT_EQ(*parse_timeout("1H"), 1h);
  EXPECT_EQ(*parse_timeout("2M"), 2min);
  EXPECT_EQ(*parse_timeout("3S"), 3s);
  EXPECT_EQ(*parse_timeout("99999999m"), 99999999ms);
  EXPECT_EQ(*parse_timeout("4u"), 4us);
  EXPECT_EQ(*parse_timeout("99999999H"), 24h * 365 * 100) << "what a Duration can hold";
  EXPECT_EQ(*parse_timeout("99999999M"), 99999999min);
  EXPECT_EQ(*parse_timeout("5n"), 5ns);
  for (const std::string_view wrong : {"", "5", "S", "5s", "-5S", "1.5S", "123456789S", "5 S"}) {
    EXPECT_FALSE(parse_timeout(wrong)) << wrong;
  }
}

struct Tree {
  std::vector<Tree> kids;
};

// Trees in each other, so deep, in three codecs.
std::string deep_json(int depth) {
  std::string text = R"({"kids":[]})";
  for (int i = 1; i < depth; ++i) text = R"({"kids":[)" + text + "]}";
  return text;
}
std::string deep_msgpack(int depth) {
  std::string bytes("\x81\xa4kids\x90", 7);
  for (int i = 1; i < depth; ++i) bytes = "\x81\xa4kids\x91" + bytes;
  return bytes;
}
std::string deep_protobuf(int depth) {
  std::string bytes;
  for (int i = 1; i < depth; ++i) {
    std::string size(1, static_cast<char>(bytes.size() & 0x7FU));
    if (bytes.size() >= 0x80) {
      size.front() = static_cast<char>(size.front() | 0x80);
      size += static_cast<char>(bytes.size() >> 7U);
    }
    bytes = "\x0a" + size + bytes;
  }
  return bytes;
}

PARLEY_FIBER_TEST(Post, what_a_handler_threw_is_told_only_where_that_is_wanted) {
  for (const bool tells : {true, false}) {
    Peer peer({.tells_exceptions = tells});
    peer.handle("/throw", []() -> int { throw std::runtime_error("oops"); });
    const std::string told = posted(make_post(peer), "/throw", "");
    EXPECT_EQ(told.substr(0, 4), "500 ") << told;
    EXPECT_EQ(told.find("oops") != std::string::npos, tells) << told;
  }
}

PARLEY_FIBER_TEST(Post, what_is_beyond_a_limit_of_the_codecs_is_wrong_and_not_for_another_try) {
  if (is_sanitized) GTEST_SKIP() << "a sanitizer widens every frame";
  Peer peer;
  peer.handle("/tree", [](const Tree& tree) { return tree.kids.size(); });
  const http::Handler post = make_post(peer);
  for (const auto& [type, deep] : {std::pair{"application/json", &deep_json},
                                   {"application/msgpack", &deep_msgpack},
                                   {"application/x-protobuf", &deep_protobuf}}) {
    EXPECT_EQ(posted(post, "/tree", deep(10), type).substr(0, 4), "200 ") << type;
    const std::string told = posted(post, "/tree", deep(100), type);
    EXPECT_EQ(told.substr(0, 4), "400 ") << type << ' ' << told;
    EXPECT_NE(told.find("invalid_argument"), std::string::npos) << type << ' ' << told;
    EXPECT_NE(told.find("max_depth"), std::string::npos) << type << ' ' << told;
  }
  const testing::GrpcWorld world(peer);
  const auto connection = world.dial();
  for (const int depth : {10, 100}) {
    testing::GrpcCaller call(*connection, "/tree");
    ASSERT_TRUE(call.send(deep_json(depth)).is_ok());
    ASSERT_TRUE(call.exchange->end().is_ok());
    EXPECT_EQ(call.receive_all().size(), depth == 10 ? 1U : 0U);
    EXPECT_EQ(call.status().code(), depth == 10 ? Code::ok : Code::invalid_argument);
  }
}

}  // namespace
}  // namespace parley::door
