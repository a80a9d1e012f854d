// One handler, whoever asks: gRPC, curl and other peers call the same methods on the same port, and
// tools that know nothing of them are told by reflection what there is.
//
//   grpc                     # asks itself in each way, and prints what was answered
//   grpc tcp://0.0.0.0:4711  # until Ctrl-C:
//   buf curl --protocol grpc --list-methods http://localhost:4711
//   buf curl --protocol grpc -d '{"tea":"assam","cups":2}' http://localhost:4711/shop.Orders/Place
//   grpcurl -plaintext -d '{"tea":"assam","cups":2}' localhost:4711 shop.Orders/Place
//   curl -d '{"tea":"assam","cups":2}' http://localhost:4711/shop.Orders/Place
#include <parley/door/door.h>
#include <parley/door/grpc_client.h>
#include <parley/door/grpc_health.h>
#include <parley/door/grpc_reflection.h>
#include <parley/parley.h>

#include <cstdio>
#include <string>

using parley::Result;
using parley::Status;

struct Order {
  std::string tea;
  int cups = 0;
};
struct Receipt {
  std::string text;
  int pence = 0;
};

Result<Receipt> place(const Order& order) {
  if (order.tea != "assam") return Status(parley::Code::not_found, "we only sell assam");
  return Receipt{std::to_string(order.cups) + " cups of " + order.tea, 150 * order.cups};
}

// A receipt for each order, with what all of them cost so far.
Status follow(parley::Stream<Order, Receipt>& orders) {
  for (int pence = 0;;) {
    const auto order = orders.receive();
    if (!order) return order.error();
    if (!*order) return {};
    auto receipt = place(**order);
    if (!receipt) return receipt.error();
    receipt->pence = pence += receipt->pence;
    if (Status sent = orders.send(*receipt); !sent.is_ok()) return sent;
  }
}

void by_grpc(const parley::net::Address& shop) {
  parley::net::SocketNetwork network;
  parley::door::GrpcChannel channel(network, shop);
  const auto receipt = channel.call<Receipt>("/shop.Orders/Place", Order{"assam", 2});
  std::printf("gRPC: %s, %d pence\n", receipt.value().text.c_str(), receipt.value().pence);
  const auto none = channel.call<Receipt>("/shop.Orders/Place", Order{"coffee", 1});
  std::printf("gRPC: %s\n", none.error().message().c_str());
  auto orders = channel.open<Order, Receipt>("/shop.Orders/Follow");
  for (const int cups : {1, 3}) {
    (void)orders.value().write({"assam", cups});
    const auto next = orders.value().read();
    std::printf("gRPC: so far %d pence\n", next.value().value().pence);
  }
  (void)orders.value().done_writing();
  (void)orders.value().finish();
}

void by_post(const parley::net::Address& shop) {
  parley::net::SocketNetwork network;
  auto stream = network.dial(shop);
  const std::string body = R"({"tea":"assam","cups":2})";
  (void)stream.value()->write(
      "POST /shop.Orders/Place HTTP/1.0\r\nContent-Type: application/json\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  std::string answer(4096, '\0');
  std::size_t size = 0;
  while (size < answer.size()) {
    const auto read = stream.value()->read(std::span(answer).subspan(size));
    if (!read || *read == 0) break;
    size += *read;
  }
  answer.resize(size);
  std::printf("POST: %s\n", answer.substr(answer.find("\r\n\r\n") + 4).c_str());
}

void by_parley(const parley::net::Address& shop) {
  parley::Peer till;
  const auto session = till.dial(shop.to_string()).value();
  const auto receipt = session.call<Receipt>("/shop.Orders/Place", Order{"assam", 2});
  std::printf("peer: %s, %d pence\n", receipt.value().text.c_str(), receipt.value().pence);
}

int main(int argc, char** argv) {
  return parley::run([&] {
    parley::net::SocketNetwork network;
    const std::string address = argc > 1 ? argv[1] : "tcp://127.0.0.1:0";
    auto listener = network.listen(parley::net::Address::parse(address).value());
    parley::Peer shop;
    shop.handle("/shop.Orders/Place", place);
    shop.handle_stream("/shop.Orders/Follow", follow);
    parley::door::GrpcHealth health(shop);
    parley::door::handle_grpc_reflection(shop);
    parley::door::Door door(*listener.value(), shop);
    parley::rt::Scope scope;
    scope.go("door", [&] { (void)door.serve(); });
    if (argc > 1) {
      (void)parley::serve_until_signal(shop);  // and the door with it
    } else {
      by_grpc(listener.value()->address());
      by_post(listener.value()->address());
      by_parley(listener.value()->address());
      shop.close();
    }
    health.shutdown();
    (void)door.shutdown(parley::rt::Deadline::after(std::chrono::seconds(5)));
  });
}
