// Both ends of a TLS connection over memory, and how their handshakes went. For tests; inside a
// fiber.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "parley/net/testing/memory_stream.h"
#include "parley/net/tls_client.h"
#include "parley/net/tls_server.h"
#include "parley/rt/scope.h"

namespace parley::net::testing {

struct TlsPair {
  std::unique_ptr<TlsStream> client;
  std::unique_ptr<TlsStream> server;
  Status client_status;
  Status server_status;
};

// `name` empty: the client's own server_name.
inline TlsPair shake_hands(
    TlsServer& server, TlsClient& client,
    std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> streams = memory_streams(),
    const std::string& name = {}) {
  TlsPair pair;
  rt::Scope scope;
  scope.go("server", [&] {
    auto accepted = server.accept(std::move(streams.second));
    pair.server_status = accepted.error();
    if (accepted) pair.server = *std::move(accepted);
  });
  auto connected = name.empty() ? client.connect(std::move(streams.first))
                                : client.connect_to(name, std::move(streams.first));
  pair.client_status = connected.error();
  if (connected) pair.client = *std::move(connected);
  scope.join();
  return pair;
}

inline std::string read_to_end(Stream& stream, Status& how) {
  std::string text;
  std::string buffer(16384, '\0');
  for (;;) {
    const auto size = stream.read(buffer);
    how = size.error();
    if (!size || *size == 0) return text;
    text.append(buffer, 0, *size);
  }
}

}  // namespace parley::net::testing
