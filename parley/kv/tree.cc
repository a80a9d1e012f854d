#include "parley/kv/tree.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "parley/base/assert.h"
#include "parley/kv/impl/paths.h"
#include "parley/kv/impl/tree_state.h"

namespace parley::kv {

using impl::Node;
using impl::Walk;

namespace {

constexpr CommandLimits no_limits{
    .max_path_bytes = max_tree_path_bytes,
    .max_depth = max_tree_depth - 1,
    .max_value_bytes = std::numeric_limits<std::size_t>::max(),
};

// 2000-01-01: who gives a time before that cannot mean it.
constexpr WallTime first_expiration{std::chrono::seconds(946'684'800)};

std::optional<WallTime> meant(std::optional<WallTime> expiration) {
  return expiration && *expiration >= first_expiration ? expiration : std::nullopt;
}

std::string unique_name(std::uint64_t index) {
  constexpr std::size_t width = 20;
  std::string digits = std::to_string(index);
  digits.insert(0, width - digits.size(), '0');
  return digits;
}

using Counter = std::uint64_t Statistics::*;
struct Counters {
  Counter success;
  Counter fail;
};

Counters counters_of(CommandKind kind) {
  using S = Statistics;
  constexpr std::array<Counters, 6> all = {{
      {&S::create_success, &S::create_fail},
      {&S::set_success, &S::set_fail},
      {&S::update_success, &S::update_fail},
      {&S::compare_and_swap_success, &S::compare_and_swap_fail},
      {&S::delete_success, &S::delete_fail},
      {&S::compare_and_delete_success, &S::compare_and_delete_fail},
  }};
  return all[static_cast<std::size_t>(kind) - 1];
}

}  // namespace

// Node

std::string_view Node::name() const { return impl::name_in(path); }

NodeView Node::view() const {
  NodeView view{.key = path,
                .dir = dir,
                .expiration = expiration,
                .created_index = created,
                .modified_index = modified};
  if (!dir) view.value = value;
  return view;
}

// State

Tree::State::State(const TreeOptions& given)
    : options(given),
      root(std::make_unique<Node>()),
      history(given.max_history, given.max_history_bytes) {
  PARLEY_ASSERT(options.max_history >= 1, "TreeOptions::max_history must be at least 1");
  root->path = "/";
  root->dir = true;
}

Walk Tree::State::walk(std::string_view path) const {
  Walk walk{.node = root.get(), .found = false};
  impl::Parts parts(path);
  for (std::string_view name = parts.next(); !name.empty(); name = parts.next()) {
    walk.missing = parts.so_far();
    if (!walk.node->dir) return walk;
    const auto child = walk.node->children.find(name);
    if (child == walk.node->children.end()) return walk;
    walk.node = child->second.get();
  }
  walk.found = true;
  return walk;
}

Status Tree::State::fail(ErrorCode code, std::string_view cause) const {
  return status_of({.code = code, .cause = std::string(cause), .index = index});
}

Status Tree::State::lost(const Walk& walk) const {
  return walk.node->dir ? fail(ErrorCode::key_not_found, walk.missing)
                        : fail(ErrorCode::not_a_dir, walk.node->path);
}

Node& Tree::State::add_child(Node& parent, std::string_view path, std::uint64_t at) {
  auto child = std::make_unique<Node>();
  child->path = path;
  child->created = at;
  child->modified = at;
  child->parent = &parent;
  Node& added = *child;
  parent.children.emplace(added.name(), std::move(child));
  ++count;
  return added;
}

Node& Tree::State::grow(const Walk& from, std::string_view path, std::uint64_t at) {
  Node* node = from.node;
  impl::Parts parts(path);
  while (parts.so_far().size() < from.missing.size()) (void)parts.next();
  while (true) {
    node = &add_child(*node, parts.so_far(), at);
    if (parts.next().empty()) return *node;
    node->dir = true;
  }
}

void Tree::State::set_expiration(Node& node, std::optional<WallTime> expiration) {
  if (node.expiration) expiring.erase(&node);
  node.expiration = expiration;
  if (node.expiration) expiring.insert(&node);
}

void Tree::State::take(Node& node, std::vector<std::string>& removed) {
  while (!node.children.empty()) {
    Node& child = *node.children.begin()->second;
    removed.push_back(child.path);
    take(child, removed);
  }
  set_expiration(node, std::nullopt);
  --count;
  // By place: the key is a view of what goes with the child.
  node.parent->children.erase(node.parent->children.find(node.name()));
}

std::shared_ptr<Event> Tree::State::begin(Action action, const Node& node, WallTime now) {
  auto event = std::make_shared<Event>();
  event->action = action;
  event->node.key = node.path;
  event->node.dir = node.dir;
  event->node.created_index = node.created;
  event->node.modified_index = index + 1;
  event->previous = node.view();
  event->index = index + 1;
  event->at = now;
  return event;
}

Applied Tree::State::finish(std::shared_ptr<Event> event, std::vector<std::string> removed) {
  index = event->index;
  Applied applied{.event = std::move(event), .changes = {}};
  history.add(applied.event);
  applied.changes.push_back({applied.event, std::move(removed)});
  return applied;
}

// create and set

Result<Applied> Tree::State::put(const Command& command, std::string path) {
  const bool replaces = command.kind == CommandKind::set;
  const std::uint64_t next = index + 1;
  if (!replaces && command.unique) {
    if (path == "/") path.clear();
    path += "/" + unique_name(next);
  }
  const Walk walk = this->walk(path);
  const bool is_lost_in_a_file = !walk.found && !walk.node->dir;
  if (is_lost_in_a_file || (replaces && command.refresh && !walk.found)) return lost(walk);
  if (path == "/") return fail(ErrorCode::root_is_read_only, "/");
  if (walk.found && !replaces) return fail(ErrorCode::key_exists, path);
  if (walk.found && walk.node->dir) return fail(ErrorCode::not_a_file, path);

  Node& node = walk.found ? *walk.node : grow(walk, path, next);
  auto event = begin(replaces ? Action::set : Action::create, node, command.now);
  if (!walk.found) event->previous.reset();
  event->refresh = replaces && command.refresh;
  node.dir = command.dir;
  if (node.dir) {
    node.value.clear();
  } else if (!event->refresh) {
    node.value = command.value;
  }
  node.created = next;
  node.modified = next;
  set_expiration(node, meant(command.expiration));
  event->node = node.view();
  return finish(std::move(event));
}

Result<Applied> Tree::State::update(const Command& command, const std::string& path) {
  if (path == "/") return fail(ErrorCode::root_is_read_only, "/");
  const Walk walk = this->walk(path);
  if (!walk.found) return lost(walk);
  Node& node = *walk.node;
  if (node.dir && !command.value.empty()) return fail(ErrorCode::not_a_file, path);

  auto event = begin(Action::update, node, command.now);
  event->refresh = command.refresh;
  if (!node.dir) {
    if (!command.refresh) node.value = command.value;
    node.modified = event->index;  // that of a folder stays, as in etcd
    event->node.value = node.value;
  }
  set_expiration(node, meant(command.expiration));
  event->node.expiration = node.expiration;
  return finish(std::move(event));
}

Status Tree::State::compare(const Node& node, const Command& command) const {
  const bool has_value = command.prev_value.empty() || command.prev_value == node.value;
  const bool has_index = command.prev_index == 0 || command.prev_index == node.modified;
  if (has_value && has_index) return {};
  std::string cause;
  if (!has_value) cause = "[" + command.prev_value + " != " + node.value + "]";
  if (!has_index) {
    if (!cause.empty()) cause += ' ';
    cause +=
        "[" + std::to_string(command.prev_index) + " != " + std::to_string(node.modified) + "]";
  }
  return fail(ErrorCode::compare_failed, cause);
}

Result<Applied> Tree::State::compare_and_swap(const Command& command, const std::string& path) {
  if (path == "/") return fail(ErrorCode::root_is_read_only, "/");
  const Walk walk = this->walk(path);
  if (!walk.found) return lost(walk);
  Node& node = *walk.node;
  if (node.dir) return fail(ErrorCode::not_a_file, path);
  if (Status status = compare(node, command); !status.is_ok()) return status;

  auto event = begin(Action::compare_and_swap, node, command.now);
  event->refresh = command.refresh;
  if (!command.refresh) node.value = command.value;
  node.modified = event->index;
  set_expiration(node, meant(command.expiration));
  event->node = node.view();
  return finish(std::move(event));
}

Result<Applied> Tree::State::compare_and_delete(const Command& command, const std::string& path) {
  const Walk walk = this->walk(path);
  if (!walk.found) return lost(walk);
  if (walk.node->dir) return fail(ErrorCode::not_a_file, path);
  if (Status status = compare(*walk.node, command); !status.is_ok()) return status;
  auto event = begin(Action::compare_and_delete, *walk.node, command.now);
  std::vector<std::string> removed;
  take(*walk.node, removed);
  return finish(std::move(event));
}

Result<Applied> Tree::State::remove(const Command& command, const std::string& path) {
  if (path == "/") return fail(ErrorCode::root_is_read_only, "/");
  const Walk walk = this->walk(path);
  if (!walk.found) return lost(walk);
  Node& node = *walk.node;
  if (node.dir && !command.dir && !command.recursive) return fail(ErrorCode::not_a_file, path);
  if (!node.children.empty() && !command.recursive) return fail(ErrorCode::dir_not_empty, path);
  auto event = begin(Action::remove, node, command.now);
  std::vector<std::string> removed;
  take(node, removed);
  return finish(std::move(event), std::move(removed));
}

Applied Tree::State::expire(WallTime now) {
  Applied all;
  while (!expiring.empty() && (*expiring.begin())->expiration <= now) {
    Node& node = **expiring.begin();
    auto event = begin(Action::expire, node, now);
    std::vector<std::string> removed;
    take(node, removed);
    ++statistics.expire_count;
    Applied one = finish(std::move(event), std::move(removed));
    all.event = std::move(one.event);
    all.changes.push_back(std::move(one.changes.front()));
  }
  return all;
}

// Tree

Tree::Tree(const TreeOptions& options) : state_(std::make_unique<State>(options)) {}
Tree::Tree(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tree::~Tree() = default;
Tree::Tree(Tree&& other) noexcept = default;
Tree& Tree::operator=(Tree&& other) noexcept = default;

Result<Applied> Tree::apply(const Command& command) {
  if (Status status = check(command, no_limits); !status.is_ok()) return status;
  if (command.kind == CommandKind::expire) return state_->expire(command.now);
  std::string path = clean_path(command.path);
  auto applied = [&]() -> Result<Applied> {
    switch (command.kind) {
      case CommandKind::create:
      case CommandKind::set:
        return state_->put(command, std::move(path));
      case CommandKind::update:
        return state_->update(command, path);
      case CommandKind::compare_and_swap:
        return state_->compare_and_swap(command, path);
      case CommandKind::remove:
        return state_->remove(command, path);
      default:
        return state_->compare_and_delete(command, path);
    }
  }();
  const Counters counters = counters_of(command.kind);
  ++(state_->statistics.*(applied ? counters.success : counters.fail));
  return applied;
}

namespace {

// Fills in what is below; false once more than `left` nodes were met.
bool list(const Node& node, bool recursive, std::size_t& left, NodeView& into) {
  for (const auto& [name, child] : node.children) {
    if (name.starts_with('_')) continue;
    if (left == 0) return false;
    --left;
    into.nodes.push_back(child->view());
    if (recursive && !list(*child, recursive, left, into.nodes.back())) return false;
  }
  return true;
}

}  // namespace

Result<EventRef> Tree::get(std::string_view path, GetOptions options, WallTime now) const {
  const std::string clean = clean_path(path);
  const Walk walk = state_->walk(clean);
  if (!walk.found) return state_->lost(walk);
  auto event = std::make_shared<Event>();
  event->node = walk.node->view();
  event->index = state_->index;
  event->at = now;
  std::size_t left = state_->options.max_listed;
  if (!list(*walk.node, options.recursive, left, event->node)) {
    return Status(Code::resource_exhausted,
                  "below \"" + clean + "\" are more nodes than one get" + "() lists (max_listed, " +
                      std::to_string(state_->options.max_listed) + "): ask for a part of them");
  }
  return EventRef(std::move(event));
}

Result<EventRef> Tree::scan(std::string_view path, bool recursive, std::uint64_t since) const {
  return state_->history.scan(clean_path(path), recursive, since, state_->index);
}

std::size_t Tree::missing(std::string_view path) const {
  const std::string clean = clean_path(path);
  const Walk walk = state_->walk(clean);
  if (walk.found) return 0;
  return 1 + static_cast<std::size_t>(
                 std::ranges::count(std::string_view(clean).substr(walk.missing.size()), '/'));
}

std::uint64_t Tree::index() const { return state_->index; }
std::size_t Tree::nodes() const { return state_->count; }
const Statistics& Tree::statistics() const { return state_->statistics; }
const TreeOptions& Tree::options() const { return state_->options; }

std::optional<WallTime> Tree::next_expiration() const {
  if (state_->expiring.empty()) return std::nullopt;
  return (*state_->expiring.begin())->expiration;
}

}  // namespace parley::kv
