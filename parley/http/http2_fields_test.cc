// Fields as HTTP/2 sends and reads them: impl/http2_head.h.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/http/impl/http2_head.h"

namespace parley::http::impl {
namespace {

std::vector<std::pair<std::string, std::string>> all_of(const Http2Fields& fields) {
  std::vector<std::pair<std::string, std::string>> all;
  fields.each(
      [&](std::string_view name, std::string_view value) { all.emplace_back(name, value); });
  EXPECT_EQ(all.size(), fields.size());
  return all;
}

TEST(Http2Fields, names_are_in_lower_case_and_nothing_else_is_changed) {
  // Each byte at each place of a name that is taken eight bytes at a time, and of what is left.
  for (std::size_t at = 0; at < 11; ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string name =
          "Z@[`{\xC1"
          "aZ@[Z";
      name[at] = static_cast<char>(byte);
      Http2Fields fields;
      fields.add(name, name);
      std::string lower = name;
      for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      ASSERT_EQ(all_of(fields).front(), std::pair(lower, name)) << byte << " at " << at;
    }
  }
}

TEST(Http2Fields, come_back_in_their_order_whatever_their_size) {
  Http2Fields fields;
  std::vector<std::pair<std::string, std::string>> expected;
  for (std::size_t i = 0; i < 40; ++i) {
    expected.emplace_back("name-" + std::string(i * 7, 'n'), std::string(i * i * 3, 'v'));
    fields.add(expected.back().first, expected.back().second);
  }
  EXPECT_EQ(all_of(fields), expected);
  EXPECT_TRUE(fields.has("name-nnnnnnn"));
  EXPECT_FALSE(fields.has("name-n"));
  const Http2Fields moved = std::move(fields);
  EXPECT_EQ(all_of(moved), expected);
}

TEST(Http2Fields, are_used_again_for_another_head) {
  Http2Fields fields;
  Response response{.status = 404};
  ASSERT_TRUE(response.headers.add("Content-Type", "text/plain").is_ok());
  ASSERT_TRUE(fields.set_response(response, BodySize::of(3), true).is_ok());
  EXPECT_EQ(all_of(fields),
            (std::vector<std::pair<std::string, std::string>>{
                {":status", "404"}, {"content-type", "text/plain"}, {"content-length", "3"}}));
  ASSERT_TRUE(fields.set_response(Response{.status = 200}, BodySize::unknown(), true).is_ok());
  EXPECT_EQ(all_of(fields), (std::vector<std::pair<std::string, std::string>>{{":status", "200"}}));
  Headers trailers;
  ASSERT_TRUE(trailers.add("Grpc-Status", "0").is_ok());
  ASSERT_TRUE(fields.set_trailers(trailers).is_ok());
  EXPECT_EQ(all_of(fields),
            (std::vector<std::pair<std::string, std::string>>{{"grpc-status", "0"}}));
}

// Whether a request for it is taken.
bool takes_host(Http2HeadReader& reader, std::string_view host) {
  reader.begin();
  reader.take(":method", "GET");
  reader.take(":scheme", "https");
  reader.take(":path", "/");
  reader.take(":authority", host);
  Request request;
  return reader.end_request(request);
}

TEST(Http2HeadReader, a_host_is_looked_at_each_time_that_it_is_another_one) {
  const Http2Limits limits;
  Http2HeadReader reader(limits);
  EXPECT_TRUE(takes_host(reader, "shop.example"));
  EXPECT_TRUE(takes_host(reader, "shop.example"));
  EXPECT_FALSE(takes_host(reader, "shop example"));
  EXPECT_FALSE(takes_host(reader, "shop example")) << "a bad one is not remembered";
  EXPECT_TRUE(takes_host(reader, "other.example:8443"));
  EXPECT_FALSE(takes_host(reader, "other.example:x"));
  EXPECT_TRUE(takes_host(reader, "shop.example"));
}

TEST(Http2HeadReader, what_nobody_has_looked_at_is_looked_at) {
  const Http2Limits limits;
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"Upper", "x"}, {"a b", "x"}, {"", "x"}, {"name", " x"}, {"name", "x\n"}}) {
    Http2HeadReader reader(limits);
    reader.begin();
    reader.take(name, value);
    Headers trailers;
    EXPECT_FALSE(reader.end_trailers(trailers)) << name << ": " << value;
  }
}

}  // namespace
}  // namespace parley::http::impl
