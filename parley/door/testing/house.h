// House: a Peer behind a Door that is open, and ways in. For tests; inside a fiber.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/door/door.h"
#include "parley/http/http1_connection.h"
#include "parley/net/in_process_network.h"
#include "parley/peer/peer.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"

namespace parley::door::testing {

inline const std::string add =
    "POST /math/add HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    "Content-Length: 5\r\n\r\n[1,2]";

inline std::string read_until(net::Stream& stream, std::string_view until) {
  std::string all;
  std::array<char, 4096> buffer{};
  while (until.empty() || all.find(until) == std::string::npos) {
    const auto size = stream.read(buffer);
    if (!size || *size == 0) break;
    all.append(buffer.data(), *size);
  }
  return all;
}

inline http::Request asking(http::Method method, const std::string& target) {
  http::Request request{.method = method, .target = target};
  EXPECT_TRUE(request.headers.add("Host", "a").is_ok());
  return request;
}

inline void fill(Peer& peer) {
  peer.handle("/math/add", [](int a, int b) { return a + b; });
  peer.handle("/twice", [](Context& context, int n) -> Result<int> {
    return context.session().call<int>("/once", 2 * n);
  });
}

// A client that has been opened a WebSocket on this stream; null when it was not.
inline std::unique_ptr<http::WebSocket> open_websocket(std::unique_ptr<net::Stream> stream,
                                                       const std::string& path = "/parley",
                                                       const std::string& spoken = "parley") {
  http::WebSocketRequestOptions options;
  if (!spoken.empty()) options.subprotocols = {spoken};
  const auto opening = http::websocket_request(path, "a", options);
  const auto connection = http::Http1Connection::create(std::move(stream));
  EXPECT_TRUE(connection->reserve());
  auto exchange = connection->begin(opening->request, http::BodySize::none(), {});
  if (!exchange) return nullptr;
  auto socket = http::finish_websocket(**exchange, *opening);
  return socket ? *std::move(socket) : nullptr;
}

class House {
 public:
  explicit House(DoorOptions options = {}, PeerOptions peer_options = {},
                 http::Handler handler = {}, std::string_view address = "tcp://127.0.0.1:0")
      : listener_(*network_.listen(*net::Address::parse(address))),
        peer(std::move(peer_options)),
        door(*listener_, peer, std::move(handler), listened(std::move(options))) {
    fill(peer);
    scope_.go("door", [this] { status_ = door.serve(); });
  }
  ~House() {
    (void)peer.shutdown({.limit = Duration::zero()});
    scope_.cancel();
    scope_.join();
  }

  std::unique_ptr<net::Stream> dial() { return *network_.dial(listener_->address()); }
  [[nodiscard]] std::string address() const { return listener_->address().to_string(); }
  std::string ask(std::string_view bytes, std::string_view until = {}) {
    const auto stream = dial();
    (void)stream->write(bytes);
    return read_until(*stream, until);
  }
  // What serve() returned.
  Status end() {
    scope_.join();
    return status_;
  }
  // What on_error was told.
  [[nodiscard]] std::string told() const {
    const std::lock_guard lock(lock_);
    return told_;
  }

 private:
  DoorOptions listened(DoorOptions options) {
    options.on_error = [this](const net::Address&, const Status& why) {
      const std::lock_guard lock(lock_);
      told_ += why.message() + "\n";
    };
    return options;
  }

  net::InProcessNetwork network_;
  std::unique_ptr<net::Listener> listener_;
  mutable rt::Mutex lock_;
  std::string told_;

 public:
  Peer peer;
  Door door;

 private:
  Status status_;
  rt::Scope scope_{rt::OnExit::cancel};
};

}  // namespace parley::door::testing
