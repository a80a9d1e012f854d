// ServerWorld: an http::Server at inproc:shop, and clients by hand that speak bytes with it. For
// tests only; inside a fiber.
//
//   ServerWorld world([](ServerExchange& exchange) { return exchange.answer(200); });
//   EXPECT_EQ(count(world.ask(get_of("/a")), "HTTP/1.1 200"), 1u);
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/server.h"
#include "parley/net/in_process_network.h"
#include "parley/rt/scope.h"

namespace parley::http::testing {

inline std::string get_of(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

// How often it is in there.
inline std::size_t count(std::string_view all, std::string_view part) {
  std::size_t times = 0;
  for (std::size_t at = 0; (at = all.find(part, at)) != all.npos; at += part.size()) ++times;
  return times;
}

// What comes until the other side closes, `until` has come, or a minute has passed.
inline std::string read_until(net::Stream& stream, std::string_view until = {}) {
  std::string all;
  std::array<char, 4096> buffer{};
  const rt::Deadline deadline = rt::Deadline::after(std::chrono::minutes(1));
  while (until.empty() || all.find(until) == all.npos) {
    const auto size = stream.read(buffer, deadline);
    if (!size || *size == 0) break;
    all.append(buffer.data(), *size);
  }
  return all;
}

class ServerWorld {
 public:
  explicit ServerWorld(Handler handler, ServerOptions options = {},
                       const net::InProcessOptions& network = {})
      : network_(network), server_(*listener_, std::move(handler), std::move(options)) {
    scope_.go("server", [this] { status_ = server_.serve(); });
  }

  [[nodiscard]] net::Network& network() { return network_; }
  [[nodiscard]] const net::Address& address() const { return address_; }
  [[nodiscard]] Server& server() { return server_; }
  std::unique_ptr<net::Stream> dial() { return std::move(*network_.dial(address_)); }
  // All that comes for these bytes and the end behind them.
  std::string ask(std::string_view bytes) {
    const auto stream = dial();
    EXPECT_TRUE(stream->write(bytes).is_ok());
    EXPECT_TRUE(stream->close_write().is_ok());
    return read_until(*stream);
  }

 private:
  const net::Address address_ = *net::Address::parse("inproc:shop");
  net::InProcessNetwork network_;
  const std::unique_ptr<net::Listener> listener_ = std::move(*network_.listen(address_));
  Server server_;
  Status status_;
  rt::Scope scope_{rt::OnExit::cancel};
};

}  // namespace parley::http::testing
