// All watchers of a store, by path. Thread-safe among fibers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/kv/event.h"
#include "parley/kv/watch.h"
#include "parley/rt/channel.h"
#include "parley/rt/mutex.h"

namespace parley::kv::impl {

struct Watched;
using Watchers = std::list<std::shared_ptr<Watched>>;

// What a Watcher shares with the hub. But for the channel all under the hub's lock; `end` also by
// who has found the channel closed.
struct Watched {
  explicit Watched(std::size_t capacity) : channel(capacity) {}

  std::shared_ptr<WatcherHub> hub;  // while the Watcher is there
  rt::Channel<EventRef> channel;
  std::string path;
  WatchOptions options;
  std::uint64_t start_index = 0;
  std::uint64_t told = 0;  // the index of the last event that came here
  bool is_listed = false;
  Watchers::iterator place;
  Status end;
};

class WatcherHub : public std::enable_shared_from_this<WatcherHub> {
 public:
  WatcherHub(std::size_t max_watchers, std::size_t max_queued)
      : max_watchers_(max_watchers), max_queued_(max_queued) {}

  // With `past`, an event of the history, the watcher gets that and nothing more. Nothing may be
  // told between the look at the history and this.
  Result<Watcher> add(std::string path, const WatchOptions& options, std::uint64_t index,
                      EventRef past);
  // In the order of the changes.
  void tell(const Change& change);
  void remove(Watched& watched);
  // Ends all of them, and those that come.
  void close(const Status& why);

  [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_relaxed); }
  // Watchers that were ended because they did not keep up.
  [[nodiscard]] std::uint64_t overflowed() const { return overflowed_.load(); }

 private:
  void tell_at(std::string_view path, const EventRef& event, bool was_removed);
  void give(const std::shared_ptr<Watched>& watched, const EventRef& event);
  void take_off(Watched& watched, Status end);

  const std::size_t max_watchers_;
  const std::size_t max_queued_;
  rt::Mutex mutex_;
  std::map<std::string, Watchers, std::less<>> watchers_;
  std::atomic<std::size_t> size_{0};
  std::atomic<std::uint64_t> overflowed_{0};
  Status closed_;
};

}  // namespace parley::kv::impl
