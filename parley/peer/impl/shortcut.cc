#include "parley/peer/impl/shortcut.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "parley/base/clock.h"
#include "parley/net/in_process_network.h"
#include "parley/peer/body.h"
#include "parley/peer/context.h"
#include "parley/peer/guarded_handler.h"
#include "parley/peer/handler.h"
#include "parley/peer/impl/answer.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/plugged.h"
#include "parley/peer/impl/reason.h"
#include "parley/peer/impl/terms.h"
#include "parley/rt/blocking.h"
#include "parley/rt/context.h"
#include "parley/rt/deferred_context.h"
#include "parley/rt/event.h"
#include "parley/rt/on_park.h"
#include "parley/rt/ready_queue.h"
#include "parley/rt/stack_room.h"

namespace parley::impl {
namespace {

Status session_ended() { return {Code::cancelled, "the session of the caller has ended"}; }

}  // namespace

// A call whose handler waits: somebody has to look whether the caller gives up meanwhile.
class WaitingCall {
 public:
  // By the fiber that calls, which is about to wait.
  WaitingCall(rt::Context caller, rt::DeferredContext& handler, std::shared_ptr<Meeting> meeting,
              std::size_t side)
      : caller_(std::move(caller)), handler_(&handler), meeting_(std::move(meeting)), side_(side) {}

  // The handler has returned.
  void finish() {
    const std::lock_guard lock(lock_);
    handler_ = nullptr;
    over_.set();
  }

  // By another fiber, until then.
  void watch() {
    const rt::WithContext bound(caller_);
    auto& waiting = meeting_->waiting[side_];
    std::unique_lock lock(meeting_->lock);
    if (meeting_->has_ended[side_]) return end(session_ended());
    const auto place = waiting.insert(waiting.end(), this);
    lock.unlock();
    const Status status = over_.wait();
    lock.lock();
    waiting.erase(place);
    lock.unlock();
    if (!status.is_ok()) end(Status(Code::cancelled, "the caller has given up"));
  }

  void end(const Status& why) {
    const std::lock_guard lock(lock_);
    if (handler_ != nullptr) handler_->end(why);
  }

 private:
  const rt::Context caller_;
  rt::Mutex lock_;
  rt::DeferredContext* handler_;  // under the lock; null when it has returned
  rt::Event over_;
  const std::shared_ptr<Meeting> meeting_;
  const std::size_t side_;
};

namespace {

class Watcher final : public rt::ReadyItem {
 public:
  Watcher(rt::ReadyQueue& queue, std::shared_ptr<WaitingCall> call) : call_(std::move(call)) {
    join(queue);
  }

 private:
  After run() override {
    const std::unique_ptr<Watcher> self(this);
    call_->watch();
    return After::gone;
  }
  const std::shared_ptr<WaitingCall> call_;
};

}  // namespace

bool DirectWay::enter() {
  std::uint64_t seen = state.load(std::memory_order_acquire);
  do {
    // What is too much is told by the other way.
    if ((seen & away) != 0 || seen >= std::min(max_calls, max_handlers)) return false;
  } while (!state.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel,
                                        std::memory_order_acquire));
  return true;
}

std::unique_ptr<Shortcut> Shortcut::over(net::Stream& stream) {
  const net::InProcessEnd* const end = stream.in_process();
  if (end == nullptr) return nullptr;
  std::shared_ptr<Meeting> meeting = end->joint.common<Meeting>();
  return meeting == nullptr ? nullptr : std::make_unique<Shortcut>(std::move(meeting), end->side);
}

void Shortcut::open_of(Connection& connection) {
  Shortcut* const shortcut = connection.extras_.shortcut();
  if (shortcut == nullptr) return;
  const std::lock_guard lock(connection.lock_);
  const bool can = connection.phase_ == Phase::open && connection.encoder_ != nullptr &&
                   connection.encoder_->has(wire::MessageType::cancel);
  const net::InProcessEnd* const end = can ? connection.stream_->in_process() : nullptr;
  if (end == nullptr || end->joint.common<Meeting>() != shortcut->meeting_) return;
  shortcut->open(connection);
}

