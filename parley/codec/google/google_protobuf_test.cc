#include "parley/codec/google/google_protobuf.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <vector>

#include "google_test.pb.h"
#include "parley/codec/codec.h"
#include "parley/codec/json.h"

namespace parley::codec::google_protobuf_test {

using google_test::Order;

struct Basket {
  std::string owner;
  Order first;
  std::optional<Order> second;
  std::vector<Order> more;
  std::map<std::string, Order> named;
};
// The same without libprotobuf.
struct Plain {
  std::int32_t id = 0;
  std::string tea;
  std::unique_ptr<Plain> next;
};
struct PlainBasket {
  std::string owner;
  Plain first;
  std::optional<Plain> second;
  std::vector<Plain> more;
  std::map<std::string, Plain> named;
};

namespace {

Order order(int id, const std::string& tea = "") {
  Order made;
  made.set_id(id);
  if (!tea.empty()) made.set_tea(tea);
  return made;
}

TEST(GoogleProtobuf, a_message_of_libprotobuf_goes_both_ways) {
  const Order tea = order(7, "oolong");
  const auto bytes = encode_protobuf(tea);
  ASSERT_TRUE(bytes) << bytes.error();
  EXPECT_EQ(*bytes, tea.SerializeAsString());
  EXPECT_EQ(decode_protobuf<Plain>(*bytes).value().tea, "oolong");
  EXPECT_EQ(decode_protobuf<Order>(*bytes).value().tea(), "oolong");
  Order used = order(1, "old");
  ASSERT_TRUE(decode_protobuf_into("\x08\x02", used).is_ok());
  EXPECT_EQ(used.tea(), "") << "nothing old is left";
  std::string out = "before";
  ASSERT_TRUE(encode_protobuf_to(out, tea).is_ok());
  EXPECT_EQ(out, "before" + *bytes);
}

TEST(GoogleProtobuf, structs_may_have_them_as_members) {
  Basket basket;
  basket.owner = "ann";
  basket.first = order(1, "a");
  basket.second = order(0);
  basket.more = {order(2), order(3, "c")};
  basket.named["x"] = order(4);
  const std::string bytes = encode_protobuf(basket).value();
  const auto plain = decode_protobuf<PlainBasket>(bytes);
  ASSERT_TRUE(plain) << plain.error();
  EXPECT_EQ(plain->first.tea, "a");
  EXPECT_EQ(plain->more.at(1).tea, "c");
  EXPECT_EQ(plain->named.at("x").id, 4);
  const auto read = decode_protobuf<Basket>(bytes);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->second->id(), 0);
  EXPECT_EQ(encode_protobuf(*read).value(), bytes);
  EXPECT_EQ(decode_json<Basket>(encode_json(basket).value()).value().more.at(1).tea(), "c");
}

TEST(GoogleProtobuf, the_registry_takes_them) {
  const CodecRegistry codecs;
  const Order tea = order(7, "oolong");
  std::string bytes;
  ASSERT_TRUE(codecs.encode(protobuf_id, bytes, type_of<Order>(), &tea).is_ok());
  EXPECT_EQ(bytes, tea.SerializeAsString());
  Order read;
  ASSERT_TRUE(codecs.decode(protobuf_id, bytes, type_of<Order>(), &read).is_ok());
  EXPECT_EQ(read.tea(), "oolong");
}

TEST(GoogleProtobuf, errors_and_limits) {
  EXPECT_EQ(encode_protobuf(Order()).error().message(),
            "$: google_test.Order lacks required fields: id");
  EXPECT_EQ(decode_protobuf<Order>("").error().message(),
            "$: google_test.Order lacks required fields: id");
  const Status broken = decode_protobuf<Order>("\x08").error();
  EXPECT_EQ(broken.code(), Code::invalid_argument);
  EXPECT_EQ(broken.message(),
            "$: these bytes are no google_test.Order, or nest deeper than max_depth (64)");
  Limits limits;
  limits.max_bytes = 1;
  EXPECT_EQ(decode_protobuf<Order>("\x08\x01", limits).error().code(), Code::resource_exhausted);
  Order nested = order(1);
  *nested.mutable_next() = order(2);
  limits = {};
  limits.max_depth = 0;
  EXPECT_FALSE(decode_protobuf<Order>("\x08\x01", limits));
  limits.max_depth = 1;
  EXPECT_FALSE(decode_protobuf<Order>(nested.SerializeAsString(), limits));
  limits.max_depth = 2;
  EXPECT_TRUE(decode_protobuf<Order>(nested.SerializeAsString(), limits));
  const std::string newer = nested.SerializeAsString() + "\x1A\x04\x08\x02\x50\x01";
  EXPECT_TRUE(decode_protobuf<Order>(newer));
  EXPECT_EQ(decode_protobuf<Order>(newer, {}, {.refuse_unknown_fields = true}).error().message(),
            "$: unknown field 10 (refuse_unknown_fields is on)");
}

}  // namespace
}  // namespace parley::codec::google_protobuf_test
