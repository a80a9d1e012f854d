#include "parley/base/base64.h"

#include <gtest/gtest.h>

#include <string>

namespace parley {
namespace {

std::string encoded(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

TEST(Base64, gives_the_examples_of_rfc_4648) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(encoded("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
}

TEST(Base64, reads_back_what_it_wrote_and_appends) {
  std::string all;
  for (int i = 0; i < 256; ++i) {
    all += static_cast<char>(i);
    std::string back = "old";
    ASSERT_TRUE(decode_base64(encoded(all), back));
    ASSERT_EQ(back, all);
  }
  std::string out = "x";
  append_base64(out, "foo");
  EXPECT_EQ(out, "xZm9v");
}

TEST(Base64, reads_both_alphabets_with_and_without_padding) {
  std::string back;
  for (const char* text : {"+/+/Zg==", "-_-_Zg==", "-_-_Zg", "+/-_Zg"}) {
    EXPECT_TRUE(decode_base64(text, back)) << text;
    EXPECT_EQ(back,
              "\xFB\xFF\xBF"
              "f")
        << text;
  }
}

TEST(Base64, refuses_what_no_bytes_give) {
  std::string back;
  for (const char* text : {"Z", "Zg=", "Z===", "====", "=",
                           "Zm9v====", "Zg==Zg==", "Z g=", "Zh==", "Zm9=", "Zm\n9", "Zm9vY"}) {
    EXPECT_FALSE(decode_base64(text, back)) << text;
  }
}

}  // namespace
}  // namespace parley
