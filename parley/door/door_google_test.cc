// Messages that protoc made, called by gRPC through a Door and told of by reflection.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "google_test.pb.h"
#include "parley/codec/codec.h"
#include "parley/codec/google/google_protobuf.h"
#include "parley/door/grpc_client.h"
#include "parley/door/impl/grpc_files.h"
#include "parley/door/testing/house.h"
#include "parley/net/network.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::door {
namespace {

using google_test::Leaf;
using google_test::Order;

struct Basket {
  Order order;
  int cups = 0;
};

void fill(Peer& peer) {
  peer.handle("/google_test.Shop/Place", [](const Order& order) -> Result<Order> {
    if (order.tea().empty()) return Status(Code::invalid_argument, "no tea");
    Order placed = order;
    placed.set_tea("placed " + order.tea());
    return placed;
  });
  peer.handle("/google_test.Declared/Say", [](const Leaf& leaf) { return leaf; });
  peer.handle_stream("/google_test.Shop/Follow", [](Stream<Order, Order>& stream) -> Status {
    for (;;) {
      auto order = stream.receive();
      if (!order) return order.error();
      if (!*order) return {};
      if (Status s = stream.send(**order); !s.is_ok()) return s;
    }
  });
}

impl::GrpcFiles files_of(const Peer& peer) {
  std::vector<codec::MethodShape> all = peer.methods();
  std::ranges::move(peer.stream_methods(), std::back_inserter(all));
  return {all, peer.options().name_mapper, {}};
}

codec::ProtoFile file_of(const impl::GrpcFiles& files, const std::string& symbol) {
  const auto all = files.with_needs(files.file_of(symbol));
  return all.empty() ? codec::ProtoFile() : *codec::decode_protobuf<codec::ProtoFile>(all[0]);
}

PARLEY_FIBER_TEST(DoorGoogle, classes_of_protoc_are_asked_and_answered) {
  testing::House house;
  fill(house.peer);
  net::SocketNetwork network;
  GrpcChannel channel(network, *net::Address::parse(house.address()));
  Order order;
  order.set_id(7);
  order.set_tea("assam");
  const auto placed = channel.call<Order>("/google_test.Shop/Place", order);
  ASSERT_TRUE(placed) << placed.error();
  EXPECT_EQ(placed->tea(), "placed assam");
  EXPECT_EQ(placed->id(), 7);
  order.clear_tea();
  EXPECT_EQ(channel.call<Order>("/google_test.Shop/Place", order).error().code(),
            Code::invalid_argument);
  auto stream = channel.open<Order, Order>("/google_test.Shop/Follow");
  ASSERT_TRUE(stream) << stream.error();
  for (const int id : {1, 2}) {
    order.set_id(id);
    ASSERT_TRUE(stream->write(order).is_ok());
    const auto followed = stream->read();
    ASSERT_TRUE(followed && *followed);
    EXPECT_EQ((*followed)->id(), id);
  }
}

PARLEY_FIBER_TEST(DoorGoogle, their_own_files_describe_them) {
  Peer peer;
  fill(peer);
  const impl::GrpcFiles files = files_of(peer);
  EXPECT_EQ(files.services(), (std::set<std::string>{"google_test.Declared", "google_test.Shop"}));
  const codec::ProtoFile shop = file_of(files, "google_test.Shop");
  EXPECT_EQ(shop.name, "parley/google_test.proto");
  EXPECT_EQ(shop.dependency, std::vector<std::string>{"google_test.proto"});
  EXPECT_EQ(shop.message_type.size(), 0U);
  const codec::ProtoFile theirs = file_of(files, "google_test.Order");
  EXPECT_EQ(theirs.name, "google_test.proto");
  EXPECT_EQ(theirs.message_type.at(0).field.at(0).label, codec::ProtoLabel::required);
  EXPECT_EQ(files.with_needs("parley/google_test.proto").size(), 2U);
}

PARLEY_FIBER_TEST(DoorGoogle, a_service_that_they_declare_is_told_of_by_their_file) {
  Peer peer;
  fill(peer);
  const impl::GrpcFiles files = files_of(peer);
  EXPECT_EQ(files.file_of("google_test.Declared"), "google_test.proto");
  EXPECT_EQ(files.file_of("google_test.Declared.Say"), "google_test.proto");
  const auto* const extensions = files.extensions_of("google_test.Leaf");
  ASSERT_NE(extensions, nullptr);
  ASSERT_TRUE(extensions->contains(100));
  EXPECT_EQ(extensions->at(100), "google_test.proto");
  EXPECT_EQ(files.extensions_of("google_test.none"), nullptr);
}

PARLEY_FIBER_TEST(DoorGoogle, structs_may_have_them_and_their_names_stay_theirs) {
  Peer peer;
  fill(peer);
  peer.handle("/google_test.Shop/Fill", [](const Basket& basket) { return basket; });
  const codec::ProtoFile shop = file_of(files_of(peer), "google_test.Shop");
  ASSERT_EQ(shop.message_type.size(), 1U);
  EXPECT_EQ(shop.message_type[0].field.at(0).type_name, ".google_test.Order");
}

}  // namespace
}  // namespace parley::door
