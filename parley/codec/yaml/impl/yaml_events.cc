#include "parley/codec/yaml/impl/yaml_events.h"

#include <algorithm>
#include <utility>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/utf8.h"

namespace parley::codec::impl {
namespace {

constexpr std::size_t max_shown_text = 64;
constexpr std::string_view core_tags = "tag:yaml.org,2002:";

// What yaml-cpp sees fly by when a document has to end here. Nobody looks into it.
struct Stop {};

[[noreturn]] void leave_parser() {
  throw Stop();  // tidy-allow(exceptions): yaml-cpp can be left in no other way; guarded() is above
}

// Whether the text in quotes that begins `text` ends.
bool has_closing_quote(std::string_view text) {
  const char quote = text.front();
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 == text.size() || text[i + 1] != quote) return true;
      ++i;
    }
  }
  return false;
}

// yaml-cpp turns the escapes \N and \_ into the single bytes of Latin-1. The text was UTF-8 before,
// so that a byte of the two that continues no character is one of them.
std::string as_utf8(const std::string& value) {
  if (is_utf8(value)) return value;
  std::string mended;
  for (std::size_t at = 0; at < value.size();) {
    const auto byte = static_cast<unsigned char>(value[at]);
    if (byte == 0x85 || byte == 0xA0) mended += '\xC2';
    const std::size_t size = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    mended.append(value, at, size);
    at += size;
  }
  return mended;
}

bool is_merge_key(const YamlNode& key) {
  return key.what == YamlNode::What::scalar && !key.is_text && key.text == "<<";
}

std::string limit(std::string_view what, std::string_view name, std::size_t value) {
  return std::string(what) + " (" + std::string(name) + " is " + std::to_string(value) + ")";
}

}  // namespace

void YamlEvents::stop_parser(Status status) {
  status_ = std::move(status);
  leave_parser();
}

void YamlEvents::stop_at(Code code, YamlId id, const std::string& message) {
  stop_parser(Status(code, tree_.place_of(id) + ": " + message));
}

void YamlEvents::stop(Code code, const YAML::Mark& mark, const std::string& message) {
  stop_at(code, tree_.add(node_at(mark, YamlNode::What::null)), message);
}

YamlNode YamlEvents::node_at(const YAML::Mark& mark, YamlNode::What what) const {
  YamlNode node;
  node.what = what;
  node.origin = origin_;
  node.line = static_cast<std::uint32_t>(std::max(mark.line, 0)) + 1;
  node.column = static_cast<std::uint32_t>(std::max(mark.column, 0)) + 1;
  return node;
}

void YamlEvents::OnDocumentStart(const YAML::Mark& /*mark*/) {}

// yaml-cpp takes empty lines at the end of the text for the end of a quote. Only the last scalar
// can have got there.
void YamlEvents::OnDocumentEnd() {
  const auto at = static_cast<std::size_t>(std::max(last_text_.pos, 0));
  if (at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) return;
  if (has_closing_quote(text_.substr(at))) return;
  stop(Code::invalid_argument, last_text_, "the quote is not closed");
}

void YamlEvents::check_tag(const YAML::Mark& mark, const std::string& tag, YamlNode::What what) {
  if (tag.empty() || tag == "?" || tag == "!") return;
  std::string_view name = tag;
  if (name.starts_with(core_tags)) {
    name.remove_prefix(core_tags.size());
    if (what == YamlNode::What::scalar && (name == "str" || name == "binary")) return;
    if (what == YamlNode::What::list && name == "seq") return;
    if (what == YamlNode::What::map && name == "map") return;
    stop(Code::invalid_argument, mark,
         "the tag !!" + shortened(name, max_shown_text) +
             " is not for here: leave it out, the type of the field decides");
  }
  stop(Code::invalid_argument, mark,
       "the tag " + shortened(name, max_shown_text) + " means nothing here: leave it out");
}

void YamlEvents::count(const YAML::Mark& mark, std::size_t nodes, std::size_t bytes) {
  nodes_ += nodes;
  bytes_ += bytes;
  if (nodes_ > options_.max_nodes) {
    stop(Code::resource_exhausted, mark,
         limit("too many values, aliases put in place", "max_nodes", options_.max_nodes));
  }
  if (bytes_ > options_.limits.max_bytes) {
    stop(Code::resource_exhausted, mark,
         limit("too much text, aliases put in place", "max_bytes", options_.limits.max_bytes));
  }
}

