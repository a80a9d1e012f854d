#include "parley/codec/xml/xml.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "parley/codec/json.h"
#include "parley/codec/testing/as_views.h"
#include "parley/codec/testing/sample.h"
#include "parley/codec/xml/impl/xml_characters.h"

namespace parley::codec::xml_test {

using testing::Blob;
using testing::Dice;
using testing::Label;
using testing::Sample;
using testing::Tree;

enum class Colour { red, green = 7, blue = -3 };

struct Item {
  std::string tea;
  std::int32_t grams = 0;
  friend bool operator==(const Item&, const Item&) = default;
};
struct Address {
  std::string city;
  std::string state;
  friend bool operator==(const Address&, const Address&) = default;
};
struct Order {
  std::int64_t id = 0;
  bool open = false;
  std::string note;
  std::vector<Item> items;
  std::vector<std::string> tags;
  std::vector<std::int64_t> counts;
  std::vector<bool> flags;
  std::optional<std::string> maybe;
  std::unique_ptr<Item> gift;
  std::uint64_t big = 0;
  std::int8_t small = 0;
  double price = 0;
  Address to;
};
struct Price {
  std::string currency;
  std::int64_t cents = 0;
  friend bool operator==(const Price&, const Price&) = default;
};
struct Bill {
  Price total;
  std::vector<Price> parts;
  friend bool operator==(const Bill&, const Bill&) = default;
};

struct Circle {
  double radius = 0;
  friend bool operator==(const Circle&, const Circle&) = default;
};
using Shape = std::variant<std::monostate, Circle, std::string, std::vector<int>>;
struct Drawing {
  Shape shape;
  std::variant<std::monostate, Circle, std::vector<int>> flat;
  friend bool operator==(const Drawing&, const Drawing&) = default;
};

struct Lists {
  std::vector<std::string> plain = {"by", "default"};
  std::deque<int> deque{};
  std::set<int> set{};
  std::array<int, 2> pair = {8, 9};
  std::vector<std::vector<int>> nested{};
  std::optional<std::vector<int>> maybe{};
  std::vector<std::optional<int>> holes{};
  std::map<std::string, std::vector<int>> series{};
  friend bool operator==(const Lists&, const Lists&) = default;
};

struct Money {
  long cents = 0;
  friend bool operator==(const Money&, const Money&) = default;
};
struct NeedsLists {
  std::vector<int> list = {1};
  std::map<std::string, int> map;
  friend bool operator==(const NeedsLists&, const NeedsLists&) = default;
};
struct Attributed {
  std::optional<int> count;
  Colour colour = Colour::red;
  Money price;
  std::string lang = "en";
  std::string text;
  std::vector<int> others;
  friend bool operator==(const Attributed&, const Attributed&) = default;
};
struct Chatty {
  std::string_view text;
};
struct Keyed {
  std::string key;
};
struct Keeping {
  int known = 0;
  UnknownFields others;
};
struct Ruled {
  int must = 0;
  int late = 0;
};
struct Odd {
  int spaced = 0;
};

}  // namespace parley::codec::xml_test

namespace xml_test = parley::codec::xml_test;

template <>
inline constexpr auto parley::fields<xml_test::Order> = parley::codec::field_rules<xml_test::Order>(
    parley::codec::field<&xml_test::Order::id>().in_xml(parley::codec::XmlPlace::attribute),
    parley::codec::field<&xml_test::Order::to>().flatten());
template <>
inline constexpr auto parley::fields<xml_test::Price> = parley::codec::field_rules<xml_test::Price>(
    parley::codec::field<&xml_test::Price::currency>().in_xml(parley::codec::XmlPlace::attribute),
    parley::codec::field<&xml_test::Price::cents>().in_xml(parley::codec::XmlPlace::text));
template <>
inline constexpr auto parley::fields<xml_test::Drawing> =
    parley::codec::field_rules<xml_test::Drawing>(
        parley::codec::field<&xml_test::Drawing::flat>().flatten());
template <>
inline constexpr auto parley::fields<xml_test::Attributed> =
    parley::codec::field_rules<xml_test::Attributed>(
        parley::codec::field<&xml_test::Attributed::count>().in_xml(
            parley::codec::XmlPlace::attribute),
        parley::codec::field<&xml_test::Attributed::colour>().in_xml(
            parley::codec::XmlPlace::attribute),
        parley::codec::field<&xml_test::Attributed::price>().in_xml(
            parley::codec::XmlPlace::attribute),
        parley::codec::field<&xml_test::Attributed::lang>()
            .named("xml:lang")
            .in_xml(parley::codec::XmlPlace::attribute),
        parley::codec::field<&xml_test::Attributed::text>().in_xml(parley::codec::XmlPlace::text));
