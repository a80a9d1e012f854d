// How a session is dialled again, and how it ends.
#include "parley/peer/impl/line.h"

#include <algorithm>
#include <utility>

#include "parley/base/assert.h"
#include "parley/base/guard.h"
#include "parley/peer/impl/early.h"
#include "parley/peer/impl/hub.h"
#include "parley/peer/impl/reason.h"
#include "parley/peer/impl/words.h"
#include "parley/peer/session.h"
#include "parley/rt/on_park.h"
#include "parley/rt/random.h"
#include "parley/rt/time.h"

namespace parley::impl {
namespace {

// Marks what runs for a connection of a line, and descends from it.
struct OfConnection {};

// At max_fibers: until it is looked again for a fiber to stand by.
constexpr Duration until_next_try = std::chrono::milliseconds(10);

// Of what a plugin says about a further connection: no attempt will be better.
bool is_refusal(const Status& status) {
  return !status.is_ok() && status.code() != Code::not_sent && status.code() != Code::unavailable &&
         status.code() != Code::deadline_exceeded;
}

// Tells a callback of the end of a session.
class TellClosed final : public Errand {
 public:
  TellClosed(std::shared_ptr<Connection> last, OnClosed callback, Status reason)
      : last_(std::move(last)), callback_(std::move(callback)), reason_(std::move(reason)) {}

  void run() override {
    if (Status s = guarded([&] { callback_(reason_); }); !s.is_ok()) {
      last_->log("an on_closed callback failed: " + s.to_string());
    }
  }

