#include "parley/cli/command.h"

#include <gtest/gtest.h>

#include <sstream>

namespace parley::cli {
namespace {

TEST(Command, help_begins_with_examples) {
  EXPECT_TRUE(help_text(top_level()).starts_with("Examples:\n  parley "));
  for (const CommandSpec& command : all_commands()) {
    const std::string example = "Examples:\n  ";
    EXPECT_TRUE(help_text(command).starts_with(example)) << command.name;
  }
}

TEST(Command, help_lists_every_option_and_command) {
  for (const CommandSpec& command : all_commands()) {
    const std::string text = help_text(command);
    for (const OptionSpec& option : command.options) {
      EXPECT_NE(text.find(option.name), std::string::npos) << command.name << " " << option.name;
    }
    EXPECT_NE(help_text(top_level()).find("\n  " + std::string(command.name) + "  "),
              std::string::npos)
        << command.name;
  }
}

TEST(Command, help_lists_the_exit_codes_of_what_calls) {
  EXPECT_NE(help_text(*find_command("call")).find("Exit codes:\n  0  "), std::string::npos);
  EXPECT_NE(help_text(*find_command("push")).find("Exit codes:\n  0  "), std::string::npos);
  EXPECT_NE(help_text(top_level()).find("Exit codes:\n  0  "), std::string::npos);
  EXPECT_EQ(help_text(*find_command("version")).find("Exit codes:"), std::string::npos);
}

TEST(Command, help_fits_a_terminal) {
  for (const CommandSpec& command : all_commands()) {
    std::istringstream lines(help_text(command));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(line.size(), 100u) << command.name << ": " << line;
    }
  }
}

TEST(Command, is_found_by_its_whole_name_only) {
  ASSERT_NE(find_command("call"), nullptr);
  EXPECT_EQ(find_command("call")->name, "call");
  EXPECT_EQ(find_command("cal"), nullptr);
  EXPECT_EQ(find_command(""), nullptr);
  EXPECT_EQ(find_command("CALL"), nullptr);
}

TEST(Command, an_unknown_one_names_the_nearest) {
  EXPECT_EQ(unknown_command_text("cal"),
            "there is no command \"cal\"; did you mean \"call\"?\n"
            "  `parley help` lists the commands");
  EXPECT_EQ(unknown_command_text("deploy"),
            "there is no command \"deploy\"\n  `parley help` lists the commands");
}

}  // namespace
}  // namespace parley::cli
