// The streams of a Connection: what is sent, received and ended on them.
#include <algorithm>
#include <string>
#include <utility>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/enclosing.h"
#include "parley/peer/impl/filters.h"
#include "parley/peer/impl/foreign.h"
#include "parley/peer/impl/in_parts.h"
#include "parley/peer/impl/reason.h"
#include "parley/rt/time.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// What anybody takes.
constexpr wire::Settings least_settings;

}  // namespace

// Under the lock, once it is known what is spoken.
Streams& Connection::streams() {
  if (streams_ == nullptr) {
    const wire::Settings* takes = reading_.decoder->takes();
    streams_ = std::make_unique<Streams>(takes != nullptr ? *takes : least_settings,
                                         other_takes_ != nullptr ? *other_takes_ : least_settings);
  }
  return *streams_;
}

Result<std::shared_ptr<StreamCore>> Connection::open_stream(const CallOptions& options,
                                                            std::string_view method,
                                                            wire::BodyCodec codec) {
  if (!is_open()) return not_sent();
  if (options.timeout && *options.timeout <= Duration::zero()) {
    return Status(Code::not_sent, "a timeout of " + in_milliseconds(*options.timeout) +
                                      " leaves no time for a stream");
  }
  const rt::Context context = rt::Context::current();
  if (Status s = context.status(); !s.is_ok()) return s.with_context("the stream was not opened");
  const rt::Deadline deadline =
      std::min(options.timeout ? rt::Deadline::after(*options.timeout) : rt::Deadline::never(),
               context.deadline());
  const rt::Deadline sent_by = std::min(deadline, rt::Deadline::after(options_->call_timeout));
  Message message{.seq = next_seq(),
                  .type = MessageType::open,
                  .method = method,
                  .metadata = options.metadata,
                  .body_codec = codec,
                  .filters = options.filters};
  Lock lock(lock_);
  if (phase_ != Phase::open) return not_sent();
  if (Status s = wait_for_room(lock, message, sent_by); !s.is_ok()) return s;
  if (phase_ != Phase::open || !can_send_) return not_sent();
  if (!encoder_->has(MessageType::open)) {
    return Status(Code::unimplemented,
                  "the framing of this session has no streams: let both sides speak parley");
  }
  if (calls_ >= options_->max_calls) return too_many_calls();
  // How many it takes may not be known yet.
  while (!streams().has_room().is_ok() && awaits_hello_ && can_send_) {
    if (Status s = has_room_.wait(lock, sent_by); !s.is_ok()) return streams_->has_room();
  }
  if (phase_ != Phase::open || !can_send_) return not_sent();
  if (Status s = streams_->has_room(); !s.is_ok()) return s;
  while (is_taken(message.seq)) message.seq = next_seq();
  if (!deadline.is_never()) message.timeout = deadline.instant() - rt::now();
  const Result<bool> is_enclosed = Enclosing::close_open(*this, message);
  if (!is_enclosed) return is_enclosed.error();
  if (Status s = encode(message); !s.is_ok()) return s;
  std::shared_ptr<StreamCore> core = streams_->open(message.seq, codec, deadline);
  core->filters = options.filters;
  core->is_filtered = options.is_filtered;
  core->is_enclosed = *is_enclosed;
  core->beside = Enclosing::cost_beside(*this, *core);
  core->frame_end = enqueued_;
  ++calls_;
  ask_to_send(lock);
  return core;
}

// Under the lock: what a stream has ended with because its time is over, on the side that opened it
// for both; ok before.
Status Connection::give_up_in_time(StreamCore& core) {
  if (!core.deadline.is_over()) return {};
  const Status why(Code::deadline_exceeded, "the time of the stream is over");
  if (core.is_own && !core.is_over) say_cancel(core, why);
  return why;
}

// Under the lock, and of a stream of this side's: what is to be sent is left to the caller.
void Connection::say_cancel(StreamCore& core, Status why) {
  const bool is_there = streams_->is_open(core.seq);
  streams_->abandon(core, std::move(why));
  const Parts::Left left = InParts::drop(*this, core.seq);
  streams_->take_back(left.credit);
  // However much waits to be sent: this makes the other side take more. Of a message that has begun
  // it would wait for the rest.
  if ((is_there || left.has_begun) && can_send_)
    (void)encode({.seq = core.seq, .type = MessageType::cancel});
  (void)give_credit();
  has_room_.broadcast();
}

