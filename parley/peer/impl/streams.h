// Streams: what a session knows of its streams: who is there, and the credit of both directions
// (docs/protocols/parley.md, Streams). Numbers and queues only: the session says what is to be
// sent. Private to peer.
//
// Guarded by the lock of the session. Made when the first stream is; a session without streams has
// none of it.
//
//   Streams streams(takes, other);
//   auto core = streams.open(7, BodyCodec::json);
//   if (streams.missing(*core, cost) == Streams::Missing::nothing) streams.spend(*core, cost);
//   ...
//   Status broken = streams.take_data(message);       // of what comes
//   streams.eaten(*core, cost);                        // of what was read
//   while (auto credit = streams.next_credit()) encode(*credit);
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/base/status.h"
#include "parley/rt/cond.h"
#include "parley/rt/deadline.h"
#include "parley/wire/framing.h"
#include "parley/wire/message.h"

namespace parley::impl {

class Connection;
struct ForeignEnd;

// One stream, as one side knows it. It is shared with the handles of the user.
struct StreamCore : std::enable_shared_from_this<StreamCore> {
  // What a message costs beside its bytes.
  static constexpr std::size_t message_cost = 16;
  [[nodiscard]] std::size_t cost_of(const Bytes& body) const {
    return body.size() + message_cost + beside;
  }

  std::int32_t seq = 0;
  bool is_own = false;  // opened on this side
  wire::BodyCodec codec = wire::BodyCodec::none;
  wire::FilterPipe filters;             // what each message goes through
  bool is_filtered = false;             // and has gone through already: CallOptions::is_filtered
  std::uint64_t tell_at = 0;            // so much is read before the session is told
  rt::Deadline deadline;                // of the stream as a whole, on the side that opened it
  std::uint64_t frame_end = 0;          // position in the outgoing stream right after its OPEN
  bool is_enclosed = false;             // what is said on it travels in the session's envelope,
  std::size_t beside = 0;               // which makes each message longer by so much
  std::shared_ptr<ForeignEnd> foreign;  // of one that another protocol opened; otherwise null

  // Guarded by the lock of the session.
  std::vector<Bytes> inbox;                // what has come
  std::int64_t may_send = 0;               // credit that is left
  std::uint64_t to_return = 0;             // of what has come: credit that was not given back
  std::uint64_t to_announce = 0;           // of that: read already
  std::uint64_t came_count = 0;            // messages that have come
  std::uint64_t sent_count = 0;            // messages that were sent
  bool has_other_finished = false;         // no further message comes
  bool has_finished = false;               // none is sent any more
  bool is_over = false;                    // it is known how it ended
  std::atomic<bool> is_abandoned = false;  // nobody here looks at what comes
  bool wants_credit = false;               // is to be looked at by next_credit()
  Status end;                              // how it ended, once it is over
  wire::Metadata end_metadata;
  rt::Cond came;    // something, or the end
  rt::Cond may_go;  // credit has come, or the end

  // Of the fiber that receives: what it took out at once.
  std::vector<Bytes> taken;
  std::size_t next = 0;         // of `taken`
  std::uint64_t read_cost = 0;  // of messages handed out since the session was told
};

// One that was opened, and where.
struct OpenedStream {
  std::shared_ptr<Connection> connection;
  std::shared_ptr<StreamCore> core;
};

class Streams {
 public:
  using Core = std::shared_ptr<StreamCore>;

  // What this side takes, and what the other side does, as far as it is known. `is_foreign`: the
  // other side speaks another protocol, and its credit is given and taken right here. Its streams
  // do not share any: who is slow holds up nobody else. There session_credit bounds, each way, what
  // messages hold together beyond the credit of their streams.
  Streams(const wire::Settings& takes, const wire::Settings& other, bool is_foreign = false);

  // The other side has said what it takes: more than was known.
  void allow(const wire::Settings& other);

