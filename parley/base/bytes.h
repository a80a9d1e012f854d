// Bytes: a sequence of bytes held in a chain of shared, immutable blocks. Slicing, joining and
// copying move no payload; only to_string() and flatten() do.
//
// A Bytes object belongs to one fiber at a time; the blocks behind it may be shared between threads
// (their count is atomic, their content never changes once a Bytes shows it).
//
//   Bytes body = Bytes::from(std::move(text));   // takes the string over, no copy
//   Bytes head = body.slice(0, 16);              // shares the block
//   head.append(std::move(tail));                // two pieces, still no copy
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley {

// One allocation (header and payload together) or the owner of a string; freed by its last owner.
class Block {
 public:
  // A block of `capacity` writable bytes. Write only before it is shared.
  static Block* allocate(std::size_t capacity);
  // A block whose payload is `text`.
  static Block* adopt(std::string text);

  [[nodiscard]] char* data() noexcept { return data_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  void add_owner() noexcept { add_owners(1); }
  void add_owners(std::uint32_t count) noexcept {
    owners_.fetch_add(count, std::memory_order_relaxed);
  }
  // Every write of the other owners happens before the block is freed.
  void drop_owner() noexcept { drop_owners(1); }
  void drop_owners(std::uint32_t count) noexcept {
    if (owners_.fetch_sub(count, std::memory_order_acq_rel) == count) free();
  }
  // True when the caller holds the only reference, so that the block may be written again.
  [[nodiscard]] bool is_unique() const noexcept {
    return owners_.load(std::memory_order_acquire) == 1;
  }

  // Blocks alive in this process: the leak check of tests.
  static std::size_t live() noexcept;

 private:
  Block(char* data, std::size_t capacity, std::string text);
  ~Block();
  void free() noexcept;

  std::atomic<std::uint32_t> owners_{1};
  char* data_;
  std::size_t capacity_;
  std::string text_;
};

// A counted reference to a block.
class BlockRef {
 public:
  BlockRef() noexcept = default;
  // Takes over the reference the caller holds.
  explicit BlockRef(Block* block) noexcept : block_(block) {}
  BlockRef(const BlockRef& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->add_owner();
  }
  BlockRef(BlockRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockRef& operator=(BlockRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockRef() {
    if (block_ != nullptr) block_->drop_owner();
  }

  [[nodiscard]] Block* get() const noexcept { return block_; }
  // Hands the reference over to the caller.
  [[nodiscard]] Block* release() noexcept { return std::exchange(block_, nullptr); }
  Block* operator->() const noexcept { return block_; }
  explicit operator bool() const noexcept { return block_ != nullptr; }

 private:
  Block* block_ = nullptr;
};

class Bytes {
 public:
  Bytes() noexcept = default;
  // Takes the string over without copying its payload.
  static Bytes from(std::string text);
  static Bytes copy_of(std::string_view text);
  // Shows [offset, offset + size) of `block`, which must lie inside it (a bug otherwise).
  static Bytes view_of(BlockRef block, std::size_t offset, std::size_t size);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  // The pieces in order; none is empty. Valid until this object changes.
  [[nodiscard]] std::size_t piece_count() const noexcept {
    return size_ == 0 ? 0 : 1 + rest_.size();
  }
  [[nodiscard]] std::string_view piece(std::size_t index) const {
    return index == 0 && size_ > 0 ? first_.text() : later_piece(index);
  }
  // The block behind the first piece, to keep alive what a view shows of it; none when empty.
  [[nodiscard]] const BlockRef& first_block() const noexcept { return first_.block; }

  // Bytes [offset, offset + size), sharing the blocks. Both are cut to what there is.
  [[nodiscard]] Bytes slice(std::size_t offset, std::size_t size) const;
  // Becomes `part`, which must lie in the first piece of `whole`. As slice(), for who does so for
  // one small message after the other: what shares that block already costs no count.
  void share_part(const Bytes& whole, std::string_view part) {
    if (!rest_.empty()) [[unlikely]]
      rest_.clear();
    if (part.empty()) {
      first_.block = {};
    } else {
      if (first_.block.get() != whole.first_.block.get()) first_.block = whole.first_.block;
      first_.data = part.data();
    }
    first_.size = size_ = part.size();
  }
  // The same of a part of `block`, and the caller sees to its count, which is atomic: of many that
  // share a block he adds those that said true at once (Block::add_owners), while he still holds it
  // himself. False when this one held it already, or needs no block.
  [[nodiscard]] bool share_uncounted(Block& block, std::string_view part) {
    if (!rest_.empty()) [[unlikely]]
      rest_.clear();
    first_.data = part.data();
    first_.size = size_ = part.size();
    if (part.empty()) {
      first_.block = {};
      return false;
    }
    if (first_.block.get() == &block) return false;
    first_.block = BlockRef(&block);
    return true;
  }
  // Becomes empty.
  void clear() {
    if (!rest_.empty()) [[unlikely]]
      rest_.clear();
    first_.block = {};
    first_.size = size_ = 0;
  }
  // The same, but for the count of its first block: the caller drops it, with those of others.
  // Null when there is none.
  [[nodiscard]] Block* clear_uncounted() {
    if (!rest_.empty()) [[unlikely]]
      rest_.clear();
    first_.size = size_ = 0;
    return first_.block.release();
  }
  // Adds to the end without copying.
  void append(Bytes tail);
  // Drops the first `count` bytes (at most all).
  void remove_prefix(std::size_t count);

  // One string view over everything. A chain of several pieces is first copied into one block.
  std::string_view flatten();
  [[nodiscard]] std::string to_string() const;
  // Copies everything to `out`, which must hold size() bytes.
  void copy_to(char* out) const;

  friend bool operator==(const Bytes& a, const Bytes& b);
  friend bool operator==(const Bytes& a, std::string_view b);

 private:
  struct Piece {
    BlockRef block;
    const char* data = nullptr;
    std::size_t size = 0;
    [[nodiscard]] std::string_view text() const { return {data, size}; }
  };

  [[nodiscard]] std::string_view later_piece(std::size_t index) const;
  void push(Piece piece);
  template <class Next>
  static bool equal(const Bytes& a, Next next);

  // Nearly every Bytes has one piece; it lives here. The vector holds the rest of a chain.
  Piece first_;
  std::vector<Piece> rest_;
  std::size_t size_ = 0;
};

}  // namespace parley
