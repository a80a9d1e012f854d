// The client of HTTP/2 against our server, against frames by hand and against nghttpd.
#include "parley/http/http2_connection.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/http/http2_servant.h"
#include "parley/http/service.h"
#include "parley/http/testing/http2_frames.h"
#include "parley/net/network.h"
#include "parley/net/serve.h"
#include "parley/rt/blocking.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the frames are all it is about
using namespace std::chrono_literals;
using parley::testing::Witness;

Request asking(Method method, const std::string& target) {
  Request request{.method = method, .target = target};
  EXPECT_TRUE(request.headers.add("Host", "shop.example").is_ok());
  return request;
}

std::unique_ptr<net::Listener> listen() {
  return std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
}

std::unique_ptr<net::Stream> dial(const net::Listener& listener) {
  return std::move(*net::SocketNetwork().dial(listener.address(), rt::Deadline::after(15s)));
}

Status echo(ServerExchange& exchange) {
  const auto body = exchange.read_all();
  if (!body) return body.error();
  Headers trailers;
  if (Status s = trailers.add("x-size", std::to_string(body->size())); !s.is_ok()) return s;
  if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
  if (Status s = exchange.write(exchange.request().target + " " + *body); !s.is_ok()) return s;
  return exchange.end(trailers);
}

struct World {
  explicit World(Handler handler, ServerOptions options = {})
      : made(*Service::make(std::move(handler), std::move(options))) {
    servants.go("server", [this] {
      net::Server server(*listener, [this](net::Stream& s) { return service.serve(s); });
      (void)server.serve();
    });
  }
  ~World() {
    listener->close();
    servants.cancel();
    servants.join();
  }
  std::unique_ptr<net::Listener> listener = listen();
  std::shared_ptr<Service> made;
  Http2Service& service = made->http2();
  rt::Scope servants;
};

void ask_many(World& world) {
  Http2Connection connection(dial(*world.listener), "http");
  rt::Scope scope;
  for (int i = 0; i < 300; ++i) {
    scope.go("caller", [&connection, i] {
      const std::string body(static_cast<std::size_t>(i) * 100, 'x');
      auto exchange = connection.begin(asking(Method::post, "/" + std::to_string(i)),
                                       BodySize::of(body.size()));
      ASSERT_TRUE(exchange.has_value()) << exchange.error();
      ASSERT_TRUE((*exchange)->write(body).is_ok());
      ASSERT_TRUE((*exchange)->end().is_ok());
      const auto head = (*exchange)->response(rt::Deadline::after(15s));
      ASSERT_TRUE(head.has_value()) << head.error();
      EXPECT_EQ((*head)->status, 200);
      EXPECT_EQ((*exchange)->read_all().value(), "/" + std::to_string(i) + " " + body);
      EXPECT_EQ((*exchange)->trailers().get("X-Size"), std::to_string(body.size()));
    });
  }
  scope.join();
  EXPECT_EQ(connection.under_way(), 0u);
  EXPECT_TRUE(connection.is_usable());
}

PARLEY_FIBER_TEST(Http2Connection, many_exchanges_go_at_once_and_wait_beyond_what_is_allowed) {
  World world(echo, {.http2 = {.limits = {.max_streams = 10}}});
  ask_many(world);
  EXPECT_EQ(world.service.counts().requests, 300u) << "none was refused";
}

TEST(Http2Connection, works_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        World world(echo);
        ask_many(world);
      },
      {.workers = 4});
}

PARLEY_FIBER_TEST(Http2Connection, cancel_takes_the_stream_back_and_ends_the_handler) {
  rt::Event began;
  rt::Event ended;
  World world([&](ServerExchange& exchange) -> Status {
    began.set();
    const auto piece = exchange.read();
    ended.set();
    return piece.error();
  });
  Http2Connection connection(dial(*world.listener), "http");
  auto exchange = connection.begin(asking(Method::post, "/"), BodySize::unknown());
  ASSERT_TRUE(exchange.has_value());
  ASSERT_TRUE(began.wait(rt::Deadline::after(15s)).is_ok());
  (*exchange)->cancel();
  EXPECT_TRUE(ended.wait(rt::Deadline::after(15s)).is_ok());
  EXPECT_EQ((*exchange)->response().error().code(), Code::cancelled);
}

PARLEY_FIBER_TEST(Http2Connection, what_is_taken_back_before_it_left_costs_the_next_nothing) {
  World world(echo, {.http2 = {.limits = {.max_streams = 5}}});
  Http2Connection connection(dial(*world.listener), "http");
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 5; ++i) {
      auto exchange = connection.begin(asking(Method::post, "/"),
                                       i % 2 == 0 ? BodySize::none() : BodySize::unknown(),
                                       rt::Deadline::after(15s));
      ASSERT_TRUE(exchange.has_value()) << round << ": " << exchange.error();
      if (i != 3) (*exchange)->cancel();
      if (i == 1) EXPECT_EQ((*exchange)->response().error().code(), Code::cancelled);
    }
  }
  auto exchange =
      connection.begin(asking(Method::get, "/"), BodySize::none(), rt::Deadline::after(15s));
  ASSERT_TRUE(exchange.has_value()) << exchange.error();
  EXPECT_EQ((*exchange)->read_all(100, rt::Deadline::after(15s)).value(), "/ ");
  EXPECT_TRUE(connection.is_usable());
}

