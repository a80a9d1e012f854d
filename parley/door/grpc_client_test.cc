// The client against servers by hand, which say what no sound server says as well. Somebody else's
// server is in grpc_client_foreign_test.cc.
#include "parley/door/grpc_client.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "parley/door/grpc_head.h"
#include "parley/http/http2_servant.h"
#include "parley/http/service.h"
#include "parley/http/testing/http2_frames.h"
#include "parley/net/network.h"
#include "parley/net/serve.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/tls_network.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using http::ServerExchange;

struct Tea {
  std::string name;
  int cups = 0;
};

std::string framed(std::string_view message, GrpcCoding coding = GrpcCoding::identity) {
  std::string out;
  EXPECT_TRUE(put_grpc_message(out, message, coding).is_ok());
  return out;
}

Status begin(ServerExchange& exchange, std::string_view coding = "") {
  http::Headers& fields = exchange.response().headers;
  if (Status s = fields.add("content-type", "application/grpc"); !s.is_ok()) return s;
  if (!coding.empty()) (void)fields.add("grpc-encoding", coding);
  for (const auto [name, value] : exchange.request().headers) {
    if (name.starts_with("grpc-") || name.starts_with("x-")) {
      (void)fields.add("saw-" + std::string(name), value);
    }
  }
  return exchange.begin(http::BodySize::unknown());
}

Status end(ServerExchange& exchange, const Status& status) {
  http::Headers trailers;
  put_grpc_status(status, trailers);
  (void)trailers.add("x-trailing-bin", "AP8");
  return exchange.end(trailers);
}

// What the handler of a test's path does; what is no path of these is echoed message by message.
Status served(ServerExchange& exchange) {
  const std::string_view path = exchange.request().target;
  http::Headers& fields = exchange.response().headers;
  if (path == "/t/html") return exchange.answer(503, "<html>", "text/html");
  if (path == "/t/status_only") {
    (void)fields.add("content-type", "application/grpc");
    put_grpc_status(Status::business(1001, "out of tea"), fields);
    return exchange.begin(http::BodySize::none());
  }
  if (path == "/t/wait") {
    if (Status s = begin(exchange); !s.is_ok()) return s;
    if (Status s = exchange.flush(); !s.is_ok()) return s;
    return rt::Context::current().wait_done();
  }
  if (path == "/t/two" || path == "/t/none" || path == "/t/cut" || path == "/t/no_status" ||
      path == "/t/packed") {
    if (Status s = begin(exchange); !s.is_ok()) return s;
    if (path == "/t/two") (void)exchange.write(framed("a") + framed("b"));
    if (path == "/t/cut") (void)exchange.write(framed("abc").substr(0, 7));
    if (path == "/t/packed") (void)exchange.write(framed(std::string(99, 'x'), GrpcCoding::gzip));
    return path == "/t/no_status" ? exchange.end() : end(exchange, {});
  }
  const bool is_packed = path == "/t/gzip";
  if (Status s = begin(exchange, is_packed ? "gzip" : ""); !s.is_ok()) return s;
  const GrpcCoding coding = is_packed ? GrpcCoding::gzip : GrpcCoding::identity;
  GrpcReader reader({.max_message = 64 << 20});
  for (;;) {
    const auto piece = exchange.read();
    if (!piece) return piece.error();
    if (piece->empty()) return end(exchange, {});
    std::string_view in = *piece;
    for (GrpcMessage message; reader.next(in, message).value_or(false);) {
      EXPECT_EQ(message.is_compressed, exchange.request().headers.count("grpc-encoding") != 0);
      auto bytes = take_message(std::move(message), GrpcCoding::gzip, 64 << 20);
      if (!bytes) return bytes.error();
      if (Status s = exchange.write(framed(*bytes, coding)); !s.is_ok()) return s;
      if (Status s = exchange.flush(); !s.is_ok()) return s;
    }
  }
}

// Dials fail while there are failures left.
class FlakyNetwork final : public net::Network {
 public:
  Result<std::unique_ptr<net::Listener>> listen(const net::Address& address,
                                                const net::ListenOptions& options) override {
    return below_.listen(address, options);
  }
  Result<std::unique_ptr<net::Stream>> dial(const net::Address& address, rt::Deadline deadline,
                                            const net::DialOptions& options) override {
    ++dials;
    if (failures > 0) {
      --failures;
      return Status(Code::unavailable, "nobody listens");
    }
    return below_.dial(address, deadline, options);
  }
  int failures = 0;
  int dials = 0;

 private:
  net::SocketNetwork below_;
};

