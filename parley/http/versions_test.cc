// One server for HTTP/1 and HTTP/2: which of them a connection speaks, and what both have alike.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/server.h"
#include "parley/http/testing/http2_by_hand.h"
#include "parley/net/network.h"
#include "parley/observe/registry.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the frames are all it is about
using namespace std::chrono_literals;
using rt::testing::in_virtual_time;

const std::string get_1 = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

Status echo(ServerExchange& exchange) {
  const auto body = exchange.read_all();
  if (!body) return body.error();
  return exchange.answer(200, std::string(name_of(exchange.protocol())) + " " +
                                  exchange.request().target + " " + *body);
}

class World {
 public:
  explicit World(Handler handler, ServerOptions options = {})
      : server_(*listener_, std::move(handler), std::move(options)) {
    scope_.go("server", [this] { (void)server_.serve(); });
  }
  std::unique_ptr<net::Stream> dial() {
    return std::move(*net::SocketNetwork().dial(listener_->address()));
  }
  Server& server() { return server_; }
  // All that comes for these bytes.
  std::string ask(std::string_view bytes) {
    const auto stream = dial();
    EXPECT_TRUE(stream->write(bytes).is_ok());
    return rest_of(*stream);
  }
  static std::string rest_of(net::Stream& stream) {
    std::string all;
    std::array<char, 4096> buffer{};
    for (;;) {
      const auto size = stream.read(buffer);
      if (!size || *size == 0) return all;
      all.append(buffer.data(), *size);
    }
  }
  Status finish() {
    Status status = server_.shutdown();
    scope_.join();
    return status;
  }

 private:
  const std::unique_ptr<net::Listener> listener_ =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  Server server_;
  rt::Scope scope_{rt::OnExit::cancel};
};

bool has(std::string_view all, std::string_view part) { return all.find(part) != all.npos; }

// A whole answer to GET /tea over HTTP/2: its head as it came, and its body.
std::string ask_2(World& world) {
  ByHand client(world.dial());
  client.send(head(1, get_fields()));
  if (!client.wait_for(headers_frame, 1)) return "nothing";
  if ((client.last().flags & ends_stream) == 0) {
    EXPECT_TRUE(client.wait_for(data_frame, 1, ends_stream));
  }
  return client.body_of(1);
}

PARLEY_FIBER_TEST(HttpVersions, one_port_serves_both_by_the_first_bytes) {
  World world(echo);
  EXPECT_TRUE(world.ask(get_1).ends_with("\r\n\r\nHTTP/1.1 /a "));
  EXPECT_EQ(ask_2(world), "HTTP/2 /tea ");
  EXPECT_EQ(world.server().counts().requests, 2u);
  EXPECT_TRUE(world.finish().is_ok());
}

PARLEY_FIBER_TEST(HttpVersions, first_bytes_may_come_one_by_one) {
  const auto listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  const auto service = *Service::make(echo);
  std::string early;
  net::Server server(*listener, net::Server::MakeServant([&](net::Stream& stream) {
    return make_servant(stream, service, early);
  }));
  rt::Scope scope(rt::OnExit::cancel);
  scope.go("server", [&] { (void)server.serve(); });
  for (const std::string& all :
       {hello() + head(1, get_fields()), "PROPFIND /a HTTP/1.1\r\nHost: a\r\n\r\n" + get_1}) {
    for (const std::size_t before : {0U, 1U, 3U, 24U, 30U}) {
      early = all.substr(0, before);
      const auto stream = std::move(*net::SocketNetwork().dial(listener->address()));
      for (std::size_t at = before; at < all.size(); ++at) {
        ASSERT_TRUE(stream->write(all.substr(at, 1)).is_ok());
        rt::yield();
      }
      std::string said;
      std::array<char, 4096> buffer{};
      while (!has(said, "HTTP/2 /tea") && !has(said, "HTTP/1.1 /a")) {
        const auto size = stream->read(buffer, rt::Deadline::after(15s));
        ASSERT_TRUE(size && *size > 0) << before << said;
        said.append(buffer.data(), *size);
      }
    }
  }
}

TEST(HttpVersions, first_bytes_that_do_not_go_on_are_a_slow_head) {
  for (const Duration limit : {2s, 20s}) {
    in_virtual_time(
        [&] {
          World world(echo, {.head_timeout = limit});
          for (const std::string_view first : {"P", "PRI * HTTP/2"}) {
            const Instant began = rt::now();
            const std::string said = world.ask(first);
            EXPECT_TRUE(has(said, "HTTP/1.1 408")) << said;
            EXPECT_GE(rt::now() - began, limit);
            EXPECT_LT(rt::now() - began, limit + 8s);
          }
          const Instant began = rt::now();
          EXPECT_EQ(world.ask(""), "");
          EXPECT_GE(rt::now() - began, 75s);
        },
        10ms);
  }
}

