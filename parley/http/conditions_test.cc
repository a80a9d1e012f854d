#include "parley/http/conditions.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

namespace parley::http {
namespace {

using Fields = std::initializer_list<std::pair<const char*, const char*>>;

constexpr const char* before = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* same = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* after = "Sun, 06 Nov 1994 08:49:38 GMT";

Request request_with(Fields fields, Method method = Method::get) {
  Request request;
  request.method = method;
  for (const auto& [name, value] : fields) {
    EXPECT_TRUE(request.headers.add(name, value).is_ok());
  }
  return request;
}

Validators strong() {
  return {.tag = EntityTag{"v7"},
          .modified = std::chrono::sys_seconds(std::chrono::seconds(784'111'777))};
}

Validators weak() {
  Validators now = strong();
  now.tag->is_weak = true;
  return now;
}

Verdict verdict(Fields fields, Method method = Method::get, const Validators& now = strong()) {
  return check_conditions(request_with(fields, method), now);
}

TEST(Conditions, tags_are_read_and_written_with_their_quotes) {
  EXPECT_EQ(parse_entity_tag("\"v7\"")->to_string(), "\"v7\"");
  EXPECT_EQ(parse_entity_tag("W/\"\"")->to_string(), "W/\"\"");
  for (const auto* text : {"", "v7", "\"", "w/\"v7\"", "\"a\"b\"", "\"a b\"", "W/ \"v7\"", "*"}) {
    EXPECT_EQ(parse_entity_tag(text).error().code(), Code::invalid_argument) << text;
  }
}

TEST(Conditions, if_match_compares_strongly_and_goes_before_the_date) {
  EXPECT_EQ(verdict({{"If-Match", "\"v6\", \"v7\""}}, Method::put), Verdict::proceed);
  EXPECT_EQ(verdict({{"If-Match", "\"v6\""}}, Method::put), Verdict::failed);
  EXPECT_EQ(verdict({{"If-Match", "\"v6\""}, {"If-Match", "\"v7\""}}), Verdict::proceed);
  EXPECT_EQ(verdict({{"If-Match", "W/\"v7\""}}), Verdict::failed);
  EXPECT_EQ(verdict({{"If-Match", "\"v7\""}}, Method::get, weak()), Verdict::failed);
  EXPECT_EQ(verdict({{"If-Match", "*"}}), Verdict::proceed);
  EXPECT_EQ(verdict({{"If-Match", "*"}}, Method::put, {.exists = false}), Verdict::failed);
  EXPECT_EQ(verdict({{"If-Match", "v7"}}), Verdict::failed);
  EXPECT_EQ(verdict({{"If-Match", "*, \"v7\""}}), Verdict::failed);
  EXPECT_EQ(verdict({{"If-Match", "\"v7\""}, {"If-Unmodified-Since", before}}), Verdict::proceed);
}

TEST(Conditions, if_unmodified_since_fails_what_was_changed_later) {
  EXPECT_EQ(verdict({{"If-Unmodified-Since", before}}, Method::put), Verdict::failed);
  EXPECT_EQ(verdict({{"If-Unmodified-Since", same}}, Method::put), Verdict::proceed);
  EXPECT_EQ(verdict({{"If-Unmodified-Since", "soon"}}, Method::put), Verdict::proceed);
}

TEST(Conditions, if_none_match_compares_weakly_and_goes_before_the_date) {
  EXPECT_EQ(verdict({{"If-None-Match", "W/\"v7\""}}), Verdict::not_modified);
  EXPECT_EQ(verdict({{"If-None-Match", "\"v7\""}}, Method::head, weak()), Verdict::not_modified);
  EXPECT_EQ(verdict({{"If-None-Match", "\"v7\""}}, Method::put), Verdict::failed);
  EXPECT_EQ(verdict({{"If-None-Match", "*"}}, Method::put), Verdict::failed);
  EXPECT_EQ(verdict({{"If-None-Match", "*"}}, Method::put, {.exists = false}), Verdict::proceed);
  EXPECT_EQ(verdict({{"If-None-Match", "\"v6\""}, {"If-Modified-Since", after}}), Verdict::proceed);
  EXPECT_EQ(verdict({{"If-None-Match", "junk"}}), Verdict::proceed);
  EXPECT_EQ(verdict({{"If-None-Match", "junk"}}, Method::put), Verdict::failed);
}

TEST(Conditions, if_modified_since_is_for_those_who_read) {
  EXPECT_EQ(verdict({{"If-Modified-Since", same}}), Verdict::not_modified);
  EXPECT_EQ(verdict({{"If-Modified-Since", before}}), Verdict::proceed);
  EXPECT_EQ(verdict({{"If-Modified-Since", same}}, Method::post), Verdict::proceed);
  EXPECT_EQ(verdict({{"If-Modified-Since", same}, {"If-Modified-Since", same}}), Verdict::proceed);
  EXPECT_EQ(verdict({{"If-Match", "\"v6\""}, {"If-Modified-Since", same}}), Verdict::failed);
  EXPECT_EQ(verdict({{"If-Match", "\"v6\""}}, Method::options), Verdict::proceed);
}

TEST(Conditions, if_range_asks_for_exactly_the_same_thing) {
  const auto wanted = [](Fields fields, const Validators& now = strong()) {
    return is_range_wanted(request_with(fields), now);
  };
  EXPECT_TRUE(wanted({}));
  EXPECT_TRUE(wanted({{"If-Range", "\"v7\""}}));
  EXPECT_FALSE(wanted({{"If-Range", "W/\"v7\""}}));
  EXPECT_FALSE(wanted({{"If-Range", "\"v7\""}}, weak()));
  EXPECT_TRUE(wanted({{"If-Range", same}}));
  EXPECT_FALSE(wanted({{"If-Range", after}}));
  EXPECT_FALSE(wanted({{"If-Range", "junk"}}));
  Validators fresh = strong();
  fresh.is_modified_strong = false;
  EXPECT_FALSE(wanted({{"If-Range", same}}, fresh));
}

}  // namespace
}  // namespace parley::http
