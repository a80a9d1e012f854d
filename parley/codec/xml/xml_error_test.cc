// What is no XML, what does not fit, and limits.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "parley/codec/testing/sample.h"
#include "parley/codec/testing/small_stack.h"
#include "parley/codec/xml/xml.h"

namespace parley::codec::xml_error_test {
namespace {

using namespace std::string_literals;
using testing::Sample;
using testing::Tree;

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (; count > 0; --count) out += text;
  return out;
}

std::string problem(std::string_view text) { return validate_xml(text).message(); }

template <class T>
std::string problem_of(std::string_view text, const XmlOptions& options = {}) {
  const auto read = decode_xml<T>(text, {}, options);
  return read ? "none" : read.error().message();
}

struct Case {
  std::string text;
  std::string_view message;
};

void expect_problems(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(problem(one.text), one.message) << one.text;
    EXPECT_EQ(validate_xml(one.text).code(), Code::invalid_argument);
    EXPECT_EQ(problem_of<Sample>(one.text), one.message) << "decoding says the same";
  }
}

TEST(XmlError, what_is_not_well_formed_is_told_with_line_and_column) {
  expect_problems({
      {"", "$: expected an element, got the end of the text (line 1, column 1)"},
      {" \n", "$: expected an element, got the end of the text (line 2, column 1)"},
      {"tea", "$: expected an element, got text (line 1, column 1)"},
      {"<a/>\ntea", "$: text behind the root element (line 2, column 1)"},
      {"<a/><b/>", "$: a second root element (line 1, column 5)"},
      {"<a>\n<b>", "$: the text ends inside <b> (line 2, column 4)"},
      {"<a></b>", "$: </b> where </a> was expected (line 1, column 4)"},
      {"<a/></a>", "$: </a> closes nothing (line 1, column 5)"},
      {"</a>", "$: </a> closes nothing (line 1, column 1)"},
      {"<a></a", "$: expected '>' at the end of the tag (line 1, column 7)"},
      {"<a></ a>", "$: expected the name of an element behind '</' (line 1, column 6)"},
      {"< a/>", "$: expected the name of an element behind '<' (line 1, column 2)"},
      {"<1/>", "$: expected the name of an element behind '<' (line 1, column 2)"},
      {"<a", "$: the tag is not closed (line 1, column 1)"},
      {"<a b='1'c='2'/>", "$: expected a space, '>' or '/>' in the tag (line 1, column 9)"},
      {"<a =/>", "$: expected an attribute, '>' or '/>' in the tag (line 1, column 4)"},
      {"<a / >", "$: expected an attribute, '>' or '/>' in the tag (line 1, column 4)"},
      {"<a b/>", "$: expected '=' behind the name of an attribute (line 1, column 5)"},
      {"<a b=1/>", "$: expected a value in quotes (line 1, column 6)"},
      {"<a b=", "$: expected a value in quotes (line 1, column 6)"},
      {"<a b='1/>", "$: the quote is not closed (line 1, column 6)"},
      {"<a b='<'/>", "$: '<' in the value of an attribute: write &lt; (line 1, column 7)"},
      {"<a b='1' c='2'\nb='3'/>", "$: the attribute 'b' appears twice (line 1, column 1)"},
      {"<a>]]></a>", "$: ']]>' outside of CDATA: write ]]&gt; (line 1, column 4)"},
      {"<a><![CDATA[x]]</a>", "$: CDATA is not closed (line 1, column 4)"},
      {"<![CDATA[x]]><a/>", "$: CDATA outside the root element (line 1, column 1)"},
      {"<!-- x -- ><a/>", "$: '--' inside a comment (line 1, column 8)"},
      {"<!-- x ><a/>", "$: the comment is not closed (line 1, column 1)"},
      {"<!a/>", "$: expected a comment or CDATA behind '<!' (line 1, column 1)"},
      {"<?p <a/>", "$: the instruction is not closed (line 1, column 1)"},
      {"<? p?><a/>", "$: expected the name of an instruction behind '<?' (line 1, column 3)"},
      {"<?p+?><a/>", "$: expected a space behind the name (line 1, column 4)"},
  });
}

