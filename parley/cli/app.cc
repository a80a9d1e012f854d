#include "parley/cli/app.h"

#include <algorithm>
#include <span>
#include <utility>

#include "parley/cli/call.h"
#include "parley/cli/command.h"
#include "parley/cli/flags.h"
#include "parley/cli/plan.h"
#include "parley/cli/program.h"
#include "parley/cli/text.h"
#include "parley/cli/version.h"

namespace parley::cli {
namespace {

// Data is lost silently only when its reader left on purpose.
ExitCode print(Console& console, const std::string& text) {
  const Status written = console.write(text);
  if (written.is_ok()) return ExitCode::ok;
  if (written.code() != Code::out_of_range) console.say("parley: " + written.message());
  return ExitCode::output_lost;
}

ExitCode usage_error(Console& console, const CommandSpec& command, const Status& status) {
  const std::string name = command.name.empty() ? "" : " " + std::string(command.name);
  console.say("parley" + name + ": " + status.message() + "\n  `parley" + name +
              " --help` shows how it is used");
  return ExitCode::usage;
}

ExitCode call_or_push(Verb verb, const CommandSpec& command, const Flags& flags, Console& console) {
  const auto plan = plan_call(verb, flags);
  if (!plan) return usage_error(console, command, plan.error());
  return carry_out(*plan, console);
}

ExitCode show_version(const CommandSpec& command, const Flags& flags, Console& console) {
  const std::string format = flags.value("--output").value_or("text");
  if (!flags.arguments().empty()) {
    return usage_error(console, command, Status(Code::invalid_argument, "takes no arguments"));
  }
  if (format == "text") return print(console, version_text());
  if (format == "json") return print(console, version_json());
  return usage_error(
      console, command,
      Status(Code::invalid_argument, "--output: \"" + excerpt(format) + "\" is not text or json"));
}

ExitCode show_help(const CommandSpec& command, const Flags& flags, Console& console) {
  const auto& names = flags.arguments();
  if (names.empty()) return print(console, help_text(top_level()));
  if (names.size() > 1) {
    return usage_error(console, command,
                       Status(Code::invalid_argument, "takes the name of one command"));
  }
  const CommandSpec* wanted = find_command(names[0]);
  if (wanted != nullptr) return print(console, help_text(*wanted));
  console.say("parley: " + unknown_command_text(names[0]));
  return ExitCode::usage;
}

// parley-gen reads the words once more; here they are only looked at for --help and mistakes.
ExitCode generate(std::span<const std::string> words, Console& console) {
  const Status failed = become_program("parley-gen", {words.begin(), words.end()});
  console.say("parley gen: " + failed.message());
  if (failed.code() == Code::not_found) {
    console.say(
        "  This parley was built without it. Install libclang 19 (Debian: libclang-19-dev), build\n"
        "  with PARLEY_GEN=ON, and keep parley-gen in the folder of parley.");
  }
  return ExitCode::usage;
}

ExitCode run_found(const CommandSpec& command, std::span<const std::string> words,
                   Console& console) {
  // What follows "--" is not ours to read: for `gen` it belongs to the compiler.
  const bool is_gen = command.name == "gen";
  const auto end = is_gen ? std::find(words.begin(), words.end(), "--") : words.end();
  const auto flags = parse_flags(command, std::span(words.begin(), end));
  if (!flags) return usage_error(console, command, flags.error());
  if (flags->has("--help")) return print(console, help_text(command));
  if (command.name == "call") return call_or_push(Verb::call, command, *flags, console);
  if (command.name == "push") return call_or_push(Verb::push, command, *flags, console);
  if (is_gen) return generate(words, console);
  if (command.name == "version") return show_version(command, *flags, console);
  return show_help(command, *flags, console);
}

// Words before any command: --help, --version, or nothing that makes sense.
ExitCode run_top_level(std::span<const std::string> words, Console& console) {
  const auto flags = parse_flags(top_level(), words);
  if (!flags) return usage_error(console, top_level(), flags.error());
  if (flags->has("--help")) return print(console, help_text(top_level()));
  if (flags->has("--version")) return print(console, version_text());
  return usage_error(console, top_level(),
                     Status(Code::invalid_argument, "the command is missing"));
}

}  // namespace

ExitCode run_command(const std::vector<std::string>& words, Console& console) {
  if (words.empty()) {
    console.say(help_text(top_level()));
    return ExitCode::usage;
  }
  if (words[0].starts_with('-')) return run_top_level(words, console);
  const CommandSpec* command = find_command(words[0]);
  if (command != nullptr) return run_found(*command, std::span(words).subspan(1), console);
  console.say("parley: " + unknown_command_text(words[0]));
  return ExitCode::usage;
}

}  // namespace parley::cli
