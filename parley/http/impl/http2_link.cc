#include "parley/http/impl/http2_link.h"

#include <algorithm>
#include <utility>

#include "parley/rt/context.h"
#include "parley/rt/on_park.h"

namespace parley::http::impl {
namespace {

constexpr std::uint64_t ping_of_sample = 1;
constexpr std::uint64_t ping_of_life = 2;
constexpr std::uint64_t ping_of_end = 3;

Status not_sent(const Status& why) {
  return Status(Code::not_sent, "the request was not sent").with_cause(why.message());
}

// Zero is never, and then all below know one way to say so.
Http2Options with_never(Http2Options options) {
  for (Duration* time : {&options.ping_after, &options.ping_timeout, &options.idle_timeout,
                         &options.write_timeout}) {
    if (*time <= Duration::zero()) *time = Duration::max();
  }
  return options;
}

Instant later(Instant since, Duration by) { return rt::Deadline::after(by, since).instant(); }

}  // namespace

// Writes. Owns itself: it goes in its last run.
class Http2Link::Pump final : public rt::ReadyItem {
 public:
  explicit Pump(std::shared_ptr<Http2Link> link, rt::ReadyQueue& queue) : link_(std::move(link)) {
    join(queue);
  }

 private:
  After run() override {
    const std::shared_ptr<Http2Link> link = link_;
    Lock lock = link->lock_it();
    link->writing_ = true;
    const Instant again = link->over_ ? Instant::max() : link->look_at_time();
    (void)link->write_out(lock);
    if (link->on_change_) link->changed(lock);  // what was sent may have ended streams
    const bool goes_on = !link->over_;
    link->writing_ = false;
    link->quiet_.broadcast();
    if (goes_on) {
      if (again != Instant::max()) ready_at(again);
      return After::rest;
    }
    link->pump_ = nullptr;
    delete this;
    return After::gone;
  }