PARLEY_FIBER_TEST(Http2Connection, a_connect_gives_its_stream) {
  World world([](ServerExchange& exchange) {
    return exchange.hand_over([](const std::unique_ptr<net::Stream>& stream) {
      std::array<char, 64> buffer{};
      while (const auto size = stream->read(buffer)) {
        if (*size == 0) break;
        (void)stream->write({buffer.data(), *size});
      }
    });
  });
  Http2Connection connection(dial(*world.listener), "http");
  Request request = asking(Method::connect, "/chat");
  ASSERT_TRUE(request.headers.add("Upgrade", "websocket").is_ok());
  auto exchange = connection.begin(request, BodySize::none());
  ASSERT_TRUE(exchange.has_value()) << exchange.error();
  auto stream = (*exchange)->take_stream();
  ASSERT_TRUE(stream.has_value()) << stream.error();
  ASSERT_TRUE((*stream)->write("hello").is_ok());
  std::array<char, 64> buffer{};
  const auto size = (*stream)->read(buffer, rt::Deadline::after(15s));
  ASSERT_TRUE(size.has_value()) << size.error();
  EXPECT_EQ(std::string(buffer.data(), *size), "hello");
}

// What two requests end with when a server says `frames` to them and closes.
std::vector<Code> ends_after(const std::string& frames) {
  const auto listener = listen();
  Http2Connection connection(dial(*listener), "http");
  auto server = listener->accept();
  EXPECT_TRUE(server.has_value());
  auto one = connection.begin(asking(Method::get, "/"), BodySize::none());
  auto two = connection.begin(asking(Method::get, "/"), BodySize::none());
  std::string in;
  std::array<char, 4096> buffer{};
  for (int heads = 0; heads < 2;) {
    const auto size = (*server)->read(buffer, rt::Deadline::after(15s));
    if (!size || *size == 0) break;
    in.append(buffer.data(), *size);
    if (in.starts_with(preface)) in.erase(0, preface.size());
    for (const Frame& frame : frames_in(in)) heads += frame.type == headers_frame ? 1 : 0;
  }
  EXPECT_TRUE((*server)->write(frame(settings_frame, 0, 0) + frames).is_ok());
  server->reset();
  return {(*one)->response(rt::Deadline::after(15s)).error().code(),
          (*two)->response(rt::Deadline::after(15s)).error().code()};
}

PARLEY_FIBER_TEST(Http2Connection, what_was_certainly_not_looked_at_is_not_sent) {
  const std::vector<Code> unknown = {Code::unavailable, Code::unavailable};
  EXPECT_EQ(ends_after(""), unknown);
  const std::vector<Code> refused = {Code::unavailable, Code::not_sent};
  EXPECT_EQ(ends_after(frame(goaway_frame, 0, 0, number(1) + number(0))), refused);
  EXPECT_EQ(ends_after(frame(reset_frame, 0, 3, number(7))), refused);
  const std::vector<Code> cancelled = {Code::unavailable, Code::cancelled};
  EXPECT_EQ(ends_after(frame(reset_frame, 0, 3, number(8))), cancelled);
}

PARLEY_FIBER_TEST(Http2Connection, nghttpd_answers_and_we_read_it) {
  const Witness witness;
  if (rt::blocking([&] { return witness.ask("nghttpd --version").code; }) != 0) {
    GTEST_SKIP() << "there is no nghttpd (package nghttp2-server)";
  }
  witness.write("tea", std::string(500'000, 'g'));
  auto place = listen();
  const std::string port =
      place->address().to_string().substr(std::string_view("tcp://127.0.0.1:").size());
  const net::Address address = place->address();
  place.reset();  // free again, for nghttpd
  const std::string start = "nghttpd --no-tls -d . " + port +
                            " >log 2>&1 & echo $! >pid; for i in $(seq 200); do "
                            "nghttp http://127.0.0.1:" +
                            port + "/tea 2>&1 | grep -q gggg && exit 0; sleep 0.1; done; exit 1";
  ASSERT_EQ(rt::blocking([&] { return witness.ask(start).code; }), 0) << witness.read("log");
  {
    Http2Connection connection(std::move(*net::SocketNetwork().dial(address)), "http");
    for (int i = 0; i < 3; ++i) {
      auto exchange = connection.begin(asking(Method::get, "/tea"), BodySize::none());
      ASSERT_TRUE(exchange.has_value()) << exchange.error();
      EXPECT_EQ((*exchange)->response().value()->status, 200);
      EXPECT_EQ((*exchange)->read_all().value().size(), 500'000u);
    }
    auto exchange = connection.begin(asking(Method::get, "/none"), BodySize::none());
    EXPECT_EQ((*exchange)->response().value()->status, 404);
  }
  (void)rt::blocking([&] { return witness.ask("kill $(cat pid)").code; });
}

PARLEY_FIBER_TEST(Http2Connection, a_connection_that_is_closed_takes_no_requests) {
  World world(echo);
  Http2Connection connection(dial(*world.listener), "http");
  connection.close();
  EXPECT_FALSE(connection.is_usable());
  EXPECT_EQ(connection.begin(asking(Method::get, "/"), BodySize::none()).error().code(),
            Code::not_sent);
}

}  // namespace
}  // namespace parley::http
