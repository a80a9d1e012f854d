// select: waits until one of several things can be done, and does that one. Go's select statement.
//
// Cases are tried together: when several can go on, one of them is picked at random, so none
// starves. A fiber that waits here parks once, is woken once, and nothing is allocated. Thread-safe
// among the fibers of one runtime.
//
//   rt::select(
//       rt::on_receive(orders, [&](Result<Order> order) { if (order) place(*order); }),
//       rt::on_send(receipts, receipt, [&] { ++sent; }),
//       rt::on_done(client, [&](const Status& why) { log(why); }),
//       rt::on_timeout(std::chrono::seconds(1), [&] { ++idle; }));
//
// Instead of on_timeout, rt::otherwise(f) makes it not wait at all: Go's default.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/impl/select_case.h"

namespace parley::rt {

namespace impl {

// Calls `f` with `argument`, or without, as it likes.
template <class F, class Argument>
void call_with(F& f, Argument&& argument) {
  if constexpr (std::is_invocable_v<F&, Argument>) {
    f(std::forward<Argument>(argument));
  } else {
    static_assert(std::is_invocable_v<F&>,
                  "the function of a case takes what the case brings, or nothing");
    (void)argument;
    f();
  }
}

template <class T, class F>
class OnReceive final : public SelectCase {
 public:
  OnReceive(Channel<T>* channel, F f)
      : SelectCase(channel == nullptr ? nullptr : &channel->lock_),
        channel_(channel),
        f_(std::move(f)) {}

  bool try_now() override {
    std::optional<T> value = channel_->take_locked(to_wake_);
    if (!value && !channel_->closed_) return false;
    receiver_.value = std::move(value);
    return true;
  }
  void enter(Fiber& fiber) override {
    receiver_.fiber = &fiber;
    channel_->receivers_.push_back(receiver_);
  }
  void leave() override { receiver_.unlink(); }
  [[nodiscard]] bool was_chosen() const override { return receiver_.chosen; }
  void finish() override {
    if (receiver_.value) {
      call_with(f_, Result<T>(*std::move(receiver_.value)));
    } else {
      call_with(f_, Result<T>(Channel<T>::end_of_channel()));
    }
  }

 private:
  Channel<T>* channel_;
  F f_;
  typename Channel<T>::Receiver receiver_;
};

template <class T, class F>
class OnSend final : public SelectCase {
 public:
  OnSend(Channel<T>* channel, T value, F f)
      : SelectCase(channel == nullptr ? nullptr : &channel->lock_),
        channel_(channel),
        value_(std::move(value)),
        f_(std::move(f)) {
    sender_.value = &value_;
  }

  bool try_now() override {
    sender_.taken = !channel_->closed_ && channel_->give_locked(value_, to_wake_);
    return sender_.taken || channel_->closed_;
  }
  void enter(Fiber& fiber) override {
    sender_.fiber = &fiber;
    channel_->senders_.push_back(sender_);
  }
  void leave() override { sender_.unlink(); }
  [[nodiscard]] bool was_chosen() const override { return sender_.chosen; }
  void finish() override {
    call_with(f_, sender_.taken ? Status() : Channel<T>::closed_to_senders());
  }

 private:
  Channel<T>* channel_;
  T value_;
  F f_;
  typename Channel<T>::Sender sender_;
};

template <class F>
class OnDone final : public DoneCase {
 public:
  OnDone(const Context& context, F f) : DoneCase(context), f_(std::move(f)) {}
  void finish() override { call_with(f_, status()); }

 private:
  F f_;
};

template <class F>
struct OnTimeout {
  Deadline deadline;
  F f;
};

template <class F>
struct Otherwise {
  F f;
};

}  // namespace impl

// Receives from `channel`: calls f(Result<T>), or f(), with what Channel::receive would return; so
// also when the channel is closed. A null channel is never ready, as Go's nil channel.
template <class T, class F>
[[nodiscard]] auto on_receive(Channel<T>* channel, F f) {
  return impl::OnReceive<T, F>(channel, std::move(f));
}
template <class T, class F>
[[nodiscard]] auto on_receive(Channel<T>& channel, F f) {
  return impl::OnReceive<T, F>(&channel, std::move(f));
}

// Sends `value` to `channel`: calls f(Status), or f(), with what Channel::send would return; so
// also when the channel is closed. When another case is chosen the value is dropped. A null channel
// is never ready.
template <class T, class F>
[[nodiscard]] auto on_send(Channel<T>* channel, std::type_identity_t<T> value, F f) {
  return impl::OnSend<T, F>(channel, std::move(value), std::move(f));
}
template <class T, class F>
[[nodiscard]] auto on_send(Channel<T>& channel, std::type_identity_t<T> value, F f) {
  return impl::OnSend<T, F>(&channel, std::move(value), std::move(f));
}

// Waits for the end of `context`: calls f(Status), or f(), with why it ended.
template <class F>
[[nodiscard]] auto on_done(const Context& context, F f) {
  return impl::OnDone<F>(context, std::move(f));
}

// Calls f() when no other case can go on before `timeout` is over. At most one in a select.
template <class F>
[[nodiscard]] auto on_timeout(Duration timeout, F f) {
  return impl::OnTimeout<F>{Deadline::after(timeout), std::move(f)};
}
template <class F>
[[nodiscard]] auto on_deadline(Deadline deadline, F f) {
  return impl::OnTimeout<F>{deadline, std::move(f)};
}

// Calls f() when no other case can go on at once. At most one in a select.
template <class F>
[[nodiscard]] auto otherwise(F f) {
  return impl::Otherwise<F>{std::move(f)};
}

namespace impl {

template <class Case>
inline constexpr bool is_timeout = false;
template <class F>
inline constexpr bool is_timeout<OnTimeout<F>> = true;
template <class Case>
inline constexpr bool is_otherwise = false;
template <class F>
inline constexpr bool is_otherwise<Otherwise<F>> = true;

}  // namespace impl

// Does exactly one of the cases and returns ok. The status of the calling fiber's context when that
// ended first: then no case was done. Without any case that could ever go on it waits for that.
template <class... Cases>
Status select(Cases&&... cases) {
  constexpr std::size_t timeouts = (0 + ... + impl::is_timeout<std::decay_t<Cases>>);
  constexpr std::size_t defaults = (0 + ... + impl::is_otherwise<std::decay_t<Cases>>);
  static_assert(timeouts + defaults <= 1, "a select has one on_timeout or one otherwise at most");
  constexpr std::size_t count = sizeof...(Cases) - timeouts - defaults;

  std::array<impl::SelectCase*, count> waiting{};
  Deadline deadline;
  std::size_t next = 0;
  [[maybe_unused]] const auto sort_in = [&]<class Case>(Case& one) {
    if constexpr (impl::is_timeout<Case>) {
      deadline = one.deadline;
    } else if constexpr (!impl::is_otherwise<Case>) {
      waiting[next++] = &one;
    }
  };
  (sort_in(cases), ...);

  std::array<std::size_t, count> order{};
  const impl::Selected selected = impl::select_among({waiting, order, deadline, defaults == 0});
  if (selected.chosen != nullptr) {
    selected.chosen->finish();
    return {};
  }
  if (!selected.status.is_ok()) return selected.status;
  [[maybe_unused]] const auto do_otherwise = [&]<class Case>(Case& one) {
    if constexpr (impl::is_timeout<Case> || impl::is_otherwise<Case>) one.f();
  };
  (do_otherwise(cases), ...);
  return {};
}

}  // namespace parley::rt
