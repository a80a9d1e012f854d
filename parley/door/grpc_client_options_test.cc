// Options of a channel, two values of each.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/door/grpc_client.h"
#include "parley/door/grpc_framing.h"
#include "parley/door/grpc_head.h"
#include "parley/http/http2_servant.h"
#include "parley/http/service.h"
#include "parley/net/in_process_network.h"
#include "parley/net/serve.h"
#include "parley/rt/context.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using http::ServerExchange;

const char* const target = "inproc:tea";

Status slow_until(rt::Deadline deadline) {
  const Status status = rt::sleep(deadline.instant() - rt::now());
  return status.is_ok() ? Status(Code::deadline_exceeded, "slow") : status;
}

// A dial fails at once, or takes all of its time.
class DeadNetwork final : public net::Network {
 public:
  explicit DeadNetwork(bool is_slow = false) : is_slow_(is_slow) {}
  Result<std::unique_ptr<net::Listener>> listen(const net::Address& /*address*/,
                                                const net::ListenOptions& /*options*/) override {
    return Status(Code::unavailable, "nothing here");
  }
  Result<std::unique_ptr<net::Stream>> dial(const net::Address& /*address*/, rt::Deadline deadline,
                                            const net::DialOptions& /*options*/) override {
    at.push_back(rt::now());
    if (is_slow_) return slow_until(deadline);
    return Status(Code::unavailable, "nobody listens");
  }
  std::vector<Instant> at;

 private:
  const bool is_slow_;
};

net::Address address() { return *net::Address::parse(target); }

