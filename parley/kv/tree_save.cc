// Tree::save() and Tree::recover().
#include <algorithm>
#include <cstring>
#include <utility>

#include "parley/codec/json.h"
#include "parley/kv/impl/paths.h"
#include "parley/kv/impl/saved_tree.h"
#include "parley/kv/impl/tree_state.h"
#include "parley/kv/impl/utf8.h"
#include "parley/kv/tree.h"

namespace parley::kv {

using impl::Node;
using impl::SavedEvent;
using impl::SavedNode;
using impl::SavedTree;

namespace {

constexpr std::uint32_t known_version = 1;

codec::Limits limits_of(const TreeOptions& options) {
  return {.max_depth = 8,
          .max_bytes = options.max_saved_bytes,
          .max_elements = options.max_saved_bytes,
          .max_string_bytes = options.max_saved_bytes};
}

SavedNode saved(const NodeView& view) {
  SavedNode node{.key = view.key,
                 .dir = view.dir,
                 .value = {},
                 .bytes = {},
                 .expiration = {},
                 .created_index = view.created_index,
                 .modified_index = view.modified_index};
  if (view.value && impl::is_utf8(*view.value)) {
    node.value = view.value;
  } else if (view.value) {
    node.bytes.emplace(view.value->size());
    std::memcpy(node.bytes->data(), view.value->data(), view.value->size());
  }
  if (view.expiration) node.expiration = view.expiration->time_since_epoch().count();
  return node;
}

SavedEvent saved(const Event& event) {
  SavedEvent one{.action = std::string(name_of(event.action)),
                 .node = saved(event.node),
                 .previous = {},
                 .index = event.index,
                 .refresh = event.refresh,
                 .at = event.at.time_since_epoch().count()};
  if (event.previous) one.previous = saved(*event.previous);
  return one;
}

void save_below(const Node& node, std::vector<SavedNode>& into) {
  for (const auto& [name, child] : node.children) {
    into.push_back(saved(child->view()));
    save_below(*child, into);
  }
}

Status damaged(const std::string& what) {
  return {Code::data_loss,
          "a saved tree cannot be read: " + what + "; take an older one, or start anew without it"};
}

Result<NodeView> view_of(SavedNode&& node, std::uint64_t index) {
  if (node.key.size() > max_tree_path_bytes || node.key != clean_path(node.key) ||
      static_cast<std::size_t>(std::ranges::count(node.key, '/')) >= max_tree_depth) {
    return damaged("\"" + node.key.substr(0, 80) + "\" is no path of a tree");
  }
  if (node.value && node.bytes) return damaged("\"" + node.key + "\" has two values");
  if (node.created_index > index || node.modified_index > index) {
    return damaged("\"" + node.key + "\" comes from the future: its index is greater than the " +
                   "tree's, " + std::to_string(index));
  }
  NodeView view{.key = std::move(node.key),
                .dir = node.dir,
                .value = std::move(node.value),
                .created_index = node.created_index,
                .modified_index = node.modified_index};
  if (node.bytes) {
    view.value.emplace(node.bytes->size(), '\0');
    std::memcpy(view.value->data(), node.bytes->data(), node.bytes->size());
  }
  if (node.expiration) view.expiration = WallTime(Duration(*node.expiration));
  if (view.dir && view.value) return damaged("the folder \"" + view.key + "\" has a value");
  return view;
}

Result<EventRef> event_of(SavedEvent&& from, std::uint64_t index) {
  const auto action = action_named(from.action);
  if (!action || *action == Action::get) {
    return damaged("its history has an event of the kind \"" + from.action.substr(0, 80) + "\"");
  }
  auto node = view_of(std::move(from.node), index);
  if (!node) return node.error();
  if (node->modified_index != from.index) {
    return damaged("event " + std::to_string(from.index) + " of its history has a node of index " +
                   std::to_string(node->modified_index));
  }
  auto event = std::make_shared<Event>();
  event->action = *action;
  event->node = *std::move(node);
  if (from.previous) {
    auto previous = view_of(*std::move(from.previous), index);
    if (!previous) return previous.error();
    event->previous = *std::move(previous);
  }
  event->index = from.index;
  event->refresh = from.refresh;
  event->at = WallTime(Duration(from.at));
  return EventRef(std::move(event));
}

}  // namespace

Result<std::string> Tree::save() const {
  SavedTree tree{.version = known_version,
                 .index = state_->index,
                 .statistics = state_->statistics,
                 .nodes = {},
                 .history = {}};
  tree.nodes.reserve(state_->count);
  save_below(*state_->root, tree.nodes);
  tree.history.reserve(state_->history.events().size());
  for (const EventRef& event : state_->history.events()) tree.history.push_back(saved(*event));
  auto text = codec::encode_json(tree, limits_of(state_->options));
  if (text && text->size() > state_->options.max_saved_bytes) {
    return Status(Code::resource_exhausted,
                  "the tree is " + std::to_string(text->size()) +
                      " bytes of JSON, more than max_saved_bytes (" +
                      std::to_string(state_->options.max_saved_bytes) +
                      "), which recover() would refuse: raise it, or remove something");
  }
  return text;
}

Result<Tree> Tree::recover(std::string_view saved, const TreeOptions& options) {
  auto tree = codec::decode_json<SavedTree>(saved, limits_of(options));
  if (!tree && tree.error().code() == Code::resource_exhausted) return tree.error();
  if (!tree) return damaged(tree.error().message());
  if (tree->version != known_version) {
    return Status(Code::failed_precondition,
                  "a saved tree has version " + std::to_string(tree->version) + ", and this " +
                      "program knows version " + std::to_string(known_version) +
                      ": use the program that wrote it, or a newer one");
  }
  auto state = std::make_unique<State>(options);
  state->statistics = tree->statistics;
  for (SavedNode& from : tree->nodes) {
    auto view = view_of(std::move(from), tree->index);
    if (!view) return view.error();
    const impl::Walk walk = state->walk(view->key);
    if (walk.found || !walk.node->dir || walk.missing.size() != view->key.size()) {
      return damaged("\"" + view->key + "\" is there twice, or its folder is not");
    }
    if (!view->dir && !view->value) return damaged("\"" + view->key + "\" has no value");
    Node& node = state->add_child(*walk.node, view->key, view->created_index);
    node.modified = view->modified_index;
    node.dir = view->dir;
    if (view->value) node.value = *std::move(view->value);
    state->set_expiration(node, view->expiration);
  }
  // Each change has its event, so they follow each other up to the last.
  if (tree->history.size() > tree->index || (tree->history.empty() && tree->index > 0)) {
    return damaged("its history has " + std::to_string(tree->history.size()) +
                   " events and its index is " + std::to_string(tree->index));
  }
  std::uint64_t expected = tree->index - tree->history.size();
  for (SavedEvent& from : tree->history) {
    if (from.index != ++expected) {
      return damaged("event " + std::to_string(expected) + " is missing in its history");
    }
    auto event = event_of(std::move(from), tree->index);
    if (!event) return event.error();
    state->history.add(*std::move(event));
  }
  state->index = tree->index;
  return Tree(std::move(state));
}

}  // namespace parley::kv