TEST(XmlError, entities_are_the_five_and_characters_that_there_are) {
  expect_problems({
      {"<a>&</a>", "$: an '&' that begins nothing: write &amp; (line 1, column 4)"},
      {"<a>& b;</a>", "$: an '&' that begins nothing: write &amp; (line 1, column 4)"},
      {"<a>&lt</a>;", "$: an '&' that begins nothing: write &amp; (line 1, column 4)"},
      {"<a b='&x'/>", "$: an '&' that begins nothing: write &amp; (line 1, column 7)"},
      {"<a>&nbsp;</a>",
       "$: the entity 'nbsp' is not known: there are lt, gt, amp, quot and apos (line 1, column "
       "4)"},
      {"<a>&#;</a>", "$: '&#;' is no character of XML 1.0 (line 1, column 4)"},
      {"<a>&#x;</a>", "$: '&#x;' is no character of XML 1.0 (line 1, column 4)"},
      {"<a>&#0;</a>", "$: '&#0;' is no character of XML 1.0 (line 1, column 4)"},
      {"<a b='&#x1F;'/>", "$: '&#x1F;' is no character of XML 1.0 (line 1, column 7)"},
      {"<a>&#xD800;</a>", "$: '&#xD800;' is no character of XML 1.0 (line 1, column 4)"},
      {"<a>&#xFFFF;</a>", "$: '&#xFFFF;' is no character of XML 1.0 (line 1, column 4)"},
      {"<a>&#x110000;</a>", "$: '&#x110000;' is no character of XML 1.0 (line 1, column 4)"},
      {"<a>&#4294967361;</a>", "$: '&#4294967361;' is no character of XML 1.0 (line 1, column 4)"},
      {"<a>&#X41;</a>", "$: '&#X41;' is no character of XML 1.0 (line 1, column 4)"},
      {"<a>&#-1;</a>", "$: '&#-1;' is no character of XML 1.0 (line 1, column 4)"},
  });
  EXPECT_EQ(decode_xml<std::string>("<a>&#65;&#x42;&#x00043;&#x1F375;&apos;</a>").value(),
            "ABC\xF0\x9F\x8D\xB5'");
}

TEST(XmlError, a_document_type_is_refused_wherever_it_stands) {
  const std::string_view message =
      "$: a DOCTYPE is not read: it could define entities, which may grow without end "
      "(line 1, column ";
  std::string bomb = "<!DOCTYPE a [<!ENTITY x0 'ha'>";
  for (int i = 1; i < 30; ++i) {
    const std::string last = "&x" + std::to_string(i - 1) + ";";
    bomb += "<!ENTITY x" + std::to_string(i) + " '" + last + last + "'>";
  }
  bomb += "]><a>&x29;</a>";
  for (const std::string& text : {bomb, "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"s,
                                  "<a><!DOCTYPE b></a>"s, "<a/><!DOCTYPE a>"s}) {
    EXPECT_TRUE(problem(text).starts_with(message)) << problem(text);
  }
  EXPECT_EQ(decode_xml<std::string>("<a><![CDATA[<!DOCTYPE b>]]><!--<!DOCTYPE b>--></a>").value(),
            "<!DOCTYPE b>");
}

