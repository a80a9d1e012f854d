// Protobuf's own messages: their forms in JSON as protobuf maps it, and what they are elsewhere.
#include "parley/codec/well_known.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "parley/base/testing/hex.h"
#include "parley/base/testing/witness.h"
#include "parley/codec/json.h"
#include "parley/codec/message_types.h"
#include "parley/codec/msgpack.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/schema.h"
#include "parley/codec/testing/small_stack.h"

namespace parley::codec::well_known_test {
namespace {

using namespace well_known;

struct Order {
  std::int32_t some_number = 0;
  std::optional<Any> inside;
  friend bool operator==(const Order&, const Order&) = default;
};

struct All {
  std::optional<Timestamp> at;
  std::optional<Duration> span;
  std::optional<FieldMask> mask;
  std::optional<Struct> object;
  std::optional<Value> value;
  std::optional<ListValue> list;
  std::optional<Any> any;
  std::optional<Int64Value> number;
  std::optional<BoolValue> flag;
  std::optional<BytesValue> bytes;
  std::vector<StringValue> texts;
  std::map<std::string, Value> by_name;
  Timestamp plain_at;
  Value plain_value;
  Int32Value plain_number;
  NullValue nothing{};
  friend bool operator==(const All&, const All&) = default;
};

const MessageTypes& types() {
  static const MessageTypes& made = *[] {
    auto* const added = new MessageTypes;
    added->add<Order>("shop.Order");
    return added;
  }();
  return made;
}

JsonOptions mapped() { return {.protobuf_mapping = true, .message_types = &types()}; }

template <class T>
std::string written(const T& value) {
  const auto text = encode_json(value, {}, mapped());
  return text ? *text : text.error().message();
}

// What is read, written again; or why it could not be.
template <class T>
std::string reread(std::string_view text) {
  JsonOptions options = mapped();
  options.refuse_unknown_fields = true;
  const auto value = decode_json<T>(text, {}, options);
  return value ? written(*value) : value.error().message();
}

All full() {
  All all;
  all.at = {.seconds = -62'135'596'800, .nanos = 0};
  all.span = {.seconds = -315'576'000'000, .nanos = -999'999'999};
  all.mask = {{"user.display_name", "photo"}};
  all.value = {NullValue::NULL_VALUE};
  all.object.emplace().fields["a"] = {1.5};
  all.object->fields["b"].kind.emplace<ListValue>().values = {
      {NullValue::NULL_VALUE}, {true}, {"x"}, {Struct{}}};
  all.list.emplace().values = {{-0.25}, {false}};
  all.any = pack_any("shop.Order", Order{.some_number = 7, .inside = {}}).value();
  all.number = {.value = 0};
  all.flag = {.value = false};
  all.bytes = {.value = {std::byte{255}}};
  all.texts = {{""}, {"t"}};
  all.by_name["n"] = {2.0};
  all.plain_at = {.seconds = 253'402'300'799, .nanos = 5'000'000};
  all.plain_number = {.value = 3};
  return all;
}

constexpr std::string_view full_text =
    R"({"at":"0001-01-01T00:00:00Z","span":"-315576000000.999999999s",)"
    R"("mask":"user.displayName,photo","object":{"a":1.5,"b":[null,true,"x",{}]},"value":null,)"
    R"("list":[-0.25,false],"any":{"@type":"type.googleapis.com/shop.Order","someNumber":7},)"
    R"("number":"0","flag":false,"bytes":"/w==","texts":["","t"],"byName":{"n":2},)"
    R"("plainAt":"9999-12-31T23:59:59.005Z","plainNumber":3})";

TEST(WellKnown, each_has_its_form_in_protobufs_json) {
  EXPECT_EQ(written(full()), full_text);
  const auto read = decode_json<All>(full_text, {}, mapped());
  ASSERT_TRUE(read) << read.error();
  EXPECT_TRUE(*read == full());
  EXPECT_EQ(written(All()), "{}");
  EXPECT_TRUE(decode_json<All>("{}", {}, mapped()).value() == All());
}

TEST(WellKnown, every_other_format_has_them_as_structs) {
  const std::string text = encode_json(full()).value();
  EXPECT_NE(text.find(R"("at":{"seconds":-62135596800,"nanos":0})"), std::string::npos) << text;
  EXPECT_TRUE(decode_json<All>(text).value() == full());
  EXPECT_TRUE(decode_msgpack<All>(encode_msgpack(full()).value()).value() == full());
  EXPECT_TRUE(decode_protobuf<All>(encode_protobuf(full()).value()).value() == full());
}

TEST(WellKnown, schemas_say_what_they_are_there) {
  const std::string proto = proto_of(types_of<All>());
  EXPECT_NE(proto.find("import \"google/protobuf/wrappers.proto\";\n"), std::string::npos) << proto;
  EXPECT_NE(proto.find("  map<string, google.protobuf.Value> by_name = 12;\n"), std::string::npos);
  EXPECT_NE(proto.find("  google.protobuf.NullValue nothing = 16;\n"), std::string::npos);
  EXPECT_EQ(proto.find("message Timestamp"), std::string::npos);
  EXPECT_NE(json_schema<All>().find(R"("seconds")"), std::string::npos);
  EXPECT_NE(typescript_of(types_of<All>()).find("type_url: string"), std::string::npos);
}

TEST(WellKnown, times_are_read_within_protobufs_range_only) {
  EXPECT_EQ(reread<Timestamp>(R"("1993-02-10T00:00:00.5+01:30")"), R"("1993-02-09T22:30:00.500Z")");
  EXPECT_EQ(reread<Duration>(R"("-0.000000005s")"), R"("-0.000000005s")");
  for (const char* text :
       {R"("1993-02-10t00:00:00Z")", R"("1993-02-10T00:00:00z")", R"("1993-02-10T00:00:00")",
        R"("0000-01-01T00:00:00Z")", R"("0001-01-01T00:00:00+01:00")", "5"}) {
    EXPECT_FALSE(decode_json<Timestamp>(text, {}, mapped())) << text;
  }
  EXPECT_EQ(reread<Duration>(R"("315576000001s")"),
            "$: a duration beyond 10,000 years cannot be written for protobuf");
  EXPECT_EQ(reread<Duration>(R"("1")"),
            "$: expected a duration in seconds as in \"1.5s\", got \"1\"");
}

TEST(WellKnown, what_a_form_cannot_say_is_refused) {
  const std::pair<std::string, std::string_view> refused[] = {
      {written(Timestamp{.seconds = 253'402'300'800}), "outside the years 0001 to 9999"},
      {written(Timestamp{.seconds = 0, .nanos = -1}), "the nanos of a Timestamp go from 0"},
      {written(Duration{.seconds = 315'576'000'001}), "beyond 10,000 years"},
      {written(Duration{.seconds = 1, .nanos = -1}), "have the sign of its seconds"},
      {written(Duration{.seconds = 0, .nanos = 1'000'000'000}), "the nanos of a Duration go from"},
      {written(FieldMask{{"fooBar"}}), "\"fooBar\" of a FieldMask is not in snake_case"},
      {written(FieldMask{{"foo_3_bar"}}), "not in snake_case"},
      {written(FieldMask{{"foo__bar"}}), "not in snake_case"},
      {written(FieldMask{{"foo_"}}), "not in snake_case"},
      {written(FieldMask{{"foo,bar"}}), "not in snake_case"},
      {written(FieldMask{{""}}), "not in snake_case"},
      {reread<FieldMask>(R"("foo,")"), "in camelCase here, got \"\""},
      {reread<FieldMask>(R"("foo,bar_bar")"), "in camelCase here, got \"bar_bar\""},
      {written(Value{std::numeric_limits<double>::infinity()}), "a finite number"},
      {reread<Value>("tru"), "expected a value"},
      {reread<Int32Value>(R"("x")"), "expected integer"},
      {reread<ListValue>("{}"), "expected array"},
  };
  for (const auto& [message, part] : refused) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
}

TEST(WellKnown, a_field_mask_has_as_many_paths_as_a_list_may_have_elements) {
  const Limits limits{.max_elements = 3};
  EXPECT_EQ(decode_json<FieldMask>(R"("a,b,c")", limits, mapped())->paths.size(), 3U);
  const auto more = decode_json<All>(R"({"mask":"a,b,c,d"})", limits, mapped());
  EXPECT_EQ(more.error().code(), Code::resource_exhausted);
  EXPECT_EQ(more.error().message(), "$.mask: more elements than max_elements (3)");
}

TEST(WellKnown, null_is_a_value_where_it_can_be_one) {
  EXPECT_EQ(std::get<NullValue>(decode_json<All>(R"({"value":null})", {}, mapped())->value->kind),
            NullValue::NULL_VALUE);
  EXPECT_EQ(reread<All>(R"({"plainValue":null,"number":null,"at":null})"),
            R"({"plainValue":null})");
  EXPECT_EQ(reread<All>(R"({"nothing":null})"), "{}");
  EXPECT_EQ(reread<All>(R"({"nothing":"NULL_VALUE"})"), "{}");
  EXPECT_EQ(reread<All>(R"({"byName":{"a":null}})"), R"({"byName":{"a":null}})");
  EXPECT_EQ(written(Value()), "null");
  EXPECT_EQ(written(std::vector<NullValue>{{}, {}}), "[null,null]");
}

TEST(WellKnown, an_any_is_the_message_in_it) {
  const std::string nested = R"({"@type":"type.googleapis.com/shop.Order","someNumber":1,)"
                             R"("inside":{"@type":"x/y/google.protobuf.Any","value":)"
                             R"({"@type":"/google.protobuf.Duration","value":"1.500s"}}})";
  EXPECT_EQ(reread<Any>(nested), nested);
  const std::string turned = R"({"someNumber":1,"@type":"/shop.Order"})";
  const auto any = decode_json<Any>(turned, {}, mapped());
  ASSERT_TRUE(any) << any.error();
  EXPECT_EQ(unpack_any<Order>(*any, "shop.Order").value(), (Order{.some_number = 1, .inside = {}}));
  EXPECT_EQ(reread<Any>("{ }"), "{}");
  EXPECT_EQ(reread<Any>(R"({"\u0040type":"\/shop.Order"})"), R"({"@type":"/shop.Order"})");
  for (const char* own :
       {R"("google.protobuf.Struct","value":{"a":[1]}})",
        R"("google.protobuf.Value","value":null})", R"("google.protobuf.FieldMask","value":"a"})",
        R"("google.protobuf.Int32Value","value":0})", R"("google.protobuf.Empty"})"}) {
    const std::string text = R"({"@type":)" + std::string(own);
    EXPECT_EQ(reread<Any>(text), text);
  }
}

TEST(WellKnown, an_any_that_makes_no_sense_is_told_by_its_place) {
  const std::pair<std::string, std::string_view> refused[] = {
      {reread<All>(R"({"any":{"@type":"/shop.Other"}})"),
       "$.any[\"@type\"]: this Any holds a \"/shop.Other\", which nobody knows here: add the type "
       "to JsonOptions::message_types"},
      {reread<Any>(R"({"a":1})"), "$: an Any needs the URL of its type under \"@type\""},
      {reread<Any>(R"({"@type":1})"), "expected string, got number"},
      {reread<Any>(R"({"@type":"/shop.Order","@type":"/shop.Order"})"),
       R"($["@type"]: the key appears twice)"},
      {reread<Any>(R"({"someNumber":1,"@type":"/shop.Order","@type":"/shop.Order"})"),
       R"($["@type"]: the key appears twice)"},
      {reread<Any>(R"({"value":"1s","@type":"google.protobuf.Duration","@type":""})"),
       R"($["@type"]: the key appears twice)"},
      {reread<Any>(R"({"a":1,"@type":1})"), R"($["@type"]: expected string, got number)"},
      {reread<Any>(R"({"a":{"b":1,"@type":1}})"), "$: an Any needs the URL of its type"},
      {reread<Any>(R"({"@type":""})"), "$: an Any needs the URL of its type"},
      {reread<Any>(R"({"someNumber":1 2,"@type":"/shop.Order"})"), "$: expected ',' or '}'"},
      {reread<Any>(R"({"a":"\x","@type":"/shop.Order"})"), "no such escape"},
      {reread<Any>(R"({"@type":"/shop.Order","someNumber":true})"),
       "$.some_number: expected integer, got boolean"},
      {reread<Any>(R"({"@type":"/shop.Order","other":1})"), "other"},
      {reread<Any>(R"({"@type":"google.protobuf.Duration"})"), "has it under \"value\""},
      {reread<Any>(R"({"@type":"google.protobuf.Duration","value":"1s","x":1})"), "x"},
      {reread<Any>(R"({"@type":"google.protobuf.Duration","value":"1s","value":"1s"})"), "twice"},
      {written(Any{.type_url = "shop.Order", .value = {std::byte{1}}}),
       "what this Any holds is no shop.Order"},
      {written(Any{.type_url = "", .value = {std::byte{1}}}), "nobody knows here"},
  };
  for (const auto& [message, part] : refused) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
  const auto nobody =
      decode_json<Any>(R"({"@type":"/shop.Order"})", {}, {.protobuf_mapping = true});
  EXPECT_EQ(nobody.error().code(), Code::invalid_argument);
  EXPECT_TRUE(decode_json<Any>(R"({"@type":"/google.protobuf.BoolValue","value":true})", {},
                               {.protobuf_mapping = true}));
  const Any order = pack_any("shop.Order", Order()).value();
  EXPECT_EQ(unpack_any<Order>(order, "Order").error().message(),
            "the Any holds 'type.googleapis.com/shop.Order' and no 'Order'");
}

TEST(WellKnownDeathTest, an_any_holds_structs_only) {
  EXPECT_DEATH(MessageTypes().add<std::int32_t>("x.Y"), "only a struct is a message by itself");
}

TEST(WellKnown, times_of_chrono_and_back) {
  for (const std::int64_t count :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'500'000'000},
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    const TimePoint time{std::chrono::nanoseconds(count)};
    EXPECT_EQ(time_of(timestamp_of(time)).value(), time);
    EXPECT_GE(timestamp_of(time).nanos, 0);
    EXPECT_EQ(span_of(duration_of(std::chrono::nanoseconds(count))).value().count(), count);
  }
  EXPECT_EQ(time_of({.seconds = 9'223'372'037}).error().code(), Code::invalid_argument);
  EXPECT_EQ(time_of({.seconds = 0, .nanos = -1}).error().code(), Code::invalid_argument);
  EXPECT_EQ(span_of({.seconds = -9'223'372'038}).error().code(), Code::invalid_argument);
  EXPECT_EQ(span_of({.seconds = 1, .nanos = -1}).error().code(), Code::invalid_argument);
}

TEST(WellKnown, what_lies_too_deep_is_refused) {
  const auto in_each_other = [](int levels) {
    Any any = pack_any("shop.Order", Order()).value();
    for (int i = 0; i < levels; ++i) any = pack_any("google.protobuf.Any", any).value();
    return any;
  };
  const std::string text = written(in_each_other(63));
  EXPECT_EQ(reread<Any>(text), text);
  EXPECT_EQ(encode_json(in_each_other(64), {}, mapped()).error().code(), Code::resource_exhausted);
  const std::string deeper = R"({"@type":"google.protobuf.Any","value":)" + text + "}";
  EXPECT_EQ(decode_json<Any>(deeper, {}, mapped()).error().code(), Code::resource_exhausted);
  const std::string lists = std::string(65, '[') + std::string(65, ']');
  EXPECT_EQ(decode_json<Value>(lists, {}, mapped()).error().code(), Code::resource_exhausted);
}

// Kept: without optimisation it is what destroys a std::variant that takes the most stack.
Value deep_list;
Value deep_object;

void go_deep_in_values() {
  const std::string lists = std::string(64, '[') + std::string(64, ']');
  EXPECT_TRUE(decode_json_into(lists, deep_list, {}, mapped()).is_ok());
  EXPECT_EQ(written(deep_list), lists);
  std::string objects = "{}";
  for (int i = 1; i < 64; ++i) {
    objects.insert(0, R"({"a":)");
    objects += '}';
  }
  EXPECT_TRUE(decode_json_into(objects, deep_object, {}, mapped()).is_ok());
  EXPECT_EQ(written(deep_object), objects);
}

void go_deep_in_anys() {
  std::string anys = "{}";
  for (int i = 1; i < 64; ++i) {
    anys.insert(0, R"({"@type":"google.protobuf.Any","value":)");
    anys += '}';
  }
  EXPECT_EQ(reread<Any>(anys), anys);
}

void go_deep_in_messages_in_anys() {
  std::string orders = R"({"@type":"/shop.Order"})";
  for (int i = 1; i < 64; ++i) {
    orders.insert(0, R"({"@type":"/shop.Order","inside":)");
    orders += '}';
  }
  EXPECT_EQ(reread<Any>(orders), orders);
}

TEST(WellKnown, the_default_depth_fits_the_stack_of_a_fiber) {
  if (testing::frames_are_widened) GTEST_SKIP() << "a sanitizer widens every frame";
  EXPECT_LT(testing::stack_used_by(&go_deep_in_values), std::size_t{48} << 10);
  EXPECT_LT(testing::stack_used_by(&go_deep_in_anys), std::size_t{48} << 10);
  EXPECT_LT(testing::stack_used_by(&go_deep_in_messages_in_anys), std::size_t{52} << 10);
}

constexpr std::string_view script = R"(import sys, shop_pb2
from google.protobuf import json_format
for line in sys.stdin:
    message = shop_pb2.All()
    if sys.argv[1] == "write":
        message.ParseFromString(bytes.fromhex(line))
        print(json_format.MessageToJson(message, indent=None, ensure_ascii=False))
    else:
        json_format.Parse(line, message)
        print(message.SerializeToString(deterministic=True).hex())
)";

// json_format is protobuf's own mapping in Python.
TEST(WellKnownWitness, python_protobuf_maps_as_we_do) {
  const parley::testing::Witness witness;
  const std::string python = witness.python_with("google.protobuf.json_format");
  if (python.empty() || witness.ask("protoc --version").code != 0) {
    GTEST_SKIP() << "there is no protobuf to ask (Debian: python3-protobuf, protobuf-compiler)";
  }
  // The .proto we write imports them.
  witness.write("shop.proto", proto_of(types_of<All, Order>(), {}, {.package = "shop"}));
  (void)witness.output_of("protoc -I. -I/usr/include --python_out=. shop.proto");
  witness.write("map.py", script);
  std::vector<All> all(3);
  all[0] = full();
  all[1].any = pack_any("google.protobuf.Value", Value{"x"}).value();
  all[1].plain_value = {NullValue::NULL_VALUE};
  all[2].any = pack_any("shop.Order", Order{.some_number = 0, .inside = all[1].any}).value();
  all[2].mask.emplace();
  all[2].object.emplace();
  std::vector<std::string> bytes;
  std::vector<std::string> texts;
  for (const All& one : all) {
    bytes.push_back(parley::testing::to_hex(encode_protobuf(one).value()));
    texts.push_back(written(one));
  }
  const std::vector<std::string> read = witness.lines_of(python + " map.py read", texts);
  const std::vector<std::string> wrote = witness.lines_of(python + " map.py write", bytes);
  ASSERT_EQ(read.size(), all.size());
  ASSERT_EQ(wrote.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto ours = decode_protobuf<All>(parley::testing::from_hex(read[i]));
    ASSERT_TRUE(ours) << ours.error();
    EXPECT_TRUE(*ours == all[i]) << texts[i];
    EXPECT_EQ(reread<All>(wrote[i]), texts[i]);
  }
}

}  // namespace
}  // namespace parley::codec::well_known_test
