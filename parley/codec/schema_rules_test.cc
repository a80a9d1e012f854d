// What the rules beside a type become in schemas.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/codec/fields.h"
#include "parley/codec/json.h"
#include "parley/codec/schema.h"
#include "parley/codec/validate.h"

namespace parley::codec::schema_rules_test {

enum class Size { none, small, large };

struct Order {
  std::int32_t cups = 1;
  std::optional<double> price;
  std::string tea = "oolong";
  std::string note;
  std::vector<std::string> tags;
  std::map<std::string, int> stock;
  Size size = Size::small;
  std::chrono::seconds wait{1};
  std::string user;
  std::int64_t page = 1;
};

struct Lookup {
  std::string id;
  std::string shelf;
};

}  // namespace parley::codec::schema_rules_test

namespace schema_rules_test = parley::codec::schema_rules_test;
using parley::codec::field;

template <>
inline constexpr auto parley::fields<schema_rules_test::Order> =
    parley::codec::field_rules<schema_rules_test::Order>(
        field<&schema_rules_test::Order::cups>().range(1, 10).described("How many \"cups\"."),
        field<&schema_rules_test::Order::price>().range(0.5, parley::codec::unbounded),
        field<&schema_rules_test::Order::tea>().characters(2, 8),
        field<&schema_rules_test::Order::note>().bytes(0, 9),
        field<&schema_rules_test::Order::tags>().elements(0, 3).characters(1, 4),
        field<&schema_rules_test::Order::stock>().elements(0, 2),
        field<&schema_rules_test::Order::size>().non_zero(),
        field<&schema_rules_test::Order::wait>().non_zero(),
        field<&schema_rules_test::Order::user>().from_metadata("X-User").required(),
        field<&schema_rules_test::Order::page>().from_query().range(1, 9));
template <>
inline constexpr auto parley::fields<schema_rules_test::Lookup> =
    parley::codec::field_rules<schema_rules_test::Lookup>(
        field<&schema_rules_test::Lookup::id>().from_path("id"),
        field<&schema_rules_test::Lookup::shelf>().from_path("row").from_query("row"));

