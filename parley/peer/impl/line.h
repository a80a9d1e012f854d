// Line: a session that is dialled again when its connection is cut (RedialOptions). It stands
// between the handles and the Connection of the moment, which is replaced; whoever has any of its
// Connections finds it there (Extras::line). Other sessions have none. Private to peer.
//
// Fiber-safe, inside a fiber only. At rest, and between attempts, it has no fiber: it is run when
// something is to be done. Its lock is taken after that of the Hub and before that of AsyncCalls'
// connections; nobody waits under it.
//
//   auto line = std::make_shared<Line>(number, std::move(terms));
//   std::shared_ptr<Connection> first = line->start(std::move(stream));
//   Result<wire::Message> reply = line->call(options, "/add", codec, body, nullptr);
//   line->close(0);
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/net/network.h"
#include "parley/peer/endpoints.h"
#include "parley/peer/impl/async_call.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/errands.h"
#include "parley/peer/impl/extras.h"
#include "parley/peer/impl/origin.h"
#include "parley/rt/cond.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/ready_queue.h"

namespace parley::impl {

// invalid_argument when they make no sense.
Status check(const RedialOptions& options);

// What a session that is dialled again has from its peer.
struct LineTerms {
  net::Network& network;
  net::Address address;
  Duration timeout;  // of an attempt
  DialOptions options;
  Origin origin;                                  // of its connections; the context is its own too
  std::function<bool()> may_begin;                // another connection; false: the peer is closed
  std::function<void(const Connection&)> forget;  // called at the very end of the session
  // Of plugins, around each further connection; null where there are none. The second one is asked
  // before it begins, and sets the id that the session is to have.
  std::function<Status(const net::Address&)> before_dial = {};
  std::function<Status(Connection&, std::string&)> introduce = {};
};

class Line final : public rt::ReadyItem, public std::enable_shared_from_this<Line> {
 public:
  Line(SessionNumber number, LineTerms terms);
  ~Line() override = default;

  // Once: its first connection, which has to be begun.
  std::shared_ptr<Connection> start(std::unique_ptr<net::Stream> stream);
  // Instead of all else: that one is not begun.
  void abandon();

  // How a connection ended.
  enum class Parting : std::uint8_t { cut, close, go_away };
  // By a connection: the other side takes no calls on it any more.
  void leaves(const Connection& connection, const Status& why, Parting how);
  // By a connection: nothing can come on it any more.
  void lost(const Connection& connection, const Status& why, Parting how);
  // So many connections may end beside the next one; then it is dialled when this one has ended.
  static constexpr std::size_t most_leaving = 16;

  // As those of Session, without its plugins; where there is no connection they wait for one.
  Result<wire::Message> call(const CallOptions& options, std::string_view method,
                             wire::BodyCodec codec, const Bytes& body,
                             wire::Metadata* reply_metadata);
  Status push(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
              const Bytes& body);
  Result<OpenedStream> open_stream(const CallOptions& options, std::string_view method,
                                   wire::BodyCodec codec);
  void call_all(const BatchOptions& options, std::span<BatchedCall> calls);
  Result<std::shared_ptr<AsyncCall>> begin_call(const CallOptions& options, std::string_view method,
                                                wire::BodyCodec codec, const Bytes& body,
                                                const AsyncCall::Then& then);

  // The end, as that of a Connection.
  void close(std::uint64_t handler);
  bool begin_close(const Status& reason, std::optional<Duration> limit = {});
  void close_aside();
  void finish_begun(bool is_first);
  void hurry(const Status& reason, Duration limit);
  // Calls that wait for a connection are under way as well.
  [[nodiscard]] WorkCount under_way(WorkCount* cut = nullptr) const;
  Status wait_closed(rt::Deadline deadline);
  Status on_closed(OnClosed callback) { return extras_.add_on_closed(std::move(callback)); }
  [[nodiscard]] Status health() const;
  [[nodiscard]] bool is_open() const { return !is_over_; }
  [[nodiscard]] Status not_sent() const;  // under the lock, or once it is over

  // What is kept with the session.
  [[nodiscard]] Extras& extras() { return extras_; }
  [[nodiscard]] const std::shared_ptr<Errands>& errands() const { return errands_; }
  // The one of the moment, or the last one; null once nothing is left to be done.
  [[nodiscard]] std::shared_ptr<Connection> connection() const;
  // The one that everybody may use; null while there is none, and until its log-in is over.
  [[nodiscard]] std::shared_ptr<Connection> connection_if_up() const;
  // Of who logs in, or is called while that is done; nothing for all others.
  [[nodiscard]] std::optional<rt::Context> context_of_log_in() const;