  const std::shared_ptr<Http2Link> link_;
};

Http2Link::Http2Link(Http2Session::Role role, const Http2Options& options, net::Stream& net,
                     bool is_secure)
    : options_(with_never(options)),
      local_(net.local_address()),
      remote_(net.remote_address()),
      is_secure_(is_secure),
      is_client_(role == Http2Session::Role::client),
      net_(&net),
      session_(role, options_.limits, *this),
      window_(options.limits.first_window),
      last_read_(rt::now()),
      last_stream_(last_read_) {
  // A stream that is not read must not close the window that all share: max_unread does.
  session_.set_connection_window(std::max(options.limits.max_window, window_));
}

Http2Link::~Http2Link() = default;

// Held for a moment, never over a wait: nobody has to be told of it.
Http2Link::Lock Http2Link::lock_it() {
  const rt::ShortWait untold;
  return Lock(mutex_);
}

Status Http2Link::lost(const Status& why) {
  if (why.is_ok()) return {Code::unavailable, "the HTTP/2 connection is closed"};
  return why.code() == Code::unavailable ? why : Status(Code::unavailable, why.message());
}

void Http2Link::start(rt::ReadyQueue& queue, OnRequest on_request) {
  on_request_ = std::move(on_request);
  pump_ = new Pump(shared_from_this(), queue);
  pump_->ready();
}

Status Http2Link::upgrade(std::string_view settings, Request& request) {
  const Lock lock = lock_it();
  if (Status bad = session_.upgrade(settings, request.method == Method::head); !bad.is_ok()) {
    return bad;
  }
  if (on_request(1, request, BodySize::none(), true)) {
    on_end(1);
  } else {
    session_.refuse(1);
  }
  wake();
  return {};
}

Status Http2Link::take(std::string_view in) {
  Lock lock = lock_it();
  if (over_) return lost(why_);
  last_read_ = rt::now();
  ping_sent_ = {};
  Status taken = session_.take(in);
  if (session_.wants_write() || !taken.is_ok()) wake();
  if (!taken.is_ok()) {
    why_ = taken;
    news_ = true;
  }
  changed(lock);
  return taken;
}

bool Http2Link::is_over() {
  const Lock lock = lock_it();
  return over_ || session_.is_over();
}

Status Http2Link::broken() {
  const Lock lock = lock_it();
  return session_.why();
}

void Http2Link::drain(rt::Deadline deadline) {
  Lock lock = lock_it();
  wake();
  (void)quiet_.wait(
      lock, [&] { return over_ || (!writing_ && !session_.wants_write()); }, deadline);
}

void Http2Link::fail(const Status& why) {
  Lock lock = lock_it();
  fail_locked(why);
  changed(lock);
}

void Http2Link::fail_locked(const Status& why) {
  if (over_) return;
  over_ = true;
  news_ = true;
  why_ = why;
  fail_streams(why);
  net_->close();
  wake();
  room_.broadcast();
  quiet_.broadcast();
}

// With the connection. An answer that is whole stays one, though our body still went out.
void Http2Link::fail_streams(const Status& why) {
  for (const auto& [id, stream] : streams_) {
    if (stream->has_response && stream->ended && stream->failed.is_ok()) {
      stream->finished = true;
      stream->unsent.clear();
      stream->sent = 0;
      wake_writer(*stream);
      wake_reader(*stream);
      continue;
    }
    stream->is_cut = stream->failed.is_ok() && (is_client_ ? stream->has_response : !stream->ended);
    const bool is_unsent = is_client_ && !stream->head_sent;
    fail_stream(*stream, is_unsent ? not_sent(lost(why)) : lost(why));
  }
}

void Http2Link::close(const Status& why) {
  const rt::WithContext whatever_happens(rt::Context::background());
  Lock lock = lock_it();
  fail_locked(why);
  (void)quiet_.wait(lock, [&] { return pump_ == nullptr && handlers_ == 0; });
  streams_.clear();
  net_ = nullptr;
  lock.unlock();
}

void Http2Link::announce_end() {
  const Lock lock = lock_it();
  if (over_ || ending_ != Ending::no) return;
  ending_ = Ending::announced;
  announced_ = rt::now();
  session_.announce_end(ping_of_end);
  wake();
}

// The second step.
void Http2Link::tell_end() {
  ending_ = Ending::told;
  session_.end();
}

void Http2Link::wake() {
  if (pump_ != nullptr) pump_->ready();
}

void Http2Link::changed(Lock& lock) {
  room_.broadcast();
  if (!on_change_) return;
  const std::uint64_t allowed =
      session_.has_settings_there() ? std::uint64_t{session_.max_streams_there()} + 1 : 0;
  if (std::exchange(allowed_, allowed) != allowed) news_ = true;
  if (!std::exchange(news_, false)) return;
  const auto hook = on_change_;
  lock.unlock();
  (*hook)();
  lock.lock();
}

void Http2Link::on_change(std::function<void()> hook) {
  const Lock lock = lock_it();
  on_change_ = std::make_shared<const std::function<void()>>(std::move(hook));
}

// One write after the other, until there is nothing. False when the pump has to go.
bool Http2Link::write_out(Lock& lock) {
  for (;;) {
    if (over_) return false;
    out_.clear();
    session_.gather(out_, options_.limits.max_write);
    // Before the write, which may wait: a stream that is over has made room for another.
    if (news_ && on_change_) changed(lock);
    if (over_) return false;
    if (out_.empty()) break;
    lock.unlock();
    const Status written = net_->write(out_, rt::Deadline::after(options_.write_timeout));
    lock = lock_it();
    if (!written.is_ok()) fail_locked(written.with_context("HTTP/2 could not be written"));
  }
  if (out_.capacity() > 4096) std::string().swap(out_);
  // The other side finds the end, and closes; look_at_time() waits no longer than `linger`. Streams
  // that are left are those of a connection that broke the rules: nothing of them goes on.
  if (session_.is_over() && end_at_ == Instant()) {
    if (why_.is_ok()) why_ = session_.why();
    fail_streams(why_);
    news_ = true;
    end_at_ = later(rt::now(), options_.linger);
    lock.unlock();
    (void)net_->close_write();
    lock = lock_it();
    wake();
  }
  return !over_;
}

Instant Http2Link::look_at_time() {
  const Instant now = rt::now();
  Instant again = Instant::max();
  const auto due = [&](Instant at) {
    if (now >= at) return true;
    again = std::min(again, at);
    return false;
  };
  if (end_at_ != Instant() && due(end_at_)) fail_locked({});
  if (ping_sent_ != Instant() && due(later(ping_sent_, options_.ping_timeout))) {
    fail_locked(Status(Code::unavailable, "no answer to a PING came from " + remote_.to_string() +
                                              " within Http2Options::ping_timeout"));
  }
  if (ping_sent_ == Instant() && !over_ && due(later(last_read_, options_.ping_after))) {
    session_.ping(ping_of_life);
    ping_sent_ = now;
    again = std::min(again, later(now, options_.ping_timeout));
  }
  if (streams_.empty() && end_at_ == Instant() && !over_ &&
      due(later(last_stream_, options_.idle_timeout))) {
    ending_ = Ending::told;
    news_ = true;
    session_.terminate(Http2Error::no_error);
  }
  // A client need not answer a PING, but that keeps its connection no longer.
  if (ending_ == Ending::announced && due(later(announced_, options_.goaway_wait))) tell_end();
  if (due(look_for_stalls_)) {
    end_stalled(now);
    again = std::min(again, look_for_stalls_);
  }
  return again;
}

// Clients are known that lose an answer when the reset comes with it.
void Http2Link::leave(Http2Stream& stream) {
  stream.leave_at = later(rt::now(), options_.linger);
  look_for_stalls_ = std::min(look_for_stalls_, stream.leave_at);
  wake();
}

// Streams whose windows the other side keeps closed, and of which it took no byte for
// write_timeout. Where both are open the stream only waits for its turn; where that of the
// connection is closed, for what others leave.
void Http2Link::end_stalled(Instant now) {
  look_for_stalls_ = Instant::max();
  for (const auto& [id, stream] : streams_) {
    if (stream->leave_at != Instant()) {
      if (now < stream->leave_at) {
        look_for_stalls_ = std::min(look_for_stalls_, stream->leave_at);
      } else {
        take_back(*stream, Http2Error::no_error);
      }
      continue;
    }
    if (!stream->is_offered() || stream->may_stall) continue;
    Instant since = now;
    if (stream->head_sent && session_.is_closed_there(id)) {
      since = stream->taken;
    } else if (stream->head_sent && session_.is_closed_there()) {
      since = std::max(stream->taken, taken_);
    }
    const Instant end = later(since, options_.write_timeout);
    if (now < end) {
      look_for_stalls_ = std::min(look_for_stalls_, end);
      continue;
    }
    fail_stream(*stream, Status(Code::deadline_exceeded,
                                "the other side let no byte of the stream leave for write_timeout; "
                                "it has to read faster, or raise the limit"));
    take_back(*stream, Http2Error::cancel);
  }
}

Http2Stream* Http2Link::find(StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

SharedStream Http2Link::open(StreamId id, std::uint64_t max_bytes) {
  auto stream = std::make_shared<Http2Stream>();
  stream->id = id;
  stream->max_bytes = max_bytes;
  streams_.emplace(id, stream);
  return stream;
}

bool Http2Link::on_request(StreamId id, Request& request, BodySize length, bool /*is_end*/) {
  if (over_ || handlers_ >= options_.limits.max_running || !on_request_) return false;
  const SharedStream stream = open(id, options_.limits.max_body_bytes);
  stream->length = length;
  ++handlers_;
  if (on_request_(stream, request, false)) return true;
  --handlers_;
  return false;
}

bool Http2Link::on_large_request(StreamId id, bool /*is_end*/) {
  if (over_ || handlers_ >= options_.limits.max_running || !on_request_) return false;
  Request none;
  const SharedStream stream = open(id, 0);
  ++handlers_;
  if (on_request_(stream, none, true)) return true;
  --handlers_;
  return false;
}

void Http2Link::on_response(StreamId id, Response& response, BodySize length, bool /*is_end*/) {
  Http2Stream* stream = find(id);
  if (stream == nullptr) return;
  if (response.status < 200) {
    if (++stream->informational <= options_.limits.max_informational) {
      if (response.status != 100) return;
      stream->may_continue = true;
      wake_reader(*stream);
      return;
    }
    fail_stream(*stream, Status(Code::resource_exhausted,
                                "more responses 1xx came than Http2Limits::max_informational"));
    take_back(*stream, Http2Error::enhance_your_calm);
    return;
  }
  stream->response = std::move(response);
  stream->length = length;
  stream->has_response = true;
  wake_reader(*stream);
}

void Http2Link::on_data(StreamId id, std::string_view data) {
  sample(data.size());
  Http2Stream* stream = find(id);
  if (stream == nullptr || stream->abandoned || !stream->failed.is_ok()) {
    // Who is only waited for gets no more room: its window bounds what still comes.
    if (stream == nullptr || stream->leave_at == Instant()) session_.consume(id, data.size());
    session_.consume_connection(data.size());
    return;
  }
  stream->unread += data;
  unread_ += data.size();
  // Given back at once, so that what one stream does not read is not missed by others.
  if (unread_ <= options_.limits.max_unread) {
    session_.consume_connection(data.size());
  } else {
    withheld_ += data.size();
  }
  wake_reader(*stream);
}

void Http2Link::on_trailers(StreamId id, Headers& trailers) {
  if (Http2Stream* stream = find(id)) stream->trailers = std::move(trailers);
}

void Http2Link::on_broken(StreamId id, const Status& why) {
  Http2Stream* stream = find(id);
  if (stream == nullptr) return;
  fail_stream(*stream, why);
  stream->taken_back = true;  // by who refused it
}

void Http2Link::on_end(StreamId id) {
  Http2Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->ended = true;
  wake_reader(*stream);
}

void Http2Link::on_close(StreamId id, std::uint32_t error) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const SharedStream stream = found->second;
  stream->closed = true;
  granted_ -= std::exchange(stream->granted, 0);
  streams_.erase(found);
  news_ = true;
  last_stream_ = rt::now();
  const bool is_unsent = is_client_ && !stream->head_sent;
  if (is_unsent || error == static_cast<std::uint32_t>(Http2Error::refused_stream)) {
    fail_stream(*stream, Status(Code::not_sent,
                                "the other side refused the stream before it looked at it "
                                "(REFUSED_STREAM or GOAWAY); it may be sent again"));
  } else if (error != 0 || !stream->ended || !stream->end_sent) {
    end_early(*stream, error);
  }
  stream->finished = true;
  wake_writer(*stream);
  wake_reader(*stream);
  room_.broadcast();
  wake();
}

// Whose fault it was: a reset of ours that nobody here asked for is nghttp2's, for what came.
void Http2Link::end_early(Http2Stream& stream, std::uint32_t error) {
  // An answer that is whole stays one, though the other side wanted no more of the request.
  if (stream.ended && stream.has_response) return;
  if (session_.is_reset_there(stream.id)) {
    stream.is_cut = stream.is_cut || (is_client_ && stream.failed.is_ok() && stream.has_response);
    fail_stream(stream, Status(Code::cancelled, "the other side ended the stream with error " +
                                                    std::to_string(error) + " (RFC 9113 7)"));
    return;
  }
  if (stream.taken_back || stream.is_to_cut) {
    fail_stream(stream, Status(Code::cancelled, "the stream was taken back"));
    return;
  }
  std::string what = "its head, fields or length are none of HTTP/2 (RFC 9113 8.1)";
  if (error == static_cast<std::uint32_t>(Http2Error::flow_control_error)) {
    what = "it was more than the window of the stream allowed (RFC 9113 6.9.1)";
  } else if (error == static_cast<std::uint32_t>(Http2Error::stream_closed)) {
    what = "something came behind its end (RFC 9113 5.1)";
  }
  fail_stream(stream, Status(Code::invalid_argument,
                             std::string(is_client_ ? "the server's answer" : "the request") +
                                 " broke the rules, and its stream was reset: " + what +
                                 "; it has to be mended there"));
}

void Http2Link::on_goaway(StreamId /*last*/, std::uint32_t /*error*/) {
  goaway_seen_ = true;
  news_ = true;
  room_.broadcast();
}

void Http2Link::on_ping_answer(std::uint64_t number) {
  if (number == ping_of_end && ending_ == Ending::announced) tell_end();
  if (number != ping_of_sample || !sampling_) return;
  sampling_ = false;
  // What came in one round trip nearly filled the window: the window is what limits.
  const std::uint32_t most = options_.limits.max_window;
  if (sampled_ * 3 < std::size_t{window_} * 2 || window_ >= most) return;
  window_ = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(most, std::max<std::uint64_t>(window_, sampled_) * 2));
}

