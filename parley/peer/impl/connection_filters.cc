// The transfer filters of a Connection. Their work is done without the lock: where the framing
// carries bodies as they came out of them (wire::Encoder::takes_filtered_bodies) by who sends or
// uses a body; elsewhere the decoder undoes it, and whole frames are written before the lock is
// taken.
#include <string>
#include <utility>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/enclosing.h"
#include "parley/peer/impl/filters.h"
#include "parley/rt/time.h"

namespace parley::impl {
namespace {

using wire::Message;

// What is larger may take long: what stands behind it does not wait for it.
constexpr std::size_t quickly_filtered_bytes = 1024;

}  // namespace

// Of a message that names filters, once it is known what is spoken. `once`: what became of its body
// for another session.
Status Connection::go_through_filters(Outgoing& out, FilteredBody* once) {
  wire::Encoder* encoder = nullptr;  // the same from here on
  {
    const std::lock_guard lock(lock_);
    if (encoder_ == nullptr) return not_sent();
    encoder = encoder_.get();
  }
  Message& message = out.message;
  if (!encoder->takes_filtered_bodies()) {
    // It came through them elsewhere.
    Status undone = wire::unfilter_body(message, options_->filters.get(), undone_limit(*options_));
    if (!undone.is_ok()) return undone;
    // One that remembers what it wrote has to do it under the lock.
    return encoder->remembers() ? Status() : encoder->encode(message, out.frame);
  }
  const wire::Filters* filters = options_->filters.get();
  if (once != nullptr && once->by != nullptr && once->by == filters) {
    message.body = once->body;
    message.is_filtered = true;
    return {};
  }
  Status status = wire::filter_body(message, filters);
  if (status.is_ok() && once != nullptr) *once = {.by = filters, .body = message.body};
  return status;
}

// Of a call or push that names filters, before it is sent.
Status Connection::filter_question(Outgoing& out, rt::Deadline deadline) {
  // Who accepted does not know what is spoken before something came.
  if (Status s = await_room(out.message, deadline); !s.is_ok()) return s;
  if (extras_.envelope() != nullptr && out.message.type == wire::MessageType::call) {
    // What is enclosed and not sent leaves a gap.
    const std::lock_guard lock(lock_);
    if (calls_ >= options_->max_calls) return too_many_calls();
  }
  Status status = extras_.envelope() == nullptr ? go_through_filters(out)
                                                : Enclosing::close_question(*this, out);
  if (!status.is_ok()) return status;
  if (deadline.is_over()) {
    return Status(Code::not_sent,
                  "the time was over when the body had gone through its transfer filters");
  }
  if (out.message.timeout && !deadline.is_never()) {
    out.message.timeout = deadline.instant() - rt::now();
  }
  return {};
}

// Of a request that is served, right before its handler runs, which an error is the answer of.
Status Connection::unfilter_request(Message& request, rt::OnPark& waits) {
  // However little came, much may come out.
  waits.call_now();
  const std::size_t held_before = held_by(request);
  const Bytes as_it_came = request.body;
  Status status = wire::unfilter_body(request, options_->filters.get(), undone_limit(*options_));
  if (status.is_ok()) {
    const std::lock_guard lock(lock_);
    const std::size_t by_others = handler_bytes_ - held_before;
    const std::size_t held = held_by(request);
    if (handlers_ == 1 || by_others + held <= options_->max_handler_bytes) {
      handler_bytes_ = by_others + held;
      return {};
    }
    status = Status(Code::resource_exhausted,
                    "max_handler_bytes: the calls of this session that are running hold " +
                        std::to_string(by_others) + " bytes; these are " + std::to_string(held) +
                        " more");
  }
  // It is counted for what it held when it came.
  request.body = as_it_came;
  return status.with_context("the body cannot be read at the callee; the call was not run");
}

// An answer goes through the filters of its question; one without a body goes as it is.
void Connection::filter_answer(const Message& request, Answer& answer, Outgoing& reply,
                               rt::OnPark& waits) {
  Message& message = reply.message;
  if (message.body.empty()) message.body = Bytes::from(std::exchange(answer.text, {}));
  if (message.body.empty()) return;
  message.is_filtered = std::exchange(answer.is_filtered, false);
  if (message.body.size() > quickly_filtered_bytes) waits.call_now();
  message.filters = request.filters;
  const Status status = go_through_filters(reply);
  if (status.is_ok()) return;
  reply = {.message = {.seq = message.seq,
                       .type = wire::MessageType::reply,
                       .status = status.with_context("the answer cannot be sent"),
                       .metadata = std::move(message.metadata)}};
}

}  // namespace parley::impl
