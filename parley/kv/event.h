// Event: what a read or a change of the tree answers with: the node as it is now, and as it was.
// Watchers get the same objects. Plain values; what is shared (EventRef) is never changed.
//
//   const kv::Event& event = **watcher.next();
//   log(kv::name_of(event.action), event.node.key);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/clock.h"

namespace parley::kv {

enum class Action : std::uint8_t {
  get,
  create,
  set,
  update,
  compare_and_swap,
  compare_and_delete,
  remove,
  expire,
};

// As etcd calls it: "get", "compareAndSwap", "delete" ...
std::string_view name_of(Action action) noexcept;
// The action of that name, or nothing.
std::optional<Action> action_named(std::string_view name) noexcept;

struct NodeView {
  std::string key;  // "/" for the root
  bool dir = false;
  // Of a file; not of the node that a removal left nothing of.
  std::optional<std::string> value{};
  // Empty: it stays until it is removed.
  std::optional<WallTime> expiration{};
  std::uint64_t created_index = 0;
  std::uint64_t modified_index = 0;
  // Children, by key; only in what get() returned.
  std::vector<NodeView> nodes{};

  // Seconds from `now` to the expiration, rounded up; 0 without one. It is 0 or less for what is
  // overdue and not yet taken away.
  [[nodiscard]] std::int64_t ttl(WallTime now) const;

  friend bool operator==(const NodeView& a, const NodeView& b);
};

struct Event {
  Action action = Action::get;
  NodeView node;
  std::optional<NodeView> previous;
  // The index of the store when this was made; of a change its own.
  std::uint64_t index = 0;
  // Only the time to live was changed: no watcher is woken by it, nor finds it in the history.
  bool refresh = false;
  // The time it was made at: what its ttl is counted from.
  WallTime at{};

  friend bool operator==(const Event&, const Event&) = default;
};

using EventRef = std::shared_ptr<const Event>;

// One change, and whom besides its own path and those above it concerns: what was removed below.
struct Change {
  EventRef event;
  std::vector<std::string> removed{};
};

}  // namespace parley::kv
