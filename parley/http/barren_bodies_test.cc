// Coded bodies of which nothing comes out, however much of them comes.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/http/client.h"
#include "parley/http/content_coding.h"
#include "parley/http/testing/memory_exchange.h"
#include "parley/http/testing/server_world.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using testing::MemoryExchange;
using testing::ServerWorld;

std::string gzip_of(std::string_view text) {
  std::string out;
  wire::Deflater deflater({.wrapping = wire::Wrapping::gzip});
  EXPECT_TRUE(deflater.append(text, out, wire::Flush::finish).is_ok());
  return out;
}

std::string zstd_of(std::string_view text) {
  std::string out;
  EXPECT_TRUE(wire::ZstdEncoder().append(text, out, wire::Flush::finish).is_ok());
  return out;
}

// RFC 8878 3.1.2, with two bytes to be skipped.
std::string skippable() { return {"\x50\x2a\x4d\x18\x02\x00\x00\x00xx", 10}; }

std::string times(std::size_t count, std::string_view piece) {
  std::string all;
  while (count-- > 0) all += piece;
  return all;
}

struct Barren {
  std::string coding;
  std::string nothing;
  std::string (*content)(std::string_view);
};

std::vector<Barren> kinds() {
  return {{"gzip", gzip_of({}), gzip_of}, {"zstd", skippable(), zstd_of}};
}

// What a handler behind with_decompression() answers, that reads the body.
std::string answer_to(const Barren& kind, std::string_view body, DecompressionOptions options) {
  MemoryExchange exchange(Method::post);
  std::vector<std::string> pieces;
  for (; !body.empty(); body.remove_prefix(std::min<std::size_t>(500, body.size()))) {
    pieces.emplace_back(body.substr(0, 500));
  }
  exchange.with("Content-Encoding", kind.coding).sends(std::move(pieces));
  const Handler echo = [](ServerExchange& answering) -> Status {
    const auto all = answering.read_all();
    return all ? answering.answer(200, *all) : all.error();
  };
  EXPECT_TRUE(exchange.run(with_decompression(echo, std::move(options))).is_ok());
  return std::to_string(exchange.answered().status) + " " + exchange.body();
}

TEST(BarrenBodies, end_at_max_barren_bytes) {
  for (const Barren& kind : kinds()) {
    const std::string body =
        times(10'000 / kind.nothing.size(), kind.nothing) + kind.content("green");
    const std::string refused = answer_to(kind, body, {.max_barren_bytes = 5000});
    EXPECT_TRUE(refused.starts_with("413 ")) << refused;
    EXPECT_NE(refused.find("more than 5000 bytes of " + kind.coding), std::string::npos) << refused;
    EXPECT_NE(refused.find("max_barren_bytes"), std::string::npos) << refused;
    EXPECT_EQ(answer_to(kind, body, {.max_barren_bytes = 20'000}), "200 green");
    // What comes out between them makes up for them.
    const std::string page(1000, 'a');
    const std::string mixed =
        times(10, times(4000 / kind.nothing.size(), kind.nothing) + kind.content(page));
    EXPECT_EQ(answer_to(kind, mixed, {.max_barren_bytes = 5000}), "200 " + times(10, page));
  }
}

// A server that says nothing, in as many bytes as are taken, with `pause` between its pieces; how
// reading its answer ends, and after how long.
std::pair<Status, Duration> read_from(const Barren& kind, Duration pause,
                                      const DecompressionOptions& options) {
  std::pair<Status, Duration> seen;
  rt::testing::in_virtual_time(
      [&] {
        ServerWorld world([&](ServerExchange& exchange) -> Status {
          Response& head = exchange.response();
          if (Status s = head.headers.add("Content-Encoding", kind.coding); !s.is_ok()) return s;
          if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
          for (;;) {
            const Status s = exchange.write(times(100, kind.nothing));
            if (!s.is_ok()) return s;
            if (pause == Duration::zero()) continue;
            if (Status f = exchange.flush(); !f.is_ok()) return f;
            if (Status f = rt::sleep(pause); !f.is_ok()) return f;
          }
        });
        Client client(world.network(), {.address_of = [&](const Url&) { return world.address(); },
                                        .body_timeout = 30s});
        const auto exchange = client.begin({.url = "http://shop/"}, BodySize::none());
        ASSERT_TRUE(exchange) << exchange.error();
        auto body = read_decoded(**exchange, options);
        ASSERT_TRUE(body) << body.error();
        const Instant began = rt::now();
        seen.first = body->read_all(1'000'000).error();
        seen.second = rt::now() - began;
        EXPECT_EQ(body->read().error(), seen.first) << "and once more";
      },
      20ms);
  return seen;
}

TEST(BarrenBodies, without_an_end_are_not_read_for_ever_by_a_client) {
  for (const Barren& kind : kinds()) {
    const auto [fast, took] = read_from(kind, 0s, {});
    EXPECT_EQ(fast.code(), Code::resource_exhausted) << fast;
    EXPECT_NE(fast.message().find("max_barren_bytes"), std::string::npos) << fast;
    EXPECT_LT(took, 1s);
    // A piece comes before body_timeout is over, again and again.
    for (const Duration most : {60s, 600s}) {
      const auto [slow, waited] = read_from(kind, 20s, {.max_barren_time = most});
      EXPECT_EQ(slow.code(), Code::deadline_exceeded) << slow;
      EXPECT_NE(slow.message().find("max_barren_time"), std::string::npos) << slow;
      EXPECT_GE(waited, most);
      EXPECT_LT(waited, most + 25s);
    }
  }
}

}  // namespace
}  // namespace parley::http
