#include "parley/codec/schema.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "parley/codec/json.h"

namespace parley::codec::schema_test {

enum class Colour { red, green = 7, blue = -3 };

struct Line {
  std::string tea;
  std::uint16_t quantity = 1;
};

struct Circle {
  double radius = 0;
};
struct Square {
  double side = 0;
};

struct Order {
  std::int64_t id = 0;
  std::vector<Line> lines;
  Colour colour = Colour::red;
  std::optional<std::string> note;
  std::map<std::int32_t, std::vector<bool>> grid;
  std::variant<std::monostate, Circle, Square> shape;
  std::chrono::milliseconds span{};
  std::chrono::sys_seconds at{};
  std::vector<std::byte> seal;
  std::unique_ptr<Order> before;
};

struct Drawing {
  std::string title;
  std::variant<std::monostate, Circle, Square> shape;
};

struct Tag {
  std::string id;
  Colour colour = Colour::red;
  std::optional<std::uint8_t> size;
  std::string text;
};
namespace other {
struct Line {
  std::int32_t x = 0;
};
}  // namespace other

struct Both {
  Line tea;
  other::Line point;
};

// Names that clash where they are put side by side.
enum class Wide : std::int64_t { least = -5, off = 0, Off = 5, huge = 5'000'000'000 };
struct Record {
  std::string number;
  std::int32_t fooBar = 0;
  std::int32_t foo_bar = 0;
  std::map<Wide, bool> by_kind;
  std::map<Wide, bool> by_other;
};

}  // namespace parley::codec::schema_test

template <>
inline constexpr auto parley::fields<parley::codec::schema_test::Record> =
    parley::codec::field_rules<parley::codec::schema_test::Record>(
        parley::codec::field<&parley::codec::schema_test::Record::number>("the number"));
template <>
inline constexpr auto parley::fields<parley::codec::schema_test::Tag> =
    parley::codec::field_rules<parley::codec::schema_test::Tag>(
        parley::codec::field<&parley::codec::schema_test::Tag::id>("xml:id").in_xml(
            parley::codec::XmlPlace::attribute),
        parley::codec::field<&parley::codec::schema_test::Tag::colour>().in_xml(
            parley::codec::XmlPlace::attribute),
        parley::codec::field<&parley::codec::schema_test::Tag::size>().in_xml(
            parley::codec::XmlPlace::attribute),
        parley::codec::field<&parley::codec::schema_test::Tag::text>().in_xml(
            parley::codec::XmlPlace::text));
template <>
inline constexpr auto parley::enum_range<parley::codec::schema_test::Wide> =
    parley::codec::EnumRange{.least = -5, .most = 6};
template <>
inline constexpr auto parley::fields<parley::codec::schema_test::Line> =
    parley::codec::field_rules<parley::codec::schema_test::Line>(
        parley::codec::field<&parley::codec::schema_test::Line::tea>().required())
        .on_unknown(parley::codec::OnUnknown::refuse);
template <>
inline constexpr auto parley::fields<parley::codec::schema_test::Drawing> =
    parley::codec::field_rules<parley::codec::schema_test::Drawing>(
        parley::codec::field<&parley::codec::schema_test::Drawing::shape>().flatten());

namespace parley::codec::schema_test {
namespace {

TEST(JsonSchema, says_what_values_of_simple_types_look_like) {
  constexpr std::string_view start =
      R"({"$schema":"https://json-schema.org/draft/2020-12/schema",)";
  const auto body = [&](const std::string& schema) {
    EXPECT_TRUE(schema.starts_with(start)) << schema;
    EXPECT_TRUE(validate_json(schema).is_ok()) << schema;
    return '{' + schema.substr(start.size());
  };
  EXPECT_EQ(body(json_schema<bool>()), R"({"type":"boolean"})");
  EXPECT_EQ(body(json_schema<std::int8_t>()), R"({"type":"integer","minimum":-128,"maximum":127})");
  EXPECT_EQ(body(json_schema<std::uint64_t>()),
            R"({"type":"integer","format":"uint64","minimum":0})");
  EXPECT_EQ(
      body(json_schema<std::tuple<int, bool>>()),
      R"({"type":"array","prefixItems":[{"type":"integer","minimum":-2147483648,)"
      R"("maximum":2147483647},{"type":"boolean"}],"items":false,"minItems":2,"maxItems":2})");
  EXPECT_EQ(json_schema<Json>(), R"({"$schema":"https://json-schema.org/draft/2020-12/schema"})");
}

TEST(JsonSchema, defines_each_struct_once_with_its_defaults_and_rules) {
  const std::string schema = json_schema<std::vector<Line>>();
  EXPECT_EQ(schema,
            R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"array",)"
            R"("items":{"$ref":"#/$defs/Line"},"$defs":{"Line":{"type":"object","properties":{)"
            R"("tea":{"type":"string"},"quantity":{"type":"integer","minimum":0,"maximum":65535,)"
            R"("default":1}},"required":["tea"],"additionalProperties":false}}})");
}

TEST(JsonSchema, of_a_flattened_variant_at_most_one_may_be_there) {
  const std::string schema = json_schema<Drawing>();
  EXPECT_NE(schema.find(R"("allOf":[{"oneOf":[{"not":{"anyOf":[{"required":["Circle"]},)"
                        R"({"required":["Square"]}]}},{"required":["Circle"]},)"
                        R"({"required":["Square"]}]}])"),
            std::string::npos)
      << schema;
}

TEST(JsonSchema, two_types_of_one_name_are_told_apart) {
  const std::string schema = json_schema<Both>();
  EXPECT_NE(schema.find(R"("point":{"$ref":"#/$defs/Line2","default":{"x":0}})"), std::string::npos)
      << schema;
}

TEST(OpenApi, each_method_is_a_post_to_its_name) {
  const std::vector<MethodShape> methods = {{.name = "/order/place",
                                             .parameters = &type_of<std::tuple<Line>>(),
                                             .result = &type_of<std::int32_t>(),
                                             .description = "Places \"it\"."},
                                            {.name = "/ping"}};
  const std::string text = openapi_of(methods, {.title = "Shop", .version = "2"});
  EXPECT_TRUE(validate_json(text).is_ok()) << text;
  EXPECT_TRUE(text.starts_with(
      R"({"openapi":"3.1.0","info":{"title":"Shop","version":"2"},"paths":{"/order/place":)"
      R"({"post":{"operationId":"_order_place","description":"Places \"it\".","requestBody":)"
      R"({"required":true,"content":{"application/json":{"schema":)"
      R"({"$ref":"#/components/schemas/Line"}}}},"responses":{"200":{"description":"the result",)"
      R"("content":{"application/json":{"schema":{"type":"integer",)"))
      << text;
  EXPECT_NE(text.find(R"("/ping":{"post":{"operationId":"_ping","responses":{"200":)"
                      R"({"description":"the result"}}}})"),
            std::string::npos)
      << text;
}

TEST(OpenApi, methods_whose_names_look_alike_have_ids_of_their_own) {
  const std::vector<MethodShape> methods = {{.name = "/a/b"}, {.name = "/a_b"}, {.name = "/a-b"}};
  const std::string text = openapi_of(methods);
  for (const char* id :
       {R"("/a/b":{"post":{"operationId":"_a_b",)", R"("/a_b":{"post":{"operationId":"_a_b2",)",
        R"("/a-b":{"post":{"operationId":"_a_b3",)"}) {
    EXPECT_NE(text.find(id), std::string::npos) << text;
  }
}

TEST(OpenApi, a_member_that_is_an_attribute_in_xml_says_so) {
  const std::vector<MethodShape> methods = {
      {.name = "/tag", .parameters = &type_of<std::tuple<Tag>>()}};
  const std::string text = openapi_of(methods);
  EXPECT_TRUE(validate_json(text).is_ok()) << text;
  for (const char* property :
       {R"("xml:id":{"type":"string","xml":{"name":"xml:id","attribute":true},"default":""})",
        R"("colour":{"$ref":"#/components/schemas/Colour","xml":{"name":"colour",)"
        R"("attribute":true},"default":"red"})",
        R"("size":{"anyOf":[{"type":"integer","minimum":0,"maximum":255},{"type":"null"}],)"
        R"("xml":{"name":"size","attribute":true}})",
        R"("text":{"type":"string","default":""})"}) {
    EXPECT_NE(text.find(property), std::string::npos) << property << '\n' << text;
  }
  // JSON Schema has no such word.
  EXPECT_EQ(json_schema<Tag>().find(R"("xml":)"), std::string::npos);
}

TEST(Typescript, declares_what_json_holds) {
  const std::vector<MethodShape> methods = {{.name = "/order/place",
                                             .parameters = &type_of<std::tuple<Order, bool>>(),
                                             .result = &type_of<std::optional<Colour>>()}};
  EXPECT_EQ(typescript_of({}, methods), R"(export interface Order {
  id: number;  // 64 bits
  lines: Array<Line>;
  colour: Colour;
  note?: string | null;
  grid: Record<string, Array<boolean>>;
  shape: null | { Circle: Circle } | { Square: Square };
  span: string;
  at: string;
  seal: string;
  before?: Order | null;
}

export interface Line {
  tea: string;
  quantity: number;
}

export type Colour = "blue" | "red" | "green" | number;

export interface Circle {
  radius: number;
}

export interface Square {
  side: number;
}

export interface Methods {
  "/order/place"(argument1: Order, argument2: boolean): Colour | null;
}
)");
  EXPECT_EQ(
      typescript_of(types_of<Drawing>()).substr(0, 96),
      "export interface Drawing {\n  title: string;\n  Circle?: Circle;\n  Square?: Square;\n}\n\n"
      "export inte");
}

constexpr std::string_view order_proto = R"(syntax = "proto3";

package shop;

import "google/protobuf/duration.proto";
import "google/protobuf/timestamp.proto";

message BoolList {
  repeated bool value = 1;
}

message Variant {
  oneof value {
    Circle Circle = 1;
    Square Square = 2;
  }
}

message Order {
  int64 id = 1;
  repeated Line lines = 2;
  Colour colour = 3;
  optional string note = 4;
  map<int32, BoolList> grid = 5;
  Variant shape = 6;
  google.protobuf.Duration span = 7;
  google.protobuf.Timestamp at = 8;
  bytes seal = 9;
  optional Order before = 10;
}

message Line {
  optional string tea = 1;
  uint32 quantity = 2;
}

enum Colour {
  COLOUR_RED = 0;
  COLOUR_BLUE = -3;
  COLOUR_GREEN = 7;
}

message Circle {
  double radius = 1;
}

message Square {
  double side = 1;
}

message OrderPlaceRequest {
  Order argument1 = 1;
  bool argument2 = 2;
}

message OrderPlaceResponse {
  int32 value = 1;
}

message PingRequest {
}

message PingResponse {
}

service Orders {
  // Places it.
  rpc OrderPlace(OrderPlaceRequest) returns (OrderPlaceResponse);
  rpc Ping(PingRequest) returns (PingResponse);
}
)";

TEST(Proto, declares_the_messages_that_are_sent) {
  const std::vector<MethodShape> methods = {{.name = "/order/place",
                                             .parameters = &type_of<std::tuple<Order, bool>>(),
                                             .result = &type_of<std::int32_t>(),
                                             .description = "Places it."},
                                            {.name = "/ping"}};
  EXPECT_EQ(proto_of({}, methods, {.package = "shop", .service = "Orders"}), order_proto);
}

TEST(Proto, names_that_would_clash_are_told_apart) {
  const std::vector<MethodShape> methods = {{.name = "/a/b", .description = "One line.\nAnother."},
                                            {.name = "/a_b"}};
  const std::string text =
      proto_of(types_of<Record>(), methods, {.package = {}, .service = "Record"});
  EXPECT_EQ(text, R"(syntax = "proto3";

message BoolByWide {
  Wide key = 1;
  bool value = 2;
}

message Record2 {
  string the_number = 1 [json_name = "the number"];
  int32 fooBar = 2;
  int32 foo_bar2 = 3 [json_name = "foo_bar"];
  repeated BoolByWide by_kind = 4;
  repeated BoolByWide by_other = 5;
}

enum Wide {
  WIDE_OFF = 0;
  WIDE_LEAST = -5;
  WIDE_OFF2 = 5;
}

message ABRequest {
}

message ABResponse {
}

message AB2Request {
}

message AB2Response {
}

service Record {
  // One line.
  // Another.
  rpc AB(ABRequest) returns (ABResponse);
  rpc AB2(AB2Request) returns (AB2Response);
}
)");
}

TEST(Typescript, names_that_would_clash_are_told_apart) {
  const std::vector<MethodShape> methods = {
      {.name = "/a", .result = &type_of<Record>(), .description = "One line.\nAnother."}};
  const std::string text = typescript_of({}, methods);
  EXPECT_TRUE(text.starts_with("export interface Record2 {\n  \"the number\": string;\n")) << text;
  EXPECT_TRUE(text.ends_with("  // One line.\n  // Another.\n  \"/a\"(): Record2;\n}\n")) << text;
}

}  // namespace
}  // namespace parley::codec::schema_test