// Answers with the head that came, and with a message of `answer` bytes.
struct World {
  explicit World(std::size_t answer = 0) {
    service = *http::Service::make([answer](ServerExchange& exchange) -> Status {
      http::Headers& fields = exchange.response().headers;
      (void)fields.add("content-type", "application/grpc");
      (void)fields.add("saw-authority", exchange.request().authority());
      (void)fields.add("saw-agent", exchange.request().headers.get("user-agent").value_or("none"));
      if (Status s = exchange.begin(http::BodySize::unknown()); !s.is_ok()) return s;
      std::string message;
      (void)put_grpc_message(message, std::string(answer, 'x'));
      if (Status s = exchange.write(message); !s.is_ok()) return s;
      http::Headers trailers;
      put_grpc_status({}, trailers);
      return exchange.end(trailers);
    });
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
  std::unique_ptr<net::Listener> listener = std::move(*network.listen(address()));
  std::shared_ptr<http::Service> service;
  rt::Scope servants;
};

// What the server saw of a call.
wire::Metadata seen_of(GrpcChannelOptions options) {
  World world;
  GrpcChannel channel(world.network, address(), std::move(options));
  GrpcAnswerMetadata beside;
  EXPECT_TRUE(channel.call_bytes("/t/Echo", "x", {}, &beside).has_value());
  return beside.initial;
}

PARLEY_FIBER_TEST(GrpcClientOptions, authority_and_user_agent_are_what_the_server_sees) {
  const auto plain = seen_of({});
  EXPECT_EQ(plain.get("saw-agent"), "grpc-c++-parley");
  const auto named = seen_of({.authority = "shop.example:1", .user_agent = "tea/2"});
  EXPECT_EQ(named.get("saw-authority"), "shop.example:1");
  EXPECT_NE(plain.get("saw-authority"), "shop.example:1");
  EXPECT_EQ(named.get("saw-agent"), "tea/2");
}

PARLEY_FIBER_TEST(GrpcClientOptions, max_receive_and_max_send_bound_a_message) {
  World world(10'000);
  GrpcChannel wide(world.network, address());
  GrpcChannel narrow(world.network, address(), {.max_receive = 9'999});
  EXPECT_TRUE(wide.call_bytes("/t/Echo", "x").has_value());
  EXPECT_EQ(narrow.call_bytes("/t/Echo", "x").error().code(), Code::resource_exhausted);
  GrpcChannel terse(world.network, address(), {.max_send = 9});
  EXPECT_TRUE(wide.call_bytes("/t/Echo", "0123456789").has_value());
  EXPECT_EQ(terse.call_bytes("/t/Echo", "0123456789").error().code(), Code::resource_exhausted);
}

TEST(GrpcClientOptions, dial_timeout_is_what_a_dial_may_take) {
  for (const Duration limit : {2s, 20s}) {
    rt::testing::in_virtual_time(
        [&] {
          DeadNetwork network(true);
          GrpcChannel channel(network, address(), {.dial_timeout = limit});
          const Instant began = rt::now();
          EXPECT_EQ(channel.call_bytes("/t/Echo", "x").error().code(), Code::not_sent);
          EXPECT_GE(rt::now() - began, limit);
          EXPECT_LT(rt::now() - began, limit + 1s);
        },
        10ms);
  }
}

TEST(GrpcClientOptions, timeout_is_for_calls_that_say_none) {
  for (const Duration limit : {3s, 30s}) {
    rt::testing::in_virtual_time(
        [&] {
          DeadNetwork network(true);
          GrpcChannel channel(network, address(), {.timeout = limit, .dial_timeout = 1h});
          const Instant began = rt::now();
          EXPECT_EQ(channel.call_bytes("/t/Echo", "x").error().code(), Code::deadline_exceeded);
          EXPECT_GE(rt::now() - began, limit);
          EXPECT_LT(rt::now() - began, limit + 1s);
          EXPECT_EQ(channel.call_bytes("/t/Echo", "x", {.timeout = 1s}).error().code(),
                    Code::deadline_exceeded);
          EXPECT_LT(rt::now() - began, limit + 2s);
        },
        10ms);
  }
}

// The pauses between dials of a call that waits for a minute.
std::vector<Duration> pauses_with(const GrpcChannelOptions& options) {
  std::vector<Duration> pauses;
  rt::testing::in_virtual_time(
      [&] {
        DeadNetwork network;
        GrpcChannel channel(network, address(), options);
        const auto answer =
            channel.call_bytes("/t/Echo", "x", {.timeout = 60s, .wait_for_ready = true});
        EXPECT_EQ(answer.error().code(), Code::deadline_exceeded);
        for (std::size_t i = 1; i < network.at.size(); ++i) {
          pauses.push_back(network.at[i] - network.at[i - 1]);
        }
      },
      10ms);
  return pauses;
}

void expect_near(const std::vector<Duration>& pauses, const std::vector<Duration>& expected) {
  ASSERT_EQ(pauses.size(), expected.size());
  for (std::size_t i = 0; i < pauses.size(); ++i) {
    EXPECT_GE(pauses[i], expected[i]) << i;
    EXPECT_LT(pauses[i], expected[i] + 100ms) << i;
  }
}

TEST(GrpcClientOptions, pauses_between_dials_begin_with_interval_and_grow_to_max_interval) {
  expect_near(pauses_with({.interval = 1s, .max_interval = 20s, .jitter = 0}),
              {1s, 2s, 4s, 8s, 16s, 20s});
  expect_near(pauses_with({.interval = 5s, .max_interval = 20s, .jitter = 0}), {5s, 10s, 20s, 20s});
  expect_near(pauses_with({.interval = 5s, .max_interval = 11s, .jitter = 0}),
              {5s, 10s, 11s, 11s, 11s, 11s});
}

TEST(GrpcClientOptions, jitter_makes_each_pause_shorter_by_chance) {
  const auto pauses = pauses_with({.interval = 4s, .max_interval = 4s, .jitter = 0.5});
  EXPECT_GT(pauses.size(), 15U) << "15 of 4 s";
  bool differ = false;
  for (const Duration pause : pauses) {
    EXPECT_GE(pause, 2s);
    EXPECT_LT(pause, 4s + 100ms);
    differ = differ || pause < pauses.front() - 100ms || pause > pauses.front() + 100ms;
  }
  EXPECT_TRUE(differ);
}

// How long a call lasts whose server takes everything and says nothing, and how it ends.
std::pair<Duration, Code> silent_call_with(const http::Http2Options& http2) {
  std::pair<Duration, Code> result;
  rt::testing::in_virtual_time(
      [&] {
        net::InProcessNetwork network;
        const auto listener = std::move(*network.listen(address()));
        rt::Scope scope;
        scope.go("server", [&] {
          const auto stream = std::move(*listener->accept());
          std::array<char, 4096> buffer{};
          while (stream->read(buffer).value_or(0) > 0) {}
        });
        {
          GrpcChannel channel(network, address(), {.http2 = http2});
          const Instant began = rt::now();
          const auto answer = channel.call_bytes("/t/Echo", "x", {.timeout = 10min});
          result = {rt::now() - began, answer.error().code()};
        }
        scope.join();
      },
      10ms);
  return result;
}

TEST(GrpcClientOptions, keep_alive_finds_out_that_nobody_answers_any_more) {
  const auto [never, why] = silent_call_with({});
  EXPECT_GE(never, 10min);
  EXPECT_EQ(why, Code::deadline_exceeded);
  for (const Duration after : {10s, 30s}) {
    const auto [took, code] = silent_call_with({.ping_after = after, .ping_timeout = 5s});
    EXPECT_GE(took, after + 5s);
    EXPECT_LT(took, after + 6s);
    EXPECT_EQ(code, Code::outcome_unknown);
  }
}

}  // namespace
}  // namespace parley::door
