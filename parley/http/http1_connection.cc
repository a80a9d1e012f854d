#include "parley/http/http1_connection.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <utility>

#include "parley/base/assert.h"
#include "parley/http/impl/client_waits.h"
#include "parley/net/prefixed_stream.h"
#include "parley/rt/cond.h"
#include "parley/rt/context.h"

namespace parley::http {
namespace impl {
namespace {

constexpr std::size_t read_bytes = std::size_t{16} << 10U;
// Pieces of a body up to here are gathered.
constexpr std::size_t gathered_bytes = std::size_t{16} << 10U;

// Whether a wait ended because its time was over, and not because the connection was.
bool is_interrupted(const Status& status) {
  return status.code() == Code::deadline_exceeded || rt::Context::current().is_done();
}

}  // namespace

class Http1ClientExchange final : public ClientExchange {
 public:
  explicit Http1ClientExchange(std::shared_ptr<Http1Connection> connection)
      : at_(std::move(connection)), stream_(*at_->stream_), times_(at_->times_) {}
  ~Http1ClientExchange() override;

  Status start(const Request& request, BodySize size, rt::Deadline deadline);

  Result<std::string_view> read(rt::Deadline deadline) override;
  [[nodiscard]] const Headers& trailers() const noexcept override { return trailers_; }
  Status write(std::string_view piece, rt::Deadline deadline) override;
  Status flush(rt::Deadline deadline) override;
  [[nodiscard]] Protocol protocol() const noexcept override {
    return response_.version == Version::http_1_0 ? Protocol::http_1_0 : Protocol::http_1_1;
  }
  [[nodiscard]] const net::Address& remote_address() const noexcept override {
    return at_->remote_;
  }
  [[nodiscard]] bool is_secure() const noexcept override { return at_->is_secure_; }
  Result<Response*> response(rt::Deadline deadline) override;
  void cancel() noexcept override;
  Result<std::unique_ptr<net::Stream>> take_stream() override;

 private:
  Status finish(const Headers* trailers, rt::Deadline deadline) override;
  // The head of the answer; or, for the side that writes, also that the body may follow.
  Status await_head(bool or_continue, rt::Deadline deadline);
  Status read_head(rt::Deadline deadline);
  Status fill(rt::Deadline deadline, bool& ended);
  Status cut(const Status& why);
  Status refused(const Status& why);
  Status await_continue(rt::Deadline deadline);
  Status send(std::string_view last, rt::Deadline deadline);
  Status not_written(const Status& why);
  void begin_to_wait();
  void end_of_answer();
  void half_done();
  void release(bool keeps);

  const std::shared_ptr<Http1Connection> at_;
  net::Stream& stream_;
  const ExchangeTimes times_;
  Response response_;
  Headers trailers_;
  Framing framing_;

  rt::Mutex lock_;  // of the next four: reader and writer may both wait for the head
  rt::Cond changed_;
  bool is_reading_ = false;
  bool may_continue_ = false;
  std::atomic<bool> has_head_ = false;

