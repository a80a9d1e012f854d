// Configuration as people write it, into types of every kind.
#include "parley/codec/yaml/yaml.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include "parley/base/memory_files.h"
#include "parley/codec/json.h"
#include "parley/codec/testing/as_views.h"
#include "parley/codec/testing/sample.h"

namespace parley::codec {
namespace yaml_test {

enum class Colour { red, green = 7, blue = -3 };

struct Server {
  std::string host = "0.0.0.0";
  std::uint16_t port = 8080;
  friend bool operator==(const Server&, const Server&) = default;
};

struct Shop {
  std::string name = "shop";
  std::vector<Server> servers;
  std::chrono::milliseconds timeout{500};
  std::map<std::string, Server> databases;
  std::optional<int> limit;
  bool open = false;
};

struct Circle {
  double radius = 0;
  friend bool operator==(const Circle&, const Circle&) = default;
};
using Shape = std::variant<std::monostate, Circle, std::string>;

struct Inner {
  int a = 1;
  int b = 2;
};
struct Marked {
  int id = 0;
  Inner inner;
  Shape shape;
  UnknownFields rest;
};
struct Loose {
  int a = 0;
};
struct Node {
  int value = 0;
  std::unique_ptr<Node> next;
};

class Money {
 public:
  std::int64_t cents = 0;
  Money() = default;
  explicit Money(std::int64_t amount) : cents(amount) {}
};

}  // namespace yaml_test
}  // namespace parley::codec

template <>
inline constexpr auto parley::fields<parley::codec::yaml_test::Marked> =
    parley::codec::field_rules<parley::codec::yaml_test::Marked>(
        parley::codec::field<&parley::codec::yaml_test::Marked::id>().required(),
        parley::codec::field<&parley::codec::yaml_test::Marked::inner>().flatten(),
        parley::codec::field<&parley::codec::yaml_test::Marked::shape>().flatten());
template <>
inline constexpr auto parley::fields<parley::codec::yaml_test::Loose> =
    parley::codec::field_rules<parley::codec::yaml_test::Loose>().on_unknown(
        parley::codec::OnUnknown::ignore);
template <>
struct parley::Representation<parley::codec::yaml_test::Money> {
  using Money = parley::codec::yaml_test::Money;
  static std::string encode(const Money& money) { return std::to_string(money.cents); }
  static Status decode(const std::string& text, Money& money) {
    if (!text.ends_with(" EUR")) return Status(Code::invalid_argument, "write it as 12 EUR");
    money.cents = std::stoll(text) * 100;
    return {};
  }
};

