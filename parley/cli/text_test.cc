#include "parley/cli/text.h"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

TEST(Text, control_characters_do_not_reach_a_terminal) {
  EXPECT_EQ(printable("tea\x1b[31m\x7f\r"), "tea\\x1b[31m\\x7f\\x0d");
  EXPECT_EQ(printable("two\nlines\tand a tab"), "two\nlines\tand a tab");
  EXPECT_EQ(printable("Grüße, 茶"), "Grüße, 茶");
}

TEST(Text, an_excerpt_is_cut_between_characters) {
  EXPECT_EQ(excerpt("short"), "short");
  EXPECT_EQ(excerpt(std::string(max_excerpt, 'x')), std::string(max_excerpt, 'x'));
  EXPECT_EQ(excerpt(std::string(max_excerpt + 1, 'x')), std::string(max_excerpt, 'x') + "...");
  const std::string cut_inside = std::string(max_excerpt - 1, 'x') + "茶";
  EXPECT_EQ(excerpt(cut_inside), std::string(max_excerpt - 1, 'x') + "...");
}

TEST(Text, an_excerpt_of_bytes_that_are_no_utf8_ends) {
  EXPECT_EQ(excerpt(std::string(1000, '\x80')), "...");
}

TEST(Text, a_shell_reads_a_quoted_text_back) {
  EXPECT_EQ(shell_quoted("\"tea\""), "'\"tea\"'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted(""), "''");
}

}  // namespace
}  // namespace parley::cli
