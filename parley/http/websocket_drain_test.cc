// How WebSockets end when their server drains: with 1001, answered within close_timeout, and
// shutdown() with them.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "parley/http/testing/server_world.h"
#include "parley/http/websocket_client.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using rt::testing::in_virtual_time;
using testing::ServerWorld;

using Then = std::function<void(std::unique_ptr<WebSocket>)>;

// A server of WebSockets, and a client of one version.
struct Place {
  Place(Protocol protocol, const AcceptWebSocketOptions& options, Then then)
      : protocol_(protocol),
        world([options, then = std::move(then)](ServerExchange& exchange) {
          return accept_websocket(exchange, options, then);
        }),
        client(world.network(),
               {.versions = protocol == Protocol::http_2 ? Versions::http_2 : Versions::http_1,
                .address_of = [this](const Url&) { return world.address(); }}) {}

  std::unique_ptr<WebSocket> open() {
    auto socket = connect_websocket(client, {.url = "ws://shop.example/"}, {.protocol = protocol_});
    EXPECT_TRUE(socket) << socket.error();
    return socket ? *std::move(socket) : nullptr;
  }

 private:
  const Protocol protocol_;

 public:
  ServerWorld world;
  Client client;
};

const Protocol protocols[] = {Protocol::http_1_1, Protocol::http_2};

void many_leave_at_once(Protocol protocol, int sockets) {
  std::atomic<int> ended = 0;
  Place place(protocol, {}, [&](const std::unique_ptr<WebSocket>& socket) {
    EXPECT_TRUE(socket->send_text("welcome").is_ok());
    const auto message = socket->receive_message();
    EXPECT_EQ(message.error().code(), Code::out_of_range) << message.error();
    EXPECT_NE(message.error().message().find("goes away"), std::string::npos) << message.error();
    ++ended;
  });
  rt::Scope scope;
  rt::WaitGroup welcome;
  welcome.add(sockets);
  for (int i = 0; i < sockets; ++i) {
    scope.go("client", [&] {
      const auto socket = place.open();
      EXPECT_EQ(*socket->receive(), "welcome");
      welcome.done();
      EXPECT_EQ(socket->receive().error().code(), Code::out_of_range);
      EXPECT_EQ(socket->close_code(), close_code::going_away);
    });
  }
  EXPECT_TRUE(welcome.wait().is_ok());
  EXPECT_TRUE(place.world.server().shutdown().is_ok());
  EXPECT_EQ(ended, sockets);
}

PARLEY_FIBER_TEST(WebSocketDrain, each_that_waits_is_told_1001_and_shutdown_ends_with_them) {
  for (const Protocol protocol : protocols) many_leave_at_once(protocol, 20);
}

TEST(WebSocketDrain, many_leave_on_four_workers) {
  for (const Protocol protocol : protocols) {
    rt::testing::run_fiber_test([&] { many_leave_at_once(protocol, 200); }, {.workers = 4});
  }
}

TEST(WebSocketDrain, who_does_not_agree_has_close_timeout) {
  for (const Protocol protocol : protocols) {
    for (const Duration limit : {Duration(2s), Duration(9s)}) {
      in_virtual_time(
          [&] {
            AcceptWebSocketOptions options;
            options.socket.close_timeout = limit;
            Status why;
            Place place(protocol, options, [&](const std::unique_ptr<WebSocket>& socket) {
              why = socket->receive_message().error();
            });
            const auto silent = place.open();  // it does not receive, so it does not answer
            const Instant begun = rt::now();
            EXPECT_TRUE(place.world.server().shutdown().is_ok());
            EXPECT_GE(rt::now() - begun, limit);
            EXPECT_LT(rt::now() - begun, limit + 1s);
            EXPECT_EQ(why.code(), Code::unavailable) << why;
            EXPECT_NE(why.message().find("did not agree"), std::string::npos) << why;
            if (protocol == Protocol::http_2) return;  // what was not read of a stream is dropped
            (void)silent->receive();
            EXPECT_EQ(silent->close_code(), close_code::going_away) << "it was told";
          },
          50ms);
    }
  }
}

TEST(WebSocketDrain, what_was_on_its_way_still_arrives_and_nothing_can_be_sent) {
  for (const Protocol protocol : protocols) {
    in_virtual_time(
        [&] {
          std::string got;
          Place place(protocol, {}, [&](const std::unique_ptr<WebSocket>& socket) {
            while (auto message = socket->receive_message()) got += message->payload.to_string();
            EXPECT_EQ(socket->send_text("late").code(), Code::failed_precondition);
          });
          const auto socket = place.open();
          rt::Scope scope;
          Status ended(Code::unknown, "not yet");
          scope.go("shutdown", [&] { ended = place.world.server().shutdown(); });
          ASSERT_TRUE(rt::sleep(100ms).is_ok());
          ASSERT_TRUE(socket->send_text("one ").is_ok());
          ASSERT_TRUE(socket->send_text("two").is_ok());
          ASSERT_TRUE(rt::sleep(100ms).is_ok());
          EXPECT_EQ(ended.code(), Code::unknown) << "it waits for the answer";
          EXPECT_EQ(socket->receive().error().code(), Code::out_of_range);
          scope.join();
          EXPECT_TRUE(ended.is_ok()) << ended;
          EXPECT_EQ(got, "one two");
        },
        20ms);
  }
}

