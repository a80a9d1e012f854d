// RingBuffer<T>: a queue of a fixed capacity, made once. Not thread-safe. Private to rt.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace parley::rt::impl {

template <class T>
class RingBuffer {
 public:
  explicit RingBuffer(std::size_t capacity)
      : capacity_(capacity),
        items_(capacity == 0 ? nullptr : std::allocator<T>().allocate(capacity)) {}
  ~RingBuffer() {
    while (!is_empty()) (void)pop();
    if (items_ != nullptr) std::allocator<T>().deallocate(items_, capacity_);
  }
  RingBuffer(const RingBuffer&) = delete;
  RingBuffer& operator=(const RingBuffer&) = delete;

  [[nodiscard]] bool is_empty() const { return size_ == 0; }
  [[nodiscard]] bool is_full() const { return size_ == capacity_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  // Not when it is full.
  void push(T&& item) {
    std::size_t at = first_ + size_;
    if (at >= capacity_) at -= capacity_;
    std::construct_at(items_ + at, std::move(item));
    ++size_;
  }
  // Not when it is empty.
  T pop() {
    T item = std::move(items_[first_]);
    std::destroy_at(items_ + first_);
    if (++first_ == capacity_) first_ = 0;
    --size_;
    return item;
  }

 private:
  std::size_t capacity_;
  T* items_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace parley::rt::impl