template <>
inline constexpr auto parley::fields<xml_test::Chatty> =
    parley::codec::field_rules<xml_test::Chatty>(
        parley::codec::field<&xml_test::Chatty::text>().in_xml(parley::codec::XmlPlace::text));
template <>
inline constexpr auto parley::fields<xml_test::Keyed> = parley::codec::field_rules<xml_test::Keyed>(
    parley::codec::field<&xml_test::Keyed::key>().in_xml(parley::codec::XmlPlace::attribute));
template <>
inline constexpr auto parley::fields<xml_test::Ruled> =
    parley::codec::field_rules<xml_test::Ruled>(
        parley::codec::field<&xml_test::Ruled::must>().required(),
        parley::codec::field<&xml_test::Ruled::late>().default_to([] { return 5; }))
        .on_unknown(parley::codec::OnUnknown::refuse);
template <>
inline constexpr auto parley::fields<xml_test::Odd> = parley::codec::field_rules<xml_test::Odd>(
    parley::codec::field<&xml_test::Odd::spaced>().named("with space"));

template <>
inline constexpr auto parley::fields<xml_test::NeedsLists> =
    parley::codec::field_rules<xml_test::NeedsLists>(
        parley::codec::field<&xml_test::NeedsLists::list>().required(),
        parley::codec::field<&xml_test::NeedsLists::map>().required());

template <>
struct parley::Representation<xml_test::Money> {
  static std::string encode(const xml_test::Money& money) { return std::to_string(money.cents); }
  static parley::Status decode(std::string_view text, xml_test::Money& money) {
    if (text.empty()) return {parley::Code::invalid_argument, "no money"};
    money.cents = std::stol(std::string(text));
    return {};
  }
};

