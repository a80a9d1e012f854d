#include "parley/http/url.h"

#include <gtest/gtest.h>

#include <string>

namespace parley::http {
namespace {

TEST(Url, is_divided_into_what_is_dialled_and_what_is_asked) {
  const auto url = Url::parse("HTTPS://Shop.Example:8443/tea%20pot/?sort=price&x#part");
  ASSERT_TRUE(url) << url.error();
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "shop.example");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->target(), "/tea%20pot/?sort=price&x");
  EXPECT_EQ(url->authority(), "shop.example:8443");
  EXPECT_EQ(url->to_string(), "https://shop.example:8443/tea%20pot/?sort=price&x");
}

TEST(Url, what_is_usual_is_left_out_and_an_empty_query_kept) {
  const auto plain = Url::parse("http://shop.example:80");
  ASSERT_TRUE(plain) << plain.error();
  EXPECT_EQ(plain->to_string(), "http://shop.example/");
  EXPECT_EQ(Url::parse("https://shop.example")->port, 443);
  EXPECT_EQ(Url::parse("https://shop.example:443/")->authority(), "shop.example");
  EXPECT_EQ(Url::parse("http://shop.example:443/")->authority(), "shop.example:443");
  EXPECT_EQ(Url::parse("http://shop.example:/a?")->to_string(), "http://shop.example/a?");
  const auto number = Url::parse("http://[2001:DB8:0::1]:8080/");
  ASSERT_TRUE(number) << number.error();
  EXPECT_EQ(number->host, "2001:db8::1");
  EXPECT_EQ(number->authority(), "[2001:db8::1]:8080");
}

TEST(Url, what_no_request_can_be_sent_to_is_refused_and_says_why) {
  struct Refused {
    std::string text;
    std::string why;
  };
  const Refused all[] = {
      {"shop.example/tea", "neither http:// nor https://"},
      {"ftp://shop.example/", "neither http:// nor https://"},
      {"http:/tea", "has no host"},
      {"http://", "no valid host"},
      {"http://:80/", "no valid host"},
      {"http://tea:secret@shop.example/", "user name"},
      {"http://shop.example:65536/", "no valid host"},
      {"http://shop.example:0/", "port 0"},
      {"http://shop.example:+80/", "no valid host"},
      {"http://[::1/", "no valid host"},
      {"http://sh%6fp.example/", "no valid host"},
      {"http://shop example/", "no valid host"},
      {"http://shop.example/tea pot", "in its path"},
      {"http://shop.example/\r\nHost: x", "in its path"},
      {"http://shop.example/?a\nb", "in its query"},
      {"http://shop.example/%2", "without two hex digits"},
      {"http://shop.example\\@evil.example/", "user name"},
      {"http://shop.example/" + std::string(Url::most_bytes, 'a'), "more than 8192"},
  };
  for (const Refused& refused : all) {
    const auto url = Url::parse(refused.text);
    ASSERT_FALSE(url) << refused.text;
    EXPECT_EQ(url.error().code(), Code::invalid_argument);
    EXPECT_NE(url.error().message().find(refused.why), std::string::npos) << url.error();
    EXPECT_EQ(url.error().message().find("secret"), std::string::npos) << url.error();
  }
}

struct Reference {
  const char* reference;
  const char* target;
};

// RFC 3986 5.4.1 and 5.4.2, of "http://a/b/c/d;p?q".
constexpr Reference of_the_rfc[] = {
    {"g:h", "g:h"},
    {"g", "http://a/b/c/g"},
    {"./g", "http://a/b/c/g"},
    {"g/", "http://a/b/c/g/"},
    {"/g", "http://a/g"},
    {"//g", "http://g"},
    {"?y", "http://a/b/c/d;p?y"},
    {"g?y", "http://a/b/c/g?y"},
    {"#s", "http://a/b/c/d;p?q#s"},
    {"g#s", "http://a/b/c/g#s"},
    {"g?y#s", "http://a/b/c/g?y#s"},
    {";x", "http://a/b/c/;x"},
    {"g;x", "http://a/b/c/g;x"},
    {"g;x?y#s", "http://a/b/c/g;x?y#s"},
    {"", "http://a/b/c/d;p?q"},
    {".", "http://a/b/c/"},
    {"./", "http://a/b/c/"},
    {"..", "http://a/b/"},
    {"../", "http://a/b/"},
    {"../g", "http://a/b/g"},
    {"../..", "http://a/"},
    {"../../", "http://a/"},
    {"../../g", "http://a/g"},
    {"../../../g", "http://a/g"},
    {"../../../../g", "http://a/g"},
    {"/./g", "http://a/g"},
    {"/../g", "http://a/g"},
    {"g.", "http://a/b/c/g."},
    {".g", "http://a/b/c/.g"},
    {"g..", "http://a/b/c/g.."},
    {"..g", "http://a/b/c/..g"},
    {"./../g", "http://a/b/g"},
    {"./g/.", "http://a/b/c/g/"},
    {"g/./h", "http://a/b/c/g/h"},
    {"g/../h", "http://a/b/c/h"},
    {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
    {"g;x=1/../y", "http://a/b/c/y"},
    {"g?y/./x", "http://a/b/c/g?y/./x"},
    {"g?y/../x", "http://a/b/c/g?y/../x"},
    {"g#s/./x", "http://a/b/c/g#s/./x"},
    {"g#s/../x", "http://a/b/c/g#s/../x"},
    {"http:g", "http:g"},
};

TEST(Url, references_resolve_as_the_examples_of_rfc_3986) {
  for (const Reference& one : of_the_rfc) {
    EXPECT_EQ(resolve_reference("http://a/b/c/d;p?q", one.reference), one.target) << one.reference;
  }
}

TEST(Url, a_location_leads_to_another_url_or_is_refused) {
  const auto url = *Url::parse("https://shop.example/a/b?c");
  EXPECT_EQ(url.resolve("d?e#f")->to_string(), "https://shop.example/a/d?e");
  EXPECT_EQ(url.resolve("//tea.example:8443")->to_string(), "https://tea.example:8443/");
  EXPECT_EQ(url.resolve("http://shop.example/")->scheme, "http");
  EXPECT_EQ(url.resolve("mailto:tea@shop.example").error().code(), Code::invalid_argument);
  EXPECT_EQ(url.resolve("//a:b@tea.example/").error().code(), Code::invalid_argument);
  EXPECT_EQ(url.resolve("/a b").error().code(), Code::invalid_argument);
}

TEST(Url, any_bytes_are_escaped_and_come_back) {
  EXPECT_EQ(percent_encoded("a b/\xC3\xA4~"), "a%20b%2F%C3%A4~");
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(*percent_decoded(percent_encoded(all)), all);
  EXPECT_EQ(*percent_decoded("%2f+%2F"), "/+/");
  for (const char* bad : {"%", "%2", "a%zz", "%%20"}) {
    EXPECT_EQ(percent_decoded(bad).error().code(), Code::invalid_argument) << bad;
  }
}

}  // namespace
}  // namespace parley::http