// Who has plugins around calls does not take part in those.
void Shortcut::open(Connection& connection) {
  if (meeting_->ends[side_] != nullptr) return;  // it has been
  meeting_->ends[side_] = &connection;
  // Whoever is counted keeps it: nobody has to count those who look at it as well.
  const auto& context = connection.context_.node();
  meeting_->contexts[side_] = rt::Context({std::shared_ptr<void>(), context.get()});
  DirectWay& out = meeting_->ways[side_];
  DirectWay& in = meeting_->ways[1 - side_];
  out.max_calls = connection.options_->max_calls;
  in.max_handlers = connection.options_->max_handlers;
  if (!Plugged::calls(connection)) out.state &= ~DirectWay::caller_away;
  if (!Plugged::serves(connection)) in.state &= ~DirectWay::callee_away;
}

void Shortcut::close_of(const Connection& connection) {
  const Shortcut* const shortcut = connection.extras_.shortcut();
  if (shortcut == nullptr) return;
  shortcut->meeting_->ways[shortcut->side_].state |= DirectWay::caller_away;
  shortcut->meeting_->ways[1 - shortcut->side_].state |= DirectWay::callee_away;
}

void Shortcut::end_of(const Connection& connection) {
  const Shortcut* const shortcut = connection.extras_.shortcut();
  if (shortcut == nullptr) return;
  Meeting& meeting = *shortcut->meeting_;
  const std::lock_guard lock(meeting.lock);
  meeting.has_ended[shortcut->side_] = true;
  for (WaitingCall* each : meeting.waiting[shortcut->side_]) each->end(session_ended());
}

WorkCount Shortcut::under_way(const Connection& connection) {
  const Shortcut* const shortcut = connection.extras_.shortcut();
  if (shortcut == nullptr) return {};
  const auto& ways = shortcut->meeting_->ways;
  const bool is_over = connection.phase_ == Phase::ended;
  return {.handlers = ways[1 - shortcut->side_].under_way(),
          .calls = is_over ? 0 : ways[shortcut->side_].under_way()};
}

// Null when it has to go as bytes.
const Router::Method* Shortcut::find(DirectWay& way, std::string_view name,
                                     const DirectTypes& types) const {
  const Router::Method* method = way.last.load(std::memory_order_acquire);
  if (method == nullptr || method->name != name) {
    method = meeting_->ends[1 - side_].load(std::memory_order_relaxed)->router_->find(name);
    if (method == nullptr) return nullptr;
    way.last.store(method, std::memory_order_release);
  }
  const DirectTypes& own = method->direct;
  const bool fits = own.arguments == types.arguments && own.arguments != nullptr &&
                    (types.result == nullptr || own.result == types.result);
  return fits && method->is_quick.load(std::memory_order_relaxed) ? method : nullptr;
}

bool Shortcut::call(const CallOptions& options, std::string_view name, wire::BodyCodec codec,
                    const DirectCall& direct, Status& status) {
  if (!options.filters.empty() || options.accept_body_codec) return false;
  // Handlers that call each other would go ever deeper on one stack.
  if (!rt::has_stack_for_another()) return false;
  DirectWay& way = meeting_->ways[side_];
  if (way.pushes_begun.load(std::memory_order_acquire) !=
          way.pushes_sent.load(std::memory_order_acquire) ||
      !way.enter()) {
    return false;
  }
  Connection& here = *meeting_->ends[side_].load(std::memory_order_relaxed);
  const Connection& there = *meeting_->ends[1 - side_].load(std::memory_order_relaxed);
  const Router::Method* const method = find(way, name, direct.types);
  const bool is_known_codec =
      codec == wire::BodyCodec::json || codec == wire::BodyCodec::none ||
      (impl::is_known(*here.options_, codec) && impl::is_known(*there.options_, codec));
  const bool is_taken = method != nullptr && is_known_codec;
  if (is_taken) {
    CallTerms terms;
    status = here.terms_of(options.timeout, terms);
    if (status.is_ok()) status = run(*method, options, codec, terms, direct);
  }
  leave();
  if (is_taken) rt::checkpoint();  // who only calls so would never wait
  return is_taken;
}

