// PUSH: a message that nobody answers. A shop tells all its customers, then those who like tea,
// then one by the name that it gave itself. Prints what each of them heard.
#include <parley/parley.h>

#include <cstdio>
#include <string>
#include <utility>

struct Customer {
  explicit Customer(std::string called) : name(std::move(called)) {
    peer.handle("/news", [this](const std::string& text) { (void)heard.send(text); });
  }
  void enter(const std::string& address, const std::string& likes) {
    auto session = peer.dial(address);
    (void)session.value().call("/enter", name, likes);
  }

  std::string name;
  parley::rt::Channel<std::string> heard{8};
  parley::Peer peer;
};

int main() {
  return parley::run([] {
    parley::Peer shop;
    shop.handle("/enter",
                [](parley::Context& context, const std::string& name,
                   const std::string& likes) -> parley::Status {
                  (void)context.session().values().set("likes", likes);
                  return context.session().set_id(name);
                });
    const std::string address = shop.listen("tcp://127.0.0.1:0").value().to_string();

    Customer ann("ann");
    Customer ben("ben");
    ann.enter(address, "tea");
    ben.enter(address, "coffee");

    const auto hear = [](Customer& who) {
      std::printf("%s heard: %s\n", who.name.c_str(), who.heard.receive().value().c_str());
    };
    (void)shop.push_all({}, "/news", "we are open");
    hear(ann), hear(ben);
    const auto likes_tea = [](const parley::Session& each) {
      const auto likes = each.values().get<std::string>("likes");
      return likes && *likes == "tea";
    };
    (void)shop.push_if(likes_tea, {}, "/news", "fresh tea");
    hear(ann);
    (void)shop.session("ben")->push("/news", "your order is here");
    hear(ben);
  });
}
