// One program, as one process or as two: what changes is an address.
//
//   inprocess                                    # shop and till here, by memory
//   inprocess shop tcp://127.0.0.1:4711          # the shop alone, until Ctrl-C
//   inprocess till tcp://127.0.0.1:4711          # the till alone
#include <parley/parley.h>

#include <chrono>
#include <cstdio>
#include <string>

struct Order {
  std::string sku;
  int quantity = 0;
};

parley::Result<int> price_of(const Order& order) {
  if (order.sku != "tea") return parley::Status(parley::Code::not_found, "we only sell tea");
  return 100 * order.quantity;
}

int buy(parley::Peer& till, const std::string& address) {
  auto shop = till.dial(address);
  while (!shop) {  // it may come after us
    if (!parley::rt::sleep(std::chrono::milliseconds(20)).is_ok()) return 1;
    shop = till.dial(address);
  }
  for (const Order& order : {Order{"tea", 1}, Order{"tea", 2}, Order{"coffee", 1}}) {
    const auto price = shop->call<int>("/price_of", order);
    std::printf("%d %s: %s\n", order.quantity, order.sku.c_str(),
                price ? std::to_string(*price).c_str() : price.error().message().c_str());
  }
  return 0;
}

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "both";
  const std::string address = argc > 2 ? argv[2] : "inproc:shop";
  return parley::run([&] {
    parley::net::InProcessNetwork network;  // names in here; all other addresses go to the kernel
    parley::Peer shop({.network = &network});
    parley::Peer till({.network = &network});
    shop.handle("/price_of", price_of);
    if (role != "till") {
      const auto listening = shop.listen(address);
      if (!listening) {
        std::printf("%s\n", listening.error().to_string().c_str());
        return 1;
      }
    }
    if (role != "shop") return buy(till, address);
    const auto served = parley::serve_until_signal(shop);
    return served ? served->exit_code() : 1;
  });
}
