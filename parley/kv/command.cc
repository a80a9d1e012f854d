#include "parley/kv/command.h"

#include <algorithm>
#include <array>
#include <vector>

#include "parley/kv/impl/utf8.h"

namespace parley::kv {
namespace {

constexpr std::array<std::string_view, 8> kind_names = {
    "unknown", "create", "set", "update", "compare_and_swap", "remove", "compare_and_delete",
    "expire",
};

Status too_much(std::string_view what, std::size_t is, std::string_view limit, std::size_t most) {
  return {Code::resource_exhausted, std::string(what) + " has " + std::to_string(is) +
                                        ", more than " + std::string(limit) + " (" +
                                        std::to_string(most) + ")"};
}

}  // namespace

std::string_view name_of(CommandKind kind) noexcept {
  const auto index = static_cast<std::size_t>(kind);
  return index < kind_names.size() ? kind_names[index] : kind_names[0];
}

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  if (parts.empty()) return "/";
  std::string clean;
  for (const std::string_view part : parts) clean.append("/").append(part);
  return clean;
}

Status check(const Command& command, const CommandLimits& limits) {
  if (command.kind < CommandKind::create || command.kind > CommandKind::expire) {
    return {Code::invalid_argument, "a command of kind " +
                                        std::to_string(static_cast<int>(command.kind)) +
                                        ", which is none; it may come from a newer version"};
  }
  // A unique name is a part of its own, of a '/' and 20 digits.
  const std::size_t unique_bytes = command.unique ? 21 : 0;
  if (command.path.size() + unique_bytes > limits.max_path_bytes) {
    return too_much("bytes: the path of a command", command.path.size() + unique_bytes,
                    "max_path_bytes", limits.max_path_bytes);
  }
  if (!impl::is_utf8(command.path)) {
    return {Code::invalid_argument, "the path of a command is no UTF-8: give it another name"};
  }
  const std::string path = clean_path(command.path);
  const auto depth = static_cast<std::size_t>(std::ranges::count(path, '/')) +
                     (command.unique ? std::size_t{1} : 0);
  if (depth > limits.max_depth) {
    return too_much("parts: the path of a command", depth, "max_depth", limits.max_depth);
  }
  const std::size_t value = std::max(command.value.size(), command.prev_value.size());
  if (value > limits.max_value_bytes) {
    return too_much("bytes: the value at \"" + path + "\"", value, "max_value_bytes",
                    limits.max_value_bytes);
  }
  return {};
}

}  // namespace parley::kv
