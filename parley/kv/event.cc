#include "parley/kv/event.h"

#include <algorithm>
#include <array>
#include <ratio>

namespace parley::kv {
namespace {

constexpr std::array<std::string_view, 8> action_names = {
    "get", "create", "set", "update", "compareAndSwap", "compareAndDelete", "delete", "expire",
};

}  // namespace

std::string_view name_of(Action action) noexcept {
  const auto index = static_cast<std::size_t>(action);
  return index < action_names.size() ? action_names[index] : std::string_view();
}

std::optional<Action> action_named(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(action_names, name);
  if (found == action_names.end()) return std::nullopt;
  return static_cast<Action>(found - action_names.begin());
}

std::int64_t NodeView::ttl(WallTime now) const {
  if (!expiration) return 0;
  // Any two dates, those that are three hundred years apart included: no subtraction of them, and
  // no ceil(), which would count beyond what a Duration holds.
  constexpr std::int64_t second = std::nano::den;
  const std::int64_t to = expiration->time_since_epoch().count();
  const std::int64_t from = now.time_since_epoch().count();
  const std::int64_t rest = to % second - from % second;
  const std::int64_t whole = to / second - from / second;
  return whole + (rest > 0 ? 1 : 0) + (rest > second ? 1 : 0) - (rest <= -second ? 1 : 0);
}

bool operator==(const NodeView& a, const NodeView& b) {
  return a.key == b.key && a.dir == b.dir && a.value == b.value && a.expiration == b.expiration &&
         a.created_index == b.created_index && a.modified_index == b.modified_index &&
         a.nodes == b.nodes;
}

}  // namespace parley::kv
