// A watchable tree with a slow log that sometimes keeps nothing and may break: writers with little
// patience, watchers that are slow, nodes that go by themselves. What the log kept is what there
// is.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "parley/kv/error.h"
#include "parley/kv/store.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "scenario.h"

namespace parley::sim {
namespace {

using namespace std::chrono_literals;

struct Kept {
  std::vector<kv::Command> commands;
  bool is_broken = false;
};

class SlowLog final : public kv::CommandLog {
 public:
  SlowLog(Kept& kept, bool may_break) : kept_(kept), may_break_(may_break) {}

  Status append(std::span<const kv::Command> batch, std::uint64_t /*index*/) override {
    must(!std::exchange(is_inside_, true), "one batch at a time");
    pause(2ms);
    is_inside_ = false;
    if (once_in(10)) return {Code::resource_exhausted, "no room"};
    if (may_break_ && once_in(20)) {
      kept_.is_broken = true;
      return {Code::data_loss, "the disk failed"};
    }
    kept_.commands.insert(kept_.commands.end(), batch.begin(), batch.end());
    return {};
  }
  [[nodiscard]] bool is_broken() const override { return kept_.is_broken; }
  Status applied(const kv::Tree& /*tree*/) override {
    pause(1ms);
    return {};
  }
  Status close() override { return {}; }

 private:
  Kept& kept_;
  bool may_break_;
  bool is_inside_ = false;
};

// What was said of the keys of all writers.
using Told = std::map<std::string, Code>;

void write_some(kv::Store& store, int writer, Told& told) {
  for (int i = 0; i < 12; ++i) {
    const std::string key = "/w/" + std::to_string(writer) + "-" + std::to_string(i);
    const rt::Deadline patience =
        once_in(3) ? rt::Deadline::after(draw(0, 3) * 1ms) : rt::Deadline::never();
    const auto event =
        store.write({.kind = kv::CommandKind::create, .path = key, .value = "1"}, patience);
    told[key] = event ? Code::ok : event.error().code();
    must(!event || store.get(key).has_value(), "who was told ok can read it");
    if (once_in(3)) {
      (void)store.write({.path = "/t/" + std::to_string(draw(0, 5)),
                         .value = "1",
                         .expiration = store.wall() + draw(0, 20) * 1ms});
    }
    pause(2ms);
  }
}

void watch_all(kv::Store& store) {
  auto watcher = store.watch("/", {.recursive = true, .stream = true});
  if (!watcher) {
    must(watcher.error().code() == Code::unavailable, "only the end refuses a watcher");
    return;
  }
  std::uint64_t last = watcher->start_index();
  while (true) {
    const auto event = watcher->next();
    if (!event) {
      const auto error = kv::error_of(event.error());
      must(event.error().code() == Code::unavailable ||
               (error && error->code == kv::ErrorCode::watcher_cleared),
           "a watcher ends with its store, or since it was slow");
      return;
    }
    must((*event)->index == last + 1, "a watcher is told of each change once and in order");
    last = (*event)->index;
    if (once_in(4)) pause(5ms);
  }
}

void must_be_what_was_told(kv::Store& store, const Told& told) {
  for (const auto& [key, code] : told) {
    const bool is_there = store.get(key).has_value();
    must(code != Code::ok || is_there, "what was written is there");
    must(code == Code::ok || code == Code::outcome_unknown || !is_there,
         "what did not happen is not there");
  }
}

}  // namespace

void tree() {
  Kept kept;
  const Instant began = rt::now();
  kv::StoreOptions options;
  options.max_waiting = static_cast<std::size_t>(draw(2, 8));
  options.max_batch = static_cast<std::size_t>(draw(1, 8));
  options.max_queued_events = static_cast<std::size_t>(draw(2, 50));
  options.expiry_granularity = draw(1, 5) * 1ms;
  options.wall = [began] { return WallTime(1'700'000'000s) + (rt::now() - began); };
  rt::Scope watchers;
  kv::Store store(kv::Tree(), options, std::make_unique<SlowLog>(kept, once_in(4)));
  for (int i = 0; i < 2; ++i) watchers.go("watcher", [&] { watch_all(store); });
  Told told;
  rt::Scope writers;
  for (int i = 0; i < 5; ++i) {
    writers.go("writer", [&, i] { write_some(store, i, told); });
  }
  if (once_in(4)) {
    pause(30ms);
  } else {
    writers.join();
  }
  must(store.stop().is_ok(), "nothing is left to fail");
  writers.join();
  watchers.join();
  must_be_what_was_told(store, told);

  kv::Tree again;
  for (const kv::Command& command : kept.commands) (void)again.apply(command);
  must(*store.save() == *again.save(), "what the log kept is what there is");
}

}  // namespace parley::sim
