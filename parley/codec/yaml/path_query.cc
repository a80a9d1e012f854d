#include "parley/codec/yaml/path_query.h"

#include "parley/codec/yaml/impl/path_steps.h"
#include "parley/codec/yaml/impl/yaml_reader.h"
#include "parley/codec/yaml/impl/yaml_tree.h"

namespace parley::codec {
namespace {

using impl::PathStep;
using impl::YamlId;
using impl::YamlNode;

// A set of steps: bit i when step i is the next one. All ways to match a node are walked at once,
// so that a node is found once and `**` costs no more than a look at each node.
using Places = std::uint64_t;

constexpr Places bit(std::size_t i) { return Places{1} << i; }

class Walk {
 public:
  Walk(const std::vector<PathStep>& steps, const impl::YamlTree& tree)
      : steps_(steps), tree_(tree) {}

  void visit(YamlId id, Places places) {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const bool may_be_none = steps_[i].what == PathStep::What::any_depth;
      if ((places & bit(i)) != 0 && may_be_none) places |= bit(i + 1);
    }
    if ((places & bit(steps_.size())) != 0) found_.push_back(way_);
    const YamlNode& node = tree_.at(id);
    const std::size_t width = node.what == YamlNode::What::map ? 2 : 1;
    for (std::size_t i = 0; i < node.children.size(); i += width) {
      const Places next = width == 2 ? behind_key(tree_.at(node.children[i]).text, places)
                                     : behind_index(i, places);
      if (next == 0) continue;
      way_.push_back(static_cast<std::uint32_t>(i / width));
      visit(node.children[i + width - 1], next);
      way_.pop_back();
    }
  }

  std::vector<std::vector<std::uint32_t>>& found() { return found_; }

 private:
  [[nodiscard]] Places behind_key(const std::string& key, Places places) const {
    Places next = 0;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if ((places & bit(i)) == 0) continue;
      const PathStep& step = steps_[i];
      if (step.what == PathStep::What::any_depth) next |= bit(i);
      if (step.what == PathStep::What::any_key ||
          (step.what == PathStep::What::key && step.key == key) ||
          (step.what == PathStep::What::regex && re2::RE2::PartialMatch(key, *step.regex))) {
        next |= bit(i + 1);
      }
    }
    return next;
  }

  [[nodiscard]] Places behind_index(std::size_t index, Places places) const {
    Places next = 0;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if ((places & bit(i)) == 0) continue;
      const PathStep& step = steps_[i];
      if (step.what == PathStep::What::any_depth) next |= bit(i);
      if (step.what == PathStep::What::any_element ||
          (step.what == PathStep::What::element && step.index == index)) {
        next |= bit(i + 1);
      }
    }
    return next;
  }

  const std::vector<PathStep>& steps_;
  const impl::YamlTree& tree_;
  std::vector<std::uint32_t> way_;
  std::vector<std::vector<std::uint32_t>> found_;
};

}  // namespace

std::string YamlMatch::path() const { return impl::yaml_path(*tree_, steps_); }

std::string YamlMatch::place() const { return tree_->place_of(impl::yaml_node_at(*tree_, steps_)); }

Status YamlMatch::decode_as(const Type& type, void* object, const YamlOptions& options) const {
  YamlOptions changed = options;
  changed.refuse_views = true;
  return impl::YamlReader(*tree_, changed).read_at(type, steps_, object);
}

Result<PathQuery> PathQuery::compile(std::string_view text) {
  auto steps = std::make_shared<impl::PathSteps>();
  if (Status status = impl::parse_path(text, *steps); !status.is_ok()) return status;
  return PathQuery(std::move(steps));
}

std::vector<YamlMatch> PathQuery::find(const YamlDocument& document) const {
  Walk walk(steps_->steps, *document.tree_);
  walk.visit(document.tree_->root, bit(0));
  std::vector<YamlMatch> matches;
  for (std::vector<std::uint32_t>& way : walk.found()) {
    matches.push_back(YamlMatch(document.tree_, std::move(way)));
  }
  return matches;
}

}  // namespace parley::codec
