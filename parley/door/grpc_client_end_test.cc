// How calls of a channel end: with the channel, and by finish() while another fiber writes.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "parley/door/grpc_client.h"
#include "parley/door/grpc_framing.h"
#include "parley/door/grpc_head.h"
#include "parley/http/http2_servant.h"
#include "parley/http/service.h"
#include "parley/http/testing/http2_frames.h"
#include "parley/net/in_process_network.h"
#include "parley/net/serve.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using http::ServerExchange;

struct World {
  explicit World(http::Handler handler) : service(*http::Service::make(std::move(handler))) {
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
  net::InProcessNetwork network;
  std::unique_ptr<net::Listener> listener =
      std::move(*network.listen(*net::Address::parse("inproc:tea")));
  std::shared_ptr<http::Service> service;
  rt::Scope servants;
};

Status begin(ServerExchange& exchange) {
  (void)exchange.response().headers.add("content-type", "application/grpc");
  if (Status s = exchange.begin(http::BodySize::unknown()); !s.is_ok()) return s;
  return exchange.flush();
}

Status end(ServerExchange& exchange, const Status& status) {
  http::Headers trailers;
  put_grpc_status(status, trailers);
  return exchange.end(trailers);
}

// Answers, and is there until it is told to go.
Status wait(ServerExchange& exchange) {
  if (Status s = begin(exchange); !s.is_ok()) return s;
  if (exchange.request().target == "/t/Short") return end(exchange, Status(Code::aborted, "done"));
  return rt::Context::current().wait_done();
}

PARLEY_FIBER_TEST(GrpcClientEnd, close_ends_calls_on_connections_that_were_replaced) {
  World world(wait);
  auto channel = std::make_unique<GrpcChannel>(world.network, world.listener->address());
  auto old = channel->open("/t/Wait");
  ASSERT_TRUE(old.has_value() && (*old)->initial_metadata().has_value());
  world.service->http2().drain();
  while (channel->dialled() == 1) (void)channel->call_bytes("/t/Short", "x");
  auto young = channel->open("/t/Wait");
  ASSERT_TRUE(young.has_value() && (*young)->initial_metadata().has_value());
  rt::Scope scope;
  scope.go("reads", [&] { EXPECT_EQ((*old)->finish().code(), Code::outcome_unknown); });
  channel->close();
  scope.join();
  EXPECT_EQ((*young)->finish().code(), Code::outcome_unknown);
  channel.reset();
  EXPECT_EQ((*old)->read().error().code(), Code::outcome_unknown) << "a call may outlive it";
}

// What the server sees of a message that is under way when finish() comes.
void finish_beside_a_write() {
  constexpr std::size_t size = 1'000'000;  // more than windows and buffers take
  rt::Event has_first;
  rt::Event may_read;
  std::size_t got = 0;
  std::size_t messages = 0;
  World world([&](ServerExchange& exchange) -> Status {
    if (Status s = begin(exchange); !s.is_ok()) return s;
    GrpcReader reader({.max_message = 64 << 20});
    for (;;) {
      const auto piece = exchange.read();
      if (!piece) return piece.error();
      if (piece->empty()) break;
      has_first.set();
      if (Status s = may_read.wait(); !s.is_ok()) return s;
      std::string_view in = *piece;
      for (GrpcMessage message; reader.next(in, message).value_or(false); ++messages) {
        got += message.bytes.size();
      }
    }
    return end(exchange, reader.is_between() ? Status() : Status(Code::internal, "cut"));
  });
  GrpcChannel channel(world.network, world.listener->address());
  auto call = channel.open("/t/Take", {.timeout = 60s});
  ASSERT_TRUE(call.has_value() && (*call)->initial_metadata().has_value());
  rt::Scope scope;
  rt::Event has_written;
  scope.go("writes", [&] {
    const Status status = (*call)->write(std::string(size, 'x'));
    EXPECT_TRUE(status.is_ok()) << status;
    has_written.set();
    EXPECT_EQ((*call)->write("y").code(), Code::out_of_range);
  });
  ASSERT_TRUE(has_first.wait().is_ok());
  EXPECT_FALSE(has_written.is_set()) << "it waits for the other side";
  scope.go("lets it read", [&] {
    for (int i = 0; i < 1000; ++i) rt::yield();
    may_read.set();
  });
  const Status status = (*call)->finish();
  EXPECT_TRUE(status.is_ok()) << status;
  scope.join();
  EXPECT_EQ(messages, 1U);
  EXPECT_EQ(got, size);
}

PARLEY_FIBER_TEST(GrpcClientEnd, finish_lets_a_message_under_way_go_whole) {
  finish_beside_a_write();
}

TEST(GrpcClientEnd, finish_lets_a_message_under_way_go_whole_on_four_workers) {
  rt::testing::run_fiber_test(finish_beside_a_write, {.workers = 4});
}

// A server that says how the call ended, and takes nothing of it any more.
PARLEY_FIBER_TEST(GrpcClientEnd, a_write_that_waits_ends_when_the_status_has_come) {
  using namespace http::testing;  // NOLINT(google-build-using-namespace): frames by hand
  net::InProcessNetwork network;
  const auto listener = std::move(*network.listen(*net::Address::parse("inproc:tea")));
  rt::Scope scope;
  rt::Event is_full;
  scope.go("server", [&] {
    const auto stream = std::move(*listener->accept());
    (void)stream->write(frame(settings_frame, 0, 0));
    std::array<char, 4096> buffer{};
    std::size_t got = 0;
    while (got < 65'535) got += stream->read(buffer).value_or(65'535);
    is_full.set();
    (void)stream->write(
        head(1, {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "10"}}));
    while (stream->read(buffer).value_or(0) > 0) {}
  });
  {
    GrpcChannel channel(network, *net::Address::parse("inproc:tea"));
    auto call = channel.open("/t/Take");
    ASSERT_TRUE(call.has_value()) << call.error();
    rt::Scope writer;
    writer.go("writes", [&] {
      EXPECT_EQ((*call)->write(std::string(1'000'000, 'x')).code(), Code::out_of_range);
    });
    ASSERT_TRUE(is_full.wait().is_ok());
    EXPECT_EQ((*call)->finish().code(), Code::aborted);
    writer.join();
    EXPECT_EQ((*call)->finish().code(), Code::aborted) << "the same again";
  }
  scope.join();
}

}  // namespace
}  // namespace parley::door