// Of a stream that is read, and of no other: what may lie unread on all of them, the first windows
// and what was granted, is within max_unread, so that none of them closes the window that all
// share. Never all that is left: others may come to be read as well.
void Http2Link::widen(Http2Stream& stream) {
  const Http2Limits& limits = options_.limits;
  const std::uint32_t has = limits.first_window + stream.granted;
  if (has >= window_ || stream.ended || stream.closed) return;
  const std::size_t kept = std::size_t{limits.first_window} * limits.max_streams + granted_;
  const std::size_t left = limits.max_unread - std::min(limits.max_unread, kept);
  const auto more = static_cast<std::uint32_t>(std::min<std::size_t>(window_ - has, left / 2));
  if (more == 0) return;
  stream.granted += more;
  granted_ += more;
  session_.set_window(stream.id, has + more);
}

// A ping for each half of a window that came: its answer says what a round trip brings.
void Http2Link::sample(std::size_t bytes) {
  sampled_ += bytes;
  if (sampling_ || window_ >= options_.limits.max_window || sampled_ * 2 < window_) return;
  sampling_ = true;
  sampled_ = 0;
  session_.ping(ping_of_sample);
}

Http2Link::Pulled Http2Link::pull(StreamId id, std::span<char> into) {
  Http2Stream* stream = find(id);
  if (stream == nullptr) return {.bytes = 0, .is_end = true};
  const std::size_t bytes = std::min(into.size(), stream->unsent_bytes());
  std::copy_n(stream->unsent.data() + stream->sent, bytes, into.data());
  stream->sent += bytes;
  if (bytes > 0) stream->taken = taken_ = rt::recently();
  const bool is_empty = stream->unsent_bytes() == 0;
  if (is_empty) {
    stream->unsent.clear();
    stream->sent = 0;
  }
  if (stream->unsent_bytes() * 2 <= options_.limits.max_unsent) wake_writer(*stream);
  if (is_empty && stream->is_to_cut) return {.bytes = bytes, .is_cut = bytes == 0};
  if (is_empty && stream->finished) {
    return {.bytes = bytes, .is_end = true, .trailers = &stream->trailers_to_send};
  }
  stream->waits_for_more = bytes == 0;
  return {.bytes = bytes};
}