namespace parley::codec::xml_test {
namespace {

template <class T>
void expect_xml(const T& value, std::string_view text) {
  const auto written = encode_xml(value);
  ASSERT_TRUE(written) << written.error();
  EXPECT_EQ(*written, text);
  const auto read = decode_xml<T>(text);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, value);
}

template <class T>
std::string problem(std::string_view text, const XmlOptions& options = {}) {
  const auto read = decode_xml<T>(text, {}, options);
  return read ? "none" : read.error().message();
}

template <class T>
std::string writing_problem(const T& value, const XmlOptions& options = {}) {
  std::string out = "before";
  const Status status = encode_xml_to(out, value, {}, options);
  EXPECT_EQ(out, "before");
  return status.is_ok() ? "none" : status.message();
}

Keeping keeping(std::string xml) {
  Keeping made;
  made.others.xml = std::move(xml);
  return made;
}

// What Go 1.19's xml.Marshal writes for the same structs, with the names in struct tags.
constexpr std::string_view go_order =
    "<Order id=\"7\"><open>true</open><note>&lt;&#34;tea&#34; &amp; &#39;milk&#39;&gt; ü水</note>"
    "<items><tea>oolong</tea><grams>50</grams></items><items><tea></tea><grams>-1</grams></items>"
    "<tags>a</tags><tags></tags><tags> b </tags><counts>-9223372036854775808</counts>"
    "<counts>0</counts><counts>9223372036854775807</counts><flags>true</flags><flags>false</flags>"
    "<maybe>a&#x9;b&#xA;c&#xD;d</maybe><gift><tea>sencha</tea><grams>5</grams></gift>"
    "<big>18446744073709551615</big><small>-128</small><price>12.5</price>"
    "<city>Hanga Roa</city><state>Easter Island</state></Order>";
constexpr std::string_view go_empty_order =
    "<Order id=\"0\"><open>false</open><note></note><big>0</big><small>0</small><price>0</price>"
    "<city></city><state></state></Order>";
constexpr std::string_view go_bill =
    "<Bill><total currency=\"EUR\">1250</total><parts currency=\"EUR\">1200</parts>"
    "<parts currency=\"&#34;U&lt;S&#x9;D\">50</parts></Bill>";

TEST(Xml, plain_structs_are_what_go_writes_to_the_byte) {
  const auto order = decode_xml<Order>(go_order);
  ASSERT_TRUE(order) << order.error();
  EXPECT_EQ(order->id, 7);
  EXPECT_TRUE(order->open);
  EXPECT_EQ(order->note, "<\"tea\" & 'milk'> ü水");
  EXPECT_EQ(order->items, (std::vector<Item>{{"oolong", 50}, {"", -1}}));
  EXPECT_EQ(order->tags, (std::vector<std::string>{"a", "", " b "}));
  EXPECT_EQ(order->counts[0], std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(order->flags, (std::vector<bool>{true, false}));
  EXPECT_EQ(order->maybe, "a\tb\nc\rd");
  EXPECT_EQ(*order->gift, (Item{"sencha", 5}));
  EXPECT_EQ(order->big, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(order->to, (Address{"Hanga Roa", "Easter Island"}));
  EXPECT_EQ(encode_xml(*order).value(), go_order);
  EXPECT_EQ(encode_xml(Order()).value(), go_empty_order);
  expect_xml(Bill{{"EUR", 1250}, {{"EUR", 1200}, {"\"U<S\tD", 50}}}, go_bill);
}

// The text that Go 1.19's xml.Unmarshal reads in the same way.
TEST(Xml, comments_cdata_instructions_and_namespaces_are_read_as_go_reads_them) {
  const auto order = decode_xml<Order>(
      "<x:Order xmlns:x=\"http://tea.example\" id=\"9\" zip=\"1\">\n"
      "  <!-- c --><open> true </open><note> a<![CDATA[<b>]]>&#x20;&amp;<?p?></note>\n"
      "  <tags>a</tags><big>5</big><tags/><x:city>Roa</x:city>"
      "<unknown><open>false</open></unknown>\n</x:Order>");
  ASSERT_TRUE(order) << order.error();
  EXPECT_EQ(order->id, 9);
  EXPECT_TRUE(order->open);
  EXPECT_EQ(order->note, " a<b> &");
  EXPECT_EQ(order->tags, (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(order->big, 5U);
  EXPECT_EQ(order->to.city, "Roa");
}

TEST(Xml, single_values_have_a_root_named_after_their_kind) {
  expect_xml(true, "<bool>true</bool>");
  expect_xml(std::int8_t{-128}, "<int8>-128</int8>");
  expect_xml(std::uint16_t{65535}, "<uint16>65535</uint16>");
  expect_xml(1.5F, "<float>1.5</float>");
  expect_xml(-0.25, "<double>-0.25</double>");
  expect_xml(std::string("tea"), "<string>tea</string>");
  expect_xml(std::vector<std::byte>{std::byte{0xFF}, std::byte{0}}, "<bytes>/wA=</bytes>");
  expect_xml(Json{R"({"a":[1,"<"]})"}, "<json>{&#34;a&#34;:[1,&#34;&lt;&#34;]}</json>");
  expect_xml(Colour::green, "<Colour>green</Colour>");
  expect_xml(static_cast<Colour>(5), "<Colour>5</Colour>");
  expect_xml(std::chrono::milliseconds(1'500), "<duration>1.500s</duration>");
  expect_xml(std::chrono::sys_seconds(std::chrono::seconds(0)),
             "<time>1970-01-01T00:00:00Z</time>");
  expect_xml(Money{250}, "<string>250</string>");
}

TEST(Xml, numbers_may_stand_in_white_space_and_be_what_schema_and_go_call_infinite) {
  EXPECT_EQ(decode_xml<int>("<a>\n 7\t</a>").value(), 7);
  EXPECT_EQ(decode_xml<bool>("<a> true</a>").value(), true);
  EXPECT_EQ(decode_xml<Colour>("<a> -3 </a>").value(), Colour::blue);
  EXPECT_EQ(decode_xml<std::vector<std::byte>>("<a>\n  QUJD\n  RA==\n</a>").value().size(), 4U);
  for (const char* text : {"INF", "+INF", "Inf", "+Inf", "Infinity", " INF "}) {
    EXPECT_EQ(decode_xml<double>("<a>" + std::string(text) + "</a>").value(), HUGE_VAL) << text;
  }
  for (const char* text : {"-INF", "-Inf", "-Infinity"}) {
    EXPECT_EQ(decode_xml<float>("<a>" + std::string(text) + "</a>").value(), -HUGE_VALF) << text;
  }
  EXPECT_TRUE(std::isnan(decode_xml<double>(encode_xml(std::nan("")).value()).value()));
}

TEST(Xml, all_white_space_of_a_text_is_kept) {
  for (const char* text : {" ", "  a  ", "\n", "\t\r\n", "a\r\nb\rc", ""}) {
    EXPECT_EQ(decode_xml<std::string>(encode_xml(std::string(text)).value()).value(), text);
  }
  EXPECT_EQ(decode_xml<std::string>("<a> <!-- c --> </a>").value(), "  ");
  EXPECT_EQ(decode_xml<std::string>("<a>a\r\nb\rc&#13;</a>").value(), "a\nb\nc\r");
  EXPECT_EQ(decode_xml<std::string>("<a> <![CDATA[ ]]]]><![CDATA[> ]]> </a>").value(), "  ]]>  ");
}

TEST(Xml, lists_repeat_their_element_in_a_struct_and_have_items_elsewhere) {
  Lists lists{.plain = {"a"},
              .deque = {3, 1},
              .set = {2},
              .pair = {1, 2},
              .nested = {{1, 2}, {}},
              .maybe = std::vector<int>(),
              .holes = {1, std::nullopt},
              .series = {{"k", {7}}, {"none", {}}}};
  const std::string nil =
      " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\">";
  expect_xml(lists,
             "<Lists><plain>a</plain><deque>3</deque><deque>1</deque><set>2</set>"
             "<pair>1</pair><pair>2</pair>"
             "<nested><item>1</item><item>2</item></nested><nested></nested>"
             "<maybe></maybe><holes>1</holes><holes" +
                 nil +
                 "</holes><series>"
                 "<entry key=\"k\"><item>7</item></entry><entry key=\"none\"></entry>"
                 "</series></Lists>");
  lists = {.plain = {}};
  expect_xml(lists, "<Lists><pair>8</pair><pair>9</pair><series></series></Lists>");
  expect_xml(std::vector<std::vector<int>>{{1}, {}},
             "<list><item><item>1</item></item><item></item></list>");
  expect_xml(std::deque<std::string>{"a"}, "<list><item>a</item></list>");
  expect_xml(std::set<int>{4, 5}, "<list><item>4</item><item>5</item></list>");
  expect_xml(std::array<bool, 2>{true, false},
             "<array><item>true</item><item>false</item></array>");
}

TEST(Xml, elements_of_a_list_may_stand_apart_and_none_is_an_empty_list) {
  const auto lists = decode_xml<Lists>(
      "<a><set>2</set><plain>x</plain><deque>1</deque><set>1</set><set>2</set><plain>y</plain>"
      "<pair>3</pair><deque>2</deque><pair>4</pair></a>");
  ASSERT_TRUE(lists) << lists.error();
  EXPECT_EQ(lists->plain, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(lists->deque, (std::deque<int>{1, 2}));
  EXPECT_EQ(lists->set, (std::set<int>{1, 2}));
  EXPECT_EQ(lists->pair, (std::array<int, 2>{3, 4}));
  EXPECT_TRUE(decode_xml<Lists>("<a/>")->plain.empty());
  EXPECT_EQ(decode_xml<Lists>("<a/>")->pair, (std::array<int, 2>{8, 9}));
  EXPECT_EQ(problem<Lists>("<a><pair>1</pair></a>"),
            "$.pair: expected an array of 2 elements, got 1 (line 1, column 1)");
  EXPECT_EQ(problem<Lists>("<a><pair>1</pair><pair>1</pair><pair>x</pair></a>"),
            "$.pair: expected an array of 2 elements, got 3 (line 1, column 1)");
}

TEST(Xml, tuples_are_items_and_empty_optionals_among_them_are_nil) {
  using Three = std::tuple<int, std::optional<std::string>, std::pair<bool, Item>>;
  expect_xml(Three(1, "x", {true, {"a", 2}}),
             "<tuple><item>1</item><item>x</item><item><item>true</item>"
             "<item><tea>a</tea><grams>2</grams></item></item></tuple>");
  EXPECT_EQ(decode_xml<Three>("<t xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><item>1"
                              "</item><item i:nil='1'/><item><item>true</item><item/></item></t>")
                .value(),
            Three(1, std::nullopt, {true, {}}));
  expect_xml(std::optional<int>(),
             "<int32 xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\">"
             "</int32>");
  EXPECT_EQ((problem<std::pair<int, int>>("<t><item>1</item></t>")),
            "$: expected an array of 2 elements, got 1 (line 1, column 1)");
}

TEST(Xml, maps_have_entries_with_keys) {
  expect_xml(std::map<std::string, int>{{"", 0}, {"a \"b\"\n", 1}},
             "<map><entry key=\"\">0</entry><entry key=\"a &#34;b&#34;&#xA;\">1</entry></map>");
  expect_xml(std::map<int, std::map<bool, Item>>{{-5, {{true, {"x", 1}}}}},
             "<map><entry key=\"-5\"><entry key=\"true\"><tea>x</tea><grams>1</grams></entry>"
             "</entry></map>");
  expect_xml(std::map<Colour, Price>{{Colour::red, {"EUR", 1}}},
             "<map><entry key=\"red\" currency=\"EUR\">1</entry></map>");
  expect_xml(std::unordered_map<std::uint64_t, std::optional<int>>{{7, std::nullopt}},
             "<map><entry key=\"7\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
             "xsi:nil=\"true\"></entry></map>");
  EXPECT_EQ(writing_problem(std::map<int, Keyed>{{1, {}}}),
            "$[\"1\"].key: the entry of a map has an attribute 'key' already: give this one "
            "another name");
}

TEST(Xml, a_variant_is_an_element_with_the_name_of_its_alternative) {
  expect_xml(Drawing(), "<Drawing><shape></shape></Drawing>");
  expect_xml(Drawing{Circle{2}, Circle{3}},
             "<Drawing><shape><Circle><radius>2</radius></Circle></shape>"
             "<Circle><radius>3</radius></Circle></Drawing>");
  expect_xml(Drawing{"", std::vector<int>{1}},
             "<Drawing><shape><string></string></shape><list><item>1</item></list></Drawing>");
  expect_xml(Drawing{std::vector<int>{}, std::vector<int>{}},
             "<Drawing><shape><list></list></shape><list></list></Drawing>");
  EXPECT_EQ(problem<Shape>("<a>\n<b/></a>"),
            "$: no alternative \"b\": expected nothing, Circle, string, list (line 2, column 1)");
  EXPECT_EQ(problem<Shape>("<a><string/><list/></a>"),
            "$: more than one alternative (line 1, column 13)");
  EXPECT_EQ((problem<std::variant<int, bool>>("<a/>")),
            "$: no alternative: expected int32, bool (line 1, column 1)");
  EXPECT_EQ(problem<Drawing>("<a><Circle/><list/></a>"),
            "$.list: there is 'Circle' already, and only one of them (line 1, column 13)");
}

TEST(Xml, members_may_be_attributes_or_the_text_of_the_element) {
  Attributed value{.count = 3,
                   .colour = Colour::blue,
                   .price = {99},
                   .lang = "d\ne",
                   .text = " x<y ",
                   .others = {1}};
  expect_xml(value,
             "<Attributed count=\"3\" colour=\"blue\" price=\"99\" xml:lang=\"d&#xA;e\"> "
             "x&lt;y <others>1</others></Attributed>");
  const auto read = decode_xml<Attributed>(
      "<a price='1'>one<others>2</others> two<!-- --><![CDATA[&]]><others>3</others></a>");
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, (Attributed{.count = {}, .price = {1}, .text = "one two&", .others = {2, 3}}));
  EXPECT_EQ(problem<Attributed>("<a count='x'/>"),
            "$.count: expected an integer, got \"x\" (line 1, column 11)");
  EXPECT_EQ(problem<Attributed>("<a price=''/>"), "$.price: no money (line 1, column 11)");
  EXPECT_EQ(problem<Price>("<a>x</a>"),
            "$.cents: expected an integer, got \"x\" (line 1, column 4)");
  EXPECT_EQ(problem<Price>("<a/>"), "$.cents: expected an integer, got nothing (line 1, column 1)");
  EXPECT_EQ(problem<Price>("<a>1<currency/></a>", {.refuse_unknown_fields = true}),
            "$.currency: unknown field, did you mean 'currency'? (refuse_unknown_fields is on) "
            "(line 1, column 6)");
}

TEST(Xml, options_name_the_root_and_put_a_declaration_in_front) {
  XmlOptions options{.root = "order", .declaration = true};
  const std::string text = encode_xml(Address{"a", "b"}, {}, options).value();
  EXPECT_EQ(text,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<order><city>a</city><state>b</state></order>");
  EXPECT_TRUE(decode_xml<Address>(text, {}, options));
  EXPECT_TRUE(decode_xml<Address>(text)) << "any root is taken when none is asked for";
  EXPECT_TRUE(decode_xml<Address>("<x:order/>", {}, options));
  EXPECT_EQ(problem<Address>(" <Order/>", options),
            "$: expected <order>, got <Order> (line 1, column 2)");
  EXPECT_EQ(encode_xml(Colour::red, {}, {.enums_as_numbers = true}).value(), "<Colour>0</Colour>");
  EXPECT_EQ(encode_xml(Colour::red).value(), "<Colour>red</Colour>");
  EXPECT_EQ(writing_problem(1, {.root = "two words"}),
            "$: this is no name of an element in XML: see parley::fields");
}

TEST(Xml, what_is_absent_or_unknown_is_treated_as_options_and_rules_say) {
  EXPECT_EQ(decode_xml<Ruled>("<a><must>1</must></a>")->late, 5);
  EXPECT_EQ(problem<Ruled>("<a/>"), "$.must: the field is required and missing (line 1, column 1)");
  EXPECT_EQ(problem<Ruled>("<a><must>1</must><lote/></a>"),
            "$.lote: unknown field, did you mean 'late'? (its type refuses them) (line 1, column "
            "19)");
  EXPECT_EQ(problem<Ruled>("<a must='1'><must>1</must></a>"),
            "$.must: unknown field, did you mean 'must'? (its type refuses them) (line 1, column "
            "4)");
  EXPECT_EQ(problem<Item>("<a><tea/></a>", {.require_all_fields = true}),
            "$.grams: the field is missing (require_all_fields is on) (line 1, column 1)");
  EXPECT_EQ(
      problem<Lists>("<a><pair>1</pair><pair>1</pair><series/></a>", {.require_all_fields = true}),
      "none");
  EXPECT_EQ(problem<Item>("<a><tea kind='x'/><sugar><a>1</a></sugar></a>"), "none");
  const XmlOptions strict{.refuse_unknown_fields = true};
  EXPECT_EQ(problem<Item>("<a><sugar/></a>", strict),
            "$.sugar: unknown field (refuse_unknown_fields is on) (line 1, column 5)");
  EXPECT_EQ(problem<Item>("<a><tea kind='x'/></a>", strict),
            "$.tea.kind: unknown attribute (refuse_unknown_fields is on) (line 1, column 9)");
  EXPECT_EQ(problem<Item>("<a xmlns='u' xmlns:b='v' xml:lang='de'><tea/></a>", strict), "none");
}

TEST(Xml, unknown_members_are_kept_where_there_is_room_for_them) {
  const auto kept = decode_xml<Keeping>(
      "<Keeping lang=\"d&quot;e\"><more a='1'>x<b/><!-- gone --><![CDATA[<]]></more>"
      "<known>3</known><more/></Keeping>");
  ASSERT_TRUE(kept) << kept.error();
  EXPECT_EQ(kept->others.xml,
            "<unknown lang=\"d&#34;e\"><more a=\"1\">x<b></b>&lt;</more><more></more></unknown>");
  const std::string text = encode_xml(*kept).value();
  EXPECT_EQ(text,
            "<Keeping lang=\"d&#34;e\"><known>3</known><more a=\"1\">x<b></b>&lt;</more>"
            "<more></more></Keeping>");
  EXPECT_EQ(decode_xml<Keeping>(text)->others, kept->others);
  EXPECT_EQ(decode_xml<Keeping>("<a><known>1</known></a>")->others.xml, "");
  EXPECT_EQ(writing_problem(keeping("<a><b></a>")),
            "$: what UnknownFields holds cannot be written: </a> where </b> was expected (line 1, "
            "column 7)");
  EXPECT_EQ(writing_problem(keeping("<a><known/></a>")),
            "$.known: UnknownFields holds a member that there is");
  Limits limits;
  limits.max_depth = 2;
  EXPECT_TRUE(encode_xml(keeping("<a><b/></a>"), limits));
  EXPECT_FALSE(encode_xml(keeping("<a><b><c/></b></a>"), limits));
}

TEST(Xml, a_view_shows_the_text_itself) {
  const std::string text = "<a>tea</a>";
  const std::string_view shown = decode_xml<std::string_view>(text).value();
  EXPECT_EQ(shown, "tea");
  EXPECT_EQ(shown.data(), text.data() + 3);
  const std::string own = "<a>own</a>";
  EXPECT_EQ(decode_xml<Chatty>(own)->text.data(), own.data() + 3);
  EXPECT_EQ(decode_xml<std::string_view>("<a><![CDATA[<]]></a>").value(), "<");
  EXPECT_EQ(decode_xml<std::string_view>("<a/>").value(), "");
  for (const char* odd : {"<a>x&lt;</a>", "<a>x<!-- -->y</a>", "<a>x\r\ny</a>"}) {
    EXPECT_EQ(problem<std::string_view>(odd),
              "$: a text with escapes cannot be shown by a view: use std::string or a vector "
              "(line 1, column 1)");
  }
  const XmlOptions options{.refuse_views = true};
  EXPECT_EQ(problem<std::string_view>(text, options),
            "$: a view would show text that is gone: use std::string or a vector (line 1, column "
            "1)");
  EXPECT_EQ(decode_xml<Money>("<a>4&#50;</a>", {}, options).value(), Money{42})
      << "a view that a type travels as need not live on";
  EXPECT_EQ(problem<std::span<const std::byte>>("<a>Zm9v</a>"),
            "$: bytes in base64 cannot be shown by a view: use std::string or a vector (line 1, "
            "column 1)");
}

TEST(Xml, a_type_that_travels_as_a_view_survives_its_own_text) {
  const XmlOptions options{.refuse_views = true};
  const Label label{"a\nb & <c> that is longer than a small string"};
  EXPECT_EQ(decode_xml<Label>(encode_xml(label).value(), {}, options).value(), label);
  const Blob blob{std::vector<std::byte>(40, std::byte{7})};
  EXPECT_EQ(decode_xml<Blob>(encode_xml(blob).value(), {}, options).value(), blob);
}

TEST(Xml, an_empty_list_is_absent_also_where_it_is_required) {
  const NeedsLists none{{}, {}};
  EXPECT_EQ(decode_xml<NeedsLists>(encode_xml(none).value()).value(), none);
  EXPECT_EQ(problem<NeedsLists>("<a/>"),
            "$.map: the field is required and missing (line 1, column 1)");
}

TEST(Xml, what_xml_cannot_carry_is_refused_with_its_path_and_leaves_nothing_behind) {
  using namespace std::string_literals;
  Order order;
  order.items = {{"good", 1}, {"b\x01", 2}};
  EXPECT_EQ(writing_problem(order),
            "$.items[1].tea: U+0001 is no character of XML 1.0 and cannot be written: use bytes");
  for (const std::string& text : {"\0"s, "\x1f"s, "\xEF\xBF\xBE"s, "x\xEF\xBF\xBF"s}) {
    EXPECT_NE(writing_problem(text).find("is no character of XML 1.0"), std::string::npos);
  }
  expect_xml("\x7F\xEF\xBF\xBD\xF4\x8F\xBF\xBF"s,
             "<string>\x7F\xEF\xBF\xBD\xF4\x8F\xBF\xBF</string>");
  EXPECT_EQ(writing_problem(std::map<std::string, int>{{"\x02", 1}}),
            "$[key 0]: U+0002 is no character of XML 1.0 and cannot be written: use bytes");
  EXPECT_EQ(writing_problem("\xC3"s),
            "$: a string that is not UTF-8 cannot be written as XML: use bytes");
  EXPECT_EQ(writing_problem(Price{"\x03", 1}),
            "$.currency: U+0003 is no character of XML 1.0 and cannot be written: use bytes");
  EXPECT_EQ(writing_problem(Odd()),
            "$[\"with space\"]: this is no name of an element in XML: see parley::fields");
  EXPECT_EQ(writing_problem(Json{"{"}).substr(0, 31), "$: this Json cannot be written:");
}

TEST(Xml, a_reused_object_keeps_nothing_of_what_it_held) {
  Lists used{.plain = {"1", "2", "3"},
             .deque = {1, 2},
             .set = {9},
             .pair = {1, 1},
             .nested = {{1, 2, 3}, {4}},
             .maybe = std::vector<int>{1},
             .holes = {1},
             .series = {{"a", {1}}}};
  ASSERT_TRUE(
      decode_xml_into("<a><plain>x</plain><nested><item>7</item></nested></a>", used).is_ok());
  EXPECT_EQ(used, (Lists{.plain = {"x"}, .nested = {{7}}}));
  Sample sample = Dice(3).sample();
  ASSERT_TRUE(decode_xml_into("<a/>", sample).is_ok());
  EXPECT_EQ(sample, Sample());
  Drawing drawing{Circle{1}, Circle{2}};
  ASSERT_TRUE(decode_xml_into("<a><shape/></a>", drawing).is_ok());
  EXPECT_EQ(drawing, Drawing());
}

TEST(Xml, a_type_may_hold_itself) {
  const Tree tree{"root", {{"a", {{"b", {}}}}, {"c", {}}}};
  expect_xml(tree,
             "<Tree><name>root</name><kids><name>a</name><kids><name>b</name></kids></kids>"
             "<kids><name>c</name></kids></Tree>");
}

TEST(Xml, joins_a_registry_of_codecs) {
  CodecRegistry codecs;
  ASSERT_TRUE(codecs.add(xml_codec()).is_ok());
  EXPECT_EQ(codecs.find_content_type("text/xml; charset=utf-8"), codecs.find('x'));
  EXPECT_EQ(codecs.find_name("xml"), codecs.find('x'));
  const Item item{"oolong", 5};
  std::string body;
  ASSERT_TRUE(codecs.encode('x', body, type_of<Item>(), &item).is_ok());
  EXPECT_EQ(body, "<Item><tea>oolong</tea><grams>5</grams></Item>");
  Item read;
  ASSERT_TRUE(codecs.decode('x', body, type_of<Item>(), &read).is_ok());
  EXPECT_EQ(read, item);
  const std::string_view odd = "<a><milk/></a>";
  EXPECT_TRUE(codecs.decode('x', odd, type_of<Item>(), &read).is_ok());
  const DecodeOptions strict{.refuse_unknown_fields = true};
  EXPECT_FALSE(codecs.decode('x', odd, type_of<Item>(), &read, {}, strict).is_ok());
  std::string_view view;
  EXPECT_TRUE(codecs.decode('x', "<a>b</a>", type_of<std::string_view>(), &view).is_ok());
  EXPECT_FALSE(
      codecs.decode('x', "<a>b</a>", type_of<std::string_view>(), &view, {}, {.refuse_views = true})
          .is_ok());
  EXPECT_FALSE(
      codecs.decode('x', "<a>b</a>", type_of<std::string>(), &body, {.max_bytes = 3}).is_ok());
}

void clean(std::string& text) {
  for (std::size_t bad = impl::find_forbidden(text); bad != std::string::npos;
       bad = impl::find_forbidden(text)) {
    text.erase(bad, impl::first_character(std::string_view(text).substr(bad)).size);
  }
}

void clean(Tree& tree) {
  clean(tree.name);
  for (Tree& kid : tree.kids) clean(kid);
}

template <class Map>
void clean_keys(Map& map) {
  Map cleaned;
  for (const auto& [key, value] : map) {
    std::string name = key;
    clean(name);
    cleaned[name] = value;
  }
  map = cleaned;
}

// Without the characters that XML does not have.
Sample cleaned(Sample sample) {
  clean(sample.text);
  clean(sample.both.second);
  for (std::string& text : sample.texts) clean(text);
  if (sample.maybe_text) clean(*sample.maybe_text);
  if (auto& text = std::get<2>(sample.three)) clean(*text);
  clean_keys(sample.stock);
  clean_keys(sample.series);
  clean_keys(sample.forest);
  for (auto& [name, tree] : sample.forest) clean(tree);
  return sample;
}

TEST(Xml, random_values_of_every_type_survive) {
  Dice dice(20261121);
  Sample reused;
  int refused = 0;
  for (int i = 0; i < 1'000; ++i) {
    const Sample any = dice.sample();
    const Sample sample = cleaned(any);
    const auto text = encode_xml(sample);
    ASSERT_TRUE(text) << text.error();
    ASSERT_EQ(decode_xml<Sample>(*text).value(), sample) << *text;
    ASSERT_TRUE(decode_xml_into(*text, reused).is_ok());
    ASSERT_EQ(reused, sample) << *text;
    // The same through JSON and back.
    ASSERT_EQ(encode_xml(decode_json<Sample>(encode_json(reused).value()).value()).value().size(),
              text->size());
    ASSERT_EQ(encode_xml(any).has_value(), any == sample);
    refused += any == sample ? 0 : 1;
  }
  EXPECT_GT(refused, 100);
  EXPECT_LT(refused, 1'000);
}

TEST(XmlDeathTest, a_place_that_xml_cannot_give_a_member_ends_the_program) {
  struct Inner {
    int a = 0;
  };
  const auto make = [](FieldSource field) {
    const std::uint32_t offsets[] = {0, 0};
    const FieldSource fields[] = {
        field, {.name = "other", .type = &type_of<int>(), .xml = XmlPlace::text}};
    return Members({.name = "Thing", .fields = fields, .offsets = offsets});
  };
  EXPECT_DEATH(make({.name = "a", .type = &type_of<Inner>(), .xml = XmlPlace::attribute}),
               "only a single value can be an attribute or a text in XML");
  EXPECT_DEATH(make({.name = "a", .type = &type_of<std::optional<int>>(), .xml = XmlPlace::text}),
               "only a single value can be an attribute or a text in XML");
  EXPECT_DEATH(make({.name = "a", .type = &type_of<int>(), .xml = XmlPlace::text}),
               "another field is the text in XML");
  EXPECT_DEATH(
      make({.name = "a", .type = &type_of<Inner>(), .xml = XmlPlace::attribute, .is_flat = true}),
      "is for what is not flattened");
}

}  // namespace
}  // namespace parley::codec::xml_test
