// Calls through plugins that no fiber of the caller's waits for.
#include <mutex>
#include <optional>
#include <utility>

#include "parley/observe/trace_context.h"
#include "parley/peer/impl/async_call.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/line.h"
#include "parley/peer/impl/plugged.h"
#include "parley/rt/context.h"

namespace parley::impl {

using wire::Message;

namespace {

// Of who calls: it goes on in the plugins around the call, though they run elsewhere.
std::optional<observe::TraceContext> trace_of(const rt::Context& context) {
  const auto* const trace = context.value<observe::TraceContext>();
  return trace == nullptr ? std::nullopt : std::optional(*trace);
}

}  // namespace

// Makes the call, on a fiber of its own from its first wait on.
class PluggedCall final : public Errand {
 public:
  // `log_in`: of a session that is dialled again, where its log-in asks for it, which goes before
  // all that waits.
  PluggedCall(std::shared_ptr<AsyncCall> call, CallOptions options, wire::BodyCodec codec,
              Bytes body, std::optional<rt::Context> log_in)
      : call_(std::move(call)),
        options_(std::move(options)),
        codec_(codec),
        body_(std::move(body)),
        log_in_(std::move(log_in)),
        trace_(trace_of(rt::Context::current())) {}
  // A session that has ended runs none any more.
  ~PluggedCall() override { call_->drop_plugged(); }

  void run() override {
    rt::Context around = log_in_ ? *log_in_ : rt::Context::current();
    if (trace_) around = around.with_value(*trace_);
    auto [context, cancel] = around.with_deadline(call_->terms_.deadline);
    PluggedState& state = *call_->plugged_;
    {
      const std::lock_guard lock(state.lock);
      if (state.has_ended) return;
      state.cancel.emplace(std::move(cancel));
    }
    const rt::WithContext bound(call_->again_ == nullptr ? context
                                                         : context.with_value(call_->plugged_));
    wire::Metadata metadata;
    options_.reply_metadata = &metadata;
    auto reply =
        Plugged::exchange(*call_->connection_, options_, call_->method_, codec_, std::move(body_));
    (void)call_->end_plugged(std::move(reply), std::move(metadata));
  }

 private:
  const std::shared_ptr<AsyncCall> call_;
  CallOptions options_;
  const wire::BodyCodec codec_;
  Bytes body_;
  const std::optional<rt::Context> log_in_;
  const std::optional<observe::TraceContext> trace_;
};

bool PluggedState::leaves() {
  const std::lock_guard guard(lock);
  if (!has_ended) ++left;
  return !has_ended;
}

void PluggedState::has_not_left() {
  const std::lock_guard guard(lock);
  --left;
}

Status AsyncCall::begin_plugged(const CallOptions& options, wire::BodyCodec codec, Bytes body) {
  plugged_ = std::make_shared<PluggedState>();
  const auto self = std::static_pointer_cast<AsyncCall>(shared_from_this());
  self_ = self;
  CallOptions own = options;
  own.timeout = terms_.left;
  const Line* const line = connection_->extras().line();
  const bool is_added = errands_->add(
      std::make_shared<PluggedCall>(self, std::move(own), codec, std::move(body),
                                    line == nullptr ? std::nullopt : line->context_of_log_in()));
  // Nor would its callback be called.
  if (!is_added) return connection_->not_sent();
  if (!terms_.deadline.is_never()) errands_->add_at(terms_.deadline.instant(), self);
  return {};
}

// Nobody makes it any more: the session has ended, unless the call has.
void AsyncCall::drop_plugged() {
  std::unique_lock lock(plugged_->lock);
  const bool has_ended = plugged_->has_ended;
  lock.unlock();
  if (!has_ended) (void)end_plugged(connection_->not_sent());
}

// Its time is over, or its caller's. While it waits for a connection it was not sent, and may be
// made again.
void AsyncCall::give_up_plugged(const Status& why) {
  const bool is_late = again_ != nullptr && why.code() == Code::deadline_exceeded;
  (void)end_plugged(why, {}, is_late);
}

// False when it has ended before.
bool AsyncCall::end_plugged(Result<Message> reply, wire::Metadata metadata, bool is_late) {
  {
    const std::lock_guard lock(plugged_->lock);
    if (std::exchange(plugged_->has_ended, true)) return false;
    if (is_late && plugged_->left == 0) reply = unsent_in_time();
    if (plugged_->cancel) (*plugged_->cancel)(Status(Code::cancelled, "the call has ended"));
  }
  if (reply) {
    call_.answer = *std::move(reply);
  } else {
    call_.failure = reply.error();
  }
  call_.answer.metadata = std::move(metadata);
  finish();
  return true;
}

}  // namespace parley::impl
