// What bodies that are still coming by one connection may hold, POST and gRPC: slow uploads are
// refused when they are too many, and nobody else is.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/door/grpc.h"
#include "parley/door/grpc_framing.h"
#include "parley/door/grpc_head.h"
#include "parley/door/post.h"
#include "parley/door/testing/house.h"
#include "parley/http/http2_connection.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using http::BodySize;
using rt::testing::in_virtual_time;
using testing::House;

constexpr std::size_t mebibyte = std::size_t{1} << 20U;
constexpr std::size_t body_size = 300'000;
constexpr std::size_t uploads = 20;

using Exchange = std::unique_ptr<http::ClientExchange>;

PeerOptions holding(std::size_t bytes) {
  PeerOptions options;
  options.max_handler_bytes = bytes;
  return options;
}

// A peer behind POST and gRPC on one port.
struct World {
  explicit World(std::size_t max_handler_bytes)
      : house({}, holding(max_handler_bytes), [this](http::ServerExchange& exchange) -> Status {
          if (!handlers) return exchange.answer(503);
          return is_grpc(exchange.request()) ? handlers->grpc(exchange) : handlers->post(exchange);
        }) {
    house.peer.handle("/size", [](const std::string& text) { return text.size(); });
    handlers = std::make_unique<Handlers>(make_post(house.peer), make_grpc(house.peer));
    connection = std::make_unique<http::Http2Connection>(house.dial(), "http");
  }
  struct Handlers {
    Handlers(http::Handler posts, http::Handler calls)
        : post(std::move(posts)), grpc(std::move(calls)) {}
    http::Handler post, grpc;
  };

  Exchange begin(std::string_view type) const {
    http::Request request = testing::asking(http::Method::post, "/size");
    EXPECT_TRUE(request.headers.add("Content-Type", type).is_ok());
    EXPECT_TRUE(request.headers.add("TE", "trailers").is_ok());
    auto exchange = connection->begin(request, BodySize::unknown());
    EXPECT_TRUE(exchange) << exchange.error();
    return *std::move(exchange);
  }

  std::unique_ptr<Handlers> handlers;
  House house;
  std::unique_ptr<http::Http2Connection> connection;
};

std::string json_text(std::size_t size) { return '"' + std::string(size, 'x') + '"'; }

// How POST and gRPC write a body, and what they answer.
struct Way {
  std::string_view type;
  bool is_grpc = false;

  [[nodiscard]] std::string body(std::size_t size) const {
    std::string out;
    if (is_grpc) {
      EXPECT_TRUE(put_grpc_message(out, json_text(size)).is_ok());
    } else {
      out = json_text(size);
    }
    return out;
  }
  // "ok", or the error of who was refused.
  [[nodiscard]] std::string told(http::ClientExchange& exchange) const {
    const auto response = exchange.response();
    if (!response) return response.error().to_string();
    const auto body = exchange.read_all();
    if (!body) return body.error().to_string();
    if (!is_grpc) {
      const int status = (*response)->status;
      return status == 200 ? "ok" : std::to_string(status) + " " + *body;
    }
    Status status;
    if (!take_grpc_status(exchange.trailers(), status) &&
        !take_grpc_status((*response)->headers, status)) {
      return "no grpc-status";
    }
    return status.is_ok() ? "ok" : status.to_string();
  }
  [[nodiscard]] std::string send_whole(http::ClientExchange& exchange, std::size_t size) const {
    (void)exchange.write(body(size));
    (void)exchange.end();
    return told(exchange);
  }
};

constexpr Way post{.type = "application/json"};
constexpr Way grpc{.type = "application/grpc+json", .is_grpc = true};

// All but the last byte of each.
std::vector<Exchange> begin_uploads(const World& world, const Way& way) {
  const std::string body = way.body(body_size);
  std::vector<Exchange> held;
  for (std::size_t i = 0; i < uploads; ++i) {
    held.push_back(world.begin(way.type));
    (void)held.back()->write(std::string_view(body).substr(0, body.size() - 1));
    (void)held.back()->flush();
    EXPECT_EQ(way.send_whole(*world.begin(way.type), 10), "ok") << "small ones go on";
  }
  EXPECT_TRUE(rt::sleep(1s).is_ok());  // all of it has come
  return held;
}

// How many went well; the others were refused for what is named.
std::size_t finish_uploads(const Way& way, std::vector<Exchange>& held) {
  std::size_t well = 0;
  const std::string body = way.body(body_size);
  for (Exchange& each : held) {
    (void)each->write(body.substr(body.size() - 1));
    (void)each->end();
    const std::string told = way.told(*each);
    if (told == "ok") {
      ++well;
      continue;
    }
    EXPECT_NE(told.find("max_handler_bytes"), std::string::npos) << told;
    EXPECT_NE(told.find(way.is_grpc ? "resource_exhausted" : "429"), std::string::npos) << told;
  }
  return well;
}

void slow_uploads_are_refused(const Way& way) {
  World world(mebibyte);
  std::vector<Exchange> held = begin_uploads(world, way);
  EXPECT_EQ(way.send_whole(*world.begin(way.type), 50'000), "ok");
  const std::size_t well = finish_uploads(way, held);
  EXPECT_GT(well, 0U);
  EXPECT_LE(well, mebibyte / body_size);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(way.send_whole(*world.begin(way.type), body_size), "ok") << "nothing was kept";
  }
}

void who_gives_up_gives_back(const Way& way) {
  World world(mebibyte);
  std::vector<Exchange> held = begin_uploads(world, way);
  for (Exchange& each : held) each->cancel();
  held.clear();
  // A body larger than all there is may come when nobody else has any.
  while (way.send_whole(*world.begin(way.type), 2 * mebibyte) != "ok") rt::yield();
}

void all_have_room_in_a_larger_one(const Way& way) {
  World world(64 * mebibyte);
  std::vector<Exchange> held = begin_uploads(world, way);
  EXPECT_EQ(finish_uploads(way, held), uploads);
}

TEST(BodyRoom, posts_that_are_still_coming_have_a_limit_together) {
  in_virtual_time(
      [] {
        slow_uploads_are_refused(post);
        all_have_room_in_a_larger_one(post);
      },
      10ms);
}

TEST(BodyRoom, calls_of_grpc_that_are_still_coming_have_a_limit_together) {
  in_virtual_time(
      [] {
        slow_uploads_are_refused(grpc);
        all_have_room_in_a_larger_one(grpc);
      },
      10ms);
}

TEST(BodyRoom, who_gives_an_upload_up_gives_its_room_back) {
  in_virtual_time(
      [] {
        who_gives_up_gives_back(post);
        who_gives_up_gives_back(grpc);
      },
      10ms);
}

}  // namespace
}  // namespace parley::door
