// Rules beside a type hold by themselves: a handler never sees what breaks them, whatever the
// arguments are written in. One field comes from the metadata of the call, whatever the body says.
#include <parley/codec/fields.h>
#include <parley/parley.h>

#include <cstdio>
#include <string>

struct Order {
  std::string sku;
  int quantity = 0;
  std::string customer;
};

template <>
inline constexpr auto parley::fields<Order> = parley::codec::field_rules<Order>(
    parley::codec::field<&Order::sku>().characters(1, 20),
    parley::codec::field<&Order::quantity>().range(1, 100),
    parley::codec::field<&Order::customer>()
        .from_metadata("X-Customer")
        .required()
        .otherwise(parley::Code::unauthenticated, "tell us who you are"));

std::string place(const Order& order) {
  return std::to_string(order.quantity) + " " + order.sku + " for " + order.customer;
}

void show(const parley::Result<std::string>& answer) {
  std::printf("%s\n", answer ? answer->c_str() : answer.error().to_string().c_str());
}

int main() {
  return parley::run([] {
    parley::Peer shop;
    shop.handle("/order/place", place);
    auto address = shop.listen("tcp://127.0.0.1:0");
    parley::Peer caller;
    auto session = caller.dial(address.value().to_string());
    const auto order = [&](const parley::CallOptions& options, const Order& what) {
      show(session->call<std::string>(options, "/order/place", what));
    };
    const parley::wire::Metadata ann = {{"X-Customer", "ann"}};
    order({.metadata = ann}, {"tea", 2, "somebody else"});
    order({.metadata = ann}, {"tea", 200, {}});
    order({.metadata = ann, .body_codec = parley::wire::BodyCodec::msgpack}, {"", 1, {}});
    order({}, {"tea", 2, "ann"});
  });
}
