#include "parley/gen/read.h"

#include <gtest/gtest.h>

#include "parley/gen/testing/folder.h"

namespace parley::gen {
namespace {

using testing::Folder;

// Reads it as orders.h; line 1 is the include.
Result<Header> read_text(const Folder& folder, const std::string& text) {
  return read_interfaces(folder.write("orders.h", "#include \"parley.h\"\n" + text), {});
}

// What is said about the text, without the name of the folder.
std::string refusal(const std::string& text) {
  const Folder folder;
  const auto header = read_text(folder, text);
  if (header) return "";
  std::string said = header.error().message();
  const std::string prefix = folder.path("");
  for (std::size_t at = said.find(prefix); at != std::string::npos; at = said.find(prefix)) {
    said.erase(at, prefix.size());
  }
  return said;
}

std::string refusal_of_member(const std::string& member) {
  return refusal("struct X {};\nclass Orders {\n public:\n  virtual parley::Status ok() = 0;\n  " +
                 member + "\n};\n");
}

TEST(GenRead, what_an_interface_says_is_all_there) {
  const Folder folder;
  const auto header = read_text(folder,
                                "namespace tea { inline namespace v1 {\n"
                                "struct Order {};\n"
                                "// Serves tea.\n"
                                "struct TeaShop {\n"
                                "  // Places.\n"
                                "  virtual parley::Result<Order> placeOrder(\n"
                                "      const Order& order, int n = sizeof(int) == 4) const = 0;\n"
                                "};\n"
                                "}}\n");
  ASSERT_TRUE(header) << header.error();
  ASSERT_EQ(header->interfaces.size(), 1u);
  const Interface& shop = header->interfaces[0];
  EXPECT_EQ(shop.name, "TeaShop");
  EXPECT_EQ(shop.scope, "tea::v1");
  EXPECT_EQ(shop.comment, std::vector<std::string>{"Serves tea."});
  ASSERT_EQ(shop.methods.size(), 1u);
  const Method& method = shop.methods[0];
  EXPECT_EQ(method.route, "/tea_shop/place_order");
  EXPECT_EQ(method.returns.written, "parley::Result<Order>");
  EXPECT_EQ(method.returns.full, "parley::Result<tea::Order>");
  EXPECT_EQ(method.result, "Order");
  EXPECT_TRUE(method.is_const);
  EXPECT_FALSE(method.is_noexcept);
  EXPECT_EQ(method.comment, std::vector<std::string>{"Places."});
  EXPECT_EQ(text_of(method.place), folder.path("orders.h") + ":7:33");
  ASSERT_EQ(method.parameters.size(), 2u);
  EXPECT_EQ(method.parameters[0].type.written, "const Order&");
  EXPECT_EQ(method.parameters[0].type.full, "const tea::Order&");
  EXPECT_EQ(method.parameters[1].default_value, "sizeof(int) == 4");
}

struct Case {
  const char* member;
  const char* place;  // "line:column"
  const char* said;
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.member; }

class GenReadRefuses : public ::testing::TestWithParam<Case> {};

TEST_P(GenReadRefuses, what_cannot_travel_with_place_reason_and_advice) {
  const std::string said = refusal_of_member(GetParam().member);
  EXPECT_TRUE(said.starts_with(std::string("orders.h:") + GetParam().place + ": ")) << said;
  EXPECT_NE(said.find(GetParam().said), std::string::npos) << said;
  EXPECT_NE(said.find("; "), std::string::npos) << "what to write instead: " << said;
  EXPECT_EQ(said.find('\n'), std::string::npos) << said;
}

INSTANTIATE_TEST_SUITE_P(
    Members, GenReadRefuses,
    ::testing::Values(
        Case{"virtual void a() = 0;", "6:16", "void cannot say so; return parley::Status"},
        Case{"virtual int a() = 0;", "6:15", "return parley::Result<int>"},
        Case{"virtual const X& a() = 0;", "6:20", "return parley::Result<X>"},
        Case{"virtual parley::Result<X*> a() = 0;", "6:30", "no value of its own"},
        Case{"virtual parley::Result<X&> a() = 0;", "6:30", "no value of its own"},
        Case{"virtual const parley::Status& a() = 0;", "6:33", "return parley::Status by value"},
        Case{"virtual const parley::Result<X> a() = 0;", "6:35", "parley::Result<X> by value"},
        Case{"virtual parley::Status a(X& x) = 0;", "6:31", "write const X&, and return what"},
        Case{"virtual parley::Status a(X* x) = 0;", "6:31", "`x` is a pointer"},
        Case{"virtual parley::Status a(X* const& x) = 0;", "6:38", "`x` is a pointer"},
        Case{"virtual parley::Status a(int x[3]) = 0;", "6:32", "`x` is a pointer"},
        Case{"virtual parley::Status a(void (&x)()) = 0;", "6:35", "`x` is a pointer"},
        Case{"virtual parley::Status a(int) = 0;", "6:31", "parameter 1 has no name; name it"},
        Case{"virtual parley::Status a(int x, ...) = 0;", "6:26", "take a std::vector"},
        Case{"virtual parley::Status a(int x, parley::Context& c) = 0;", "6:52",
             "it can only be the first"},
        Case{"virtual parley::Status a(const parley::Context& c) = 0;", "6:51",
             "it can only be the first"},
        Case{"virtual parley::Status ok(int x) = 0;", "6:26", "another of this name"},
        Case{"virtual parley::Status operator()(int x) = 0;", "6:26", "an operator has no name"},
        Case{"virtual operator int() = 0;", "6:11", "an operator has no name"},
        Case{"static void a();", "6:15", "a static function belongs to no service"},
        Case{"void a();", "6:8", "pure virtual; end it with `= 0`"},
        Case{"virtual parley::Status a();", "6:26", "pure virtual; end it with `= 0`"},
        Case{"template <class T> void a();", "6:27", "write one for each type"},
        Case{"int a;", "6:7", "an interface has no data"},
        Case{"virtual parley::Status a() & = 0;", "6:26", "leave out the &"},
        Case{"virtual parley::Status a() volatile = 0;", "6:26", "leave it out"},
        Case{"virtual parley::Status a() noexcept(sizeof(X) == 1) = 0;", "6:26",
             "write noexcept, or leave it out"},
        Case{"/* @route a */ virtual parley::Status a() = 0;", "6:41", "begin with a slash"},
        Case{"/* @route /orders/ok */ virtual parley::Status a() = 0;", "6:50",
             "\"/orders/ok\" is also the route of orders.h:5:26"},
        Case{"struct Inner { virtual int a() = 0; };", "6:10", "move it out"},
        Case{"private: virtual parley::Status a() = 0;", "6:35", "make it public"}));

TEST(GenRead, views_are_refused_since_nobody_would_own_what_they_show) {
  const std::string said = refusal(
      "#include <string_view>\n"
      "struct Orders { virtual parley::Status a(std::string_view x) = 0; };\n");
  EXPECT_TRUE(said.starts_with("orders.h:3:59: the parameter `x` is a view")) << said;
}

TEST(GenRead, classes_that_are_no_interfaces_are_refused_or_left_alone) {
  const std::string pure = " { virtual parley::Status a() = 0; };\n";
  EXPECT_TRUE(refusal("template <class T> struct Orders" + pure)
                  .starts_with("orders.h:2:27: `Orders`: a template is no one interface"));
  EXPECT_TRUE(refusal("namespace {\nstruct Orders" + pure + "}")
                  .starts_with("orders.h:3:8: `Orders`: nobody outside sees into"));
  EXPECT_TRUE(refusal("struct X {};\nstruct Orders : X" + pure)
                  .starts_with("orders.h:3:17: `Orders` has a base"));
  EXPECT_TRUE(refusal("// @local\nstruct Clock { virtual int now() = 0; };\nstruct X {};\n")
                  .starts_with("orders.h: there is no interface in it; write a class"));
  EXPECT_EQ(refusal("// @local\nstruct Clock { virtual int now() = 0; };\nstruct Orders {\n"
                    "  Orders(const Orders&) = delete;\n"
                    "  Orders& operator=(const Orders&) = delete;\n"
                    "  virtual ~Orders() = default;\n"
                    "  virtual parley::Status a() = 0;\n"
                    "  enum class Kind { tea };\n"
                    "  static constexpr int most = 3;\n"
                    "  // @local\n"
                    "  struct Inner { virtual int b() = 0; };\n"
                    " private:\n  void c();\n};\n"),
            "");
}

TEST(GenRead, all_refusals_are_told_at_once_in_their_order) {
  EXPECT_EQ(refusal("struct Orders {\n"
                    "  virtual void a(int& x) = 0;\n"
                    "  virtual void b() = 0;\n"
                    "};\n"),
            "orders.h:3:16: `a`: a call can fail on its way, and void cannot say so; return "
            "parley::Status\n"
            "orders.h:3:23: the parameter `x` is a reference that can be written to, and what is "
            "written would stay over there; write const int&, and return what changed\n"
            "orders.h:4:16: `b`: a call can fail on its way, and void cannot say so; return "
            "parley::Status");
}

TEST(GenRead, broken_cpp_is_clangs_first_error_with_its_place) {
  EXPECT_EQ(refusal("struct Orders { virtual Missing a() = 0; };\nint x = ;\n"),
            "orders.h:2:25: unknown type name 'Missing'");
  EXPECT_EQ(refusal("#include \"none.h\"\n"),
            "orders.h:2:10: 'none.h' file not found; give the folders of included files behind "
            "--, as to a compiler: -- -Iinclude");
  const Folder folder;
  EXPECT_EQ(read_interfaces(folder.path("none.h"), {}).error().code(), Code::not_found);
  const std::vector<std::string> arguments = {"-std=c++1999"};
  const auto header = read_interfaces(folder.write("a.h", ""), arguments);
  EXPECT_NE(header.error().message().find("arguments behind --"), std::string::npos)
      << header.error();
}

TEST(GenRead, compiler_arguments_reach_the_compiler) {
  const Folder folder;
  const std::string path =
      folder.write("orders.h",
                   "#include \"parley.h\"\n#include <tea.h>\n"
                   "struct Orders { virtual parley::Status a(TEA x) = 0; };\n");
  folder.write("more/tea.h", "struct Tea {};\n");
  const std::vector<std::string> arguments = {"-I", folder.path("more"), "-DTEA=Tea"};
  const auto header = read_interfaces(path, arguments);
  ASSERT_TRUE(header) << header.error();
  EXPECT_EQ(header->interfaces[0].methods[0].parameters[0].type.written, "Tea");
}

}  // namespace
}  // namespace parley::gen
