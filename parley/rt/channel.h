// Channel<T>: values from fiber to fiber, in order. Go's chan T.
//
// Without capacity a send and a receive meet: both wait for the other. With capacity up to that
// many values wait in between. A value goes straight to a waiting receiver. Thread-safe among the
// fibers of one runtime. See select.h for waiting on several at once. A T whose move throws while
// it is handed over ends the program: it would belong to nobody.
//
//   rt::Channel<Order> orders(16);
//   scope.go("reader", [&] { while (auto order = read()) orders.send(*order); orders.close(); });
//   for (Order& order : orders) place(order);
#pragma once

#include <cstddef>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

#include "parley/base/assert.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/interleave.h"
#include "parley/rt/impl/ring_buffer.h"
#include "parley/rt/impl/waiting.h"

namespace parley::rt {

namespace impl {
template <class T, class F>
class OnReceive;
template <class T, class F>
class OnSend;
}  // namespace impl

// `Waits` is how it parks and wakes (impl/waiting.h); only a test that walks through interleavings
// gives another one.
template <class T, class Waits = impl::RealWaits>
class BasicChannel {
 public:
  explicit BasicChannel(std::size_t capacity = 0) : buffer_(capacity) {}
  // A bug while a fiber waits here.
  ~BasicChannel() = default;
  BasicChannel(const BasicChannel&) = delete;
  BasicChannel& operator=(const BasicChannel&) = delete;

  // Ok when the value was received or stored. failed_precondition when the channel is closed
  // (before or while waiting), deadline_exceeded, or the context's status; the value is dropped
  // then.
  Status send(T value, Deadline deadline = {}) {
    impl::interleave();
    std::unique_lock lock(lock_);
    if (closed_) return closed_to_senders();
    WaitNode* to_wake = nullptr;
    if (give_locked(value, to_wake)) {
      lock.unlock();
      if (to_wake != nullptr) Waits::wake_next(*to_wake);
      return {};
    }
    Sender sender;
    sender.value = &value;
    Status status = Waits::wait_in(lock, senders_, sender, "channel send", deadline);
    if (sender.chosen && !sender.taken) return closed_to_senders();
    return status;
  }

  // False, and `value` untouched, when a send would wait or the channel is closed.
  [[nodiscard]] bool try_send(T& value) {
    impl::interleave();
    std::unique_lock lock(lock_);
    WaitNode* to_wake = nullptr;
    if (closed_ || !give_locked(value, to_wake)) return false;
    lock.unlock();
    if (to_wake != nullptr) Waits::wake(*to_wake);
    return true;
  }
  // The same for a value that was made for it, or with std::move for one that may be given away.
  [[nodiscard]] bool try_send(T&& value) { return try_send(value); }

  // The next value. out_of_range once the channel is closed and empty, deadline_exceeded, or the
  // context's status.
  Result<T> receive(Deadline deadline = {}) {
    impl::interleave();
    std::unique_lock lock(lock_);
    WaitNode* to_wake = nullptr;
    if (std::optional<T> value = take_locked(to_wake)) {
      lock.unlock();
      if (to_wake != nullptr) Waits::wake(*to_wake);
      return *std::move(value);
    }
    if (closed_) return end_of_channel();
    Receiver receiver;
    Status status = Waits::wait_in(lock, receivers_, receiver, "channel receive", deadline);
    if (receiver.value) return *std::move(receiver.value);
    if (receiver.chosen) return end_of_channel();
    return status;
  }

  // Nothing when a receive would wait or the channel is closed and empty.
  [[nodiscard]] std::optional<T> try_receive() {
    impl::interleave();
    std::unique_lock lock(lock_);
    WaitNode* to_wake = nullptr;
    std::optional<T> value = take_locked(to_wake);
    lock.unlock();
    if (to_wake != nullptr) Waits::wake(*to_wake);
    return value;
  }

  // No more sends: waiting senders fail, receivers get what is stored and then the end. Closing
  // twice is a bug, as in Go.
  void close() {
    impl::interleave();
    WaitList woken;
    {
      const std::lock_guard lock(lock_);
      PARLEY_ASSERT(!closed_, "a Channel was closed twice");
      closed_ = true;
      while (Sender* sender = claim_sender()) woken.push_back(*sender);
      while (Receiver* receiver = claim_receiver()) woken.push_back(*receiver);
    }
    while (!woken.empty()) Waits::wake(woken.pop_front());
  }

  [[nodiscard]] bool is_closed() const {
    const std::lock_guard lock(lock_);
    return closed_;
  }
  // Values stored and not yet received.
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(lock_);
    return buffer_.size();
  }
  [[nodiscard]] std::size_t capacity() const { return buffer_.capacity(); }

  // Receives until the channel is closed and empty, or the calling fiber's context ends.
  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(BasicChannel* from) : from_(from) { ++*this; }
    T& operator*() const { return *value_; }
    T* operator->() const { return &*value_; }
    Iterator& operator++() {
      auto next = from_->receive();
      value_.reset();
      if (next) value_.emplace(*std::move(next));
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !value_.has_value(); }

   private:
    BasicChannel* from_ = nullptr;
    mutable std::optional<T> value_;
  };
  // One pass only: each value is received once.
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() { return {}; }

 private:
  template <class U, class F>
  friend class impl::OnReceive;
  template <class U, class F>
  friend class impl::OnSend;

  using WaitNode = typename Waits::Node;
  using WaitList = typename Waits::List;
  using Flag = typename Waits::template Plain<bool>;

  struct Sender : WaitNode {
    T* value = nullptr;
    Flag taken = false;
  };
  struct Receiver : WaitNode {
    std::optional<T> value;
  };

  static Status closed_to_senders() {
    return {Code::failed_precondition, "channel send: the channel is closed"};
  }
  static Status end_of_channel() {
    return {Code::out_of_range, "channel receive: the channel is closed"};
  }

  // The first that still waits, its wake now ours; null when there is none.
  Receiver* claim_receiver() { return static_cast<Receiver*>(Waits::claim_front(receivers_)); }
  Sender* claim_sender() { return static_cast<Sender*>(Waits::claim_front(senders_)); }

  // Under the lock: hands `value` to a receiver, who is to be woken, or stores it. False when
  // neither can be done. Not when it is closed.
  bool give_locked(T& value, WaitNode*& to_wake) noexcept {
    if (Receiver* receiver = claim_receiver()) {
      receiver->value = std::move(value);
      to_wake = receiver;
      return true;
    }
    if (buffer_.is_full()) return false;
    buffer_.push(std::move(value));
    return true;
  }

  // Under the lock: what a receive gets without waiting, perhaps from a sender, who is to be woken.
  std::optional<T> take_locked(WaitNode*& to_wake) noexcept {
    std::optional<T> value;
    if (!buffer_.is_empty()) value.emplace(buffer_.pop());
    Sender* sender = claim_sender();
    if (sender == nullptr) return value;
    if (value) {
      buffer_.push(std::move(*sender->value));
    } else {
      value.emplace(std::move(*sender->value));
    }
    sender->taken = true;
    to_wake = sender;
    return value;
  }

  mutable typename Waits::Lock lock_;
  Flag closed_ = false;
  impl::RingBuffer<T> buffer_;
  WaitList senders_;
  WaitList receivers_;
};

template <class T>
using Channel = BasicChannel<T>;

}  // namespace parley::rt
