#include "parley/wire/filters/impl/output_blocks.h"

#include <algorithm>
#include <utility>

namespace parley::wire::impl {
namespace {

constexpr std::size_t least_block = 512;
constexpr std::size_t most_first_block = std::size_t{64} << 10U;
constexpr std::size_t most_block = std::size_t{1} << 20U;

}  // namespace

OutputBlocks::OutputBlocks(std::size_t first, std::size_t limit)
    : next_(std::clamp(first, least_block, most_first_block)), limit_(std::min(limit, unlimited)) {}

std::span<char> OutputBlocks::room() {
  if (!block_ || in_block_ == block_->capacity()) {
    keep_block();
    block_ = BlockRef(Block::allocate(std::min(next_, limit_ + 1 - size_)));
    next_ = std::min(2 * next_, most_block);
  }
  return {block_->data() + in_block_, block_->capacity() - in_block_};
}

void OutputBlocks::used(std::size_t count) {
  in_block_ += count;
  size_ += count;
}

void OutputBlocks::keep_block() {
  if (in_block_ > 0) done_.append(Bytes::view_of(block_, 0, in_block_));
  block_ = {};
  in_block_ = 0;
}

Bytes OutputBlocks::take() {
  if (block_ && 2 * in_block_ < block_->capacity()) {
    done_.append(Bytes::copy_of({block_->data(), in_block_}));
    block_ = {};
    in_block_ = 0;
  }
  keep_block();
  return std::exchange(done_, {});
}

}  // namespace parley::wire::impl
