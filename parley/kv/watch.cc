#include "parley/kv/watch.h"

#include <utility>

#include "parley/kv/impl/watcher_hub.h"

namespace parley::kv {

Watcher::Watcher(std::shared_ptr<impl::Watched> watched) : watched_(std::move(watched)) {}
Watcher::Watcher(Watcher&& other) noexcept = default;

Watcher& Watcher::operator=(Watcher&& other) noexcept {
  std::swap(watched_, other.watched_);
  return *this;
}

Watcher::~Watcher() {
  if (watched_ == nullptr) return;
  const std::shared_ptr<impl::WatcherHub> hub = std::move(watched_->hub);
  hub->remove(*watched_);
}

Result<EventRef> Watcher::next(rt::Deadline deadline) {
  auto event = watched_->channel.receive(deadline);
  // Of the channel only its end is out_of_range, and behind that `end` does not change.
  if (!event && event.error().code() == Code::out_of_range) return watched_->end;
  return event;
}

std::uint64_t Watcher::start_index() const { return watched_->start_index; }

}  // namespace parley::kv
