// The body of a request over HTTP/1 that its handler does not read: the client waits, and no memory
// is taken for it.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "parley/http/testing/server_world.h"
#include "parley/rt/event.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using testing::ServerWorld;

constexpr std::size_t on_the_way = std::size_t{64} << 10U;  // what the network holds
constexpr std::size_t total = std::size_t{8} << 20U;

// How much of `bytes` goes out until nothing was taken for five seconds.
std::size_t write_while_taken(net::Stream& stream, std::size_t bytes) {
  const std::string piece(16'384, 'x');
  std::size_t taken = 0;
  while (taken < bytes) {
    std::array<std::string_view, 1> pieces{std::string_view(piece).substr(0, bytes - taken)};
    const auto size = stream.write_some_of(pieces, rt::Deadline::after(5s));
    if (!size) {
      EXPECT_EQ(size.error().code(), Code::deadline_exceeded) << size.error();
      break;
    }
    taken += *size;
  }
  return taken;
}

void expect_a_body_waits(const std::string& framing, const std::string& tail) {
  rt::Event goes_on;
  std::size_t first = 0;
  ServerWorld world(
      [&](ServerExchange& exchange) -> Status {
        auto piece = exchange.read();
        if (!piece) return piece.error();
        first = piece->size();
        std::size_t all = first;
        if (Status s = goes_on.wait(); !s.is_ok()) return s;
        while (!piece->empty()) {
          piece = exchange.read();
          if (!piece) return piece.error();
          all += piece->size();
        }
        return exchange.answer(200, std::to_string(all));
      },
      {.body_timeout = 3s}, {.buffer_bytes = on_the_way});
  const auto client = world.dial();
  ASSERT_TRUE(client->write("POST / HTTP/1.1\r\nHost: a\r\n" + framing).is_ok());
  const std::size_t taken = write_while_taken(*client, total);
  EXPECT_GT(first, 0U);
  EXPECT_GE(taken, on_the_way);
  // What the network holds, and what one read of the server takes.
  EXPECT_LE(taken, on_the_way + 16'384) << "the server has read what nobody asked for";
  goes_on.set();
  EXPECT_EQ(write_while_taken(*client, total - taken), total - taken);
  EXPECT_TRUE(client->write(tail).is_ok());
  const std::string said = testing::read_until(*client, std::to_string(total));
  EXPECT_TRUE(said.starts_with("HTTP/1.1 200 ")) << said;
  EXPECT_TRUE(said.ends_with(std::to_string(total))) << said;
}

TEST(Http1BackPressure, a_body_that_is_not_read_makes_its_client_wait_and_takes_no_memory) {
  rt::testing::in_virtual_time(
      [] { expect_a_body_waits("Content-Length: " + std::to_string(total) + "\r\n\r\n", ""); },
      20ms);
}

TEST(Http1BackPressure, so_does_one_in_chunks) {
  rt::testing::in_virtual_time(
      [] { expect_a_body_waits("Transfer-Encoding: chunked\r\n\r\n800000\r\n", "\r\n0\r\n\r\n"); },
      20ms);
}

}  // namespace
}  // namespace parley::http
