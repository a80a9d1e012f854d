// A customer of the shop: shows each kind of call once, then places the orders of a file over many
// fibers at once and checks every answer. Exit code 0 when all of them were as expected.
//
//   shop_client ADDRESS ORDERS.jsonl [FRAMING]
//   shop_client --framings
#include <parley/parley.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "framings.h"
#include "order_book.h"
#include "shop.h"
#include "tally.h"

namespace {

using namespace shop;
using parley::Code;
using parley::Result;
using parley::Session;
using parley::Status;

constexpr std::size_t fibers = 16;
constexpr std::size_t max_complaints_shown = 10;
constexpr auto receipt_patience = std::chrono::seconds(10);

std::string money(std::int64_t cents) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%lld.%02lld", static_cast<long long>(cents / 100),
                static_cast<long long>(cents % 100));
  return text.data();
}

// What the shop may CALL and PUSH at us: on this connection we are a peer like the shop.
class Customer {
 public:
  explicit Customer(std::size_t expected_receipts) : expected_(expected_receipts) {}

  void open(parley::Peer& peer) {
    peer.handle("/client/confirm", [this](const Order& order, std::int64_t total_cents) {
      return confirm(order, total_cents);
    });
    peer.handle("/client/receipt", [this](const Receipt& receipt) { take(receipt); });
  }

  // Ok when every receipt that was due has been pushed.
  Status wait_for_receipts() {
    return all_received_.wait(parley::rt::Deadline::after(receipt_patience));
  }

  [[nodiscard]] std::size_t confirmations() const { return confirmations_; }
  [[nodiscard]] std::size_t receipts() const { return receipts_; }

 private:
  bool confirm(const Order& order, std::int64_t total_cents) {
    const bool accepts = total_cents <= credit_cents;
    if (confirmations_++ == 0) {
      std::printf("  the shop CALLs us:   /client/confirm %d %s for %s -> %s\n", order.quantity,
                  order.sku.c_str(), money(total_cents).c_str(), accepts ? "yes" : "no");
    }
    return accepts;
  }

  void take(const Receipt& receipt) {
    const std::size_t count = ++receipts_;
    if (count == 1) {
      std::printf("  the shop PUSHes us:  /client/receipt number %lld, %s\n",
                  static_cast<long long>(receipt.number), money(receipt.total_cents).c_str());
    }
    if (count == expected_) all_received_.set();
  }

  const std::size_t expected_;
  std::atomic<std::size_t> confirmations_ = 0;
  std::atomic<std::size_t> receipts_ = 0;
  parley::rt::Event all_received_;
};

// Prints one call of the tour, and remembers whether it went as it must.
class Tour {
 public:
  template <class T>
  void show(const std::string& call, const Result<T>& answer, const std::string& text, Code code,
            std::int32_t business_code = 0) {
    const Status status = answer.error();
    std::printf("CALL %-24s -> %s\n", call.c_str(),
                answer ? text.c_str() : status.to_string().c_str());
    if (status.code() == code && status.business_code() == business_code) return;
    std::fprintf(stderr, "client: expected %s instead\n",
                 std::string(parley::name_of(code)).c_str());
    ++wrong_;
  }
  [[nodiscard]] bool was_right() const { return wrong_ == 0; }

 private:
  int wrong_ = 0;
};

std::string text_of(const Result<Receipt>& receipt) {
  if (!receipt) return "";
  return "receipt number " + std::to_string(receipt->number) + ", " + money(receipt->total_cents);
}

// Each kind of answer once. The last order is big: the shop calls back before it accepts.
bool take_tour(Session& session) {
  Tour tour;
  const auto sum = session.call<std::int64_t>("/math/add", 1, 2);
  tour.show("/math/add 1 2", sum, sum && *sum == 3 ? "3" : "a wrong sum", Code::ok);
  const auto place = [&](const char* sku, std::int32_t quantity) {
    return session.call<Receipt>("/order/place", Order{.sku = sku, .quantity = quantity});
  };
  const auto tea = place("tea", 2);
  tour.show("/order/place 2 tea", tea, text_of(tea), Code::ok);
  const auto saffron = place("saffron", 1);
  tour.show("/order/place 1 saffron", saffron, text_of(saffron), Code::failed_precondition,
            out_of_stock);
  tour.show("/order/cancel 7", session.call<bool>("/order/cancel", 7), "", Code::not_found);
  tour.show("/math/add \"one\" 2", session.call<std::int64_t>("/math/add", std::string("one"), 2),
            "", Code::invalid_argument);
  tour.show("/shop/oops", session.call<int>("/shop/oops"), "", Code::internal);
  const auto big = place("tea", 40);
  tour.show("/order/place 40 tea", big, text_of(big), Code::ok);
  return tour.was_right() && sum && *sum == 3;
}

