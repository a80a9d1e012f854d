// The streams of a Connection: what is sent, received and ended on them.
#include <algorithm>
#include <string>
#include <utility>

#include "parley/peer/impl/connection.h"
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
    const wire::Settings* takes = decoder_->takes();
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
                  .body_codec = codec};
  Lock lock(lock_);
  if (phase_ != Phase::open) return not_sent();
  if (Status s = wait_for_room(lock, message, sent_by); !s.is_ok()) return s;
  if (phase_ != Phase::open || !can_send_) return not_sent();
  if (!encoder_->has(MessageType::open)) {
    return Status(Code::unimplemented,
                  "the framing of this session has no streams: let both sides speak parley");
  }
  if (Status s = streams().has_room(); !s.is_ok()) return s;
  while (streams_->is_open(message.seq) || pending_.find(message.seq) != nullptr) {
    message.seq = next_seq();
  }
  if (!deadline.is_never()) message.timeout = deadline.instant() - rt::now();
  if (Status s = encode(message); !s.is_ok()) return s;
  std::shared_ptr<StreamCore> core = streams_->open(message.seq, codec);
  core->deadline = deadline;
  core->frame_end = enqueued_;
  ++calls_;
  ask_to_send(lock);
  return core;
}

Result<std::optional<Bytes>> Connection::receive(StreamCore& core, rt::Deadline deadline) {
  if (core.next == core.taken.size()) {
    core.taken.clear();
    core.next = 0;
    Lock lock(lock_);
    while (core.inbox.empty()) {
      if (core.is_over && !core.end.is_ok()) return core.end;
      if (core.is_over || core.has_other_finished) return std::optional<Bytes>();
      const Status status = core.came.wait(lock, std::min(deadline, core.deadline));
      // What came together with the end of the wait is still taken.
      if (!status.is_ok() && core.inbox.empty() && !core.is_over) return status;
    }
    std::swap(core.taken, core.inbox);
  }
  Bytes body = std::move(core.taken[core.next++]);
  core.read_cost += StreamCore::cost_of(body);
  if (core.next == core.taken.size() || core.read_cost >= core.tell_at) {
    Lock lock(lock_);
    streams_->eaten(core, std::exchange(core.read_cost, 0));
    if (give_credit()) ask_to_send(lock);
  }
  return std::optional<Bytes>(std::move(body));
}

// Under the lock. Whether there was any to give back.
bool Connection::give_credit() {
  bool any = false;
  while (const auto credit = streams_->next_credit()) {
    if (can_send_) any = encode(*credit).is_ok();
  }
  return any;
}

Status Connection::send_on(StreamCore& core, Bytes body, rt::Deadline deadline) {
  const std::size_t cost = StreamCore::cost_of(body);
  const Message message{
      .seq = core.seq, .type = MessageType::data, .own = core.is_own, .body = std::move(body)};
  const rt::Deadline until = std::min(deadline, core.deadline);
  Lock lock(lock_);
  for (;;) {
    if (core.is_over) {
      return core.end.is_ok() ? Status(Code::cancelled, "the other side has ended the stream")
                              : core.end;
    }
    if (core.has_finished) {
      return Status(Code::failed_precondition, "a message was sent after finish()");
    }
    if (!can_send_) return not_sent();
    Status status;
    const Streams::Missing missing = streams_->missing(core, cost);
    if (missing == Streams::Missing::stream) {
      status = core.may_go.wait(lock, until);
    } else if (missing == Streams::Missing::session) {
      status = streams_->session_may_go().wait(lock, until);
    } else if (has_to_wait(message)) {
      status = wait_for_room(lock, message, until);
    } else {
      break;
    }
    if (!status.is_ok() && !core.is_over) return status;
  }
  if (Status s = encode(message); !s.is_ok()) return s;
  streams_->spend(core, cost);
  ask_to_send(lock);
  return {};
}

Status Connection::finish_stream(StreamCore& core) {
  Lock lock(lock_);
  if (core.is_over || core.has_finished) return {};
  core.has_finished = true;
  if (!can_send_) return not_sent();
  if (Status s = encode({.seq = core.seq, .type = MessageType::end, .own = true}); !s.is_ok()) {
    return s;
  }
  ask_to_send(lock);
  return {};
}

// By the side that opened it; from any fiber, and often.
void Connection::cancel_stream(StreamCore& core) {
  Lock lock(lock_);
  if (core.is_abandoned) return;
  const bool is_new = !core.is_over;
  streams_->abandon(core);
  // However much waits to be sent: this makes the other side take more.
  const bool has_said =
      is_new && can_send_ && encode({.seq = core.seq, .type = MessageType::cancel}).is_ok();
  if (give_credit() || has_said) ask_to_send(lock);
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
  if (core.is_over) return core.end_metadata;
  return Status(Code::failed_precondition, "the stream has not ended");
}

// --- What comes; by the reader, under the lock

// A request of the other side's: whether it may run.
Result<Verdict> Connection::admit_stream(const Message& request, std::size_t& in_use) {
  if (streams().served(request.seq) != nullptr) {
    return Status(Code::invalid_argument,
                  "open of stream " + std::to_string(request.seq) + ": its number is in use");
  }
  if (!streams_->takes_another()) {
    in_use = streams_->served_count();
    return Verdict::max_streams;
  }
  const Verdict verdict = admit(request, in_use);
  if (verdict == Verdict::run) streams_->serve(request.seq, request.body_codec);
  return verdict;
}

Status Connection::take_on_stream(Message& message) {
  const std::size_t before = streams().opened_count();
  Status status = streams_->take(message);
  calls_ -= before - streams_->opened_count();
  (void)give_credit();  // this turn ends with sending
  return status;
}

// --- Serving

void Connection::refuse_stream(const Message& request, Status why) {
  Lock lock(lock_);
  if (const auto core = streams().served(request.seq)) streams_->end_served(*core);
  (void)give_credit();
  lock.unlock();
  answer_at_once({.seq = request.seq, .type = MessageType::end, .status = std::move(why)});
}

std::shared_ptr<StreamCore> Connection::served_stream(std::int32_t seq) {
  const std::lock_guard lock(lock_);
  return streams().served(seq);
}

void Connection::end_served_stream(StreamCore& core) {
  Lock lock(lock_);
  streams_->end_served(core);
  if (give_credit()) ask_to_send(lock);
}

// --- The end of the session

// As fail_pending. `in_order`: what is still being answered may leave.
void Connection::fail_streams(std::uint64_t sent, bool in_order) {
  const std::lock_guard lock(lock_);
  if (streams_ == nullptr) return;
  calls_ -= streams_->opened_count();
  const auto why = [&](const StreamCore& core) {
    Status status(Code::unavailable, "the session was cut before the stream ended");
    if (core.is_own && core.frame_end <= sent) {
      status = Status(Code::outcome_unknown, status.message());
    } else if (core.is_own) {
      status = Status(Code::not_sent, "the session was cut before the stream was opened");
    }
    return status.with_cause(reason_.message());
  };
  streams_->end_all(why, in_order);
  quiet_.set();
}

}  // namespace parley::impl