void YamlEvents::name(YAML::anchor_t anchor, YamlId id) {
  if (anchor == 0) return;
  if (anchors_.size() <= anchor) anchors_.resize(anchor + 1, none);
  anchors_[anchor] = id;
}

void YamlEvents::put(const YAML::Mark& mark, YamlId id) {
  const std::size_t depth = open_.size() + tree_.at(id).height;
  if (depth > options_.limits.max_depth) {
    stop(Code::resource_exhausted, mark,
         limit("nested too deeply", "max_depth", options_.limits.max_depth));
  }
  if (open_.empty()) {
    root_ = id;
    has_root_ = true;
    return;
  }
  YamlNode& parent = tree_.nodes[open_.back().id];
  parent.children.push_back(id);
  const std::size_t per_element = parent.what == YamlNode::What::map ? 2 : 1;
  if ((parent.children.size() + per_element - 1) / per_element > options_.limits.max_elements) {
    stop(Code::resource_exhausted, mark,
         limit("too many elements", "max_elements", options_.limits.max_elements));
  }
}

bool YamlEvents::is_written_null(const YAML::Mark& mark) const {
  const auto at = static_cast<std::size_t>(std::max(mark.pos, 0));
  const std::string_view rest = text_.substr(std::min(at, text_.size()));
  return rest.starts_with('~') || rest.starts_with('n') || rest.starts_with('N');
}

void YamlEvents::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  count(mark, 1, 0);
  YamlNode node = node_at(mark, YamlNode::What::null);
  const YamlNode* const map = open_.empty() ? nullptr : &tree_.at(open_.back().id);
  const bool is_value =
      map != nullptr && map->what == YamlNode::What::map && map->children.size() % 2 == 1;
  if (is_value && !is_written_null(mark)) {
    // The mark of a value that is not written is that of whatever comes next.
    const YamlNode& key = tree_.at(map->children.back());
    node.line = key.line;
    node.column = key.column;
  }
  const YamlId id = tree_.add(std::move(node));
  name(anchor, id);
  put(mark, id);
}

void YamlEvents::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const YamlId id = anchor < anchors_.size() ? anchors_[anchor] : none;
  if (id == none) stop(Code::invalid_argument, mark, "an alias of nothing");
  for (const Open& around : open_) {
    if (around.id == id) stop(Code::invalid_argument, mark, "an alias inside what it stands for");
  }
  count(mark, tree_.at(id).nodes, tree_.at(id).bytes);
  put(mark, id);
}

void YamlEvents::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                          const std::string& written) {
  std::string value = as_utf8(written);
  check_tag(mark, tag, YamlNode::What::scalar);
  last_text_ = mark;
  if (value.size() > options_.limits.max_string_bytes) {
    stop(Code::resource_exhausted, mark,
         limit("a text of " + std::to_string(value.size()) + " bytes", "max_string_bytes",
               options_.limits.max_string_bytes));
  }
  count(mark, 1, value.size());
  YamlNode node = node_at(mark, YamlNode::What::scalar);
  node.is_text = tag != "?";
  node.bytes = value.size();
  node.text = std::move(value);
  show_source(node, mark);
  const YamlId id = tree_.add(std::move(node));
  name(anchor, id);
  put(mark, id);
}

// The mark of a text in quotes may be that of the quote.
void YamlEvents::show_source(YamlNode& node, const YAML::Mark& mark) const {
  if (mark.pos < 0) return;
  for (std::size_t skipped = 0; skipped < 2; ++skipped) {
    const std::size_t at = static_cast<std::size_t>(mark.pos) + skipped;
    if (at > text_.size() || text_.substr(at, node.text.size()) != node.text) continue;
    node.source = text_.data() + at;
    return;
  }
}

void YamlEvents::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                 YAML::anchor_t anchor, YAML::EmitterStyle::value /*style*/) {
  open(mark, tag, anchor, YamlNode::What::list);
}

void YamlEvents::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                            YAML::EmitterStyle::value /*style*/) {
  open(mark, tag, anchor, YamlNode::What::map);
}

