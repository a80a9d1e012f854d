// Channel<T>: values from fiber to fiber, in order. Go's chan T.
//
// Without capacity a send and a receive meet: both wait for the other. With capacity up to that
// many values wait in between. A value goes straight to a waiting receiver. Fiber-safe within one
// runtime.
//
//   rt::Channel<Order> orders(16);
//   scope.go("reader", [&] { while (auto order = read()) orders.send(*order); orders.close(); });
//   while (auto order = orders.receive()) place(*order);
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "parley/base/assert.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/waiting.h"

namespace parley::rt {

template <class T>
class Channel {
 public:
  explicit Channel(std::size_t capacity = 0) : capacity_(capacity) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Ok when the value was received or stored. failed_precondition when the channel is closed
  // (before or while waiting), deadline_exceeded, or the context's status; the value is dropped
  // then.
  Status send(T value, Deadline deadline = {}) {
    if (closed_) return closed_to_senders();
    if (hand_over(value)) return {};
    if (buffer_.size() < capacity_) {
      buffer_.push_back(std::move(value));
      return {};
    }
    Sender sender;
    sender.value = &value;
    Status status = impl::wait_in(senders_, sender, "channel send", deadline);
    if (status.is_ok() && !sender.taken) return closed_to_senders();
    return status;
  }

  // False, and `value` untouched, when a send would wait or the channel is closed.
  [[nodiscard]] bool try_send(T& value) {
    if (closed_) return false;
    if (hand_over(value)) return true;
    if (buffer_.size() >= capacity_) return false;
    buffer_.push_back(std::move(value));
    return true;
  }

  // The next value. out_of_range once the channel is closed and empty, deadline_exceeded, or the
  // context's status.
  Result<T> receive(Deadline deadline = {}) {
    if (std::optional<T> value = try_receive()) return *std::move(value);
    if (closed_) return end_of_channel();
    Receiver receiver;
    Status status = impl::wait_in(receivers_, receiver, "channel receive", deadline);
    if (receiver.value) return *std::move(receiver.value);
    if (status.is_ok()) return end_of_channel();
    return status;
  }

  // Nothing when a receive would wait or the channel is closed and empty.
  [[nodiscard]] std::optional<T> try_receive() {
    std::optional<T> value;
    if (!buffer_.empty()) {
      value = std::move(buffer_.front());
      buffer_.pop_front();
      if (!senders_.empty()) buffer_.push_back(take_from_sender());
    } else if (!senders_.empty()) {
      value = take_from_sender();
    }
    return value;
  }

  // No more sends: waiting senders fail, receivers get what is stored and then the end. Closing
  // twice is a bug, as in Go.
  void close() {
    PARLEY_ASSERT(!closed_, "a Channel was closed twice");
    closed_ = true;
    impl::wake_all(senders_);
    impl::wake_all(receivers_);
  }

  [[nodiscard]] bool is_closed() const { return closed_; }
  // Values stored and not yet received.
  [[nodiscard]] std::size_t size() const { return buffer_.size(); }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

 private:
  struct Sender : impl::WaitNode {
    T* value = nullptr;
    bool taken = false;
  };
  struct Receiver : impl::WaitNode {
    std::optional<T> value;
  };

  static Status closed_to_senders() {
    return {Code::failed_precondition, "channel send: the channel is closed"};
  }
  static Status end_of_channel() {
    return {Code::out_of_range, "channel receive: the channel is closed"};
  }

  bool hand_over(T& value) {
    if (receivers_.empty()) return false;
    auto& receiver = static_cast<Receiver&>(receivers_.front());
    receiver.value = std::move(value);
    impl::wake_one(receiver);
    return true;
  }

  T take_from_sender() {
    auto& sender = static_cast<Sender&>(senders_.front());
    sender.taken = true;
    T value = std::move(*sender.value);
    impl::wake_one(sender);
    return value;
  }

  const std::size_t capacity_;
  bool closed_ = false;
  std::deque<T> buffer_;
  impl::WaitList senders_;
  impl::WaitList receivers_;
};

}  // namespace parley::rt