// How far we are: one line that changes on a terminal, a line per thousand elsewhere.
class Progress {
 public:
  explicit Progress(std::size_t total) : total_(total), is_terminal_(::isatty(2) == 1) {}
  void one_more() {
    const std::size_t done = ++done_;
    if (is_terminal_ && (done % 100 == 0 || done == total_)) {
      std::fprintf(stderr, "\r  %zu of %zu orders%s", done, total_, done == total_ ? "\n" : "");
    } else if (!is_terminal_ && (done % 1000 == 0 || done == total_)) {
      std::fprintf(stderr, "  %zu of %zu orders\n", done, total_);
    }
  }

 private:
  const std::size_t total_;
  const bool is_terminal_;
  std::atomic<std::size_t> done_ = 0;
};

Tally place_all(Session& session, const std::vector<PlannedOrder>& orders) {
  Progress progress(orders.size());
  std::atomic<std::size_t> next = 0;
  std::array<Tally, fibers> tallies;
  parley::rt::Scope scope;
  for (Tally& tally : tallies) {
    scope.go("customer", [&, mine = &tally] {
      while (true) {
        const std::size_t index = next++;
        if (index >= orders.size()) return;
        const PlannedOrder& plan = orders[index];
        const parley::Instant start = parley::rt::now();
        const auto answer = session.call<Receipt>("/order/place", plan.order());
        mine->add(parley::rt::now() - start, answer.error());
        const std::string wrong = complaint(plan, answer);
        if (!wrong.empty()) mine->add_complaint("line " + std::to_string(index + 1) + ": " + wrong);
        progress.one_more();
      }
    });
  }
  scope.join();
  Tally total;
  for (const Tally& tally : tallies) total.merge(tally);
  return total;
}

std::map<std::string, std::int64_t> stock_of(const Result<std::vector<Item>>& items) {
  std::map<std::string, std::int64_t> stock;
  if (!items) return stock;
  for (const Item& item : *items) stock[item.sku] = item.stock;
  return stock;
}

// Every accepted order left the shelves exactly once, every refused one not at all.
bool check_stock(const std::vector<PlannedOrder>& orders,
                 std::map<std::string, std::int64_t> before,
                 const std::map<std::string, std::int64_t>& after) {
  for (const PlannedOrder& plan : orders) {
    if (plan.failure == 0) before[plan.sku] -= plan.quantity;
  }
  if (before == after) return true;
  std::fprintf(stderr, "client: the stock is not what was there less what was sold\n");
  return false;
}

bool check_answers(const Tally& tally) {
  const auto& complaints = tally.complaints();
  for (std::size_t i = 0; i < complaints.size() && i < max_complaints_shown; ++i) {
    std::fprintf(stderr, "client: %s\n", complaints[i].c_str());
  }
  if (!complaints.empty()) {
    std::fprintf(stderr, "client: %zu answers were not as expected\n", complaints.size());
  }
  return complaints.empty();
}

int shopping(const char* address, const std::vector<PlannedOrder>& orders,
             const Framings& framings) {
  std::size_t big_ones = 1;  // the tour's
  for (const PlannedOrder& plan : orders) big_ones += plan.is_big_and_good() ? 1 : 0;
  Customer customer(big_ones);
  parley::Peer peer(parley::PeerOptions{.framings = framings});
  customer.open(peer);
  auto session = peer.dial(address);
  if (!session) {
    std::fprintf(stderr, "client: cannot reach %s: %s\n", address,
                 session.error().to_string().c_str());
    return 1;
  }
  bool is_right = take_tour(*session);
  std::printf("\n%zu orders from a file, %zu fibers at once:\n", orders.size(), fibers);
  std::fflush(stdout);
  const auto before = stock_of(session->call<std::vector<Item>>("/shop/stock"));
  const Tally tally = place_all(*session, orders);
  const auto after = stock_of(session->call<std::vector<Item>>("/shop/stock"));
  const Status received = customer.wait_for_receipts();
  std::printf("%s", tally.table().c_str());
  std::printf("  %-22s %8zu\n  %-22s %8zu\n", "CALLs we answered", customer.confirmations(),
              "PUSHes we received", customer.receipts());
  if (!received.is_ok() || customer.receipts() != big_ones) {
    std::fprintf(stderr, "client: %zu receipts pushed, expected %zu\n", customer.receipts(),
                 big_ones);
    is_right = false;
  }
  is_right &= check_answers(tally);
  is_right &= check_stock(orders, before, after);
  std::printf("%s\n", is_right ? "every answer was as expected" : "SOME ANSWERS WERE WRONG");
  return is_right ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--framings") return print_framings();
  const Framings framings = framing_named(argc == 4 ? argv[3] : "parley");
  if (argc < 3 || argc > 4 || framings.empty()) {
    std::fprintf(stderr, "usage: shop_client tcp://HOST:PORT ORDERS.jsonl [FRAMING]\n");
    return 2;
  }
  const auto orders = load_orders(argv[2]);
  if (!orders) {
    std::fprintf(stderr, "client: %s\n", orders.error().to_string().c_str());
    return 1;
  }
  return parley::run([&] { return shopping(argv[1], *orders, framings); });
}
