// Heart: notices that nothing has come on a session for long, asks the other side whether it is
// still there, and ends the session when that does not answer. Private to peer.
//
// Fiber-safe, inside a fiber only. One for all sessions of a peer: at rest it has no fiber, and a
// session costs it an entry in a table. The sessions themselves only count what they read; they are
// looked at some times in each interval, so that nothing is set or taken back for a message. Its
// lock is taken before those of sessions and of Errands; it is let go while sessions are looked at.
//
//   auto hearts = std::make_shared<Hearts>(terms);
//   hearts->watch(session, 15s);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "parley/base/clock.h"
#include "parley/peer/plugins/heartbeat.h"
#include "parley/peer/session.h"
#include "parley/rt/mutex.h"

namespace parley::impl {

class Connection;
class Errands;
class Hub;
class Line;

struct HeartTerms {
  bool asks = true;     // false: who is silent for an interval is cut
  Duration timeout{0};  // of an answer
  double jitter = 0;
  HeartbeatKind kind = HeartbeatKind::call;
  std::string rate{};  // what the other side is told, in seconds
  std::shared_ptr<HeartbeatCounts> counts{};
};

class Heart : public std::enable_shared_from_this<Heart> {
 public:
  // It does nothing any more once `errands` have gone.
  Heart(std::weak_ptr<Errands> errands, HeartTerms terms)
      : errands_(std::move(errands)), terms_(std::move(terms)) {}

  // Until the session ends; one of another protocol not at all.
  void watch(const Session& session, Duration interval);
  [[nodiscard]] bool is_over() const { return errands_.expired(); }

 private:
  class Tick;
  // What is known of a session.
  struct Beat {
    std::weak_ptr<Connection> connection{};
    std::weak_ptr<Line> line{};  // in place of that, of one that is dialled again
    bool has_line = false;
    Duration interval{0};
    Instant due{};
    // Of the connection that was looked at last.
    std::weak_ptr<Connection> looked_at{};
    std::uint32_t reads = 0;
    Instant heard_at{};     // when it was seen that something had come
    Duration patience{0};   // the interval, less what chance takes off
    bool is_asked = false;  // and has not answered
    bool was_held_up = false;
    std::uint64_t sent = 0;
    Instant answer_by{};
  };

  static std::shared_ptr<Connection> connection_of(const Beat& beat);
  void beat(const Tick& tick);
  std::optional<Instant> look(Beat& beat, Instant now) const;
  void ask(Beat& beat, Connection& connection, Instant now) const;
  void give_up(Beat& beat, Connection& connection, Instant now) const;
  void begin_anew(Beat& beat, Instant now) const;
  void set_tick();

  const std::weak_ptr<Errands> errands_;
  const HeartTerms terms_;

  mutable rt::Mutex lock_;  // of what follows
  std::map<SessionNumber, Beat> beats_;
  std::set<std::pair<Instant, SessionNumber>> by_time_;
  std::shared_ptr<Tick> tick_;  // null while there is none
  Instant tick_at_{};
};

// Those of all peers that a plugin is one of.
class Hearts {
 public:
  explicit Hearts(HeartTerms terms) : terms_(std::move(terms)) {}

  // Until the session ends, or with another interval from now on.
  void watch(const Session& session, Duration interval);

 private:
  const HeartTerms terms_;
  rt::Mutex lock_;  // of what follows
  std::map<const Hub*, std::shared_ptr<Heart>> all_;
};

}  // namespace parley::impl
