#include "parley/crypto/secret.h"

#include <sstream>

#include "parley/base/base64.h"
#include "parley/base/memory_files.h"
#include "parley/crypto/testing/vectors.h"

namespace parley::crypto {
namespace {

using testing::secret;

template <class T>
concept Printed = requires(std::ostream& out, const T& value) { out << value; };

TEST(Secret, is_not_printed_and_not_copied_by_mistake) {
  static_assert(!Printed<Secret> && Printed<Status>);
  static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
  static_assert(std::is_nothrow_move_constructible_v<Secret>);
  // What GoogleTest shows of a value that cannot be printed are the bytes of the object.
  EXPECT_EQ(::testing::PrintToString(secret("tea")).find("74-65-61"), std::string::npos);
}

TEST(Secret, holds_and_compares_bytes) {
  const Secret one = secret(std::string("a\0b", 3));
  EXPECT_EQ(one.size(), 3u);
  EXPECT_EQ(one.reveal(), std::string_view("a\0b", 3));
  EXPECT_TRUE(one.equals(std::string_view("a\0b", 3)));
  EXPECT_FALSE(one.equals("a"));
  EXPECT_TRUE(one == one.clone());
  EXPECT_FALSE(one == secret("abc"));
  EXPECT_TRUE(Secret() == secret(""));
  EXPECT_TRUE(Secret().empty());
  EXPECT_FALSE(one.empty());
}

TEST(Secret, leaves_nothing_where_it_was_moved_from) {
  Secret one = secret("one");
  Secret two = std::move(one);
  EXPECT_TRUE(one.empty());
  EXPECT_EQ(two.reveal(), "one");
  Secret three = secret("three");
  three = std::move(two);
  EXPECT_EQ(three.reveal(), "one");
  Secret& same = three;
  three = std::move(same);
  EXPECT_EQ(three.reveal(), "one");
}

TEST(Secret, is_read_from_hex_and_base64) {
  EXPECT_EQ(Secret::from_hex("00ffA5")->reveal(), std::string_view("\0\xff\xa5", 3));
  EXPECT_EQ(Secret::from_base64("AP+l")->reveal(), std::string_view("\0\xff\xa5", 3));
  EXPECT_EQ(Secret::from_base64("AP-l")->reveal(), std::string_view("\0\xff\xa5", 3));
  EXPECT_EQ(Secret::from_base64("dGVhcw")->reveal(), "teas");
  EXPECT_EQ(Secret::from_base64("dGVhcw==")->reveal(), "teas");
  EXPECT_TRUE(Secret::from_hex("")->empty());
}

// A secret that is nearly right is the likely mistake, so no error may show a part of it.
TEST(Secret, an_error_says_what_is_wrong_and_does_not_show_it) {
  const std::string hex = "c0ffee0123456789c0ffee012345678q";
  const Status status = Secret::from_hex(hex).error();
  EXPECT_EQ(status.code(), Code::invalid_argument);
  EXPECT_NE(status.message().find("place 32 of 32"), std::string::npos) << status;
  for (const Status& error :
       {status, Secret::from_hex(hex.substr(1)).error(), Secret::from_base64(hex + "?").error()}) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    EXPECT_EQ(error.to_string().find("c0ff"), std::string::npos) << error;
    EXPECT_EQ(error.to_string().find("0123"), std::string::npos) << error;
    EXPECT_EQ(error.to_string().find('q'), std::string::npos) << error;
  }
}

TEST(Secret, longer_than_max_bytes_is_refused) {
  const std::string most(Secret::max_bytes, 's');
  std::string base64;
  append_base64(base64, most);
  EXPECT_TRUE(Secret::copy_of(most));
  EXPECT_TRUE(Secret::from_hex(testing::to_hex(most)));
  EXPECT_TRUE(Secret::from_base64(base64));
  EXPECT_TRUE(Secret::random(most.size()));
  base64.clear();
  append_base64(base64, most + 's');
  EXPECT_EQ(Secret::copy_of(most + 's').error().code(), Code::invalid_argument);
  EXPECT_EQ(Secret::from_hex(testing::to_hex(most + 's')).error().code(), Code::invalid_argument);
  EXPECT_EQ(Secret::from_base64(base64).error().code(), Code::invalid_argument);
  EXPECT_EQ(Secret::from_base64(std::string(100'000, 'A')).error().code(), Code::invalid_argument);
  EXPECT_EQ(Secret::random(most.size() + 1).error().code(), Code::invalid_argument);
}

TEST(Secret, is_read_from_a_file_in_each_form) {
  MemoryFiles files;
  const auto read = [&](std::string_view content, SecretForm form) {
    EXPECT_TRUE(replace_file(files, "/key", content).is_ok());
    return Secret::from_file(files, "/key", form);
  };
  EXPECT_EQ(read("746561\n", SecretForm::hex)->reveal(), "tea");
  EXPECT_EQ(read(" \t746561\r\n\n", SecretForm::hex)->reveal(), "tea");
  EXPECT_EQ(read("dGVhcw==\n", SecretForm::base64)->reveal(), "teas");
  EXPECT_EQ(read("746561\n", SecretForm::raw)->reveal(), "746561\n");

  for (const SecretForm form : {SecretForm::hex, SecretForm::base64, SecretForm::raw}) {
    const Status empty = read("", form).error();
    EXPECT_EQ(empty.code(), Code::invalid_argument);
    EXPECT_NE(empty.message().find("/key"), std::string::npos) << empty;
  }
  const Status wrong = read("74 65", SecretForm::hex).error();
  EXPECT_EQ(wrong.code(), Code::invalid_argument);
  EXPECT_NE(wrong.message().find("/key"), std::string::npos) << wrong;
  EXPECT_EQ(wrong.message().find("74"), std::string::npos) << wrong;
  EXPECT_EQ(read(std::string(Secret::max_bytes + 1, 's'), SecretForm::raw).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(read(std::string(100'000, 's'), SecretForm::raw).error().code(),
            Code::resource_exhausted);
  EXPECT_EQ(Secret::from_file(files, "/other", SecretForm::raw).error().code(), Code::not_found);
}

TEST(Secret, random_ones_differ) {
  const Secret one = Secret::random(32).value();
  EXPECT_EQ(one.size(), 32u);
  EXPECT_FALSE(one == Secret::random(32).value());
  EXPECT_FALSE(one == Secret::zeros(32));
}

TEST(Secret, is_written_in_place) {
  Secret key = Secret::zeros(3);
  EXPECT_EQ(key.reveal(), std::string_view("\0\0\0", 3));
  std::ranges::copy(std::string_view("tea"), key.writable().begin());
  EXPECT_EQ(key.reveal(), "tea");
  EXPECT_DEATH((void)Secret::zeros(Secret::max_bytes + 1), "max_bytes");
}

}  // namespace
}  // namespace parley::crypto
