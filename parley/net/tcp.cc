#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "parley/net/impl/socket.h"
#include "parley/net/network.h"
#include "parley/rt/pollable.h"

namespace parley::net {
namespace {

Status closed_here() { return {Code::unavailable, "the connection was closed on this side"}; }

class TcpStream final : public Stream {
 public:
  // `fd` is connected and non-blocking.
  static Result<std::unique_ptr<Stream>> make(Fd fd, Address remote) {
    auto stream = std::unique_ptr<TcpStream>(new TcpStream(std::move(fd), std::move(remote)));
    if (Status s = stream->pollable_.watch(stream->fd_.get()); !s.is_ok()) return s;
    return std::unique_ptr<Stream>(std::move(stream));
  }

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override {
    for (;;) {
      if (closed_) return closed_here();
      const auto size = impl::receive(fd_.get(), into);
      if (!size) return size.error();
      if (*size != impl::would_block) return static_cast<std::size_t>(*size);
      if (Status s = pollable_.wait_readable(deadline); !s.is_ok()) return s;
    }
  }

  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    for (;;) {
      if (closed_) return closed_here();
      const auto size = impl::send(fd_.get(), from);
      if (!size) return size.error();
      if (*size != impl::would_block) return static_cast<std::size_t>(*size);
      if (Status s = pollable_.wait_writable(deadline); !s.is_ok()) return s;
    }
  }

  Status close_write() override {
    if (closed_) return closed_here();
    if (::shutdown(fd_.get(), SHUT_WR) != 0) return errno_status(errno, "half-close");
    return {};
  }

  // The descriptor itself stays until the destructor: its number must not be given to another
  // connection while a fiber still holds this stream. shutdown() makes the poller wake both sides.
  void close() override {
    if (closed_) return;
    closed_ = true;
    ::shutdown(fd_.get(), SHUT_RDWR);
  }

  [[nodiscard]] const Address& local_address() const override { return local_; }
  [[nodiscard]] const Address& remote_address() const override { return remote_; }

 private:
  TcpStream(Fd fd, Address remote)
      : fd_(std::move(fd)), local_(impl::local_address_of(fd_.get())), remote_(std::move(remote)) {
    const int on = 1;
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  Fd fd_;
  rt::Pollable pollable_;  // ends its watch before fd_ is closed
  Address local_;
  Address remote_;
  bool closed_ = false;
};

class TcpListener final : public Listener {
 public:
  static Result<std::unique_ptr<Listener>> make(Fd fd) {
    auto listener = std::unique_ptr<TcpListener>(new TcpListener(std::move(fd)));
    if (Status s = listener->pollable_.watch(listener->fd_.get()); !s.is_ok()) return s;
    return std::unique_ptr<Listener>(std::move(listener));
  }

  Result<std::unique_ptr<Stream>> accept(rt::Deadline deadline) override {
    for (;;) {
      if (closed_) return Status(Code::unavailable, "the listener is closed");
      impl::SocketAddress from;
      const auto fd = impl::accept(fd_.get(), from);
      if (!fd) return fd.error();
      if (*fd != impl::would_block) {
        return TcpStream::make(Fd(static_cast<int>(*fd)), impl::address_of(from));
      }
      if (Status s = pollable_.wait_readable(deadline); !s.is_ok()) return s;
    }
  }

  void close() override {
    if (closed_) return;
    closed_ = true;
    ::shutdown(fd_.get(), SHUT_RDWR);  // wakes accept(); the descriptor goes with this object
  }

  [[nodiscard]] const Address& address() const override { return address_; }

 private:
  explicit TcpListener(Fd fd) : fd_(std::move(fd)), address_(impl::local_address_of(fd_.get())) {}

  Fd fd_;
  rt::Pollable pollable_;
  Address address_;
  bool closed_ = false;
};

}  // namespace

Result<std::unique_ptr<Listener>> TcpNetwork::listen(const Address& address,
                                                     const ListenOptions& options) {
  auto fd = impl::open_tcp_socket(address);
  if (!fd) return fd.error();
  const int on = 1;
  ::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const impl::SocketAddress where = impl::socket_address_of(address);
  if (::bind(fd->get(), where.get(), where.size) != 0 ||
      ::listen(fd->get(), options.backlog) != 0) {
    return errno_status(errno, "listen on " + address.to_string());
  }
  return TcpListener::make(*std::move(fd));
}

Result<std::unique_ptr<Stream>> TcpNetwork::dial(const Address& address, rt::Deadline deadline) {
  auto fd = impl::open_tcp_socket(address);
  if (!fd) return fd.error();
  const std::string what = "dial " + address.to_string();
  const impl::SocketAddress where = impl::socket_address_of(address);
  if (::connect(fd->get(), where.get(), where.size) != 0) {
    if (errno != EINPROGRESS) return errno_status(errno, what);
    rt::Pollable pollable;
    if (Status s = pollable.watch(fd->get()); !s.is_ok()) return s;
    if (Status s = pollable.wait_writable(deadline); !s.is_ok()) return s.with_context(what);
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd->get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return errno_status(error, what);
  }
  return TcpStream::make(*std::move(fd), address);
}

}  // namespace parley::net
