#include "parley/peer/impl/heart.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <vector>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/enclosing.h"
#include "parley/peer/impl/errands.h"
#include "parley/peer/impl/hub.h"
#include "parley/peer/impl/line.h"
#include "parley/peer/impl/pushing.h"
#include "parley/peer/impl/words.h"
#include "parley/rt/random.h"
#include "parley/rt/time.h"

namespace parley::impl {

// What a heart may see and do of a connection.
struct Pulse {
  struct Signs {
    bool has_ended = false;
    std::uint32_t reads = 0;
    std::uint64_t sent = 0;
  };
  static Signs of(const Connection& connection) {
    return {.has_ended = connection.phase_ == Phase::ended,
            .reads = connection.reads_.load(std::memory_order_relaxed),
            .sent = connection.sent_.load(std::memory_order_relaxed)};
  }

  // True when more was waiting to be sent before. Does not wait: a few bytes beyond
  // max_outgoing_bytes are nothing.
  static bool ask(Connection& connection, const HeartTerms& terms) {
    Connection::Lock lock(connection.lock_);
    if (!connection.can_send_ || connection.encoder_ == nullptr) return false;
    const bool is_held_up = connection.enqueued_ > connection.sent_;
    if (connection.encoder_->has(wire::MessageType::ping)) {
      (void)connection.encode({.type = wire::MessageType::ping});
    } else {
      std::int32_t seq = connection.next_seq();
      while (connection.is_taken(seq)) seq = connection.next_seq();
      // Nobody waits for its answer, which is dropped as one that comes too late is.
      const bool is_call = calls(connection, terms);
      wire::Message beat{.seq = seq,
                         .type = is_call ? wire::MessageType::call : wire::MessageType::push,
                         .method = "/heartbeat",
                         .metadata = {{.key = "hb_", .value = terms.rate}}};
      if (Status s = Enclosing::close_own(connection, beat); !s.is_ok()) {
        connection.cut(lock, s);
        return false;
      }
      (void)connection.encode(beat);
    }
    connection.ask_to_send(lock);
    return is_held_up;
  }
  // Whether what is sent now will be answered.
  static bool will_answer(Connection& connection, const HeartTerms& terms) {
    const std::lock_guard lock(connection.lock_);
    return connection.encoder_ == nullptr || connection.encoder_->has(wire::MessageType::ping) ||
           calls(connection, terms);
  }
  // What asks is a CALL where there is no PING; also where there is no PUSH either. Under the lock.
  static bool calls(const Connection& connection, const HeartTerms& terms) {
    return terms.kind == HeartbeatKind::call || !connection.encoder_->has(wire::MessageType::push);
  }
  // Of who speaks another protocol no sign ever comes, and it cannot be asked: whoever carries its
  // calls knows whether it is there (ForeignSession).
  static bool is_foreign(const Connection& connection) {
    using wire::MessageType;
    const std::lock_guard lock(connection.lock_);
    const wire::Encoder* const encoder = connection.encoder_.get();
    return encoder != nullptr && !encoder->has(MessageType::ping) &&
           !encoder->has(MessageType::call) && !encoder->has(MessageType::push);
  }
  static void cut(Connection& connection, const Status& why) {
    Connection::Lock lock(connection.lock_);
    if (connection.can_send_) connection.cut(lock, why);
  }

  static std::shared_ptr<Errands> errands_of(Connection& connection) {
    return connection.hub_->errands(connection.queue_, connection.peers_context_);
  }
};

namespace {

// However many sessions are to be looked at: so many at once, and others of the peer have a turn.
constexpr std::size_t most_at_once = 1'000;
constexpr Duration least_pause = std::chrono::milliseconds(5);

}  // namespace

class Heart::Tick final : public Errand {
 public:
  explicit Tick(std::weak_ptr<Heart> heart) : heart_(std::move(heart)) {}
  void run() override {}
  void time_is_over() override {
    if (const auto heart = heart_.lock()) heart->beat(*this);
  }

