// Parts: large bodies on their way out, cut into parts so that small frames pass between them
// (docs/protocols/parley.md, "Bodies in parts"). Private to peer.
//
// Several take turns, one part each. What must not overtake a body that is under way waits behind
// it in its lane: a PUSH behind PUSHes, a message or the end of a stream behind what was said there
// before. Each call and each reply has a lane of its own. Bodies are shared, not copied, and cut
// when the next write is put together. Belongs to an Outbox, under the lock of its session.
//
//   if (parts.holds_up(message)) parts.add(message);   // or because it is large
//   while (!parts.is_empty()) parts.cut(encoder, part_bytes, outbox);
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/wire/framing.h"
#include "parley/wire/message.h"

namespace parley::impl {

class Outbox;

class Parts {
 public:
  // Lanes that take turns; others wait until one of them is empty. One less than the other side
  // lets be under way: an encoder cuts what has more metadata than fits a frame by itself.
  static constexpr std::size_t most_lanes = 63;

  // What is left of an exchange that ends before its time.
  struct Left {
    bool is_any = false;
    bool has_begun = false;    // some of it was cut, so the other side is to be told
    std::uint64_t credit = 0;  // that its messages cost, if it was a stream
  };
  struct UnsentCall {
    std::int32_t seq = 0;
    bool has_begun = false;
  };

  // Whether a message of this type may be cut: CALL, REPLY, PUSH and DATA.
  static bool may_cut(wire::MessageType type) noexcept;

  [[nodiscard]] bool is_empty() const { return going_.empty() && waiting_.empty(); }
  // What they hold that was not cut yet, with what goes beside the bodies.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Whether it has to go behind what is here.
  [[nodiscard]] bool holds_up(const wire::Message& message);

  // Of a message that Encoder::check() finds nothing wrong with.
  void add(wire::Message message);
  // Appends to `to` one part of the body whose turn it is, or what stands behind it in its lane.
  // Returns the number of the CALL that begins with it; 0 if none does.
  std::int32_t cut(wire::Encoder& encoder, std::size_t part_bytes, Outbox& to);

  // Takes out what is left of an exchange of this side's, which is told with CANCEL.
  Left drop(std::int32_t seq);
  // Takes out all CALLs of which not all was cut: no such call runs once that is told.
  std::vector<UnsentCall> drop_calls();
  // Nobody waits for this REPLY: what was not cut of it is not sent.
  void shorten_reply(std::int32_t seq);

 private:
  // What keeps its order.
  struct Lane {
    std::int32_t seq = 0;  // of PUSHes: of the one that has begun
    bool is_own = false;
    bool is_of_pushes = false;
    bool has_begun = false;  // `rest` is to follow, though it may be empty
    wire::MessageType begun = wire::MessageType::call;
    std::size_t begun_bytes = 0;
    Bytes rest;
    std::deque<wire::Message> behind;
  };
  using Lanes = std::list<Lane>;

  static bool is_lane_of(const Lane& lane, const wire::Message& message);
  Lane* find(const wire::Message& message);
  static void forget(const Lane& lane, std::size_t& bytes);
  std::int32_t begin(Lane& lane, wire::Encoder& encoder, std::size_t part_bytes, Outbox& to);
  void go_on(Lane& lane, wire::Encoder& encoder, std::size_t part_bytes, Outbox& to);

  Lanes going_;    // the first has its turn
  Lanes waiting_;  // at most most_lanes go
  std::size_t bytes_ = 0;
};

}  // namespace parley::impl
