// What a Tree consists of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "parley/kv/error.h"
#include "parley/kv/impl/history.h"
#include "parley/kv/tree.h"

namespace parley::kv {

namespace impl {

struct Node {
  std::string path;
  bool dir = false;
  std::string value;
  std::optional<WallTime> expiration;
  std::uint64_t created = 0;
  std::uint64_t modified = 0;
  Node* parent = nullptr;
  // By name, which is the end of the child's own path.
  std::map<std::string_view, std::unique_ptr<Node>> children;

  [[nodiscard]] std::string_view name() const;
  // Without children.
  [[nodiscard]] NodeView view() const;
};

// In the order in which they go: of those that are due at the same time by path, so that every
// tree takes them in the same order.
struct SoonestFirst {
  bool operator()(const Node* a, const Node* b) const {
    return a->expiration != b->expiration ? a->expiration < b->expiration : a->path < b->path;
  }
};

// How far a path could be followed.
struct Walk {
  Node* node = nullptr;  // the last one that is there
  bool found = false;    // it is that of the whole path
  // Of the path: up to the first part that is not there.
  std::string_view missing{};
};

}  // namespace impl

struct Tree::State {
  explicit State(const TreeOptions& options);

  [[nodiscard]] impl::Walk walk(std::string_view path) const;
  // Why a walk did not find what it looked for.
  [[nodiscard]] Status lost(const impl::Walk& walk) const;
  [[nodiscard]] Status fail(ErrorCode code, std::string_view cause) const;

  // A new node, and the folders it needs, all with `index`.
  impl::Node& grow(const impl::Walk& from, std::string_view path, std::uint64_t index);
  impl::Node& add_child(impl::Node& parent, std::string_view path, std::uint64_t index);
  void set_expiration(impl::Node& node, std::optional<WallTime> expiration);
  // Takes the node and all below it away; appends the paths of these.
  void take(impl::Node& node, std::vector<std::string>& removed);

  Result<Applied> put(const Command& command, std::string path);
  Result<Applied> update(const Command& command, const std::string& path);
  Result<Applied> compare_and_swap(const Command& command, const std::string& path);
  Result<Applied> compare_and_delete(const Command& command, const std::string& path);
  Result<Applied> remove(const Command& command, const std::string& path);
  Applied expire(WallTime now);
  Status compare(const impl::Node& node, const Command& command) const;
  // The next index, with an event for it.
  std::shared_ptr<Event> begin(Action action, const impl::Node& node, WallTime now);
  Applied finish(std::shared_ptr<Event> event, std::vector<std::string> removed = {});

  TreeOptions options;
  std::unique_ptr<impl::Node> root;
  std::uint64_t index = 0;
  std::size_t count = 0;
  std::set<impl::Node*, impl::SoonestFirst> expiring;
  impl::History history;
  Statistics statistics;
};

}  // namespace parley::kv