TEST(XmlError, only_utf_8_and_the_characters_of_xml_are_read) {
  expect_problems({
      {"<a>\xC3</a>", "$: this is not UTF-8 (line 1, column 4)"},
      {"<a>\n\xED\xA0\x80</a>", "$: this is not UTF-8 (line 2, column 1)"},
      {"<a b='\xC0\x80'/>", "$: this is not UTF-8 (line 1, column 7)"},
      {"<a>ü\x01</a>", "$: U+0001 is no character of XML 1.0 (line 1, column 6)"},
      {"<a/>\0"s, "$: U+0000 is no character of XML 1.0 (line 1, column 5)"},
      {"<a>\xEF\xBF\xBE</a>", "$: U+FFFE is no character of XML 1.0 (line 1, column 4)"},
      {"\xFE\xFF\0<"s, "$: UTF-16 and UTF-32 are not read: send UTF-8 (line 1, column 1)"},
      {"<\0a\0/\0>\0"s, "$: UTF-16 and UTF-32 are not read: send UTF-8 (line 1, column 1)"},
      {"<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
       "$: the encoding 'ISO-8859-1' is not read: send UTF-8 (line 1, column 42)"},
      {"<?xml version='1.1'?><a/>", "$: XML '1.1' is not read: only 1.0 is (line 1, column 20)"},
      {"<?xml encoding='utf-8'?><a/>",
       "$: expected version=\"1.0\" in the declaration (line 1, column 6)"},
      {"<?xml version='1.0' standalone='maybe'?><a/>",
       "$: standalone must be \"yes\" or \"no\" (line 1, column 39)"},
      {"<?xml version='1.0' what='1'?><a/>",
       "$: expected '?>' at the end of the declaration (line 1, column 21)"},
      {"<?xml version='1.0'encoding='utf-8'?><a/>",
       "$: expected a space in front of encoding (line 1, column 20)"},
      {" <?xml version='1.0'?><a/>",
       "$: an XML declaration stands at the very start, and once (line 1, column 2)"},
      {"<a/><?XML x?>",
       "$: an XML declaration stands at the very start, and once (line 1, column 5)"},
  });
  EXPECT_EQ(decode_xml<int>("\xEF\xBB\xBF<?xml version=\"1.0\" encoding='UTF-8' standalone='yes' ?>"
                            "\n<?p x?><!-- c --><a>1</a><!-- d -->\n<?q?>")
                .value(),
            1);
  EXPECT_EQ(problem_of<int>("\xEF\xBB\xBF<a>x</a>"),
            "$: expected an integer, got \"x\" (line 1, column 1)");
}

TEST(XmlError, what_does_not_fit_the_type_is_told_with_its_path) {
  const auto of = [](std::string_view inside) {
    return problem_of<Sample>("<s>\n" + std::string(inside) + "</s>");
  };
  EXPECT_EQ(of("<flag>1</flag>"), "$.flag: expected true or false, got \"1\" (line 2, column 1)");
  EXPECT_EQ(of("<i8>128</i8>"), "$.i8: 128 does not fit int8 (-128 to 127) (line 2, column 1)");
  EXPECT_EQ(of("<u8> -1</u8>"), "$.u8: -1 does not fit uint8 (0 to 255) (line 2, column 1)");
  EXPECT_EQ(of("<i32/>"), "$.i32: expected an integer, got nothing (line 2, column 1)");
  EXPECT_EQ(of("<i32>1 2</i32>"), "$.i32: expected an integer, got \"1 2\" (line 2, column 1)");
  EXPECT_EQ(of("<f64>1e999</f64>"), "$.f64: 1e999 does not fit double (line 2, column 1)");
  EXPECT_EQ(of("<text>a<b/></text>"),
            "$.text: expected a single value (string), got the element <b> (line 2, column 8)");
  EXPECT_EQ(of("<points/><points>\n<x>1</x><x>2</x></points>"),
            "$.points[1].x: the element appears twice (line 3, column 9)");
  EXPECT_EQ(of("<i32>1</i32><y:i32>1</y:i32>"),
            "$.i32: the element appears twice (line 2, column 13)");
  EXPECT_EQ(of("<numbers>1</numbers><numbers>x</numbers>"),
            "$.numbers[1]: expected an integer, got \"x\" (line 2, column 21)");
  EXPECT_EQ(of("<bits>no</bits>"),
            "$.bits[0]: expected true or false, got \"no\" (line 2, column 1)");
  EXPECT_EQ(of("<points>text</points>"),
            "$.points[0]: expected elements, got the text \"text\" (line 2, column 9)");
  EXPECT_EQ(of("text"), "$: expected elements, got the text \"text\" (line 1, column 4)");
  EXPECT_EQ(of("<grid><item>1</item></grid><grid/>"),
            "$.grid[0]: expected an array of 2 elements, got 1 (line 2, column 1)");
  EXPECT_EQ(of("<both><item>1</item><other/></both>"),
            "$.both: expected <item>, got <other> (line 2, column 21)");
  EXPECT_EQ(of("<i32 x:nil='true'/>"),
            "$.i32: nil is for std::optional and std::unique_ptr only: leave the element out "
            "(line 2, column 1)");
  EXPECT_EQ(of("<anything>{</anything>").substr(0, 20), "$.anything: no JSON:");
}

