#include "parley/codec/protoc/impl/options.h"

#include <google/protobuf/compiler/code_generator.h>

#include <string_view>
#include <utility>
#include <vector>

#include "parley/codec/protoc/impl/names.h"

namespace parley::protoc {
namespace {

// Sets `is_second` by which of the two values it is.
bool choose(const std::pair<std::string, std::string>& option, std::string_view first,
            std::string_view second, bool& is_second, std::string& error) {
  is_second = option.second == second;
  if (is_second || option.second == first) return true;
  error = "the option " + option.first + " is '" + option.second + "': expected " +
          std::string(first) + " or " + std::string(second);
  return false;
}

bool is_namespace(std::string_view text) {
  while (true) {
    const std::size_t end = text.find("::");
    const std::string_view part = text.substr(0, end);
    if (!is_identifier(part) || safe_name(part) != part) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 2);
  }
}

}  // namespace

bool parse_options(const std::string& parameter, Options& options, std::string& error) {
  std::vector<std::pair<std::string, std::string>> given;
  google::protobuf::compiler::ParseGeneratorParameter(parameter, &given);
  for (const auto& option : given) {
    const auto& [name, value] = option;
    if (name == "unknown_fields") {
      if (!choose(option, "skip", "keep", options.keeps_unknown_fields, error)) return false;
    } else if (name == "times") {
      if (!choose(option, "message", "chrono", options.has_chrono_times, error)) return false;
    } else if (name == "namespace") {
      options.outer_namespace = value;
      if (is_namespace(value)) continue;
      error = "the option namespace is '" + value +
              "': expected names with :: between them, as in "
              "namespace=acme::wire";
      return false;
    } else {
      error = "unknown option '" + name +
              "': expected unknown_fields=skip or keep, "
              "times=message or chrono, namespace=NAME";
      return false;
    }
  }
  return true;
}

}  // namespace parley::protoc
