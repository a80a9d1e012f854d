// The shop: plain C++ functions served over TCP. Prints the address it listens on, then serves
// until Ctrl-C: then it finishes what it has begun. A second Ctrl-C ends it at once.
//
//   shop_service INVENTORY.json [ADDRESS]
//   shop_service --framings
#include <parley/parley.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framings.h"
#include "shop.h"

namespace {

using namespace shop;
using parley::Context;
using parley::Result;
using parley::Status;

void say(const std::string& line) {
  std::puts(("shop: " + line).c_str());
  std::fflush(stdout);
}

// What is on the shelves. Handlers run in many fibers at once, so every look at it is locked.
class Shelves {
 public:
  explicit Shelves(const std::vector<Item>& items) {
    for (const Item& item : items) items_[item.sku] = item;
  }

  // Takes the goods off the shelf and says what they cost.
  Result<std::int64_t> take(const Order& order) {
    const std::lock_guard lock(mutex_);
    const auto found = items_.find(order.sku);
    if (found == items_.end()) {
      return Status::business(unknown_sku, "no \"" + order.sku + "\" here; see /shop/stock");
    }
    Item& item = found->second;
    if (item.stock < order.quantity) {
      return Status::business(out_of_stock, "out of " + item.sku + ": " +
                                                std::to_string(item.stock) + " left, " +
                                                std::to_string(order.quantity) + " ordered");
    }
    item.stock -= order.quantity;
    return item.price_cents * order.quantity;
  }

  void give_back(const Order& order) {
    const std::lock_guard lock(mutex_);
    items_[order.sku].stock += order.quantity;
  }

  std::vector<Item> list() {
    const std::lock_guard lock(mutex_);
    std::vector<Item> items;
    for (const auto& [sku, item] : items_) items.push_back(item);
    return items;
  }

 private:
  parley::rt::Mutex mutex_;
  std::map<std::string, Item> items_;
};

class Shop {
 public:
  explicit Shop(const std::vector<Item>& items) : shelves_(items) {}

  void open(parley::Peer& peer) {
    peer.handle("/math/add", [this](std::int64_t a, std::int64_t b) { return add(a, b); });
    peer.handle("/order/place",
                [this](Context& context, const Order& order) { return place(context, order); });
    peer.handle("/shop/stock", [this] { return stock(); });
    peer.handle("/shop/announce", [this](const std::string& text) { announce(text); });
    peer.handle("/shop/oops", [this] { return oops(); });
  }

  [[nodiscard]] std::int64_t served() const { return served_; }

 private:
  Result<std::int64_t> add(std::int64_t a, std::int64_t b) {
    ++served_;
    std::int64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) {
      return Status(parley::Code::out_of_range, "the sum does not fit 64 bits");
    }
    return sum;
  }

  Result<Receipt> place(Context& context, const Order& order) {
    ++served_;
    if (order.quantity < 1) {
      return Status::business(bad_quantity,
                              "quantity must be at least 1, not " + std::to_string(order.quantity));
    }
    const auto total = shelves_.take(order);
    if (!total) return total.error();
    const bool is_big = *total >= big_order_cents;
    if (is_big) {
      const Status confirmed = confirm(context, order, *total);
      if (!confirmed.is_ok()) {
        shelves_.give_back(order);
        return confirmed;
      }
    }
    const Receipt receipt{
        .number = ++accepted_, .sku = order.sku, .quantity = order.quantity, .total_cents = *total};
    if (is_big) {
      const Status pushed = context.session().push("/client/receipt", receipt);
      if (!pushed.is_ok()) say("receipt not delivered: " + pushed.to_string());
    }
    return receipt;
  }

  // Asks the customer, over the connection the order came on.
  static Status confirm(Context& context, const Order& order, std::int64_t total) {
    const auto yes = context.session().call<bool>("/client/confirm", order, total);
    if (yes && *yes) return {};
    const Status refused = Status::business(
        not_confirmed, "an order of " + std::to_string(total) + " cents must be confirmed");
    return refused.with_cause(yes ? "the customer declined" : yes.error().to_string());
  }

  std::vector<Item> stock() {
    ++served_;
    return shelves_.list();
  }

  void announce(const std::string& text) {
    ++served_;
    say("announcement: " + text);
  }

  // A handler with a bug: at() throws. The caller gets `internal`, the shop stays open.
  int oops() {
    ++served_;
    return std::vector<int>().at(3);
  }

  Shelves shelves_;
  std::atomic<std::int64_t> accepted_ = 0;
  std::atomic<std::int64_t> served_ = 0;
};

Result<std::vector<Item>> load(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status(parley::Code::not_found, std::string("cannot open ") + path);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return parley::codec::decode_json<std::vector<Item>>(text);
}

int serve(const std::vector<Item>& items, const char* wanted_address) {
  Shop shop(items);
  // A reader of our output that left must not end the shop.
  std::signal(SIGPIPE, SIG_IGN);
  const auto log = [](std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };
  parley::Peer peer(parley::PeerOptions{.framings = all_framings(), .log = log});
  shop.open(peer);
  const auto address = peer.listen(wanted_address);
  if (!address) {
    std::fprintf(stderr, "shop: cannot listen: %s\n", address.error().to_string().c_str());
    return 1;
  }
  say("open at " + address->to_string());
  const auto served = parley::serve_until_signal(peer);
  say("closed after " + std::to_string(shop.served()) + " calls; good bye");
  return served ? served->exit_code() : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--framings") return print_framings();
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: shop_service INVENTORY.json [tcp://HOST:PORT]\n");
    return 2;
  }
  const auto items = load(argv[1]);
  if (!items) {
    std::fprintf(stderr, "shop: %s: %s\n", argv[1], items.error().to_string().c_str());
    return 1;
  }
  return parley::run([&] { return serve(*items, argc == 3 ? argv[2] : "tcp://127.0.0.1:0"); });
}
