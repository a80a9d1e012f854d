#include "parley/kv/impl/watcher_hub.h"

#include <utility>

#include "parley/kv/error.h"
#include "parley/kv/impl/paths.h"

namespace parley::kv::impl {
namespace {

Status all_brought() {
  return {Code::out_of_range,
          "this watcher has brought what it was to bring: watch again, from the index behind it"};
}

}  // namespace

Result<Watcher> WatcherHub::add(std::string path, const WatchOptions& options, std::uint64_t index,
                                EventRef past) {
  auto watched = std::make_shared<Watched>(options.stream && past == nullptr ? max_queued_ : 1);
  watched->hub = shared_from_this();
  watched->path = std::move(path);
  watched->options = options;
  watched->start_index = index;
  if (past != nullptr) {
    watched->end = all_brought();
    (void)watched->channel.try_send(std::move(past));
    watched->channel.close();
    return Watcher(std::move(watched));
  }
  const std::lock_guard lock(mutex_);
  if (!closed_.is_ok()) return closed_;
  if (size_.load() >= max_watchers_) {
    return Status(Code::resource_exhausted,
                  "the store has " + std::to_string(max_watchers_) +
                      " watchers, as many as it takes (max_watchers): watch one folder " +
                      "recursively instead of many keys, or raise it");
  }
  Watchers& there = watchers_[watched->path];
  watched->place = there.insert(there.end(), watched);
  watched->is_listed = true;
  ++size_;
  return Watcher(std::move(watched));
}

void WatcherHub::tell(const Change& change) {
  if (size() == 0 || change.event->refresh) return;
  const std::lock_guard lock(mutex_);
  for (const std::string& path : change.removed) tell_at(path, change.event, true);
  const std::string& key = change.event->node.key;
  tell_at("/", change.event, false);
  Parts parts(key);
  while (!parts.next().empty()) tell_at(parts.so_far(), change.event, false);
}

void WatcherHub::tell_at(std::string_view path, const EventRef& event, bool was_removed) {
  const auto found = watchers_.find(path);
  if (found == watchers_.end()) return;
  const bool is_its_own = path == event->node.key;
  if (!was_removed && !is_its_own && is_hidden_below(event->node.key, path)) return;
  // give() may take it off, and the list with the last one.
  std::size_t left = found->second.size();
  for (auto next = found->second.begin(); left > 0; --left) {
    const std::shared_ptr<Watched> watched = *next++;
    const bool is_meant = watched->options.recursive || is_its_own || was_removed;
    if (is_meant && event->index >= watched->options.since) give(watched, event);
  }
}

void WatcherHub::give(const std::shared_ptr<Watched>& watched, const EventRef& event) {
  if (std::exchange(watched->told, event->index) == event->index) return;
  if (!watched->channel.try_send(EventRef(event))) {
    ++overflowed_;
    take_off(*watched, status_of({.code = ErrorCode::watcher_cleared,
                                  .cause = "more than " + std::to_string(max_queued_) +
                                           " events waited for its reader (max_queued_events)",
                                  .index = event->index}));
  } else if (!watched->options.stream) {
    take_off(*watched, all_brought());
  }
}

void WatcherHub::take_off(Watched& watched, Status end) {
  if (!std::exchange(watched.is_listed, false)) return;
  watched.end = std::move(end);
  watched.channel.close();
  --size_;
  const auto found = watchers_.find(watched.path);
  // The list may hold the last reference.
  const std::shared_ptr<Watched> kept = *watched.place;
  found->second.erase(watched.place);
  if (found->second.empty()) watchers_.erase(found);
}

void WatcherHub::remove(Watched& watched) {
  const std::lock_guard lock(mutex_);
  take_off(watched, all_brought());
}

void WatcherHub::close(const Status& why) {
  const std::lock_guard lock(mutex_);
  closed_ = why;
  while (!watchers_.empty()) take_off(*watchers_.begin()->second.front(), why);
}

}  // namespace parley::kv::impl
