#include "parley/gen/service.h"

#include <gtest/gtest.h>

#include "parley/gen/generation.h"
#include "parley/gen/testing/folder.h"

namespace parley::gen {
namespace {

using testing::Folder;

constexpr std::string_view interface_text =
    "#pragma once\n"
    "#include \"parley.h\"\n"
    "namespace tea {\n"
    "struct Order {};\n"
    "struct Orders {\n"
    "  // Places.\n"
    "  virtual parley::Status place(const Order& order) = 0;\n"
    "  virtual parley::Result<Order> last() const = 0;\n"
    "};\n"
    "}\n";

// What becomes of a file of the user's with this text. Compiled once more, nothing is missing.
FileChange change_of(const std::string& text, std::string_view interfaces = interface_text) {
  const Folder folder;
  GenerationOptions options{.header = folder.write("orders.h", interfaces),
                            .implement = folder.write("service.h", text)};
  const auto changes = plan_generation(options);
  EXPECT_TRUE(changes) << changes.error();
  if (!changes) return {};
  const FileChange& change = changes->at(1);
  folder.write("service.h", change.content);
  const auto again = plan_generation(options);
  EXPECT_TRUE(again) << again.error() << change.content;
  if (again) {
    EXPECT_EQ(again->at(1).action, Action::keep) << change.content;
  }
  return change;
}

const std::string place_stub =
    "  // Places.\n"
    "  parley::Status place([[maybe_unused]] const Order& order) override {\n"
    "    return parley::Status(parley::Code::unimplemented, \"Orders::place is not written "
    "yet\");\n"
    "  }\n";
const std::string last_stub =
    "  parley::Result<Order> last() const override {\n"
    "    return parley::Status(parley::Code::unimplemented, \"Orders::last is not written yet\");\n"
    "  }\n";

std::string with_returns(std::string text) {
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2)) {
    text.insert(at, 1, '\r');
  }
  return text;
}

std::string indented_by_tabs(std::string text) {
  for (std::size_t at = text.find("  "); at != std::string::npos; at = text.find("  ", at)) {
    if (at == 0 || text[at - 1] == '\n' || text[at - 1] == '\t') text.replace(at, 2, "\t");
  }
  return text;
}

TEST(GenService, a_new_file_has_a_class_for_each_interface) {
  const Folder folder;
  const auto changes = plan_generation({.header = folder.write("orders.h", interface_text),
                                        .include = "orders.h",
                                        .implement = folder.path("service.h")});
  ASSERT_TRUE(changes) << changes.error();
  EXPECT_EQ(changes->at(1).action, Action::create);
  EXPECT_EQ(changes->at(1).content,
            "// Yours to write: `parley gen --implement` made this file, and only ever adds what "
            "the\n// interface has and the class has not.\n#pragma once\n\n#include \"orders.h\"\n"
            "#include \"parley/base/status.h\"\n\nnamespace tea {\n\n"
            "class OrdersService : public Orders {\n public:\n" +
                place_stub + "\n" + last_stub + "};\n\n}  // namespace tea\n");
}

TEST(GenService, what_is_missing_comes_before_the_closing_brace_and_nothing_else_changes) {
  const std::string before =
      "#include  \"orders.h\"   // odd   blanks\n\n"
      "namespace tea {\nclass Mine   : public Orders {\n public:\n"
      "  parley::Status place(const Order&) override { return {}; }\n";
  const std::string after = "};  // the class\n\n\n}\n/* no line feed at the end };";
  const FileChange change = change_of(before + after + " */");
  EXPECT_EQ(change.content, before + "\n" + last_stub + after + " */");
  EXPECT_EQ(change.action, Action::update);
  EXPECT_EQ(text_of(change), "UPDATE (+1) " + change.path);
}

TEST(GenService, a_file_with_carriage_returns_keeps_to_them) {
  const std::string before = with_returns(
      "#include \"orders.h\"\nnamespace tea {\nstruct Mine : Orders {\n"
      "  parley::Result<Order> last() const override;\n");
  EXPECT_EQ(change_of(before + "};\r\n}").content,
            before + with_returns("\n" + place_stub) + "};\r\n}");
}

TEST(GenService, indentation_is_that_of_the_methods_there_are) {
  const std::string before =
      "#include \"orders.h\"\nnamespace tea {\n\tstruct Mine : Orders {\n"
      "\t\tparley::Status place(const Order&) override;\n";
  std::string stub = indented_by_tabs(last_stub);
  for (std::size_t at = 0; at < stub.size(); at = stub.find('\n', at) + 1) stub.insert(at, "\t");
  EXPECT_EQ(change_of(before + "\t};\n}\n").content, before + "\n" + stub + "\t};\n}\n");
}

