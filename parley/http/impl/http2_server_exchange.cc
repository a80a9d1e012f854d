#include "parley/http/impl/http2_server_exchange.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "parley/http/impl/body_pace.h"
#include "parley/http/impl/fault.h"
#include "parley/rt/context.h"

namespace parley::http::impl {
namespace {

Status out_of_order(std::string text) { return {Code::failed_precondition, std::move(text)}; }

bool has_no_body(StatusCode status) { return status == 204 || status == 205; }

}  // namespace

Http2ServerExchange::Http2ServerExchange(Service& service, Kept& kept,
                                         std::shared_ptr<Http2Link> link, SharedStream stream,
                                         Request request)
    : service_(service),
      kept_(kept),
      link_(std::move(link)),
      stream_(std::move(stream)),
      request_(std::move(request)),
      is_head_(request_.method == Method::head),
      is_connect_(request_.method == Method::connect),
      expects_continue_(request_.headers.has_element("expect", "100-continue")) {}

const net::Address& Http2ServerExchange::remote_address() const noexcept {
  return link_->remote_address();
}

Status Http2ServerExchange::limit_body(std::uint64_t bytes) {
  stream_->max_bytes = std::min(stream_->max_bytes, bytes);
  if (!stream_->length.is_known() || stream_->length.bytes() <= bytes) return {};
  return fail_read(
             {Code::resource_exhausted, "the body of " + std::to_string(stream_->length.bytes()) +
                                            " bytes is longer " + body_limit(stream_->max_bytes)},
             413)
      .error();
}

void Http2ServerExchange::lift_body_limits() noexcept {
  stream_->max_bytes = std::numeric_limits<std::uint64_t>::max();
  is_paced_ = false;
}

Result<std::string_view> Http2ServerExchange::fail_read(Status why, StatusCode answer) {
  fault_.note(why.code(), answer);
  return why;
}

Result<std::string_view> Http2ServerExchange::read(rt::Deadline deadline) {
  if (stream_->length.is_known() && stream_->length.bytes() > stream_->max_bytes) {
    return limit_body(stream_->max_bytes);
  }
  if (std::exchange(expects_continue_, false) && !begun_) {
    if (Status s = inform(Response{.status = 100}, deadline); !s.is_ok()) return s;
  }
  // What is there already needs no look at the time.
  const auto there = link_->read_now(*stream_);
  if (!there) return note_failure(there.error(), false);
  if (*there) return **there;
  const Instant began = rt::now();
  const rt::Deadline ours =
      is_paced_ ? body_deadline(service_.options(), stream_->read_bytes, waited_, began)
                : rt::Deadline();
  auto piece = link_->read(*stream_, std::min(deadline, ours));
  waited_ += rt::now() - began;
  if (piece) return piece;
  return note_failure(piece.error(), ours < deadline);
}

// `is_ours`: the time that the client has was the shorter one.
Result<std::string_view> Http2ServerExchange::note_failure(Status why, bool is_ours) {
  if (why.code() == Code::resource_exhausted) return fail_read(std::move(why), 413);
  if (why.code() != Code::deadline_exceeded || !is_ours || rt::Context::current().is_done()) {
    return why;
  }
  service_.note_timeout();
  return fail_read(body_too_slow(), 408);
}

Status Http2ServerExchange::inform(const Response& informational, rt::Deadline /*deadline*/) {
  if (begun_) return out_of_order("a response 1xx comes before the answer, which has begun");
  if (informational.status < 100 || informational.status > 199 || informational.status == 101) {
    return {Code::invalid_argument, "inform() sends a status 1xx, and 101 is none of HTTP/2"};
  }
  Http2Fields fields;
  if (Status s = fields.set_response(informational, BodySize::none(), false); !s.is_ok()) return s;
  return link_->inform(*stream_, fields);
}

Status Http2ServerExchange::begin(BodySize size) {
  if (begun_) return out_of_order("the answer has begun");
  if (response_.status < 200) {
    return {Code::invalid_argument, "an answer has a status from 200 on; inform() sends others"};
  }
  if (is_connect_ && response_.status / 100 == 2) return opens_a_tunnel();
  const bool none = has_no_body(response_.status);
  if (none && !(size.is_known() && size.bytes() == 0)) {
    return {Code::invalid_argument,
            "status " + std::to_string(response_.status) + " has no body (RFC 9110 6.4.1)"};
  }
  is_dropped_ = is_head_ || response_.status == 304;
  // A body of no bytes says so, but where there can be none.
  const BodySize told = size.is_none() && !is_dropped_ ? BodySize::of(0) : size;
  if (Status s = fields_.set_response(response_, told, response_.status != 204); !s.is_ok()) {
    return s;
  }
  add_own_fields();
  size_ = none ? BodySize::none() : size;
  begun_ = true;
  return {};
}

void Http2ServerExchange::add_own_fields() {
  const std::string_view date = service_.date();
  if (!date.empty() && !fields_.has("date")) fields_.add("date", date);
  const std::string& name = service_.options().server_name;
  if (!name.empty() && !fields_.has("server")) fields_.add("server", name);
}

Status Http2ServerExchange::send_head(bool has_body) {
  if (std::exchange(head_sent_, true)) return {};
  return link_->respond(*stream_, fields_, has_body);
}

Status Http2ServerExchange::write(std::string_view piece, rt::Deadline deadline) {
  if (!begun_) return out_of_order("begin() comes before the body");
  if (ended_) return out_of_order("the body has ended");
  if (is_dropped_) {
    if (dropped_.take(piece.size())) return {};
    (void)finish(nullptr, deadline);
    return DroppedBody::why();
  }
  if (size_.is_known() && piece.size() > size_.bytes() - written_) {
    return {Code::invalid_argument, "the body was told to have " + std::to_string(size_.bytes()) +
                                        " bytes, and more were written"};
  }
  written_ += piece.size();
  if (piece.empty()) return {};
  const bool is_first = !std::exchange(head_sent_, true);
  return link_->write(*stream_, piece, deadline, is_first ? &fields_ : nullptr);
}

Status Http2ServerExchange::flush(rt::Deadline /*deadline*/) {
  if (!begun_) return out_of_order("begin() comes before flush()");
  if (ended_) return {};
  if (is_dropped_ || (size_.is_known() && size_.bytes() == 0)) return {};
  if (Status s = send_head(true); !s.is_ok()) return s;
  return link_->flush(*stream_);
}

Status Http2ServerExchange::finish(const Headers* trailers, rt::Deadline /*deadline*/) {
  if (!begun_) return out_of_order("begin() comes before end()");
  if (ended_) return {};
  const bool has_trailers = trailers != nullptr && !trailers->empty();
  if (has_trailers && size_.is_known()) {
    return out_of_order("trailers come behind a body of unknown size only");
  }
  Http2Fields fields;
  if (has_trailers) {
    if (Status s = fields.set_trailers(*trailers); !s.is_ok()) return s;
  }
  if (size_.is_known() && !is_dropped_ && written_ < size_.bytes()) {
    ended_ = cut_ = true;
    cut();
    return out_of_order("the body was told to have " + std::to_string(size_.bytes()) +
                        " bytes, and has " + std::to_string(written_));
  }
  ended_ = true;
  const bool has_body = !is_dropped_ && (written_ > 0 || has_trailers || head_sent_);
  if (Status s = send_head(has_body); !s.is_ok()) return s;
  return link_->finish(*stream_, std::move(fields));
}

// Nobody takes what has left for the whole answer.
void Http2ServerExchange::cut() {
  if (!is_dropped_ && send_head(true).is_ok()) {
    link_->cut(*stream_);
  } else {
    link_->reset(*stream_, Http2Error::internal_error);
  }
}

Status Http2ServerExchange::hand_over(Then then) {
  if (begun_) return out_of_order("hand_over() comes before begin()");
  if (!then) return out_of_order("hand_over() needs a function");
  if (!is_connect_) {
    return out_of_order("over HTTP/2 a stream is handed over to CONNECT only");
  }
  if (response_.status < 200 || response_.status > 299) response_.status = 200;
  if (Status s = fields_.set_response(response_, BodySize::none(), false); !s.is_ok()) return s;
  add_own_fields();
  begun_ = true;
  ended_ = true;
  size_ = BodySize::unknown();
  if (Status s = send_head(true); !s.is_ok()) return s;
  link_->let_stall(*stream_);
  then_ = std::move(then);
  return link_->flush(*stream_);
}

void Http2ServerExchange::answer_failure(const Status& why) {
  // Of a stream that is over there is nothing to tell: the client knows.
  if (!fault_.is_behind(why) && !link_->has_failed(*stream_)) {
    service_.note_error(remote_address(), why);
  }
  if (begun_) {
    cut_ = !ended_;
    if (cut_) cut();
    return;
  }
  response_.clear();
  std::string text;
  const StatusCode status = fault_.answer_to(why, text);
  cut_ = !answer(status, text).is_ok();
}

void Http2ServerExchange::conclude(const Status& returned) {
  if (then_ && returned.is_ok()) return;
  if (then_) {
    then_ = nullptr;
    link_->reset(*stream_, Http2Error::internal_error);
  } else if (!returned.is_ok()) {
    answer_failure(returned);
  } else if (!begun_) {
    if (!link_->has_failed(*stream_)) {
      service_.note_error(remote_address(), nothing_answered(request_));
    }
    response_.clear();
    cut_ = !answer(500, "Internal Server Error\n").is_ok();
  } else if (!end().is_ok()) {
    cut_ = true;
  }
  link_->abandon(*stream_);
}

}  // namespace parley::http::impl