TEST(WebSocketDrain, a_handler_that_only_sends_comes_to_an_end_too) {
  for (const Protocol protocol : protocols) {
    for (const bool is_read : {true, false}) {
      in_virtual_time(
          [&] {
            Status why;
            Place place(protocol, {}, [&](const std::unique_ptr<WebSocket>& socket) {
              while (why.is_ok()) {
                why = socket->send_binary(std::string(10'000, 'x'));
                if (is_read) (void)rt::sleep(1s);
              }
            });
            const auto socket = place.open();
            rt::Scope scope;
            if (is_read) {
              scope.go("reads", [&] {
                while (socket->receive()) {}
              });
            }
            ASSERT_TRUE(rt::sleep(5s).is_ok());
            const Instant begun = rt::now();
            EXPECT_TRUE(place.world.server().shutdown().is_ok());
            EXPECT_LT(rt::now() - begun, 7s);
            EXPECT_EQ(why.code(), is_read ? Code::failed_precondition : Code::unavailable) << why;
            scope.join();
            if (is_read) {
              EXPECT_EQ(socket->close_code(), close_code::going_away);
            }
          },
          50ms);
    }
  }
}

TEST(WebSocketDrain, a_socket_that_was_moved_out_leaves_as_well) {
  for (const Protocol protocol : protocols) {
    in_virtual_time(
        [&] {
          std::unique_ptr<WebSocket> kept;
          Place place(protocol, {},
                      [&](std::unique_ptr<WebSocket> socket) { kept = std::move(socket); });
          const auto socket = place.open();
          ASSERT_TRUE(rt::sleep(100ms).is_ok());
          rt::Scope scope;
          Status ended(Code::unknown, "not yet");
          scope.go("shutdown", [&] { ended = place.world.server().shutdown(); });
          EXPECT_EQ(socket->receive().error().code(), Code::out_of_range);
          EXPECT_EQ(socket->close_code(), close_code::going_away);
          EXPECT_EQ(kept->receive().error().code(), Code::out_of_range);
          kept.reset();
          scope.join();
          EXPECT_TRUE(ended.is_ok()) << ended;
        },
        20ms);
  }
}

TEST(WebSocketDrain, on_drain_is_done_in_place_of_the_close_frame) {
  in_virtual_time(
      [] {
        int asked = 0;
        Place place(Protocol::http_1_1, {}, [&](const std::unique_ptr<WebSocket>& socket) {
          socket->on_drain([&](Draining& draining) {
            EXPECT_TRUE(draining.has_begun());
            if (++asked < 3) return false;
            return draining.start("says goodbye", [&] {
              EXPECT_TRUE(socket->send_text("bye").is_ok());
              EXPECT_TRUE(socket->close_write(4000, "later").is_ok());
            });
          });
          EXPECT_EQ(socket->receive_message().error().code(), Code::unavailable);
        });
        const auto socket = place.open();
        ASSERT_TRUE(rt::sleep(100ms).is_ok());
        rt::Scope scope;
        scope.go("shutdown", [&] { EXPECT_TRUE(place.world.server().shutdown().is_ok()); });
        EXPECT_EQ(*socket->receive(), "bye");
        EXPECT_EQ(socket->receive().error().code(), Code::unavailable);
        EXPECT_EQ(socket->close_code(), 4000);
        scope.join();
        EXPECT_EQ(asked, 3);
      },
      20ms);
}

// As from a socket that is closed; over HTTP/2 the stream is taken back a little later.
TEST(WebSocketClient, what_it_wrote_leaves_though_it_drops_the_socket_at_once) {
  for (const Protocol protocol : protocols) {
    in_virtual_time(
        [&] {
          std::string got;
          rt::Event gone;
          Place place(protocol, {}, [&](const std::unique_ptr<WebSocket>& socket) {
            while (auto message = socket->receive_message()) got += message->payload.to_string();
            while (socket->send_binary(std::string(1000, 'x')).is_ok()) (void)rt::sleep(100ms);
            gone.set();
          });
          auto socket = place.open();
          for (int i = 0; i < 100; ++i) ASSERT_TRUE(socket->send_text("word ").is_ok());
          socket.reset();
          EXPECT_TRUE(gone.wait(rt::Deadline::after(5s)).is_ok());
          EXPECT_EQ(got.size(), 500U);
        },
        20ms);
  }
}

TEST(WebSocketDrain, over_http_2_too_what_had_no_room_in_time_takes_no_stream_back) {
  in_virtual_time(
      [] {
        rt::Event full;
        Place place(Protocol::http_2, {}, [&](const std::unique_ptr<WebSocket>& socket) {
          while (socket->send_binary(std::string(10'000, 'x'), rt::Deadline::after(1s)).is_ok()) {}
          full.set();
          (void)socket->receive_message();
        });
        const auto socket = place.open();
        EXPECT_TRUE(full.wait().is_ok());
        std::size_t got = 0;
        Status ended;
        while (ended.is_ok()) {
          const auto message = socket->receive(rt::Deadline::after(3s));
          if (message) got += message->size();
          if (!message) ended = message.error();
        }
        EXPECT_GT(got, 50'000U);
        EXPECT_EQ(ended.code(), Code::deadline_exceeded)
            << "the stream was not taken back: " << ended;
      },
      20ms);
}

}  // namespace
}  // namespace parley::http
