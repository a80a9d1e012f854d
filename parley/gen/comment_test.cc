#include "parley/gen/comment.h"

#include <gtest/gtest.h>

namespace parley::gen {
namespace {

using Lines = std::vector<std::string>;

TEST(GenComment, every_style_says_the_same) {
  const Lines said = {"Places an order.", "", "  Twice."};
  EXPECT_EQ(comment_lines("// Places an order.\n  //\n  //   Twice."), said);
  EXPECT_EQ(comment_lines("/// Places an order.\r\n///\r\n///   Twice.\r\n"), said);
  EXPECT_EQ(comment_lines("//! Places an order.\n//!\n//!   Twice."), said);
  EXPECT_EQ(comment_lines("/** Places an order.\n *\n *   Twice. */"), said);
  EXPECT_EQ(comment_lines("/**\n * Places an order.\n *\n *   Twice.\n **/"), said);
  EXPECT_EQ(comment_lines("/* Places an order. */"), Lines{"Places an order."});
  EXPECT_EQ(comment_lines("/***/"), Lines());
  EXPECT_EQ(comment_lines("//"), Lines());
  EXPECT_EQ(comment_lines(""), Lines());
}

TEST(GenComment, marks_are_taken_out) {
  Lines lines = {"Places.", " @route /a", "@router", "@route\t/b "};
  EXPECT_EQ(take_mark(lines, "route"), "/b ");
  EXPECT_EQ(lines, (Lines{"Places.", "@router"}));
  EXPECT_EQ(take_mark(lines, "local"), std::nullopt);
  Lines bare = {"@local"};
  EXPECT_EQ(take_mark(bare, "local"), "");
  EXPECT_TRUE(bare.empty());
}

TEST(GenComment, no_backslash_draws_code_into_a_comment) {
  EXPECT_EQ(as_comment(Lines{"a \\", "", "b\\ \\"}, "  ", "\n"), "  // a\n  //\n  // b\n");
  EXPECT_EQ(as_comment(Lines{"a"}, "\t", "\r\n"), "\t// a\r\n");
}

TEST(GenComment, text_joins_lines_and_keeps_paragraphs) {
  EXPECT_EQ(as_text(Lines{"One", " two.", "", "Three."}), "One two.\nThree.");
  EXPECT_EQ(as_text(Lines{}), "");
}

TEST(GenComment, a_literal_is_the_text_whatever_it_holds) {
  EXPECT_EQ(as_literal("a\"b\\c\td\x01"
                       "2\xc3\xa9",
                       ""),
            "\"a\\\"b\\\\c\\td\\0012\xc3\xa9\"");
  EXPECT_EQ(as_literal("one\ntwo\n", "  "), "\"one\\n\"\n  \"two\\n\"");
  const std::string word = std::string(40, 'x') + " ";
  EXPECT_EQ(as_literal(word + word + word, ""), "\"" + word + word + "\"\n\"" + word + "\"");
}

}  // namespace
}  // namespace parley::gen
