// What a handler sees of a connection of HTTP/1: see http1_servant.cc for the connection itself.
#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "parley/http/http1_servant.h"
#include "parley/http/impl/body_pace.h"
#include "parley/http/impl/early_answers.h"
#include "parley/rt/context.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

// From here on a piece of a body leaves from where it lies.
constexpr std::size_t large_piece = 16 * 1024;

Status misuse(std::string_view what) {
  return Status(Code::failed_precondition, "HTTP exchange: " + std::string(what));
}

}  // namespace

const Headers& Http1Servant::trailers() const noexcept {
  return const_cast<Http1Parser&>(parser_).trailers();
}

Protocol Http1Servant::protocol() const noexcept {
  return turn_.answered.version == Version::http_1_0 ? Protocol::http_1_0 : Protocol::http_1_1;
}

BodySize Http1Servant::request_size() const noexcept {
  const Framing& framing = parser_.framing();
  if (framing.body == BodyKind::none) return BodySize::none();
  return framing.body == BodyKind::length ? BodySize::of(framing.length) : BodySize::unknown();
}

Status Http1Servant::limit_body(std::uint64_t bytes) {
  Status status = parser_.limit_body(bytes);
  if (!status.is_ok()) {
    note_too_large();
    body_ = Body::failed;
  }
  return status;
}

Result<std::string_view> Http1Servant::read(rt::Deadline deadline) {
  if (turn_.is_read) return std::string_view();
  for (;;) {
    const bool is_new = parser_.answer() == 0;
    const Result<Event> event = parser_.next(in_);
    if (!event) {
      if (is_new) service_->note_refused();
      return fail_read(event.error(), parser_.answer());
    }
    switch (*event) {
      case Event::body:
        return parser_.body();
      case Event::end:
        turn_.is_read = true;
        body_.store(Body::whole, std::memory_order_relaxed);
        return std::string_view();
      default:
        break;
    }
    if (Status status = send_continue(deadline); !status.is_ok()) return status;
    if (Status status = read_more(deadline); !status.is_ok()) return status;
  }
}

Result<std::string_view> Http1Servant::fail_read(const Status& why, StatusCode answer) {
  turn_.fault.note(why.code(), answer);
  body_ = Body::failed;
  return why;
}

// Waits for as long as the caller, body_timeout and min_body_rate let it, whichever ends first.
Status Http1Servant::read_more(rt::Deadline deadline) {
  if (!before_.empty()) {
    const std::size_t size = before_.copy(buffer_.data(), buffer_.size());
    before_.erase(0, size);
    in_ = {buffer_.data(), size};
    return {};
  }
  if (turn_.is_left) {
    if (Status sent = send({}, deadline); !sent.is_ok()) return sent;
  }
  const Instant began = rt::now();
  const rt::Deadline ours =
      impl::body_deadline(service_->options(), turn_.body_bytes, turn_.waited, began);
  const auto size = stream_->read(buffer_, std::min(deadline, ours));
  turn_.waited += rt::now() - began;
  if (!size) {
    if (size.error().code() != Code::deadline_exceeded || deadline <= ours ||
        rt::Context::current().is_done()) {
      return size.error();
    }
    service_->note_timeout();
    return fail_read(impl::body_too_slow(), 408).error();
  }
  if (*size == 0) {
    is_broken_ = true;
    body_ = Body::failed;
    const Result<bool> ended = parser_.finish();
    return ended ? Status(Code::data_loss, "the connection ended within the body") : ended.error();
  }
  turn_.body_bytes += *size;
  body_.store(Body::flows, std::memory_order_relaxed);
  in_ = {buffer_.data(), *size};
  return {};
}

// Once, if the client waits for it and no answer has begun.
Status Http1Servant::send_continue(rt::Deadline deadline) {
  if (!turn_.waits_continue || turn_.has_continued) return {};
  const std::lock_guard lock(continue_lock_);
  turn_.has_continued = true;
  if (turn_.has_begun) return {};
  out_ += "HTTP/1.1 100 Continue\r\n\r\n";
  return send({}, deadline);
}

Status Http1Servant::inform(const Response& informational, rt::Deadline deadline) {
  if (turn_.has_begun) return misuse("inform() comes before begin()");
  if (turn_.answered.version == Version::http_1_0) return {};
  if (informational.status < 100 || informational.status > 199 || informational.status == 101) {
    return Status(Code::invalid_argument, "inform() sends 1xx other than 101; answer() the rest");
  }
  if (informational.status == 100) {
    if (turn_.has_continued || !turn_.waits_continue) return {};
    return send_continue(deadline);
  }
  // What reads may send 100 from another fiber.
  std::unique_lock<rt::Mutex> lock;
  if (turn_.waits_continue) lock = std::unique_lock(continue_lock_);
  Status status = writer_.begin(informational, BodySize::none(), turn_.answered, out_);
  return status.is_ok() ? send({}, deadline) : status;
}