TEST(XmlError, entries_of_maps_have_one_key_each) {
  const auto of = [](std::string_view inside) {
    return problem_of<std::map<int, int>>("<m>" + std::string(inside) + "</m>");
  };
  EXPECT_EQ(of("<entry>1</entry>"), "$: expected the attribute key (line 1, column 4)");
  EXPECT_EQ(of("<item/>"), "$: expected <entry>, got <item> (line 1, column 4)");
  EXPECT_EQ(of("<entry key='x'/>"), "$.x: expected an integer, got \"x\" (line 1, column 16)");
  EXPECT_EQ(of("<entry key='1'>1</entry><entry key=' 1'>2</entry>"),
            "$[\" 1\"]: the key appears twice (line 1, column 28)");
  EXPECT_EQ(of("<entry key='1'>x</entry>"),
            "$[\"1\"]: expected an integer, got \"x\" (line 1, column 4)");
  EXPECT_EQ((problem_of<std::map<int, int>>("<m a='1'><entry key='1' b='2'>1</entry></m>")),
            "none");
  const XmlOptions strict{.refuse_unknown_fields = true};
  EXPECT_EQ((problem_of<std::map<int, int>>("<m><entry key='1' b='2'>1</entry></m>", strict)),
            "$[\"1\"].b: unknown attribute (refuse_unknown_fields is on) (line 1, column 19)");
}

template <class T>
Status limited(std::string_view text, const Limits& limits) {
  const auto read = decode_xml<T>(text, limits);
  return read ? Status() : read.error();
}

TEST(XmlLimits, each_limit_has_a_name_and_two_values_differ) {
  const auto expect_limit = [](std::string_view text, Limits limits, std::string_view message) {
    const Status status = limited<Sample>(text, limits);
    EXPECT_EQ(status.message(), message);
    EXPECT_EQ(status.code(), Code::resource_exhausted);
  };
  const std::string_view text = "<s><points><x>1</x><y>2</y></points><text>four</text></s>";
  EXPECT_TRUE(limited<Sample>(text, {.max_depth = 3}).is_ok());
  expect_limit(text, {.max_depth = 2}, "$: nested deeper than max_depth (2) (line 1, column 12)");
  EXPECT_TRUE(limited<Sample>(text, {.max_elements = 2}).is_ok());
  expect_limit(text, {.max_elements = 1},
               "$: more elements in one than max_elements (1) (line 1, column 20)");
  expect_limit("<s a='' b=''/>", {.max_elements = 1},
               "$: more attributes in one element than max_elements (1) (line 1, column 9)");
  EXPECT_TRUE(limited<Sample>(text, {.max_bytes = text.size()}).is_ok());
  expect_limit(text, {.max_bytes = 56},
               "$: the text has 57 bytes, more than max_bytes (56) (line 1, column 1)");
  EXPECT_TRUE(limited<Sample>(text, {.max_string_bytes = 6}).is_ok());
  for (const char* odd : {"<s><text>seven77</text></s>", "<s><text a='seven77'/></s>",
                          "<s><seven77/></s>", "<s><text><![CDATA[seven77]]></text></s>",
                          "<s><text seven77=''/></s>", "<s><?seven77?></s>"}) {
    const Status status = limited<Sample>(odd, {.max_string_bytes = 6});
    EXPECT_TRUE(
        status.message().starts_with("$: a text of 7 bytes, more than max_string_bytes (6)"))
        << status;
  }
  expect_limit("<s><text>four<!-- -->for</text></s>", {.max_string_bytes = 6},
               "$.text: a text of 7 bytes, more than max_string_bytes (6) (line 1, column 4)");
}