  // Another one can be opened on this side; resource_exhausted otherwise.
  [[nodiscard]] Status has_room() const;
  // The same for the other side.
  [[nodiscard]] bool takes_another() const { return served_.size() < takes_.max_streams; }
  // A stream opened by this side, or by the other. Its number must be free there.
  // `deadline`: of the stream as a whole.
  Core open(std::int32_t seq, wire::BodyCodec codec, rt::Deadline deadline = {}) {
    return add(opened_, {.seq = seq, .is_own = true, .codec = codec, .deadline = deadline});
  }
  Core serve(std::int32_t seq, wire::BodyCodec codec, rt::Deadline deadline = {}) {
    return add(served_, {.seq = seq, .is_own = false, .codec = codec, .deadline = deadline});
  }
  [[nodiscard]] bool is_open(std::int32_t seq) const { return opened_.contains(seq); }
  [[nodiscard]] Core served(std::int32_t seq) const { return find(served_, seq); }
  // The one that a message of the other side's is said on; null when it is over here.
  [[nodiscard]] Core of_message(const wire::Message& message) const {
    return find(message.own ? served_ : opened_, message.seq);
  }
  [[nodiscard]] std::size_t opened_count() const { return opened_.size(); }
  [[nodiscard]] std::size_t served_count() const { return served_.size(); }

  // Whose credit is too small for a message of that cost.
  enum class Missing : std::uint8_t { nothing, stream, session };
  [[nodiscard]] Missing missing(const StreamCore& core, std::size_t cost) const;
  void spend(StreamCore& core, std::size_t cost);
  // What was spent of the session's credit for messages that do not come whole.
  void take_back(std::uint64_t cost);
  [[nodiscard]] rt::Cond& session_may_go() { return may_go_; }

  // What has come: data, end, credit, cancel. The error is a mistake of the other side's.
  Status take(wire::Message& message);

  // Messages of that cost were read, or thrown away.
  void eaten(StreamCore& core, std::uint64_t cost);
  // A message of type credit that is due, until there is none.
  std::optional<wire::Message> next_credit();

  // Of a foreign session. What keeps a message of that cost from coming; waits for the session's
  // part of that; the credit of all that was read, given to those who wait; and one was taken by
  // the other side.
  [[nodiscard]] bool is_foreign() const { return is_foreign_; }
  [[nodiscard]] Missing missing_to_come(const StreamCore& core, std::size_t cost) const;
  [[nodiscard]] rt::Cond& may_give() { return may_give_; }
  void give_credit_here();
  void taken(StreamCore& core, std::uint64_t cost);

  // It is over on this side, with `why`: what it holds is let go of, and what still comes is thrown
  // away. One of this side's stays until the other side ends it; one of the other side's is gone.
  void abandon(StreamCore& core, Status why);

  // Nothing can come any more: each stream ends with what `why` says of it. With `in_order` those
  // of the other side that it has finished may still send.
  template <class Why>
  void end_all(Why why, bool in_order) {
    for (auto& [seq, core] : opened_) {
      if (!core->is_over) end(*core, why(*core));
    }
    for (auto& [seq, core] : served_) {
      if (!core->is_over && !(in_order && core->has_other_finished)) end(*core, why(*core));
    }
    opened_.clear();
    may_go_.broadcast();
  }

  // Nobody receives from it any more: what was taken out and not handed out is thrown away.
  void release(StreamCore& core);

  // Credit that this side has not given back, and that the other side has not, on the session.
  [[nodiscard]] std::uint64_t to_return() const { return to_return_; }
  [[nodiscard]] std::int64_t may_send() const { return may_send_; }

 private:
  using Table = std::unordered_map<std::int32_t, Core>;

  static Core find(const Table& table, std::int32_t seq);
  struct Birth {
    std::int32_t seq;
    bool is_own;
    wire::BodyCodec codec;
    rt::Deadline deadline;
  };
  Core add(Table& table, const Birth& birth);
  void end(StreamCore& core, Status status);
  Status take_data(wire::Message& message);
  Status take_end(wire::Message& message);
  Status take_credit(const wire::Message& message);
  void let_go(StreamCore& core);
  // All streams hold `all` beyond their credit; one of them, `before`, shall hold `now`.
  [[nodiscard]] bool may_hold(std::uint64_t all, std::uint64_t before, std::uint64_t now) const;
  void count_beyond(StreamCore& core);

  const wire::Settings takes_;
  wire::Settings other_;
  Table opened_;
  Table served_;
  std::int64_t may_send_;
  std::uint64_t to_return_ = 0;
  std::uint64_t to_announce_ = 0;
  std::vector<Core> due_;  // streams whose credit is due
  rt::Cond may_go_;
  const bool is_foreign_;
  // What lies beyond the credit of its stream: unread, and not taken.
  std::uint64_t came_beyond_ = 0;
  std::uint64_t sent_beyond_ = 0;
  rt::Cond may_give_;
};

}  // namespace parley::impl
