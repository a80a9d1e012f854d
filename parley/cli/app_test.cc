#include "parley/cli/app.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>

#include "parley/base/fd.h"
#include "parley/cli/command.h"
#include "parley/cli/version.h"

namespace parley::cli {
namespace {

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
  const ExitCode code = run_command(words, console);
  return {.code = code, .out = content_of(out.get()), .err = content_of(err.get())};
}

TEST(App, without_words_shows_the_help_where_errors_go) {
  const Outcome outcome = run({});
  EXPECT_EQ(outcome.code, ExitCode::usage);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("Examples:\n"));
}

TEST(App, help_asked_for_is_data) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--help"}, {"-h"}, {"help"}}) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, ExitCode::ok);
    EXPECT_EQ(outcome.out, help_text(top_level()));
    EXPECT_EQ(outcome.err, "");
  }
}

TEST(App, every_command_has_its_help_in_three_ways) {
  for (const CommandSpec& command : all_commands()) {
    const std::string name(command.name);
    EXPECT_EQ(run({name, "--help"}).out, help_text(command)) << name;
    EXPECT_EQ(run({name, "-h"}).out, help_text(command)) << name;
    EXPECT_EQ(run({"help", name}).out, help_text(command)) << name;
  }
}

TEST(App, version_is_told_as_text_or_json) {
  EXPECT_EQ(run({"version"}).out, version_text());
  EXPECT_EQ(run({"--version"}).out, version_text());
  EXPECT_EQ(run({"version", "-o", "json"}).out, version_json());
  const Outcome outcome = run({"version", "-o", "yaml"});
  EXPECT_EQ(outcome.code, ExitCode::usage);
  EXPECT_NE(outcome.err.find("\"yaml\" is not text or json"), std::string::npos) << outcome.err;
}

TEST(App, wrong_usage_says_what_to_try) {
  const Outcome command = run({"cal", "tcp://h:1"});
  EXPECT_EQ(command.code, ExitCode::usage);
  EXPECT_NE(command.err.find("did you mean \"call\"?"), std::string::npos) << command.err;

  const Outcome option = run({"call", "--timeuot", "5s"});
  EXPECT_EQ(option.code, ExitCode::usage);
  EXPECT_NE(option.err.find("did you mean \"--timeout\"?"), std::string::npos) << option.err;
  EXPECT_NE(option.err.find("`parley call --help`"), std::string::npos) << option.err;

  const Outcome argument = run({"push", "tcp://127.0.0.1:1", "/m", "tea"});
  EXPECT_EQ(argument.code, ExitCode::usage);
  EXPECT_NE(argument.err.find("'\"tea\"'"), std::string::npos) << argument.err;

  EXPECT_EQ(run({"help", "cal"}).code, ExitCode::usage);
  EXPECT_EQ(run({"help", "call", "push"}).code, ExitCode::usage);
  EXPECT_EQ(run({"version", "now"}).code, ExitCode::usage);
  EXPECT_EQ(run({"--frobnicate"}).code, ExitCode::usage);
  EXPECT_EQ(run({"--", "call"}).code, ExitCode::usage);
  EXPECT_EQ(run({""}).code, ExitCode::usage);
}

TEST(App, a_push_has_no_answer_to_lay_out) {
  EXPECT_EQ(run({"push", "--pretty", "tcp://127.0.0.1:1", "/m"}).code, ExitCode::usage);
}

TEST(App, gen_without_the_program_beside_it_says_how_to_get_it) {
  const Outcome outcome = run({"gen", "orders.h", "--", "--not-ours"});
  EXPECT_EQ(outcome.code, ExitCode::usage);
  EXPECT_NE(outcome.err.find("/parley-gen: "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("Install libclang 19 (Debian: libclang-19-dev)"), std::string::npos)
      << outcome.err;
  EXPECT_NE(run({"gen", "--chek", "orders.h"}).err.find("did you mean \"--check\"?"),
            std::string::npos);
}

}  // namespace
}  // namespace parley::cli
