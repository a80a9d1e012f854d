#include "parley/cli/body.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

namespace parley::cli {
namespace {

using Words = std::vector<std::string>;

std::string body(const Words& arguments) {
  const auto made = body_of(arguments);
  EXPECT_TRUE(made) << made.error();
  return made.value_or("");
}

std::string refusal(const Words& arguments) {
  const auto made = body_of(arguments);
  EXPECT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::invalid_argument);
  return made.error().message();
}

// A file that is gone when the test is.
class Scrap {
 public:
  explicit Scrap(const std::string& content)
      : path_(std::filesystem::path(testing::TempDir()) /
              ("body_test." + std::to_string(::getpid()) + "." +
               testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~Scrap() { std::filesystem::remove(path_); }
  Scrap(const Scrap&) = delete;
  Scrap& operator=(const Scrap&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(Body, none_one_and_several_arguments_differ) {
  EXPECT_EQ(body({}), "");
  EXPECT_EQ(body({"1"}), "1");
  EXPECT_EQ(body({"1", "2"}), "[1,2]");
  EXPECT_EQ(body({"[1,2]"}), "[1,2]");
  EXPECT_EQ(body({"[1,2]", "[]"}), "[[1,2],[]]");
  EXPECT_EQ(body({"{\"sku\":\"tea\"}", "-5", "null", "\"x\""}),
            "[{\"sku\":\"tea\"},-5,null,\"x\"]");
}

TEST(Body, a_bare_word_is_shown_with_its_quotes) {
  const std::string text = refusal({"1", "tea"});
  EXPECT_NE(text.find("argument 2 is not JSON: tea\n"), std::string::npos) << text;
  EXPECT_NE(text.find("inside those of the shell: '\"tea\"'"), std::string::npos) << text;
}

TEST(Body, a_quote_in_a_bare_word_survives_the_shell) {
  EXPECT_NE(refusal({"it's"}).find("'\"it'\\''s\"'"), std::string::npos);
}

TEST(Body, an_object_that_lost_its_quotes_is_shown_how_to_keep_them) {
  for (const char* argument : {"{sku:tea}", "{\"sku\":", "[1,", "\"tea", "{'sku':1}"}) {
    EXPECT_NE(refusal({argument}).find("'{\"sku\":\"tea\",\"quantity\":2}'"), std::string::npos)
        << argument;
  }
}

TEST(Body, two_values_in_one_argument_are_refused) {
  EXPECT_NE(refusal({"1 2"}).find("argument 1"), std::string::npos);
  EXPECT_NE(refusal({"1,2"}).find("argument 1"), std::string::npos);
  EXPECT_NE(refusal({""}).find("argument 1"), std::string::npos);
}

TEST(Body, what_is_json_beyond_a_limit_is_not_called_malformed) {
  const std::string deep = std::string(1000, '[') + std::string(1000, ']');
  const Status status = body_of(Words{deep}).error();
  EXPECT_EQ(status.code(), Code::resource_exhausted);
  EXPECT_TRUE(status.message().starts_with("argument 1: ")) << status;
  const Scrap file(deep);
  EXPECT_EQ(body_from_file(file.path()).error().code(), Code::resource_exhausted);
}

TEST(Body, a_long_argument_is_not_repeated_whole) {
  EXPECT_LT(refusal({"[" + std::string(100'000, 'x')}).size(), 1000u);
}

TEST(Body, comes_from_a_file_as_it_is) {
  const Scrap file("{ \"sku\" : \"tea\" }\n");
  const auto text = body_from_file(file.path());
  ASSERT_TRUE(text) << text.error();
  EXPECT_EQ(*text, "{ \"sku\" : \"tea\" }\n");
}

TEST(Body, an_empty_file_is_an_empty_body) {
  const Scrap file("");
  const auto text = body_from_file(file.path());
  ASSERT_TRUE(text) << text.error();
  EXPECT_EQ(*text, "");
}

TEST(Body, a_file_that_is_not_json_or_not_there_is_named) {
  const Scrap file("tea");
  EXPECT_EQ(body_from_file(file.path()).error().code(), Code::invalid_argument);
  const Status absent = body_from_file("/nowhere/order.json").error();
  EXPECT_EQ(absent.code(), Code::not_found);
  EXPECT_EQ(absent.message(), "cannot open /nowhere/order.json: No such file or directory");
  EXPECT_FALSE(body_from_file(testing::TempDir()));
}

TEST(Body, has_a_limit) {
  const Scrap file("\"" + std::string(max_body_bytes, 'x') + "\"");
  EXPECT_EQ(body_from_file(file.path()).error().code(), Code::resource_exhausted);
  const std::string half = "\"" + std::string(max_body_bytes / 2, 'x') + "\"";
  EXPECT_TRUE(body_of(Words{half}));
  EXPECT_EQ(body_of(Words{half, half}).error().code(), Code::resource_exhausted);
}

TEST(Body, a_file_without_end_is_not_read_to_its_end) {
  EXPECT_EQ(body_from_file("/dev/zero").error().code(), Code::resource_exhausted);
}

}  // namespace
}  // namespace parley::cli