// Not behind a body that will not be read. Another fiber may be reading it.
bool Http1Servant::keeps_alive_now() const {
  const ServerOptions& options = service_->options();
  if (is_draining_ || service_->is_draining() || !turn_.answered.keeps_alive) return false;
  if (options.max_requests != 0 && requests_ >= options.max_requests) return false;
  const Framing& framing = parser_.framing();
  if (framing.body == BodyKind::none) return body_ != Body::failed;
  switch (body_.load(std::memory_order_relaxed)) {
    case Body::failed:
      return false;
    case Body::flows:
    case Body::whole:
      return true;
    case Body::untouched:
      break;
  }
  if (turn_.waits_continue && !turn_.has_continued && turn_.in_bytes == 0) return false;
  return framing.length <= turn_.in_bytes + options.drain_bytes;
}

Status Http1Servant::begin(BodySize size) {
  if (turn_.has_begun) return misuse("begin() comes once");
  // Before anything is written: 101 would make the client speak another protocol.
  if (is_informational(response_.status)) {
    return {Code::invalid_argument,
            "a response 1xx is no answer: inform(), or hand_over() for 101"};
  }
  if (turn_.answered.method == Method::connect && response_.status / 100 == 2) {
    return impl::opens_a_tunnel();
  }
  std::unique_lock<rt::Mutex> lock;
  if (turn_.waits_continue) lock = std::unique_lock(continue_lock_);
  turn_.answered.keeps_alive = keeps_alive_now();
  Status status = writer_.begin(response_, size, turn_.answered, out_);
  if (!status.is_ok()) return status;
  turn_.has_begun = true;
  turn_.status = response_.status;
  // In front of the empty line that ends the head.
  out_.resize(out_.size() - 2);
  service_->put_own_fields(!response_.headers.get("Server"), !response_.headers.get("Date"), out_);
  out_ += "\r\n";
  return {};
}

Status Http1Servant::write(std::string_view piece, rt::Deadline deadline) {
  if (!turn_.has_begun || turn_.has_ended) return misuse("write() comes between begin() and end()");
  if (is_broken_) return Status(Code::unavailable, "the connection is gone");
  if (piece.size() >= large_piece && writer_.body() != BodyKind::none) {
    if (Status status = writer_.begin_piece(piece.size(), out_); !status.is_ok()) return status;
    Status status = send(piece, deadline);
    writer_.end_piece(out_);
    return status;
  }
  if (Status status = writer_.write(piece, out_); !status.is_ok()) return status;
  if (writer_.body() == BodyKind::none && !turn_.dropped.take(piece.size())) {
    (void)finish(nullptr, deadline);
    return impl::DroppedBody::why();
  }
  return out_.size() >= service_->options().out_buffer_bytes ? send({}, deadline) : Status();
}

Status Http1Servant::flush(rt::Deadline deadline) { return send({}, deadline); }

Status Http1Servant::finish(const Headers* trailers, rt::Deadline deadline) {
  if (!turn_.has_begun) return misuse("end() comes behind begin()");
  if (turn_.has_ended) return {};
  Status status = trailers == nullptr ? writer_.end(out_) : writer_.end(*trailers, out_);
  if (!status.is_ok()) {
    if (writer_.done()) turn_.is_cut = turn_.has_ended = true;
    return status;
  }
  turn_.has_ended = true;
  return out_.size() >= service_->options().out_buffer_bytes ? send({}, deadline) : Status();
}

// What was gathered, and `behind` it. Every byte that leaves gives the client more time.
Status Http1Servant::send(std::string_view behind, rt::Deadline deadline) {
  if (out_.empty() && behind.empty()) return {};
  if (is_broken_) return Status(Code::unavailable, "the connection is gone");
  if (early_ != nullptr) {
    if (Status sent = early_->settle(out_, deadline); !sent.is_ok()) {
      is_broken_ = true;
      return sent;
    }
  }
  std::array<std::string_view, 2> pieces{out_, behind};
  while (!pieces[0].empty() || !pieces[1].empty()) {
    const auto limit = rt::Deadline::after(service_->options().write_timeout, rt::recently());
    const auto size = stream_->write_some_of(pieces, std::min(deadline, limit));
    if (!size) {
      is_broken_ = true;
      return size.error();
    }
    std::size_t left = *size;
    for (std::string_view& piece : pieces) {
      const std::size_t taken = std::min(left, piece.size());
      piece.remove_prefix(taken);
      left -= taken;
    }
  }
  out_.clear();
  return {};
}

Status Http1Servant::hand_over(std::function<void(std::unique_ptr<net::Stream>)> then) {
  if (turn_.has_begun) return misuse("hand_over() comes before begin()");
  if (!then) return misuse("hand_over() needs a function");
  if (!parser_.framing().switches) return misuse("the request asked for no other protocol");
  const bool is_tunnel = parser_.request().method == Method::connect;
  if (is_tunnel ? response_.status / 100 != 2 : response_.status != 101) {
    return misuse("hand_over() needs 101 (to CONNECT: 200) in response()");
  }
  while (!turn_.is_read) {
    const Result<std::string_view> piece = read({});
    if (!piece) return piece.error();
  }
  if (!is_tunnel && !response_.headers.get("Connection")) {
    if (Status bad = response_.headers.add("Connection", "Upgrade"); !bad.is_ok()) return bad;
  }
  Status status = writer_.begin(response_, BodySize::none(), turn_.answered, out_);
  if (!status.is_ok()) return status;
  turn_.has_begun = turn_.has_ended = true;
  turn_.status = response_.status;
  if (is_tunnel) status = writer_.end(out_);
  if (status.is_ok()) then_ = std::move(then);
  return status;
}

}  // namespace parley::http