TEST(GenService, parameters_that_do_not_fit_a_line_have_one_each) {
  const std::string wide =
      "#pragma once\n#include \"parley.h\"\nstruct Orders {\n"
      "  virtual parley::Status place(int quantity, bool urgent, double price) = 0;\n};\n";
  const std::string before = "#include \"orders.h\"\nclass Mine : public Orders {\n";
  EXPECT_EQ(change_of(before + "};\n", wide).content,
            before +
                " public:\n  parley::Status place(\n      [[maybe_unused]] int quantity,\n"
                "      [[maybe_unused]] bool urgent,\n      [[maybe_unused]] double price) "
                "override {\n    return parley::Status(parley::Code::unimplemented, "
                "\"Orders::place is not written yet\");\n  }\n};\n");
}

TEST(GenService, a_byte_order_mark_shifts_nothing) {
  const std::string before =
      "\xef\xbb\xbf#include \"orders.h\"\nnamespace tea {\nstruct Mine : Orders {\n"
      "  parley::Status place(const Order&) override;\n";
  EXPECT_EQ(change_of(before + "};\n}\n").content, before + "\n" + last_stub + "};\n}\n");
}

// The only test here that reads Parley's real headers.
TEST(GenService, it_may_include_what_is_generated_where_that_is_not_there_yet) {
  const Folder folder;
  const std::string include = "#include \"parley/base/result.h\"\n#pragma once\n";
  const GenerationOptions options{
      .header = folder.write("orders.h",
                             include + "struct Orders { virtual parley::Status a() = 0; };\n"),
      .implement = folder.write("service.h",
                                "#include \"generated/orders.parley.h\"\n"
                                "struct Mine : Orders { OrdersClient* other; };\n")};
  const auto changes = plan_generation(options);
  ASSERT_TRUE(changes) << changes.error();
  EXPECT_EQ(changes->at(0).action, Action::create);
  EXPECT_EQ(changes->at(1).added, 1u);
  EXPECT_FALSE(folder.has("generated"));
}

TEST(GenService, an_empty_class_on_one_line_is_opened) {
  const std::string before = "#include \"orders.h\"\nnamespace tea {\nclass Mine : public Orders {";
  EXPECT_EQ(change_of(before + "};}").content,
            before + "\n public:\n" + place_stub + "\n" + last_stub + "};}");
}

TEST(GenService, what_is_added_is_public_behind_a_private_part) {
  const std::string before =
      "#include \"orders.h\"\nnamespace tea {\nclass Mine : public Orders {\n public:\n"
      "  parley::Status place(const Order&) override;\n private:\n  int count_ = 0;\n";
  EXPECT_EQ(change_of(before + "};\n}\n").content, before + "\n public:\n" + last_stub + "};\n}\n");
}

TEST(GenService, in_another_namespace_types_have_their_full_names) {
  const std::string before =
      "#include \"orders.h\"\nstruct Mine : tea::Orders {\n"
      "  parley::Status place(const tea::Order&) override;\n";
  std::string stub = last_stub;
  stub.replace(stub.find("<Order>"), 7, "<tea::Order>");
  EXPECT_EQ(change_of(before + "};\n").content, before + "\n" + stub + "};\n");
}

TEST(GenService, a_class_that_is_used_although_it_is_not_whole_yet_is_completed) {
  const std::string before =
      "#include \"orders.h\"\nnamespace tea {\nstruct Mine : Orders {\n"
      "  parley::Status place(const Order&) override;\n";
  const std::string after = "};\nMine mine;\ninline Orders* made() { return new Mine(); }\n}\n";
  EXPECT_EQ(change_of(before + after).content, before + "\n" + last_stub + after);
}

TEST(GenService, one_class_may_serve_two_interfaces_and_two_classes_one) {
  const std::string two =
      "#pragma once\n#include \"parley.h\"\n"
      "struct A { virtual parley::Status a() = 0; };\n"
      "struct B { virtual parley::Status b() = 0; };\n";
  const FileChange both = change_of("#include \"orders.h\"\nclass Mine : A, public B {\n};\n", two);
  EXPECT_EQ(both.added, 2u);
  EXPECT_EQ(both.content.find(" public:"), both.content.rfind(" public:")) << both.content;
  EXPECT_EQ(change_of("#include \"orders.h\"\nstruct X : A {};\nstruct Y : A {};\n", two).added,
            2u);
}

TEST(GenService, a_file_without_a_class_for_the_interface_is_refused) {
  const Folder folder;
  GenerationOptions options{.header = folder.write("orders.h", interface_text),
                            .implement = folder.write("service.h", "#include \"orders.h\"\n")};
  auto said = plan_generation(options).error().message();
  EXPECT_NE(said.find("no class in it derives from tea::Orders; add class OrdersService"),
            std::string::npos)
      << said;
  folder.write("service.h", "#include \"orders.h\"\nstruct X : tea::Orders { int x = ; };\n");
  said = plan_generation(options).error().message();
  EXPECT_EQ(said, folder.path("service.h") + ":2:34: expected expression");
  folder.write("service.h",
               "#include \"orders.h\"\n#define END }\nstruct X : tea::Orders {\nEND;\n");
  said = plan_generation(options).error().message();
  EXPECT_NE(said.find("service.h:3:8: `X`: its closing brace comes from a macro"),
            std::string::npos)
      << said;
}

}  // namespace
}  // namespace parley::gen
