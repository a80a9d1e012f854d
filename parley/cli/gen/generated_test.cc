// What `parley gen` wrote at build time from parley/gen/testing/orders.h, put to work.
// tidy-allow(include-path): made at build time
#include "generated/orders.parley.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "parley/codec/schema.h"
#include "parley/peer/testing/pair.h"

namespace tea {
namespace {

using parley::Code;
using parley::Result;
using parley::Status;
using parley::testing::Pair;
using namespace std::chrono_literals;

class Shop final : public Orders {
 public:
  Result<Receipt> place(const Order& order, bool urgent) override {
    if (order.quantity < 1) return Status(Code::invalid_argument, "quantity must be at least 1");
    return Receipt{.sku = order.sku, .pence = order.quantity * (urgent ? 200 : 100)};
  }
  Status cancel(const std::string& sku) override {
    if (sku == "tea") return {};
    return Status::business(1001, "no order for " + sku);
  }
  Result<std::map<std::string, int>> stock() const noexcept override {
    return std::map<std::string, int>{{"tea", 3}};
  }
  Result<Lines> ledger_lines(std::optional<int> most, Lines&& more) override {
    Lines lines = std::move(more);
    lines.push_back({.text = most ? std::to_string(*most) : "all"});
    return lines;
  }
  Result<std::string> who_am_i(parley::Context& context, std::string name) override {
    return name + " called " + std::string(context.method());
  }
  Total addTotal(long long first, const std::vector<int>& more) override {
    for (const int each : more) first += each;
    return first;
  }
};

struct Reload final : Admin {
  Result<void> reload() override { return Status(Code::unavailable, "later"); }
};

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

TEST(Generated, is_what_it_was_byte_for_byte) {
  EXPECT_EQ(content_of(PARLEY_GENERATED),
            content_of(PARLEY_SOURCE_DIR "/parley/gen/testing/orders.parley.h.golden"));
}

PARLEY_PEER_TEST(Generated, client_and_server_talk_as_if_they_were_one_object) {
  Shop shop;
  Reload reload;
  Pair pair;
  serve(pair.server, shop);
  ::serve(pair.server, reload);
  OrdersClient client(pair.dial());
  Orders& orders = client;
  const auto receipt = orders.place({.sku = "tea", .quantity = 2}, true);
  ASSERT_TRUE(receipt) << receipt.error();
  EXPECT_EQ(receipt->pence, 400);
  EXPECT_EQ(client.place({.sku = "tea", .quantity = 2}).value().pence, 200) << "the default";
  EXPECT_EQ(orders.stock().value().at("tea"), 3);
  EXPECT_EQ(orders.ledger_lines(7, {{"a"}}).value().at(1).text, "7");
  EXPECT_EQ(orders.ledger_lines(std::nullopt, {}).value().at(0).text, "all");
  EXPECT_EQ(client.who_am_i("ada").value(), "ada called /orders/who_am_i");
  EXPECT_EQ(client.addTotal(3).value(), 6);
  EXPECT_EQ(AdminClient(pair.dial()).reload().error().code(), Code::unavailable);
}

PARLEY_PEER_TEST(Generated, an_error_of_the_service_is_the_error_of_the_client) {
  Shop shop;
  Pair pair;
  serve(pair.server, shop);
  OrdersClient client(pair.dial());
  const auto refused = client.place({.sku = "tea"});
  EXPECT_EQ(refused.error().code(), Code::invalid_argument);
  EXPECT_EQ(refused.error().message(), "quantity must be at least 1");
  EXPECT_TRUE(client.cancel("tea").is_ok());
  EXPECT_EQ(client.cancel("coffee").business_code(), 1001);
}

PARLEY_PEER_TEST(Generated, arguments_travel_by_place_and_by_name) {
  Shop shop;
  Pair pair;
  serve(pair.server, shop);
  const parley::Session session = pair.dial();
  const auto answer = [&](std::string body) {
    const auto raw = session.call_raw({}, "/orders/place", parley::wire::BodyCodec::json,
                                      parley::Bytes::from(std::move(body)));
    return raw ? raw->to_string() : raw.error().to_string();
  };
  EXPECT_EQ(answer(R"([{"sku":"tea","quantity":1},true])"), R"({"sku":"tea","pence":200})");
  EXPECT_EQ(answer(R"({"urgent":true,"order":{"sku":"tea","quantity":1}})"),
            R"({"sku":"tea","pence":200})");
}

PARLEY_PEER_TEST(Generated, options_of_the_client_are_those_of_every_call) {
  Pair pair;
  pair.server.handle("/orders/cancel", [](parley::Context& context, const std::string&) {
    const auto who = context.metadata().get("who");
    return who == "ada" ? Status() : Status(Code::unauthenticated, "who?");
  });
  parley::CallOptions options;
  options.metadata.add("who", "ada");
  EXPECT_TRUE(OrdersClient(pair.dial(), options).cancel("tea").is_ok());
  EXPECT_EQ(OrdersClient(pair.dial()).cancel("tea").code(), Code::unauthenticated);
}

PARLEY_PEER_TEST(Generated, a_service_that_holds_a_client_relays_its_context_is_not_asked_for) {
  Shop shop;
  Pair far;
  serve(far.server, shop);
  OrdersClient client(far.dial());
  Pair near;
  serve(near.server, client);
  EXPECT_EQ(OrdersClient(near.dial()).who_am_i("ada").value(), "ada called /orders/who_am_i");
}

PARLEY_PEER_TEST(Generated, comments_names_and_routes_stand_in_the_schemas) {
  Shop shop;
  Pair pair;
  serve(pair.server, shop);
  const auto served = pair.server.methods();
  const auto listed = orders_methods();
  ASSERT_EQ(served.size(), listed.size());
  std::map<std::string, parley::codec::MethodShape> by_name;
  for (const auto& method : listed) by_name[method.name] = method;
  for (const auto& method : served) {
    EXPECT_EQ(method.description, by_name[method.name].description) << method.name;
    EXPECT_EQ(method.parameters, by_name[method.name].parameters) << method.name;
    EXPECT_EQ(method.result, by_name[method.name].result) << method.name;
  }
  EXPECT_EQ(by_name["/orders/place"].description,
            "Places an order, at once if it is urgent.\nThe price is in \"pence\" \\ each.");
  EXPECT_EQ(by_name["/orders/cancel"].description, "");
  EXPECT_EQ(by_name["/orders/stock"].description, "");
  EXPECT_EQ(by_name["/ledger/lines"].description, "Lines of the ledger, oldest first.");
  EXPECT_EQ(by_name["/orders/place"].parameters->members().fields()[1].name, "urgent");
  EXPECT_EQ(admin_methods().at(0).name, "/admin/reload");
}

}  // namespace
}  // namespace tea
