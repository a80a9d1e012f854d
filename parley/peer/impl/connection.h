// Connection: the engine behind a Session: one reader fiber, one writer fiber, a fiber for each
// call it serves, all of them on any worker. Private to peer.
//
// What fibers share is guarded by one lock for each connection, held for as long as it takes to
// append a frame or to look up a number. A reader takes it once for all messages of a read. Frames
// are encoded under it, since an encoder remembers what it said before; bodies are written before
// that, and large ones are shared, not copied. Waiting is done on events: one is reset under the
// lock by who finds nothing to do, and set after the lock by who changed that.
//
// The writer, woken by the first frame, runs after the fibers that were runnable before it, so the
// answers to all frames of one read leave in one write.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/net/stream.h"
#include "parley/peer/impl/outbox.h"
#include "parley/peer/impl/pending_calls.h"
#include "parley/peer/impl/read_buffer.h"
#include "parley/peer/options.h"
#include "parley/peer/router.h"
#include "parley/peer/session.h"
#include "parley/rt/cond.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/wire/framing.h"
#include "parley/wire/message.h"

namespace parley::impl {

// "20 ms".
std::string in_milliseconds(Duration duration);

using Framings = std::vector<std::shared_ptr<const wire::Framing>>;

// Those of the options, or parley and raw within the options' limits.
Framings framings_of(const PeerOptions& options);

// Who began a session.
enum class Side : std::uint8_t { dialled, accepted };

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // What a session has from its peer.
  struct Origin {
    std::shared_ptr<const PeerOptions> options;
    std::shared_ptr<const Framings> framings;
    std::shared_ptr<Router> router;
  };
  // Its fibers run under a child of `parent`. Who dialled speaks the first framing; who accepted
  // the one that the other side begins with.
  Connection(std::unique_ptr<net::Stream> stream, SessionId id, Side side, Origin origin,
             const rt::Context& parent);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves the session to its end; one fiber of the peer runs it.
  void run();
  // In place of run(), when there is no fiber for it: the session ends before it began.
  void abandon(const Status& why);

  // See Session.
  Result<wire::Message> call(const CallOptions& options, std::string_view method,
                             wire::BodyCodec codec, Bytes body);
  Status push(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
              Bytes body);
  // `handler`: the number of the call whose handler asks for it, as far as its handle knows.
  void close(std::uint64_t handler);
  Status wait_closed(rt::Deadline deadline);

  [[nodiscard]] bool is_open() const { return phase_ == Phase::open; }
  [[nodiscard]] SessionId id() const { return id_; }
  [[nodiscard]] const std::string& local_address() const { return local_address_; }
  [[nodiscard]] const std::string& remote_address() const { return remote_address_; }

 private:
  enum class Phase : std::uint8_t {
    open,
    closing,  // no new calls either way; those under way may end
    ended,    // nothing can come any more; what is queued may still leave
  };
  // Whether a request may run.
  enum class Verdict : std::uint8_t {
    run,
    closing,
    max_handlers,
    max_handler_bytes,
    max_fibers,
    no_body,
    control  // no request: something to answer at once
  };

  // One message of a read, and what the lock's holder found out about it.
  struct Arrived {
    explicit Arrived(wire::Message&& came) : message(std::move(came)) {}

    wire::Message message;
    PendingCall* caller = nullptr;  // of a reply; null when nobody waits any more
    Verdict verdict = Verdict::run;
    std::size_t in_use = 0;  // of the limit that the verdict names
  };
  using Lock = std::unique_lock<rt::Mutex>;

  // Reading: by the reader only.
  Status read_loop();
  Result<std::size_t> read_some(ReadBuffer& buffer, rt::Deadline frame_deadline);
  Status find_framing(ReadBuffer& buffer);
  void speak(const wire::Framing& framing);
  Status read_frames(bool& frame_completed);
  Status decode_some(bool& frame_completed);
  void take_hello();
  void sort_arrived();
  void pass_on_arrived();
  [[nodiscard]] Verdict admit(const wire::Message& request, std::size_t& in_use);
  bool start_handler(wire::Message& request);
  void refuse(const Arrived& arrived);

