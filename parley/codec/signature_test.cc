#include "parley/codec/signature.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "parley/codec/form.h"
#include "parley/codec/json.h"
#include "parley/codec/msgpack.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/schema.h"

namespace parley::codec::signature_test {

struct Order {
  std::string tea;
  std::int32_t cups = 1;
};

double place(const Order& order, bool urgent, std::optional<std::string> note);
Result<std::tuple<std::int32_t, std::string>> divide(std::int32_t a, std::int32_t b) noexcept;
Status forget();

struct Desk {
  void take(std::vector<Order>&& orders) const noexcept;
  std::unique_ptr<Order> find(std::int64_t id);
  bool open(bool all) &;
  bool is_open(std::int32_t drawer) const& noexcept;
};

namespace {

using Parameters = Signature<decltype(place)>::Parameters;
using Place = std::tuple<Order, bool, std::optional<std::string>>;

const Type& named() { return arguments_type<Place, "order", "urgent", "note">(); }

TEST(Signature, is_that_of_functions_members_and_lambdas) {
  const auto lambda = [](const std::string& text, int& number) { return number + text.size(); };
  static_assert(std::is_same_v<Parameters, Place>);
  static_assert(std::is_same_v<Signature<decltype(&place)>::Parameters, Place>);
  static_assert(
      std::is_same_v<Signature<decltype(&Desk::take)>::Parameters, std::tuple<std::vector<Order>>>);
  static_assert(
      std::is_same_v<Signature<decltype(&Desk::find)>::Parameters, std::tuple<std::int64_t>>);
  static_assert(
      std::is_same_v<Signature<decltype(lambda)>::Parameters, std::tuple<std::string, int>>);
  static_assert(std::is_same_v<Signature<decltype(lambda)>::Declared<std::tuple>,
                               std::tuple<const std::string&, int&>>);
  static_assert(std::is_same_v<ReturnedBy<decltype(lambda)>, std::size_t>);
  static_assert(
      std::is_same_v<ReturnedBy<decltype(divide)>, std::tuple<std::int32_t, std::string>>);
  static_assert(std::is_void_v<ReturnedBy<decltype(forget)>>);
  static_assert(std::is_void_v<ReturnedBy<decltype(&Desk::take)>>);
  static_assert(std::is_same_v<Signature<decltype(&Desk::open)>::Parameters, std::tuple<bool>>);
  static_assert(
      std::is_same_v<Signature<decltype(&Desk::is_open)>::Parameters, std::tuple<std::int32_t>>);
  static_assert(std::is_same_v<Signature<decltype(place)&>::Parameters, Place>);
}

TEST(Signature, several_arguments_are_a_list_and_one_is_itself) {
  const Place arguments({.tea = "oolong", .cups = 2}, true, std::nullopt);
  const auto several = body_of(type_of<Place>(), &arguments);
  std::string text;
  ASSERT_TRUE(encode_json_as(text, *several.type, several.object).is_ok());
  EXPECT_EQ(text, R"([{"tea":"oolong","cups":2},true,null])");
  const std::tuple<std::int32_t> one(7);
  const auto single = body_of(arguments_type<std::tuple<std::int32_t>, "id">(), &one);
  text.clear();
  ASSERT_TRUE(encode_json_as(text, *single.type, single.object).is_ok());
  EXPECT_EQ(text, "7");
  const std::tuple<> none;
  EXPECT_EQ(body_of(type_of<std::tuple<>>(), &none).type, nullptr);
  EXPECT_EQ(body_type(nullptr), nullptr);
}

TEST(Signature, arguments_with_names_are_read_by_place_and_by_name) {
  for (const char* text : {R"([{"tea":"oolong","cups":2},true,"now"])",
                           R"({"note":"now","urgent":true,"order":{"tea":"oolong","cups":2}})"}) {
    Place arguments;
    ASSERT_TRUE(decode_json_as(text, named(), &arguments).is_ok()) << text;
    EXPECT_EQ(std::get<0>(arguments).tea, "oolong");
    EXPECT_TRUE(std::get<1>(arguments));
    EXPECT_EQ(std::get<2>(arguments), "now");
    std::string by_place;
    ASSERT_TRUE(encode_json_as(by_place, named(), &arguments).is_ok());
    EXPECT_EQ(by_place, R"([{"tea":"oolong","cups":2},true,"now"])");
    std::string by_name;
    const Type& object = named_arguments_type<Place, "order", "urgent", "note">();
    ASSERT_TRUE(encode_json_as(by_name, object, &arguments).is_ok());
    EXPECT_EQ(by_name, R"({"order":{"tea":"oolong","cups":2},"urgent":true,"note":"now"})");
  }
  Place without;
  EXPECT_FALSE(decode_json_as(R"({"order":{},"urgent":true})", type_of<Place>(), &without).is_ok());
}

TEST(Signature, in_messagepack_and_forms_too) {
  const Place sent({.tea = "oolong", .cups = 2}, true, "now");
  for (const Type* type : {&named(), &named_arguments_type<Place, "order", "urgent", "note">()}) {
    std::string bytes;
    ASSERT_TRUE(encode_msgpack_as(bytes, *type, &sent).is_ok());
    Place read;
    ASSERT_TRUE(decode_msgpack_as(bytes, named(), &read).is_ok());
    EXPECT_EQ(std::get<0>(read).cups, 2);
    EXPECT_EQ(std::get<2>(read), "now");
  }
  Place read;
  const std::string form = "note=now&urgent=true&order.tea=oolong&order.cups=2";
  ASSERT_TRUE(decode_form_as(form, named(), &read).is_ok());
  std::string back;
  ASSERT_TRUE(encode_form_as(back, named(), &read).is_ok());
  EXPECT_EQ(back, "order.tea=oolong&order.cups=2&urgent=true&note=now");
}

TEST(Signature, in_protobuf_arguments_are_the_fields_from_1) {
  const Place sent({.tea = "a", .cups = 2}, true, std::nullopt);
  std::string with_names;
  ASSERT_TRUE(encode_protobuf_as(with_names, named(), &sent).is_ok());
  EXPECT_EQ(with_names, encode_protobuf(sent).value());
  EXPECT_EQ(with_names, std::string("\x0a\x05\x0a\x01"
                                    "a\x10\x02\x10\x01"));
}

TEST(Signature, an_argument_that_is_missing_is_named_unless_it_may_be_empty) {
  Place read;
  std::get<2>(read) = "old";
  EXPECT_TRUE(decode_json_as(R"({"order":{},"urgent":true})", named(), &read).is_ok());
  EXPECT_EQ(std::get<2>(read), std::nullopt);
  EXPECT_EQ(decode_json_as(R"({"order":{}})", named(), &read).message(),
            "$.urgent: the argument is missing");
  EXPECT_EQ(decode_form_as("order.tea=a", named(), &read).message(),
            "$.urgent: the argument is missing");
  EXPECT_EQ(decode_json_as(R"([{},true])", named(), &read).code(), Code::invalid_argument);
  EXPECT_EQ(decode_json_as(R"({"order":{},"urgent":true,"urgent":true})", named(), &read).message(),
            "$.urgent: the key appears twice");
}

TEST(Signature, schemas_show_the_names) {
  const std::vector<MethodShape> methods = {
      method_shape<decltype(place), "order", "urgent", "note">("/order/place", "Places it."),
      method_shape<decltype(divide), "a", "b">("/divide"),
      method_shape<decltype(&Desk::find), "id">("/find"),
      method_shape<decltype(forget)>("/forget"),
  };
  const std::string typescript = typescript_of({}, methods);
  EXPECT_NE(typescript.find("\"/order/place\"(order: Order, urgent: boolean, note: string | null): "
                            "number;"),
            std::string::npos)
      << typescript;
  EXPECT_NE(typescript.find("\"/divide\"(a: number, b: number): [number, string];"),
            std::string::npos)
      << typescript;
  EXPECT_NE(typescript.find("\"/forget\"(): void;"), std::string::npos) << typescript;
  const std::string proto = proto_of({}, methods);
  EXPECT_NE(proto.find("message OrderPlaceRequest {\n  Order order = 1;\n  bool urgent = 2;\n"
                       "  optional string note = 3;\n}"),
            std::string::npos)
      << proto;
  EXPECT_NE(proto.find("message FindRequest {\n  int64 value = 1;\n}"), std::string::npos) << proto;
  EXPECT_NE(proto.find("rpc Find(FindRequest) returns (FindResponse);"), std::string::npos)
      << proto;
  const std::string openapi = openapi_of(methods);
  EXPECT_NE(openapi.find(R"("schema":{"anyOf":[{"type":"object","properties":{"order":)"),
            std::string::npos)
      << openapi;
  EXPECT_NE(openapi.find(R"("required":["order","urgent"]})"), std::string::npos) << openapi;
}

}  // namespace
}  // namespace parley::codec::signature_test
