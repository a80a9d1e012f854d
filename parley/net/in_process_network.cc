#include "parley/net/in_process_network.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "parley/base/assert.h"
#include "parley/base/fd.h"
#include "parley/rt/channel.h"
#include "parley/rt/cond.h"
#include "parley/rt/pollable.h"

namespace parley::net {
namespace {

using Lock = std::unique_lock<rt::Mutex>;

// What flows one way. Under the lock of its connection.
struct Direction {
  std::string bytes;
  std::size_t read_from = 0;  // those before it were read
  bool is_finished = false;   // no more will be written
  bool is_refused = false;    // nobody reads any more
  bool is_reset = false;      // and what was under way is lost
  rt::Cond readable, writable;
  // Of who reads. It is told, without the lock, when there is something again after there was
  // nothing, and of the end.
  rt::Pollable readiness;

  Direction() { readiness.watch_memory(); }

  [[nodiscard]] std::size_t unread() const { return bytes.size() - read_from; }
  void drop() {
    bytes.clear();
    read_from = 0;
  }
  void take(std::size_t count) {
    read_from += count;
    if (read_from == bytes.size()) {
      drop();
    } else if (read_from >= bytes.size() / 2) {
      bytes.erase(0, std::exchange(read_from, 0));
    }
  }
};

struct Connection {
  explicit Connection(std::size_t most) : buffer_bytes(most) {}

  const std::size_t buffer_bytes;
  rt::Mutex lock;
  std::array<Direction, 2> from;  // by the side that writes
  InProcessJoint joint;
};

Status closed_here() { return {Code::unavailable, "the connection was closed on this side"}; }

class InProcessStream final : public Stream {
 public:
  InProcessStream(std::shared_ptr<Connection> connection, std::size_t side, Address local,
                  Address remote)
      : connection_(std::move(connection)),
        in_(connection_->from[1 - side]),
        out_(connection_->from[side]),
        end_{connection_->joint, side},
        local_(std::move(local)),
        remote_(std::move(remote)) {}
  ~InProcessStream() override {
    in_.readiness.on_readable(nullptr);  // which outlives this
    end(true);
  }

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override {
    PARLEY_ASSERT(!into.empty(), "a read without room for a byte would look like the end");
    Lock lock(connection_->lock);
    auto size = wait_for(lock, 1, deadline);
    if (!size) return size;
    return take(into, *size);
  }

  // Asks for the lock only if there may be something.
  Result<std::optional<std::size_t>> try_read(std::span<char> into) override {
    PARLEY_ASSERT(!into.empty(), "a read without room for a byte would look like the end");
    if (is_drained_ && !in_.readiness.is_readable()) return std::optional<std::size_t>();
    const Lock lock(connection_->lock);
    const auto size = look(1);
    if (!size) return size.error();
    if (!*size) return std::optional<std::size_t>();
    return std::optional(take(into, **size));
  }

  Result<bool> wait_readable(rt::Deadline deadline) override {
    Lock lock(connection_->lock);
    return wait_for(lock, 1, deadline).transform([](std::size_t size) { return size > 0; });
  }

  Result<std::size_t> peek(std::span<char> into, std::size_t at_least,
                           rt::Deadline deadline) override {
    Lock lock(connection_->lock);
    return wait_for(lock, at_least, deadline).transform([&](std::size_t size) {
      return copy(into, size);
    });
  }

  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    return write_some_of({&from, 1}, deadline);
  }

  Result<std::size_t> write_some_of(std::span<const std::string_view> pieces,
                                    rt::Deadline deadline) override {
    std::size_t offered = 0;
    for (const std::string_view piece : pieces) offered += piece.size();
    if (offered == 0) return std::size_t{0};
    Lock lock(connection_->lock);
    for (;;) {
      if (is_closed_) return closed_here();
      if (out_.is_refused || out_.is_finished) return errno_status(EPIPE, "send");
      if (out_.unread() < connection_->buffer_bytes) break;
      if (Status s = out_.writable.wait(lock, deadline); !s.is_ok()) return s;
    }
    const std::size_t size = std::min(offered, connection_->buffer_bytes - out_.unread());
    // Otherwise it has been told, or is about to be, and cannot be at rest before it has all.
    const bool is_to_be_told = out_.unread() == 0;
    for (std::size_t left = size; const std::string_view piece : pieces) {
      const std::size_t part = std::min(left, piece.size());
      out_.bytes.append(piece.substr(0, part));
      left -= part;
    }
    lock.unlock();
    if (is_to_be_told) out_.readiness.tell_readable();
    out_.readable.broadcast();
    return size;
  }

