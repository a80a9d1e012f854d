// Watcher: waits for changes of a path. It comes from Store::watch().
//
// Without `stream` it brings one event and is over. With `since` in the past the first event of the
// history that concerns it comes at once, and then, as in etcd, it is over even with `stream`:
// watch again from the index behind it. A watcher that does not keep up with what happens loses
// nothing silently: what is queued still comes, then watcher_cleared (400).
//
// What concerns it: its own path; with `recursive` all below it, but for what is hidden by a name
// with '_' between the two (not so in the history, as in etcd); and the removal of a folder above,
// if its path was there. Changes that only refresh a time to live concern nobody.
//
// One fiber at a time uses it. It may outlive its store: it is over then.
//
//   auto watcher = store.watch("/shop", {.recursive = true, .stream = true});
//   while (auto event = watcher->next()) serve_with(**event);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "parley/base/result.h"
#include "parley/kv/event.h"
#include "parley/rt/deadline.h"

namespace parley::kv {

namespace impl {
class WatcherHub;
struct Watched;
}  // namespace impl

struct WatchOptions {
  bool recursive = false;
  bool stream = false;
  // The first index of interest; 0: what comes from now on.
  std::uint64_t since = 0;
};

class Watcher {
 public:
  Watcher(Watcher&& other) noexcept;
  Watcher& operator=(Watcher&& other) noexcept;
  // Takes itself off.
  ~Watcher();

  // The next event. deadline_exceeded or the context's status when that came first: nothing is lost
  // then. At its end, after what is queued: out_of_range when it has brought all it was to bring,
  // watcher_cleared when it did not keep up, unavailable when its store has stopped.
  Result<EventRef> next(rt::Deadline deadline = {});

  // The index of the store when it was made.
  [[nodiscard]] std::uint64_t start_index() const;

 private:
  friend class impl::WatcherHub;
  explicit Watcher(std::shared_ptr<impl::Watched> watched);

  std::shared_ptr<impl::Watched> watched_;
};

}  // namespace parley::kv
