// The environment goes before the file.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "parley/codec/yaml/yaml.h"

namespace parley::codec {
namespace {

struct Server {
  std::string host = "0.0.0.0";
  std::uint16_t port = 80;
  friend bool operator==(const Server&, const Server&) = default;
};

struct Plain {
  int depth = 1;
};
using Backend = std::variant<Server, Plain>;

struct Shop {
  std::string name = "shop";
  std::chrono::milliseconds max_idle{500};
  std::vector<Server> servers;
  std::vector<std::string> teas;
  std::map<std::string, Server> databases;
  std::map<int, std::string> levels;
  std::array<int, 2> pair = {1, 2};
  std::tuple<int, std::string> both;
  std::optional<int> limit;
  std::optional<std::string> note;
  Backend backend;
  Json extra;
  bool open = false;
};

using Variables = std::vector<EnvironmentVariable>;

Result<Shop> read(std::string_view text, const Variables& environment, YamlOptions options = {}) {
  options.environment = environment;
  return decode_yaml<Shop>(text, options);
}

std::string problem(std::string_view text, const Variables& environment, YamlOptions options = {}) {
  const auto value = read(text, environment, options);
  return value ? "none" : value.error().message();
}

TEST(Environment, goes_before_the_file_and_is_read_as_the_type_of_its_field) {
  const auto shop = read("{name: a, open: false, pair: [3, 4], servers: [{}, {host: b}]}",
                         {{"PARLEY_NAME", "no"},
                          {"PARLEY_OPEN", "true"},
                          {"PARLEY_MAX_IDLE", "1m30s"},
                          {"PARLEY_SERVERS__1__PORT", "0x50"},
                          {"PARLEY_PAIR__1", "7"},
                          {"PARLEY_BOTH", "[3, x]"},
                          {"PARLEY_BOTH__0", "4"},
                          {"PARLEY_EXTRA", "{a: 1}"},
                          {"HOME", "/root"}});
  ASSERT_TRUE(shop) << shop.error();
  EXPECT_EQ(shop->name, "no");
  EXPECT_TRUE(shop->open);
  EXPECT_EQ(shop->max_idle, std::chrono::seconds(90));
  EXPECT_EQ(shop->servers, (std::vector<Server>{{"0.0.0.0", 80}, {"b", 80}}));
  EXPECT_EQ(shop->pair, (std::array<int, 2>{3, 7}));
  EXPECT_EQ(shop->both, std::tuple(4, "x"));
  EXPECT_EQ(shop->extra.text, R"({"a":1})");
}

TEST(Environment, makes_lists_maps_and_structs_that_the_file_does_not_have) {
  const auto shop = read("", {{"PARLEY_SERVERS__10__PORT", "10"},
                              {"PARLEY_SERVERS__9__PORT", "9"},
                              {"PARLEY_SERVERS", "[{}, {}, {}, {}, {}, {}, {}, {}]"},
                              {"PARLEY_SERVERS__8", "{host: eight}"},
                              {"PARLEY_DATABASES__MAIN__HOST", "db"},
                              {"PARLEY_LEVELS__3", "high"},
                              {"PARLEY_TEAS", "[oolong, sencha]"},
                              {"PARLEY_PAIR", "[5, 6]"}});
  ASSERT_TRUE(shop) << shop.error();
  ASSERT_EQ(shop->servers.size(), 11u);
  EXPECT_EQ(shop->servers[8].host, "eight");
  EXPECT_EQ(shop->servers[10].port, 10);
  EXPECT_EQ(shop->databases.at("main").host, "db");
  EXPECT_EQ(shop->levels.at(3), "high");
  EXPECT_EQ(shop->teas, (std::vector<std::string>{"oolong", "sencha"}));
  EXPECT_EQ(shop->pair, (std::array<int, 2>{5, 6}));
}

TEST(Environment, a_key_of_a_map_is_the_one_of_the_file_or_in_small_letters) {
  const auto shop =
      read("databases: {Main-DB: {host: a}}",
           {{"PARLEY_DATABASES__MAIN_DB__PORT", "1"}, {"PARLEY_DATABASES__OTHER_DB__PORT", "2"}});
  ASSERT_TRUE(shop) << shop.error();
  EXPECT_EQ(shop->databases.at("Main-DB"), (Server{"a", 1}));
  EXPECT_EQ(shop->databases.at("other_db").port, 2);
  EXPECT_EQ(problem("databases: {a-b: {}, a_b: {}}", {{"PARLEY_DATABASES__A_B__PORT", "1"}}),
            "PARLEY_DATABASES__A_B__PORT: both \"a-b\" and \"a_b\" could be meant");
}

TEST(Environment, is_put_over_the_file_in_one_order_however_it_is_given) {
  Variables variables = {
      {"PARLEY_LEVELS__9", "a"},           {"PARLEY_LEVELS__10", "b"},
      {"PARLEY_DATABASES__1A__PORT", "1"}, {"PARLEY_DATABASES__9__PORT", "2"},
      {"PARLEY_DATABASES__10__PORT", "3"}, {"PARLEY_DATABASES", "{1a: {host: x}}"}};
  for (std::size_t i = 0; i < variables.size(); ++i) {
    std::rotate(variables.begin(), variables.begin() + 1, variables.end());
    const auto shop = read("", variables);
    ASSERT_TRUE(shop) << shop.error();
    EXPECT_EQ(shop->databases,
              (std::map<std::string, Server>{
                  {"10", {"0.0.0.0", 3}}, {"1a", {"x", 1}}, {"9", {"0.0.0.0", 2}}}));
    EXPECT_EQ(shop->levels, (std::map<int, std::string>{{9, "a"}, {10, "b"}}));
  }
}

TEST(Environment, changes_one_place_of_what_an_alias_shares) {
  const auto shop = read("{x-base: &b {host: a, port: 1}, servers: [*b, *b]}",
                         {{"PARLEY_SERVERS__0__PORT", "2"}});
  ASSERT_TRUE(shop) << shop.error();
  EXPECT_EQ(shop->servers, (std::vector<Server>{{"a", 2}, {"a", 1}}));
}

TEST(Environment, chooses_another_alternative_of_a_variant) {
  const auto shop = read("backend: {Server: {port: 1}}", {{"PARLEY_BACKEND__PLAIN__DEPTH", "4"}});
  ASSERT_TRUE(shop) << shop.error();
  EXPECT_EQ(std::get<Plain>(shop->backend).depth, 4);
  const auto same = read("backend: {Server: {port: 1}}", {{"PARLEY_BACKEND__SERVER__HOST", "h"}});
  ASSERT_TRUE(same) << same.error();
  EXPECT_EQ(std::get<Server>(same->backend), (Server{"h", 1}));
}

TEST(Environment, empties_an_optional_number_but_takes_a_text_as_it_is) {
  const auto shop = read("{limit: 3, note: a}", {{"PARLEY_LIMIT", ""}, {"PARLEY_NOTE", "null"}});
  ASSERT_TRUE(shop) << shop.error();
  EXPECT_FALSE(shop->limit);
  EXPECT_EQ(shop->note, "null");
  EXPECT_EQ(read("", {{"PARLEY_NAME", " # [x\n"}}).value().name, " # [x\n");
}

TEST(Environment, errors_name_the_variable_and_the_path) {
  EXPECT_EQ(problem("servers: [{}]", {{"PARLEY_SERVERS__0__PORT", "70000"}}),
            "PARLEY_SERVERS__0__PORT: servers[0].port: 70000 does not fit uint16 (0 to 65535)");
  EXPECT_EQ(problem("", {{"PARLEY_TEAS", "[a, {}]"}}),
            "PARLEY_TEAS: teas[1]: expected a text, got a map");
  EXPECT_EQ(problem("", {{"PARLEY_TEAS", "[a"}}).find("PARLEY_TEAS: not YAML: "), 0u);
  EXPECT_EQ(problem("", {{"PARLEY_OPEN", "yes"}}),
            "PARLEY_OPEN: open: expected true or false, got \"yes\": write true");
  EXPECT_EQ(problem("", {{"PARLEY_PAIR__1", "7"}}),
            "PARLEY_PAIR__1: there are 0 elements, so the next is 0, not 1");
  EXPECT_EQ(problem("servers: [{}]", {{"PARLEY_SERVERS__2__PORT", "1"}}),
            "PARLEY_SERVERS__2__PORT: there are 1 elements, so the next is 1, not 2");
  EXPECT_EQ(problem("", {{"PARLEY_SERVERS__X__PORT", "1"}}),
            "PARLEY_SERVERS__X__PORT: expected the index of an element, got \"X\"");
  EXPECT_EQ(problem("", {{"PARLEY_NAME__X", "1"}}),
            "PARLEY_NAME__X: there is nothing inside this value: \"__X\" is too much");
  EXPECT_EQ(problem("", {{"PARLEY_EXTRA__X", "1"}}),
            "PARLEY_EXTRA__X: nothing is known about what is inside: set it as a whole, as YAML");
  EXPECT_EQ(problem("", {{"PARLEY_BOTH", "[1, a]"}, {"PARLEY_BOTH__2", "1"}}),
            "PARLEY_BOTH__2: there are only 2 elements");
  EXPECT_EQ(problem("", {{"PARLEY_NAME", "a"}, {"PARLEY_NAME", "b"}}),
            "PARLEY_NAME: it is there twice");
}

TEST(Environment, a_variable_that_fits_nothing_is_refused_with_the_nearest_name) {
  EXPECT_EQ(problem("", {{"PARLEY_SERVRES__0__PORT", "1"}}),
            "PARLEY_SERVRES__0__PORT: nothing is set by this variable, did you mean "
            "PARLEY_SERVERS__0__PORT?");
  EXPECT_EQ(problem("servers: [{}]", {{"PARLEY_SERVERS__0__PROT", "1"}}),
            "PARLEY_SERVERS__0__PROT: nothing is set by this variable, did you mean "
            "PARLEY_SERVERS__0__PORT?");
  EXPECT_EQ(problem("", {{"PARLEY_BACKEND__XYZ", "1"}}),
            "PARLEY_BACKEND__XYZ: nothing is set by this variable: there are "
            "PARLEY_BACKEND__SERVER, PARLEY_BACKEND__PLAIN");
  EXPECT_EQ(problem("", {{"PARLEY_name", "1"}}).find("PARLEY_name: nothing is set by"), 0u);
}

TEST(Environment, the_prefix_and_variables_of_others_are_chosen) {
  EXPECT_EQ(read("", {{"PARLEY_NAME", "a"}}, {.environment_prefix = "SHOP_"}).value().name, "shop");
  EXPECT_EQ(read("", {{"SHOP_NAME", "a"}}, {.environment_prefix = "SHOP_"}).value().name, "a");
  const Variables jobs = {{"PARLEY_JOBS", "2"}};
  const std::array<std::string_view, 1> foreign = {"PARLEY_JOBS"};
  EXPECT_NE(problem("", jobs), "none");
  EXPECT_EQ(problem("", jobs, {.foreign_variables = foreign}), "none");
}

TEST(Environment, limits_hold_for_variables_too) {
  YamlOptions options;
  options.limits.max_string_bytes = 3;
  EXPECT_EQ(problem("", {{"PARLEY_NAME", "abcd"}}, options),
            "PARLEY_NAME: a text of 4 bytes (max_string_bytes is 3)");
  options = {};
  options.limits.max_depth = 2;
  EXPECT_EQ(problem("", {{"PARLEY_SERVERS__0__PORT", "1"}}, options),
            "PARLEY_SERVERS__0__PORT: too many parts (max_depth is 2)");
  EXPECT_EQ(problem("", {{"PARLEY_EXTRA", "[[1]]"}}, options).find("PARLEY_EXTRA: nested too"), 0u);
  EXPECT_EQ(problem("", {{"PARLEY_EXTRA", "[1]"}}, options), "none");
}

TEST(Environment, that_of_the_process_is_filtered_by_the_prefix) {
  ASSERT_EQ(setenv("PARLEY_TEST_OF_ENVIRONMENT__A", "x=y", 1), 0);
  const auto found = process_environment("PARLEY_TEST_OF_ENVIRONMENT_");
  ASSERT_EQ(unsetenv("PARLEY_TEST_OF_ENVIRONMENT__A"), 0);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name, "PARLEY_TEST_OF_ENVIRONMENT__A");
  EXPECT_EQ(found[0].value, "x=y");
  EXPECT_TRUE(process_environment("PARLEY_TEST_OF_ENVIRONMENT_").empty());
}

TEST(Environment, goes_over_a_document_without_changing_it) {
  const auto document = YamlDocument::parse("name: a");
  ASSERT_TRUE(document);
  const Variables variables = {{"PARLEY_NAME", "b"}};
  EXPECT_EQ(document->as<Shop>({.environment = variables}).value().name, "b");
  EXPECT_EQ(document->as<Shop>().value().name, "a");
}

}  // namespace
}  // namespace parley::codec
