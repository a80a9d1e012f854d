// EarlyAnswers: what was answered on a connection before a handler that now waits. They are put
// aside while the handler runs; if it waits, another fiber sends them, since the client may need
// them to end that wait. A handler that does not wait costs neither a write nor a fiber.
//
// put(), settle() and go() by the fibers of one connection, which waits until settle() was ok
// before the stream goes. Private to http.
//
//   early->put(stream, out);                    // `out` is empty then
//   const rt::OnPark waits([](void* early) { static_cast<EarlyAnswers*>(early)->go(); }, ...);
//   handler();
//   Status sent = early->settle(out, {});       // in front of `out` again, or gone
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/net/stream.h"
#include "parley/rt/deadline.h"
#include "parley/rt/event.h"
#include "parley/rt/ready_queue.h"

namespace parley::http::impl {

class EarlyAnswers : public std::enable_shared_from_this<EarlyAnswers> {
 public:
  // `queue`, which has the fibers that send, must outlive what go() begins. The client must take
  // something within `write_timeout`.
  EarlyAnswers(rt::ReadyQueue& queue, Duration write_timeout)
      : queue_(queue), write_timeout_(write_timeout) {}

  // Takes all of `out`, to be sent to `stream`. Nothing may be here.
  void put(net::Stream& stream, std::string& out);
  // Sends it on a fiber of the queue, if it is here still when there is one: who waits for a fiber
  // keeps nobody waiting. Does not wait: for an OnPark.
  void go();
  // Nothing is here afterwards: it was put back in front of `out`, or it has been sent. An error of
  // the write; or of the deadline or context, and then it is still being sent.
  Status settle(std::string& out, rt::Deadline deadline);
  // A fiber has sent something: not to be used again.
  [[nodiscard]] bool is_used_up() const noexcept { return done_.is_set(); }

 private:
  class Sender;
  enum class State : std::uint8_t { none, held, called, sending };
  void send();

  rt::ReadyQueue& queue_;
  const Duration write_timeout_;
  std::atomic<State> state_ = State::none;
  net::Stream* stream_ = nullptr;
  std::string bytes_;
  Status status_;
  rt::Event done_;
};

}  // namespace parley::http::impl
