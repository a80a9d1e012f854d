// Streams of gRPC on one connection of HTTP/2 that are stuck, twenty in each direction: another one
// goes on all the same.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/door/grpc.h"
#include "parley/door/grpc_framing.h"
#include "parley/door/testing/house.h"
#include "parley/http/http2_connection.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using rt::testing::in_virtual_time;
using testing::House;

constexpr int stuck_count = 20;
constexpr std::size_t mebibyte = std::size_t{1} << 20U;

struct World {
  World()
      : house({}, {}, [this](http::ServerExchange& exchange) -> Status {
          return grpc ? grpc(exchange) : exchange.answer(503);
        }) {
    house.peer.handle_stream("/deaf", [this](RawStream& stream) -> Status {
      ++begun;
      return go_on.wait().is_ok() ? stream.receive().error() : Status(Code::cancelled, "");
    });
    house.peer.handle_stream("/pour", [this](RawStream& stream) -> Status {
      ++begun;
      for (;;) {
        Status s = stream.send(Bytes::from(std::string(10'000, 'x')));
        if (!s.is_ok()) return s;
      }
    });
    house.peer.handle_stream("/echo", [](RawStream& stream) -> Status {
      for (;;) {
        auto message = stream.receive();
        if (!message) return message.error();
        if (!*message) return {};
        if (Status s = stream.send(**std::move(message)); !s.is_ok()) return s;
      }
    });
    grpc = make_grpc(house.peer);
    connection = std::make_unique<http::Http2Connection>(house.dial(), "http");
  }
  ~World() { go_on.set(); }

  std::unique_ptr<http::ClientExchange> open(const std::string& method) const {
    http::Request request = testing::asking(http::Method::post, method);
    EXPECT_TRUE(request.headers.add("Content-Type", "application/grpc+json").is_ok());
    EXPECT_TRUE(request.headers.add("TE", "trailers").is_ok());
    auto exchange = connection->begin(request, http::BodySize::unknown());
    EXPECT_TRUE(exchange) << exchange.error();
    return *std::move(exchange);
  }

  http::Handler grpc;
  std::atomic<int> begun = 0;
  rt::Event go_on;
  House house;
  std::unique_ptr<http::Http2Connection> connection;
};

std::string message_of(std::size_t size) {
  std::string out;
  EXPECT_TRUE(put_grpc_message(out, std::string(size, 'x')).is_ok());
  return out;
}

// Sends a message and waits for it to come back, for a minute of virtual time at most.
void goes_round(http::ClientExchange& exchange, std::size_t size) {
  const rt::Deadline deadline = rt::Deadline::after(1min);
  rt::Scope sender;
  sender.go("sender", [&] {
    EXPECT_TRUE(exchange.write(message_of(size), deadline).is_ok());
    EXPECT_TRUE(exchange.flush(deadline).is_ok());
  });
  GrpcReader reader;
  GrpcMessage message;
  for (;;) {
    const auto piece = exchange.read(deadline);
    ASSERT_TRUE(piece) << piece.error();
    ASSERT_FALSE(piece->empty()) << "the stream ended";
    std::string_view rest = *piece;
    const auto there = reader.next(rest, message);
    ASSERT_TRUE(there) << there.error();
    if (*there) break;
  }
  EXPECT_EQ(message.bytes.size(), size);
  sender.join();
}

TEST(StuckStreams, handlers_that_read_nothing_hold_up_no_other_stream_of_the_connection) {
  in_virtual_time(
      [] {
        World world;
        std::vector<std::unique_ptr<http::ClientExchange>> stuck;
        rt::Scope senders(rt::OnExit::cancel);
        int unsent = stuck_count;
        for (int i = 0; i < stuck_count; ++i) {
          stuck.push_back(world.open("/deaf"));
          senders.go("sender", [&exchange = *stuck.back(), &unsent] {
            const std::string message = message_of(100'000);
            for (int k = 0; k < 50; ++k) {
              if (!exchange.write(message).is_ok() || !exchange.flush().is_ok()) return;
            }
            --unsent;
          });
        }
        ASSERT_TRUE(rt::sleep(1s).is_ok());
        ASSERT_EQ(world.begun, stuck_count);
        ASSERT_EQ(unsent, stuck_count) << "they are stuck";
        const auto other = world.open("/echo");
        for (int i = 0; i < 20; ++i) goes_round(*other, 1'000);
        for (int i = 0; i < 3; ++i) goes_round(*other, mebibyte);
        senders.cancel();
        senders.join();
        stuck.clear();
      },
      10ms);
}

TEST(StuckStreams, a_client_that_reads_nothing_holds_up_no_other_stream_of_the_connection) {
  in_virtual_time(
      [] {
        World world;
        std::vector<std::unique_ptr<http::ClientExchange>> stuck;
        for (int i = 0; i < stuck_count; ++i) stuck.push_back(world.open("/pour"));
        for (const auto& each : stuck) ASSERT_TRUE(each->flush().is_ok());
        ASSERT_TRUE(rt::sleep(1s).is_ok());
        ASSERT_EQ(world.begun, stuck_count);
        const auto other = world.open("/echo");
        for (int i = 0; i < 20; ++i) goes_round(*other, 1'000);
        for (int i = 0; i < 3; ++i) goes_round(*other, mebibyte);
        for (const auto& each : stuck) {
          const auto piece = each->read(rt::Deadline::after(1min));
          EXPECT_TRUE(piece && !piece->empty()) << "it is there once somebody reads";
        }
      },
      10ms);
}

}  // namespace
}  // namespace parley::door
