// One port for everybody: a shop that other peers call, that curl posts to, and that a browser
// speaks with over a WebSocket, where the shop calls back.
//
//   door                     # asks itself in each way, and prints what was answered
//   door tcp://0.0.0.0:4711  # until Ctrl-C:
//   curl -d '["tea",2]' http://localhost:4711/price
#include <parley/door/door.h>
#include <parley/http/http1_connection.h>
#include <parley/http/websocket_handshake.h>
#include <parley/parley.h>

#include <cstdio>
#include <string>

using parley::Result;
namespace http = parley::http;

Result<int> price(const std::string& sku, int quantity) {
  if (sku != "tea") return parley::Status(parley::Code::not_found, "we only sell tea");
  return 150 * quantity;
}

// What curl does.
std::string post(std::unique_ptr<parley::net::Stream> stream, const std::string& body) {
  const auto connection = http::Http1Connection::create(std::move(stream));
  (void)connection->reserve();
  http::Request request{.method = http::Method::post, .target = "/price"};
  (void)request.headers.set("Host", "shop");
  (void)request.headers.set("Content-Type", "application/json");
  auto exchange = connection->begin(request, http::BodySize::of(body.size()), {});
  (void)exchange.value()->write(body);
  (void)exchange.value()->end();
  return exchange.value()->read_all().value();
}

// What a page does: new WebSocket("ws://shop/parley"), by clients/js.
Result<parley::Session> open(parley::Peer& page, std::unique_ptr<parley::net::Stream> stream) {
  const auto opening = http::websocket_request("/parley", "shop").value();
  const auto connection = http::Http1Connection::create(std::move(stream));
  (void)connection->reserve();
  auto exchange = connection->begin(opening.request, http::BodySize::none(), {});
  auto socket = http::finish_websocket(*exchange.value(), opening);
  return page.serve(http::websocket_byte_stream(std::move(socket.value())), parley::Side::dialled);
}

void ask(const parley::net::Address& shop) {
  parley::net::SocketNetwork network;
  std::printf("curl: %s\n", post(network.dial(shop).value(), R"(["tea",2])").c_str());
  std::printf("curl: %s", post(network.dial(shop).value(), R"(["coffee",1])").c_str());

  parley::Peer till;
  const auto session = till.dial(shop.to_string()).value();
  std::printf("peer: %d\n", session.call<int>("/price", "tea", 3).value());

  parley::Peer page;
  page.handle("/confirm", [](const std::string& what) { return what == "4 tea"; });
  const auto socket = open(page, network.dial(shop).value()).value();
  std::printf("page: %s\n", socket.call<std::string>("/buy", 4).value().c_str());
}

int main(int argc, char** argv) {
  return parley::run([&] {
    parley::net::SocketNetwork network;
    const std::string address = argc > 1 ? argv[1] : "tcp://127.0.0.1:0";
    auto listener = network.listen(parley::net::Address::parse(address).value());
    parley::Peer shop;
    shop.handle("/price", price);
    shop.handle("/buy", [](parley::Context& context, int quantity) -> Result<std::string> {
      const std::string what = std::to_string(quantity) + " tea";
      const auto sure = context.session().call<bool>("/confirm", what);  // back, to whoever asks
      if (!sure) return sure.error();
      return *sure ? what + " on their way" : "then not";
    });
    parley::door::Door door(*listener.value(), shop);
    parley::rt::Scope scope;
    scope.go("door", [&] { (void)door.serve(); });
    if (argc > 1) {
      (void)parley::serve_until_signal(shop);  // and the door with it
    } else {
      ask(listener.value()->address());
      shop.close();
    }
    (void)door.shutdown(parley::rt::Deadline::after(std::chrono::seconds(5)));
  });
}
