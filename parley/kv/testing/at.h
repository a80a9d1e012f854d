// For tests of kv: commands in few words, and errors as etcd writes them.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "parley/kv/command.h"
#include "parley/kv/error.h"
#include "parley/kv/tree.h"

namespace parley::kv::testing {

// Some moment after the year 2000, and moments after that.
inline constexpr WallTime start{std::chrono::seconds(1'700'000'000)};
inline WallTime after(Duration delay) { return start + delay; }

inline Command create(std::string path, std::string value) {
  return {.kind = CommandKind::create,
          .path = std::move(path),
          .value = std::move(value),
          .now = start};
}
inline Command create_dir(std::string path) {
  return {.kind = CommandKind::create, .path = std::move(path), .dir = true, .now = start};
}
inline Command create_in_order(std::string path, std::string value) {
  Command command = create(std::move(path), std::move(value));
  command.unique = true;
  return command;
}
inline Command set(std::string path, std::string value) {
  return {
      .kind = CommandKind::set, .path = std::move(path), .value = std::move(value), .now = start};
}
inline Command update(std::string path, std::string value) {
  return {.kind = CommandKind::update,
          .path = std::move(path),
          .value = std::move(value),
          .now = start};
}
inline Command swap(std::string path, std::string value, std::string prev_value,
                    std::uint64_t prev_index = 0) {
  return {.kind = CommandKind::compare_and_swap,
          .path = std::move(path),
          .value = std::move(value),
          .prev_value = std::move(prev_value),
          .prev_index = prev_index,
          .now = start};
}
inline Command remove(std::string path) {
  return {.kind = CommandKind::remove, .path = std::move(path), .now = start};
}
inline Command remove_dir(std::string path) {
  return {.kind = CommandKind::remove, .path = std::move(path), .dir = true, .now = start};
}
inline Command remove_all(std::string path) {
  return {.kind = CommandKind::remove, .path = std::move(path), .recursive = true, .now = start};
}
inline Command compare_and_delete(std::string path, std::string prev_value,
                                  std::uint64_t prev_index = 0) {
  return {.kind = CommandKind::compare_and_delete,
          .path = std::move(path),
          .prev_value = std::move(prev_value),
          .prev_index = prev_index,
          .now = start};
}
inline Command expire(WallTime now) { return {.kind = CommandKind::expire, .now = now}; }

// The same, to go at that time.
inline Command until(WallTime expiration, Command command) {
  command.expiration = expiration;
  return command;
}
inline Command refreshed(WallTime expiration, Command command) {
  command.expiration = expiration;
  command.refresh = true;
  return command;
}

// "105 /a @3": number, cause and index.
inline std::string told(const Status& status) {
  const auto error = error_of(status);
  if (!error) return status.to_string();
  return std::to_string(static_cast<int>(error->code)) + " " + error->cause + " @" +
         std::to_string(error->index);
}

// The event of a command that must succeed.
inline Event done(Tree& tree, const Command& command) {
  auto applied = tree.apply(command);
  if (!applied || applied->event == nullptr) {
    ADD_FAILURE() << command.path << ": " << applied.error();
    return {};
  }
  return *applied->event;
}
// As told(), of a command that must fail.
inline std::string failed(Tree& tree, const Command& command) {
  auto applied = tree.apply(command);
  return applied ? "it succeeded" : told(applied.error());
}
inline NodeView node_at(const Tree& tree, std::string_view path, WallTime now = start) {
  auto event = tree.get(path, {}, now);
  if (!event) {
    ADD_FAILURE() << path << ": " << event.error();
    return {};
  }
  return (*event)->node;
}

}  // namespace parley::kv::testing
