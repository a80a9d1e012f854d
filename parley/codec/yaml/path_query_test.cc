// Nodes by path, with wildcards and regular expressions.
#include "parley/codec/yaml/path_query.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace parley::codec {
namespace {

constexpr std::string_view shop = R"(
name: shop
timeout: 1m30s
servers:
  - {name: a, port: 70000}
  - {name: b, port: 80, tags: [x, y]}
db-main: {port: 1}
db-copy: {port: 2, nested: {port: 3}}
earl grey: [5, [6]]
)";

std::vector<std::string> paths(std::string_view query, std::string_view text = shop) {
  const auto document = YamlDocument::parse(text);
  EXPECT_TRUE(document) << document.error();
  const auto compiled = PathQuery::compile(query);
  EXPECT_TRUE(compiled) << compiled.error();
  std::vector<std::string> found;
  if (!document || !compiled) return found;
  for (const YamlMatch& match : compiled->find(*document)) found.push_back(match.path());
  return found;
}

std::string problem(std::string_view query) {
  const auto compiled = PathQuery::compile(query);
  return compiled ? "none" : compiled.error().message();
}

using Paths = std::vector<std::string>;

TEST(PathQuery, finds_nodes_by_key_index_and_wildcard) {
  EXPECT_EQ(paths("name"), Paths{"name"});
  EXPECT_EQ(paths("servers[1].port"), Paths{"servers[1].port"});
  EXPECT_EQ(paths("servers[*].name"), (Paths{"servers[0].name", "servers[1].name"}));
  EXPECT_EQ(paths("servers[1].*"),
            (Paths{"servers[1].name", "servers[1].port", "servers[1].tags"}));
  EXPECT_EQ(paths("[\"earl grey\"][1][0]"), Paths{"[\"earl grey\"][1][0]"});
  EXPECT_EQ(paths("*[0]"), (Paths{"servers[0]", "[\"earl grey\"][0]"}));
  EXPECT_EQ(paths("servers.*"), Paths{}) << "* is for maps, [*] for lists";
  EXPECT_EQ(paths("name[*]"), Paths{});
  EXPECT_EQ(paths("servers[7]"), Paths{});
  EXPECT_EQ(paths("[*].a", "- {a: 1}\n- {b: 1}\n- {a: 1}"), (Paths{"[0].a", "[2].a"}));
}

TEST(PathQuery, finds_keys_by_regular_expression) {
  EXPECT_EQ(paths("/^db-.*/.port"), (Paths{"[\"db-main\"].port", "[\"db-copy\"].port"}));
  EXPECT_EQ(paths("/m/"), (Paths{"name", "timeout", "[\"db-main\"]"}));
  EXPECT_EQ(paths("/^m/"), Paths{});
  EXPECT_EQ(paths("/a\\/b/", "{a/b: 1, ab: 2}"), Paths{"[\"a/b\"]"});
  EXPECT_EQ(paths("servers[*]./^(name|port)$/").size(), 4u);
}

TEST(PathQuery, finds_at_any_depth_each_place_once) {
  EXPECT_EQ(paths("**.port"), (Paths{"servers[0].port", "servers[1].port", "[\"db-main\"].port",
                                     "[\"db-copy\"].port", "[\"db-copy\"].nested.port"}));
  EXPECT_EQ(paths("db-copy.**.port"), (Paths{"[\"db-copy\"].port", "[\"db-copy\"].nested.port"}));
  EXPECT_EQ(paths("**.a.**.b", "a: {a: {b: 1}}"), Paths{"a.a.b"});
  EXPECT_EQ(paths("**", "a: [1]"), (Paths{"", "a", "a[0]"}));
  EXPECT_EQ(paths("**.**.a", "a: 1"), Paths{"a"});
  EXPECT_EQ(paths("**[0]", "[[1]]"), (Paths{"[0]", "[0][0]"}));
}

TEST(PathQuery, follows_aliases_and_merge_keys) {
  EXPECT_EQ(paths("*.port", "a: &a {port: 1}\nb: *a\nc: {<<: *a, x: 1}"),
            (Paths{"a.port", "b.port", "c.port"}));
}