 private:
  const std::shared_ptr<Connection> last_;
  const OnClosed callback_;
  const Status reason_;
};

// As that of a Connection.
void wait_in_turn(rt::Event& event) {
  const rt::Context caller = rt::Context::current();
  const bool is_in_session = caller.value<InSession>() != nullptr;
  const rt::WithContext bound(is_in_session ? caller : rt::Context::background());
  (void)event.wait();
}

}  // namespace

Status check(const RedialOptions& options) {
  if (options.count == 0) return {};
  if (options.interval < RedialOptions::least_interval) {
    return {Code::invalid_argument, "RedialOptions::interval is shorter than least_interval (" +
                                        in_milliseconds(RedialOptions::least_interval) +
                                        "): it would be dialled without a pause"};
  }
  if (options.max_interval < options.interval) {
    return {Code::invalid_argument, "RedialOptions::max_interval is shorter than interval"};
  }
  if (options.jitter >= 0 && options.jitter <= 1) return {};
  return {Code::invalid_argument, "RedialOptions::jitter is to be from 0 to 1"};
}

// What a fiber has at hand while it dials.
struct Line::Turn {
  Line& of;
  rt::StandIn& stand_in;
};

Line::Line(SessionNumber number, LineTerms terms)
    : number_(number),
      terms_(std::move(terms)),
      context_(terms_.origin.context.with_value(OfConnection())),
      extras_(*terms_.origin.options, remote_address_),
      errands_(Errands::make(terms_.origin.queue, context_)) {
  join(terms_.origin.queue);
}

std::shared_ptr<Connection> Line::make(std::unique_ptr<net::Stream> stream) {
  Origin origin = terms_.origin;
  origin.context = *its_context_;
  origin.line = shared_from_this();
  origin.forget = [this](const Connection& gone) { retired(gone); };
  return std::make_shared<Connection>(std::move(stream), number_, Side::dialled, std::move(origin));
}

// Under the lock.
void Line::take_on(const std::shared_ptr<Connection>& connection) {
  connection_ = connection;
  connections_.push_back(connection);
  is_connected_ = true;
}

void Line::retired(const Connection& gone) {
  WorkCount cut;
  (void)gone.under_way(&cut);
  {
    const std::lock_guard lock(lock_);
    past_cut_ += cut;
    std::erase_if(connections_, [&](const auto& each) { return each.get() == &gone; });
  }
  terms_.origin.forget(gone);
}

std::shared_ptr<Connection> Line::start(std::unique_ptr<net::Stream> stream) {
  const std::lock_guard lock(lock_);
  its_context_ = context_.with_value(OfConnection());
  take_on(make(std::move(stream)));
  remote_address_ = connection_->remote_address();
  is_up_ = true;
  up_since_ = rt::now();
  return connection_;
}

void Line::abandon() {
  errands_->finish(Duration::zero());
  const std::lock_guard lock(lock_);
  is_over_ = is_gone_ = true;
  connections_.clear();
  connection_ = nullptr;
}

std::shared_ptr<Connection> Line::connection() const {
  const std::lock_guard lock(lock_);
  return connection_;
}

std::shared_ptr<Connection> Line::connection_if_up() const {
  const std::lock_guard lock(lock_);
  return is_up_ ? connection_ : nullptr;
}

std::optional<rt::Context> Line::context_of_log_in() const {
  const std::lock_guard lock(lock_);
  if (!rt::Context::current().descends_from(*its_context_)) return {};
  return its_context_;
}

// --- Dialling

bool Line::is_wanted(Parting how) const {
  const RedialOptions& options = terms_.options.redial;
  return how == Parting::cut || (how == Parting::close && options.after_close) ||
         (how == Parting::go_away && options.after_go_away);
}

// Under the lock: when the next attempt is due.
void Line::plan() {
  const RedialOptions& options = terms_.options.redial;
  if (pause_ == Duration::zero()) {
    pause_ = options.interval;
  } else {
    pause_ = pause_ > options.max_interval / 2 ? options.max_interval : 2 * pause_;
  }
  // As a double, the longest pause is a little longer than that.
  const auto most =
      std::min(static_cast<std::uint64_t>(static_cast<double>(pause_.count()) * options.jitter),
               static_cast<std::uint64_t>(pause_.count()));
  const auto less = static_cast<Duration::rep>(rt::random_below(most + 1));
  next_at_ = rt::Deadline::after(pause_ - Duration(less)).instant();
}

// Under the lock.
void Line::begin_outage(const Status& why) {
  cut_ = why;
  tried_ = {};
  attempts_ = 0;
  if (rt::now() - up_since_ >= terms_.options.redial.max_interval) pause_ = Duration::zero();
  plan();
}

// What was asked may still be answered there, beside the next connection. That is dialled at once:
// the other side has said so in good time, and not all of its callers have lost something. Only who
// has just come waits as after a cut.
void Line::leaves(const Connection& connection, const Status& why, Parting how) {
  Lock lock(lock_);
  if (connection_.get() != &connection || !is_connected_ || is_over_) return;
  if (!is_wanted(how)) return end(lock, why);
  if (is_trying_ || connections_.size() > most_leaving) return;
  is_connected_ = is_up_ = false;
  begin_outage(why);
  if (rt::now() - up_since_ >= terms_.options.redial.interval) next_at_ = rt::now();
  ready();
}

void Line::lost(const Connection& connection, const Status& why, Parting how) {
  Lock lock(lock_);
  if (connection_.get() != &connection || !is_connected_) return;
  is_connected_ = is_up_ = false;
  if (!is_over_ && !is_wanted(how)) return end(lock, why);
  if (!is_over_ && !is_trying_) begin_outage(why);
  if (!is_gone_) ready();
}

// The fiber is about to wait: another one runs what is ready.
void Line::hand_on(void* argument) {
  Turn& turn = *static_cast<Turn*>(argument);
  turn.of.return_early(turn.stand_in);
}

rt::ReadyItem::After Line::run() {
  const std::shared_ptr<Line> self = shared_from_this();
  Lock lock(lock_);
  if (is_gone_) return After::gone;
  if (is_busy_) return After::rest;
  if (is_over_) {
    if (is_connected_) return After::rest;
    is_gone_ = true;
    lock.unlock();
    finish();
    return After::gone;
  }
  if (next_at_ == Instant::max()) return After::rest;
  if (rt::now() < next_at_) {
    ready_at(next_at_);
    return After::rest;
  }
  rt::StandIn stand_in(terms_.origin.queue);
  if (!stand_in) {
    ready_at(rt::now() + until_next_try);
    return After::rest;
  }
  next_at_ = Instant::max();
  is_busy_ = is_trying_ = true;
  lock.unlock();
  bool is_handed_on = false;
  {
    Turn turn{*this, stand_in};
    const rt::OnPark waits(&hand_on, &turn);
    attempt();
    is_handed_on = waits.was_called();
  }
  lock.lock();
  is_busy_ = false;
  if (!is_handed_on) return After::again;
  if (!is_gone_) ready();
  return After::gone;
}

void Line::attempt() {
  Lock lock(lock_);
  RedialAttempt told{.number = ++attempts_, .cut = cut_};
  its_context_ = context_.with_value(OfConnection());
  auto [context, cancel] = its_context_->with_cancel();
  stop_.emplace(std::move(cancel));
  if (is_over_) (*stop_)(reason_);
  lock.unlock();
  const rt::WithContext bound(context);
  bool is_refused = false;
  auto connection = connect(context, is_refused);
  Status outcome = connection.error();
  if (outcome.is_ok()) {
    outcome = log_in(*connection, told);
  } else {
    told.outcome = outcome;
    (void)tell(this->connection(), told);
  }
  if (!outcome.is_ok()) failed(outcome, is_refused);
  lock.lock();
  const auto over = std::exchange(stop_, std::nullopt);
  lock.unlock();
}

// `is_refused`: by a plugin, which would only do so again.
Result<std::shared_ptr<Connection>> Line::connect(const rt::Context& context, bool& is_refused) {
  if (terms_.before_dial) {
    Status status = terms_.before_dial(terms_.address);
    is_refused = is_refusal(status);
    if (!status.is_ok()) return status;
  }
  auto stream = terms_.network.dial(terms_.address, rt::Deadline::after(terms_.timeout),
                                    terms_.options.socket);
  if (!stream) return stream.error();
  if (Status s = context.status(); !s.is_ok()) return s;
  if (!terms_.may_begin()) return Status(Code::not_sent, "the peer is closed");
  Lock lock(lock_);
  std::shared_ptr<Connection> made = make(*std::move(stream));
  std::string id;
  if (terms_.introduce) {
    lock.unlock();
    Status status = terms_.introduce(*made, id);
    is_refused = is_refusal(status);
    if (!status.is_ok()) {
      terms_.origin.forget(*made);
      return status;
    }
    lock.lock();
  }
  if (is_over_) {
    lock.unlock();
    terms_.origin.forget(*made);  // it never began
    return Status(Code::cancelled, "the session was closed while it was dialled");
  }
  take_on(made);
  lock.unlock();
  terms_.origin.hub->replace(made);
  if (!id.empty()) (void)terms_.origin.hub->give(*made, id);  // it was looked at before
  made->begin();
  return made;
}

// The program has the connection for itself first.
Status Line::log_in(const std::shared_ptr<Connection>& connection, RedialAttempt told) {
  const Status status = tell(connection, told);
  Lock lock(lock_);
  if (!is_connected_) return {Code::unavailable, "the new connection was cut at once"};
  if (is_over_) return {};  // whoever ended it closes the connection too
  if (status.is_ok()) {
    succeeded(lock);
    log("dialled again, at attempt " + std::to_string(told.number));
    return {};
  }
  is_connected_ = false;
  lock.unlock();
  if (connection->begin_close(Status(Code::cancelled, "on_redial refused the connection"))) {
    connection->close_aside();
  }
  return status;
}

Status Line::tell(const std::shared_ptr<Connection>& connection, const RedialAttempt& told) const {
  const OnRedial& callback = terms_.options.on_redial;
  if (!callback) return {};
  Status status;
  const Status thrown = guarded([&] { status = callback(Session(connection), told); });
  return thrown.is_ok() ? status : thrown.with_context("on_redial");
}

// Under the lock, which is let go.
void Line::succeeded(Lock& lock) {
  is_trying_ = false;
  is_up_ = true;
  up_since_ = rt::now();
  const bool any_to_go = !to_go_.empty();
  lock.unlock();
  changed_.broadcast();
  if (any_to_go) call_again();
}

void Line::failed(const Status& why, bool is_refused) {
  Lock lock(lock_);
  is_trying_ = false;
  if (is_over_) return;
  tried_ = why;
  if (is_refused) return end(lock, why);
  if (attempts_ < terms_.options.redial.count) return plan();
  end(lock, Status(Code::unavailable,
                   "the session was cut (" + as_cause(cut_) + ") and dialled again in vain, " +
                       std::to_string(attempts_) + (attempts_ == 1 ? " time" : " times"))
                .with_cause(as_cause(why)));
}

// --- The end

// Under the lock, which is let go. Not twice.
void Line::end(Lock& lock, const Status& why) {
  reason_ = why;
  past_cut_.calls += waiting_ + to_go_.size();
  is_over_ = true;  // after the reason: whoever sees it may read that
  is_up_ = false;
  next_at_ = Instant::max();
  if (stop_) (*stop_)(why);
  if (!is_gone_) ready();
  lock.unlock();
  changed_.broadcast();
}

// Those on which something goes on beside the one of the moment.
std::vector<std::shared_ptr<Connection>> Line::earlier() const {
  const std::lock_guard lock(lock_);
  std::vector<std::shared_ptr<Connection>> all = connections_;
  if (is_connected_) std::erase(all, connection_);
  return all;
}

void Line::close_earlier(const Status& why, std::optional<Duration> limit) {
  for (const auto& each : earlier()) {
    if (each->begin_close(why, limit)) {
      each->close_aside();
    } else if (limit) {
      each->hurry(why, *limit);
    }
  }
}

// It may be over because the other side goes, and its last connection not closed yet.
bool Line::begin_close(const Status& reason, std::optional<Duration> limit) {
  Lock lock(lock_);
  const std::shared_ptr<Connection> connection = is_connected_ ? connection_ : nullptr;
  const bool is_first = !is_over_;
  if (is_first) {
    if (limit) patience_ = std::min(*limit, terms_.origin.options->drain_timeout);
    end(lock, reason);
  } else {
    lock.unlock();
  }
  const bool closes = connection != nullptr && connection->begin_close(reason, limit);
  close_earlier(reason, limit);
  return is_first || closes;
}

void Line::finish_begun(bool is_first) {
  const rt::WithContext bound(rt::Context::background());
  Lock lock(lock_);
  const std::shared_ptr<Connection> connection = is_connected_ ? connection_ : nullptr;
  lock.unlock();
  if (connection != nullptr) connection->finish_begun(is_first);
  (void)closed_.wait();
  (void)told_.wait();
}

void Line::hurry(const Status& reason, Duration limit) {
  Lock lock(lock_);
  patience_ = std::min(patience_.value_or(terms_.origin.options->drain_timeout), limit);
  std::vector<std::shared_ptr<Connection>> all = connections_;
  // Its plugins are told of the end when it has nothing else to do.
  const bool has_last = connection_ == nullptr || std::ranges::find(all, connection_) != all.end();
  if (!has_last) all.push_back(connection_);
  lock.unlock();
  errands_->hurry(limit);
  for (const auto& each : all) each->hurry(reason, limit);
}

WorkCount Line::under_way(WorkCount* cut) const {
  const std::lock_guard lock(lock_);
  WorkCount all{.calls = is_over_ ? 0 : waiting_ + to_go_.size()};
  if (cut != nullptr) *cut = past_cut_;
  for (const auto& each : connections_) {
    WorkCount its_cut;
    all += each->under_way(&its_cut);
    if (cut != nullptr) *cut += its_cut;
  }
  return all;
}

void Line::close_aside() {
  Lock lock(lock_);
  const std::shared_ptr<Connection> connection = is_connected_ ? connection_ : nullptr;
  lock.unlock();
  if (connection != nullptr) connection->close_aside();
}

// Handlers of any of its connections, and all callbacks, are inside.
bool Line::is_inside() const { return rt::Context::current().descends_from(context_); }

void Line::close(std::uint64_t handler) {
  Lock lock(lock_);
  const std::shared_ptr<Connection> connection = is_connected_ ? connection_ : nullptr;
  if (!is_over_) {
    end(lock, Status(Code::cancelled, "the session was closed"));
  } else {
    lock.unlock();
  }
  for (const auto& each : earlier()) {
    // Its handlers are not waited for by themselves.
    if (each->is_around_caller()) each->close(handler);
  }
  close_earlier(Status(Code::cancelled, "the session was closed"), {});
  if (connection != nullptr) connection->close(handler);
  wait_in_turn(closed_);
  if (!is_inside()) wait_in_turn(told_);
}

Status Line::wait_closed(rt::Deadline deadline) {
  if (Status s = closed_.wait(deadline); !s.is_ok()) return s;
  return reason_;  // which does not change any more
}

// On a fiber that has nothing else to do, once: its last connection is lost.
void Line::finish() {
  const rt::WithContext bound(rt::Context::background());
  const std::shared_ptr<Connection> last = connection();
  // What was under way on them has ended then.
  for (const auto& each : earlier()) (void)each->wait_closed({});
  (void)last->wait_closed({});
  end_waiting();
  closed_.set();
  tell_closed();
  Lock lock(lock_);
  const Duration patience = patience_.value_or(terms_.origin.options->drain_timeout);
  lock.unlock();
  errands_->finish(patience);
  if (last->extras().plugins() != nullptr) {
    Early::shorten(*last, patience);
    Early::tell_of_end(*last, reason_);
  }
  told_.set();
  extras_.end_values();
  // Handles may be kept for long, by what the program gave to this very session even.
  std::exchange(terms_.origin.router, {}).reset();
  terms_.options.on_redial = {};
  lock.lock();
  connection_ = nullptr;
  lock.unlock();
  const auto forget = std::exchange(terms_.forget, {});
  forget(*last);
}

void Line::tell_closed() {
  const std::shared_ptr<Connection> last = connection();
  if (reason_.code() != Code::cancelled) last->log("ended: " + reason_.to_string());
  for (OnClosed& each : extras_.take_on_closed()) {
    errands_->add(std::make_shared<TellClosed>(last, std::move(each), reason_));
  }
}

}  // namespace parley::impl