  // Serving.
  void serve(const wire::Message& request, std::uint64_t number);
  void reply(std::int32_t seq, Result<Bytes> answer, wire::Metadata metadata,
             const wire::Message* served);
  void send_answer(const wire::Message& answer, const wire::Message* served);
  void answer_control(const wire::Message& message);
  void handler_ended(std::size_t held);
  void count_out(std::size_t held);

  // Calling.
  Status send_call(PendingCall& call, wire::Message& message, rt::Deadline deadline);
  bool withdraw(PendingCall& call);
  [[nodiscard]] Status gave_up(const Status& why, const wire::Message& message, Duration timeout,
                               rt::Deadline deadline) const;
  std::int32_t next_seq();

  // Writing.
  Status wait_for_room(Lock& lock, const wire::Message& message, rt::Deadline deadline);
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] bool must_wait_for_hello(const wire::Message& message) const;
  Status encode(const wire::Message& message);
  void wake_writer(Lock& lock);
  void write_loop();
  Status flush();

  // Ending.
  void end(const Status& why, bool in_order);
  void let_go();
  void stop_sending();
  void finish_writing();
  void fail_pending(std::uint64_t sent);
  bool wait_quiet(rt::Deadline deadline);
  [[nodiscard]] bool in_own_handler() const;
  [[nodiscard]] Status not_sent() const;
  void log(const std::string& line) const;

  const std::string local_address_;
  const std::string remote_address_;
  const SessionId id_;
  const std::shared_ptr<const PeerOptions> options_;
  const std::shared_ptr<const Framings> framings_;
  const rt::Context context_;  // what all its fibers run under

  // The reader's.
  std::unique_ptr<wire::Decoder> decoder_;  // null until it is known what is spoken
  std::vector<Arrived> arrived_;
  rt::Scope* scope_ = nullptr;
  std::uint64_t handlers_started_ = 0;

  // The writer's; the reader may look once writer_done_ is set.
  Outbox writing_;
  std::uint64_t written_ = 0;  // bytes ever handed to the network

  // Written under the lock.
  std::atomic<Phase> phase_ = Phase::open;
  std::atomic<std::uint32_t> last_seq_ = 0;

  // What follows is guarded by the lock; the first two are changed only by run(), at its very end,
  // so its own fibers need no lock to use them.
  mutable rt::Mutex lock_;
  std::shared_ptr<net::Stream> stream_;  // null once the session has ended
  std::shared_ptr<Router> router_;
  Status reason_;  // why it is no longer open

  PendingCalls pending_;
  std::size_t calls_ = 0;  // those in pending_ and those that wait for room
  std::size_t handlers_ = 0;
  std::size_t handler_bytes_ = 0;                 // that their requests hold
  std::map<std::uint64_t, std::size_t> closers_;  // fibers inside close(), by handler
  std::size_t draining_ = 0;                      // fibers that wait for quiet_

  std::unique_ptr<wire::Encoder> encoder_;  // null until it is known what is spoken
  bool awaits_hello_ = false;               // the other side has yet to say what it takes
  Outbox outgoing_;                         // what the writer has not taken yet
  std::uint64_t enqueued_ = 0;              // bytes ever appended to outgoing_
  bool can_send_ = true;                    // false once the writer has failed or finished
  bool finish_writing_ = false;             // the writer ends when it has sent everything
  bool writer_waits_ = false;

  rt::Event quiet_;  // a handler or a call ended, or a handler began to close
  rt::Event has_output_;
  rt::Cond has_room_;  // or it is known what the other side takes
  rt::Event writer_done_;
  rt::Event closed_;
};

}  // namespace parley::impl