  bool has_ended_ = false;  // reading
  Status read_error_;
  bool expects_continue_ = false;  // writing, until it is settled
  bool has_finished_ = false;
  Status write_error_;
  std::size_t head_bytes_ = 0;
  // What is in a write now may have left, though sent_ does not say so yet. cut() and the write
  // each tell the other one before they look.
  std::atomic<bool> is_sending_ = false;
  std::atomic<bool> is_cut_ = false;
  std::atomic<std::uint64_t> sent_ = 0;
  std::atomic<bool> is_sent_ = false;
  std::atomic<Instant> last_sent_;
  std::atomic<int> halves_ = 2;
  std::atomic<bool> is_over_ = false;
  std::atomic<bool> is_cancelled_ = false;
};

Http1ClientExchange::~Http1ClientExchange() {
  // An answer without a body needs no read().
  if (has_head_ && !has_ended_ && read_error_.is_ok()) {
    const Result<Event> event = at_->parser_.next(at_->in_);
    if (event && *event == Event::end) end_of_answer();
  }
  release(false);
}

void Http1ClientExchange::release(bool keeps) {
  {
    const std::lock_guard lock(at_->lock_);
    if (is_over_.exchange(true)) return;
  }
  if (!keeps) at_->close();
  at_->give_back();
}

// Reading or writing is over.
void Http1ClientExchange::half_done() {
  if (halves_.fetch_sub(1) != 1) return;
  if (framing_.switches) return;  // until take_stream(), or the end of this
  release(framing_.keeps_alive && at_->writer_.keeps_alive() && at_->in_.empty());
}

void Http1ClientExchange::end_of_answer() {
  has_ended_ = true;
  trailers_ = std::move(at_->parser_.trailers());
  half_done();
}

Status Http1ClientExchange::start(const Request& request, BodySize size, rt::Deadline deadline) {
  at_->out_.clear();
  if (Status bad = at_->writer_.begin(request, size, at_->out_); !bad.is_ok()) {
    release(true);  // nothing has happened
    return bad;
  }
  head_bytes_ = at_->out_.size();
  last_sent_ = rt::now();
  const bool has_body = !size.is_known() || size.bytes() > 0;
  expects_continue_ = has_body && request.headers.has_element("Expect", "100-continue");
  at_->parser_.expect({.method = request.method,
                       .asked_to_switch = request.headers.count("Upgrade") > 0 &&
                                          request.headers.has_element("Connection", "upgrade")});
  return size.is_none() ? end(deadline) : Status();
}

// ---- reading

Status Http1ClientExchange::cut(const Status& why) {
  at_->is_dead_ = true;
  is_cut_ = true;
  const bool may_leave_now = is_sending_;  // before sent_
  if (is_cancelled_) {
    read_error_ = Status(Code::cancelled, "the HTTP exchange was cancelled here");
  } else if (!may_leave_now && sent_ < head_bytes_) {
    read_error_ =
        Status(Code::not_sent, "the connection ended before the request had left; send it again");
  } else {
    const Result<bool> end = at_->parser_.finish();
    read_error_ = end ? Status(Code::data_loss,
                               "the connection broke within an HTTP response; use nothing of it")
                      : end.error();
  }
  if (!why.is_ok()) read_error_ = read_error_.with_cause(why.message());
  return read_error_;
}

Status Http1ClientExchange::refused(const Status& why) {
  at_->is_dead_ = true;
  return read_error_ = why;
}

// More bytes into in_. `ended`: the server has finished, and that ends the answer as it should.
Status Http1ClientExchange::fill(rt::Deadline deadline, bool& ended) {
  const Result<std::size_t> size = stream_.read(at_->buffer_, deadline);
  if (!size) return is_interrupted(size.error()) ? size.error() : cut(size.error());
  at_->in_ = std::string_view(at_->buffer_.data(), *size);
  if (*size > 0) return {};
  if (is_cancelled_) return cut({});
  const Result<bool> end = at_->parser_.finish();
  if (!end) return cut({});
  ended = true;
  return {};
}

// Up to the next head, of a response 1xx or of the answer.
Status Http1ClientExchange::read_head(rt::Deadline deadline) {
  for (;;) {
    const Result<Event> event = at_->parser_.next(at_->in_);
    if (!event) return refused(event.error());
    if (*event == Event::informational) {
      if (at_->parser_.response().status != 100) continue;
      may_continue_ = true;
      return {};
    }
    if (*event == Event::head) {
      response_ = std::move(at_->parser_.response());
      framing_ = at_->parser_.framing();
      if (framing_.switches) at_->is_dead_ = true;
      has_head_ = true;
      return {};
    }
    bool ended = false;
    if (Status status = fill(deadline, ended); !status.is_ok()) return status;
    PARLEY_ASSERT(!ended, "an answer cannot end before it has begun");
  }
}

Status Http1ClientExchange::await_head(bool or_continue, rt::Deadline deadline) {
  std::unique_lock lock(lock_);
  while (!has_head_ && !(or_continue && may_continue_)) {
    if (is_reading_) {
      if (Status status = changed_.wait(lock, deadline); !status.is_ok()) return status;
      continue;
    }
    if (!read_error_.is_ok()) return read_error_;
    is_reading_ = true;
    lock.unlock();
    const Status status = read_head(deadline);
    lock.lock();
    is_reading_ = false;
    changed_.broadcast();
    if (!status.is_ok()) return status;
  }
  return {};
}

Result<Response*> Http1ClientExchange::response(rt::Deadline deadline) {
  while (!has_head_) {
    const auto since = [&] { return is_sent_ ? last_sent_.load() : rt::now(); };
    const Duration limit = times_.answer_timeout;
    const ClientWait wait(deadline, limit, rt::Deadline::after(limit, since()));
    const Status status = await_head(false, wait.deadline());
    if (status.is_ok()) break;
    // While the request still goes out the time has not begun.
    if (wait.is_limit(status) && !(is_sent_ && rt::Deadline::after(limit, since()).is_over())) {
      continue;
    }
    return wait.told(status, "did not answer", "answer_timeout");
  }
  return &response_;
}

Result<std::string_view> Http1ClientExchange::read(rt::Deadline deadline) {
  if (const auto head = response(deadline); !head) return head.error();
  if (!read_error_.is_ok()) return read_error_;
  if (is_cancelled_) return cut({});
  while (!has_ended_) {
    const Result<Event> event = at_->parser_.next(at_->in_);
    if (!event) return refused(event.error());
    if (*event == Event::body) return at_->parser_.body();
    if (*event == Event::end) {
      end_of_answer();
      break;
    }
    const ClientWait wait(deadline, times_.body_timeout);
    bool ended = false;
    const Status status = fill(wait.deadline(), ended);
    if (ended) end_of_answer();
    if (!status.is_ok()) return wait.told(status, "sent no more of its answer", "body_timeout");
  }
  return std::string_view();
}

// ---- writing

// Nothing more goes out: the time for the answer begins.
void Http1ClientExchange::begin_to_wait() {
  last_sent_ = rt::now();
  is_sent_ = true;
}

Status Http1ClientExchange::not_written(const Status& why) {
  at_->is_dead_ = true;
  begin_to_wait();
  if (is_interrupted(why)) return write_error_ = why;
  if (is_cancelled_) {
    write_error_ = Status(Code::cancelled, "the HTTP exchange was cancelled here");
  } else if (sent_ < head_bytes_) {
    write_error_ =
        Status(Code::not_sent, "the connection ended before the request had left; send it again");
  } else if (has_head_) {
    write_error_ = Status(Code::cancelled,
                          "the server answered and took no more of the body; read its answer");
  } else {
    write_error_ = Status(Code::unavailable,
                          "the connection ended within the body of the request; an answer may "
                          "have come all the same");
  }
  return write_error_ = write_error_.with_cause(why.message());
}

// What was gathered, and `last` behind it.
Status Http1ClientExchange::send(std::string_view last, rt::Deadline deadline) {
  if (!write_error_.is_ok()) return write_error_;
  std::array<std::string_view, 2> pieces{at_->out_, last};
  while (!pieces[0].empty() || !pieces[1].empty()) {
    const ClientWait wait(deadline, times_.body_timeout);
    is_sending_ = true;
    if (is_cut_) {
      is_sending_ = false;
      return not_written(Status(Code::unavailable, "nothing could be read any more"));
    }
    const Result<std::size_t> size = stream_.write_some_of(pieces, wait.deadline());
    if (size) sent_ += *size;
    is_sending_.store(false, std::memory_order_release);
    if (!size) {
      return not_written(wait.told(size.error(), "took no more of the request", "body_timeout"));
    }
    const std::size_t first = std::min(*size, pieces[0].size());
    pieces[0].remove_prefix(first);
    pieces[1].remove_prefix(*size - first);
    last_sent_ = rt::now();
  }
  at_->out_.clear();
  return {};
}

Status Http1ClientExchange::await_continue(rt::Deadline deadline) {
  if (!expects_continue_) return {};
  if (Status status = send({}, deadline); !status.is_ok()) return status;
  const ClientWait wait(deadline, times_.continue_timeout);
  const Status status = await_head(true, wait.deadline());
  if (!status.is_ok() && !wait.is_limit(status)) {
    return wait.told(status, "did not ask for the body", "continue_timeout");
  }
  expects_continue_ = false;
  if (!has_head_) return {};
  return write_error_ = Status(Code::cancelled,
                               "the server answered instead of asking for the body (RFC 9110 "
                               "10.1.1); read its answer");
}

Status Http1ClientExchange::write(std::string_view piece, rt::Deadline deadline) {
  if (!write_error_.is_ok()) return write_error_;
  PARLEY_ASSERT(!has_finished_, "the body has ended: write() before end()");
  if (piece.empty()) return {};
  if (Status status = await_continue(deadline); !status.is_ok()) return status;
  std::string& out = at_->out_;
  if (out.size() + piece.size() <= gathered_bytes) return at_->writer_.write(piece, out);
  if (Status bad = at_->writer_.begin_piece(piece.size(), out); !bad.is_ok()) return bad;
  if (Status status = send(piece, deadline); !status.is_ok()) return status;
  at_->writer_.end_piece(out);
  return {};
}

Status Http1ClientExchange::flush(rt::Deadline deadline) {
  // After the end the buffer is the next exchange's.
  return has_finished_ ? write_error_ : send({}, deadline);
}

Status Http1ClientExchange::finish(const Headers* trailers, rt::Deadline deadline) {
  if (!write_error_.is_ok() || has_finished_) return write_error_;
  if (Status status = await_continue(deadline); !status.is_ok()) return status;
  const Status ended =
      trailers == nullptr ? at_->writer_.end(at_->out_) : at_->writer_.end(*trailers, at_->out_);
  if (!ended.is_ok()) {
    if (ended.code() == Code::failed_precondition) {
      write_error_ = ended;
      begin_to_wait();
    }
    return ended;
  }
  if (Status status = send({}, deadline); !status.is_ok()) return status;
  has_finished_ = true;
  is_sent_ = true;
  half_done();
  return {};
}

// ---- both

void Http1ClientExchange::cancel() noexcept {
  // Once this is over the connection may be another exchange's.
  const std::lock_guard lock(at_->lock_);
  if (is_over_) return;
  is_cancelled_ = true;
  at_->close_locked();
}

Result<std::unique_ptr<net::Stream>> Http1ClientExchange::take_stream() {
  if (!has_head_ || !framing_.switches) {
    return Status(Code::failed_precondition,
                  "this HTTP exchange did not switch protocols; ask for it with an Upgrade header "
                  "or CONNECT, and read its answer first");
  }
  std::unique_ptr<net::Stream> stream = at_->take_stream();
  if (stream == nullptr) {
    return Status(Code::failed_precondition, "the stream of this HTTP exchange was taken before");
  }
  if (at_->in_.empty()) return stream;
  return std::unique_ptr<net::Stream>(std::make_unique<net::PrefixedStream>(
      std::string(std::exchange(at_->in_, {})), std::move(stream)));
}

}  // namespace impl

Http1Connection::Http1Connection(std::unique_ptr<net::Stream> stream,
                                 const Http1ConnectionOptions& options)
    : stream_(std::move(stream)),
      remote_(stream_->remote_address()),
      is_secure_(options.is_secure),
      times_(options.times),
      parser_(Http1Parser::Reads::responses, options.limits) {}

std::shared_ptr<Http1Connection> Http1Connection::create(std::unique_ptr<net::Stream> stream,
                                                         const Http1ConnectionOptions& options) {
  return std::shared_ptr<Http1Connection>(new Http1Connection(std::move(stream), options));
}

Http1Connection::~Http1Connection() { close(); }

bool Http1Connection::reserve() noexcept { return !is_dead_ && !is_taken_.exchange(true); }

bool Http1Connection::is_usable() {
  // In this order: one whose stream was taken out is dead before it is given back.
  if (is_taken_ || is_dead_) return !is_dead_;
  // Whatever is there to be read answers nothing (RFC 9112 9.2), and the end is the end.
  std::array<char, 1> byte{};
  const Result<std::optional<std::size_t>> size = stream_->try_read(byte);
  if (size && !*size) return true;
  close();
  return false;
}

Result<std::unique_ptr<ClientExchange>> Http1Connection::begin(Request request, BodySize size,
                                                               rt::Deadline deadline) {
  PARLEY_ASSERT(is_taken_, "reserve() comes before begin()");
  if (is_dead_) {
    give_back();
    return Status(Code::not_sent, "the HTTP connection was closed before the request was sent");
  }
  if (buffer_.empty()) buffer_.resize(impl::read_bytes);
  in_ = {};
  auto exchange = std::make_unique<impl::Http1ClientExchange>(shared_from_this());
  if (Status status = exchange->start(request, size, deadline); !status.is_ok()) return status;
  return std::unique_ptr<ClientExchange>(std::move(exchange));
}

void Http1Connection::close() noexcept {
  const std::lock_guard lock(lock_);
  close_locked();
}

void Http1Connection::close_locked() noexcept {
  is_dead_ = true;
  if (stream_ != nullptr) stream_->close();
}

void Http1Connection::give_back() noexcept {
  is_taken_ = false;
  if (hook_) hook_();
}

std::unique_ptr<net::Stream> Http1Connection::take_stream() {
  const std::lock_guard lock(lock_);
  return std::move(stream_);
}

}  // namespace parley::http
