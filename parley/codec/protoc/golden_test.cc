// What protoc-gen-parley writes, to the byte, and what it is to whoever uses it.
#include <gtest/gtest.h>

#include <chrono>
#include <ostream>
#include <string>

#include "kept.parley.h"
#include "kinds.parley.h"
#include "many.parley.h"
#include "names.parley.h"
#include "parley/codec/json.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/protoc/testing/run_protoc.h"
#include "parley/codec/well_known.h"
#include "parts/all.parley.h"
#include "shop.parley.h"

namespace parley::protoc {
namespace {

using codec::decode_json;
using codec::decode_protobuf;
using codec::encode_json;
using codec::encode_protobuf;
using well_known::TimePoint;

// Which target a header is made for, and its name.
struct Made {
  const char* target;
  const char* header;
};
void PrintTo(const Made& made, std::ostream* out) { *out << made.header; }

class ProtocGolden : public ::testing::TestWithParam<Made> {};

TEST_P(ProtocGolden, header_is_the_one_that_is_kept) {
  const auto& [target, header] = GetParam();
  const std::string made = std::string(PARLEY_PROTOC_BUILD) + "/" + target + "_protoc/" + header;
  const std::string kept =
      std::string(PARLEY_SOURCE_DIR "/parley/codec/protoc/golden/") + header + ".golden";
  EXPECT_EQ(testing::read_file(made), testing::read_file(kept))
      << "if that was meant: cp '" << made << "' '" << kept << "'";
}

INSTANTIATE_TEST_SUITE_P(Protoc, ProtocGolden,
                         ::testing::Values(Made{"codec_protoc_test", "kinds.parley.h"},
                                           Made{"codec_protoc_test", "names.parley.h"},
                                           Made{"codec_protoc_test", "parts/all.parley.h"},
                                           Made{"codec_protoc_test", "parts/part.parley.h"},
                                           Made{"codec_protoc_test", "shop.parley.h"},
                                           Made{"parley_golden_kept", "kept.parley.h"}));

TEST(Protoc, names_that_cpp_has_taken_keep_their_names_outside) {
  golden::namespace_::std_::parley_::class_ named;
  named.int_ = 1;
  named.class__ = 2;
  named.deleted = golden::namespace_::std_::parley_::class_::delete_::EOF_;
  named.choice.emplace<golden::namespace_::std_::parley_::class_::choice_at_::default_>(5);
  EXPECT_EQ(encode_json(named).value(),
            R"({"int":1,"class":2,"deleted":"EOF","parley":0,"std":0,"string":0,"fields":0,)"
            R"("choice_at":"","default":5})");
  golden::namespace_::std_::parley_::A nothing;
  nothing.b.emplace();
  EXPECT_EQ(encode_json(nothing).value(), R"({"b":{},"A_B":0})");
}

TEST(Protoc, json_names_of_ones_own_are_those_of_the_mapping) {
  constexpr codec::JsonOptions mapping{.protobuf_mapping = true};
  golden::namespace_::std_::parley_::Json json{.other_name = 1, .usual_name = 2, .choice = {}};
  json.choice.emplace<1>(3);
  const std::string text = R"({"@id":1,"usualName":2,"a \"b\\?":3})";
  EXPECT_EQ(encode_json(json, {}, mapping).value(), text);
  EXPECT_EQ(decode_json<decltype(json)>(text, {}, mapping).value(), json);
  EXPECT_EQ(
      decode_json<decltype(json)>(R"({"other_name":1,"usual_name":2,"first_one":3})", {}, mapping)
          .value(),
      json);
  EXPECT_EQ(encode_json(json).value(), R"({"other_name":1,"usual_name":2,"first_one":3})");
  json.choice.emplace<2>(3);
  EXPECT_EQ(encode_json(json, {}, mapping).value(), R"({"@id":1,"usualName":2,"2":3})");
}

TEST(Protoc, more_fields_than_reflection_goes_to_have_their_numbers) {
  golden::Many many;
  many.f1 = "a";
  many.f2 = {-1};
  many.f299 = 7;
  many.f300 = 300;
  const std::string bytes = encode_protobuf(many).value();
  const auto read = decode_protobuf<golden::Many>(bytes);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, many);
  EXPECT_EQ(decode_json<golden::Many>(encode_json(many).value()).value(), many);
  const auto answer = testing::run_protoc(
      "--decode=golden.Many -I'" PARLEY_PROTOC_BUILD "/many' many.proto", bytes);
  EXPECT_EQ(answer.out, "f1: \"a\"\nf2: -1\nf299: 7\nf300: 300\n") << answer.errors;
}

TEST(Protoc, unknown_fields_are_kept_where_that_was_asked_for) {
  golden::Newer newer;
  newer.added = {"x", "y"};
  newer.more["a"].added = {"z"};
  const std::string bytes = encode_protobuf(newer).value();
  const auto older = decode_protobuf<golden::Older>(bytes);
  ASSERT_TRUE(older) << older.error();
  EXPECT_EQ(decode_protobuf<golden::Newer>(encode_protobuf(*older).value()).value(), newer);
  EXPECT_EQ(encode_protobuf(decode_protobuf<golden::Nothing>(bytes).value()).value(), bytes);
  EXPECT_EQ(encode_protobuf(decode_protobuf<golden::Order>("\x0A\x01\x61\x10\x01").value()).value(),
            "\x0A\x01\x61")
      << "not asked for";
}

TEST(Protoc, times_are_those_of_chrono_where_that_was_asked_for) {
  const auto read = decode_protobuf<golden::Times>(
      encode_protobuf(golden::Times{.at = TimePoint(std::chrono::nanoseconds(-1)),
                                    .spans = {std::chrono::nanoseconds(-1'000'000'005)},
                                    .unknown_fields = {}})
          .value());
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->at->time_since_epoch().count(), -1);
  EXPECT_EQ(read->spans.at(0).count(), -1'000'000'005);
}

TEST(Protoc, a_service_is_an_interface) {
  struct Store : golden::Shop {
    Result<golden::parts::Part> Place(const golden::Order& order) override {
      golden::parts::Part part;
      part.name = order.part;
      part.kind = golden::parts::Part::Kind::SCREW;
      return part;
    }
    Result<well_known::Empty> delete_(const golden::Order&) override {
      return Status(Code::not_found, "no such order");
    }
    Result<golden::Order> Shop_(const golden::Order& order) override { return order; }
    Result<golden::Order> Order(const golden::Order& order) override { return order; }
  } store;
  golden::Shop& shop = store;
  EXPECT_EQ(encode_json(shop.Place({.part = "bolt"}).value()).value(),
            R"({"name":"bolt","kind":"SCREW"})");
  EXPECT_EQ(shop.delete_({}).error().code(), Code::not_found);
  EXPECT_EQ(golden::Shop::full_name, "golden.Shop");
}

}  // namespace
}  // namespace parley::protoc
