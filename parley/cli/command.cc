#include "parley/cli/command.h"

#include <algorithm>
#include <array>
#include <vector>

#include "parley/base/suggest.h"
#include "parley/cli/exit_code.h"
#include "parley/cli/text.h"

namespace parley::cli {
namespace {

constexpr OptionSpec help_option{"--help", "-h", "", "show this help"};

constexpr OptionSpec timeout_option{"--timeout", "-t", "DURATION",
                                    "how long to try in all: 500ms, 5s, 1m (30s unless told)"};
constexpr OptionSpec meta_option{"--meta", "-m", "KEY=VALUE",
                                 "metadata sent along; may be repeated", true};
constexpr OptionSpec body_file_option{
    "--body-file", "-f", "FILE", "take the body from FILE (- is standard input), not from ARGS"};
constexpr OptionSpec verbose_option{"--verbose", "-v", "",
                                    "tell times, sizes and metadata on standard error"};

constexpr std::array<OptionSpec, 7> call_options = {{
    timeout_option,
    meta_option,
    body_file_option,
    {"--pretty", "", "", "indent the answer (the default on a terminal)"},
    {"--compact", "", "", "print the answer as it came (the default elsewhere)"},
    verbose_option,
    help_option,
}};

constexpr std::array<OptionSpec, 5> push_options = {
    {timeout_option, meta_option, body_file_option, verbose_option, help_option}};

constexpr std::array<OptionSpec, 2> version_options = {{
    {"--output", "-o", "FORMAT", "text (the default) or json"},
    help_option,
}};

constexpr std::array<OptionSpec, 6> gen_options = {{
    {"--out", "-o", "DIR", "where generated files go (`generated` beside HEADER unless told)"},
    {"--implement", "-i", "FILE", "also your own file: made when it is not there, else added to"},
    {"--include", "", "PATH", "how what is written includes HEADER (as it is given unless told)"},
    {"--dry-run", "-n", "", "tell what would be written, and write nothing"},
    {"--check", "", "", "the same; exit code 1 when a file is not what it should be"},
    help_option,
}};

constexpr std::string_view gen_notes =
    "For each abstract class in HEADER it writes a client and what serves it. The class has "
    "public,\n"
    "pure virtual functions that return parley::Result<T> or parley::Status; @local in the "
    "comment\n"
    "of a class leaves it out, `@route /shop/place` in that of a function gives its name on the\n"
    "wire, which is /class/function in snake_case otherwise. DIR can be thrown away: all in it is\n"
    "written anew. FILE is yours: it only gains the functions that are missing.\n"
    "A line for each file: CREATE, UPDATE (+n functions) or KEEP.\n"
    "\n"
    "Behind -- stand arguments for the compiler, which has -std=c++20 and Parley's own headers.\n"
    "\n"
    "Exit codes: 0 done; 1 --check found something to write; 2 the command line or HEADER is\n"
    "refused, the place and what to write instead on standard error; 5 a file cannot be written.\n";

constexpr std::array<OptionSpec, 1> help_options = {{help_option}};

constexpr std::array<OptionSpec, 2> top_options = {{
    help_option,
    {"--version", "", "", "the same as `parley version`"},
}};

constexpr std::string_view body_notes =
    "Each of ARGS is JSON. None makes an empty body, one is the body itself, several are sent as "
    "an\n"
    "array: what a function without, with one, and with several parameters expects. A string "
    "needs\n"
    "its own quotes inside those of the shell: '\"tea\"'.\n";

constexpr std::array<CommandSpec, 5> commands = {{
    {
        .name = "call",
        .synopsis = "parley call [OPTIONS] ADDRESS METHOD [ARGS...]",
        .summary = "call a method of a running service and print its answer",
        .examples =
            "  parley call tcp://127.0.0.1:4711 /math/add 1 2\n"
            "  parley call tcp://127.0.0.1:4711 /order/place '{\"sku\":\"tea\",\"quantity\":2}'\n"
            "  parley call --timeout 2s --meta user=ada tcp://127.0.0.1:4711 /shop/greet "
            "'\"Ada\"'\n"
            "  parley call --body-file order.json tcp://127.0.0.1:4711 /order/place\n",
        .notes = body_notes,
        .options = call_options,
        .has_exit_codes = true,
    },
    {
        .name = "push",
        .synopsis = "parley push [OPTIONS] ADDRESS METHOD [ARGS...]",
        .summary = "send a message to a method of a running service; no answer is expected",
        .examples = "  parley push tcp://127.0.0.1:4711 /shop/announce '\"fresh tea\"'\n"
                    "  echo '[1,2]' | parley push --body-file - tcp://127.0.0.1:4711 /math/log\n",
        .notes = body_notes,
        .options = push_options,
        .has_exit_codes = true,
    },
    {
        .name = "gen",
        .synopsis = "parley gen [OPTIONS] HEADER [-- COMPILER ARGS...]",
        .summary = "write client and server for the abstract classes of a C++ header",
        .examples = "  parley gen src/orders.h\n"
                    "  parley gen --implement src/orders_service.h src/orders.h -- -Isrc\n"
                    "  parley gen --check src/orders.h\n",
        .notes = gen_notes,
        .options = gen_options,
    },
    {
        .name = "version",
        .synopsis = "parley version [-o FORMAT]",
        .summary = "tell which parley this is",
        .examples = "  parley version\n"
                    "  parley version -o json\n",
        .notes = "",
        .options = version_options,
    },
    {
        .name = "help",
        .synopsis = "parley help [COMMAND]",
        .summary = "show the help of a command",
        .examples = "  parley help\n"
                    "  parley help call\n",
        .notes = "",
        .options = help_options,
    },
}};

constexpr CommandSpec top = {
    .name = "",
    .synopsis = "parley COMMAND [OPTIONS] [ARGS...]",
    .summary = "speak with a running Parley service from a terminal or a script",
    .examples =
        "  parley call tcp://127.0.0.1:4711 /math/add 1 2\n"
        "  parley push tcp://127.0.0.1:4711 /shop/announce '\"fresh tea\"'\n"
        "  parley help call\n",
    .notes = "",
    .options = top_options,
    .has_exit_codes = true,
};

// Rows of "left  right", the right column aligned.
struct Row {
  std::string left;
  std::string_view right;
};

std::string table(const std::vector<Row>& rows) {
  std::size_t width = 0;
  for (const Row& row : rows) width = std::max(width, row.left.size());
  std::string text;
  for (const Row& row : rows) {
    text += "  " + row.left + std::string(width - row.left.size() + 2, ' ');
    text += std::string(row.right) + "\n";
  }
  return text;
}

std::string command_table() {
  std::vector<Row> rows;
  for (const CommandSpec& command : commands) {
    rows.push_back({.left = std::string(command.name), .right = command.summary});
  }
  return table(rows);
}

std::string option_table(std::span<const OptionSpec> options) {
  std::vector<Row> rows;
  for (const OptionSpec& option : options) {
    std::string left = option.letter.empty() ? "    " : std::string(option.letter) + ", ";
    left += option.name;
    if (!option.value.empty()) left += " " + std::string(option.value);
    rows.push_back({.left = std::move(left), .right = option.text});
  }
  return table(rows);
}

}  // namespace

std::span<const CommandSpec> all_commands() noexcept { return commands; }

const CommandSpec& top_level() noexcept { return top; }

const CommandSpec* find_command(std::string_view name) noexcept {
  const auto* found = std::find_if(commands.begin(), commands.end(),
                                   [&](const CommandSpec& each) { return each.name == name; });
  return found == commands.end() ? nullptr : found;
}

std::string help_text(const CommandSpec& command) {
  std::string text = "Examples:\n" + std::string(command.examples);
  text +=
      "\nUsage: " + std::string(command.synopsis) + "\n  " + std::string(command.summary) + "\n";
  if (command.name.empty()) text += "\nCommands:\n" + command_table();
  if (!command.notes.empty()) text += "\n" + std::string(command.notes);
  text += "\nOptions:\n" + option_table(command.options);
  if (command.has_exit_codes) text += "\nExit codes:\n" + std::string(exit_code_help());
  return text;
}

std::string unknown_command_text(std::string_view name) {
  std::vector<std::string_view> names;
  for (const CommandSpec& command : commands) names.push_back(command.name);
  std::string text = "there is no command \"" + excerpt(name) + "\"";
  if (const auto near = nearest(name, names)) {
    text += "; did you mean \"" + std::string(*near) + "\"?";
  }
  return text + "\n  `parley help` lists the commands";
}

}  // namespace parley::cli