namespace parley::codec::schema_rules_test {
namespace {

TEST(SchemaRules, stand_beside_what_the_type_says) {
  const std::string schema = json_schema<Order>();
  const auto expect = [&](std::string_view part) {
    EXPECT_NE(schema.find(part), std::string::npos) << part << '\n' << schema;
  };
  expect(R"("cups":{"type":"integer","minimum":-2147483648,"maximum":2147483647,)"
         R"("allOf":[{"minimum":1,"maximum":10}],"description":"How many \"cups\".","default":1})");
  expect(R"("price":{"anyOf":[{"type":"number","format":"double"},{"type":"null"}],)"
         R"("allOf":[{"minimum":0.5}]})");
  expect(R"("tea":{"type":"string","allOf":[{"minLength":2,"maxLength":8}],"default":"oolong"})");
  expect(R"("note":{"type":"string","allOf":[{"maxLength":9}],"default":""})");
  expect(R"("allOf":[{"items":{"minLength":1,"maxLength":4},"maxItems":3}])");
  expect(R"("allOf":[{"maxProperties":2}])");
  expect(R"("allOf":[{"not":{"enum":[0,"none"]}}])");
  expect(R"("allOf":[{"not":{"const":"0s"}}])");
}

TEST(SchemaRules, what_is_bound_is_no_member_and_a_parameter_in_openapi) {
  EXPECT_EQ(json_schema<Order>().find("user"), std::string::npos);
  EXPECT_EQ(json_schema<Order>().find("page"), std::string::npos);
  const std::vector<MethodShape> methods = {
      {.name = "/order", .parameters = &type_of<std::tuple<Order>>()}};
  const std::string openapi = openapi_of(methods);
  EXPECT_NE(openapi.find(R"("parameters":[{"name":"X-User","in":"header","required":true,)"
                         R"("schema":{"type":"string"}},{"name":"page","in":"query",)"
                         R"("required":false,"schema":{"type":"integer","format":"int64",)"
                         R"("allOf":[{"minimum":1,"maximum":9}]}}],"requestBody":)"),
            std::string::npos)
      << openapi;
}

TEST(SchemaRules, the_parts_of_a_path_and_no_others_are_parameters_of_the_path) {
  const auto openapi = [](const char* name) {
    const std::vector<MethodShape> methods = {
        {.name = name, .parameters = &type_of<std::tuple<Lookup>>()}};
    return openapi_of(methods);
  };
  constexpr auto parameters = [](const std::string& text) {
    const std::size_t start = text.find("\"parameters\":[");
    if (start == std::string::npos) return std::string();
    return text.substr(start, text.find("],\"requestBody\"", start) + 1 - start);
  };
  const std::string id = R"({"name":"id","in":"path","required":true,"schema":{"type":"string"}})";
  const std::string row =
      R"({"name":"row","in":"query","required":false,"schema":{"type":"string"}})";
  const std::string place =
      R"({"name":"place","in":"path","required":true,"schema":{"type":"string"}})";
  EXPECT_EQ(parameters(openapi("/get")), "\"parameters\":[" + row + "]");
  EXPECT_EQ(parameters(openapi("/get/{id}")), "\"parameters\":[" + id + "," + row + "]");
  EXPECT_EQ(parameters(openapi("/{place}/get")), "\"parameters\":[" + row + "," + place + "]");
}

TEST(SchemaRules, descriptions_are_comments_elsewhere_and_what_is_bound_is_left_out) {
  const std::string typescript = typescript_of(types_of<Order>());
  EXPECT_TRUE(typescript.starts_with(
      "export interface Order {\n  // How many \"cups\".\n  cups: number;\n"))
      << typescript;
  EXPECT_EQ(typescript.find("user"), std::string::npos) << typescript;
  const std::string proto = proto_of(types_of<Order>());
  EXPECT_NE(proto.find("message Order {\n  // How many \"cups\".\n  int32 cups = 1;\n"),
            std::string::npos)
      << proto;
  EXPECT_EQ(proto.find("user"), std::string::npos) << proto;
}

TEST(SchemaRulesWitness, jsonschema_judges_as_validate_does) {
  const parley::testing::Witness witness;
  const std::string python = witness.python_with("jsonschema");
  if (python.empty()) GTEST_SKIP() << "python3-jsonschema is not installed";
  witness.write("schema.json", json_schema<Order>());
  witness.write("judge.py", R"(import json, sys, jsonschema
judge = jsonschema.Draft202012Validator(json.load(open("schema.json")))
for line in sys.stdin:
    print("yes" if judge.is_valid(json.loads(line)) else "no")
)");
  const std::vector<std::string> texts = {
      "{}",
      R"({"cups":10,"price":null,"tea":"ab","tags":["a","béèà"],"stock":{"a":1,"b":2}})",
      R"({"cups":0})",
      R"({"cups":11})",
      R"({"price":0.4})",
      R"({"price":0.5})",
      R"({"tea":"é"})",
      R"({"tea":"éé"})",
      R"({"tea":"123456789"})",
      R"({"note":"123456789"})",
      R"({"note":"1234567890"})",
      R"({"tags":["a","b","c","d"]})",
      R"({"tags":[""]})",
      R"({"tags":["abcde"]})",
      R"({"stock":{"a":1,"b":2,"c":3}})",
      R"({"size":"none"})",
      R"({"size":0})",
      R"({"size":2})",
      R"({"wait":"0s"})",
      R"({"wait":"2s"})",
  };
  std::vector<std::string> ours;
  for (const std::string& text : texts) {
    const auto order = decode_json<Order>(text);
    ours.emplace_back(order && validate(*order).is_ok() ? "yes" : "no");
  }
  EXPECT_EQ(std::ranges::count(ours, "yes"), 7);
  const std::vector<std::string> theirs = witness.lines_of(python + " judge.py", texts);
  ASSERT_EQ(theirs.size(), ours.size());
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_EQ(theirs[i], ours[i]) << texts[i];
}

}  // namespace
}  // namespace parley::codec::schema_rules_test