struct World {
  explicit World(http::Handler handler = served, net::Network* listens = nullptr)
      : listener(std::move(*(listens == nullptr ? network : *listens)
                                .listen(*net::Address::parse("tcp://127.0.0.1:0"), {}))),
        service(*http::Service::make(std::move(handler))) {}
  void serve() {
    servants.go("server", [this] {
      net::Server server(*listener, [this](net::Stream& s) { return service->http2().serve(s); });
      (void)server.serve();
    });
  }
  ~World() {
    listener->close();
    servants.cancel();
    servants.join();
  }
  FlakyNetwork network;
  std::unique_ptr<net::Listener> listener;
  std::shared_ptr<http::Service> service;
  rt::Scope servants;
};

PARLEY_FIBER_TEST(GrpcClient, calls_with_structs_and_metadata_goes_both_ways) {
  World world;
  world.serve();
  GrpcChannel channel(world.network, world.listener->address());
  GrpcAnswerMetadata beside;
  const auto tea = channel.call<Tea>("t/Echo", Tea{.name = "gr\xc3\xbcn", .cups = 3},
                                     {.metadata = {{"X-Tag", "a"}, {"x-b-bin", "\xff"}}}, &beside);
  ASSERT_TRUE(tea.has_value()) << tea.error();
  EXPECT_EQ(tea->name, "gr\xc3\xbcn");
  EXPECT_EQ(tea->cups, 3);
  EXPECT_EQ(beside.initial.get("saw-x-tag"), "a");
  EXPECT_EQ(beside.initial.get("saw-x-b-bin"), "\xff");
  EXPECT_EQ(beside.initial.get("saw-grpc-timeout"), std::nullopt);
  EXPECT_EQ(beside.trailing.get("x-trailing-bin"), std::string_view("\0\xff", 2));
  for (const wire::Metadata& wrong : {wire::Metadata{{"te", "x"}}, {{"tea", "\xff"}}}) {
    EXPECT_EQ(channel.call_bytes("/t/Echo", "x", {.metadata = wrong}).error().code(),
              Code::invalid_argument);
  }
  EXPECT_EQ(channel.dialled(), 1U);
}

PARLEY_FIBER_TEST(GrpcClient, says_what_an_answer_that_is_none_means) {
  World world;
  world.serve();
  GrpcChannel channel(world.network, world.listener->address());
  const auto status_of = [&](const char* method) { return channel.call_bytes(method, "").error(); };
  EXPECT_EQ(status_of("/t/html").code(), Code::unavailable);
  EXPECT_EQ(status_of("/t/status_only"), Status::business(1001, "out of tea"));
  EXPECT_EQ(status_of("/t/no_status").code(), Code::unknown);
  for (const char* wrong : {"/t/two", "/t/none", "/t/cut", "/t/packed"}) {
    EXPECT_EQ(status_of(wrong).code(), Code::internal) << wrong;
  }
}

