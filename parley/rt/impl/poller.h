// Poller: the descriptors one worker watches, edge-triggered (epoll(7)). Any worker may ask it for
// events when its own is busy. Private to rt.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "parley/base/clock.h"
#include "parley/base/fd.h"
#include "parley/base/status.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt {
class ReadyItem;
}

namespace parley::rt::impl {

// What is known of one watched descriptor. Its memory is never given back while the runtime lives,
// since another thread may hold an event for it that it has not looked at yet; `generation` tells
// such an event from one for the next descriptor watched in this place.
struct PollEntry {
  SpinLock lock;
  std::atomic<std::uint32_t> generation{0};
  int fd = -1;
  int epoll = -1;
  // Edge-triggered: epoll tells of a change once. A change nobody waited for is kept here, so the
  // next wait returns at once (at worst to find EAGAIN and wait again).
  // Set under the lock.
  std::atomic<bool> readable = false;
  // Since when it is, or was last. Written before `readable` becomes true.
  std::atomic<Instant> readable_since{Instant()};
  std::atomic<bool> writable = false;
  // The kernel told of an end, an error or urgent data, once: see Pollable::short_read_drains.
  std::atomic<bool> beyond_bytes = false;
  WaitList readers;
  WaitList writers;
  // When set, made ready whenever there is something to read and no fiber that waits for it.
  ReadyItem* on_readable = nullptr;
  PollEntry* next_free = nullptr;
  std::uint32_t index = 0;

  // Under the lock, at the time `now`. Those in `woken` are the caller's to wake, best after
  // unlocking.
  void tell_readable(WaitList& woken, Instant now);
};

// The entries of a runtime. Thread-safe.
class PollTable {
 public:
  PollEntry& take();
  void give_back(PollEntry& entry);
  // Null for an index that was never given out.
  [[nodiscard]] PollEntry* at(std::uint32_t index);
  // Entries that are given out.
  [[nodiscard]] std::uint32_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t chunk = 256;
  using Chunk = std::array<PollEntry, chunk>;
  static constexpr std::uint32_t most_chunks = 1U << 14;

  SpinLock lock_;
  PollEntry* free_ = nullptr;
  std::uint32_t made_ = 0;
  std::atomic<std::uint32_t> size_{0};
  std::vector<std::unique_ptr<Chunk>> owned_;
  std::array<std::atomic<Chunk*>, most_chunks> chunks_{};
};

class Poller {
 public:
  // Ends the program when there is no descriptor left for it.
  explicit Poller(PollTable& table);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  Status watch(PollEntry& entry);
  static void unwatch(PollEntry& entry);

  // Waits until there is an event, at most `limit` by the real clock (at_once: not at all,
  // for_ever: as long as it takes), and wakes the fibers that wait for what came. Returns how many
  // events there were.
  int poll(Duration limit);
  static constexpr Duration at_once{0};
  static constexpr Duration for_ever = Duration::max();

  // From any thread: ends a poll() that waits, or the next one.
  void interrupt();

  // How often each was called.
  [[nodiscard]] std::uint64_t polls() const { return polls_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t interrupts() const {
    return interrupts_.load(std::memory_order_relaxed);
  }

 private:
  void deliver(std::uint32_t events, std::uint64_t data, Instant now);

  PollTable& table_;
  Fd epoll_;
  Fd interrupt_;
  // Beside a system call each.
  std::atomic<std::uint64_t> polls_{0};
  std::atomic<std::uint64_t> interrupts_{0};
};

}  // namespace parley::rt::impl
