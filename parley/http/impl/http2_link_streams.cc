// What the fibers of streams do with their connection: http2_link.h. Its own life is in
// http2_link.cc.
#include <algorithm>
#include <utility>

#include "parley/http/impl/fault.h"
#include "parley/http/impl/http2_link.h"

namespace parley::http::impl {
namespace {

// What is gathered of a stream before it leaves unasked.
constexpr std::size_t enough_to_send = 16 * 1024;

Status no_more_wanted() { return {Code::cancelled, "the other side wants no more of this body"}; }

}  // namespace

Result<SharedStream> Http2Link::request(const Http2Fields& fields, bool has_body,
                                        std::uint64_t max_bytes, bool is_reserved,
                                        rt::Deadline deadline) {
  Lock lock = lock_it();
  const auto ends = [this] { return over_ || goaway_seen_ || session_.is_over(); };
  if (is_reserved) {
    --reserved_;
  } else {
    const auto may = [&] { return ends() || has_room_now(); };
    if (Status waited = room_.wait(lock, may, deadline); !waited.is_ok()) return waited;
  }
  const StreamId id = ends() ? 0 : session_.request(fields, has_body);
  if (id == 0) {
    const bool has_ended = ends();
    goaway_seen_ = true;
    news_ = true;
    changed(lock);
    return Status(Code::not_sent, has_ended
                                      ? "the HTTP/2 connection takes no more requests; dial another"
                                      : "the HTTP/2 connection has no more streams; dial another");
  }
  SharedStream stream = open(id, max_bytes);
  stream->finished = !has_body;
  wake();
  return stream;
}

bool Http2Link::reserve() {
  const Lock lock = lock_it();
  if (!has_room_now()) return false;
  ++reserved_;
  return true;
}

void Http2Link::unreserve() {
  Lock lock = lock_it();
  --reserved_;
  news_ = true;
  changed(lock);
}

Status Http2Link::await_extended_connect(rt::Deadline deadline) {
  Lock lock = lock_it();
  const auto is_settled = [this] {
    return over_ || goaway_seen_ || session_.is_over() || session_.has_settings_there();
  };
  if (Status waited = room_.wait(lock, is_settled, deadline); !waited.is_ok()) return waited;
  if (!session_.has_settings_there() || session_.has_extended_connect_there()) return {};
  return {Code::failed_precondition,
          "the server does not say that it takes an extended CONNECT "
          "(SETTINGS_ENABLE_CONNECT_PROTOCOL, RFC 8441 3); ask with GET over HTTP/1.1"};
}

// For what wake_reader() tells.
template <class Ready>
Status Http2Link::wait_for(Http2Stream& stream, Lock& lock, Ready ready, rt::Deadline deadline) {
  ++stream.readers;
  const Status waited = stream.readable.wait(lock, ready, deadline);
  --stream.readers;
  return waited;
}

Result<Response*> Http2Link::response(Http2Stream& stream, rt::Deadline deadline) {
  Lock lock = lock_it();
  wake();
  const Status waited = wait_for(
      stream, lock, [&] { return stream.has_response || !stream.failed.is_ok() || stream.closed; },
      deadline);
  if (stream.has_response) return &stream.response;
  if (!stream.failed.is_ok()) return stream.failed;
  if (!waited.is_ok()) return waited;
  return Status(Code::data_loss, "the stream ended without an answer");
}

Result<bool> Http2Link::await_continue(Http2Stream& stream, rt::Deadline deadline) {
  Lock lock = lock_it();
  wake();
  const auto is_settled = [&] {
    return stream.has_response || stream.may_continue || !stream.failed.is_ok() || stream.closed;
  };
  const Status waited = wait_for(stream, lock, is_settled, deadline);
  if (!stream.failed.is_ok()) return stream.failed;
  if (!is_settled()) return waited;
  return stream.has_response || !stream.may_continue;
}

bool Http2Link::takes_requests_now() const {
  return !over_ && !goaway_seen_ && !session_.is_over() && ending_ == Ending::no;
}

bool Http2Link::has_room_now() const {
  return takes_requests_now() &&
         streams_.size() + reserved_ <
             std::min<std::size_t>(options_.limits.max_streams, session_.max_streams_there());
}

std::size_t Http2Link::streams() {
  const Lock lock = lock_it();
  return (over_ ? 0 : streams_.size()) + reserved_;
}

bool Http2Link::takes_requests() {
  const Lock lock = lock_it();
  return takes_requests_now();
}

bool Http2Link::has_room() {
  const Lock lock = lock_it();
  return has_room_now();
}

bool Http2Link::is_settling() {
  const Lock lock = lock_it();
  return takes_requests_now() && !session_.has_settings_there();
}

Status Http2Link::wait_readable(Http2Stream& stream, rt::Deadline deadline) {
  Lock lock = lock_it();
  const auto ready = [&] {
    return !stream.unread.empty() || stream.ended || !stream.failed.is_ok();
  };
  if (ready()) return {};
  wake();  // what was gathered may be what the other side waits for
  return wait_for(stream, lock, ready, deadline);
}

Result<std::optional<std::string_view>> Http2Link::try_read(Http2Stream& stream) {
  const Lock lock = lock_it();
  return take_piece(stream);
}

// With the lock held.
Result<std::optional<std::string_view>> Http2Link::take_piece(Http2Stream& stream) {
  stream.piece.clear();
  if (!stream.failed.is_ok() && stream.unread.empty()) return stream.failed;
  if (stream.unread.empty()) {
    if (stream.ended) return std::optional(std::string_view());
    return std::optional<std::string_view>();
  }
  std::swap(stream.piece, stream.unread);
  const std::size_t bytes = stream.piece.size();
  stream.read_bytes += bytes;
  give_back(bytes);
  session_.consume(stream.id, bytes);
  widen(stream);
  if (session_.wants_write()) wake();
  if (stream.read_bytes > stream.max_bytes) {
    return Status(Code::resource_exhausted, "the body is longer " + body_limit(stream.max_bytes));
  }
  return std::optional(std::string_view(stream.piece));
}

// What a reader of a body is told: that it lacks something, where it was cut.
Status Http2Link::why_unread(const Http2Stream& stream) {
  if (!stream.is_cut) return stream.failed;
  return Status(Code::data_loss,
                "the body was cut before its end, so that nothing of it should be "
                "used: " +
                    stream.failed.message());
}

Result<std::optional<std::string_view>> Http2Link::read_now(Http2Stream& stream) {
  const Lock lock = lock_it();
  auto piece = take_piece(stream);
  if (!piece && !stream.failed.is_ok()) return why_unread(stream);
  return piece;
}

Result<std::string_view> Http2Link::read(Http2Stream& stream, rt::Deadline deadline) {
  if (Status waited = wait_readable(stream, deadline); !waited.is_ok()) {
    // A stream that was taken back ends the context as well, and knows why.
    const Lock lock = lock_it();
    return stream.failed.is_ok() ? waited : why_unread(stream);
  }
  const auto piece = read_now(stream);
  if (!piece) return piece.error();
  return piece->value_or(std::string_view());
}

void Http2Link::resume(Http2Stream& stream) {
  if (std::exchange(stream.waits_for_more, false)) {
    session_.resume(stream.id);
    offer(stream);
  }
  wake();
}

// From now on it is up to the other side. A client waits for its server as long as its caller does.
void Http2Link::offer(Http2Stream& stream) {
  if (is_client_) return;
  stream.taken = rt::recently();
  look_for_stalls_ = std::min(look_for_stalls_,
                              rt::Deadline::after(options_.write_timeout, stream.taken).instant());
}

void Http2Link::let_stall(Http2Stream& stream) {
  const Lock lock = lock_it();
  stream.may_stall = true;
  stream.max_bytes = UINT64_MAX;
}

Status Http2Link::write(Http2Stream& stream, std::string_view piece, rt::Deadline deadline,
                        const Http2Fields* head) {
  Lock lock = lock_it();
  if (head != nullptr && stream.failed.is_ok()) submit_head(stream, *head, true);
  const std::size_t most = std::max<std::size_t>(options_.limits.max_unsent, 1);
  for (;;) {
    if (!stream.failed.is_ok()) return stream.failed;
    if (stream.finished) return no_more_wanted();
    const std::size_t taken = std::min(piece.size(), most - std::min(most, stream.unsent_bytes()));
    if (stream.sent > 0 && stream.sent * 2 >= stream.unsent.size()) {
      stream.unsent.erase(0, std::exchange(stream.sent, 0));
    }
    if (stream.unsent_bytes() == 0 && !stream.waits_for_more) offer(stream);
    stream.unsent += piece.substr(0, taken);
    piece.remove_prefix(taken);
    if (stream.unsent_bytes() >= std::min(most, enough_to_send)) resume(stream);
    if (piece.empty()) return {};
    ++stream.writers;
    const Status waited = stream.writable.wait(
        lock,
        [&] { return stream.finished || !stream.failed.is_ok() || stream.unsent_bytes() < most; },
        deadline);
    --stream.writers;
    if (waited.is_ok()) continue;
    const Status why = stream.failed.is_ok() ? waited : stream.failed;
    fail_stream(stream, why.with_context("the stream was taken back, as its body was not taken"));
    take_back(stream, Http2Error::cancel);
    wake();
    return why;
  }
}

Result<std::size_t> Http2Link::write_some(Http2Stream& stream, std::string_view piece,
                                          rt::Deadline deadline) {
  Lock lock = lock_it();
  const std::size_t most = std::max<std::size_t>(options_.limits.max_unsent, 1);
  const auto is_settled = [&] {
    return stream.finished || !stream.failed.is_ok() || stream.unsent_bytes() < most;
  };
  ++stream.writers;
  const Status waited = stream.writable.wait(lock, is_settled, deadline);
  --stream.writers;
  if (!stream.failed.is_ok()) return stream.failed;
  if (stream.finished) return no_more_wanted();
  if (!waited.is_ok()) return waited;
  const std::size_t taken = std::min(piece.size(), most - stream.unsent_bytes());
  lock.unlock();
  if (Status s = write(stream, piece.substr(0, taken), deadline); !s.is_ok()) return s;
  return taken;
}

Status Http2Link::flush(Http2Stream& stream) {
  const Lock lock = lock_it();
  if (!stream.failed.is_ok()) return stream.failed;
  if (stream.unsent_bytes() > 0) resume(stream);
  wake();
  return {};
}

Status Http2Link::finish(Http2Stream& stream, Http2Fields trailers) {
  const Lock lock = lock_it();
  if (!stream.failed.is_ok()) return stream.failed;
  if (stream.finished) return {};
  stream.trailers_to_send = std::move(trailers);
  stream.finished = true;
  if (stream.unsent_bytes() == 0 && !stream.waits_for_more) offer(stream);
  resume(stream);
  return {};
}

Status Http2Link::respond(Http2Stream& stream, const Http2Fields& fields, bool has_body) {
  const Lock lock = lock_it();
  if (!stream.failed.is_ok()) return stream.failed;
  submit_head(stream, fields, has_body);
  return {};
}

void Http2Link::submit_head(Http2Stream& stream, const Http2Fields& fields, bool has_body) {
  stream.responded = true;
  session_.respond(stream.id, fields, has_body);
  if (!has_body) stream.finished = true;
}

Status Http2Link::inform(Http2Stream& stream, const Http2Fields& fields) {
  const Lock lock = lock_it();
  if (!stream.failed.is_ok()) return stream.failed;
  // What reads the body may say 100 while another fiber answers: behind that nobody wants it.
  if (stream.responded) return {};
  session_.inform(stream.id, fields);
  wake();
  return {};
}

// Once: of a stream whose head has not left, a second RST_STREAM would leave instead of neither,
// and one of a stream that the other side has not seen ends the connection (RFC 9113 5.1).
void Http2Link::take_back(Http2Stream& stream, Http2Error error) {
  if (!std::exchange(stream.taken_back, true)) session_.reset(stream.id, error);
}

void Http2Link::reset(Http2Stream& stream, Http2Error error) {
  const Lock lock = lock_it();
  if (stream.closed) return;
  fail_stream(stream, Status(Code::cancelled, "the stream was taken back"));
  take_back(stream, error);
  wake();
}

void Http2Link::cut(Http2Stream& stream) {
  const Lock lock = lock_it();
  if (stream.closed || !stream.failed.is_ok()) return;
  stream.finished = true;
  stream.is_to_cut = true;
  if (stream.unsent_bytes() == 0 && !stream.waits_for_more) offer(stream);
  resume(stream);
}

void Http2Link::abandon(Http2Stream& stream) {
  const Lock lock = lock_it();
  stream.context = nullptr;
  give_up(stream);
}

// With the lock held. Its handler may go on: its context ends with the stream until end_handler().
void Http2Link::give_up(Http2Stream& stream) {
  stream.abandoned = true;
  if (!stream.unread.empty()) {
    session_.consume(stream.id, stream.unread.size());
    take_unread(stream);
    stream.unread.clear();
  }
  if (stream.closed || over_) return;
  if (!stream.finished) {
    take_back(stream, is_client_ ? Http2Error::cancel : Http2Error::internal_error);
  } else if (is_client_ && !stream.ended) {
    take_back(stream, Http2Error::cancel);
  } else if (stream.end_sent && !stream.ended) {
    leave(stream);
  }
  wake();
}

void Http2Link::let_go(Http2Stream& stream) {
  const Lock lock = lock_it();
  if (!is_client_ || over_ || stream.closed || !stream.failed.is_ok()) return give_up(stream);
  stream.abandoned = true;
  take_unread(stream);
  stream.unread.clear();
  if (!std::exchange(stream.finished, true)) resume(stream);
  leave(stream);
}

bool Http2Link::begin_handler(Http2Stream& stream, rt::DeferredContext& context) {
  const Lock lock = lock_it();
  if (!stream.failed.is_ok()) return false;
  stream.context = &context;
  return true;
}

void Http2Link::end_handler(Http2Stream& stream) {
  const Lock lock = lock_it();
  stream.context = nullptr;
}

bool Http2Link::has_failed(Http2Stream& stream) {
  const Lock lock = lock_it();
  return !stream.failed.is_ok();
}

void Http2Link::count_handler_out() {
  const Lock lock = lock_it();
  --handlers_;
  if (handlers_ == 0) quiet_.broadcast();
}

void Http2Link::tell(Http2Stream& stream, rt::Pollable* pollable) {
  const Lock lock = lock_it();
  stream.told = pollable;
  if (pollable != nullptr) pollable->tell_readable();
}

net::Stream::Unread Http2Link::unread(Http2Stream& stream) {
  const Lock lock = lock_it();
  if (!stream.unread.empty() || !stream.failed.is_ok()) return net::Stream::Unread::perhaps;
  return stream.ended ? net::Stream::Unread::ended : net::Stream::Unread::nothing;
}

}  // namespace parley::http::impl
