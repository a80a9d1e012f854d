#include "parley/peer/plugin_steps.h"

#include <utility>

#include "parley/peer/impl/plugged.h"
#include "parley/peer/impl/words.h"

namespace parley {

ServeStep::ServeStep(Context& context, Answer& answer, rt::OnPark* waits)
    : context_(context), request_(*context.request_), answer_(answer), waits_(waits) {}

const Bytes& ServeStep::body() const {
  static const Bytes none;
  if (!request_.is_filtered || waits_ == nullptr) return request_.body;
  const Status status = impl::Plugged::unfilter(context_.connection_, request_, *waits_);
  return status.is_ok() ? request_.body : none;
}

// A view needs something to look at.
void ServeStep::set_method(std::string_view method) {
  Bytes name = Bytes::copy_of(method);
  request_.method = name.flatten();
  request_.method_block = name.first_block();
}

// A session counts what its requests hold.
void ServeStep::set_metadata(wire::Metadata metadata) {
  const std::size_t before = impl::held_by(request_);
  request_.metadata = std::move(metadata);
  impl::Plugged::count_again(context_.connection_, before, impl::held_by(request_));
}

void ServeStep::set_body(wire::BodyCodec codec, Bytes body) {
  const std::size_t before = impl::held_by(request_);
  request_.body_codec = codec;
  request_.body = std::move(body);
  request_.is_filtered = false;
  impl::Plugged::count_again(context_.connection_, before, impl::held_by(request_));
}

const Bytes& ServeStep::reply_body() const {
  static const Bytes none;
  if (answer_.is_filtered) {
    Status status = impl::Plugged::unfilter(context_.options(), request_.filters, answer_);
    return status.is_ok() ? answer_.bytes : none;
  }
  if (answer_.number.size > 0) {
    answer_.bytes = Bytes::copy_of(answer_.number.view());
    answer_.number.size = 0;
  } else if (answer_.bytes.empty() && !answer_.text.empty()) {
    answer_.bytes = Bytes::from(std::exchange(answer_.text, {}));
  }
  return answer_.bytes;
}

std::size_t ServeStep::reply_bytes() const {
  return answer_.bytes.empty() ? answer_.text_or_number().size() : answer_.bytes.size();
}

void ServeStep::set_reply(wire::BodyCodec codec, Bytes body) {
  answer_.clear();
  answer_.codec = codec;
  answer_.bytes = std::move(body);
}

CallStep::CallStep(Session session, Kind kind, const CallOptions& options, std::string_view method,
                   wire::BodyCodec codec, Bytes body)
    : session_(std::move(session)),
      kind_(kind),
      options_(options),
      method_(method),
      codec_(codec),
      body_(std::move(body)) {
  options_.reply_metadata = nullptr;
}

void CallStep::set_body(wire::BodyCodec codec, Bytes body) {
  codec_ = codec;
  body_ = std::move(body);
}

void CallStep::set_reply(wire::BodyCodec codec, Bytes body) {
  reply_.body_codec = codec;
  reply_.body = std::move(body);
}

}  // namespace parley
