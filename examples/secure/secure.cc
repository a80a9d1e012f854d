// What two peers say is sealed between them, over any framing. A shop and its till know each other
// by a key they were both given; a courier and the shop by keys of which each has shown only the
// public half. Prints what each is told, and what somebody else is.
#include <parley/parley.h>

#include <cstdio>
#include <memory>
#include <string>

using parley::SecureOptions;

void call(const std::string& who, const SecureOptions& options, const std::string& address) {
  parley::Peer caller({.plugins = {parley::secure(options)}});
  auto session = caller.dial(address);
  if (session) {
    auto count = session->call<int>("/shop/count", "tea");
    std::printf("%s: %d of tea\n", who.c_str(), count.value());
  } else {
    std::printf("%s: %s\n", who.c_str(), session.error().to_string().c_str());
  }
}

// Returns where it listens.
std::string open_shop(parley::Peer& shop) {
  shop.handle("/shop/count", [](const std::string& sku) { return sku == "tea" ? 50 : 0; });
  return shop.listen("tcp://127.0.0.1:0").value().to_string();
}

int main() {
  return parley::run([] {
    // A key both were given: 32 random bytes, from a file most likely (Secret::from_file).
    const auto key =
        std::make_shared<const parley::crypto::Secret>(parley::crypto::Secret::random(32).value());
    parley::Peer shop({.plugins = {parley::secure({.shared_key = key})}});
    const std::string address = open_shop(shop);
    call("till", {.shared_key = key}, address);
    call("eve", {.trust_anybody = true}, address);

    // Keys of their own: each knows the public half of the other's.
    const auto shops = parley::crypto::SigningKey::generate().value();
    const auto couriers = parley::crypto::SigningKey::generate().value();
    const auto eves = parley::crypto::SigningKey::generate().value();
    parley::Peer depot(
        {.plugins = {parley::secure({.trusted = {couriers.public_key()}, .own_key = shops})}});
    const std::string second = open_shop(depot);
    call("courier", {.trusted = {shops.public_key()}, .own_key = couriers}, second);
    call("eve", {.trusted = {shops.public_key()}, .own_key = eves}, second);
  });
}
