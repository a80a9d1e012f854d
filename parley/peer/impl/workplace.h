// Workplace: what a fiber needs while it reads and serves a session: memory that one session hands
// to the next, so that sessions at rest own none. Private to peer.
//
// Belongs to one fiber at a time; a peer keeps them in an rt::Pool.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/clock.h"
#include "parley/peer/handler.h"
#include "parley/peer/impl/call_table.h"
#include "parley/peer/impl/read_buffer.h"
#include "parley/peer/router.h"
#include "parley/rt/deadline.h"
#include "parley/wire/framing.h"
#include "parley/wire/message.h"

namespace parley::impl {

struct StreamCore;

// Whether a request may run.
enum class Verdict : std::uint8_t {
  run,
  closing,
  max_handlers,
  max_handler_bytes,
  max_fibers,
  too_late,
  max_streams,
  no_body,
  control,  // no request: something to answer at once
  taken     // nothing is left to do
};

// One message of a read, and what the lock's holder found out about it. Of a size that makes one of
// many cheap to find.
struct alignas(64) Arrived {
  wire::Message message;
  bool is_plain = true;  // as wire::Decoder::next_plain() makes it, or fresh
  Verdict verdict = Verdict::run;
  bool is_plain_call = false;     // it may run, and is a call of the plain kind
  Instant came_at{};              // when it was read
  rt::Deadline deadline;          // the caller's
  PendingCall* caller = nullptr;  // of a reply; null when nobody waits any more
  StreamCore* stream = nullptr;   // of an open that may run, which keeps it in the table
  std::size_t in_use = 0;         // of the limit that the verdict names
};

// What is said of one that may not run; ok of others.
Status why_refused(const Arrived& arrived);

// The messages of a read in their order. What held one of them is used for the next: most of them
// are plain, and then little of it has to be made new.
class Arrivals {
 public:
  // Its message is fresh, or plain.
  Arrived& add() {
    if (size_ == all_.size()) all_.emplace_back();
    return all_[size_++];
  }
  // The messages of those that come next, as add() would give them: at least one, at most `most`.
  // So many as add_messages() says are there then.
  wire::MessageRow room(std::size_t most) {
    if (size_ == all_.size()) all_.resize(std::min(2 * size_ + 1, size_ + most));
    return {&all_[size_].message, sizeof(Arrived), std::min(all_.size() - size_, most)};
  }
  void add_messages(std::size_t count) { size_ += count; }
  // How many bytes of large bodies have come since it was asked.
  void count_large(std::size_t bytes) { large_bytes_ += bytes; }
  std::size_t take_large() { return std::exchange(large_bytes_, 0); }
  Arrived& operator[](std::size_t i) { return all_[i]; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::span<Arrived> all() { return {all_.data(), size_}; }
  // Lets go of those from there on.
  void cut(std::size_t size) {
    Block* block = nullptr;
    std::uint32_t sharing = 0;
    for (Arrived& each : all().subspan(size)) {
      Block* const held = reset(each);
      if (held != block) [[unlikely]] {
        if (block != nullptr) block->drop_owners(sharing);
        block = held;
        sharing = 0;
      }
      ++sharing;
    }
    if (block != nullptr) block->drop_owners(sharing);
    size_ = size;
  }
  void clear() { cut(0); }
  // Keeps those for which is_kept(arrived).
  template <class F>
  void keep(F is_kept) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      if (!is_kept(all_[i])) continue;
      if (i != kept) std::swap(all_[kept], all_[i]);
      ++kept;
    }
    cut(kept);
  }
  friend void swap(Arrivals& a, Arrivals& b) noexcept {
    std::swap(a.all_, b.all_);
    std::swap(a.size_, b.size_);
  }

 private:
  // Returns the block its body lay in, whose count is left to the caller: most share one.
  static Block* reset(Arrived& arrived) {
    // What plugins of a group have put into it is of this call only.
    const wire::Message& message = arrived.message;
    if (arrived.is_plain && message.metadata.empty() && !message.method_block) [[likely]] {
      return arrived.message.body.clear_uncounted();
    }
    renew(arrived);
    return nullptr;
  }
  [[gnu::noinline]] static void renew(Arrived& arrived) { arrived = Arrived(); }

  std::vector<Arrived> all_;
  std::size_t size_ = 0;
  std::size_t large_bytes_ = 0;
};

// Answers on their way to what will be sent, encoded.
struct Answers {
  std::string frames;
  std::size_t count = 0;  // handlers that have ended with them
  std::size_t held = 0;   // bytes that their requests held
};
// The small ones of them, put side by side: to append each to a string costs twice as much.
class SmallFrames {
 public:
  // Room for the next, of wire::Encoder::most_small_answer bytes; what is full goes to `frames`.
  char* room(std::string& frames) {
    if (size_ + wire::Encoder::most_small_answer > bytes_.size()) move_to(frames);
    return bytes_.data() + size_;
  }
  // It ends there.
  void add(const char* end) { size_ = static_cast<std::size_t>(end - bytes_.data()); }
  void move_to(std::string& frames) { frames.append(bytes_.data(), std::exchange(size_, 0)); }

 private:
  std::array<char, 2048> bytes_;
  std::size_t size_ = 0;
};

struct Workplace {
  ReadBuffer buffer;
  Arrivals arrived;
  Answers answers;
  SmallFrames small_answers;  // behind those
  Answer answer;              // of the call it is at
  Router::Recent recent;
};

}  // namespace parley::impl
