// HTTP/2 in a servant of net::Server, asked by frames and by other people's programs.
#include "parley/http/http2_servant.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/base64.h"
#include "parley/base/testing/witness.h"
#include "parley/http/service.h"
#include "parley/http/testing/http2_by_hand.h"
#include "parley/net/in_process_network.h"
#include "parley/net/network.h"
#include "parley/net/serve.h"
#include "parley/rt/blocking.h"
#include "parley/rt/channel.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley::http {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the frames are all it is about
using namespace std::chrono_literals;
using parley::testing::Witness;

// A server of ours, and a network of its own.
class World {
 public:
  explicit World(Handler handler, ServerOptions options = {},
                 const std::string& address = "tcp://127.0.0.1:0")
      : listener_(std::move(*net::SocketNetwork().listen(*net::Address::parse(address)))),
        made_(*Service::make(std::move(handler), std::move(options))) {
    servants_.go("server", [this] {
      net::ServeOptions told;
      told.on_error = [this](const net::Address&, const Status& why) { last_error = why; };
      net::Server server(*listener_, [this](net::Stream& s) { return service_.serve(s); }, told);
      (void)server.serve();
    });
  }
  ~World() {
    listener_->close();
    servants_.cancel();
    servants_.join();
  }

  std::unique_ptr<net::Stream> dial() {
    return std::move(*net::SocketNetwork().dial(listener_->address(), rt::Deadline::after(15s)));
  }
  [[nodiscard]] std::string authority() const {
    return listener_->address().to_string().substr(std::string_view("tcp://").size());
  }
  Http2Service& service() { return service_; }
  Status last_error;

 private:
  std::unique_ptr<net::Listener> listener_;
  const std::shared_ptr<Service> made_;
  Http2Service& service_ = made_->http2();
  rt::Scope servants_;
};

// Says what it was asked.
Status echo(ServerExchange& exchange) {
  const auto body = exchange.read_all(std::size_t{64} << 20U);
  if (!body) return body.error();
  const Request& request = exchange.request();
  return exchange.answer(
      200, std::string(request.method_name()) + " " + request.target + " " + *body + "\n");
}

PARLEY_FIBER_TEST(Http2Servant, answers_what_was_asked) {
  World world(echo);
  ByHand client(world.dial());
  client.send(head(1, get_fields()));
  ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
  EXPECT_EQ(client.body_of(1), "GET /tea \n");
  client.send(head(3, post_fields(), 0) + frame(data_frame, 0, 3, "gr"));
  client.send(frame(data_frame, ends_stream, 3, "een"));
  ASSERT_TRUE(client.wait_for(data_frame, 3, ends_stream));
  EXPECT_EQ(client.body_of(3), "POST /tea green\n");
  EXPECT_EQ(world.service().counts().requests, 2u);
}

PARLEY_FIBER_TEST(Http2Servant, answers_of_requests_that_came_together_leave_together) {
  World world(echo);
  ByHand client(world.dial());
  client.send(head(1, get_fields()));
  ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
  const int before = client.reads;
  std::string many;
  for (std::uint32_t id = 3; id < 43; id += 2) many += head(id, get_fields());
  client.send(many);
  for (std::uint32_t id = 3; id < 43; id += 2) {
    ASSERT_TRUE(client.wait_for(data_frame, id, ends_stream));
  }
  EXPECT_EQ(client.reads - before, 1) << "one write of the server's";
}

PARLEY_FIBER_TEST(Http2Servant, a_stream_that_is_not_read_stalls_no_other) {
  rt::Event go_on;
  World world([&](ServerExchange& exchange) -> Status {
    if (exchange.request().target != "/wait") return echo(exchange);
    (void)go_on.wait();
    return exchange.answer(200, std::to_string(exchange.read_all()->size()));
  });
  ByHand client(world.dial());
  Fields fields = post_fields();
  fields[2].second = "/wait";
  client.send(head(1, fields, 0));
  // All that its window holds: the connection's is open for others nevertheless.
  for (int i = 0; i < 4; ++i) client.send(frame(data_frame, 0, 1, std::string(16384, 'x')));
  client.send(head(3, post_fields(), 0) + frame(data_frame, ends_stream, 3, "green"));
  ASSERT_TRUE(client.wait_for(data_frame, 3, ends_stream));
  EXPECT_EQ(client.body_of(3), "POST /tea green\n");
  for (const Frame& one : client.frames) {
    EXPECT_FALSE(one.type == window_frame && one.id == 1) << "nobody has read it";
  }
  go_on.set();
  ASSERT_TRUE(client.wait_for(window_frame, 1)) << "now somebody has";
  client.send(frame(data_frame, ends_stream, 1, "!"));
  ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
}

