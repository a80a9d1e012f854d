// OutputBlocks: where a filter writes what it makes, of which it does not know how much that will
// be. Private to the filters.
//
// Takes memory in blocks that grow with what has been written, and none far beyond a limit; never
// moves what stands already. Belongs to one fiber.
//
//   OutputBlocks out(first, limit);
//   while (more) {
//     const std::span<char> room = out.room();
//     out.used(write_some(room));
//     if (out.is_over()) return limit.exceeded();
//   }
//   return out.take();
#pragma once

#include <cstddef>
#include <limits>
#include <span>

#include "parley/base/bytes.h"

namespace parley::wire::impl {

class OutputBlocks {
 public:
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max() / 2;

  // `first`: about how much it will be, if anything is known.
  explicit OutputBlocks(std::size_t first, std::size_t limit = unlimited);

  // Where to write next, never empty while !is_over(). Valid until room() is called again.
  [[nodiscard]] std::span<char> room();
  // So much of it was written.
  void used(std::size_t count);
  // More than the limit was written: by one byte, since there is room for no more.
  [[nodiscard]] bool is_over() const noexcept { return size_ > limit_; }
  // All that was written. A block of which little is used gives way to one that fits.
  [[nodiscard]] Bytes take();

 private:
  void keep_block();

  std::size_t next_;
  std::size_t limit_;
  std::size_t size_ = 0;
  Bytes done_;
  BlockRef block_;  // the one being written
  std::size_t in_block_ = 0;
};

}  // namespace parley::wire::impl
