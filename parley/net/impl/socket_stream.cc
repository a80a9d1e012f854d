#include "parley/net/impl/socket_stream.h"

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <utility>

#include "parley/base/assert.h"
#include "parley/net/impl/socket.h"
#include "parley/rt/blocking.h"
#include "parley/rt/pollable.h"

namespace parley::net::impl {
namespace {

// Pieces of one system call; the rest is left to the next. The kernel takes IOV_MAX (1024), which
// would touch four times the stack for little.
constexpr std::size_t max_pieces = 256;

Status closed_here() { return {Code::unavailable, "the connection was closed on this side"}; }

class SocketStream final : public Stream {
 public:
  SocketStream(Fd fd, Address remote)
      : fd_(std::move(fd)),
        is_tcp_(remote.network == "tcp"),
        local_(local_address_of(fd_.get())),
        remote_(std::move(remote)) {}

  Status watch() { return pollable_.watch(fd_.get()); }

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override {
    PARLEY_ASSERT(!into.empty(), "a read without room for a byte would look like the end");
    rt::checkpoint();  // the other side may send so fast that nothing here ever waits
    for (;;) {
      const auto size = receive_some(into);
      if (!size) return size.error();
      if (*size != would_block) return static_cast<std::size_t>(*size);
      if (Status s = wait(deadline); !s.is_ok()) return s;
    }
  }

  Result<std::optional<std::size_t>> try_read(std::span<char> into) override {
    PARLEY_ASSERT(!into.empty(), "a read without room for a byte would look like the end");
    const auto size = receive_some(into);
    if (!size) return size.error();
    if (*size == would_block) return std::optional<std::size_t>();
    return std::optional(static_cast<std::size_t>(*size));
  }

  Result<bool> wait_readable(rt::Deadline deadline) override {
    if (unread() == Unread::nothing) {
      if (Status s = wait(deadline); !s.is_ok()) return s;
    }
    if (closed_) return closed_here();
    return !ended_;
  }

  Result<std::size_t> peek(std::span<char> into, std::size_t at_least,
                           rt::Deadline deadline) override {
    PARLEY_ASSERT(at_least >= 1 && at_least <= into.size(), "peek for more than there is room for");
    for (;;) {
      if (closed_) return closed_here();
      // Asked first: when it has ended, the bytes seen after that are all there will be.
      const bool ended = has_ended(fd_.get());
      const auto size = receive(fd_.get(), into, MSG_PEEK);
      if ((!size || *size == 0) && closed_) return closed_here();
      if (!size) return size.error();
      if (*size != would_block) {
        const auto seen = static_cast<std::size_t>(*size);
        if (seen >= at_least || seen == 0 || ended) return seen;
      }
      if (Status s = wait(deadline); !s.is_ok()) return s;
    }
  }

  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    if (from.empty()) return std::size_t{0};
    return write_with([&] { return impl::send(fd_.get(), from); }, deadline);
  }

  Result<std::size_t> write_some_of(std::span<const std::string_view> pieces,
                                    rt::Deadline deadline) override {
    while (!pieces.empty() && pieces.back().empty()) pieces = pieces.first(pieces.size() - 1);
    if (pieces.empty()) return std::size_t{0};
    if (pieces.size() == 1) return write_some(pieces.front(), deadline);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): 4 KiB, of which few are filled mostly
    std::array<iovec, max_pieces> parts;
    msghdr message{};
    message.msg_iov = parts.data();
    for (const std::string_view piece : pieces) {
      if (piece.empty()) continue;
      if (message.msg_iovlen == parts.size()) break;
      // sendmsg() takes what it only reads as writable.
      parts[message.msg_iovlen++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    return write_with([&] { return send_message(fd_.get(), message); }, deadline);
  }

  Status close_write() override {
    if (closed_) return closed_here();
    return shut_down(fd_.get(), SHUT_WR);
  }

  // The descriptor itself stays until the destructor: its number must not be given to another
  // connection while a fiber still holds this stream. shutdown() makes the poller wake both sides.
  void close() override {
    if (closed_.exchange(true)) return;
    // What came and was not read would keep TCP's window shut, and who writes on the other side
    // waiting for as long as this object lives. Dropped before, it opens the window, which after
    // shutdown() nothing does but the other side's next probe; what still comes then breaks the
    // connection (RFC 1122, 4.2.2.13).
    if (is_tcp_) discard_received(fd_.get());
    (void)shut_down(fd_.get(), SHUT_RDWR);
    if (is_tcp_) discard_received(fd_.get());
  }

  [[nodiscard]] const Address& local_address() const override { return local_; }
  [[nodiscard]] const Address& remote_address() const override { return remote_; }
  [[nodiscard]] int descriptor() const override { return fd_.get(); }

  [[nodiscard]] rt::Pollable* readiness() override { return &pollable_; }
  [[nodiscard]] Unread unread() override {
    if (ended_ && !closed_) return Unread::ended;
    return drained_ && !pollable_.is_readable() ? Unread::nothing : Unread::perhaps;
  }

 private:
  // Bytes, 0 for the end, or would_block. Asks the kernel only if there may be something.
  Result<long> receive_some(std::span<char> into) {
    if (closed_) return closed_here();
    // Taken before the call: what comes after it is told of again.
    if (pollable_.take_readable()) drained_ = false;
    if (drained_) return would_block;
    const auto size = receive(fd_.get(), into);
    // close() also makes the kernel report an end: that one is ours.
    if ((!size || *size == 0) && closed_) return closed_here();
    if (!size) return size;
    ended_ = *size == 0;
    // A system call saved for nearly every read. Unix sockets also come back short at the end of
    // a message that carries descriptors.
    const bool is_short = !ended_ && *size < static_cast<long>(into.size());
    drained_ = *size == would_block || (is_short && is_tcp_ && pollable_.short_read_drains());
    return size;
  }

  template <class Call>
  Result<std::size_t> write_with(const Call& call, rt::Deadline deadline) {
    rt::checkpoint();
    for (;;) {
      if (closed_) return closed_here();
      const Result<long> size = call();
      if (!size && closed_) return closed_here();
      if (!size) return size.error();
      if (*size != would_block) return static_cast<std::size_t>(*size);
      if (Status s = pollable_.wait_writable(deadline); !s.is_ok()) return s;
    }
  }

  Status wait(rt::Deadline deadline) {
    Status status = pollable_.wait_readable(deadline);
    if (status.is_ok()) drained_ = false;
    return status;
  }

  Fd fd_;
  rt::Pollable pollable_;  // ends its watch before fd_ is closed
  std::atomic<bool> closed_ = false;
  // The reader's own.
  bool drained_ = false;  // nothing is left until pollable_ tells
  bool ended_ = false;
  const bool is_tcp_;
  const Address local_;
  const Address remote_;
};

}  // namespace

Result<std::unique_ptr<Stream>> make_socket_stream(Fd fd, Address remote) {
  auto stream = std::make_unique<SocketStream>(std::move(fd), std::move(remote));
  if (Status s = stream->watch(); !s.is_ok()) return s;
  return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace parley::net::impl
