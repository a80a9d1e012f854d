#include "parley/wire/impl/frame_buffer.h"

#include <algorithm>

namespace parley::wire::impl {

void FrameBuffer::feed(Bytes chunk) {
  if (chunk.empty()) return;
  if (chunk.piece_count() > 1) {
    copied_ += chunk.size();
    chunk.flatten();
  }
  waiting_ += chunk.size();
  chunks_.push_back(std::move(chunk));
  if (unread_.empty()) unread_ = chunks_[front_].piece(0);
}

void FrameBuffer::next_chunk() {
  chunks_[front_++] = {};  // let the block go at once
  if (front_ * 2 >= chunks_.size()) {
    chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(front_));
    front_ = 0;
  }
  unread_ = front_ < chunks_.size() ? chunks_[front_].piece(0) : std::string_view();
}

bool FrameBuffer::gather(std::size_t size) {
  while (joined_.size() < size && waiting_ > 0) {
    const std::string_view more = unread_.substr(0, size - joined_.size());
    const std::size_t needed = joined_.size() + more.size();
    if (needed > joined_.capacity()) {
      // Not joined_.reserve(): that doubles on its own account, beyond the frame's size.
      std::string larger;
      larger.reserve(std::min(size, std::max(needed, 2 * joined_.capacity())));
      larger += joined_;
      copied_ += joined_.size();
      joined_ = std::move(larger);
    }
    joined_ += more;
    copied_ += more.size();
    consume(more.size());
  }
  return joined_.size() >= size;
}

void FrameBuffer::clear() {
  chunks_ = {};
  joined_ = {};
  unread_ = {};
  front_ = waiting_ = 0;
}

}  // namespace parley::wire::impl
