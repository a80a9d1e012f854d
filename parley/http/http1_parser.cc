#include "parley/http/http1_parser.h"

#include <algorithm>
#include <string>
#include <utility>

#include "parley/base/assert.h"
#include "parley/http/impl/head_rules.h"
#include "parley/http/syntax.h"

namespace parley::http {
namespace {

// "Without limit" must not overflow where one more byte is asked for.
Http1Limits bounded(Http1Limits limits) {
  for (std::size_t* const limit : {&limits.max_method, &limits.max_start_line,
                                   &limits.max_header_line, &limits.max_header_bytes}) {
    *limit = std::min(*limit, Headers::most_bytes);
  }
  return limits;
}

}  // namespace

Http1Parser::Http1Parser(Reads what, const Http1Limits& limits)
    : reads_(what), limits_(bounded(limits)) {}

void Http1Parser::expect(const Expected& request) {
  PARLEY_ASSERT(reads_ == Reads::responses, "a parser of requests expects no answer");
  PARLEY_ASSERT(!is_expecting_, "the answer before has not ended: expect one after the other");
  expected_ = request;
  is_expecting_ = true;
  informational_ = 0;
}

Result<Event> Http1Parser::next(std::string_view& in) {
  if (!error_.is_ok()) return error_;
  Event event = Event::more;
  // One part of a message after the other, until one has something to tell or wants more bytes.
  for (;;) {
    const std::size_t before = in.size();
    const Progress progress = advance(in, event);
    offset_ += before - in.size();
    if (progress == Progress::more) return event;
    if (progress == Progress::refused) return refused();
  }
}

// done: go on with the next part. more: tell `event`.
Http1Parser::Progress Http1Parser::advance(std::string_view& in, Event& event) {
  switch (state_) {
    case State::between:
      if (in.empty()) return Progress::more;
      return begin_message() ? Progress::done : Progress::refused;
    case State::start_line:
      return read_start_line(in);
    case State::fields:
      return read_head(in, event);
    case State::length:
      return read_length(in, event);
    case State::until_close:
      return read_until_close(in, event);
    case State::chunks:
      return read_chunks(in, event);
    case State::trailers:
      return read_trailers(in);
    case State::ending:
      return end_message(event);
  }
  return Progress::more;
}

bool Http1Parser::begin_message() {
  offset_ = 0;
  if (is_over_) {
    return fault_.refuse(framing_.switches
                             ? "the connection no longer speaks HTTP; give these bytes to the "
                               "protocol it switched to"
                             : "the last message ended the connection, and more came behind it "
                               "(RFC 9112 9.6); send it on a new connection");
  }
  if (reads_ == Reads::responses && !is_expecting_) {
    return fault_.refuse(
        "bytes that answer no request (RFC 9112 9.2): the body before was longer "
        "than its head said, or another answer was slipped in; close the "
        "connection");
  }
  (reads_ == Reads::requests) ? request_.clear() : response_.clear();
  trailers_.clear();
  max_body_ = limits_.max_body_bytes;
  start_line_.start();
  state_ = State::start_line;
  return true;
}

Status Http1Parser::limit_body(std::uint64_t bytes) {
  max_body_ = std::min(max_body_, bytes);
  if (state_ == State::until_close) left_ = std::min(left_, bytes);
  if (framing_.body != BodyKind::length || framing_.length <= bytes) return {};
  return Status(Code::resource_exhausted, "the body of " + std::to_string(framing_.length) +
                                              " bytes is longer " + impl::body_limit(max_body_));
}

Http1Parser::Progress Http1Parser::read_start_line(std::string_view& in) {
  const Progress progress = reads_ == Reads::requests
                                ? start_line_.read_request(in, request_, limits_, fault_)
                                : start_line_.read_response(in, response_, limits_, fault_);
  if (progress != Progress::done) return progress;
  fields_.start({.fields = limits_.max_headers,
                 .line = limits_.max_header_line,
                 .bytes = limits_.max_header_bytes},
                "header");
  state_ = State::fields;
  return progress;
}

Http1Parser::Progress Http1Parser::read_head(std::string_view& in, Event& event) {
  const bool is_request = reads_ == Reads::requests;
  const Progress progress =
      fields_.read(in, is_request ? request_.headers : response_.headers, fault_);
  if (progress != Progress::done) return progress;
  Framing framing;
  const bool is_good = is_request ? impl::frame_request(request_, limits_, framing, fault_)
                                  : impl::frame_response(response_, response_.version, expected_,
                                                         limits_, framing, fault_);
  if (!is_good) return Progress::refused;
  framing_ = framing;
  if (!is_request && is_informational(response_.status)) {
    if (++informational_ > limits_.max_informational) {
      fault_.too_much(502, "more than " + std::to_string(limits_.max_informational) +
                               " responses 1xx before the answer (max_informational); send fewer");
      return Progress::refused;
    }
    state_ = State::between;
    event = Event::informational;
    return Progress::more;
  }
  switch (framing.body) {
    case BodyKind::none:
      state_ = State::ending;
      break;
    case BodyKind::length:
      state_ = framing.length == 0 ? State::ending : State::length;
      left_ = framing.length;
      break;
    case BodyKind::chunked:
      state_ = State::chunks;
      chunks_.start();
      break;
    case BodyKind::until_close:
      state_ = State::until_close;
      left_ = max_body_;
      break;
  }
  event = Event::head;
  return Progress::more;
}

Http1Parser::Progress Http1Parser::read_length(std::string_view& in, Event& event) {
  if (in.empty()) return Progress::more;
  piece_ = in.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size())));
  in.remove_prefix(piece_.size());
  left_ -= piece_.size();
  if (left_ == 0) state_ = State::ending;
  event = Event::body;
  return Progress::more;
}

