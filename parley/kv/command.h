// Command: one write, as a plain value. Commands are logged before they are applied and applied
// again at recovery, so all that decides the outcome is in them, the time included.
//
// Pure functions: safe on every thread and fiber.
//
//   store.write(kv::Command{.kind = kv::CommandKind::set, .path = "/shop/tea", .value = "oolong"});
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/status.h"

namespace parley::kv {

// The numbers are those of the log and will not change.
enum class CommandKind : std::uint8_t {
  create = 1,
  set = 2,
  update = 3,
  compare_and_swap = 4,
  remove = 5,
  compare_and_delete = 6,
  expire = 7,
};

// "create", "compare_and_swap" ...; "unknown" for a number that is none.
std::string_view name_of(CommandKind kind) noexcept;

struct Command {
  CommandKind kind = CommandKind::set;
  std::string path{};
  // Of files.
  std::string value{};
  // create, set: makes a folder. remove: may remove one that is empty.
  bool dir = false;
  // create: a name in order below `path`: the index, 20 digits.
  bool unique = false;
  // remove: also a folder that is not empty.
  bool recursive = false;
  // set, update, compare_and_swap: only the time to live changes; watchers are not woken.
  bool refresh = false;
  // compare_and_...: what must be there; empty, or 0: not compared.
  std::string prev_value{};
  std::uint64_t prev_index = 0;
  // When the node goes by itself. None, or before the year 2000: it stays.
  std::optional<WallTime> expiration{};
  // When this happens; of `expire` up to when nodes go. A Store fills it in.
  WallTime now{};

  // Bytes it holds, for limits.
  [[nodiscard]] std::size_t bytes() const {
    return sizeof(Command) + path.size() + value.size() + prev_value.size();
  }
  friend bool operator==(const Command&, const Command&) = default;
};

// No tree has a path that is deeper or longer, whatever the limits below say.
inline constexpr std::size_t max_tree_depth = 128;
inline constexpr std::size_t max_tree_path_bytes = 65'536;

// What a Store takes. The tree itself applies whatever was taken once, so that lowering a limit
// does not change what a log means.
struct CommandLimits {
  std::size_t max_path_bytes = 1'024;
  // Parts of a path; at most max_tree_depth - 1.
  std::size_t max_depth = 64;
  // Of a value, and of what it is compared with.
  std::size_t max_value_bytes = std::size_t{1} << 20;
};

// "/a/b": starts with '/', without "//", "." and "..", and no '/' at its end but that of the root.
std::string clean_path(std::string_view path);

// Ok, or what is wrong with it: invalid_argument (a kind that is none, a path that is no UTF-8),
// resource_exhausted with the name of the limit.
Status check(const Command& command, const CommandLimits& limits = {});

}  // namespace parley::kv
