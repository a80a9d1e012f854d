#include "parley/cli/gen/gen.h"

#include <algorithm>
#include <span>

#include "parley/cli/command.h"
#include "parley/cli/flags.h"
#include "parley/gen/generation.h"

namespace parley::cli {
namespace {

struct GenPlan {
  gen::GenerationOptions options;
  bool writes = true;
  bool is_check = false;
};

Status wrong(const std::string& why) { return Status(Code::invalid_argument, why); }

Result<GenPlan> plan_gen(const Flags& flags, std::span<const std::string> for_compiler) {
  if (flags.arguments().empty()) {
    return wrong("the header is missing; write the file with the interface, such as orders.h");
  }
  if (flags.arguments().size() > 1) {
    return wrong("takes one header; arguments for the compiler stand behind --");
  }
  for (const char* option : {"--out", "--implement", "--include"}) {
    if (flags.value(option) == "") return wrong(std::string(option) + ": it is empty");
  }
  GenPlan plan;
  plan.options = {.header = flags.arguments()[0],
                  .include = flags.value("--include").value_or(""),
                  .out = flags.value("--out").value_or(""),
                  .implement = flags.value("--implement").value_or(""),
                  .arguments = {for_compiler.begin(), for_compiler.end()}};
  plan.is_check = flags.has("--check");
  plan.writes = !plan.is_check && !flags.has("--dry-run");
  return plan;
}

ExitCode print(Console& console, const std::string& text) {
  const Status written = console.write(text);
  if (written.is_ok()) return ExitCode::ok;
  if (written.code() != Code::out_of_range) console.say("parley gen: " + written.message());
  return ExitCode::output_lost;
}

ExitCode carry_out(const GenPlan& plan, Console& console) {
  const auto changes = gen::plan_generation(plan.options);
  if (!changes) {
    // As compilers tell it: an editor finds its way to the place.
    console.say(changes.error().message());
    return ExitCode::usage;
  }
  bool would_change = false;
  for (const gen::FileChange& change : *changes) {
    would_change = would_change || change.action != gen::Action::keep;
    const Status written = plan.writes ? gen::write_change(change) : Status();
    if (!written.is_ok()) {
      console.say("parley gen: " + written.message());
      return ExitCode::output_lost;
    }
    const ExitCode printed = print(console, gen::text_of(change) + "\n");
    if (printed != ExitCode::ok) return printed;
  }
  return plan.is_check && would_change ? ExitCode::would_change : ExitCode::ok;
}

}  // namespace

ExitCode run_gen(const std::vector<std::string>& words, Console& console) {
  const CommandSpec& command = *find_command("gen");
  const auto dashes = std::find(words.begin(), words.end(), "--");
  const auto flags = parse_flags(command, std::span(words.begin(), dashes));
  if (flags && flags->has("--help")) return print(console, help_text(command));
  const std::span for_compiler(dashes == words.end() ? dashes : dashes + 1, words.end());
  const auto plan = flags ? plan_gen(*flags, for_compiler) : Result<GenPlan>(flags.error());
  if (plan) return carry_out(*plan, console);
  console.say("parley gen: " + plan.error().message() +
              "\n  `parley gen --help` shows how it is used");
  return ExitCode::usage;
}

}  // namespace parley::cli
