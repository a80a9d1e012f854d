#include "parley/net/impl/listening_socket.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "parley/net/impl/options.h"
#include "parley/net/impl/socket_stream.h"
#include "parley/net/impl/unix.h"
#include "parley/rt/context.h"

namespace parley::net::impl {

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  struct stat status{};
  if (::lstat(path_.c_str(), &status) != 0) {
    forget();
    return;
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

void SocketFile::remove() {
  if (path_.empty()) return;
  struct stat status{};
  if (::lstat(path_.c_str(), &status) == 0 && S_ISSOCK(status.st_mode) &&
      status.st_dev == device_ && status.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
  forget();
}

ListeningSocket::ListeningSocket(Fd fd, SocketFile file, bool shared)
    : fd_(std::move(fd)),
      file_(std::move(file)),
      address_(local_address_of(fd_.get())),
      shared_(shared) {}

Result<std::unique_ptr<ListeningSocket>> ListeningSocket::make(Fd fd, SocketFile file,
                                                               bool shared) {
  auto socket =
      std::unique_ptr<ListeningSocket>(new ListeningSocket(std::move(fd), std::move(file), shared));
  if (Status s = socket->bell_.watch(socket->fd_.get()); !s.is_ok()) {
    if (shared) socket->set_shared();  // not taken after all: its file stays as well
    return s;
  }
  return socket;
}

Status ListeningSocket::closed() {
  bell_.ring();  // another fiber may wait in accept() as well
  return {Code::unavailable, "the listener is closed"};
}

// Ok when it is time to ask for a descriptor again, or when the listener was closed. New
// connections do not shorten it: the queue being full of them is the very reason to wait.
Status ListeningSocket::pause(Duration& length, rt::Deadline deadline) {
  pauses_.fetch_add(1, std::memory_order_relaxed);
  const rt::Deadline until = std::min(deadline, rt::Deadline::after(length));
  length = std::min(length * 2, longest_accept_pause);
  const Status status = bell_.wait_for_ring(until);
  if (status.is_ok() || status.code() != Code::deadline_exceeded) return status;
  if (Status context = rt::Context::current().status(); !context.is_ok()) return context;
  if (!deadline.is_over()) return {};
  return {Code::deadline_exceeded,
          "accept: no descriptor was free in time; raise the limit "
          "(ulimit -n) or close connections"};
}

Result<Fd> ListeningSocket::accept(SocketAddress& from, rt::Deadline deadline) {
  for (Duration length = first_accept_pause;;) {
    if (closed_) return closed();
    const auto fd = impl::accept(fd_.get(), from);
    // Closed meanwhile: the kernel's answer is due to that. A connection that was made counts.
    if ((!fd || *fd < 0) && closed_) return closed();
    if (!fd) return fd.error();
    if (*fd >= 0) {
      accepted_.fetch_add(1, std::memory_order_relaxed);
      return Fd(static_cast<int>(*fd));
    }
    if (*fd == no_descriptor) {
      if (Status s = pause(length, deadline); !s.is_ok()) return s;
    } else if (Status s = bell_.wait(deadline); !s.is_ok()) {
      return s;
    }
  }
}

// The descriptor goes with this object: a fiber may still be inside accept().
void ListeningSocket::close() {
  if (closed_.exchange(true)) return;
  if (!file_is_others_) file_.remove();
  if (!shared_) (void)shut_down(fd_.get(), SHUT_RDWR);
  bell_.ring();
}

Result<Fd> open_listening(const Address& address, int type, const ListenOptions& options,
                          SocketFile& file) {
  if (address.network == "unix") return open_unix_listening(address, type, options, file);
  auto fd = open_socket(address, type);
  if (!fd) return fd.error();
  if (Status s = apply(options, fd->get(), address); !s.is_ok()) return s;
  if (Status s = bind_to(fd->get(), address); !s.is_ok()) return s;
  if (Status s = start_listening(fd->get(), options.backlog); !s.is_ok()) return s;
  return fd;
}

namespace {

class SocketListener final : public Listener {
 public:
  explicit SocketListener(std::unique_ptr<ListeningSocket> socket) : socket_(std::move(socket)) {}

  Result<std::unique_ptr<Stream>> accept(rt::Deadline deadline) override {
    for (Duration length = first_accept_pause;;) {
      SocketAddress from;
      auto fd = socket_->accept(from, deadline);
      if (!fd) return fd.error();
      auto stream = make_socket_stream(*std::move(fd), address_of(from));
      if (stream || stream.error().code() != Code::resource_exhausted) return stream;
      // The kernel would not watch it (fs.epoll.max_user_watches, memory): the connection is lost,
      // the listener need not be.
      if (Status s = socket_->pause(length, deadline); !s.is_ok()) return s;
    }
  }
  void close() override { socket_->close(); }
  [[nodiscard]] const Address& address() const override { return socket_->address(); }
  [[nodiscard]] ListenerCounts counts() const override { return socket_->counts(); }
  [[nodiscard]] int descriptor() const override { return socket_->descriptor(); }
  void set_shared() override { socket_->set_shared(); }

 private:
  std::unique_ptr<ListeningSocket> socket_;
};

}  // namespace

Result<std::unique_ptr<Listener>> make_listener(Fd fd, SocketFile file, bool shared) {
  auto socket = ListeningSocket::make(std::move(fd), std::move(file), shared);
  if (!socket) return socket.error();
  return std::unique_ptr<Listener>(new SocketListener(*std::move(socket)));
}

}  // namespace parley::net::impl
