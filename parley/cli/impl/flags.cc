// The one file that knows CLI11. It reports errors by throwing; parse() below is where that ends.
#include "parley/cli/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "parley/base/guard.h"
#include "parley/base/suggest.h"
#include "parley/cli/text.h"

namespace parley::cli {
namespace {

std::string cli11_name(const OptionSpec& option) {
  if (option.letter.empty()) return std::string(option.name);
  return std::string(option.letter) + "," + std::string(option.name);
}

// Teaches `app` the options of the table. Every value is kept as text, and every option may come
// several times: what is too many is told by check_counts(), in our words.
void declare(CLI::App& app, const CommandSpec& command,
             std::vector<std::vector<std::string>>& found) {
  app.set_help_flag();  // ours is an option like the others
  app.allow_extras();   // arguments are taken from what is left
  found.resize(command.options.size());
  for (std::size_t i = 0; i < command.options.size(); ++i) {
    const OptionSpec& option = command.options[i];
    if (option.value.empty()) {
      app.add_flag_function(
             cli11_name(option),
             [&found, i](std::int64_t times) { found[i].resize(static_cast<std::size_t>(times)); })
          ->disable_flag_override();  // --verbose=false would be read as --verbose
      continue;
    }
    // Without allow_extra_args(false) one option would swallow every word after it, and a value
    // like [1,2] would be taken apart.
    app.add_option(cli11_name(option), found[i])
        ->type_name(std::string(option.value))
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

bool looks_like_option(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && !(word[1] >= '0' && word[1] <= '9');
}

Status unknown_option(const CommandSpec& command, std::string_view word) {
  std::vector<std::string_view> names;
  for (const OptionSpec& option : command.options) names.push_back(option.name);
  const std::string_view name = word.substr(0, word.find('='));
  std::string text = "there is no option \"" + excerpt(name) + "\"";
  if (const auto near = nearest(name, names)) {
    text += "; did you mean \"" + std::string(*near) + "\"?";
  }
  return Status(Code::invalid_argument, std::move(text));
}

// CLI11's sentence for what it refused, but for the two that do not read as English: a value for a
// flag, and none for an option that needs one.
Status explained(const CommandSpec& command, std::span<const std::string> words,
                 const std::string& sentence) {
  for (const OptionSpec& option : command.options) {
    const std::string name(option.name);
    const std::string quoted = "the option \"" + name + "\"";
    if (option.value.empty()) {
      const auto has_value = [&](const std::string& word) { return word.starts_with(name + "="); };
      if (!std::any_of(words.begin(), words.end(), has_value)) continue;
      return Status(Code::invalid_argument, quoted + " takes no value");
    }
    const bool is_last = !words.empty() && (words.back() == name || words.back() == option.letter);
    if (!is_last && std::find(words.begin(), words.end(), name + "=") == words.end()) continue;
    return Status(Code::invalid_argument,
                  quoted + " needs a value: " + name + " " + std::string(option.value));
  }
  return Status(Code::invalid_argument, sentence);
}

Result<Flags> check_counts(const CommandSpec& command,
                           const std::vector<std::vector<std::string>>& found) {
  Flags flags;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const OptionSpec& option = command.options[i];
    if (found[i].empty()) continue;
    if (option.value.empty()) {
      flags.add_flag(option.name);
      continue;
    }
    if (found[i].size() > 1 && !option.repeatable) {
      return Status(Code::invalid_argument, "the option \"" + std::string(option.name) +
                                                "\" is given " + std::to_string(found[i].size()) +
                                                " times; give it once");
    }
    for (const std::string& value : found[i]) flags.add_value(option.name, value);
  }
  return flags;
}

}  // namespace

std::optional<std::string> Flags::value(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end() || found->second.empty()) return std::nullopt;
  return found->second.front();
}

std::vector<std::string> Flags::values(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

void Flags::add_value(std::string_view name, std::string value) {
  values_[std::string(name)].push_back(std::move(value));
}

void Flags::add_flag(std::string_view name) { values_[std::string(name)]; }

Result<Flags> parse_flags(const CommandSpec& command, std::span<const std::string> words) {
  // CLI11 would put what follows "--" among the unknown options: it never sees that part.
  const auto dashes = std::find(words.begin(), words.end(), "--");
  CLI::App app;
  std::vector<std::vector<std::string>> found;
  std::vector<std::string> left;
  const Status parsed = guarded([&] {
    declare(app, command, found);
    app.parse(std::vector<std::string>(std::reverse_iterator(dashes), words.rend()));
    left = app.remaining();
  });
  if (!parsed.is_ok()) {
    return explained(command, std::span(words.begin(), dashes), parsed.cause());
  }
  auto flags = check_counts(command, found);
  if (!flags) return flags.error();
  for (std::string& word : left) {
    if (looks_like_option(word)) return unknown_option(command, word);
    flags->add_argument(std::move(word));
  }
  for (auto word = dashes; word != words.end(); ++word) {
    if (word != dashes) flags->add_argument(*word);
  }
  return flags;
}

}  // namespace parley::cli