PARLEY_FIBER_TEST(GrpcClient, compresses_and_limits_messages) {
  World world;
  world.serve();
  GrpcChannel channel(world.network, world.listener->address(),
                      {.max_receive = 100'000, .max_send = 200'000});
  const std::string large(100'000, 'x');
  EXPECT_EQ(*channel.call_bytes("/t/Echo", large), large);
  EXPECT_EQ(*channel.call_bytes("/t/gzip", large, {.coding = GrpcCoding::gzip}), large);
  for (const char* method : {"/t/Echo", "/t/gzip"}) {
    const auto answer = channel.call_bytes(method, large + "x");
    EXPECT_EQ(answer.error().code(), Code::resource_exhausted) << method;
  }
  const auto sent = channel.call_bytes("/t/Echo", large + large + "x");
  EXPECT_NE(sent.error().message().find("max_send"), std::string::npos) << sent.error();
}

PARLEY_FIBER_TEST(GrpcClient, a_stream_goes_to_and_fro_beyond_what_a_body_may_have) {
  World world;
  world.serve();
  GrpcChannel channel(world.network, world.listener->address(),
                      {.http2 = {.limits = {.max_body_bytes = 1000}}});
  auto stream = channel.open<Tea, Tea>("/t/Chat");
  ASSERT_TRUE(stream.has_value()) << stream.error();
  for (int i = 1; i <= 20; ++i) {
    ASSERT_TRUE(stream->write({.name = std::string(100, 'x'), .cups = i}).is_ok());
    const auto tea = stream->read();
    ASSERT_TRUE(tea.has_value() && tea->has_value()) << tea.error();
    EXPECT_EQ((*tea)->cups, i);
  }
  EXPECT_TRUE(stream->done_writing().is_ok());
  EXPECT_FALSE(stream->read()->has_value());
  EXPECT_TRUE(stream->finish().is_ok());
  EXPECT_EQ(stream->write({}).code(), Code::out_of_range);
  EXPECT_EQ(stream->raw().trailing_metadata().size(), 1U);
}

PARLEY_FIBER_TEST(GrpcClient, a_deadline_and_a_cancel_end_the_call_and_its_handler) {
  rt::Event ended;
  World world([&](ServerExchange& exchange) {
    const Status status = served(exchange);
    ended.set();
    return status;
  });
  world.serve();
  GrpcChannel channel(world.network, world.listener->address(), {.timeout = 24h});
  EXPECT_EQ(channel.call_bytes("/t/wait", "", {.timeout = 5ms}).error().code(),
            Code::deadline_exceeded);
  EXPECT_EQ(channel.call_bytes("/t/wait", "", {.timeout = 0ms}).error().code(),
            Code::deadline_exceeded);
  auto call = channel.open("/t/wait");
  ASSERT_TRUE(call.has_value()) << call.error();
  const auto initial = (*call)->initial_metadata();
  ASSERT_TRUE(initial.has_value()) << initial.error();
  EXPECT_EQ((*initial)->get("saw-grpc-timeout").value_or("").back(), 'm');
  ended.reset();
  (*call)->cancel();
  EXPECT_EQ((*call)->finish().code(), Code::cancelled);
  EXPECT_EQ((*call)->read().error().code(), Code::cancelled) << "the same again";
  EXPECT_TRUE(ended.wait(rt::Deadline::after(15s)).is_ok());
}

PARLEY_FIBER_TEST(GrpcClient, a_call_fails_or_waits_while_nobody_can_be_reached) {
  World world;
  world.serve();
  world.network.failures = 1;
  GrpcChannel patient(world.network, world.listener->address(), {.interval = 24h, .jitter = 0});
  const auto refused = patient.call_bytes("/t/Echo", "x");
  EXPECT_EQ(refused.error().code(), Code::not_sent);
  EXPECT_NE(refused.error().cause().find("nobody listens"), std::string::npos);
  EXPECT_EQ(patient.call_bytes("/t/Echo", "x").error().code(), Code::not_sent);
  EXPECT_EQ(world.network.dials, 1) << "the pause holds";
  EXPECT_EQ(
      patient.call_bytes("/t/Echo", "x", {.timeout = 2ms, .wait_for_ready = true}).error().code(),
      Code::deadline_exceeded);
  world.network.failures = 3;
  GrpcChannel eager(world.network, world.listener->address(),
                    {.interval = 1ms, .max_interval = 2ms});
  EXPECT_TRUE(eager.call_bytes("/t/Echo", "x", {.wait_for_ready = true}).has_value());
  EXPECT_EQ(world.network.failures, 0);
}

PARLEY_FIBER_TEST(GrpcClient, the_callers_context_ends_a_call_and_close_those_that_wait) {
  World world;
  world.serve();
  GrpcChannel channel(world.network, world.listener->address(), {.interval = 24h, .jitter = 0});
  {
    auto [context, cancel] = rt::Context::current().with_cancel();
    const rt::WithContext bound(context);
    auto call = channel.open("/t/wait");
    ASSERT_TRUE(call.has_value() && (*call)->initial_metadata().has_value());
    cancel(Status(Code::aborted, "enough"));
    EXPECT_EQ((*call)->finish().code(), Code::aborted);
  }
  world.network.failures = 1;
  GrpcChannel other(world.network, world.listener->address(), {.interval = 24h, .jitter = 0});
  EXPECT_EQ(other.call_bytes("/t/Echo", "x").error().code(), Code::not_sent);
  rt::Scope scope;
  rt::Event began;
  scope.go("waits", [&] {
    began.set();
    EXPECT_EQ(other.call_bytes("/t/Echo", "x", {.wait_for_ready = true}).error().code(),
              Code::not_sent);
  });
  ASSERT_TRUE(began.wait(rt::Deadline::after(15s)).is_ok());
  other.close();
  scope.join();
}

PARLEY_FIBER_TEST(GrpcClient, dials_again_when_the_server_sends_it_away) {
  World world;
  world.serve();
  GrpcChannel channel(world.network, world.listener->address());
  auto old = channel.open("/t/Chat");
  ASSERT_TRUE(old.has_value() && (*old)->write("a").is_ok());
  EXPECT_EQ(*(*old)->read().value(), "a");
  world.service->http2().drain();
  while (channel.dialled() == 1) EXPECT_TRUE(channel.call_bytes("/t/Echo", "x").has_value());
  ASSERT_TRUE((*old)->write("b").is_ok());
  EXPECT_EQ(*(*old)->read().value(), "b") << "what is under way is finished";
  EXPECT_TRUE((*old)->finish().is_ok());
}

// A server that says `frames` when the first head has come, and then is a sound one.
Result<Bytes> called_after(const std::string& frames) {
  using namespace http::testing;  // NOLINT(google-build-using-namespace): frames by hand
  World world;
  rt::Scope scope;
  scope.go("server", [&] {
    auto first = std::move(*world.listener->accept());
    std::string in;
    std::array<char, 4096> buffer{};
    for (bool has_head = false; !has_head;) {
      const auto size = first->read(buffer, rt::Deadline::after(15s));
      if (!size || *size == 0) break;
      in.append(buffer.data(), *size);
      if (in.starts_with(preface)) in.erase(0, preface.size());
      for (const Frame& one : frames_in(in)) has_head = has_head || one.type == headers_frame;
    }
    (void)first->write(frame(settings_frame, 0, 0) + frames);
    (void)first->close_write();
    world.serve();
    while (first->read(buffer, rt::Deadline::after(15s)).value_or(0) > 0) {}
  });
  GrpcChannel channel(world.network, world.listener->address());
  auto answer = channel.call_bytes("/t/Echo", "tea", {.timeout = 60s});
  channel.close();
  EXPECT_EQ(channel.call_bytes("/t/Echo", "tea").error().code(), Code::not_sent);
  scope.join();
  return answer;
}

PARLEY_FIBER_TEST(GrpcClient, what_was_not_looked_at_is_sent_once_more_and_nothing_else_is) {
  using namespace http::testing;  // NOLINT(google-build-using-namespace): frames by hand
  const auto again = called_after(frame(goaway_frame, 0, 0, number(0) + number(0)));
  ASSERT_TRUE(again.has_value()) << again.error();
  EXPECT_EQ(*again, "tea");
  EXPECT_EQ(called_after("").error().code(), Code::outcome_unknown);
}

PARLEY_FIBER_TEST(GrpcClient, connections_are_used_in_turns) {
  World world;
  world.serve();
  GrpcChannel channel(world.network, world.listener->address(), {.connections = 3});
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(channel.call_bytes("/t/Echo", "x").has_value());
  EXPECT_EQ(channel.dialled(), 3U);
}

TEST(GrpcClient, many_calls_at_once_on_four_workers_share_a_connection) {
  rt::testing::run_fiber_test(
      [] {
        World world;
        world.serve();
        GrpcChannel channel(world.network, world.listener->address());
        rt::Scope scope;
        for (int i = 0; i < 200; ++i) {
          scope.go("caller", [&channel, i] {
            const std::string body(static_cast<std::size_t>(i) * 50, 'x');
            const auto answer = channel.call_bytes("/t/Echo", body);
            ASSERT_TRUE(answer.has_value()) << answer.error();
            EXPECT_EQ(*answer, body);
          });
        }
        scope.join();
        EXPECT_EQ(channel.dialled(), 1U);
      },
      {.workers = 4});
}

PARLEY_FIBER_TEST(GrpcClient, over_tls_both_must_agree_on_h2) {
  const net::testing::TestAuthority authority("Tea CA");
  net::SocketNetwork sockets;
  auto server = net::TlsServer::create(
      {.identities = {authority.issue({.dns_names = {"shop.example"}})}, .alpn = {"h2"}});
  ASSERT_TRUE(server.has_value()) << server.error();
  net::TlsNetwork there({.below = &sockets, .server = server->get()});
  World world(served, &there);
  world.serve();
  const auto called_with = [&](std::vector<std::string> alpn) {
    auto client = net::TlsClient::create({.ca_pem = authority.pem(), .alpn = std::move(alpn)});
    EXPECT_TRUE(client.has_value()) << client.error();
    net::TlsNetwork here(
        {.below = &sockets, .client = client->get(), .server_name = "shop.example"});
    GrpcChannel channel(here, world.listener->address());
    return channel.call_bytes("/t/Echo", "tea").error();
  };
  EXPECT_TRUE(called_with({"h2"}).is_ok()) << called_with({"h2"});
  const Status none = called_with({});
  EXPECT_EQ(none.code(), Code::not_sent);
  EXPECT_NE(none.cause().find("ALPN"), std::string::npos) << none;
}

}  // namespace
}  // namespace parley::door
