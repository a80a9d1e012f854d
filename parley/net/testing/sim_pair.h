// Two nodes of a SimWorld with a connection between them. For tests; inside a fiber.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include "parley/net/sim_network.h"

namespace parley::net::testing {

inline Address any_on(std::uint16_t port) { return {.host = "0.0.0.0", .port = port}; }

struct SimPair {
  explicit SimPair(SimWorld& in, const DialOptions& dialling = {},
                   const ListenOptions& listening = {})
      : world(in), client_node(in.node("till")), server_node(in.node("shop")) {
    listener = *server_node.listen(any_on(80), listening);
    client = *client_node.dial(server_node.address(80), {}, dialling);
    server = *listener->accept();
  }

  SimWorld& world;
  SimNode& client_node;
  SimNode& server_node;
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
};

// What comes until the end or an error, which is left in `how`.
inline std::string read_to_end(Stream& stream, Status& how) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto size = stream.read(buffer);
    how = size.error();
    if (!size || *size == 0) return text;
    text.append(buffer.data(), *size);
  }
}

inline std::string read_exactly(Stream& stream, std::size_t count) {
  std::string text(count, '\0');
  for (std::size_t at = 0; at < count;) {
    const auto size = stream.read({text.data() + at, count - at});
    EXPECT_TRUE(size && *size != 0) << size.error();
    if (!size || *size == 0) return text;
    at += *size;
  }
  return text;
}

}  // namespace parley::net::testing
