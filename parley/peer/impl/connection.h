// Connection: the engine behind a Session. At rest it has no fiber: it is run when something has
// come or is to be sent. Private to peer.
//
// One fiber at a time reads: it takes what one read brought, hands answers to those who wait for
// them and runs the calls itself, one after the other, so that a call costs no fiber of its own.
// Only when a handler waits (rt::OnPark) does another fiber become the reader and go on with the
// calls behind it; the first one then leaves with its handler. Answers are gathered and leave in
// one write when the calls of a read are through.
//
// What fibers share is guarded by one lock for each connection, held for as long as it takes to
// append a frame or to look up a number. The reader takes it once for all messages of a read.
// Frames are encoded under it, since an encoder remembers what it said before; bodies before that.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/net/stream.h"
#include "parley/peer/impl/batch.h"
#include "parley/peer/impl/call_table.h"
#include "parley/peer/impl/ending.h"
#include "parley/peer/impl/errands.h"
#include "parley/peer/impl/extras.h"
#include "parley/peer/impl/framings.h"
#include "parley/peer/impl/origin.h"
#include "parley/peer/impl/outbox.h"
#include "parley/peer/impl/outgoing.h"
#include "parley/peer/impl/reading.h"
#include "parley/peer/impl/served_list.h"
#include "parley/peer/impl/streams.h"
#include "parley/peer/impl/terms.h"
#include "parley/peer/impl/words.h"
#include "parley/peer/impl/workplace.h"
#include "parley/peer/options.h"
#include "parley/peer/router.h"
#include "parley/peer/session.h"
#include "parley/rt/cond.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/on_park.h"
#include "parley/rt/pool.h"
#include "parley/rt/ready_queue.h"
#include "parley/wire/framing.h"
#include "parley/wire/message.h"

namespace parley::impl {

class Connection final : public rt::ReadyItem, public std::enable_shared_from_this<Connection> {
 public:
  // Who dialled speaks the first framing; who accepted the one that the other side begins with.
  Connection(std::unique_ptr<net::Stream> stream, SessionNumber number, Side side, Origin origin);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Once: from here on the session is served, to its end.
  void begin();

  // See Session. `text` is the body if `body` is empty, a small one; `reply` a fresh message.
  Status call(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
              Bytes body, std::string_view text, wire::Message& reply);
  Status call_quickly(QuickExchange& exchange);  // see exchange_quickly()
  Status push(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
              Bytes body);
  // Without waiting; what is full may be cut. The other one waits until it need not be.
  Tried try_push(Outgoing& push, FilteredBody& once, WhenFull when_full);
  Status await_room(const wire::Message& message, rt::Deadline deadline);
  // Of streams (connection_streams.cc): see RawStream.
  Result<std::shared_ptr<StreamCore>> open_stream(const CallOptions& options,
                                                  std::string_view method, wire::BodyCodec codec);
  Result<std::optional<Bytes>> receive(StreamCore& core, rt::Deadline deadline);
  Status send_on(StreamCore& core, Bytes body, rt::Deadline deadline);
  Status finish_stream(StreamCore& core);
  void cancel_stream(StreamCore& core);
  void release_stream(StreamCore& core);
  [[nodiscard]] Result<wire::Metadata> metadata_of(const StreamCore& core) const;
  void call_all(const BatchOptions& options, std::span<BatchedCall> calls);
  // `handler`: the number of the call whose handler asks for it, as far as its handle knows.
  void close(std::uint64_t handler);
  // False when it was closed before. It takes no calls any more; one of the next two does the rest.
  bool begin_close(const Status& reason, std::optional<Duration> limit = {});
  void close_aside();
  void finish_begun(bool is_first);
  // Of what has begun: a shorter limit; at zero it is cut.
  void hurry(const Status& reason, Duration limit);
  [[nodiscard]] WorkCount under_way(WorkCount* cut = nullptr) const;
  Status wait_closed(rt::Deadline deadline);
  Status on_closed(OnClosed callback);
  [[nodiscard]] Status health() const;
  [[nodiscard]] Extras& extras() { return extras_; }
  [[nodiscard]] Hub& hub() { return *hub_; }
  [[nodiscard]] std::shared_ptr<Errands> errands();
  void log(const std::string& line) const;
  void log_request(const std::string& line);  // of those that are counted

  [[nodiscard]] bool is_open() const { return phase_ == Phase::open; }
  [[nodiscard]] bool is_around_caller() const;  // the calling fiber is inside a handler of it
  // A REPLY not_sent is the other side's word that it did not run the call.
  [[nodiscard]] bool is_told_not_sent() const { return tells_of_ends_; }
  [[nodiscard]] SessionNumber number() const { return number_; }
  [[nodiscard]] const std::string& local_address() const { return local_address_; }
  [[nodiscard]] const std::string& remote_address() const { return remote_address_; }