namespace parley::codec {
namespace {

using namespace yaml_test;
using namespace std::chrono;

template <class T>
T read(std::string_view text, const YamlOptions& options = {}) {
  auto value = decode_yaml<T>(text, options);
  EXPECT_TRUE(value) << value.error();
  return value ? std::move(*value) : T{};
}

template <class T>
std::string problem(std::string_view text, const YamlOptions& options = {}) {
  const auto value = decode_yaml<T>(text, options);
  return value ? "none" : value.error().message();
}

TEST(Yaml, a_configuration_becomes_a_struct_and_what_is_absent_keeps_its_default) {
  const Shop shop = read<Shop>(R"(
# the shop
name: Tea & more
timeout: 1m30s
servers:
  - {host: tea.example, port: 8443}
  - port: 0x50
databases:
  main: {host: db}
)");
  EXPECT_EQ(shop.name, "Tea & more");
  EXPECT_EQ(shop.timeout, 90s);
  EXPECT_EQ(shop.servers, (std::vector<Server>{{"tea.example", 8443}, {"0.0.0.0", 80}}));
  EXPECT_EQ(shop.databases.at("main").port, 8080);
  EXPECT_FALSE(shop.limit);
}

TEST(Yaml, an_empty_document_is_a_struct_of_defaults) {
  for (const char* text : {"", "# only this\n", "---\n", "{}", "~"}) {
    EXPECT_EQ(read<Shop>(text).name, "shop") << text;
    EXPECT_TRUE((read<std::map<std::string, int>>(text).empty())) << text;
  }
  EXPECT_EQ(problem<std::vector<int>>(""),
            "yaml:1:1: expected a list, got nothing (null): write a value, or leave the key out");
}

TEST(Yaml, the_type_of_the_field_decides_what_a_text_means) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(read<Texts>("[no, 1.20, 2026-11-21, true, 0644, \"null\", .inf, '']"),
            (Texts{"no", "1.20", "2026-11-21", "true", "0644", "null", ".inf", ""}));
  EXPECT_EQ(read<std::vector<bool>>("[true, True, FALSE]"), (std::vector<bool>{true, true, false}));
  EXPECT_EQ(read<std::vector<int>>("[17, -3, +4, 0x1F, 0o17, 0, -0]"),
            (std::vector<int>{17, -3, 4, 31, 15, 0, 0}));
  EXPECT_EQ(read<std::vector<double>>("[1, -1.5, .5, 2., 1e3, 01.5, -.inf]"),
            (std::vector<double>{1, -1.5, 0.5, 2, 1000, 1.5, -INFINITY}));
  EXPECT_TRUE(std::isnan(read<float>(".NaN")));
  EXPECT_EQ(read<std::uint64_t>("18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(read<std::uint64_t>("0xFFFFFFFFFFFFFFFF"), 18446744073709551615U);
  EXPECT_EQ(read<std::int64_t>("-9223372036854775808"), INT64_MIN);
}

TEST(Yaml, blocks_and_quotes_are_texts) {
  EXPECT_EQ(read<std::string>("|\n  a\n  b\n"), "a\nb\n");
  EXPECT_EQ(read<std::string>(">-\n  a\n  b\n"), "a b");
  EXPECT_EQ(read<std::string>(R"("a\tbé")"), "a\tbé");
  EXPECT_EQ(read<std::string>("'it''s'"), "it's");
  EXPECT_EQ(read<std::string>("!!str 17"), "17");
}

TEST(Yaml, durations_are_written_as_people_do) {
  EXPECT_EQ(read<milliseconds>("250ms"), 250ms);
  EXPECT_EQ(read<seconds>("1m30s"), 90s);
  EXPECT_EQ(read<seconds>("1d2h"), 26h);
  EXPECT_EQ(read<nanoseconds>("1s2ms3us4ns"), 1s + 2ms + 3us + 4ns);
  EXPECT_EQ(read<seconds>("1.5h"), 90min);
  EXPECT_EQ(read<nanoseconds>("1m0.000000001s"), 60s + 1ns);
  EXPECT_EQ(read<milliseconds>("1.500s"), 1500ms) << "as in JSON";
  EXPECT_EQ(read<seconds>("-3s"), -3s);
  EXPECT_EQ(read<milliseconds>("90s1500ms"), 91500ms);
  EXPECT_EQ(read<milliseconds>("\"250ms\""), 250ms);
  for (const char* text : {"s", "1", "1x", "1s1m", "1s1s", "1.5m3s", "1.s", "1 s", "--1s", "0.1ns",
                           "1.0000000001s", "9223372036854775808s", "99999999999999999999s"}) {
    EXPECT_NE(problem<seconds>(text).find("expected a duration as in 250ms or 1m30s"),
              std::string::npos)
        << text;
  }
  EXPECT_EQ(problem<seconds>("30"),
            "yaml:1:1: expected a duration as in 250ms or 1m30s, got \"30\": write the unit, d h m "
            "s ms us or ns");
  EXPECT_EQ(problem<nanoseconds>("200000d"),
            "yaml:1:1: \"200000d\" does not fit the unit and size of this duration");
}

TEST(Yaml, the_other_kinds_are_read_as_in_json_but_for_the_writing) {
  EXPECT_EQ(read<std::vector<Colour>>("[green, \"blue\", 0, -3]"),
            (std::vector<Colour>{Colour::green, Colour::blue, Colour::red, Colour::blue}));
  EXPECT_EQ(read<sys_seconds>("2026-11-21T09:30:00Z"),
            sys_seconds(sys_days(2026y / 11 / 21)) + 9h + 30min);
  EXPECT_EQ(read<std::vector<std::byte>>("!!binary |\n  Zm9v\n  YmFy\n").size(), 6u);
  EXPECT_EQ(read<std::set<int>>("[3, 1, 3]"), (std::set<int>{1, 3}));
  EXPECT_EQ(read<std::deque<int>>("- 3\n- 1"), (std::deque<int>{3, 1}));
  EXPECT_EQ((read<std::array<int, 2>>("[3, 1]")), (std::array<int, 2>{3, 1}));
  EXPECT_EQ((read<std::tuple<int, std::string>>("[3, no]")), std::tuple(3, "no"));
  EXPECT_EQ((read<std::map<int, bool>>("{1: true, \"2\": false}")),
            (std::map<int, bool>{{1, true}, {2, false}}));
  EXPECT_EQ((read<std::unordered_map<std::string, int>>("on: 1")).at("on"), 1);
  EXPECT_EQ(read<Shape>("Circle: {radius: 2}"), Shape(Circle{2}));
  EXPECT_EQ(read<Shape>("string: no"), Shape("no"));
  EXPECT_EQ(read<Shape>("null"), Shape());
  EXPECT_EQ(read<Money>("12 EUR").cents, 1200);
  EXPECT_EQ(read<Node>("{value: 1, next: {value: 2, next: ~}}").next->value, 2);
  const auto maybe = read<std::vector<std::optional<std::string>>>("[a, ~, null, \"null\", ]");
  EXPECT_EQ(maybe, (std::vector<std::optional<std::string>>{"a", {}, {}, "null"}));
}

TEST(Yaml, anything_can_be_kept_as_json) {
  EXPECT_EQ(read<Json>("{a: [1, 0x10, +2, .5, no, \"1\", ~, true, 1e3], 'b\"': {}}").text,
            R"({"a":[1,16,2,0.5,"no","1",null,true,1e3],"b\"":{}})");
  EXPECT_EQ(problem<Json>("a: [0644]"),
            "yaml:1:5: a[0]: 0644 begins with 0, which is octal to some and decimal to others: "
            "write 0o644 or 644");
  EXPECT_EQ(problem<Json>("a: .inf"), "yaml:1:4: a: JSON has no number .inf: write it in quotes");
}

TEST(Yaml, json_is_yaml_and_is_read_to_the_same_value) {
  testing::Dice dice(7);
  for (int i = 0; i < 30; ++i) {
    testing::Sample sample = dice.sample();
    const std::string text = indent_json(encode_json(sample).value());
    const auto back = decode_yaml<testing::Sample>(text);
    ASSERT_TRUE(back) << back.error() << "\n" << text;
    sample.anything = back->anything;  // numbers may be written in another way
    EXPECT_EQ(*back, sample);
  }
}

TEST(Yaml, anchors_aliases_and_merge_keys_are_put_in_place) {
  const Shop shop = read<Shop>(R"(
x-base: &base {host: base.example, port: 1}
servers:
  - *base
  - <<: *base
    port: 2
  - <<: [{port: 3}, *base]
databases: {a: *base}
)");
  EXPECT_EQ(shop.servers,
            (std::vector<Server>{{"base.example", 1}, {"base.example", 2}, {"base.example", 3}}));
  EXPECT_EQ(shop.databases.at("a").host, "base.example");
  EXPECT_EQ((read<std::map<std::string, int>>("{\"<<\": 1}").at("<<")), 1)
      << "in quotes it is a key like others";
}

TEST(Yaml, required_flattened_and_unknown_fields_follow_what_stands_beside_the_type) {
  const Marked marked = read<Marked>("{id: 4, b: 7, string: hi, more: [1, no], even: 0x10}");
  EXPECT_EQ(marked.inner.a, 1);
  EXPECT_EQ(marked.inner.b, 7);
  EXPECT_EQ(marked.shape, Shape("hi"));
  EXPECT_EQ(marked.rest.json, R"("more":[1,"no"],"even":16)");
  EXPECT_EQ(problem<Marked>("a: 1"), "yaml:1:1: id: the field is required and missing");
  EXPECT_EQ(problem<Marked>(""), "yaml:1:1: id: the field is required and missing");
  EXPECT_EQ(problem<Marked>("{id: 1, string: a, Circle: {}}"),
            "yaml:1:20: Circle: there is 'string' already, and only one of them");
  EXPECT_EQ(read<Loose>("{a: 1, b: 2}").a, 1);
  EXPECT_EQ(read<Server>("{prot: 1}", {.ignore_unknown_fields = true}).port, 8080);
  EXPECT_EQ(problem<Server>("{prot: 1}"), "yaml:1:2: prot: unknown key, did you mean 'port'?");
}

TEST(Yaml, nothing_is_left_of_the_object_decoded_into) {
  Shop shop{.name = "old",
            .servers = {{"a", 1}, {"b", 2}},
            .timeout = 3s,
            .databases = {{"x", {}}},
            .limit = 4,
            .open = true};
  ASSERT_TRUE(decode_yaml_into("servers: [{port: 9}]", shop).is_ok());
  EXPECT_EQ(shop.name, "shop");
  EXPECT_EQ(shop.servers, (std::vector<Server>{{"0.0.0.0", 9}}));
  EXPECT_EQ(shop.timeout, 500ms);
  EXPECT_TRUE(shop.databases.empty());
  EXPECT_FALSE(shop.limit);
  EXPECT_FALSE(shop.open);
}

TEST(Yaml, a_view_shows_the_text_itself_or_is_refused) {
  const std::string text = "[plain, \"quoted\", \"with\\nescape\"]";
  const auto two = decode_yaml<std::vector<std::string_view>>(text.substr(0, 0) + "[a]");
  ASSERT_TRUE(two) << two.error();
  const std::string good = "- plain\n- \"quoted\"\n";
  const auto views = decode_yaml<std::vector<std::string_view>>(good);
  ASSERT_TRUE(views) << views.error();
  EXPECT_EQ((*views)[0].data(), good.data() + 2) << "nothing was copied";
  EXPECT_EQ((*views)[1], "quoted");
  EXPECT_NE(problem<std::vector<std::string_view>>(text).find("without escapes"),
            std::string::npos);
  EXPECT_EQ(problem<std::string_view>("a", {.refuse_views = true}),
            "yaml:1:1: a view would show text that is gone: use std::string or a vector");
}

TEST(Yaml, escapes_beyond_ascii_become_utf8) {
  const auto text = decode_yaml<std::string>(R"("é\_\N\L\P\xA0\u00A0\U0001F600à\_")");
  ASSERT_TRUE(text) << text.error().to_string();
  EXPECT_EQ(*text, "é\u00A0\u0085\u2028\u2029\u00A0\u00A0\U0001F600à\u00A0");
  const auto key = decode_yaml<std::map<std::string, int>>(R"({"a\_b": 1})");
  ASSERT_TRUE(key) << key.error().to_string();
  EXPECT_EQ(key->begin()->first, "a\u00A0b");
}

TEST(Yaml, a_type_that_travels_as_a_view_may_have_escapes_and_base64) {
  const YamlOptions strict{.refuse_views = true};
  EXPECT_EQ(decode_yaml<testing::Label>("\"a\\nb, and so on for some bytes\"", strict).value().text,
            "a\nb, and so on for some bytes");
  EXPECT_EQ(decode_yaml<std::vector<testing::Label>>("[plain, 'it''s']", strict).value()[1].text,
            "it's");
  EXPECT_EQ(decode_yaml<testing::Blob>("Zm9v", strict).value().bytes.size(), 3U);
}

TEST(Yaml, a_file_is_read_through_the_seam_and_named_in_errors) {
  MemoryFiles files;
  ASSERT_TRUE(replace_file(files, "/shop.yaml", "name: a\nservers: [{}, {port: 70000}]\n").is_ok());
  const auto broken = load_yaml<Shop>(files, "/shop.yaml");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message(),
            "/shop.yaml:2:22: servers[1].port: 70000 does not fit uint16 (0 to 65535)");
  ASSERT_TRUE(replace_file(files, "/shop.yaml", "name: a").is_ok());
  EXPECT_EQ(load_yaml<Shop>(files, "/shop.yaml").value().name, "a");
  EXPECT_EQ(load_yaml<Shop>(files, "/none.yaml").error().code(), Code::not_found);
  YamlOptions small;
  small.limits.max_bytes = 6;
  EXPECT_EQ(load_yaml<Shop>(files, "/shop.yaml", small).error().code(), Code::resource_exhausted);
  EXPECT_NE((load_yaml<std::map<std::string, std::string_view>>(files, "/shop.yaml"))
                .error()
                .message()
                .find("a view would show text that is gone"),
            std::string::npos);
  const auto document = YamlDocument::load(files, "/shop.yaml");
  ASSERT_TRUE(document) << document.error();
  EXPECT_EQ(document->as<Shop>().value().name, "a");
}

}  // namespace
}  // namespace parley::codec
