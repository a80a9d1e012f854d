// A service behind an interface, and a caller that knows nothing but the interface.
#include <parley/parley.h>

#include <cstdio>

// tidy-allow(include-path): parley_generate() makes it at build time
#include "generated/teashop.parley.h"

namespace {

struct CornerShop final : tea::TeaShop {
  parley::Result<int> place(const tea::Order& order, bool urgent) override {
    if (order.sku != "tea") return parley::Status(parley::Code::not_found, "we only sell tea");
    return order.quantity * (urgent ? 200 : 100);
  }
};

void buy(tea::TeaShop& shop) {
  std::printf("2 of them: %d pence\n", shop.place({.sku = "tea", .quantity = 2}).value());
  const auto refused = shop.place({.sku = "coffee", .quantity = 1});
  std::printf("coffee: %s\n", refused.error().message().c_str());
}

}  // namespace

int main() {
  return parley::run([] {
    CornerShop shop;
    buy(shop);  // in this process
    parley::Peer service;
    serve(service, shop);
    const auto address = service.listen("tcp://127.0.0.1:0");
    parley::Peer caller;
    tea::TeaShopClient client(caller.dial(address.value().to_string()).value());
    buy(client);  // over TCP
  });
}
