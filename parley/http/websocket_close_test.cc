// How a Close frame leaves when the other side takes nothing: not lost, and nothing behind it.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include "parley/base/testing/hex.h"
#include "parley/http/websocket.h"
#include "parley/net/testing/memory_stream.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using parley::testing::from_hex;
using parley::testing::to_hex;
using rt::testing::in_virtual_time;

// A server's WebSocket at one end and the bytes themselves at the other; few of them fit between.
struct Narrow {
  Narrow() {
    auto [a, b] = net::testing::memory_streams({.piece_bytes = 100, .max_pieces = 2});
    socket = std::make_unique<WebSocket>(std::move(a), Side::server);
    bytes = std::move(b);
  }
  void fill() const {
    EXPECT_TRUE(socket->send_binary(std::string(90, 'x')).is_ok());
    EXPECT_TRUE(socket->send_binary(std::string(90, 'y')).is_ok());
  }
  void put(std::string_view hex) const { EXPECT_TRUE(bytes->write(from_hex(hex)).is_ok()); }
  // All that comes within a second, in hex.
  [[nodiscard]] std::string get() const {
    std::string all;
    std::array<char, 4096> buffer{};
    const rt::Deadline deadline = rt::Deadline::after(1s);
    for (;;) {
      const auto size = bytes->read(buffer, deadline);
      if (!size || *size == 0) return to_hex(all);
      all.append(buffer.data(), *size);
    }
  }
  std::unique_ptr<WebSocket> socket;
  std::unique_ptr<net::Stream> bytes;
};

TEST(WebSocketClose, a_close_frame_that_found_no_room_leaves_when_there_is_some) {
  in_virtual_time(
      [] {
        for (const bool is_asked_again : {true, false}) {
          Narrow narrow;
          narrow.fill();
          narrow.put("898100000000 61 818100000000 62");
          EXPECT_EQ(*narrow.socket->receive(), "b");  // its pong waits for room
          EXPECT_EQ(narrow.socket->close_write(1001, "", rt::Deadline::after(1s)).code(),
                    Code::deadline_exceeded);
          EXPECT_EQ(narrow.socket->close_write(1001, "", rt::Deadline::after(1s)).code(),
                    Code::deadline_exceeded)
              << "it has not left yet";
          EXPECT_EQ(narrow.socket->send_text("x").code(), Code::failed_precondition);
          rt::Scope scope(rt::OnExit::cancel);
          scope.go("socket", [&] {
            if (is_asked_again) {
              EXPECT_TRUE(narrow.socket->close_write().is_ok());
            } else {
              (void)narrow.socket->receive();
            }
          });
          const std::string all = narrow.get();
          EXPECT_TRUE(all.ends_with("8a0161880203e9")) << all;
        }
      },
      50ms);
}

TEST(WebSocketClose, a_pong_that_comes_too_late_for_a_close_frame_is_dropped) {
  in_virtual_time(
      [] {
        Narrow narrow;
        narrow.fill();
        rt::Scope scope(rt::OnExit::cancel);
        scope.go("sends", [&] {
          EXPECT_TRUE(narrow.socket->send_binary(std::string(90, 'z')).is_ok());
          EXPECT_TRUE(narrow.socket->close_write().is_ok());
        });
        rt::yield();  // it holds what sends, and waits
        scope.go("receives", [&] { (void)narrow.socket->receive(); });
        narrow.put("898100000000 61");
        for (int i = 0; i < 10; ++i) rt::yield();
        const std::string all = narrow.get();
        EXPECT_TRUE(all.ends_with("7a880203e8")) << all;
      },
      50ms);
}

}  // namespace
}  // namespace parley::http
