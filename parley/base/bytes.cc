#include "parley/base/bytes.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "parley/base/assert.h"

namespace parley {
namespace {

std::atomic<std::size_t> live_blocks{0};

}  // namespace

Block::Block(char* data, std::size_t capacity, std::string text)
    : data_(data), capacity_(capacity), text_(std::move(text)) {
  if (data_ == nullptr) {
    data_ = text_.data();
    capacity_ = text_.size();
  }
  live_blocks.fetch_add(1, std::memory_order_relaxed);
}

Block::~Block() { live_blocks.fetch_sub(1, std::memory_order_relaxed); }

Block* Block::allocate(std::size_t capacity) {
  void* memory = ::operator new(sizeof(Block) + capacity);
  return new (memory) Block(static_cast<char*>(memory) + sizeof(Block), capacity, {});
}

Block* Block::adopt(std::string text) {
  void* memory = ::operator new(sizeof(Block));
  return new (memory) Block(nullptr, 0, std::move(text));
}

void Block::free() noexcept {
  this->~Block();
  ::operator delete(this);
}

std::size_t Block::live() noexcept { return live_blocks.load(std::memory_order_relaxed); }

Bytes Bytes::from(std::string text) {
  Bytes bytes;
  if (text.empty()) return bytes;
  BlockRef block(Block::adopt(std::move(text)));
  const char* data = block->data();
  const std::size_t size = block->capacity();
  bytes.push({std::move(block), data, size});
  return bytes;
}

Bytes Bytes::copy_of(std::string_view text) {
  Bytes bytes;
  if (text.empty()) return bytes;
  BlockRef block(Block::allocate(text.size()));
  std::memcpy(block->data(), text.data(), text.size());
  const char* data = block->data();
  bytes.push({std::move(block), data, text.size()});
  return bytes;
}

Bytes Bytes::view_of(BlockRef block, std::size_t offset, std::size_t size) {
  PARLEY_ASSERT(block && offset <= block->capacity() && size <= block->capacity() - offset,
                "a view must lie inside its block");
  Bytes bytes;
  const char* data = block->data() + offset;
  bytes.push({std::move(block), data, size});
  return bytes;
}

void Bytes::push(Piece piece) {
  if (piece.size == 0) return;
  size_ += piece.size;
  if (first_.size == 0) {
    first_ = std::move(piece);
  } else {
    rest_.push_back(std::move(piece));
  }
}

std::string_view Bytes::later_piece(std::size_t index) const {
  PARLEY_ASSERT(index < piece_count(), "no such piece");
  return rest_[index - 1].text();
}

Bytes Bytes::slice(std::size_t offset, std::size_t size) const {
  Bytes out;
  if (rest_.empty()) [[likely]] {
    const std::size_t skip = std::min(offset, size_);
    out.size_ = out.first_.size = std::min(size, size_ - skip);
    if (out.size_ == 0) return out;
    out.first_.block = first_.block;
    out.first_.data = first_.data + skip;
    return out;
  }
  const auto take = [&](const Piece& from) {
    const std::size_t skip = std::min(offset, from.size);
    offset -= skip;
    const std::size_t count = std::min(size, from.size - skip);
    size -= count;
    out.push({from.block, from.data + skip, count});
  };
  take(first_);
  for (const Piece& from : rest_) {
    if (size == 0) break;
    take(from);
  }
  return out;
}

void Bytes::append(Bytes tail) {
  if (tail.empty()) return;
  push(std::move(tail.first_));
  for (Piece& from : tail.rest_) push(std::move(from));
}

void Bytes::remove_prefix(std::size_t count) { *this = slice(count, size_); }

std::string_view Bytes::flatten() {
  if (!rest_.empty()) {
    BlockRef block(Block::allocate(size_));
    copy_to(block->data());
    const std::size_t size = size_;
    *this = view_of(std::move(block), 0, size);
  }
  return first_.text();
}

std::string Bytes::to_string() const {
  std::string text(size_, '\0');
  copy_to(text.data());
  return text;
}

void Bytes::copy_to(char* out) const {
  for (std::size_t i = 0; i < piece_count(); ++i) {
    const std::string_view from = piece(i);
    std::memcpy(out, from.data(), from.size());
    out += from.size();
  }
}

// `next(n)` gives the next at most n bytes of the other side; it never runs out before `a` does.
template <class Next>
bool Bytes::equal(const Bytes& a, Next next) {
  for (std::size_t i = 0; i < a.piece_count(); ++i) {
    std::string_view mine = a.piece(i);
    while (!mine.empty()) {
      const std::string_view theirs = next(mine.size());
      if (mine.substr(0, theirs.size()) != theirs) return false;
      mine.remove_prefix(theirs.size());
    }
  }
  return true;
}

bool operator==(const Bytes& a, std::string_view b) {
  if (a.size() != b.size()) return false;
  return Bytes::equal(a, [&b](std::size_t most) {
    const std::string_view head = b.substr(0, most);
    b.remove_prefix(head.size());
    return head;
  });
}

bool operator==(const Bytes& a, const Bytes& b) {
  if (a.size() != b.size()) return false;
  std::size_t index = 0;
  std::size_t used = 0;
  return Bytes::equal(a, [&](std::size_t most) {
    const std::string_view head = b.piece(index).substr(used, most);
    used += head.size();
    if (used == b.piece(index).size()) {
      ++index;
      used = 0;
    }
    return head;
  });
}

}  // namespace parley
