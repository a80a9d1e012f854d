// Two peers on a loopback connection, for the tests of this floor.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "parley/peer/peer.h"

namespace parley::testing {

// What a peer logged, joined by newlines.
struct Log {
  std::string text;
  [[nodiscard]] bool has(std::string_view part) const {
    return text.find(part) != std::string::npos;
  }
};

struct Pair {
  explicit Pair(const PeerOptions& options = {}) : Pair(options, options) {}
  Pair(PeerOptions server_options, PeerOptions client_options)
      : server(logging(std::move(server_options), server_log)),
        client(logging(std::move(client_options), client_log)) {
    const auto listening = server.listen("tcp://127.0.0.1:0");
    EXPECT_TRUE(listening) << listening.error();
    address = listening->to_string();
  }

  Session dial() {
    auto session = client.dial(address);
    EXPECT_TRUE(session) << session.error();
    return *session;
  }

  Log server_log;
  Log client_log;
  Peer server;
  Peer client;
  std::string address;

 private:
  static PeerOptions logging(PeerOptions options, Log& log) {
    options.log = [&log](std::string_view line) { log.text += std::string(line) + "\n"; };
    return options;
  }
};

}  // namespace parley::testing
