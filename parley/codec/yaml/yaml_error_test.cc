// What is wrong is told with file, line, column and path; limits hold; nothing hangs or throws.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/codec/testing/small_stack.h"
#include "parley/codec/yaml/path_query.h"
#include "parley/codec/yaml/yaml.h"

namespace parley::codec {
namespace {

struct Server {
  std::string host;
  std::uint16_t port = 80;
};

enum class Level { low, high };

struct Shop {
  std::vector<Server> servers;
  bool open = false;
  double price = 0;
  Level level = Level::low;
  std::optional<std::uint8_t> limit;
  std::map<std::string, int> stock;
};

struct Tree {
  std::vector<Tree> kids;
};

template <class T = Shop>
std::string problem(std::string_view text, const YamlOptions& options = {}) {
  const auto value = decode_yaml<T>(text, options);
  return value ? "none" : value.error().message();
}

template <class T>
Code code_of(std::string_view text, const YamlOptions& options = {}) {
  const auto value = decode_yaml<T>(text, options);
  return value ? Code::ok : value.error().code();
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(YamlError, names_file_line_column_and_path) {
  const std::string text = "servers:\n  - port: 1\n  - host: a\n    port: 70000\n";
  EXPECT_EQ(problem(text, {.file = "shop.yaml"}),
            "shop.yaml:4:11: servers[1].port: 70000 does not fit uint16 (0 to 65535)");
  EXPECT_EQ(problem("limit: -1"), "yaml:1:8: limit: -1 does not fit uint8 (0 to 255)");
  EXPECT_EQ(problem("stock: {green tea: x}"),
            "yaml:1:20: stock[\"green tea\"]: expected an integer, got \"x\"");
  EXPECT_EQ(problem("servers: {port: 1}"), "yaml:1:10: servers: expected a list, got a map");
  EXPECT_EQ(problem("[]"), "yaml:1:1: expected a map, got a list");
}

TEST(YamlError, says_what_to_write_instead) {
  EXPECT_EQ(problem("open: no"), "yaml:1:7: open: expected true or false, got \"no\": write false");
  EXPECT_EQ(problem("open: On"), "yaml:1:7: open: expected true or false, got \"On\": write true");
  EXPECT_EQ(problem("open: \"true\""),
            "yaml:1:7: open: expected true or false, got \"true\" in quotes: write it without "
            "quotes");
  EXPECT_EQ(problem("open: maybe"), "yaml:1:7: open: expected true or false, got \"maybe\"");
  EXPECT_EQ(problem("limit: 017"),
            "yaml:1:8: limit: 017 begins with 0, which is octal to some and decimal to others: "
            "write 0o17 or 17");
  EXPECT_EQ(problem("limit: 1.0"),
            "yaml:1:8: limit: expected an integer, got 1.0: write it without point and exponent");
  EXPECT_EQ(problem("limit: 1_000"), "yaml:1:8: limit: expected an integer, got \"1_000\"");
  EXPECT_EQ(problem("limit: 0x1FFFFFFFFFFFFFFFF"),
            "yaml:1:8: limit: 0x1FFFFFFFFFFFFFFFF does not fit uint8 (0 to 255)");
  EXPECT_EQ(problem("price: 1e999"), "yaml:1:8: price: 1e999 does not fit double");
  EXPECT_EQ(problem("level: hihg"),
            "yaml:1:8: level: \"hihg\" is no Level: did you mean \"high\"?");
  EXPECT_EQ(problem("servers: [{host: }]"),
            "yaml:1:12: servers[0].host: expected a text, got nothing (null): write \"\" for an "
            "empty one, or the word in quotes");
  EXPECT_EQ(problem("stock:\nopen: true"),
            "yaml:1:1: stock: expected a map, got nothing (null): write a value, or leave the key "
            "out");
}

TEST(YamlError, an_unknown_key_is_refused_with_the_nearest_name) {
  EXPECT_EQ(problem("servers:\n  - prot: 1"),
            "yaml:2:5: servers[0].prot: unknown key, did you mean 'port'?");
  EXPECT_EQ(problem("colour: 1"),
            "yaml:1:1: colour: unknown key: there are servers, open, price, level, limit, stock");
  EXPECT_EQ(problem("x-free: [anything]\nopen: true"), "none");
  EXPECT_EQ(problem("servers: [{x-free: 1}]"),
            "yaml:1:12: servers[0][\"x-free\"]: unknown key: there are host, port");
}

TEST(YamlError, a_key_twice_is_refused) {
  EXPECT_EQ(problem("open: true\nprice: 1\nopen: false"),
            "yaml:3:1: the key \"open\" appears twice, first in line 1");
  EXPECT_EQ(problem("{open: true, \"open\": true}"),
            "yaml:1:14: the key \"open\" appears twice, first in line 1");
  EXPECT_EQ((problem<std::map<int, int>>("16: 1\n0x10: 2")),
            "yaml:2:1: [\"0x10\"]: the key appears twice");
  EXPECT_EQ((problem<std::map<std::string, int>>("<<: {a: 1}\n<<: {b: 1}")),
            "yaml:2:1: the key \"<<\" appears twice, first in line 1");
}

TEST(YamlError, broken_yaml_is_told_in_the_words_of_yaml_cpp_with_the_place) {
  EXPECT_EQ(problem("open: true\n\tprice: 1", {.file = "a.yaml"}).find("a.yaml:2:1: not YAML: "),
            0u);
  EXPECT_EQ(problem("servers:\n  - a\n - b"), "yaml:3:2: not YAML: end of map not found");
  EXPECT_NE(problem("servers: [a, b").find("not YAML: end of sequence flow not found"),
            std::string::npos);
  EXPECT_EQ(problem("open: *nothing").find("yaml:1:7: not YAML: "), 0u);
  for (const char* text : {"a: \"x\n\n\n", "a: 'x\n\n", "a: 'it''\n\n", "a: \"x\\\"\n\n"}) {
    EXPECT_NE((problem<std::map<std::string, std::string>>(text)), "none") << text;
  }
  EXPECT_EQ(problem("open: \"a"), "yaml:1:9: not YAML: illegal EOF in scalar");
}

TEST(YamlError, what_yaml_allows_and_a_configuration_does_not_is_refused) {
  EXPECT_EQ(problem("open: true\n---\nopen: false"),
            "yaml:2:1: a second document begins here: a configuration is one document");
  EXPECT_EQ(problem("open: !secret x"),
            "yaml:1:7: the tag !secret means nothing here: leave it out");
  EXPECT_EQ(problem("limit: !!int 3"),
            "yaml:1:8: the tag !!int is not for here: leave it out, the type of the field decides");
  EXPECT_EQ(problem("? [a]\n: 1"),
            "yaml:1:3: a key must be a text, got a list: write it in quotes");
  EXPECT_EQ(problem("~: 1").find("yaml:1:1: a key must be a text, got nothing (null)"), 0u);
  EXPECT_EQ(problem("stock: &a {x: *a}"), "yaml:1:15: an alias inside what it stands for");
  EXPECT_EQ(problem("stock: {<<: 1}"),
            "yaml:1:13: a merge key << takes a map or a list of maps, got \"1\"");
}

TEST(YamlError, bytes_that_are_no_text_are_refused_with_their_place) {
  using namespace std::string_view_literals;
  EXPECT_EQ(problem("open: true\nx\x04y"sv),
            "yaml:2:2: the control character 4 cannot stand in YAML: write it in double quotes as "
            "\\x and two hexadecimal digits");
  EXPECT_EQ(problem("o\0p\0e\0"sv).find("yaml:1:2: the control character 0"), 0u);
  EXPECT_EQ(problem("open: true\nab\xC3(: 1"),
            "yaml:2:3: this is not UTF-8: save the text as UTF-8");
  EXPECT_EQ(problem("\xFF\xFEo"), "yaml:1:1: this is not UTF-8: save the text as UTF-8");
  EXPECT_EQ(problem("\xEF\xBB\xBFopen: true"), "none") << "a byte order mark is fine";
  EXPECT_EQ(problem("\xEF\xBB\xBF\"open\": true"), "none") << "and not counted";
}

TEST(YamlLimits, depth_counts_lists_maps_and_what_aliases_bring) {
  YamlOptions options;
  options.limits.max_depth = 3;
  EXPECT_EQ(code_of<Json>("[[[1]]]", options), Code::ok);
  EXPECT_EQ(problem<Json>("[[[[1]]]]", options), "yaml:1:4: nested too deeply (max_depth is 3)");
  EXPECT_EQ(problem<Json>("- - - - 1", options), "yaml:1:7: nested too deeply (max_depth is 3)");
  EXPECT_EQ(code_of<Json>("- &a [[1]]\n- *a", options), Code::ok);
  EXPECT_EQ(problem<Json>("- &a [[1]]\n- [*a]", options),
            "yaml:2:4: nested too deeply (max_depth is 3)");
  EXPECT_EQ(code_of<Json>(repeated("[", 100'000)), Code::resource_exhausted);
  EXPECT_EQ(code_of<Json>(repeated("- ", 100'000)), Code::resource_exhausted);
  EXPECT_EQ(code_of<Json>(repeated("{a: ", 100'000)), Code::resource_exhausted);
  EXPECT_EQ(code_of<Json>(repeated("? ", 100'000)), Code::resource_exhausted);
}

TEST(YamlLimits, aliases_cannot_grow_beyond_max_nodes_and_max_bytes) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int k = 0; k < 9; ++k) bomb.append(", ").append(last);
    bomb += "]\n";
  }
  EXPECT_EQ(problem<Json>(bomb),
            "yaml:5:45: too many values, aliases put in place (max_nodes is 100000)");
  std::string text = "- &a " + std::string(100'000, 'x') + "\n";
  EXPECT_EQ(code_of<Json>(text + repeated("- *a\n", 30)), Code::ok);
  EXPECT_EQ(problem<Json>(text + repeated("- *a\n", 50)),
            "yaml:42:3: too much text, aliases put in place (max_bytes is 4194304)");
  std::string merges = "x: &m {";
  for (int i = 0; i < 1'000; ++i) merges += "k" + std::to_string(i) + ": 1, ";
  merges += "}\ny:\n" + repeated("  - {<<: *m}\n", 1'000);
  EXPECT_EQ(code_of<Json>(merges), Code::resource_exhausted);
}

TEST(YamlLimits, each_limit_has_a_name_and_two_values_differ) {
  YamlOptions options;
  options.limits.max_elements = 2;
  EXPECT_EQ(code_of<Json>("[1, 2]", options), Code::ok);
  EXPECT_EQ(problem<Json>("[1, 2, 3]", options), "yaml:1:8: too many elements (max_elements is 2)");
  EXPECT_EQ(code_of<Json>("{a: 1, b: 1}", options), Code::ok);
  EXPECT_EQ(code_of<Json>("{a: 1, b: 1, c: 1}", options), Code::resource_exhausted);
  options = {};
  options.limits.max_string_bytes = 3;
  EXPECT_EQ(code_of<std::string>("abc", options), Code::ok);
  EXPECT_EQ(problem<std::string>("abcd", options),
            "yaml:1:1: a text of 4 bytes (max_string_bytes is 3)");
  options = {};
  options.limits.max_bytes = 3;
  EXPECT_EQ(code_of<std::string>("abc", options), Code::ok);
  EXPECT_EQ(problem<std::string>("abcd", options), "yaml: 4 bytes (max_bytes is 3)");
  options = {};
  options.max_nodes = 3;
  EXPECT_EQ(code_of<Json>("[1, 2]", options), Code::ok);
  EXPECT_EQ(code_of<Json>("[1, 2, 3]", options), Code::resource_exhausted);
}

void go_deep() {
  for (const std::size_t depth : {std::size_t{64}, std::size_t{5'000}}) {
    const std::string flow = repeated("[", depth) + repeated("]", depth);
    const std::string block = repeated("- ", depth) + "1";
    const std::string maps = repeated("{kids: [", depth / 2) + repeated("]}", depth / 2);
    EXPECT_EQ(decode_yaml<Json>(flow).has_value(), depth == 64);
    EXPECT_EQ(decode_yaml<Json>(block).has_value(), depth == 64);
    EXPECT_EQ(decode_yaml<Tree>(maps).has_value(), depth == 64);
    const auto document = YamlDocument::parse(maps);
    EXPECT_EQ(document.has_value(), depth == 64);
    if (document) {
      EXPECT_EQ(PathQuery::compile("**./^kid/")->find(*document).size(), 32u);
    }
  }
}

TEST(YamlLimits, the_default_depth_fits_the_stack_that_is_promised) {
  if (testing::frames_are_widened) GTEST_SKIP() << "a sanitizer widens every frame";
  EXPECT_LT(testing::stack_used_by(&go_deep), std::size_t{128} << 10);
}

}  // namespace
}  // namespace parley::codec
