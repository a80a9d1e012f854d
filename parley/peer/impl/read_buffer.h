// ReadBuffer: the memory that the reads of one session go to. Private to peer.
//
// Belongs to the session's reader. While no body points into a chunk, it is used again.
//
//   auto size = stream.read(buffer.room());
//   decoder.feed(buffer.take(*size));
#pragma once

#include <cstddef>
#include <span>

#include "parley/base/bytes.h"

namespace parley::impl {

class ReadBuffer {
 public:
  std::span<char> room() {
    if (chunk_ && chunk_.get()->is_unique()) used_ = 0;
    if (!chunk_ || chunk_->capacity() - used_ < least_read_bytes) {
      chunk_ = BlockRef(Block::allocate(read_chunk_bytes));
      used_ = 0;
    }
    return {chunk_->data() + used_, chunk_->capacity() - used_};
  }
  // The first bytes of room(), which were read.
  Bytes take(std::size_t size) {
    used_ += size;
    return Bytes::view_of(chunk_, used_ - size, size);
  }

 private:
  // One read brings at most this much; frames in it share it without copying.
  static constexpr std::size_t read_chunk_bytes = std::size_t{64} * 1024;
  // With less room than this at its end, a chunk is left to the bodies that point into it.
  static constexpr std::size_t least_read_bytes = std::size_t{4} * 1024;

  BlockRef chunk_;
  std::size_t used_ = 0;
};

}  // namespace parley::impl