  Status close_write() override {
    Lock lock(connection_->lock);
    if (is_closed_) return closed_here();
    out_.is_finished = true;
    lock.unlock();
    out_.readiness.tell_readable();
    out_.readable.broadcast();
    return {};
  }

  void close() override { end(false); }

  [[nodiscard]] const Address& local_address() const override { return local_; }
  [[nodiscard]] const Address& remote_address() const override { return remote_; }
  [[nodiscard]] const InProcessEnd* in_process() override { return &end_; }

  [[nodiscard]] rt::Pollable* readiness() override { return &in_.readiness; }
  [[nodiscard]] Unread unread() override {
    if (has_ended_) return Unread::ended;
    return is_drained_ && !in_.readiness.is_readable() ? Unread::nothing : Unread::perhaps;
  }

 private:
  // As soon as there are so many bytes, or no more will come: how many there are. Zero: the end.
  Result<std::size_t> wait_for(Lock& lock, std::size_t count, rt::Deadline deadline) {
    for (;;) {
      const auto size = look(count);
      if (!size) return size.error();
      if (*size) return **size;
      if (Status s = in_.readable.wait(lock, deadline); !s.is_ok()) return s;
    }
  }

  // Under the lock: the same without waiting; nothing when it is worth waiting. What comes after
  // this is told of again.
  Result<std::optional<std::size_t>> look(std::size_t count) {
    (void)in_.readiness.take_readable();
    is_drained_ = false;
    if (is_closed_) return closed_here();
    if (in_.is_reset) return errno_status(ECONNRESET, "receive");
    const std::size_t size = in_.unread();
    is_drained_ = size == 0 && !in_.is_finished;
    if (size >= count || in_.is_finished) return std::optional(size);
    return std::optional<std::size_t>();
  }

  // Under the lock, of what was looked at. Nothing of it is the end.
  std::size_t take(std::span<char> into, std::size_t most) {
    const std::size_t size = copy(into, most);
    in_.take(size);
    has_ended_ = size == 0;
    is_drained_ = in_.unread() == 0 && !in_.is_finished;
    if (size > 0) in_.writable.signal();
    return size;
  }

  std::size_t copy(std::span<char> into, std::size_t most) const {
    const std::size_t size = std::min(into.size(), most);
    std::copy_n(in_.bytes.data() + in_.read_from, size, into.data());
    return size;
  }

  // As a socket's: who goes and has not read everything resets the connection.
  void end(bool is_gone) {
    Lock lock(connection_->lock);
    if (is_gone && in_.unread() > 0) {
      out_.is_reset = true;
      out_.drop();
    }
    is_closed_ = true;
    out_.is_finished = true;
    in_.is_refused = true;
    if (!is_gone) in_.drop();
    lock.unlock();
    for (Direction* each : {&in_, &out_}) {
      each->readiness.tell_readable();
      each->readable.broadcast();
      each->writable.broadcast();
    }
  }

  const std::shared_ptr<Connection> connection_;
  Direction& in_;
  Direction& out_;
  const InProcessEnd end_;
  const Address local_;
  const Address remote_;
  bool is_closed_ = false;  // under the lock
  // The reader's own.
  bool is_drained_ = false;  // nothing is left until readiness tells
  bool has_ended_ = false;
};

using Backlog = rt::Channel<std::unique_ptr<Stream>>;

}  // namespace

