// The commands and their options as one table: the parser, the help and "did you mean" all read it,
// so that they cannot drift apart.
//
// Constant data and functions of it: any thread.
//
//   const CommandSpec* command = find_command("call");
//   console.write(help_text(*command));
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace parley::cli {

struct OptionSpec {
  std::string_view name;    // "--timeout"
  std::string_view letter;  // "-t"; empty when there is none
  std::string_view value;   // "DURATION"; empty for a flag
  std::string_view text;    // one line of help
  bool repeatable = false;  // may be given more than once
};

struct CommandSpec {
  std::string_view name;      // empty for the command line before any command
  std::string_view synopsis;  // "parley call [OPTIONS] ADDRESS METHOD [ARGS...]"
  std::string_view summary;   // one line
  std::string_view examples;  // indented lines
  std::string_view notes;     // paragraphs before the options; may be empty
  std::span<const OptionSpec> options;
  bool has_exit_codes = false;  // whether the help lists the exit codes
};

// Every command in the order the help lists them.
std::span<const CommandSpec> all_commands() noexcept;

// What stands for the command line before any command: --help and --version.
const CommandSpec& top_level() noexcept;

// The command of exactly that name (no abbreviations), null when there is none.
const CommandSpec* find_command(std::string_view name) noexcept;

// The whole help of a command: examples first, then usage, notes, options and exit codes. For
// top_level() the list of commands stands in place of the notes.
std::string help_text(const CommandSpec& command);

// The sentence for a command that does not exist: what it was, the nearest name, where to look.
std::string unknown_command_text(std::string_view name);

}  // namespace parley::cli
