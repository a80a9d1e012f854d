// The MessageStream and MessageListener over SOCK_SEQPACKET.
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <climits>
#include <string>
#include <utility>
#include <vector>

#include "parley/net/impl/listening_socket.h"
#include "parley/net/impl/socket.h"
#include "parley/net/impl/unix.h"
#include "parley/net/message_stream.h"
#include "parley/rt/pollable.h"

namespace parley::net {
namespace {

Status closed_here() { return {Code::unavailable, "the connection was closed on this side"}; }

class Packets final : public MessageStream {
 public:
  static Result<std::unique_ptr<MessageStream>> make(Fd fd, Address remote,
                                                     const MessageOptions& options) {
    // With it each message brings its sender's credentials, and the end does not: an empty message
    // and the end look alike otherwise (recv(2) returns 0 for both).
    const int on = 1;
    if (Status s = impl::set_option(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on,
                                    "ask for credentials");
        !s.is_ok()) {
      return s;
    }
    auto stream = std::unique_ptr<Packets>(
        new Packets(std::move(fd), std::move(remote), options.max_message));
    if (Status s = stream->pollable_.watch(stream->fd_.get()); !s.is_ok()) return s;
    return std::unique_ptr<MessageStream>(std::move(stream));
  }

  Result<Bytes> receive(rt::Deadline deadline) override {
    for (;;) {
      if (closed_) return receiving_ended();
      // How long it is, before there is a place for it.
      const auto size = impl::receive(fd_.get(), {}, MSG_PEEK | MSG_TRUNC);
      if (closed_) return receiving_ended();
      if (!size) return size.error();
      if (*size != impl::would_block) return take(static_cast<std::size_t>(*size));
      if (Status s = pollable_.wait_readable(deadline); !s.is_ok()) return s;
    }
  }

  Status close_write() override {
    if (closed_) return closed_here();
    return impl::shut_down(fd_.get(), SHUT_WR);
  }
  // As for a stream: the descriptor goes with the object.
  void close() override {
    if (closed_.exchange(true)) return;
    (void)impl::shut_down(fd_.get(), SHUT_RDWR);
  }

  [[nodiscard]] std::size_t max_message() const override { return max_message_; }
  [[nodiscard]] const Address& local_address() const override { return local_; }
  [[nodiscard]] const Address& remote_address() const override { return remote_; }
  [[nodiscard]] int descriptor() const override { return fd_.get(); }

 private:
  Packets(Fd fd, Address remote, std::size_t max_message)
      : fd_(std::move(fd)),
        max_message_(max_message),
        local_(impl::local_address_of(fd_.get())),
        remote_(std::move(remote)) {}

  [[nodiscard]] Status receiving_ended() const { return ended_.is_ok() ? closed_here() : ended_; }

  // The message of `size` bytes that is at the front of the queue, or the end.
  Result<Bytes> take(std::size_t size) {
    if (size > max_message_) {
      ended_ = Status(Code::resource_exhausted, "receive: a message of " + std::to_string(size) +
                                                    " bytes, max_message is " +
                                                    std::to_string(max_message_));
      close();
      return ended_;
    }
    BlockRef block(Block::allocate(size));
    iovec part{.iov_base = block->data(), .iov_len = size};
    // Room for credentials and nothing else: descriptors that somebody sends along are dropped.
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto received = impl::receive_message(fd_.get(), message, 0);
    if (closed_) return receiving_ended();
    if (!received) return received.error();
    if (*received == 0 && message.msg_controllen == 0) {
      return Status(Code::out_of_range, "receive: the other side has finished");
    }
    return Bytes::view_of(std::move(block), 0, size);
  }

  Status send_pieces(std::span<const std::string_view> pieces, rt::Deadline deadline) override {
    std::vector<iovec> parts;
    std::size_t size = 0;
    for (const std::string_view piece : pieces) {
      parts.push_back({const_cast<char*>(piece.data()), piece.size()});  // only read
      size += piece.size();
    }
    if (size > max_message_) {
      return {Code::invalid_argument, "send: a message of " + std::to_string(size) +
                                          " bytes, max_message is " + std::to_string(max_message_)};
    }
    std::string whole;
    if (parts.size() > IOV_MAX) {
      for (const std::string_view piece : pieces) whole += piece;
      parts.assign(1, {whole.data(), whole.size()});
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    for (;;) {
      if (closed_) return closed_here();
      const auto sent = impl::send_message(fd_.get(), message);
      if (!sent && closed_) return closed_here();
      if (!sent) return sent.error();
      if (*sent != impl::would_block) return {};
      if (Status s = pollable_.wait_writable(deadline); !s.is_ok()) return s;
    }
  }

  Fd fd_;
  rt::Pollable pollable_;  // ends its watch before fd_ is closed
  const std::size_t max_message_;
  const Address local_;
  const Address remote_;
  std::atomic<bool> closed_ = false;
  Status ended_;  // of the receiving fiber
};

class PacketListener final : public MessageListener {
 public:
  PacketListener(std::unique_ptr<impl::ListeningSocket> socket, const MessageOptions& options)
      : socket_(std::move(socket)), options_(options) {}

  Result<std::unique_ptr<MessageStream>> accept(rt::Deadline deadline) override {
    impl::SocketAddress from;
    auto fd = socket_->accept(from, deadline);
    if (!fd) return fd.error();
    return Packets::make(*std::move(fd), impl::address_of(from), options_);
  }
  void close() override { socket_->close(); }
  [[nodiscard]] const Address& address() const override { return socket_->address(); }
  [[nodiscard]] ListenerCounts counts() const override { return socket_->counts(); }

 private:
  std::unique_ptr<impl::ListeningSocket> socket_;
  const MessageOptions options_;
};

Status need_unix(const Address& address) {
  if (address.network == "unix") return {};
  return {Code::invalid_argument,
          "packets need a Unix address (unix:///run/shop.sock), for others "
          "there is message_stream_over()"};
}

}  // namespace

Result<std::unique_ptr<MessageListener>> listen_packets(const Address& address,
                                                        const ListenOptions& listen,
                                                        const MessageOptions& options) {
  const std::string what = "listen on " + address.to_string();
  if (Status s = need_unix(address); !s.is_ok()) return s.with_context(what);
  impl::SocketFile file;
  auto fd = impl::open_listening(address, SOCK_SEQPACKET, listen, file);
  if (!fd) return fd.error().with_context(what);
  auto socket = impl::ListeningSocket::make(*std::move(fd), std::move(file));
  if (!socket) return socket.error().with_context(what);
  return std::unique_ptr<MessageListener>(new PacketListener(*std::move(socket), options));
}

Result<std::unique_ptr<MessageStream>> dial_packets(const Address& address, rt::Deadline deadline,
                                                    const DialOptions& dial,
                                                    const MessageOptions& options) {
  const std::string what = "dial " + address.to_string();
  if (Status s = need_unix(address); !s.is_ok()) return s.with_context(what);
  auto fd = impl::connect_unix(address, SOCK_SEQPACKET, deadline, dial);
  if (!fd) return fd.error().with_context(what);
  return Packets::make(*std::move(fd), address, options);
}

}  // namespace parley::net
