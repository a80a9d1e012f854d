#include "parley/kv/impl/history.h"

#include <utility>

#include "parley/kv/error.h"
#include "parley/kv/impl/paths.h"

namespace parley::kv::impl {
namespace {

std::size_t bytes_of(const NodeView& node) {
  return node.key.size() + (node.value ? node.value->size() : 0);
}

std::size_t bytes_of(const Event& event) {
  return sizeof(Event) + bytes_of(event.node) + (event.previous ? bytes_of(*event.previous) : 0);
}

bool concerns(const Event& event, std::string_view path, bool recursive) {
  if (event.refresh) return false;
  const std::string& key = event.node.key;
  if (key == path || (recursive && is_below(key, path))) return true;
  const bool took_a_dir = (event.action == Action::remove || event.action == Action::expire) &&
                          event.previous && event.previous->dir;
  return took_a_dir && is_below(path, key);
}

}  // namespace

void History::add(EventRef event) {
  bytes_ += bytes_of(*event);
  events_.push_back(std::move(event));
  while (events_.size() > max_events_ || (bytes_ > max_bytes_ && events_.size() > 1)) {
    bytes_ -= bytes_of(*events_.front());
    events_.pop_front();
  }
}

Result<EventRef> History::scan(std::string_view path, bool recursive, std::uint64_t since,
                               std::uint64_t index) const {
  if (events_.empty()) return EventRef();
  const std::uint64_t start = events_.front()->index;
  if (since < start) {
    return status_of({.code = ErrorCode::history_cleared,
                      .cause = "the requested history has been cleared [" + std::to_string(start) +
                               "/" + std::to_string(since) + "]",
                      .index = index});
  }
  for (std::uint64_t i = since - start; i < events_.size(); ++i) {
    const EventRef& event = events_[static_cast<std::size_t>(i)];
    if (concerns(*event, path, recursive)) return event;
  }
  return EventRef();
}

}  // namespace parley::kv::impl
