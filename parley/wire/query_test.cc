#include "parley/wire/query.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace parley::wire {
namespace {

std::string encoded(const Metadata& metadata) {
  std::string text;
  append_query(text, metadata);
  EXPECT_EQ(text.size(), query_size(metadata));
  return text;
}

TEST(Query, writes_and_reads_the_text_of_the_golden_vector) {
  const Metadata metadata{{"author", "an d&=y"}};
  EXPECT_EQ(encoded(metadata), "author=an%20d%26%3Dy");
  EXPECT_EQ(decode_query("author=an%20d%26%3Dy").value(), metadata);
}

TEST(Query, leaves_exactly_the_unreserved_bytes_unescaped) {
  const std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
  for (int i = 0; i < 256; ++i) {
    const std::string one(1, static_cast<char>(i));
    std::string out = ">";
    append_escaped(out, one);
    const bool escaped = plain.find(one) == std::string_view::npos;
    EXPECT_EQ(out.size(), escaped ? 4u : 2u) << i;
    EXPECT_EQ(escaped_size(one), out.size() - 1) << i;
  }
  std::string out;
  append_escaped(out, "a/é\x01\xff z");
  EXPECT_EQ(out, "a%2F%C3%A9%01%FF%20z");
}

TEST(Query, reads_plus_as_a_space_and_hex_of_either_case) {
  EXPECT_EQ(decode_query("a+b=%2b%2B+c").value(), (Metadata{{"a b", "++ c"}}));
}

TEST(Query, keeps_repeated_keys_in_order) {
  const Metadata metadata{{"k", "1"}, {"other", ""}, {"k", "2"}, {"k", "1"}};
  EXPECT_EQ(encoded(metadata), "k=1&other=&k=2&k=1");
  EXPECT_EQ(decode_query("k=1&other=&k=2&k=1").value(), metadata);
}

TEST(Query, reads_keys_without_equals_and_skips_empty_pieces) {
  EXPECT_EQ(decode_query("&a&&b=&=v&=&c=1=2&").value(),
            (Metadata{{"a", ""}, {"b", ""}, {"", "v"}, {"", ""}, {"c", "1=2"}}));
  EXPECT_TRUE(decode_query("").value().empty());
  EXPECT_TRUE(decode_query("&&&").value().empty());
}

TEST(Query, an_empty_key_and_value_survive) {
  const Metadata metadata{{"", ""}, {"", "v"}};
  EXPECT_EQ(decode_query(encoded(metadata)).value(), metadata);
}

TEST(Query, a_malformed_escape_is_an_error_that_names_its_offset) {
  const auto message = [](std::string_view text) { return decode_query(text).error().message(); };
  EXPECT_EQ(message("a=b&c%zz=d"),
            "query text: malformed percent escape \"%zz\" at offset 5: '%' must be followed by two "
            "hex digits");
  EXPECT_NE(message("ab%").find("\"%\" at offset 2"), std::string::npos);
  EXPECT_NE(message("a=%4").find("\"%4\" at offset 2"), std::string::npos);
  EXPECT_NE(message("a=%4&b=1").find("\"%4\" at offset 2"), std::string::npos);
  EXPECT_NE(message("a=1&b=%\x01\n").find("\"%??\" at offset 6"), std::string::npos);
  EXPECT_EQ(decode_query("%").error().code(), Code::invalid_argument);
}

TEST(Query, the_number_of_entries_is_limited_by_name) {
  EXPECT_EQ(decode_query("a&b", {.max_entries = 2}).value().size(), 2u);
  const Status status = decode_query("a&b&c", {.max_entries = 2}).error();
  EXPECT_EQ(status.code(), Code::resource_exhausted);
  EXPECT_EQ(status.message(), "query text: more than max_entries (2) entries");
}

TEST(Query, any_metadata_survives_the_round_trip) {
  std::mt19937 random(3);
  const auto text = [&random] {
    std::string made(random() % 8, '\0');
    for (char& c : made) c = static_cast<char>(random());
    return made;
  };
  for (int round = 0; round < 2000; ++round) {
    Metadata metadata;
    for (std::size_t i = random() % 6; i > 0; --i) metadata.add(text(), text());
    ASSERT_EQ(decode_query(encoded(metadata)).value(), metadata);
  }
}

}  // namespace
}  // namespace parley::wire
