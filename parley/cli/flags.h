// The words of a command line, sorted into options and arguments by the table of the command.
//
// Any thread; nothing here has state.
//
//   auto flags = parse_flags(*find_command("call"), words);
//   if (!flags) return usage_error(flags.error());
//   if (flags->has("--help")) ...
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/cli/command.h"

namespace parley::cli {

class Flags {
 public:
  // Whether the option was given; `name` is the long one ("--verbose").
  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
  // The value of an option that is given at most once; nothing when it was not.
  [[nodiscard]] std::optional<std::string> value(std::string_view name) const;
  // All values of a repeatable option, in the order they were given.
  [[nodiscard]] std::vector<std::string> values(std::string_view name) const;
  // What is not an option, in order.
  [[nodiscard]] const std::vector<std::string>& arguments() const noexcept { return arguments_; }

  void add_value(std::string_view name, std::string value);
  void add_flag(std::string_view name);
  void add_argument(std::string argument) { arguments_.push_back(std::move(argument)); }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> arguments_;
};

// Options may stand before, between and after the arguments; after "--" everything is an argument.
// A negative number is an argument. invalid_argument for an option the command does not have (with
// the nearest that it has), a value missing or too many, and one given twice that may not be.
Result<Flags> parse_flags(const CommandSpec& command, std::span<const std::string> words);

}  // namespace parley::cli
