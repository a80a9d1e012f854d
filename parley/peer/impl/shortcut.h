// Shortcut: the way of a plain call to a peer in the same process. The handler runs on the fiber
// that calls, with the caller's own objects (direct_call.h). All else goes over the connection as
// ever, and so does a call of which anything is unusual:
//   the types differ, the arguments have rules, the call goes through filters or names the codec of
//     its answer, either side has plugins around calls;
//   the method has not shown yet that it is quick, or waited or was slow last time: a handler that
//     does not mind the end of its time must not keep its caller;
//   less than half of a usual stack is left to the handler;
//   a PUSH of the same session was sent before it and has not begun to be served;
//   the session has not begun, or is about to end, on either side.
// Private to peer.
//
// Fiber-safe. One for each end; both have a Meeting in common.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string_view>
#include <utility>

#include "parley/base/result.h"
#include "parley/net/stream.h"
#include "parley/peer/direct_call.h"
#include "parley/peer/options.h"
#include "parley/peer/router.h"
#include "parley/peer/shutdown.h"
#include "parley/rt/context.h"
#include "parley/rt/mutex.h"
#include "parley/wire/message.h"

namespace parley::impl {

class Connection;
class WaitingCall;
struct CallTerms;

// The calls that one side makes.
struct alignas(64) DirectWay {
  // One of these as long as that side does not take part, and calls under way.
  static constexpr std::uint64_t caller_away = std::uint64_t{1} << 63U;
  static constexpr std::uint64_t callee_away = std::uint64_t{1} << 62U;
  static constexpr std::uint64_t away = caller_away | callee_away;

  std::atomic<std::uint64_t> state = away;
  std::atomic<const Router::Method*> last = nullptr;  // that was called
  std::atomic<std::uint64_t> pushes_sent = 0;
  std::atomic<std::uint64_t> pushes_begun = 0;
  // At once; each set by its side before it takes part.
  std::size_t max_calls = 0;
  std::size_t max_handlers = 0;

  [[nodiscard]] bool enter();
  [[nodiscard]] std::size_t under_way() const {
    return state.load(std::memory_order_acquire) & ~away;
  }
};

struct Meeting {
  std::array<DirectWay, 2> ways;  // by the side that calls
  // Null until that side takes part.
  std::array<std::atomic<Connection*>, 2> ends{};
  std::array<rt::Context, 2> contexts{rt::Context(nullptr), rt::Context(nullptr)};  // of handlers
  rt::Mutex lock;  // of what follows
  std::array<bool, 2> has_ended{};
  std::array<std::list<WaitingCall*>, 2> waiting;  // by the side that calls
};

class Shortcut {
 public:
  // Null where the other side is not in this process.
  static std::unique_ptr<Shortcut> over(net::Stream& stream);

  Shortcut(std::shared_ptr<Meeting> meeting, std::size_t side)
      : meeting_(std::move(meeting)), side_(side) {}

  // Of a connection, if it has one. It takes part as soon as it serves, it is known that what is
  // spoken can do what goes by here, and nobody has put another stream in the place of its own.
  static void open_of(Connection& connection);
  // Under the lock of the connection: no call begins from here on.
  static void close_of(const Connection& connection);
  // The session has ended: calls under way from this side end.
  static void end_of(const Connection& connection);
  // Calls that go by it, both ways. Once the session has ended those from here are over for their
  // callers, as all others are.
  static WorkCount under_way(const Connection& connection);

  // See call_by_shortcut().
  bool call(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
            const DirectCall& direct, Status& status);

  // A PUSH was sent from here, under the lock; one that came is about to run, or is dropped.
  void push_sent() { meeting_->ways[side_].pushes_sent.fetch_add(1, std::memory_order_release); }
  void push_begins() {
    meeting_->ways[1 - side_].pushes_begun.fetch_add(1, std::memory_order_release);
  }

 private:
  struct Waits;
  void open(Connection& connection);
  const Router::Method* find(DirectWay& way, std::string_view name, const DirectTypes& types) const;
  Status run(const Router::Method& method, const CallOptions& options, wire::BodyCodec codec,
             const CallTerms& terms, const DirectCall& direct);
  void leave();

  const std::shared_ptr<Meeting> meeting_;
  const std::size_t side_;
};

}  // namespace parley::impl
