// AsyncCall: a call of ours that needs no fiber while it waits for its answer. Private to peer.
//
// Whoever takes it out of the session's table ends it, once: the reader with the answer, the
// session's end, its time (as an errand), or who holds it and gives it up. Then whoever waits for
// it goes on, or its callback becomes an errand of the session. In a session that is dialled again
// (line.h) one that was not sent goes on the next connection first.
//
//   auto call = AsyncCall::begin(connection, std::move(request));
//   Result<wire::Message> reply = (*call)->take();
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/peer/impl/call_table.h"
#include "parley/peer/impl/errands.h"
#include "parley/peer/impl/terms.h"
#include "parley/peer/options.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/wire/filter_pipe.h"
#include "parley/wire/message.h"

namespace parley::impl {

class Connection;
class Line;

// Of a call that goes through plugins. Where its session is dialled again, the context that it is
// made under carries it (as a shared_ptr).
struct PluggedState {
  // Before each time it goes to a connection of a session that is dialled again, if it still may;
  // and when it is certain that it did not leave.
  bool leaves();
  void has_not_left();

  rt::Mutex lock;  // of what follows
  bool has_ended = false;
  std::size_t left = 0;              // to connections, perhaps
  std::optional<rt::Cancel> cancel;  // while it is made
};

class AsyncCall final : public Errand, private CallEnd {
 public:
  // What to do with the answer, or the reason why there is none. Null: it is waited for.
  using Then = std::function<void(Result<wire::Message>)>;

  // Sends it; waits while there is no room for it. An error: it was not sent, and `then` is not
  // called.
  static Result<std::shared_ptr<AsyncCall>> begin(std::shared_ptr<Connection> connection,
                                                  const CallOptions& options,
                                                  std::string_view method, wire::BodyCodec codec,
                                                  Bytes body, Then then);
  // On this very connection of a session.
  static Result<std::shared_ptr<AsyncCall>> begin_on(std::shared_ptr<Connection> connection,
                                                     const CallOptions& options,
                                                     std::string_view method, wire::BodyCodec codec,
                                                     Bytes body, Then then);
  AsyncCall(std::shared_ptr<Connection> connection, const CallOptions& options,
            std::string_view method, Then then);
  ~AsyncCall() override;

  [[nodiscard]] bool has_ended() const { return done_.is_set(); }
  // Until it has ended, by its own deadline at the latest.
  Status wait(rt::Deadline deadline);
  // Waits for the end; gives the call up when the fiber's context ends first. Once.
  Result<wire::Message> take();
  [[nodiscard]] std::string_view method() const { return method_; }
  // With cancelled, unless it has ended.
  void cancel() { give_up(Status(Code::cancelled, "the call was given up by its caller")); }

  // Calls its callback.
  void run() override;
  void time_is_over() override;

  // Of one that waits in a line: it goes on that connection, or ends because there is none.
  void go_again(const std::shared_ptr<Connection>& connection);
  void end_unsent(const Status& why);

 private:
  struct Again;

  void ended(PendingCall& call) override;
  void finish();
  void give_up(const Status& why);
  // Through plugins: by an errand that makes it as any other call (plugged_call.cc).
  friend class PluggedCall;
  Status begin_plugged(const CallOptions& options, wire::BodyCodec codec, Bytes body);
  void drop_plugged();
  void give_up_plugged(const Status& why);
  static Status unsent_in_time();
  bool end_plugged(Result<wire::Message> reply, wire::Metadata metadata = {}, bool is_late = false);
  bool waits_to_go_again();
  [[nodiscard]] std::shared_ptr<Connection> connection() const;
  [[nodiscard]] Result<wire::Message> result();
  // The same as its caller is told it.
  [[nodiscard]] Result<wire::Message> settled();

  std::shared_ptr<Connection> connection_;  // guarded by the lock of the line, if it has one
  const std::unique_ptr<Again> again_;      // null: it is sent once
  const std::shared_ptr<Errands> errands_;
  const std::string method_;
  const wire::FilterPipe filters_;
  const bool is_filtered_;  // CallOptions::is_filtered
  const Then then_;
  wire::Metadata* const reply_metadata_;
  CallTerms terms_;
  KeptCall call_;
  rt::Event done_;
  std::shared_ptr<AsyncCall> self_;  // while it is in the table
  std::shared_ptr<PluggedState> plugged_;
};

}  // namespace parley::impl
