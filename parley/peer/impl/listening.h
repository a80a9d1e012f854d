// Listening: one listener of a peer, and what holds for its sessions. Private to peer.
//
// Shared by the fiber that accepts, whoever stops it and its sessions. Fiber-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/net/stream.h"
#include "parley/peer/impl/framings.h"

namespace parley::impl {

class Listening {
 public:
  // How long who accepts waits, whatever the options say: waiting for no time must keep no worker
  // from others.
  static constexpr Duration least_pause = std::chrono::milliseconds(1);
  static constexpr Duration pause(Duration asked) { return std::max(asked, least_pause); }

  Listening(std::unique_ptr<net::Listener> listener, std::shared_ptr<const Framings> framings,
            std::optional<std::size_t> max_sessions)
      : listener_(std::move(listener)),
        framings_(std::move(framings)),
        max_sessions_(max_sessions) {}

  [[nodiscard]] net::Listener& listener() const { return *listener_; }
  [[nodiscard]] const net::Address& address() const { return listener_->address(); }
  [[nodiscard]] const std::shared_ptr<const Framings>& framings() const { return framings_; }

  // Accepts no more, for good.
  void stop() {
    is_stopped_ = true;  // before the fiber that accepts wakes
    listener_->close();
  }
  [[nodiscard]] bool is_stopped() const { return is_stopped_; }

  // Of its own sessions: ok when there is room for another one.
  [[nodiscard]] Status has_room() const {
    if (!max_sessions_ || sessions_ < *max_sessions_) return {};
    return {Code::resource_exhausted,
            "ListenOptions::max_sessions: " + std::to_string(*max_sessions_) +
                " sessions of this listener are open"};
  }
  // Whether its sessions have to be counted.
  [[nodiscard]] bool has_limit() const { return max_sessions_.has_value(); }
  void began() { ++sessions_; }
  void ended() { --sessions_; }

  // Of one session, which leaves once, however often that is said.
  class Seat {
   public:
    explicit Seat(std::shared_ptr<Listening> listening) : listening_(std::move(listening)) {}
    void leave() {
      if (!has_left_.exchange(true)) listening_->ended();
    }

   private:
    const std::shared_ptr<Listening> listening_;
    std::atomic<bool> has_left_ = false;
  };

 private:
  const std::unique_ptr<net::Listener> listener_;
  const std::shared_ptr<const Framings> framings_;
  const std::optional<std::size_t> max_sessions_;
  std::atomic<std::size_t> sessions_ = 0;
  std::atomic<bool> is_stopped_ = false;
};

}  // namespace parley::impl