PARLEY_FIBER_TEST(HttpVersions, versions_says_what_is_spoken) {
  World old(echo, {.versions = Versions::http_1});
  EXPECT_TRUE(has(old.ask(hello()), "HTTP/1.1 "));
  EXPECT_TRUE(has(old.ask(get_1), " 200 "));
  World young(echo, {.versions = Versions::http_2});
  EXPECT_FALSE(has(young.ask(get_1), "HTTP/1.1"));
  EXPECT_EQ(ask_2(young), "HTTP/2 /tea ");
}

std::string upgrade(std::string_view settings, std::string_view more = {}) {
  return "GET /first HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
         "Upgrade: h2c\r\nHTTP2-Settings: " +
         std::string(settings) + "\r\n" + std::string(more) + "\r\n";
}

PARLEY_FIBER_TEST(HttpVersions, a_request_of_http_1_may_go_on_over_http_2) {
  World world([](ServerExchange& exchange) {
    EXPECT_FALSE(exchange.request().headers.get("HTTP2-Settings"));
    EXPECT_FALSE(exchange.request().headers.get("Upgrade"));
    return echo(exchange);
  });
  // What a client says in HTTP/2 may come right behind the request.
  for (const std::string& behind : {std::string(), hello() + head(3, get_fields())}) {
    auto stream = world.dial();
    ASSERT_TRUE(stream->write(upgrade("AAMAAABkAAQAAP__") + behind).is_ok());
    std::string said;
    std::array<char, 1> one{};
    while (!said.ends_with("\r\n\r\n")) {
      const auto size = stream->read(one, rt::Deadline::after(15s));
      ASSERT_TRUE(size && *size == 1) << said;
      said += one[0];
    }
    EXPECT_TRUE(said.starts_with("HTTP/1.1 101 ")) << said;
    if (behind.empty()) {
      ByHand client(std::move(stream));
      ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
      EXPECT_EQ(client.body_of(1), "HTTP/2 /first ");
      client.send(head(3, get_fields()));
      ASSERT_TRUE(client.wait_for(data_frame, 3, ends_stream));
    } else {
      std::string all;
      std::array<char, 4096> buffer{};
      while (!has(all, "HTTP/2 /first ") || !has(all, "HTTP/2 /tea ")) {
        const auto size = stream->read(buffer, rt::Deadline::after(15s));
        ASSERT_TRUE(size && *size > 0) << all;
        all.append(buffer.data(), *size);
      }
    }
  }
}