void Http2Link::on_head_sent(StreamId id) {
  if (Http2Stream* stream = find(id)) stream->head_sent = true;
}

void Http2Link::on_end_sent(StreamId id) {
  Http2Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->end_sent = true;
  // The whole answer is out: what is left of the request is of no use (RFC 9113 8.1).
  if (stream->abandoned && !stream->ended) leave(*stream);
}

// Mostly nobody waits.
void Http2Link::wake_writer(Http2Stream& stream) {
  if (stream.writers > 0) stream.writable.broadcast();
}

void Http2Link::wake_reader(Http2Stream& stream) {
  if (stream.readers > 0) stream.readable.broadcast();
  if (stream.told != nullptr) stream.told->tell_readable();
}

void Http2Link::fail_stream(Http2Stream& stream, const Status& why) {
  if (stream.failed.is_ok()) stream.failed = why;
  stream.finished = true;
  stream.unsent.clear();
  stream.sent = 0;
  // What came of an answer before it was cut is read still, as over HTTP/1.
  if (!is_client_ || !stream.is_cut) {
    take_unread(stream);
    stream.unread.clear();
  }
  if (stream.context != nullptr) stream.context->end(why);
  wake_writer(stream);
  wake_reader(stream);
}

// What was unread is no more.
void Http2Link::take_unread(Http2Stream& stream) { give_back(stream.unread.size()); }

void Http2Link::give_back(std::size_t bytes) {
  unread_ -= std::min(bytes, unread_);
  if (withheld_ == 0 || unread_ > options_.limits.max_unread) return;
  session_.consume_connection(std::exchange(withheld_, 0));
  wake();
}

std::uint32_t Http2Link::window() {
  const Lock lock = lock_it();
  return window_;
}

}  // namespace parley::http::impl