 private:
  Connection(std::unique_ptr<net::Stream> stream, SessionNumber number, Side side, Origin origin,
             std::pair<rt::Context, rt::Cancel> context);
  using Lock = std::unique_lock<rt::Mutex>;
  struct Turn;  // turn.h
  After run() override;
  After read_and_serve(Turn& turn);
  After retire();
  static void hand_on(void* turn);
  [[nodiscard]] bool can_tell() const { return stream_->readiness() != nullptr; }

  // Reading: by the reader only.
  bool read_once(Turn& turn);
  void take_bytes(Bytes chunk, Arrivals& arrived);
  Status find_framing();
  void speak(const wire::Framing& framing);
  void take_messages(Arrivals& arrived);
  Status decode_some(Arrivals& arrived);
  Result<bool> decode_next(Arrived& added);
  Status look_at(wire::Message& message);
  void watch_frame_time();
  void set_alarm();
  void take_hello();
  bool take_answers();
  Status sort(Arrivals& all, bool& are_calls);
  std::size_t admit_plain(Arrivals& all, std::size_t from);
  Status sort_other(Arrived& arrived);
  [[nodiscard]] Verdict admit(const wire::Message& request, std::size_t& in_use);
  void over(Status why);

  // False when the fiber waited and another one has become the reader.
  bool run_calls(Turn& turn, rt::OnPark& waits);
  void give_up(Arrived& arrived, Verdict why);
  void refuse(const Arrived& arrived);
  // Serving.
  void serve(Arrived& arrived, Turn& turn, rt::OnPark& waits);
  Status run_handler(const Router::Method& method, Context& context, wire::Message& request,
                     Answer& answer, rt::OnPark& waits);
  Status unfilter_request(wire::Message& request, rt::OnPark& waits);
  void finish(const wire::Message& request, Status status, Context& context, Turn& turn,
              rt::OnPark& waits);
  void filter_answer(const wire::Message& request, Answer& answer, Outgoing& reply,
                     rt::OnPark& waits);
  void send_reply(Outgoing& reply, Answer& answer, const wire::Message& served);
  Status wait_with_answer(Lock& lock, Outgoing& reply, Answer& answer, const wire::Message& served);
  bool say_instead(Outgoing& reply, const Status& why, const wire::Message& served);
  void look_at_waiting();
  void answer_control(const wire::Message& message);
  void answer_at_once(const wire::Message& answer);
  void handler_ended(std::size_t held);
  void count_out(std::size_t held);

  // Streams.
  Streams& streams();
  bool give_credit();
  Status give_up_in_time(StreamCore& core);
  void say_cancel(StreamCore& core, Status why);
  Status admit_stream(Arrived& arrived);
  Status take_on_stream(wire::Message& message);
  void refuse_stream(const Arrived& arrived, Status why);
  std::uint64_t end_served_stream(StreamCore& core);
  void fail_streams(std::uint64_t sent, bool in_order);

  // Calling.
  friend class AsyncCall;
  friend struct Early;      // before it begins
  friend struct Enclosing;  // what travels in an envelope
  friend struct Foreign;    // calls that come another way
  friend struct InParts;    // large bodies on their way out
  friend struct Plugged;    // what goes through plugins
  friend struct Pulse;      // heartbeats
  friend class Shortcut;    // what does not go this way
  Status terms_of(std::optional<Duration> asked, CallTerms& terms) const;
  bool send_plain(PendingCall& call, const wire::PlainCall& plain);
  bool send_quickly(QuickCall& call, Duration left);
  Status send_other(PendingCall& call, const CallOptions& options, const wire::PlainCall& plain,
                    Bytes body, const CallTerms& terms);
  Status send_call(PendingCall& call, Outgoing& out, rt::Deadline deadline);
  Status add_call(Lock& lock, PendingCall& call, Outgoing& out, rt::Deadline deadline);
  void send_all(Batch& batch, const BatchOptions& options, const CallTerms& terms);
  void withdraw_all(Batch& batch, const Status& why, const CallTerms& terms);
  bool withdraw(PendingCall& call);
  Status filter_question(Outgoing& out, rt::Deadline deadline);
  Status go_through_filters(Outgoing& out, FilteredBody* once = nullptr);
  bool try_withdraw(PendingCall& call);
  bool take_back(PendingCall& call);
  Status gave_up(const Status& why, std::string_view method, const CallTerms& terms) const;
  Status no_answer(std::string_view method, const CallTerms& terms, bool by_context) const;
  [[nodiscard]] Status room_for_callback(const Errands& errands) const;
  std::int32_t next_seq();
  bool is_taken(std::int32_t seq) const;
  Status too_many_calls() const;
  [[nodiscard]] bool may_ask() const;