TEST(XmlLimits, writing_stops_at_the_depth_that_reading_stops_at) {
  Tree tree{"leaf", {}};
  for (int i = 0; i < 62; ++i) tree = Tree{"", {tree}};
  const std::string text = encode_xml(tree).value();
  EXPECT_EQ(decode_xml<Tree>(text).value(), tree);
  tree = Tree{"", {tree}};
  const auto deeper = encode_xml(tree);
  ASSERT_FALSE(deeper);
  EXPECT_EQ(deeper.error().code(), Code::resource_exhausted);
  EXPECT_TRUE(deeper.error().message().ends_with("nested deeper than max_depth (64)"));
  EXPECT_TRUE(encode_xml(tree, {.max_depth = 65}));
}

struct Node;
using Nodes = std::map<std::string, Node>;
struct Node {
  std::variant<std::monostate, std::unique_ptr<Node>, Nodes> next;
  std::pair<int, std::unique_ptr<Node>> pair;
};
struct Keeping {
  UnknownFields others;
};

// `inner` inside itself up to `depth` elements.
std::string deep(std::string_view before, std::string_view behind, std::size_t levels,
                 std::size_t depth) {
  return "<a>" + repeated(before, (depth - 1) / levels) + repeated(behind, (depth - 1) / levels) +
         "</a>";
}

void go_deep() {
  for (const std::size_t depth : {std::size_t{64}, std::size_t{100'000}}) {
    const bool is_good = depth == 64;
    const std::string kids = deep("<kids>", "</kids>", 1, depth);
    EXPECT_EQ(validate_xml(kids).is_ok(), is_good);
    const auto tree = decode_xml<Tree>(kids);
    EXPECT_EQ(tree.has_value(), is_good);
    if (tree) {
      EXPECT_FALSE(encode_xml(*tree)) << "the names inside are one deeper";
      EXPECT_TRUE(encode_xml(*tree, {.max_depth = 65}));
    }
    const auto kept = decode_xml<Keeping>(deep("<a>", "</a>", 1, depth));
    EXPECT_EQ(kept.has_value(), is_good);
    if (kept) {
      EXPECT_TRUE(encode_xml(*kept, {}, {.root = "a"}).value().ends_with("</a>"));
    }
    const std::string pointers = deep("<next><optional>", "</optional></next>", 2, depth);
    const std::string maps = deep("<next><map><entry key='1'>", "</entry></map></next>", 3, depth);
    const std::string pairs = deep("<pair><item>1</item><item>", "</item></pair>", 2, depth);
    for (const std::string& text : {pointers, maps, pairs}) {
      const auto node = decode_xml<Node>(text);
      EXPECT_EQ(node.has_value(), is_good) << node.error();
      if (node) {
        EXPECT_TRUE(encode_xml(*node, {.max_depth = 70}));
      }
    }
  }
}

TEST(XmlLimits, the_default_depth_fits_the_stack_that_is_promised) {
  if (testing::frames_are_widened) GTEST_SKIP() << "a sanitizer widens every frame";
  EXPECT_LT(testing::stack_used_by(&go_deep), std::size_t{52} << 10);
}

TEST(XmlError, no_cut_and_no_changed_byte_does_more_than_fail) {
  testing::Dice dice(17);
  Sample sample;
  sample.numbers = {1, 2};
  sample.stock = {{"a", 1}};
  sample.points = {{1, 2}};
  sample.maybe_text = "<&>";
  const std::string text = encode_xml(sample).value();
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_FALSE(decode_xml<Sample>(std::string_view(text).substr(0, cut))) << cut;
  }
  constexpr std::string_view bytes = "<>&;/'\"= a1:!-[]?\n\x01\xC3#x";
  std::size_t read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = text;
    for (std::size_t left = 1 + dice.below(3); left > 0; --left) {
      changed[dice.below(changed.size())] = bytes[dice.below(bytes.size())];
    }
    const auto value = decode_xml<Sample>(changed);
    read += value ? 1 : 0;
    if (value) {
      EXPECT_TRUE(encode_xml(*value)) << changed;
    }
  }
  EXPECT_GT(read, 100U);
  EXPECT_LT(read, 19'900U);
}

}  // namespace
}  // namespace parley::codec::xml_error_test