PARLEY_FIBER_TEST(Http2Servant, a_reader_that_is_slow_holds_up_its_writer_and_nobody_else) {
  std::atomic<std::size_t> written = 0;
  World world([&](ServerExchange& exchange) -> Status {
    if (exchange.request().method == Method::post) return echo(exchange);
    if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
    for (int i = 0; i < 100; ++i) {
      if (Status s = exchange.write(std::string(10'000, 'x')); !s.is_ok()) return s;
      written += 10'000;
    }
    return {};
  });
  ByHand client(world.dial());
  client.send(head(1, get_fields()));
  std::size_t got = 0;
  while (got < 65'535) {  // the window that a client has at first, of which stream 1 may take all
    ASSERT_TRUE(client.read());
    got = client.body_of(1).size();
  }
  EXPECT_EQ(got, 65'535u);
  EXPECT_LE(written, 65'535u + Http2Limits().max_unsent);
  client.send(frame(window_frame, 0, 0, number(10'000'000)));
  client.send(head(3, post_fields(), 0) + frame(data_frame, ends_stream, 3, "green"));
  ASSERT_TRUE(client.wait_for(data_frame, 3, ends_stream));
  client.send(frame(window_frame, 0, 1, number(10'000'000)));
  ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
  EXPECT_EQ(client.body_of(1).size(), 1'000'000u);
}

PARLEY_FIBER_TEST(Http2Servant, bodies_of_streams_leave_in_turns) {
  rt::Event go_on;
  World world([&](ServerExchange& exchange) -> Status {
    (void)go_on.wait();
    return exchange.answer(200, std::string(60'000, 'x'));
  });
  ByHand client(world.dial());
  client.send(frame(settings_frame, 0, 0, number(4, 2) + number(0)) + head(1, get_fields()) +
              head(3, get_fields()) + frame(window_frame, 0, 0, number(1'000'000)));
  go_on.set();
  ASSERT_TRUE(client.wait_for(headers_frame, 1) && client.wait_for(headers_frame, 3));
  client.send(frame(window_frame, 0, 1, number(60'000)) +
              frame(window_frame, 0, 3, number(60'000)));
  ASSERT_TRUE(client.wait_for(data_frame, 3, ends_stream));
  std::string order;
  for (const Frame& one : client.frames) {
    if (one.type == data_frame && !one.payload.empty()) order += one.id == 1 ? "a" : "b";
  }
  EXPECT_EQ(order.find("aaa"), std::string::npos) << order;
  EXPECT_EQ(order.find("bbb"), std::string::npos) << order;
}

PARLEY_FIBER_TEST(Http2Servant, a_stream_that_is_taken_back_ends_the_context_of_its_handler) {
  rt::Channel<Code> ended(1);
  World world([&](ServerExchange& exchange) -> Status {
    const auto piece = exchange.read();
    (void)ended.send(rt::Context::current().status().code());
    return piece.error();
  });
  ByHand client(world.dial());
  client.send(head(1, post_fields(), 0) + frame(ping_frame, 0, 0, "12345678"));
  ASSERT_TRUE(client.wait_for(ping_frame, 0));
  client.send(frame(reset_frame, 0, 1, number(8)));
  const auto code = ended.receive(rt::Deadline::after(15s));
  ASSERT_TRUE(code.has_value());
  EXPECT_EQ(*code, Code::cancelled);
}

PARLEY_FIBER_TEST(Http2Servant, streams_beyond_max_running_are_refused) {
  for (const std::size_t most : {std::size_t{1}, std::size_t{2}}) {
    World world([](ServerExchange& exchange) { return exchange.read().error(); },
                {.http2 = {.limits = {.max_running = most}}});
    ByHand client(world.dial());
    client.send(head(1, post_fields(), 0) + head(3, post_fields(), 0) + head(5, post_fields(), 0));
    ASSERT_TRUE(client.wait_for(reset_frame, 5));
    EXPECT_EQ(number_in(client.last().payload, 0), 7u);
    EXPECT_EQ(world.service().counts().requests, most);
  }
}

PARLEY_FIBER_TEST(Http2Servant, a_body_beyond_max_body_bytes_is_413) {
  for (const std::uint64_t most : {std::uint64_t{4}, std::uint64_t{5}}) {
    Code code = Code::ok;
    World world(
        [&](ServerExchange& exchange) -> Status {
          const auto body = exchange.read_all();
          code = body.error().code();
          return body ? exchange.answer(204) : body.error();
        },
        {.limits = {.max_body_bytes = most}});
    ByHand client(world.dial());
    client.send(head(1, post_fields(), 0) + frame(data_frame, ends_stream, 1, "green"));
    ASSERT_TRUE(client.wait_for(headers_frame, 1));
    EXPECT_EQ(code, most == 4 ? Code::resource_exhausted : Code::ok);
  }
}

TEST(Http2Servant, a_server_that_stops_ends_its_handlers_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        std::atomic<int> ended = 0;
        {
          World world([&](ServerExchange& exchange) -> Status {
            const auto piece = exchange.read();
            ++ended;
            return piece.error();
          });
          ByHand client(world.dial());
          for (std::uint32_t id = 1; id < 101; id += 2) client.send(head(id, post_fields(), 0));
          client.send(frame(ping_frame, 0, 0, "12345678"));
          ASSERT_TRUE(client.wait_for(ping_frame, 0));
          while (world.service().counts().requests < 50) rt::yield();
        }
        EXPECT_LE(ended, 50) << "a handler that had not begun does not";
      },
      {.workers = 4});
}

PARLEY_FIBER_TEST(Http2Servant, a_connection_that_is_lost_ends_its_handlers) {
  rt::Channel<Code> ended(1);
  World world([&](ServerExchange& exchange) -> Status {
    const auto piece = exchange.read();
    (void)ended.send(piece.error().code());
    return piece.error();
  });
  {
    ByHand client(world.dial());
    client.send(head(1, post_fields(), 0) + frame(ping_frame, 0, 0, "12345678"));
    ASSERT_TRUE(client.wait_for(ping_frame, 0));
  }
  const auto code = ended.receive(rt::Deadline::after(15s));
  ASSERT_TRUE(code.has_value());
  EXPECT_EQ(*code, Code::data_loss) << "within the body, as exchange.h says";
}

PARLEY_FIBER_TEST(Http2Servant, an_error_before_the_answer_is_answered_and_one_within_cuts_it) {
  World world([](ServerExchange& exchange) -> Status {
    if (exchange.request().method == Method::post) {
      if (Status s = exchange.limit_body(3); !s.is_ok()) return s;
      return exchange.read_all().error();
    }
    if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
    if (Status s = exchange.write("half"); !s.is_ok()) return s;
    return {Code::internal, "no more"};
  });
  ByHand client(world.dial());
  client.send(head(1, get_fields()));
  ASSERT_TRUE(client.wait_for(reset_frame, 1));
  client.send(head(3, post_fields(), 0) + frame(data_frame, 0, 3, "green"));
  ASSERT_TRUE(client.wait_for(headers_frame, 3));
  ASSERT_TRUE(client.wait_for(reset_frame, 3)) << "the rest of the body is of no use (8.1)";
  EXPECT_EQ(number_in(client.last().payload, 0), 0u);
}

PARLEY_FIBER_TEST(Http2Servant, a_connect_is_handed_over_as_a_stream) {
  World world([](ServerExchange& exchange) {
    EXPECT_EQ(exchange.request().headers.get("Upgrade"), "chat");
    return exchange.hand_over([](const std::unique_ptr<net::Stream>& stream) {
      std::array<char, 64> buffer{};
      while (const auto size = stream->read(buffer)) {
        if (*size == 0) break;
        (void)stream->write(std::string("<") + std::string(buffer.data(), *size) + ">");
      }
      (void)stream->close_write();
    });
  });
  ByHand client(world.dial());
  client.send(head(1,
                   {{":method", "CONNECT"},
                    {":protocol", "chat"},
                    {":scheme", "http"},
                    {":path", "/"},
                    {":authority", "a"}},
                   0));
  ASSERT_TRUE(client.wait_for(headers_frame, 1));
  client.send(frame(data_frame, 0, 1, "one"));
  ASSERT_TRUE(client.wait_for(data_frame, 1));
  EXPECT_EQ(client.body_of(1), "<one>");
  client.send(frame(data_frame, ends_stream, 1, "two"));
  ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
  EXPECT_EQ(client.body_of(1), "<one><two>");
}

PARLEY_FIBER_TEST(Http2Servant, drain_ends_a_connection_when_its_last_stream_has_ended) {
  rt::Event go_on;
  World world([&](ServerExchange& exchange) -> Status {
    (void)go_on.wait();
    return echo(exchange);
  });
  ByHand client(world.dial());
  client.send(head(1, get_fields()) + frame(ping_frame, 0, 0, "12345678"));
  ASSERT_TRUE(client.wait_for(ping_frame, 0, acknowledges));
  world.service().drain();
  ASSERT_TRUE(client.wait_for(goaway_frame, 0));
  EXPECT_EQ(number_in(client.last().payload, 0), 0x7fffffffU)
      << "the first says that it is about to: 2^31-1";
  client.send(head(3, get_fields()));  // was on its way
  ASSERT_TRUE(client.wait_for(ping_frame, 0));
  client.send(frame(ping_frame, acknowledges, 0, client.last().payload));
  ASSERT_TRUE(client.wait_for(goaway_frame, 0));
  EXPECT_EQ(number_in(client.last().payload, 0), 3u);
  go_on.set();
  ASSERT_TRUE(client.wait_for(data_frame, 3, ends_stream));
  EXPECT_FALSE(client.wait_for(goaway_frame, 9)) << "the end";
  EXPECT_EQ(client.body_of(1), "GET /tea \n");
}

// Sends 2 MiB as the windows allow, and answers a PING when `late` bytes more have gone. The most
// that the window of the stream was.
std::uint32_t window_after(std::uint32_t most, std::uint32_t late) {
  World world(
      [](ServerExchange& exchange) -> Status {
        for (;;) {
          const auto piece = exchange.read();
          if (!piece) return piece.error();
          if (piece->empty()) return exchange.answer(204);
        }
      },
      {.http2 = {.limits = {.max_window = most}}});
  ByHand client(world.dial());
  client.send(head(1, post_fields(), 0));
  EXPECT_TRUE(client.wait_for(settings_frame, 0, acknowledges));
  std::int64_t may = 65'536;
  std::int64_t window = may;
  std::uint32_t sent = 0;
  std::string ping;
  std::uint32_t ping_due = 0;
  for (std::size_t looked_at = 0; sent < 2'097'152;) {
    for (; looked_at < client.frames.size(); ++looked_at) {
      const Frame& one = client.frames[looked_at];
      if (one.type == window_frame && one.id == 1) may += number_in(one.payload, 0);
      if (one.type == ping_frame && one.flags == 0) {
        ping = frame(ping_frame, acknowledges, 0, one.payload);
        ping_due = sent + late;
      }
    }
    window = std::max(window, may);
    if (!ping.empty() && sent >= ping_due) client.send(std::exchange(ping, {}));
    if (may >= 16'384) {
      client.send(frame(data_frame, 0, 1, std::string(16'384, 'x')));
      sent += 16'384;
      may -= 16'384;
    } else if (!client.read()) {
      ADD_FAILURE() << "the connection ended after " << sent;
      break;
    }
  }
  return static_cast<std::uint32_t>(window);
}

PARLEY_FIBER_TEST(Http2Servant, windows_grow_with_what_a_round_trip_brings_up_to_max_window) {
  EXPECT_EQ(window_after(65'536, 65'536), 65'536U);
  // All of it but what was on its way when it grew.
  const std::uint32_t wide = window_after(262'144, 65'536);
  EXPECT_LE(wide, 262'144U);
  EXPECT_GT(wide, 131'072U);
}

// How long a connection lives whose client says nothing but, if it `answers`, to a PING.
Duration life_of(const Http2Options& options, bool answers) {
  Duration life{};
  rt::testing::in_virtual_time(
      [&] {
        net::InProcessNetwork network;
        const auto listener = std::move(*network.listen(*net::Address::parse("inproc:shop")));
        const auto made = *Service::make(echo, {.http2 = options,
                                                .keep_alive_timeout = options.idle_timeout,
                                                .ping_after = options.ping_after});
        Http2Service& service = made->http2();
        rt::Scope servants;
        servants.go("server", [&] {
          net::Server server(*listener, [&](net::Stream& s) { return service.serve(s); });
          (void)server.serve();
        });
        {
          ByHand client(std::move(*network.dial(listener->address())), 300s);
          const Instant begun = rt::now();
          while (client.read()) {
            const Frame last = client.frames.back();
            if (last.type != ping_frame || !answers) continue;
            client.send(frame(ping_frame, acknowledges, 0, last.payload));
          }
          life = rt::now() - begun;
        }
        listener->close();
      },
      10ms);
  return life;
}

TEST(Http2Servant, a_connection_at_rest_ends_after_idle_timeout) {
  const Duration short_life = life_of({.idle_timeout = 5s}, true);
  EXPECT_GE(short_life, 5s);
  EXPECT_LT(short_life, 9s);
  EXPECT_GE(life_of({.idle_timeout = 20s}, true), 20s);
}

TEST(Http2Servant, a_connection_whose_client_answers_no_ping_ends) {
  Http2Options options{.ping_after = 3s, .ping_timeout = 4s, .idle_timeout = 60s};
  const Duration life = life_of(options, false);
  EXPECT_GE(life, 7s);
  EXPECT_LT(life, 10s);
  EXPECT_GE(life_of(options, true), 59s);
  options.ping_timeout = 8s;
  EXPECT_GE(life_of(options, false), 11s);
}

PARLEY_FIBER_TEST(Http2Servant, a_connection_may_be_upgraded_from_http_1) {
  auto listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  const auto made = *Service::make(echo);
  Http2Service& service = made->http2();
  rt::Scope servants(rt::OnExit::cancel);
  servants.go("server", [&] {
    net::Server server(*listener, [&](net::Stream& stream) -> std::unique_ptr<net::Servant> {
      Request request;
      request.target = "/first";
      auto servant = service.upgrade(stream, "AAMAAABkAAQAAP__", request);
      EXPECT_TRUE(servant.has_value()) << servant.error();
      EXPECT_FALSE(service.upgrade(stream, "A*", request).has_value());
      return servant ? std::move(*servant) : nullptr;
    });
    (void)server.serve();
  });
  ByHand client(std::move(*net::SocketNetwork().dial(listener->address())));
  ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
  EXPECT_EQ(client.body_of(1), "GET /first \n");
  client.send(head(3, get_fields()));
  ASSERT_TRUE(client.wait_for(data_frame, 3, ends_stream));
}

PARLEY_FIBER_TEST(Http2Servant, curl_asks_and_reads_our_answers) {
  const Witness witness;
  if (rt::blocking([&] { return witness.ask("curl --version | grep -q HTTP2").code; }) != 0) {
    GTEST_SKIP() << "there is no curl with HTTP/2";
  }
  World world(echo);
  const std::string server = "http://" + world.authority();
  // One after the other: curl 7.88 cannot use such a connection again.
  const std::string curl =
      "curl -sS --http2-prior-knowledge --noproxy '*' --max-time 60 -w '%{http_version} "
      "%{http_code}\\n' ";
  witness.write("large", std::string(3'000'000, 'x'));
  const std::string command = curl + "'" + server + "/length?a=b' && " +     //
                              curl + "-d hello " + server + "/length && " +  //
                              curl + "-I -o head " + server + "/head && " +  //
                              curl + "--data-binary @large -o large_out " + server + "/large";
  EXPECT_EQ(rt::blocking([&] { return witness.output_of(command); }),
            "GET /length?a=b \n2 200\n"
            "POST /length hello\n2 200\n"
            "2 200\n"
            "2 200\n");
  EXPECT_NE(witness.read("head").find("content-length: 12"), std::string::npos)
      << witness.read("head");
  EXPECT_EQ(witness.read("large_out").size(), 3'000'000u + std::string("POST /large \n").size());
}

PARLEY_FIBER_TEST(Http2Servant, nghttp_asks_many_at_once_and_reads_our_answers) {
  const Witness witness;
  if (rt::blocking([&] { return witness.ask("nghttp --version").code; }) != 0) {
    GTEST_SKIP() << "there is no nghttp (package nghttp2-client)";
  }
  World world(echo);
  const std::string server = "http://" + world.authority();
  witness.write("body", std::string(200'000, 'y'));
  const std::string out = rt::blocking(
      [&] { return witness.output_of("nghttp -d body -m 8 " + server + "/tea | wc -c"); });
  EXPECT_EQ(out, std::to_string(8 * (200'000 + std::string("POST /tea \n").size())) + "\n");
  EXPECT_EQ(world.service().counts().requests, 8u);
}

TEST(Http2Servant, tells_its_preface_from_other_first_bytes) {
  EXPECT_EQ(look_for_http2(std::string(preface) + "x"), Http2Preface::yes);
  EXPECT_EQ(look_for_http2("PRI * HTTP/2"), Http2Preface::more);
  EXPECT_EQ(look_for_http2(""), Http2Preface::more);
  EXPECT_EQ(look_for_http2("PRI * HTTP/1.1\r\n"), Http2Preface::no);
}

// ":status" of the answer on stream `id` as the server writes it, for what a handler does wrong;
// "reset" where the stream is taken back instead.
std::string outcome(ByHand& client, std::uint32_t id) {
  for (;;) {
    for (const Frame& one : client.frames) {
      if (one.id != id) continue;
      if (one.type == reset_frame && number_in(one.payload, 0) != 0) return "reset";
      if ((one.flags & ends_stream) == 0 || one.type > headers_frame) continue;
      for (const Frame& first : client.frames) {
        if (first.id != id || first.type != headers_frame) continue;
        // Indexed in the table of RFC 7541 A, or the digits as they are or in Huffman's code.
        const auto byte = static_cast<unsigned char>(first.payload[0]);
        return byte == 0x88 ? "200" : byte == 0x8e ? "500" : "other";
      }
    }
    if (!client.read()) return "end";
  }
}

PARLEY_FIBER_TEST(Http2Servant, what_handlers_do_wrong_ends_their_stream_alone) {
  World world([](ServerExchange& exchange) -> Status {
    const std::string target = exchange.request().target;
    if (target == "/throw") throw std::runtime_error("secret");
    if (target == "/101" || target == "/1000") {
      const Status refused = exchange.answer(target == "/101" ? 101 : 1000);
      EXPECT_EQ(refused.code(), Code::invalid_argument);
      return refused;
    }
    if (target == "/late") {
      if (Status s = exchange.begin(BodySize::of(5)); !s.is_ok()) return s;
      if (Status s = exchange.write("abc"); !s.is_ok()) return s;
      throw std::runtime_error("secret");
    }
    if (target == "/short") {
      if (Status s = exchange.begin(BodySize::of(5)); !s.is_ok()) return s;
      return exchange.write("abc");
    }
    if (target == "/long") {
      if (Status s = exchange.begin(BodySize::of(2)); !s.is_ok()) return s;
      return exchange.write("abc");
    }
    if (target == "/over") {
      EXPECT_EQ(exchange.hand_over([](auto) {}).code(), Code::failed_precondition);
    }
    return exchange.answer(200, "fine");
  });
  ByHand client(world.dial());
  std::uint32_t id = 1;
  for (const auto& [target, expected] : {std::pair{"/throw", "500"},
                                         {"/101", "500"},
                                         {"/1000", "500"},
                                         {"/late", "reset"},
                                         {"/short", "reset"},
                                         {"/long", "reset"},
                                         {"/over", "200"},
                                         {"/fine", "200"}}) {
    Fields fields = get_fields();
    for (auto& [name, value] : fields) {
      if (name == ":path") value = target;
    }
    client.send(head(id, fields));
    EXPECT_EQ(outcome(client, id), expected) << target;
    id += 2;
  }
}

PARLEY_FIBER_TEST(Http2Servant, a_body_that_read_all_finds_too_large_is_413_as_over_http_1) {
  World world([](ServerExchange& exchange) -> Status {
    const auto body = exchange.read_all(3);
    return body ? exchange.answer(200) : body.error();
  });
  ByHand client(world.dial());
  client.send(head(1, post_fields(), 0) + frame(data_frame, ends_stream, 1, "green"));
  EXPECT_EQ(outcome(client, 1), "other") << "neither 200 nor 500";
}

PARLEY_FIBER_TEST(Http2Servant, who_hands_over_and_fails_or_hands_over_nothing_ends_the_stream) {
  std::atomic<int> called = 0;
  World world([&](ServerExchange& exchange) -> Status {
    if (exchange.request().headers.get("x-nothing")) return exchange.hand_over(nullptr);
    EXPECT_TRUE(exchange.hand_over([&](auto) { ++called; }).is_ok());
    return Status(Code::internal, "in the end not");
  });
  ByHand client(world.dial());
  const Fields connect = {{":method", "CONNECT"}, {":authority", "a:80"}};
  client.send(head(1, connect, 0));
  EXPECT_EQ(outcome(client, 1), "reset");
  Fields nothing = connect;
  nothing.emplace_back("x-nothing", "1");
  client.send(head(3, nothing, 0));
  EXPECT_EQ(outcome(client, 3), "500");
  EXPECT_EQ(called, 0);
}

}  // namespace
}  // namespace parley::http
