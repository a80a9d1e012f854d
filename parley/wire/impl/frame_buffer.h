// FrameBuffer: the bytes of a stream that no message has used yet, cut anywhere. Private to wire.
//
// A frame that lies whole in one chunk is read where it is; one that is spread over chunks is
// joined, and only that is copied. Belongs to one fiber.
//
//   buffer.feed(std::move(chunk));
//   if (buffer.front().size() >= size) ...      // in place: slice(), then consume(size)
//   else if (buffer.gather(size)) ...           // in joined(), then take_joined()
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/bytes.h"

namespace parley::wire::impl {

class FrameBuffer {
 public:
  // A chunk of several pieces is joined first.
  void feed(Bytes chunk);

  // What can be read in place: nothing while part of a frame is joined.
  [[nodiscard]] std::string_view front() const noexcept {
    return joined_.empty() ? unread_ : std::string_view();
  }
  // Bytes [from, to) of front(), sharing the chunk.
  [[nodiscard]] Bytes slice(std::size_t from, std::size_t to) const {
    return chunks_[front_].slice(used() + from, to - from);
  }
  // The chunk that front() is part of.
  [[nodiscard]] const Bytes& chunk() const { return chunks_[front_]; }
  // What keeps front() alive.
  [[nodiscard]] const BlockRef& block() const { return chunks_[front_].first_block(); }
  // Uses up the first bytes of front().
  void consume(std::size_t count) {
    unread_.remove_prefix(count);
    waiting_ -= count;
    if (unread_.empty()) next_chunk();
  }

  // Joins until there are `size` bytes; false when they have not come. The memory taken follows
  // the bytes that came, not those that were announced.
  bool gather(std::size_t size);
  [[nodiscard]] std::string_view joined() const noexcept { return joined_; }
  // The joined frame, which is used up.
  [[nodiscard]] std::string take_joined() { return std::exchange(joined_, {}); }

  [[nodiscard]] std::size_t size() const noexcept { return joined_.size() + waiting_; }
  // Bytes that were copied because a frame was spread over chunks.
  [[nodiscard]] std::uint64_t copied_bytes() const noexcept { return copied_; }
  // Lets go of everything.
  void clear();

 private:
  // Bytes of the front chunk that are used up.
  [[nodiscard]] std::size_t used() const noexcept {
    return static_cast<std::size_t>(unread_.data() - chunks_[front_].piece(0).data());
  }
  void next_chunk();

  // Of one piece each; those before front_ are used up.
  std::vector<Bytes> chunks_;
  std::size_t front_ = 0;
  std::string_view unread_;  // what is not used yet of the front one
  std::size_t waiting_ = 0;  // bytes of chunks_ not used
  std::string joined_;       // the head of a frame that is spread over chunks
  std::uint64_t copied_ = 0;
};

}  // namespace parley::wire::impl