  // Writing.
  Status wait_for_room(Lock& lock, const wire::Message& message, rt::Deadline deadline);
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] bool is_full_for(const wire::Message& message) const;
  Tried no_room(Lock& lock, const wire::Message& message, WhenFull when_full);
  [[nodiscard]] bool must_wait_for_hello(const wire::Message& message) const;
  [[nodiscard]] bool has_to_wait(const wire::Message& message) const;
  Status encode(Outgoing& out);
  Status encode(const wire::Message& message);
  Status encode(const wire::Message& message, std::string_view body);
  void ask_to_send(Lock& lock);
  void send_gathered(rt::Deadline until = {});
  Status send(Outbox& outbox, rt::Deadline until);
  void cut(Lock& lock, const Status& why);

  // Ending.
  void end();
  void tell_closed();
  void tell_line();
  void finish_errands();
  void let_go();
  void finish_close();
  void stop_sending();
  void wait_for_handlers();
  void finish_writing();
  void fail_pending(std::uint64_t sent);
  void wait_quiet();
  void say_farewell(const Status& reason);
  void take_farewell(const wire::Message& message);
  [[nodiscard]] WorkCount count_work() const;  // under the lock
  [[nodiscard]] Status not_sent() const;

  const std::string local_address_;
  const std::string remote_address_;
  const SessionNumber number_;
  const std::shared_ptr<const PeerOptions> options_;
  const std::shared_ptr<const Framings> framings_;
  Extras extras_;
  const rt::Context context_;  // what all its fibers run under
  const rt::Cancel cancel_;    // ends it
  rt::ReadyQueue& queue_;
  rt::Pool<std::unique_ptr<Workplace>>& workplaces_;
  const rt::Context peers_context_;
  const std::shared_ptr<Hub> hub_;
  const std::function<void(const Connection&)> forget_;
  // Somebody is the reader, or nothing can come any more.
  std::atomic<bool> has_reader_ = true;  // until it begins nobody reads, or ends it
  Reading reading_;
  std::atomic<std::uint32_t> reads_ = 0;     // that brought something: for heartbeats to look at
  std::atomic<bool> tells_of_ends_ = false;  // callers say when they give up, or how long they wait
  ServedList served_;
  // Of who sends.
  Outbox sending_;
  std::atomic<std::uint64_t> sent_ = 0;  // bytes ever handed to the network
  // Written under the lock.
  std::atomic<Phase> phase_ = Phase::open;
  std::atomic<std::uint32_t> last_seq_ = 0;
  // What follows is guarded by the lock; of the first two, which run() clears, not for its fibers.
  mutable rt::Mutex lock_;
  std::shared_ptr<net::Stream> stream_;  // null once the session has ended
  std::shared_ptr<Router> router_;
  Status reason_;  // why it is no longer open
  Ending ending_;
  PendingCalls pending_;
  std::size_t calls_ = 0;  // those in pending_, those that wait for room, streams opened here
  std::size_t handlers_ = 0;
  std::size_t handler_bytes_ = 0;  // that their requests hold, and answers that wait for room
  std::size_t waiting_answers_ = 0;
  std::atomic<std::size_t> held_up_ = 0;          // those bytes, while some wait and it is too much
  std::map<std::uint64_t, std::size_t> closers_;  // fibers inside close(), by handler
  std::size_t draining_ = 0;                      // fibers that wait for quiet_
  std::shared_ptr<Errands> errands_;              // null until there is one
  std::unique_ptr<Streams> streams_;              // null before the first
  const wire::Settings* other_takes_ = nullptr;   // null until it has said so
  std::unique_ptr<wire::Encoder> encoder_;        // null until it is known what is spoken
  std::atomic<bool> awaits_hello_ = false;        // the other side has yet to say what it takes
  Outbox outgoing_;                               // what nobody has begun to send
  std::size_t uncounted_ = 0;                     // of its bytes, those nobody waited for room for
  std::uint64_t enqueued_ = 0;                    // bytes ever appended to outgoing_
  bool can_send_ = true;                          // false once sending has failed or is over
  bool is_sending_ = false;                       // somebody is
  bool is_asked_ = false;                         // a run is to come that sends
  bool is_gone_ = false;                          // the next run is the last
  rt::Cond quiet_;                      // a handler or a call ended, or a handler began to close
  rt::Cond has_room_;                   // or it is known what the other side takes
  rt::Event sent_all_, closed_, told_;  // the last: the callbacks have been told of it
};

}  // namespace parley::impl
