#include "parley/gen/generation.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "parley/gen/testing/folder.h"

namespace parley::gen {
namespace {

using testing::Folder;

constexpr std::string_view one_method =
    "#pragma once\n#include \"parley.h\"\nstruct Orders { virtual parley::Status a() = 0; };\n";
constexpr std::string_view two_methods =
    "#pragma once\n#include \"parley.h\"\n"
    "struct Orders { virtual parley::Status a() = 0; virtual parley::Status b() = 0; };\n";

unsigned mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

// Plans and writes; gives the lines told.
std::vector<std::string> generate(const GenerationOptions& options) {
  const auto changes = plan_generation(options);
  EXPECT_TRUE(changes) << changes.error();
  std::vector<std::string> told;
  if (!changes) return told;
  for (const FileChange& change : *changes) {
    const Status written = write_change(change);
    EXPECT_TRUE(written.is_ok()) << written;
    told.push_back(text_of(change));
  }
  return told;
}

TEST(Generation, files_are_created_then_kept_then_updated) {
  const Folder folder;
  const std::string made = folder.path("generated/orders.parley.h");
  const std::string service = folder.path("src/service.h");
  const GenerationOptions options{.header = folder.write("orders.h", one_method),
                                  .implement = service};
  using Told = std::vector<std::string>;
  EXPECT_EQ(generate(options), (Told{"CREATE " + made, "CREATE " + service}));
  const std::string first = folder.read("generated/orders.parley.h");
  folder.write("src/service.h",
               "#include \"../orders.h\"\nstruct Mine : Orders {\n"
               "  parley::Status a() override;\n};\n");
  EXPECT_EQ(generate(options), (Told{"KEEP " + made, "KEEP " + service}));
  EXPECT_EQ(folder.read("generated/orders.parley.h"), first);
  folder.write("orders.h", two_methods);
  EXPECT_EQ(generate(options), (Told{"UPDATE (+1) " + made, "UPDATE (+1) " + service}));
  EXPECT_NE(folder.read("generated/orders.parley.h"), first);
  folder.write("orders.h", one_method);
  folder.write("src/service.h",
               "#include \"../orders.h\"\nstruct Mine : Orders {\n"
               "  parley::Status a() override;\n};\n");
  EXPECT_EQ(generate(options), (Told{"UPDATE (+0) " + made, "KEEP " + service}));
  EXPECT_EQ(folder.read("generated/orders.parley.h"), first) << "the folder can be thrown away";
}

TEST(Generation, out_and_include_are_where_and_how) {
  const Folder folder;
  const std::string header = folder.write("orders.h", one_method);
  const auto changes =
      plan_generation({.header = header, .include = "shop/orders.h", .out = folder.path("x/y")});
  ASSERT_TRUE(changes) << changes.error();
  EXPECT_EQ(changes->at(0).path, folder.path("x/y/orders.parley.h"));
  EXPECT_NE(changes->at(0).content.find("#include \"shop/orders.h\"\n"), std::string::npos);
  const auto beside = plan_generation({.header = header});
  EXPECT_EQ(beside->at(0).path, folder.path("generated/orders.parley.h"));
  EXPECT_NE(beside->at(0).content.find("#include \"" + header + "\"\n"), std::string::npos);
  EXPECT_NE(plan_generation({.header = header, .include = "a\"b"})
                .error()
                .message()
                .find("cannot be included"),
            std::string::npos);
  EXPECT_FALSE(folder.has("generated")) << "planning writes nothing";
  EXPECT_EQ(plan_generation({.header = header})->at(0).content, beside->at(0).content);
}

TEST(Generation, what_was_made_is_read_again_by_the_same_command) {
  const Folder folder;
  folder.write("parley/base/status.h", "#pragma once\n#include \"parley.h\"\n");
  const std::string service = folder.path("other/service.h");
  GenerationOptions options{.header = folder.write("src/shop/orders.h", one_method),
                            .include = "shop/orders.h",
                            .implement = service,
                            .arguments = {"-I" + folder.path("")}};
  EXPECT_EQ(generate(options).at(1), "CREATE " + service);
  EXPECT_EQ(generate(options).at(1), "KEEP " + service);
  options.header = std::filesystem::relative(options.header).string();
  options.include.clear();
  options.implement = folder.path("other/again.h");
  EXPECT_EQ(generate(options).at(1), "CREATE " + options.implement);
  EXPECT_EQ(generate(options).at(1), "KEEP " + options.implement);
}

TEST(Generation, who_may_read_a_file_stays_and_links_lead_to_it) {
  const Folder folder;
  const GenerationOptions options{.header = folder.write("orders.h", two_methods),
                                  .implement = folder.path("link.h"),
                                  .arguments = {"-I" + folder.path("")}};
  folder.write("real/service.h", "#include \"orders.h\"\nstruct Mine : Orders {\n};\n");
  std::filesystem::create_symlink(folder.path("real/service.h"), folder.path("link.h"));
  ASSERT_EQ(::chmod(folder.path("real/service.h").c_str(), 0640), 0);
  generate(options);
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path("link.h")));
  EXPECT_NE(folder.read("real/service.h").find(" a() override"), std::string::npos);
  EXPECT_EQ(mode_of(folder.path("real/service.h")), 0640U);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  EXPECT_EQ(mode_of(folder.path("generated/orders.parley.h")), 0666U & ~mask);
  EXPECT_FALSE(folder.has("real/service.h.new"));
}

TEST(Generation, what_cannot_be_written_is_told) {
  const Folder folder;
  folder.write("file", "");
  const auto changes = plan_generation(
      {.header = folder.write("orders.h", one_method), .out = folder.path("file/x")});
  const Status failed = changes ? write_change(changes->at(0)) : changes.error();
  ASSERT_FALSE(failed.is_ok());
  EXPECT_NE(failed.message().find(folder.path("file")), std::string::npos) << failed;
}

}  // namespace
}  // namespace parley::gen
