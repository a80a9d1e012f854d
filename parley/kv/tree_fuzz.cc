// Feeds arbitrary text to Tree::recover(). It gives a tree or an error; a tree that it gave saves
// to a text of which the same comes again, obeys commands, and can be watched and read throughout.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/kv/json.h"
#include "parley/kv/tree.h"

namespace parley::kv {
namespace {

constexpr TreeOptions options{.max_saved_bytes = 1 << 20};

void fuzz(std::string_view text) {
  auto tree = Tree::recover(text, options);
  if (!tree) {
    PARLEY_ASSERT(!tree.error().message().empty(), "an error that says nothing");
    return;
  }
  const auto saved = tree->save();
  if (!saved) return;  // longer than what it came from, and too long
  const auto again = Tree::recover(*saved, options);
  PARLEY_ASSERT(again, "our own text is refused");
  PARLEY_ASSERT(*again->save() == *saved, "a tree changed on its way out and in");

  const WallTime now{std::chrono::seconds(1'700'000'000)};
  const auto all = tree->get("/", {.recursive = true}, now);
  PARLEY_ASSERT(all && !json_of(**all).empty(), "a tree that cannot be read");
  (void)tree->scan("/a", true, 1);
  const std::uint64_t before = tree->index();
  const auto applied = tree->apply({.kind = CommandKind::expire, .now = now});
  PARLEY_ASSERT(applied && tree->index() == before + applied->changes.size(),
                "an index went astray");
  for (const NodeView& child : (*all)->node.nodes) {
    (void)tree->apply(
        {.kind = CommandKind::remove, .path = child.key, .recursive = true, .now = now});
  }
  (void)tree->apply({.kind = CommandKind::set, .path = "/a/b", .value = "1", .now = now});
}

}  // namespace
}  // namespace parley::kv

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  parley::kv::fuzz(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
