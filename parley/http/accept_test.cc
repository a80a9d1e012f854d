#include "parley/http/accept.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace parley::http {
namespace {

Headers with(std::string_view name, std::string_view value) {
  Headers headers;
  EXPECT_TRUE(headers.add(name, value).is_ok());
  return headers;
}

std::string type_for(std::string_view accept) {
  constexpr std::array<std::string_view, 4> offers = {"application/json", "text/html;level=1",
                                                      "text/html", "text/plain"};
  const auto best = choose_type(with("Accept", accept), offers);
  return best ? std::string(offers.at(*best)) : "none";
}

std::string language_for(std::string_view accept) {
  constexpr std::array<std::string_view, 3> offers = {"en", "de-CH", "fr"};
  const auto best = choose_language(with("Accept-Language", accept), offers);
  return best ? std::string(offers.at(*best)) : "none";
}

std::string coding_for(std::string_view accept) {
  constexpr std::array<std::string_view, 2> offers = {"zstd", "gzip"};
  const auto best = choose_coding(with("Accept-Encoding", accept), offers);
  return best ? std::string(offers.at(*best)) : "none";
}

TEST(Accept, is_read_with_weights_and_parameters) {
  Headers headers = with("Accept", "text/html;level=\"1,2\" ; q=0.25;x=y, */*");
  EXPECT_TRUE(headers.add("accept", ",a/b;q=0").is_ok());
  const auto all = preferences_of(headers, "Accept");
  ASSERT_TRUE(all.has_value()) << all.error();
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ((*all)[0].value, "text/html");
  EXPECT_EQ((*all)[0].parameters, ";level=\"1,2\"");
  EXPECT_EQ((*all)[0].weight, 250);
  EXPECT_EQ((*all)[1].weight, 1000);
  EXPECT_EQ((*all)[2].weight, 0);
}

TEST(Accept, that_breaks_the_rules_is_refused) {
  for (const auto* text : {"a/b;q=1.001", "a/b;q=2", "a/b;q=", "a/b;q=0.1234", "a/b;q=-1",
                           "a/b;q=.5", "a/b;q", "a b", "/", "*/b", "a/b/c"}) {
    EXPECT_EQ(preferences_of(with("Accept", text), "Accept").error().code(), Code::invalid_argument)
        << text;
    EXPECT_EQ(type_for(text), "application/json") << text;
  }
  std::string many = "a/b";
  for (std::size_t i = 1; i < max_preferences; ++i) many += ",a/b";
  EXPECT_TRUE(preferences_of(with("Accept", many), "Accept").has_value());
  EXPECT_EQ(preferences_of(with("Accept", many + ",a/b"), "Accept").error().code(),
            Code::resource_exhausted);
}

TEST(Accept, chooses_a_type_by_what_names_it_most_exactly) {
  EXPECT_EQ(type_for("*/*"), "application/json");
  EXPECT_EQ(type_for("text/*"), "text/html;level=1");
  EXPECT_EQ(type_for("text/*;q=0.5, text/plain"), "text/plain");
  EXPECT_EQ(type_for("text/html;q=0.3, text/html;level=1;q=0.2, */*;q=0.1"), "text/html");
  EXPECT_EQ(type_for("TEXT/HTML;level=1"), "text/html;level=1");
  EXPECT_EQ(type_for("text/html;level=2"), "none");
  EXPECT_EQ(type_for("*/*, application/json;q=0"), "text/html;level=1");
  EXPECT_EQ(type_for("image/png"), "none");
  EXPECT_EQ(choose_type({}, {}), std::nullopt);
}

TEST(Accept, chooses_a_language_and_what_is_near_it) {
  EXPECT_EQ(language_for("de"), "de-CH");
  EXPECT_EQ(language_for("fr-CA, de;q=0.5"), "de-CH");
  EXPECT_EQ(language_for("fr-CA-x"), "fr");
  EXPECT_EQ(language_for("de-AT"), "none");
  EXPECT_EQ(language_for("fr, *;q=0.5"), "fr");
  EXPECT_EQ(language_for("*, en;q=0"), "de-CH");
  EXPECT_EQ(language_for("d"), "none");
}

TEST(Accept, chooses_a_coding_only_where_one_is_asked_for) {
  EXPECT_EQ(coding_for("gzip"), "gzip");
  EXPECT_EQ(coding_for("x-gzip"), "gzip");
  EXPECT_EQ(coding_for("gzip, zstd"), "zstd");
  EXPECT_EQ(coding_for("gzip, zstd;q=0.9"), "gzip");
  EXPECT_EQ(coding_for("*"), "zstd");
  EXPECT_EQ(coding_for("*, zstd;q=0"), "gzip");
  EXPECT_EQ(coding_for("br"), "none");
  EXPECT_EQ(coding_for("gzip;q=0"), "none");
  EXPECT_EQ(coding_for("gzip;q=0.5, identity"), "none");
  EXPECT_EQ(coding_for(""), "none");
}

}  // namespace
}  // namespace parley::http