Result<std::optional<Bytes>> Connection::receive(StreamCore& core, rt::Deadline deadline) {
  if (core.next == core.taken.size() || core.is_abandoned) {
    Lock lock(lock_);
    streams_->release(core);
    if (core.foreign != nullptr) [[unlikely]]
      Foreign::before_receive(core);
    Status waited;
    for (;;) {
      if (Status s = give_up_in_time(core); !s.is_ok()) {
        ask_to_send(lock);
        return s;
      }
      if (!core.inbox.empty()) break;
      if (core.is_over && !core.end.is_ok()) return core.end;
      if (core.is_over || core.has_other_finished) return std::optional<Bytes>();
      if (!waited.is_ok()) return waited;
      waited = core.came.wait(lock, std::min(deadline, core.deadline));
      if (waited.code() == Code::deadline_exceeded && deadline.is_over()) {
        waited = Status(Code::deadline_exceeded, "no message came on the stream in time");
      }
    }
    std::swap(core.taken, core.inbox);
  }
  Bytes body = std::move(core.taken[core.next++]);
  core.read_cost += core.cost_of(body);
  if (core.next == core.taken.size() || core.read_cost >= core.tell_at) {
    Lock lock(lock_);
    streams_->eaten(core, std::exchange(core.read_cost, 0));
    if (give_credit()) ask_to_send(lock);
  }
  if (!core.filters.empty() && !core.is_filtered) [[unlikely]] {
    Result<Bytes> undone = unfilter_on_stream(*options_, core.filters, std::move(body));
    if (!undone) return undone.error();
    body = *std::move(undone);
  }
  return std::optional<Bytes>(std::move(body));
}

// Under the lock. Whether there was any to give back.
bool Connection::give_credit() {
  if (streams_->is_foreign()) [[unlikely]] {
    streams_->give_credit_here();
    return false;
  }
  bool any = false;
  while (const auto credit = streams_->next_credit()) {
    any = true;
    if (can_send_) (void)encode(*credit);
  }
  return any;
}

Status Connection::send_on(StreamCore& core, Bytes body, rt::Deadline deadline) {
  if (core.foreign != nullptr) [[unlikely]] {
    return Foreign::send(*this, core, std::move(body), deadline);
  }
  if (!core.filters.empty() && !core.is_filtered) [[unlikely]] {
    Result<Bytes> filtered = filter_on_stream(*options_, core.filters, std::move(body));
    if (!filtered) return filtered.error();
    body = *std::move(filtered);
  }
  const std::size_t cost = core.cost_of(body);
  Message message{
      .seq = core.seq, .type = MessageType::data, .own = core.is_own, .body = std::move(body)};
  const Bytes plain = core.is_enclosed ? message.body : Bytes();
  bool may_leave = !core.is_enclosed;
  const rt::Deadline until = std::min(deadline, core.deadline);
  Lock lock(lock_);
  Status waited;
  for (;;) {
    if (Status s = give_up_in_time(core); !s.is_ok()) {
      ask_to_send(lock);
      return s;
    }
    if (core.is_over) {
      return core.end.is_ok() ? Status(Code::cancelled, "the other side has ended the stream")
                              : core.end;
    }
    if (core.has_finished) {
      return Status(Code::failed_precondition, "a message was sent after finish()");
    }
    if (!can_send_) return not_sent();
    if (!waited.is_ok()) return waited;
    const Streams::Missing missing = streams_->missing(core, cost);
    if (missing == Streams::Missing::nothing && !has_to_wait(message)) {
      if (may_leave) break;
      // Without the lock, and right before it leaves: one that has waited may come too late.
      lock.unlock();
      message.body = plain;
      if (Status s = Enclosing::close_data(*this, core, message); !s.is_ok()) return s;
      may_leave = true;
      lock.lock();
      continue;
    }
    may_leave = !core.is_enclosed;
    const char* what = "for room to send";
    if (missing == Streams::Missing::stream) {
      what = "for the other side to read from the stream";
      waited = core.may_go.wait(lock, until);
    } else if (missing == Streams::Missing::session) {
      what = "for the other side to read from the session's streams";
      waited = streams_->session_may_go().wait(lock, until);
    } else {
      waited = has_room_.wait(lock, until);
    }
    if (waited.code() == Code::deadline_exceeded && deadline.is_over()) {
      waited = Status(Code::deadline_exceeded, std::string("waited in vain ") + what);
    }
  }
  if (Status s = encode(message); !s.is_ok()) return s;
  streams_->spend(core, cost);
  ++core.sent_count;
  ask_to_send(lock);
  return {};
}

