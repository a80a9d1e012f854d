// What a field table says of a oneof and of lists that are not packed.
#include "parley/codec/oneof.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "parley/codec/fields.h"
#include "parley/codec/form.h"
#include "parley/codec/json.h"
#include "parley/codec/msgpack.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/schema.h"

namespace parley::codec::oneof_test {

using Pair = std::variant<std::monostate, std::int32_t, std::int32_t>;

struct Price {
  std::string label;
  Pair amount;
};
struct Weight {
  Pair amount;
};
struct Tree;
struct Pot {
  std::string label;
};
struct Tree {
  std::string label;
  std::variant<std::monostate, std::unique_ptr<Tree>, Pot> root;
};
struct Apart {
  std::vector<std::uint32_t> many;
  std::vector<bool> flags;
};
struct Named {
  std::vector<std::string> names;
};

}  // namespace parley::codec::oneof_test

namespace oneof_test = parley::codec::oneof_test;
using parley::codec::field;
using parley::codec::Wire;
template <>
inline constexpr auto parley::fields<oneof_test::Price> =
    parley::codec::field_table<oneof_test::Price>(
        field<&oneof_test::Price::label>().number(1),
        field<&oneof_test::Price::amount>().oneof({{}, {"pounds", 7}, {"debt", 3, Wire::zigzag}}));
template <>
inline constexpr auto parley::fields<oneof_test::Weight> =
    parley::codec::field_rules<oneof_test::Weight>(
        field<&oneof_test::Weight::amount>().oneof({{}, {"stone"}, {"grams"}}));
template <>
inline constexpr auto parley::fields<oneof_test::Tree> =
    parley::codec::field_table<oneof_test::Tree>(
        field<&oneof_test::Tree::label>().number(1),
        field<&oneof_test::Tree::root>().oneof({{}, {"tree", 2}, {"pot", 3}}));
template <>
inline constexpr auto parley::fields<oneof_test::Apart> =
    parley::codec::field_rules<oneof_test::Apart>(field<&oneof_test::Apart::many>().unpacked(),
                                                  field<&oneof_test::Apart::flags>().unpacked());
template <>
inline constexpr auto parley::fields<oneof_test::Named> =
    parley::codec::field_rules<oneof_test::Named>(field<&oneof_test::Named::names>().unpacked());

namespace parley::codec::oneof_test {
namespace {

TEST(Oneof, alternatives_have_the_names_numbers_and_wires_said_of_the_field) {
  const Price debt{.label = "a", .amount = Pair(std::in_place_index<2>, -1)};
  EXPECT_EQ(encode_protobuf(debt).value(), "\x0A\x01\x61\x18\x01") << "field 3, zigzag";
  EXPECT_EQ(encode_json(debt).value(), R"({"label":"a","debt":-1})");
  const Price pounds{.label = "", .amount = Pair(std::in_place_index<1>, 0)};
  EXPECT_EQ(encode_protobuf(pounds).value(), std::string("\x38\x00", 2)) << "zero is there as well";
  const auto read = decode_protobuf<Price>(encode_protobuf(debt).value());
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->amount, debt.amount);
}

TEST(Oneof, two_structs_may_name_the_same_variant_differently) {
  const Weight weight{.amount = Pair(std::in_place_index<2>, 5)};
  EXPECT_EQ(encode_json(weight).value(), R"({"grams":5})");
  EXPECT_EQ(encode_protobuf(weight).value(), "\x10\x05") << "by position";
  EXPECT_EQ(decode_json<Price>(R"({"label":"","pounds":4})").value().amount.index(), 1u);
  EXPECT_EQ(decode_form<Weight>("stone=4").value().amount.index(), 1u);
  EXPECT_EQ(decode_msgpack<Weight>(encode_msgpack(weight).value()).value().amount.index(), 2u);
}

TEST(Oneof, a_message_may_hold_itself_by_a_pointer) {
  Tree tree{.label = "leaf", .root = {}};
  auto inner = std::make_unique<Tree>();
  inner->root = Pot{"pot"};
  tree.root = std::move(inner);
  const std::string bytes = encode_protobuf(tree).value();
  EXPECT_EQ(bytes, "\x0A\x04leaf\x12\x07\x1A\x05\x0A\x03pot") << "no message between";
  EXPECT_EQ(encode_json(tree).value(),
            R"({"label":"leaf","tree":{"label":"","pot":{"label":"pot"}}})");
  auto read = decode_protobuf<Tree>(bytes);
  ASSERT_TRUE(read) << read.error();
  const Tree& below = *std::get<std::unique_ptr<Tree>>(read->root);
  EXPECT_EQ(std::get<Pot>(below.root).label, "pot");
  // Of two that come the second is merged into the first, as protobuf has it.
  read = decode_protobuf<Tree>(bytes + "\x12\x03\x0A\x01x");
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(encode_protobuf(*read).value(), "\x0A\x04leaf\x12\x0A\x0A\x01x\x1A\x05\x0A\x03pot");
  ASSERT_TRUE(decode_protobuf_into("", *read).is_ok());
  EXPECT_EQ(read->root.index(), 0u) << "nothing old is left";
}

TEST(Oneof, a_pointer_to_nothing_is_nothing) {
  Tree tree;
  tree.root.emplace<std::unique_ptr<Tree>>();
  EXPECT_EQ(encode_protobuf(tree).value(), "");
  EXPECT_EQ(encode_json(tree).value(), R"({"label":""})");
  EXPECT_EQ(encode_msgpack(tree).value(), encode_msgpack(Tree()).value());
  EXPECT_EQ(encode_form(tree).value(), encode_form(Tree()).value());
}

TEST(Unpacked, numbers_of_a_list_get_records_of_their_own) {
  const Apart apart{.many = {1, 300}, .flags = {true, false}};
  EXPECT_EQ(encode_protobuf(apart).value(), std::string("\x08\x01\x08\xAC\x02\x10\x01\x10\x00", 9));
  const auto read = decode_protobuf<Apart>("\x0A\x03\x01\xAC\x02\x10\x01");
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->many, apart.many) << "packed ones are read as well";
}

TEST(Unpacked, schemas_say_so) {
  const std::string schema = proto_of(types_of<Apart>());
  EXPECT_NE(schema.find("repeated uint32 many = 1 [packed = false];"), std::string::npos) << schema;
}

TEST(UnpackedDeathTest, only_lists_of_numbers_can_be_unpacked) {
  EXPECT_DEATH((void)encode_json(Named()), "only a list of numbers can be unpacked");
}

}  // namespace
}  // namespace parley::codec::oneof_test
