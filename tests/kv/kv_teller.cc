// A tree of kv that obeys lines: each is a command as JSON, and is answered by a line of JSON, as
// etcd would. Half of a differential test (differential_test.py).
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>

#include "parley/codec/json.h"
#include "parley/kv/error.h"
#include "parley/kv/json.h"
#include "parley/kv/tree.h"

namespace {

using namespace parley;

struct Line {
  std::string op;  // a command's name; or get, watch, statistics, save
  std::string path;
  std::string value;
  bool dir = false;
  bool unique = false;
  bool recursive = false;
  bool refresh = false;
  std::string prev_value;
  std::uint64_t prev_index = 0;
  std::optional<std::int64_t> ttl;
  std::uint64_t since = 0;
  std::int64_t now = 0;  // seconds
};

std::string told(const Status& status) {
  const auto error = kv::error_of(status);
  return error ? kv::json_of(*error) : status.to_string();
}

kv::CommandKind kind_named(const std::string& name) {
  for (std::uint8_t number = 1; number <= 7; ++number) {
    const auto kind = static_cast<kv::CommandKind>(number);
    if (kv::name_of(kind) == name) return kind;
  }
  return static_cast<kv::CommandKind>(0);
}

std::string apply(kv::Tree& tree, const Line& line, WallTime now) {
  kv::Command command{.kind = kind_named(line.op),
                      .path = line.path,
                      .value = line.value,
                      .dir = line.dir,
                      .unique = line.unique,
                      .recursive = line.recursive,
                      .refresh = line.refresh,
                      .prev_value = line.prev_value,
                      .prev_index = line.prev_index,
                      .now = now};
  if (line.ttl) command.expiration = now + std::chrono::seconds(*line.ttl);
  auto applied = tree.apply(command);
  if (!applied) return told(applied.error());
  return applied->event == nullptr ? "{}" : kv::json_of(*applied->event);
}

// Saves it and goes on with what was recovered.
std::string save(kv::Tree& tree) {
  const auto text = tree.save();
  auto again = text ? kv::Tree::recover(*text) : Result<kv::Tree>(text.error());
  if (!again) return again.error().to_string();
  tree = *std::move(again);
  return "{}";
}

std::string answer(kv::Tree& tree, const Line& line) {
  const WallTime now{std::chrono::seconds(line.now)};
  if (line.op == "save") return save(tree);
  if (line.op == "statistics") return kv::json_of(tree.statistics());
  if (line.op == "get") {
    const auto event = tree.get(line.path, {.recursive = line.recursive}, now);
    return event ? kv::json_of(**event) : told(event.error());
  }
  if (line.op == "watch") {
    const auto event = tree.scan(line.path, line.recursive, line.since);
    if (!event) return told(event.error());
    return *event == nullptr ? "{}" : kv::json_of(**event);
  }
  return apply(tree, line, now);
}

}  // namespace

int main() {
  kv::Tree tree;
  std::string text;
  while (std::getline(std::cin, text)) {
    const auto line = codec::decode_json<Line>(text);
    if (!line) {
      std::cerr << line.error() << '\n';
      return 1;
    }
    std::cout << answer(tree, *line) << std::endl;
  }
  return 0;
}