  // Of AsyncCalls: `lock()` guards which connection they are on, and whether they wait here.
  [[nodiscard]] std::unique_lock<rt::Mutex> lock() const { return std::unique_lock(lock_); }
  // Under the lock: one that was not sent waits for the next connection. False when there is none.
  bool wait_to_go(const std::shared_ptr<AsyncCall>& call, const Connection& failed);
  // Under the lock: it waits no more. False when it did not.
  bool take_out(const AsyncCall& call);

 private:
  using Lock = std::unique_lock<rt::Mutex>;
  struct Turn;

  After run() override;
  static void hand_on(void* turn);
  std::shared_ptr<Connection> make(std::unique_ptr<net::Stream> stream);
  void take_on(const std::shared_ptr<Connection>& connection);
  void retired(const Connection& gone);

  // Dialling.
  [[nodiscard]] bool is_wanted(Parting how) const;
  void plan();
  void begin_outage(const Status& why);
  void attempt();
  Result<std::shared_ptr<Connection>> connect(const rt::Context& context, bool& is_refused);
  Status log_in(const std::shared_ptr<Connection>& connection, RedialAttempt told);
  Status tell(const std::shared_ptr<Connection>& connection, const RedialAttempt& told) const;
  void failed(const Status& why, bool is_refused);
  void succeeded(Lock& lock);
  void call_again();
  void end_waiting();

  // Waiting for a connection.
  struct Found {
    std::shared_ptr<Connection> connection;
    bool has_waited = false;
  };
  Result<Found> find(const Connection* failed, rt::Deadline deadline);
  [[nodiscard]] Status not_connected() const;
  template <class Try>
  auto carry(rt::Deadline deadline, Try attempt, const bool* is_told = nullptr);

  // Ending.
  void end(Lock& lock, const Status& why);
  [[nodiscard]] std::vector<std::shared_ptr<Connection>> earlier() const;
  void close_earlier(const Status& why, std::optional<Duration> limit);
  void finish();
  void tell_closed();
  [[nodiscard]] bool is_inside() const;
  void log(const std::string& line) const { connection()->log(line); }

  const SessionNumber number_;
  LineTerms terms_;
  const rt::Context context_;  // all that runs for it has a child of this one
  std::string remote_address_;
  Extras extras_;
  const std::shared_ptr<Errands> errands_;
  rt::Event closed_, told_;  // the other one: the callbacks have been told of it

  std::atomic<bool> is_over_ = false;  // written under the lock

  mutable rt::Mutex lock_;                  // of what follows
  std::shared_ptr<Connection> connection_;  // the last one there was
  // All that have something left to do: nobody else keeps them.
  std::vector<std::shared_ptr<Connection>> connections_;
  std::optional<rt::Context> its_context_;  // of what runs on that connection, and of its log-in
  std::optional<rt::Cancel> stop_;          // ends the attempt that is under way
  bool is_connected_ = false;               // that connection has not been lost
  bool is_up_ = false;                      // and takes the calls of everybody
  bool is_trying_ = false;                  // it is not known yet what comes of an attempt
  bool is_busy_ = false;                    // a fiber is in attempt()
  bool is_gone_ = false;                    // it is not run any more
  Instant up_since_{};                      // when it was connected last
  Instant next_at_ = Instant::max();        // when to dial
  Duration pause_{0};                       // the last, before chance made it shorter
  std::size_t attempts_ = 0;                // in this outage
  std::size_t waiting_ = 0;                 // fibers that wait for a connection
  std::vector<std::shared_ptr<AsyncCall>> to_go_;  // calls that do
  Status cut_;                                     // why the outage began
  Status tried_;                                   // what came of the last attempt
  Status reason_;                                  // why it is over
  std::optional<Duration> patience_;               // with callbacks; nothing: drain_timeout
  WorkCount past_cut_;  // of connections that are gone, and of calls that waited
  rt::Cond changed_;
};

// What is kept with the session of that connection.
inline Extras& kept_with(Connection& connection) {
  Line* const line = connection.extras().line();
  return line == nullptr ? connection.extras() : line->extras();
}

}  // namespace parley::impl