Status Connection::finish_stream(StreamCore& core) {
  Lock lock(lock_);
  if (core.is_over || core.has_finished) return {};
  if (!can_send_) return not_sent();
  Message end{.seq = core.seq, .type = MessageType::end, .own = true};
  if (Status s = Enclosing::close_end(*this, core, end); !s.is_ok()) return s;
  if (Status s = encode(end); !s.is_ok()) return s;
  core.has_finished = true;
  core.may_go.broadcast();
  ask_to_send(lock);
  return {};
}

// By the side that opened it; from any fiber, and often.
void Connection::cancel_stream(StreamCore& core) {
  Lock lock(lock_);
  if (core.is_abandoned) return;
  say_cancel(core, Status(Code::cancelled, "the stream was given up on this side"));
  ask_to_send(lock);
}

// Its handle is gone.
void Connection::release_stream(StreamCore& core) {
  if (core.is_own) cancel_stream(core);
  Lock lock(lock_);
  streams_->release(core);
  if (give_credit()) ask_to_send(lock);
}

Result<wire::Metadata> Connection::metadata_of(const StreamCore& core) const {
  const std::lock_guard lock(lock_);
  if (core.is_own && core.has_other_finished) return core.end_metadata;
  return Status(Code::failed_precondition, "the other side has not ended the stream");
}

// --- What comes; by the reader, under the lock

// A request of the other side's: whether it may run.
Status Connection::admit_stream(Arrived& arrived) {
  const Message& request = arrived.message;
  if (streams().served(request.seq) != nullptr) {
    return {Code::invalid_argument,
            "open of stream " + std::to_string(request.seq) + ": its number is in use"};
  }
  if (!streams_->takes_another()) {
    arrived.in_use = streams_->served_count();
    arrived.verdict = Verdict::max_streams;
    return {};
  }
  arrived.verdict = admit(request, arrived.in_use);
  if (arrived.verdict == Verdict::run) {
    arrived.stream = streams_->serve(request.seq, request.body_codec, arrived.deadline).get();
    arrived.stream->filters = request.filters;
    arrived.stream->is_enclosed = Enclosing::is_enclosed(*this, request);
    arrived.stream->beside = Enclosing::cost_beside(*this, *arrived.stream);
  }
  return {};
}

Status Connection::take_on_stream(Message& message) {
  const std::size_t before = streams().opened_count();
  Enclosing::open_data(*this, message);
  if (Status s = Enclosing::open_end(*this, message); !s.is_ok()) return s;
  // A refused body ends its stream.
  const bool may_end = message.type != MessageType::credit &&
                       (message.type != MessageType::data || message.is_refused);
  Status status = streams_->take(message);
  calls_ -= before - streams_->opened_count();
  (void)give_credit();  // this turn ends with sending
  if (may_end) has_room_.broadcast();
  return status;
}

// --- Serving

void Connection::refuse_stream(const Arrived& arrived, Status why) {
  if (arrived.stream != nullptr) (void)end_served_stream(*arrived.stream);
  answer_at_once({.seq = arrived.message.seq, .type = MessageType::end, .status = std::move(why)});
}

// Its handler has returned, or does not run. How many messages were sent on it.
std::uint64_t Connection::end_served_stream(StreamCore& core) {
  Lock lock(lock_);
  const std::uint64_t sent_count = core.sent_count;
  streams_->abandon(core, Status(Code::cancelled, "the handler of the stream has returned"));
  has_room_.broadcast();
  if (give_credit()) ask_to_send(lock);
  return sent_count;
}

// --- The end of the session

// As fail_pending. `in_order`: what is still being answered may leave.
void Connection::fail_streams(std::uint64_t sent, bool in_order) {
  const std::lock_guard lock(lock_);
  if (streams_ == nullptr) return;
  calls_ -= streams_->opened_count();
  ending_.cut.streams += streams_->opened_count();
  const auto why = [&](const StreamCore& core) {
    Status status(Code::unavailable, "the session was cut before the stream ended");
    if (core.is_own && core.frame_end <= sent) {
      status = Status(Code::outcome_unknown, status.message());
    } else if (core.is_own) {
      status = Status(Code::not_sent, "the session was cut before the stream was opened");
    }
    return status.with_cause(as_cause(reason_));
  };
  streams_->end_all(why, in_order);
  has_room_.broadcast();
  quiet_.broadcast();
}

}  // namespace parley::impl
