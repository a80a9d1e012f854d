#include "parley/net/impl/tls_connection.h"

#include <algorithm>
#include <array>
#include <mutex>

#include "parley/rt/pollable.h"

namespace parley::net::impl {
namespace {

// Payload of a full record (RFC 8446, 5.1).
constexpr std::size_t record_bytes = std::size_t{16} * 1024;
// One read of the stream below: a full record with header, padding and checksum.
constexpr std::size_t read_bytes = record_bytes + 512;
// Encrypted in one go and handed down in one write. Four full records.
constexpr std::size_t write_bytes = 4 * record_bytes;
// A buffer larger than this is given back after use.
constexpr std::size_t kept_bytes = std::size_t{4} * 1024;

rt::Deadline at_once() { return rt::Deadline::after(Duration::zero()); }

Status closed_here() { return {Code::unavailable, "the connection was closed on this side"}; }

std::string milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

}  // namespace

class TlsConnection::Turn {
 public:
  explicit Turn(rt::Semaphore& of) : of_(of) {}
  ~Turn() { end(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Status wait(rt::Deadline deadline) {
    const Status status = of_.acquire(1, deadline);
    has_it_ = status.is_ok();
    return status;
  }
  bool take() { return has_it_ = of_.try_acquire(); }
  void end() {
    if (std::exchange(has_it_, false)) of_.release();
  }

 private:
  rt::Semaphore& of_;
  bool has_it_ = false;
};

TlsConnection::TlsConnection(std::unique_ptr<Stream> stream, TlsEngine engine,
                             const TlsLimits& limits)
    : stream_(std::move(stream)), limits_(limits), engine_(std::move(engine)) {}

TlsConnection::~TlsConnection() { close(); }

// --- The handshake

Status TlsConnection::handshake(rt::Deadline deadline) {
  const rt::Deadline own = rt::Deadline::after(limits_.handshake_timeout);
  Status status = run_handshake(std::min(deadline, own));
  if (status.is_ok()) {
    info_ = engine_.info();
    return status;
  }
  closed_ = true;  // there is nothing to say goodbye to
  // An alert may be on its way. A connection closed with unread bytes is reset, and what was sent
  // may be lost with it: read what is there.
  (void)stream_->close_write();
  std::array<char, 4096> rest{};
  std::size_t drained = 0;
  while (engine_.has_failed() && drained < limits_.max_handshake_bytes) {
    const auto size = stream_->read(rest, at_once());
    if (!size || *size == 0) break;
    drained += *size;
  }
  if (status.code() == Code::deadline_exceeded && own.is_over()) {
    status = Status(Code::deadline_exceeded, "it did not end within handshake_timeout (" +
                                                 milliseconds(limits_.handshake_timeout) + ")");
  }
  return status.with_context("TLS handshake with " + remote_address().to_string());
}

Status TlsConnection::run_handshake(rt::Deadline deadline) {
  std::array<char, 4096> buffer{};
  std::size_t received = 0;
  for (;;) {
    const Step step = engine_.handshake();
    // Session tickets come after a server's handshake in TLS 1.3: what does not leave now goes with
    // the first write, and a client that left at once is told by the first read.
    const bool may_wait =
        step != Step::failed && !(step == Step::done && engine_.only_tickets_left());
    Status sent = send_all(may_wait ? deadline : at_once());
    if (step == Step::failed) return engine_.failure();
    if (!sent.is_ok() && may_wait) return sent;
    if (step == Step::done) return {};
    const std::size_t room = std::min(buffer.size(), limits_.max_handshake_bytes - received);
    if (step == Step::ended) {
      return {Code::unavailable, "the other side ended it (close_notify)"};
    }
    if (room == 0) {
      return {Code::resource_exhausted, "the other side sent max_handshake_bytes (" +
                                            std::to_string(limits_.max_handshake_bytes) +
                                            ") and is not done"};
    }
    const auto size = stream_->read(std::span(buffer).first(room), deadline);
    if (!size) return size.error();
    if (*size == 0) {
      return {Code::unavailable,
              received == 0 ? "the other side closed the connection without a word; it may not "
                              "speak TLS"
                            : "the other side closed the connection in the middle; its log may say "
                              "why"};
    }
    received += *size;
    engine_.feed({buffer.data(), *size});
  }
}

// --- Sending

std::size_t TlsConnection::output_size() {
  const std::lock_guard lock(engine_mutex_);
  return engine_.output_size();
}

// With the turn to send (or before anybody else is there): all that the engine has for the other
// side.
Status TlsConnection::send_all(rt::Deadline deadline) {
  for (;;) {
    if (sent_ == sending_.size()) {
      sending_.clear();
      if (sending_.capacity() > kept_bytes) sending_ = {};
      sent_ = 0;
      const std::lock_guard lock(engine_mutex_);
      engine_.take_output(sending_);
      unsent_answers_ = 0;
      if (sending_.empty()) return {};
    }
    const auto size = stream_->write_some(std::string_view(sending_).substr(sent_), deadline);
    if (!size) return size.error();
    sent_ += *size;
    left_ += *size;
  }
}

// What leaves without waiting. Who has the turn instead looks for output after giving it up,
// so that nothing stays behind. What the network does not take now goes with the next write: a key
// update must be answered before the next data, not sooner (RFC 8446, 4.6.3).
void TlsConnection::send_what_can_leave() {
  while (output_size() > 0) {
    Turn turn(turn_to_send_);
    if (!turn.take() || !send_all(at_once()).is_ok()) return;
  }
}

Result<std::size_t> TlsConnection::write_some(std::string_view from, rt::Deadline deadline) {
  if (from.empty()) return std::size_t{0};
  Turn turn(turn_to_send_);
  if (Status s = turn.wait(deadline); !s.is_ok()) return s;
  if (closed_) return closed_here();
  if (write_closed_) {
    return Status(Code::unavailable, "this side has finished writing (close_write)");
  }
  const std::uint64_t left_at_first = left_;
  if (Status s = send_all(deadline); !s.is_ok()) {
    if (left_ > left_at_first && unfinished_.size() > 1) return resume_unfinished(from, 1);
    return closed_ ? closed_here() : s;
  }
  if (!unfinished_.empty()) return resume_unfinished(from, 0);
  const auto size = encrypt(from.substr(0, write_bytes), deadline);
  if (!size) return size.error();
  const std::uint64_t left_before = left_;
  if (Status s = send_all(deadline); !s.is_ok()) {
    unfinished_ = from.substr(0, *size);
    if (left_ > left_before && *size > 1) return resume_unfinished(from, 1);
    return closed_ ? closed_here() : s;
  }
  turn.end();
  send_what_can_leave();
  return *size;
}

// Short texts share a record, and with it the header and the checksum.
Result<std::size_t> TlsConnection::write_some_of(std::span<const std::string_view> pieces,
                                                 rt::Deadline deadline) {
  std::string joined;
  for (const std::string_view piece : pieces) {
    if (joined.empty() && piece.size() >= record_bytes) return write_some(piece, deadline);
    joined += piece.substr(0, record_bytes - joined.size());
    if (joined.size() == record_bytes) break;
  }
  return write_some(joined, deadline);
}

// Takes what the records of an earlier write hold, once they have left; their bytes are those the
// caller comes with. When only a part of them has, all but the last byte: what was whole before the
// last record may have been read over there, so that it cannot be said not to have been sent, and
// the last byte brings the caller back to send the rest.
Result<std::size_t> TlsConnection::resume_unfinished(std::string_view from, std::size_t kept) {
  const std::size_t size = std::min(from.size(), unfinished_.size() - kept);
  if (from.substr(0, size) != std::string_view(unfinished_).substr(0, size)) {
    return Status(Code::failed_precondition,
                  "an earlier write ended in the middle of a TLS record, which cannot be taken "
                  "back: go on with the same bytes, or close the connection");
  }
  unfinished_.erase(0, size);
  if (unfinished_.empty()) unfinished_ = {};
  return size;
}

Result<std::size_t> TlsConnection::encrypt(std::string_view from, rt::Deadline deadline) {
  std::size_t total = 0;
  while (total < from.size()) {
    std::size_t size = 0;
    Step step = Step::done;
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(engine_mutex_);
      step = encrypt_record(from.substr(total), size);
      seen = fills_;
    }
    if (step == Step::done) {
      total += size;
      continue;
    }
    if (total > 0) break;  // what is encrypted can leave; the next write meets the rest
    if (step != Step::wants_input) return failed("write to ");
    if (Status s = fill(seen, deadline); !s.is_ok()) return s;
    // It may have been for the reader, who is not told of it by the kernel any more.
    if (rt::Pollable* readiness = stream_->readiness()) readiness->tell_readable();
  }
  return total;
}

// Under engine_mutex_.
TlsConnection::Step TlsConnection::encrypt_record(std::string_view from, std::size_t& size) {
  if (records_ >= limits_.records_per_key && engine_.knows_change_of_key() &&
      engine_.change_key()) {
    records_ = 0;
    ++key_updates_;
  }
  const Step step = engine_.write(from, size);
  if (step == Step::done) ++records_;
  return step;
}

Status TlsConnection::close_write() {
  const rt::Deadline deadline = rt::Deadline::after(limits_.close_timeout);
  Turn turn(turn_to_send_);
  if (Status s = turn.wait(deadline); !s.is_ok()) return not_taken(s, deadline);
  if (closed_) return closed_here();
  if (!write_closed_) {
    const std::lock_guard lock(engine_mutex_);
    if (engine_.finish() == Step::failed) return failed("close_write to ");
    write_closed_ = true;
  }
  return not_taken(send_all(deadline), deadline);
}

// Names the limit, when it was that.
Status TlsConnection::not_taken(const Status& status, rt::Deadline deadline) const {
  if (status.code() != Code::deadline_exceeded || !deadline.is_over()) return status;
  return {Code::deadline_exceeded, "the other side took nothing for close_timeout (" +
                                       milliseconds(limits_.close_timeout) + ")"};
}

void TlsConnection::close() {
  if (closed_.exchange(true)) return;
  // A writer in its middle, or one that gave up there: then this is a cut, and is to be seen as
  // one.
  Turn turn(turn_to_send_);
  if (turn.take() && unfinished_.empty() && !write_closed_) {
    {
      const std::lock_guard lock(engine_mutex_);
      (void)engine_.finish();
    }
    (void)send_all(at_once());
  }
  turn.end();
  stream_->close();
}

// --- Reading

Result<std::size_t> TlsConnection::read(std::span<char> into, rt::Deadline deadline) {
  if (into.empty()) return std::size_t{0};
  if (ahead_.empty() || closed_) return decrypt(into, deadline);
  const std::size_t size = std::min(into.size(), ahead_.size());
  std::copy_n(ahead_.begin(), size, into.begin());
  ahead_.erase(0, size);
  if (ahead_.empty()) ahead_ = {};
  return size;
}

Result<std::size_t> TlsConnection::peek(std::span<char> into, std::size_t at_least,
                                        rt::Deadline deadline) {
  PARLEY_ASSERT(at_least >= 1 && at_least <= into.size(),
                "peek: at_least goes from 1 to the size of the buffer");
  while (ahead_.size() < at_least || closed_) {
    // OpenSSL shows no more than one record, so what was decrypted is kept here.
    const auto size = decrypt(into.subspan(ahead_.size()), deadline);
    if (!size) return size.error();
    if (*size == 0) break;
    ahead_.append(into.data() + ahead_.size(), *size);
  }
  const std::size_t size = std::min(into.size(), ahead_.size());
  std::copy_n(ahead_.begin(), size, into.begin());
  return size;
}

// At least one byte, 0 at the end.
Result<std::size_t> TlsConnection::decrypt(std::span<char> into, rt::Deadline deadline) {
  for (;;) {
    if (closed_) return closed_here();
    std::size_t size = 0;
    Step step = Step::done;
    std::size_t unsent = 0;
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(engine_mutex_);
      const std::size_t before = engine_.output_size();
      step = engine_.read(into, size);
      starved_ = step == Step::wants_input;
      ended_by_it_ = step == Step::ended;
      unsent_answers_ += engine_.output_size() - before;
      unsent = unsent_answers_;
      seen = fills_;
    }
    if (unsent > limits_.max_unsent_bytes) {
      return Status(Code::resource_exhausted,
                    "the other side asks for more key updates than it takes: max_unsent_bytes (" +
                        std::to_string(limits_.max_unsent_bytes) + ") wait for it");
    }
    if (unsent > 0) send_what_can_leave();
    if (step == Step::done) return size;
    if (step == Step::ended) return std::size_t{0};
    if (step == Step::failed) return failed("read from ");
    if (Status s = fill(seen, deadline); !s.is_ok()) return s;
  }
}

// Ok when something came from below since `seen` was read, or may have.
Status TlsConnection::fill(std::uint64_t seen, rt::Deadline deadline) {
  {
    std::unique_lock lock(engine_mutex_);
    if (fills_ != seen) return {};
    if (input_ended_) {
      return {Code::data_loss, "the connection with " + remote_address().to_string() +
                                   " ended without close_notify: it was cut, and something may be "
                                   "missing at the end"};
    }
    if (filling_) {
      filled_.reset();
      lock.unlock();
      return filled_.wait(deadline);
    }
    filling_ = true;
  }
  std::array<char, read_bytes> buffer;  // not cleared: 16 KiB for each read
  const auto size = stream_->read(buffer, deadline);
  const std::lock_guard lock(engine_mutex_);
  filling_ = false;
  if (size) {
    ++fills_;
    if (*size == 0) input_ended_ = true;
    starved_ = false;
    engine_.feed({buffer.data(), *size});
  }
  filled_.set();
  if (!size) return closed_ ? closed_here() : size.error();
  return {};
}

TlsConnection::Unread TlsConnection::unread() {
  if (!ahead_.empty()) return Unread::perhaps;
  const std::lock_guard lock(engine_mutex_);
  if (ended_by_it_) return Unread::ended;
  if (!starved_ || input_ended_) return Unread::perhaps;
  // A writer that reads below tells when it has something.
  if (filling_) return Unread::nothing;
  return stream_->unread() == Unread::nothing ? Unread::nothing : Unread::perhaps;
}

Status TlsConnection::failed(const char* what) const {
  return engine_.failure().with_context(what + remote_address().to_string());
}

}  // namespace parley::net::impl
