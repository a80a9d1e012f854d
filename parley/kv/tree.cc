#include "parley/kv/tree.h"

namespace parley::kv {

struct Tree::State {
  TreeOptions options;
  Statistics statistics;
};

Tree::Tree(const TreeOptions& options) : state_(std::make_unique<State>()) {
  state_->options = options;
}
Tree::Tree(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tree::~Tree() = default;
Tree::Tree(Tree&& other) noexcept = default;
Tree& Tree::operator=(Tree&& other) noexcept = default;

Result<Applied> Tree::apply(const Command& command) {
  return Status(Code::unimplemented, "kv::Tree::apply").with_cause(command.path);
}
Result<EventRef> Tree::get(std::string_view path, GetOptions /*options*/, WallTime /*now*/) const {
  return Status(Code::unimplemented, "kv::Tree::get").with_cause(std::string(path));
}
Result<EventRef> Tree::scan(std::string_view path, bool /*recursive*/, std::uint64_t /*s*/) const {
  return Status(Code::unimplemented, "kv::Tree::scan").with_cause(std::string(path));
}
std::uint64_t Tree::index() const { return 0; }
std::size_t Tree::nodes() const { return 0; }
std::size_t Tree::missing(std::string_view path) const { return path.size(); }
std::optional<WallTime> Tree::next_expiration() const { return std::nullopt; }
const Statistics& Tree::statistics() const { return state_->statistics; }
const TreeOptions& Tree::options() const { return state_->options; }
Result<std::string> Tree::save() const { return Status(Code::unimplemented, "kv::Tree::save"); }
Result<Tree> Tree::recover(std::string_view /*saved*/, const TreeOptions& /*options*/) {
  return Status(Code::unimplemented, "kv::Tree::recover");
}

}  // namespace parley::kv