// What is told when the handler is about to wait.
struct Shortcut::Waits {
  const Shortcut& shortcut;
  Connection& callee;
  const rt::WithContext& bound;
  rt::DeferredContext& handler;
  std::shared_ptr<WaitingCall> call = {};

  static void begin(void* argument) {
    Waits& waits = *static_cast<Waits*>(argument);
    waits.call = std::make_shared<WaitingCall>(waits.bound.outer(), waits.handler,
                                               waits.shortcut.meeting_, waits.shortcut.side_);
    // It looks after itself.
    (new Watcher(waits.callee.queue_, waits.call))->ready();
  }
  ~Waits() {
    if (call != nullptr) call->finish();
  }
};

Status Shortcut::run(const Router::Method& method, const CallOptions& options,
                     wire::BodyCodec codec, const CallTerms& terms, const DirectCall& direct) {
  Connection& here = *meeting_->ends[side_].load(std::memory_order_relaxed);
  Connection& there = *meeting_->ends[1 - side_].load(std::memory_order_relaxed);
  const Instant began =
      terms.deadline.is_never() ? rt::now() : terms.deadline.instant() - terms.left;
  bool has_waited = false;
  Status status;
  {
    const rt::WithContext bound(meeting_->contexts[1 - side_]);
    rt::DeferredContext context_of_call(terms.deadline, deadline_passed());
    Waits waits{*this, there, bound, context_of_call};
    const rt::OnPark on_park(&Waits::begin, &waits);
    wire::Message request;
    request.method = method.name;
    if (!options.metadata.empty()) request.metadata = options.metadata;
    request.body_codec = codec;
    request.timeout = terms.left;
    // No other call that runs is at this place.
    const auto number = reinterpret_cast<std::uintptr_t>(&request);
    Context context(there, number, request, began);
    Answer answer;
    answer.direct = &direct;
    status = guarded_call(context, [&] { return method.handler(context, request, answer); });
    has_waited = on_park.was_called();
    if (options.reply_metadata != nullptr) {
      *options.reply_metadata = std::move(context.reply_metadata());
    }
  }
  // Mostly it is enough to know that the kernel's clock has not ticked meanwhile.
  const bool is_short = !has_waited && terms.left > Clock::longest_ago && rt::recently() <= began;
  const Instant ended = is_short ? began : rt::now();
  if (has_waited || ended - began >= longest_quick_call) {
    method.is_quick.store(false, std::memory_order_relaxed);
  }
  // What would have ended the wait for an answer.
  if (rt::Deadline::at(ended) >= terms.deadline) {
    return here.gave_up(Status(Code::deadline_exceeded, ""), method.name, terms);
  }
  if (has_waited) {
    if (Status s = rt::Context::current().status(); !s.is_ok()) {
      return here.gave_up(s, method.name, terms);
    }
  }
  if (here.phase_ == Phase::ended) {
    return Status(Code::outcome_unknown, "the session was cut before the answer came")
        .with_cause(as_cause(here.reason_));
  }
  return status.is_ok() ? status : as_answer(std::move(status));
}

// Whoever waits until there are no calls any more has to look again.
void Shortcut::leave() {
  DirectWay& way = meeting_->ways[side_];
  std::uint64_t seen = way.state.load(std::memory_order_relaxed);
  while ((seen & DirectWay::away) == 0) {
    if (way.state.compare_exchange_weak(seen, seen - 1, std::memory_order_release)) return;
  }
  // Once it is not counted the other side may go.
  const auto here = meeting_->ends[side_].load(std::memory_order_relaxed)->shared_from_this();
  const auto there = meeting_->ends[1 - side_].load(std::memory_order_relaxed)->shared_from_this();
  --way.state;
  for (Connection* const each : {here.get(), there.get()}) {
    each->lock_.lock();  // not between its looking and its waiting
    each->lock_.unlock();
    each->quiet_.broadcast();
  }
}

bool call_by_shortcut(Shortcut& shortcut, const CallOptions& options, std::string_view method,
                      wire::BodyCodec codec, const DirectCall& call, Status& status) {
  return shortcut.call(options, method, codec, call, status);
}

}  // namespace parley::impl