 private:
  const std::weak_ptr<Heart> heart_;
};

void Heart::watch(const Session& session, Duration interval) {
  const std::shared_ptr<Connection>& connection = Pushing::connection_of(session);
  if (Pulse::is_foreign(*connection)) return;
  const Instant now = rt::now();
  const std::lock_guard lock(lock_);
  Beat& beat = beats_[session.number()];
  if (beat.interval == interval) return;
  by_time_.erase({beat.due, session.number()});
  beat.interval = interval;
  beat.connection = connection;
  if (Line* const line = connection->extras().line(); line != nullptr) {
    beat.line = line->weak_from_this();
    beat.has_line = true;
  }
  const std::shared_ptr<Connection> current = connection_of(beat);
  beat.looked_at = current;
  beat.reads = current == nullptr ? 0 : Pulse::of(*current).reads;
  begin_anew(beat, now);
  beat.due = now + std::min(interval / HeartbeatOptions::looks, beat.patience);
  by_time_.emplace(beat.due, session.number());
  set_tick();
}

void Heart::begin_anew(Beat& beat, Instant now) const {
  beat.is_asked = false;
  beat.heard_at = now;
  constexpr std::uint64_t grains = 1'000'000;
  const double chance =
      static_cast<double>(rt::random_below(grains)) / static_cast<double>(grains) * terms_.jitter;
  beat.patience = beat.interval - std::chrono::duration_cast<Duration>(beat.interval * chance);
}

// By the errands: one at a time.
void Heart::beat(const Tick& tick) {
  const Instant now = rt::now();
  std::vector<std::pair<SessionNumber, Beat>> due;
  {
    const std::lock_guard lock(lock_);
    // Another one may have been set in its place while it was on its way.
    if (tick_.get() == &tick) tick_ = nullptr;
    while (!by_time_.empty() && by_time_.begin()->first <= now && due.size() < most_at_once) {
      const SessionNumber number = by_time_.begin()->second;
      by_time_.erase(by_time_.begin());
      due.emplace_back(number, beats_[number]);
    }
  }
  for (auto& [number, beat] : due) {
    const std::optional<Instant> next = look(beat, now);
    const std::lock_guard lock(lock_);
    Beat& kept = beats_[number];
    if (!next) {
      by_time_.erase({kept.due, number});
      beats_.erase(number);
    } else if (kept.interval == beat.interval) {  // otherwise it has begun anew
      kept = std::move(beat);
      kept.due = *next;
      by_time_.emplace(kept.due, number);
    }
  }
  const std::lock_guard lock(lock_);
  set_tick();
}

// The one of the moment; null once there will be none any more.
std::shared_ptr<Connection> Heart::connection_of(const Beat& beat) {
  bool may_come_back = false;
  std::shared_ptr<Connection> connection = beat.connection.lock();
  if (beat.has_line) {
    const std::shared_ptr<Line> line = beat.line.lock();
    connection = line == nullptr ? nullptr : line->connection();
    may_come_back = line != nullptr && line->is_open();
  }
  const bool has_ended = connection == nullptr || Pulse::of(*connection).has_ended;
  return has_ended && !may_come_back ? nullptr : connection;
}

// When to look again; nothing once the session has ended.
std::optional<Instant> Heart::look(Beat& beat, Instant now) const {
  const std::shared_ptr<Connection> connection = connection_of(beat);
  if (connection == nullptr) return {};
  const Pulse::Signs signs = Pulse::of(*connection);
  // One that has ended, and may be dialled again, is not asked.
  if (connection != beat.looked_at.lock() || signs.reads != beat.reads || signs.has_ended) {
    beat.looked_at = connection;
    beat.reads = signs.reads;
    begin_anew(beat, now);
  } else if (beat.is_asked && now >= beat.answer_by) {
    if (!beat.was_held_up || signs.sent == beat.sent) give_up(beat, *connection, now);
    beat.sent = signs.sent;
    beat.answer_by = now + terms_.timeout;
  } else if (!beat.is_asked && now - beat.heard_at >= beat.patience) {
    terms_.asks ? ask(beat, *connection, now) : give_up(beat, *connection, now);
  }
  if (beat.is_asked) return beat.answer_by;
  const Instant soon = now + beat.interval / HeartbeatOptions::looks;
  const Instant quiet = beat.heard_at + beat.patience;
  return quiet > now ? std::min(soon, quiet) : soon;
}

void Heart::ask(Beat& beat, Connection& connection, Instant now) const {
  if (terms_.counts != nullptr) ++terms_.counts->asked;
  beat.was_held_up = Pulse::ask(connection, terms_);
  begin_anew(beat, now);
  if (!Pulse::will_answer(connection, terms_)) return;
  beat.is_asked = true;
  beat.sent = Pulse::of(connection).sent;
  beat.answer_by = now + terms_.timeout;
}

void Heart::give_up(Beat& beat, Connection& connection, Instant now) const {
  begin_anew(beat, now);
  if (terms_.counts != nullptr) ++terms_.counts->ended;
  const std::string silence = terms_.asks ? "asked after " + in_milliseconds(beat.interval) +
                                                " of silence, it has not answered within " +
                                                in_milliseconds(terms_.timeout)
                                          : "nothing came for " + in_milliseconds(beat.interval);
  Pulse::cut(connection,
             Status(Code::unavailable,
                    "heartbeat: the other side, or the way to it, is gone: " + silence));
}

// Under the lock.
void Heart::set_tick() {
  if (by_time_.empty()) return;
  const Instant at = std::max(by_time_.begin()->first, rt::now() + least_pause);
  if (tick_ != nullptr && tick_at_ <= at) return;
  const std::shared_ptr<Errands> errands = errands_.lock();
  if (errands == nullptr) return;
  if (tick_ != nullptr) errands->take_back(*tick_);
  tick_ = std::make_shared<Tick>(weak_from_this());
  tick_at_ = at;
  errands->add_at(at, tick_);
}

void Hearts::watch(const Session& session, Duration interval) {
  Connection& connection = *Pushing::connection_of(session);
  std::shared_ptr<Heart> heart;
  {
    const std::lock_guard lock(lock_);
    std::erase_if(all_, [](const auto& each) { return each.second->is_over(); });
    std::shared_ptr<Heart>& its = all_[&connection.hub()];
    if (its == nullptr) its = std::make_shared<Heart>(Pulse::errands_of(connection), terms_);
    heart = its;
  }
  heart->watch(session, interval);
}

}  // namespace parley::impl
