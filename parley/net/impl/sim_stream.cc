#include <algorithm>
#include <cerrno>
#include <utility>

#include "parley/base/assert.h"
#include "parley/base/fd.h"
#include "parley/net/impl/sim_state.h"

namespace parley::net::impl {
namespace {

// Why nothing more can be read when nothing is there to be read; ok when it is worth waiting.
// `ended` becomes true when the other side has finished.
Status why_not_readable(SimEnd& end, bool& ended) {
  if (end.fin_received) {
    ended = true;
    return {};
  }
  if (end.error == 0) return {};
  end.error_told = true;
  return errno_status(end.error, "receive");
}

}  // namespace

Status SimState::closed_here() {
  return {Code::unavailable, "the connection was closed on this side"};
}

Result<std::size_t> SimState::read(const SimConnectionRef& connection, std::size_t side,
                                   std::span<char> into, rt::Deadline deadline) {
  std::unique_lock lock(mutex_);
  SimEnd& end = connection->ends[side];
  for (;;) {
    if (!end.failure.is_ok()) return end.failure;
    if (end.closed) return closed_here();
    if (end.unread() != 0) break;
    bool ended = false;
    if (Status s = why_not_readable(end, ended); !s.is_ok()) return s;
    if (ended) return std::size_t{0};
    if (Status s = end.readable.wait(lock, deadline); !s.is_ok()) return s;
  }
  std::size_t size = std::min(into.size(), end.unread());
  const std::size_t least = std::clamp<std::size_t>(end.shown, 1, size);
  if (random_.chance(options_.short_read_chance)) size = random_.between(least, size);
  std::copy_n(end.received.data() + end.read_from, size, into.data());
  end.shown -= std::min(end.shown, size);
  end.read_from += size;
  end.unreturned += size;
  if (end.read_from >= end.received.size() / 2) {
    end.received.erase(0, std::exchange(end.read_from, 0));
  }
  return_room(connection, side, false);
  return size;
}

Result<std::size_t> SimState::peek(SimEnd& end, std::span<char> into, std::size_t at_least,
                                   rt::Deadline deadline) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!end.failure.is_ok()) return end.failure;
    if (end.closed) return closed_here();
    bool ended = false;
    if (end.unread() < at_least) {
      Status s = why_not_readable(end, ended);
      if (!s.is_ok() && end.unread() == 0) return s;
      ended = ended || !s.is_ok();
    }
    if (end.unread() >= at_least || ended) break;
    if (Status s = end.readable.wait(lock, deadline); !s.is_ok()) return s;
  }
  const std::size_t size = std::min(into.size(), end.unread());
  std::copy_n(end.received.data() + end.read_from, size, into.data());
  end.shown = std::max(end.shown, size);
  return size;
}

Result<std::size_t> SimState::write(const SimConnectionRef& connection, std::size_t side,
                                    std::span<const std::string_view> pieces,
                                    rt::Deadline deadline) {
  std::string all;
  std::unique_lock lock(mutex_);
  SimEnd& end = connection->ends[side];
  std::size_t offered = 0;
  for (const std::string_view piece : pieces) offered += piece.size();
  if (offered == 0) return std::size_t{0};
  for (;;) {
    if (!end.failure.is_ok()) return end.failure;
    if (end.closed) return closed_here();
    if (end.error != 0) {
      return errno_status(std::exchange(end.error_told, true) ? EPIPE : end.error, "send");
    }
    if (end.fin_sent) return errno_status(EPIPE, "send");
    if (end.credit != 0) break;
    if (Status s = end.writable.wait(lock, deadline); !s.is_ok()) return s;
  }
  std::size_t size = std::min(offered, end.credit);
  if (random_.chance(options_.short_write_chance)) size = random_.between(1, size);
  for (const std::string_view piece : pieces) all += piece.substr(0, size - all.size());
  const std::size_t max_packet =
      link_of(*end.host, *connection->ends[1 - side].host).options.max_packet;
  for (std::size_t from = 0; from < size && !end.dead;) {
    const std::size_t part = random_.between(1, std::min(size - from, max_packet));
    if (end.bytes_to_cut && *end.bytes_to_cut < part) {
      cut(connection);
      break;
    }
    if (end.bytes_to_cut) *end.bytes_to_cut -= part;
    end.credit -= part;
    send(connection, side, {.data = all.substr(from, part)});
    from += part;
  }
  return size;
}

Status SimState::close_write(const SimConnectionRef& connection, std::size_t side) {
  const std::lock_guard lock(mutex_);
  const SimEnd& end = connection->ends[side];
  if (!end.failure.is_ok()) return end.failure;
  if (end.closed) return closed_here();
  if (end.error != 0) return errno_status(ENOTCONN, "shut down");
  finish(connection, side);
  return {};
}

void SimState::close(const SimConnectionRef& connection, std::size_t side) {
  const std::lock_guard lock(mutex_);
  SimEnd& end = connection->ends[side];
  if (std::exchange(end.closed, true)) return;
  finish(connection, side);
  // What came and was not read is dropped: the other side's writer goes on, and learns.
  end.unreturned += end.unread();
  end.received.clear();
  end.read_from = 0;
  return_room(connection, side, true);
  end.readable.broadcast();
  end.writable.broadcast();
}

// As closing a socket's descriptor: who has not read everything, or asked for it, resets.
void SimState::destroy(const SimConnectionRef& connection, std::size_t side) {
  const std::lock_guard lock(mutex_);
  SimEnd& end = connection->ends[side];
  end.gone = true;
  if (end.unread() != 0 || (end.options.reset_at_end && !(end.fin_sent && end.fin_received))) {
    reset(connection, side);
  } else {
    finish(connection, side);
  }
  end.received = {};
  end.read_from = 0;
  settle(connection);
}

namespace {

class SimStream final : public Stream {
 public:
  SimStream(std::shared_ptr<SimState> state, SimConnectionRef connection, std::size_t side)
      : state_(std::move(state)), connection_(std::move(connection)), side_(side) {}
  ~SimStream() override { state_->destroy(connection_, side_); }

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override {
    PARLEY_ASSERT(!into.empty(), "a read without room for a byte would look like the end");
    return state_->read(connection_, side_, into, deadline);
  }
  Result<std::size_t> peek(std::span<char> into, std::size_t at_least,
                           rt::Deadline deadline) override {
    PARLEY_ASSERT(at_least >= 1 && at_least <= into.size(), "peek for more than there is room for");
    return state_->peek(end(), into, at_least, deadline);
  }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    return state_->write(connection_, side_, {&from, 1}, deadline);
  }
  Result<std::size_t> write_some_of(std::span<const std::string_view> pieces,
                                    rt::Deadline deadline) override {
    return state_->write(connection_, side_, pieces, deadline);
  }
  Status close_write() override { return state_->close_write(connection_, side_); }
  void close() override { state_->close(connection_, side_); }
  [[nodiscard]] const Address& local_address() const override { return end().local; }
  [[nodiscard]] const Address& remote_address() const override { return end().remote; }

 private:
  [[nodiscard]] SimEnd& end() const { return connection_->ends[side_]; }

  std::shared_ptr<SimState> state_;
  SimConnectionRef connection_;
  const std::size_t side_;
};

}  // namespace

std::unique_ptr<Stream> make_sim_stream(std::shared_ptr<SimState> state,
                                        SimConnectionRef connection, std::size_t side) {
  return std::make_unique<SimStream>(std::move(state), std::move(connection), side);
}

}  // namespace parley::net::impl
