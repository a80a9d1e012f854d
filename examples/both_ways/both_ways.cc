// A call each way on one connection: the till orders from the shop, and the shop, before it says
// yes, calls the till back to ask. Prints what each of them hears.
#include <parley/parley.h>

#include <cstdio>
#include <string>

struct Order {
  std::string sku;
  int quantity = 0;
};

// Large orders have to be confirmed, by whoever sent them.
parley::Result<std::string> place(parley::Context& context, const Order& order) {
  if (order.quantity > 10) {
    auto sure = context.session().call<bool>("/till/confirm", order);
    if (!sure) return sure.error();
    if (!*sure) return parley::Status(parley::Code::aborted, "the till was not sure");
  }
  return std::to_string(order.quantity) + " " + order.sku + " on their way";
}

bool confirm(const Order& order) {
  std::printf("till: really %d %s?\n", order.quantity, order.sku.c_str());
  return order.quantity < 100;
}

void order(const parley::Session& shop, const Order& what) {
  auto answer = shop.call<std::string>("/shop/place", what);
  std::printf("%s\n", answer ? answer->c_str() : answer.error().message().c_str());
}

int main() {
  return parley::run([] {
    parley::Peer shop;
    shop.handle("/shop/place", place);
    auto address = shop.listen("tcp://127.0.0.1:0");

    parley::Peer till;  // the same type: only who dialled differs
    till.handle("/till/confirm", confirm);
    auto session = till.dial(address.value().to_string());
    order(session.value(), {"tea", 2});
    order(session.value(), {"tea", 50});
    order(session.value(), {"tea", 5000});
  });
}
