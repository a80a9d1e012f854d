#include "parley/gen/route.h"

#include <gtest/gtest.h>

namespace parley::gen {
namespace {

TEST(GenRoute, names_become_snake_case_as_in_teleports_mapping) {
  EXPECT_EQ(snake_case("AaBb"), "aa_bb");
  EXPECT_EQ(snake_case("ABcXYZ"), "abc_xyz");
  EXPECT_EQ(snake_case("Aa__Bb"), "aa_bb");
  EXPECT_EQ(snake_case("aa__bb"), "aa_bb");
  EXPECT_EQ(snake_case("place_order"), "place_order");
  EXPECT_EQ(snake_case("HTTP2Server"), "http2_server");
  EXPECT_EQ(snake_case("_place_"), "place");
  EXPECT_EQ(snake_case(""), "");
}

TEST(GenRoute, what_is_no_route_is_refused_with_the_reason) {
  EXPECT_TRUE(check_route("/shop/place_order-2.b").is_ok());
  EXPECT_TRUE(check_route("/" + std::string(max_route - 1, 'a')).is_ok());
  const auto why = [](std::string_view route) { return check_route(route).message(); };
  EXPECT_EQ(why("shop"), "\"shop\" does not begin with a slash; write it as /shop/place_order");
  EXPECT_NE(why("").find("does not begin with a slash"), std::string::npos);
  EXPECT_NE(why("/").find("has an empty part"), std::string::npos);
  EXPECT_NE(why("/a//b").find("has an empty part"), std::string::npos);
  EXPECT_NE(why("/a b").find("a character other than"), std::string::npos);
  EXPECT_NE(why("/a\"b").find("a character other than"), std::string::npos);
  EXPECT_NE(why("/" + std::string(max_route, 'a')).find("longer than 255 bytes"),
            std::string::npos);
}

}  // namespace
}  // namespace parley::gen