PARLEY_FIBER_TEST(HttpVersions, who_asks_wrongly_for_http_2_is_answered_over_http_1) {
  World world(echo);
  const std::string wrong[] = {
      upgrade("A*"),
      upgrade("AAMAAA"),
      upgrade("", "HTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
      "GET /first HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
  };
  for (const std::string& request : wrong) {
    EXPECT_TRUE(world.ask(request + get_1).starts_with("HTTP/1.1 200")) << request;
  }
  World old(echo, {.versions = Versions::http_1});
  EXPECT_TRUE(has(old.ask(upgrade("AAMAAABkAAQAAP__") + get_1), "HTTP/1.1 200"));
}

PARLEY_FIBER_TEST(HttpVersions, what_a_service_says_and_counts_holds_for_both) {
  observe::Registry registry;
  std::string told;
  World world(
      [](ServerExchange& exchange) -> Status {
        if (exchange.request().target == "/a") return exchange.answer(200);
        return Status(Code::internal, "secret");
      },
      {.server_name = "parley-tea",
       .on_error = [&](const net::Address&, const Status& why) { told += why.message(); },
       .registry = &registry});
  ByHand client(world.dial());
  Fields fields = get_fields();
  client.send(head(1, fields));
  ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
  EXPECT_EQ(client.body_of(1), "Internal Server Error\n");
  EXPECT_EQ(told, "secret");
  fields[2].second = "/a";
  client.send(head(3, fields));
  ASSERT_TRUE(client.wait_for(headers_frame, 3));
  (void)world.ask(get_1);
  client.stream().close();
  EXPECT_TRUE(world.finish().is_ok());
  const std::string all = registry.open_metrics();
  EXPECT_TRUE(has(all, "parley_http_requests_total{class=\"2xx\"} 2")) << all;
  EXPECT_TRUE(has(all, "parley_http_requests_total{class=\"5xx\"} 1")) << all;
  EXPECT_TRUE(has(all, "parley_http_connections 0")) << all;
  EXPECT_EQ(world.server().counts().errors, 1u);
}

PARLEY_FIBER_TEST(HttpVersions, exchanges_of_a_connection_keep_one_object) {
  World world([](ServerExchange& exchange) -> Status {
    const auto kept = exchange.kept()->get<int>([] { return std::make_shared<int>(0); });
    return exchange.answer(200, std::to_string(++*kept));
  });
  for (int i = 0; i < 2; ++i) {
    const std::string all = world.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n" + get_1);
    EXPECT_TRUE(has(all, "\r\n\r\n1HTTP/1.1")) << all;
    EXPECT_TRUE(all.ends_with("\r\n\r\n2")) << all;
    ByHand client(world.dial());
    client.send(head(1, get_fields()));
    ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
    client.send(head(3, get_fields()));
    ASSERT_TRUE(client.wait_for(data_frame, 3, ends_stream));
    EXPECT_EQ(client.body_of(1) + client.body_of(3), "12");
  }
}

PARLEY_FIBER_TEST(HttpVersions, the_last_of_max_requests_ends_a_connection_of_http_2) {
  for (const std::uint64_t most : {1U, 2U}) {
    World world(echo, {.max_requests = most});
    ByHand client(world.dial());
    for (std::uint32_t id = 1; id < 2 * most; id += 2) {
      client.send(head(id, get_fields()));
      ASSERT_TRUE(client.wait_for(data_frame, id, ends_stream));
    }
    const auto says_goodbye = [&] {
      for (const Frame& one : client.frames) {
        if (one.type == goaway_frame) return true;
      }
      return false;
    };
    while (!says_goodbye()) ASSERT_TRUE(client.read());
    EXPECT_EQ(world.server().counts().requests, most);
  }
}

PARLEY_FIBER_TEST(HttpVersions, shutdown_waits_for_requests_of_http_2) {
  rt::Event inside;
  rt::Event go_on;
  World world([&](ServerExchange& exchange) -> Status {
    inside.set();
    if (Status s = go_on.wait(); !s.is_ok()) return s;
    return echo(exchange);
  });
  ByHand client(world.dial());
  client.send(head(1, get_fields()));
  ASSERT_TRUE(inside.wait().is_ok());
  rt::Scope scope;
  Status status(Code::internal, "not yet");
  scope.go("shutdown", [&] { status = world.server().shutdown(); });
  ASSERT_TRUE(client.wait_for(ping_frame, 0));
  client.send(frame(ping_frame, acknowledges, 0, client.last().payload));
  go_on.set();
  ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
  EXPECT_FALSE(client.wait_for(data_frame, 99)) << "the end";
  client.stream().close();
  scope.join();
  EXPECT_TRUE(status.is_ok()) << status;
}

TEST(HttpVersions, a_body_over_http_2_that_is_too_slow_is_408) {
  const auto until_given_up = [](const ServerOptions& options) {
    Duration took{};
    in_virtual_time(
        [&] {
          World world(
              [&](ServerExchange& exchange) {
                const Instant began = rt::now();
                const auto body = exchange.read_all();
                took = rt::now() - began;
                return body.error();
              },
              options);
          ByHand client(world.dial(), 300s);
          client.send(head(1, post_fields(), 0) + frame(data_frame, 0, 1, "abc"));
          EXPECT_TRUE(client.wait_for(data_frame, 1, ends_stream));
          EXPECT_TRUE(has(client.body_of(1), "too slowly")) << client.body_of(1);
          EXPECT_EQ(world.server().counts().timeouts, 1u);
        },
        10ms);
    return took;
  };
  EXPECT_GE(until_given_up({.min_body_rate = 0}), 30s);
  const Duration by_time = until_given_up({.body_timeout = 2s});
  EXPECT_GE(by_time, 2s);
  EXPECT_LT(by_time, 9s);
  const Duration by_rate = until_given_up({.min_body_rate = 1, .body_grace = 5s});
  EXPECT_GE(by_rate, 5s);
  EXPECT_LT(by_rate, 25s);
}

TEST(HttpVersions, a_body_over_http_2_whose_limits_are_lifted_may_be_silent_and_long) {
  in_virtual_time(
      [] {
        World world(
            [](ServerExchange& exchange) {
              exchange.lift_body_limits();
              const auto body = exchange.read_all();
              return body ? exchange.answer(200, *body) : body.error();
            },
            {.limits = {.max_body_bytes = 5}, .ping_after = 0s});
        ByHand client(world.dial(), 300s);
        client.send(head(1, post_fields(), 0) + frame(data_frame, 0, 1, "abc"));
        EXPECT_TRUE(rt::sleep(120s).is_ok());
        client.send(frame(data_frame, ends_stream, 1, "defgh"));
        EXPECT_TRUE(client.wait_for(data_frame, 1, ends_stream));
        EXPECT_EQ(client.body_of(1), "abcdefgh");
      },
      10ms);
}

}  // namespace
}  // namespace parley::http
