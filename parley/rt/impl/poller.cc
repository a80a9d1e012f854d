#include "parley/rt/impl/poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>

#include "parley/base/assert.h"
#include "parley/base/sanitized.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/ready_queue.h"

namespace parley::rt::impl {
namespace {

constexpr int events_per_poll = 128;
constexpr std::uint64_t interrupt_data = ~std::uint64_t{0};

using Events = std::array<epoll_event, events_per_poll>;

// epoll_pwait2() is a cancellation point of threads, which costs atomic operations each time. The
// sanitizers have to see the real one.
int plain_epoll_wait(int epoll, Events& events, const timespec* limit) {
  if (is_sanitized) {
    return ::epoll_pwait2(epoll, events.data(), events_per_poll, limit, nullptr);
  }
  return static_cast<int>(::syscall(SYS_epoll_pwait2, epoll, events.data(), events_per_poll, limit,
                                    nullptr, std::size_t{0}));
}

// Waits at most `limit` (null: for ever) and returns how many events there are.
int wait_for_events(int epoll, Events& events, const timespec* limit) {
  int count = plain_epoll_wait(epoll, events, limit);
  if (count < 0 && (errno == ENOSYS || errno == EPERM)) {
    // Before Linux 5.11, and in some sandboxes: whole milliseconds, rounded up so as not to spin.
    constexpr long max_ms = 60'000;
    const long ms =
        limit == nullptr ? -1 : limit->tv_sec * 1000 + (limit->tv_nsec + 999'999) / 1'000'000;
    count =
        ::epoll_wait(epoll, events.data(), events_per_poll, static_cast<int>(std::min(ms, max_ms)));
  }
  PARLEY_ASSERT(count >= 0 || errno == EINTR, "the poller failed");
  return std::max(count, 0);
}

std::uint64_t data_of(const PollEntry& entry) {
  return std::uint64_t{entry.generation.load(std::memory_order_relaxed)} << 32 | entry.index;
}

}  // namespace

void PollEntry::tell_readable(WaitList& woken, Instant now) {
  const bool taken = !readers.empty() && claim_all(readers, woken);
  if (!readable.load(std::memory_order_relaxed)) {
    readable_since.store(now, std::memory_order_relaxed);
  }
  readable.store(!taken, std::memory_order_release);
  // Under the lock: whoever takes the item away does that under it as well.
  if (!taken && on_readable != nullptr) on_readable->ready();
}

PollEntry& PollTable::take() {
  const std::lock_guard lock(lock_);
  size_.fetch_add(1, std::memory_order_relaxed);
  if (free_ != nullptr) {
    PollEntry& entry = *free_;
    free_ = entry.next_free;
    return entry;
  }
  const std::uint32_t index = made_++;
  if (index % chunk == 0) {
    PARLEY_ASSERT(index / chunk < most_chunks, "more descriptors than a process can have");
    owned_.push_back(std::make_unique<Chunk>());
    chunks_[index / chunk].store(owned_.back().get(), std::memory_order_release);
  }
  PollEntry& entry = *at(index);
  entry.index = index;
  return entry;
}

void PollTable::give_back(PollEntry& entry) {
  const std::lock_guard lock(lock_);
  entry.next_free = free_;
  free_ = &entry;
  size_.fetch_sub(1, std::memory_order_relaxed);
}

PollEntry* PollTable::at(std::uint32_t index) {
  if (index / chunk >= most_chunks) return nullptr;
  Chunk* in = chunks_[index / chunk].load(std::memory_order_acquire);
  return in == nullptr ? nullptr : &(*in)[index % chunk];
}

Poller::Poller(PollTable& table)
    : table_(table),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      interrupt_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  PARLEY_ASSERT(epoll_ && interrupt_, "no descriptor left for the poller: raise `ulimit -n`");
  epoll_event event{};
  // Edge-triggered, so that nobody needs to read it: each write is an event.
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = interrupt_data;
  PARLEY_ASSERT(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, interrupt_.get(), &event) == 0,
                "the poller cannot watch its own event");
}

Status Poller::watch(PollEntry& entry) {
  entry.epoll = epoll_.get();
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
  event.data.u64 = data_of(entry);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, entry.fd, &event) != 0) {
    return errno_status(errno, "watch descriptor " + std::to_string(entry.fd));
  }
  return {};
}

void Poller::unwatch(PollEntry& entry) {
  ::epoll_ctl(entry.epoll, EPOLL_CTL_DEL, entry.fd, nullptr);
  const std::lock_guard lock(entry.lock);
  PARLEY_ASSERT(entry.readers.empty() && entry.writers.empty(),
                "a descriptor was given up while a fiber waits for it");
  entry.generation.fetch_add(1, std::memory_order_relaxed);
  for (auto* flag : {&entry.readable, &entry.writable, &entry.beyond_bytes}) flag->store(false);
  entry.readable_since = Instant();
  entry.on_readable = nullptr;
  entry.fd = entry.epoll = -1;
}

int Poller::poll(Duration limit) {
  polls_.fetch_add(1, std::memory_order_relaxed);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): filled by the kernel
  Events events;
  timespec timeout{};
  if (limit != for_ever) {
    timeout.tv_sec = static_cast<time_t>(limit / std::chrono::seconds(1));
    timeout.tv_nsec = static_cast<long>((limit % std::chrono::seconds(1)).count());
  }
  const int count = wait_for_events(epoll_.get(), events, limit == for_ever ? nullptr : &timeout);
  // Once for all of them: how long each waits for its turn is measured from here.
  const Instant now = count > 0 ? rt::now() : Instant();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 != interrupt_data) deliver(event.events, event.data.u64, now);
  }
  return count;
}

void Poller::interrupt() {
  interrupts_.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(interrupt_.get(), &one, sizeof one);
}

void Poller::deliver(std::uint32_t events, std::uint64_t data, Instant now) {
  PollEntry* entry = table_.at(static_cast<std::uint32_t>(data));
  const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
  const bool readable = broken || (events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI)) != 0;
  const bool writable = broken || (events & EPOLLOUT) != 0;
  WaitList woken;
  {
    const std::lock_guard lock(entry->lock);
    if (entry->generation.load(std::memory_order_relaxed) != data >> 32)
      return;  // for a former one
    if (broken || (events & (EPOLLRDHUP | EPOLLPRI)) != 0) {
      entry->beyond_bytes.store(true, std::memory_order_relaxed);
    }
    if (readable) entry->tell_readable(woken, now);
    if (writable) {
      const bool taken = !entry->writers.empty() && claim_all(entry->writers, woken);
      entry->writable.store(!taken, std::memory_order_relaxed);
    }
  }
  if (!woken.empty()) wake_claimed(woken);
}

}  // namespace parley::rt::impl
