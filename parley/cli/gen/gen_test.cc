#include "parley/cli/gen/gen.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "parley/base/fd.h"
#include "parley/cli/command.h"
#include "parley/gen/testing/folder.h"

namespace parley::cli {
namespace {

using gen::testing::Folder;

constexpr std::string_view interface_text =
    "#pragma once\n#include \"parley.h\"\nstruct Orders { virtual parley::Status a() = 0; };\n";

struct Outcome {
  ExitCode code;
  std::string out;
  std::string err;
};

std::string content_of(int fd) {
  std::string text(65536, '\0');
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

Outcome run(const std::vector<std::string>& words) {
  const Fd out(::memfd_create("out", MFD_CLOEXEC));
  const Fd err(::memfd_create("err", MFD_CLOEXEC));
  Console console(out.get(), err.get());
  const ExitCode code = run_gen(words, console);
  return {.code = code, .out = content_of(out.get()), .err = content_of(err.get())};
}

TEST(Gen, a_dry_run_tells_and_writes_nothing) {
  const Folder folder;
  const std::string header = folder.write("orders.h", interface_text);
  const std::string told = "CREATE " + folder.path("generated/orders.parley.h") + "\n";
  const Outcome dry = run({"--dry-run", header});
  EXPECT_EQ(dry.code, ExitCode::ok);
  EXPECT_EQ(dry.out, told);
  EXPECT_FALSE(folder.has("generated"));
  const Outcome wet = run({header});
  EXPECT_EQ(wet.code, ExitCode::ok);
  EXPECT_EQ(wet.out, told);
  EXPECT_TRUE(folder.has("generated/orders.parley.h"));
}

TEST(Gen, a_check_fails_where_something_would_change_and_writes_nothing) {
  const Folder folder;
  const std::string header = folder.write("orders.h", interface_text);
  EXPECT_EQ(run({"--check", header}).code, ExitCode::would_change);
  EXPECT_FALSE(folder.has("generated"));
  run({header});
  EXPECT_EQ(run({"--check", header}).code, ExitCode::ok);
  const Outcome service = run({"--check", "--implement", folder.path("service.h"), header});
  EXPECT_EQ(service.code, ExitCode::would_change);
  EXPECT_NE(service.out.find("KEEP "), std::string::npos) << service.out;
  EXPECT_NE(service.out.find("CREATE "), std::string::npos) << service.out;
  EXPECT_FALSE(folder.has("service.h"));
  folder.write("generated/orders.parley.h", "touched by hand");
  EXPECT_EQ(run({"--check", header}).code, ExitCode::would_change);
  EXPECT_EQ(run({"--check", "--dry-run", header}).code, ExitCode::would_change);
}

TEST(Gen, a_refused_header_writes_nothing_and_names_the_place) {
  const Folder folder;
  const std::string header = folder.write("orders.h", "struct Orders { virtual void a() = 0; };\n");
  const Outcome outcome = run({header});
  EXPECT_EQ(outcome.code, ExitCode::usage);
  EXPECT_TRUE(outcome.err.starts_with(header + ":1:30: ")) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_FALSE(folder.has("generated"));
}

TEST(Gen, what_stands_behind_the_dashes_is_the_compilers) {
  const Folder folder;
  folder.write("more/tea.h", "struct Tea {};\n");
  const std::string header =
      folder.write("orders.h", "#include \"tea.h\"\n" + std::string(interface_text));
  EXPECT_EQ(run({header}).code, ExitCode::usage);
  const Outcome outcome =
      run({header, "--out", folder.path("x"), "--", "-I" + folder.path("more")});
  EXPECT_EQ(outcome.code, ExitCode::ok) << outcome.err;
  EXPECT_TRUE(folder.has("x/orders.parley.h"));
}

TEST(Gen, wrong_usage_says_what_to_try) {
  EXPECT_NE(run({}).err.find("the header is missing; write the file"), std::string::npos);
  EXPECT_NE(run({"a.h", "b.h"}).err.find("takes one header"), std::string::npos);
  EXPECT_NE(run({"--chek", "a.h"}).err.find("did you mean \"--check\"?"), std::string::npos);
  EXPECT_NE(run({"--out", "", "a.h"}).err.find("--out"), std::string::npos);
  EXPECT_EQ(run({"none.h"}).code, ExitCode::usage);
  EXPECT_EQ(run({"--help"}).out, help_text(*find_command("gen")));
}

TEST(Gen, what_cannot_be_written_is_exit_code_5) {
  const Folder folder;
  folder.write("file", "");
  const Outcome outcome =
      run({"--out", folder.path("file/x"), folder.write("orders.h", interface_text)});
  EXPECT_NE(outcome.code, ExitCode::ok) << outcome.err;
  EXPECT_NE(outcome.err, "");
}

}  // namespace
}  // namespace parley::cli