void YamlEvents::open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                      YamlNode::What what) {
  check_tag(mark, tag, what);
  const std::size_t nodes_before = nodes_;
  count(mark, 1, 0);
  YamlNode node = node_at(mark, what);
  node.height = 1;
  const YamlId id = tree_.add(std::move(node));
  name(anchor, id);
  put(mark, id);
  open_.push_back({.id = id, .nodes_before = nodes_before, .bytes_before = bytes_});
}

void YamlEvents::OnSequenceEnd() { close(); }

void YamlEvents::OnMapEnd() {
  merge(open_.back().id);
  close();
}

void YamlEvents::close() {
  const Open done = open_.back();
  open_.pop_back();
  YamlNode& node = tree_.nodes[done.id];
  for (const YamlId child : node.children) {
    node.height = std::max(node.height, tree_.at(child).height + 1);
  }
  node.nodes = nodes_ - done.nodes_before;
  node.bytes = bytes_ - done.bytes_before;
}

void YamlEvents::check_keys(YamlId map) {
  const YamlNode& node = tree_.at(map);
  std::vector<std::pair<std::string_view, YamlId>> keys;
  for (std::size_t i = 0; i < node.children.size(); i += 2) {
    const YamlId key = node.children[i];
    if (tree_.at(key).what != YamlNode::What::scalar) {
      stop_at(Code::invalid_argument, key,
              "a key must be a text, got " + shown(tree_.at(key)) + ": write it in quotes");
    }
    keys.emplace_back(tree_.at(key).text, key);
  }
  // Of two equal ones the later is told: nodes are numbered as they come.
  std::ranges::sort(keys);
  for (std::size_t i = 1; i < keys.size(); ++i) {
    const auto& [text, key] = keys[i];
    if (keys[i - 1].first != text) continue;
    stop_at(Code::invalid_argument, key,
            "the key \"" + shortened(escaped_json(text), max_shown_text) +
                "\" appears twice, first in line " +
                std::to_string(tree_.at(keys[i - 1].second).line));
  }
}

void YamlEvents::merge(YamlId map) {
  check_keys(map);
  std::vector<YamlId>& children = tree_.nodes[map].children;
  std::size_t at = 0;
  while (at < children.size() && !is_merge_key(tree_.at(children[at]))) at += 2;
  if (at == children.size()) return;
  const YamlId source = children[at + 1];
  std::vector<YamlId> merged = children;
  const auto place = merged.begin() + static_cast<std::ptrdiff_t>(at);
  merged.erase(place, place + 2);
  std::set<std::string_view> known;
  for (std::size_t i = 0; i < merged.size(); i += 2) known.insert(tree_.at(merged[i]).text);
  if (tree_.at(source).what == YamlNode::What::list) {
    for (const YamlId one : tree_.at(source).children) merge_from(map, one, known, merged);
  } else {
    merge_from(map, source, known, merged);
  }
  if (merged.size() / 2 > options_.limits.max_elements) {
    stop_at(Code::resource_exhausted, map,
            limit("too many elements", "max_elements", options_.limits.max_elements));
  }
  tree_.nodes[map].children = std::move(merged);
}

void YamlEvents::merge_from(YamlId map, YamlId source, std::set<std::string_view>& known,
                            std::vector<YamlId>& merged) {
  if (tree_.at(source).what != YamlNode::What::map) {
    stop_at(Code::invalid_argument, source,
            "a merge key << takes a map or a list of maps, got " + shown(tree_.at(source)));
  }
  const std::vector<YamlId>& from = tree_.at(source).children;
  YAML::Mark mark;
  mark.line = static_cast<int>(tree_.at(map).line) - 1;
  mark.column = static_cast<int>(tree_.at(map).column) - 1;
  for (std::size_t i = 0; i < from.size(); i += 2) {
    const YamlNode& key = tree_.at(from[i]);
    if (!known.insert(key.text).second) continue;
    const YamlNode& value = tree_.at(from[i + 1]);
    count(mark, key.nodes + value.nodes, key.bytes + value.bytes);
    merged.push_back(from[i]);
    merged.push_back(from[i + 1]);
  }
}

void YamlSecondDocument::OnDocumentStart(const YAML::Mark& mark) {
  is_there_ = true;
  mark_ = mark;
  leave_parser();
}

}  // namespace parley::codec::impl
