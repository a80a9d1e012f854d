// Proxy: one door before two shops. It knows neither their methods nor their types: what it does
// not serve itself goes to the shop that the metadata names, and a stream as well as a call.
#include <parley/parley.h>

#include <cstdio>
#include <optional>
#include <string>

struct Order {
  std::string sku;
  int quantity = 0;
};

std::string open_shop(parley::Peer& shop, const std::string& name) {
  shop.handle("/order", [name](parley::Context& context, const Order& order) {
    context.reply_metadata().set("shop", name);
    return std::to_string(order.quantity) + " " + order.sku + " from the " + name;
  });
  shop.handle_stream("/prices", [](parley::Stream<std::string, int>& asked) -> parley::Status {
    for (;;) {
      auto sku = asked.receive();
      if (!sku) return sku.error();
      if (!*sku) return {};
      if (auto s = asked.send(static_cast<int>((*sku)->size()) * 100); !s.is_ok()) return s;
    }
  });
  return shop.listen("tcp://127.0.0.1:0").value().to_string();
}

void order_at(const parley::Session& door, const std::string& shop, const Order& order) {
  auto answer = door.call<std::string>({.metadata = {{"shop", shop}}}, "/order", order);
  std::printf("%s\n", answer ? answer->c_str() : answer.error().message().c_str());
}

int main() {
  return parley::run([] {
    parley::Peer harbour, market, inside;
    auto to_harbour = inside.dial(open_shop(harbour, "harbour")).value();
    auto to_market = inside.dial(open_shop(market, "market")).value();
    parley::Peer door(
        {.plugins = {parley::proxy(
             {.pick = [&](const parley::ProxyLabel& label) -> parley::Result<parley::ProxyTarget> {
               const auto shop = label.metadata().get("shop");
               if (shop == "harbour") return to_harbour;
               if (shop == "market") return to_market;
               return parley::Status(parley::Code::not_found, "no such shop");
             }})}});
    const std::string address = door.listen("tcp://127.0.0.1:0").value().to_string();

    parley::Peer customer;
    auto session = customer.dial(address).value();
    for (const char* shop : {"harbour", "market", "airport"}) order_at(session, shop, {"tea", 2});
    auto prices = session.open<int, std::string>({.metadata = {{"shop", "market"}}}, "/prices");
    for (const char* sku : {"tea", "coffee"}) {
      (void)prices.value().send(sku);
      std::printf("%s: %d pence\n", sku, prices->receive().value().value());
    }
  });
}