Http1Parser::Progress Http1Parser::read_until_close(std::string_view& in, Event& event) {
  if (in.empty()) return Progress::more;
  if (left_ == 0) {
    fault_.too_much(413, "the body is longer " + impl::body_limit(max_body_));
    return Progress::refused;
  }
  (void)read_length(in, event);
  state_ = State::until_close;
  return Progress::more;
}

Http1Parser::Progress Http1Parser::read_chunks(std::string_view& in, Event& event) {
  const Progress progress = chunks_.read(in, piece_, limits_, max_body_, fault_);
  if (progress == Progress::more && !piece_.empty()) event = Event::body;
  if (progress != Progress::done) return progress;
  fields_.start({.fields = limits_.max_trailers,
                 .line = limits_.max_header_line,
                 .bytes = limits_.max_trailer_bytes},
                "trailer");
  state_ = State::trailers;
  return progress;
}

Http1Parser::Progress Http1Parser::read_trailers(std::string_view& in) {
  const Progress progress = fields_.read(in, trailers_, fault_);
  if (progress != Progress::done) return progress;
  for (const auto [name, value] : trailers_) {
    if (impl::may_be_trailer(name)) continue;
    fault_.refuse("trailer " + quoted(name) +
                  " would change how the message is framed or where it goes, behind all checks "
                  "(RFC 9110 6.5.1); send it as a header");
    return Progress::refused;
  }
  state_ = State::ending;
  return progress;
}

Http1Parser::Progress Http1Parser::end_message(Event& event) {
  state_ = State::between;
  is_expecting_ = false;
  is_over_ = !framing_.keeps_alive || (reads_ == Reads::responses && framing_.switches);
  event = Event::end;
  return Progress::more;
}

Status Http1Parser::refused() {
  const bool is_request = reads_ == Reads::requests;
  answer_ = is_request ? fault_.answer : StatusCode{502};
  error_ =
      Status(fault_.code, std::string(is_request ? "HTTP request" : "HTTP response") +
                              " refused at byte " + std::to_string(offset_) + ": " + fault_.says);
  return error_;
}

Result<bool> Http1Parser::finish() {
  if (!error_.is_ok()) return error_;
  if (state_ == State::until_close) {
    Event ended{};
    (void)end_message(ended);
    return true;
  }
  if (is_at_rest()) return false;
  if (state_ == State::between && informational_ == 0) {
    error_ = Status(Code::unavailable,
                    "the server ended the connection without a byte of an answer; send the "
                    "request again on another one if it may run twice");
  } else {
    error_ = Status(Code::data_loss,
                    std::string("the connection ended within an HTTP ") +
                        (reads_ == Reads::requests ? "request" : "response") + ", behind byte " +
                        std::to_string(offset_) +
                        ": what came of it is not whole; use none of it, or send it again");
  }
  return error_;
}

bool Http1Parser::is_at_rest() const noexcept {
  // An empty line before a request may have come, and is nothing.
  const bool is_between =
      state_ == State::between || (state_ == State::start_line && !start_line_.has_begun());
  return is_between && !is_expecting_ && error_.is_ok();
}

void Http1Parser::let_go() {
  if (!is_at_rest()) return;
  request_ = {};
  request_.target.clear();
  response_ = {};
  trailers_ = {};
}

}  // namespace parley::http