TEST(PathQuery, a_match_has_a_place_and_becomes_any_type) {
  const auto document = YamlDocument::parse(shop, {.file = "shop.yaml"});
  ASSERT_TRUE(document) << document.error();
  const auto only = [&](std::string_view query) {
    return PathQuery::compile(query).value().find(*document).at(0);
  };
  EXPECT_EQ(only("servers[1].port").place(), "shop.yaml:6:21");
  EXPECT_EQ(only("servers[1].port").as<std::uint16_t>().value(), 80);
  EXPECT_EQ(only("servers[1].port").as<std::string>().value(), "80");
  EXPECT_EQ(only("servers[1].port").as<double>().value(), 80.0);
  EXPECT_EQ(only("timeout").as<std::chrono::seconds>().value(), std::chrono::seconds(90));
  EXPECT_EQ(only("servers[1].tags").as<std::vector<std::string>>().value().size(), 2u);
  EXPECT_EQ((only("db-main").as<std::map<std::string, int>>().value().at("port")), 1);
  EXPECT_EQ(only("servers[0].port").as<std::uint16_t>().error().message(),
            "shop.yaml:5:21: servers[0].port: 70000 does not fit uint16 (0 to 65535)");
  EXPECT_EQ((only("db-copy").as<std::map<std::string, int>>().error().message()),
            "shop.yaml:8:28: [\"db-copy\"].nested: expected an integer, got a map");
}

TEST(PathQuery, a_match_outlives_its_document) {
  std::vector<YamlMatch> found;
  {
    const auto document = YamlDocument::parse("name: a");
    ASSERT_TRUE(document);
    found = PathQuery::compile("name").value().find(*document);
  }
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].as<std::string>().value(), "a");
  EXPECT_EQ(found[0].path(), "name");
}

TEST(PathQuery, a_bad_query_is_told_with_its_position) {
  EXPECT_EQ(problem(""),
            "query \"\", position 1: an empty query: expected a key, *, ** or /regex/");
  EXPECT_EQ(problem("a..b"), "query \"a..b\", position 3: expected a key, *, ** or /regex/");
  EXPECT_EQ(problem("a."), "query \"a.\", position 3: expected a key, *, ** or /regex/");
  EXPECT_EQ(problem("a[x]"),
            "query \"a[x]\", position 3: expected an index, * or a key in double quotes");
  EXPECT_EQ(problem("a[1"), "query \"a[1\", position 4: expected ]");
  EXPECT_EQ(problem("a[\"b"),
            "query \"a[\\\"b\", position 5: expected a double quote at the end of the key");
  EXPECT_EQ(problem("a]"), "query \"a]\", position 2: expected . or [");
  EXPECT_EQ(problem("a b"), "query \"a b\", position 2: expected . or [");
  EXPECT_EQ(problem("/a"),
            "query \"/a\", position 3: expected / at the end of the regular expression");
  EXPECT_EQ(problem("x./(/"),
            "query \"x./(/\", position 4: not a regular expression: missing ): (");
  EXPECT_EQ(
      problem("a[99999999999999999999]"),
      "query \"a[99999999999999999999]\", position 3: expected an index, * or a key in double "
      "quotes");
}

TEST(PathQuery, limits_have_names) {
  EXPECT_EQ(problem(std::string(PathQuery::max_text, 'a')), "none");
  EXPECT_EQ(problem(std::string(PathQuery::max_text + 1, 'a')),
            "a query of 4097 bytes (max_text is 4096)");
  std::string many = "a";
  for (std::size_t i = 1; i < PathQuery::max_steps; ++i) many += ".a";
  EXPECT_EQ(problem(many), "none");
  EXPECT_NE(problem(many + ".a").find("too many steps (max_steps is 63)"), std::string::npos);
  EXPECT_NE(problem("/\\pL{900}/").find("max_regex_memory is 1048576"), std::string::npos);
}

}  // namespace
}  // namespace parley::codec
