// ReadBuffer: the memory that the reads of one session after the other go to. Private to peer.
//
// Belongs to the fiber that reads. While no body points into a chunk, it is used again. Where what
// came was mostly large bodies, the next read may bring more, so that several of 64 KiB lie whole
// in its chunk. Small messages get no larger reads: a session works off one at a time, and others
// wait.
//
//   auto size = stream.read(buffer.room());
//   decoder.feed(buffer.take(*size));
//   buffer.brought(bytes_of_large_bodies);
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "parley/base/bytes.h"

namespace parley::impl {

class ReadBuffer {
 public:
  // One read brings at most this much; frames in it share it without copying.
  static constexpr std::size_t small_chunk_bytes = std::size_t{64} << 10U;
  // The same among large bodies: four frames of 64 KiB, their heads, and the beginning of the next.
  static constexpr std::size_t large_chunk_bytes = std::size_t{320} << 10U;
  // What counts as one.
  static constexpr std::size_t large_body_bytes = std::size_t{16} << 10U;
  // After so many reads in turn without them the memory of a large chunk is given back.
  static constexpr int most_small_reads = 256;

  std::span<char> room() {
    const bool is_free = chunk_ && chunk_.get()->is_unique();
    if (is_free) used_ = 0;
    const std::size_t wanted =
        small_reads_ < most_small_reads ? large_chunk_bytes : small_chunk_bytes;
    const bool is_other_size = is_free && chunk_->capacity() != wanted;
    if (!chunk_ || is_other_size || left() < chunk_->capacity() / least_part) {
      chunk_ = {};  // before the other one is made
      chunk_ = BlockRef(Block::allocate(wanted));
      used_ = 0;
    }
    return {chunk_->data() + used_,
            small_reads_ == 0 ? left() : std::min(left(), small_chunk_bytes)};
  }
  // The first bytes of room(), which were read.
  Bytes take(std::size_t size) {
    last_ = size;
    used_ += size;
    return Bytes::view_of(chunk_, used_ - size, size);
  }
  // So many bytes of large bodies became whole by the last read.
  void brought(std::size_t large_bytes) {
    if (2 * large_bytes >= last_) {
      small_reads_ = 0;
    } else if (small_reads_ < most_small_reads) {
      ++small_reads_;
    }
  }

 private:
  // With less room than this part of it at its end, a chunk is left to the bodies that point into
  // it.
  static constexpr std::size_t least_part = 16;

  [[nodiscard]] std::size_t left() const { return chunk_->capacity() - used_; }

  BlockRef chunk_;
  std::size_t used_ = 0;
  std::size_t last_ = 0;                // what the last read brought
  int small_reads_ = most_small_reads;  // in turn
};

}  // namespace parley::impl