// Who listens, by name.
class InProcessNetwork::Names {
 public:
  bool add(const std::string& name, const std::shared_ptr<Backlog>& backlog) {
    const std::lock_guard lock(lock_);
    return backlogs_.emplace(name, backlog).second;
  }
  void remove(const std::string& name, const std::shared_ptr<Backlog>& backlog) {
    const std::lock_guard lock(lock_);
    const auto found = backlogs_.find(name);
    if (found != backlogs_.end() && found->second == backlog) backlogs_.erase(found);
  }
  std::shared_ptr<Backlog> find(const std::string& name) {
    const std::lock_guard lock(lock_);
    const auto found = backlogs_.find(name);
    return found == backlogs_.end() ? nullptr : found->second;
  }

 private:
  rt::Mutex lock_;
  std::map<std::string, std::shared_ptr<Backlog>, std::less<>> backlogs_;
};

namespace {

class InProcessListener final : public Listener {
 public:
  InProcessListener(std::shared_ptr<InProcessNetwork::Names> names,
                    std::shared_ptr<Backlog> backlog, Address address)
      : names_(std::move(names)), backlog_(std::move(backlog)), address_(std::move(address)) {}
  ~InProcessListener() override { close(); }

  Result<std::unique_ptr<Stream>> accept(rt::Deadline deadline) override {
    auto stream = backlog_->receive(deadline);
    if (is_closed_ || (!stream && stream.error().code() == Code::out_of_range)) {
      return Status(Code::unavailable, "the listener is closed");
    }
    if (stream) ++accepted_;
    return stream;
  }

  void close() override {
    if (is_closed_.exchange(true)) return;
    names_->remove(address_.host, backlog_);
    backlog_->close();
    while (backlog_->try_receive()) continue;  // refused
  }

  [[nodiscard]] const Address& address() const override { return address_; }
  [[nodiscard]] ListenerCounts counts() const override { return {.accepted = accepted_}; }

 private:
  const std::shared_ptr<InProcessNetwork::Names> names_;
  const std::shared_ptr<Backlog> backlog_;
  const Address address_;
  std::atomic<bool> is_closed_ = false;
  std::atomic<std::uint64_t> accepted_ = 0;
};

bool is_name(const Address& address) { return address.network == "inproc"; }

}  // namespace

InProcessNetwork::InProcessNetwork(const InProcessOptions& options)
    : options_(options),
      beyond_(options.beyond == nullptr ? sockets_ : *options.beyond),
      names_(std::make_shared<Names>()) {
  PARLEY_ASSERT(options.buffer_bytes > 0, "InProcessOptions::buffer_bytes is 0");
}

InProcessNetwork::~InProcessNetwork() = default;

Result<std::unique_ptr<Listener>> InProcessNetwork::listen(const Address& address,
                                                           const ListenOptions& options) {
  if (!is_name(address)) return beyond_.listen(address, options);
  auto backlog = std::make_shared<Backlog>(static_cast<std::size_t>(std::max(options.backlog, 1)));
  if (!names_->add(address.host, backlog)) {
    return Status(Code::already_exists, "listen on " + address.to_string() +
                                            ": somebody listens under that name in this process");
  }
  return std::make_unique<InProcessListener>(names_, std::move(backlog), address);
}

Result<std::unique_ptr<Stream>> InProcessNetwork::dial(const Address& address,
                                                       rt::Deadline deadline,
                                                       const DialOptions& options) {
  if (!is_name(address)) return beyond_.dial(address, deadline, options);
  const auto refused = [&](const std::string& why) {
    return Status(Code::unavailable, "dial " + address.to_string() + ": " + why);
  };
  const std::shared_ptr<Backlog> backlog = names_->find(address.host);
  if (backlog == nullptr) {
    return refused(
        "nobody listens under that name in this process: listen first, through the same "
        "InProcessNetwork, or dial the address of another process");
  }
  const Address nameless{.network = "inproc", .host = {}, .port = 0};
  auto connection = std::make_shared<Connection>(options_.buffer_bytes);
  auto dialled = std::make_unique<InProcessStream>(connection, 0, nameless, address);
  auto accepted = std::make_unique<InProcessStream>(connection, 1, address, nameless);
  const Status sent = backlog->send(std::move(accepted), deadline);
  if (sent.is_ok()) return dialled;
  if (sent.code() == Code::failed_precondition) return refused("the listener is closed");
  return sent.with_context("dial " + address.to_string());
}

}  // namespace parley::net
