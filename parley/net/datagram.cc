#include "parley/net/datagram.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/assert.h"
#include "parley/net/impl/datagram_calls.h"
#include "parley/net/impl/options.h"
#include "parley/net/impl/socket.h"
#include "parley/rt/pollable.h"

namespace parley::net {

Result<Endpoint> Endpoint::of(const Address& address) {
  const Address where = address.as_numbers();
  if (!where.is_numeric()) {
    return Status(Code::invalid_argument,
                  "endpoint " + address.to_string() + ": the host is not a numeric address");
  }
  const impl::SocketAddress numbers = impl::socket_address_of(where);
  return from_raw({reinterpret_cast<const unsigned char*>(&numbers.storage), numbers.size});
}

Endpoint Endpoint::from_raw(std::span<const unsigned char> raw) {
  Endpoint endpoint;
  PARLEY_ASSERT(raw.size() <= endpoint.raw_.size(), "an endpoint of another family than IP");
  std::memcpy(endpoint.raw_.data(), raw.data(), raw.size());
  endpoint.size_ = static_cast<std::uint32_t>(raw.size());
  return endpoint;
}

Address Endpoint::address() const {
  if (empty()) return {.network = "udp", .host = {}, .port = 0};
  impl::SocketAddress numbers;
  std::memcpy(&numbers.storage, raw_.data(), size_);
  numbers.size = size_;
  return impl::address_of(numbers, "udp");
}

struct DatagramBatch::Room {
  struct Control {
    alignas(cmsghdr) std::array<unsigned char, CMSG_SPACE(sizeof(int))> bytes;
  };

  Room(std::size_t count, std::size_t each)
      : size(each),
        bytes(count * each),
        messages(count),
        parts(count),
        names(count),
        controls(count) {}

  // Everything as before the first use: the kernel writes into these.
  void prepare() {
    for (std::size_t i = 0; i < messages.size(); ++i) {
      parts[i] = {bytes.data() + i * size, size};
      msghdr& message = messages[i].msg_hdr;
      message = {};
      message.msg_name = &names[i];
      message.msg_namelen = sizeof names[i];
      message.msg_iov = &parts[i];
      message.msg_iovlen = 1;
      message.msg_control = controls[i].bytes.data();
      message.msg_controllen = controls[i].bytes.size();
    }
  }

  const std::size_t size;
  std::vector<char> bytes;
  std::vector<mmsghdr> messages;
  std::vector<iovec> parts;
  std::vector<sockaddr_in6> names;  // the longest of the two families
  std::vector<Control> controls;
  std::vector<Incoming> found;
};

DatagramBatch::DatagramBatch(std::size_t count, std::size_t size) {
  PARLEY_ASSERT(count >= 1 && count <= max_batch, "a batch has 1 to max_batch messages");
  PARLEY_ASSERT(size >= 1 && size <= max_datagram, "a datagram has 1 to max_datagram bytes");
  room_ = std::make_unique<Room>(count, size);
}
DatagramBatch::~DatagramBatch() = default;
DatagramBatch::DatagramBatch(DatagramBatch&&) noexcept = default;
DatagramBatch& DatagramBatch::operator=(DatagramBatch&&) noexcept = default;

struct DatagramSocket::State {
  Fd fd;
  rt::Pollable pollable;  // ends its watch before fd is closed
  Address local;
  Address remote{.network = "udp", .host = {}, .port = 0};
  bool merges = false;
  std::atomic<bool> cuts = false;
  std::atomic<bool> closed = false;
  Status late;  // of the sending fiber: what went wrong behind datagrams that went out
  std::atomic<std::uint64_t> received = 0;
  std::atomic<std::uint64_t> received_messages = 0;
  std::atomic<std::uint64_t> truncated = 0;
  std::atomic<std::uint64_t> sent_messages = 0;
};

namespace {

Status closed_here() { return {Code::unavailable, "the datagram socket was closed on this side"}; }

Status apply(const DatagramOptions& options, int fd, const Address& address) {
  StreamOptions buffers;
  buffers.send_buffer = options.send_buffer;
  buffers.receive_buffer = options.receive_buffer;
  if (Status s = impl::apply(buffers, fd, address.network); !s.is_ok()) return s;
  const int on = 1;
  if (options.reuse_port) {
    if (Status s =
            impl::set_option(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on, "option reuse_port");
        !s.is_ok()) {
      return s;
    }
  }
  if (options.broadcast) {
    if (Status s =
            impl::set_option(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on, "option broadcast");
        !s.is_ok()) {
      return s;
    }
  }
  if (!impl::is_ipv6(address)) {
    if (!options.v6_only) return {};
    return {Code::invalid_argument, "option v6_only: not for IPv4 sockets"};
  }
  const int v6_only = options.v6_only ? 1 : 0;
  return impl::set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only,
                          "option v6_only");
}

// What a failed call of a batch means. connect() makes the kernel hand over what the other side's
// machine answered (ICMP port unreachable): ECONNREFUSED.
Status failure(int error, std::string_view what) {
  if (error == EMSGSIZE) {
    return {Code::invalid_argument,
            std::string(what) + ": it is longer than a datagram can be here"};
  }
  return errno_status(error, what);
}

}  // namespace

DatagramSocket::DatagramSocket(std::unique_ptr<State> state) : state_(std::move(state)) {}
DatagramSocket::~DatagramSocket() = default;

Result<std::unique_ptr<DatagramSocket>> DatagramSocket::open(const Address& named, bool connected,
                                                             const DatagramOptions& options) {
  const Address address = named.as_numbers();
  if (address.network != "udp" || !address.is_numeric()) {
    return Status(Code::invalid_argument,
                  "a datagram socket takes a udp address with a numeric "
                  "host or localhost, udp://127.0.0.1:4711");
  }
  auto fd = impl::open_socket(address, SOCK_DGRAM);
  if (!fd) return fd.error();
  auto state = std::make_unique<State>();
  state->fd = *std::move(fd);
  const int number = state->fd.get();
  if (Status s = apply(options, number, address); !s.is_ok()) return s;
  if (connected) {
    if (const int error = impl::connect(number, impl::socket_address_of(address)); error != 0) {
      return errno_status(error, "connect");
    }
    state->remote = address;
  } else if (Status s = impl::bind_to(number, address); !s.is_ok()) {
    return s;
  }
  // A kernel that does not know these options does without (UDP_SEGMENT: 4.18, UDP_GRO: 5.0).
  state->cuts = options.send_offload && impl::get_option(number, SOL_UDP, UDP_SEGMENT) >= 0;
  const int on = 1;
  state->merges =
      options.receive_offload &&
      impl::set_option(number, SOL_UDP, UDP_GRO, &on, sizeof on, "receive_offload").is_ok();
  state->local = impl::local_address_of(number, "udp");
  if (Status s = state->pollable.watch(number); !s.is_ok()) return s;
  return std::unique_ptr<DatagramSocket>(new DatagramSocket(std::move(state)));
}

Result<std::unique_ptr<DatagramSocket>> DatagramSocket::bind(const Address& address,
                                                             const DatagramOptions& options) {
  return open(address, false, options).transform_error([&](const Status& status) {
    return status.with_context("bind " + address.to_string());
  });
}

Result<std::unique_ptr<DatagramSocket>> DatagramSocket::connect(const Address& remote,
                                                                const DatagramOptions& options) {
  return open(remote, true, options).transform_error([&](const Status& status) {
    return status.with_context("connect " + remote.to_string());
  });
}

Result<std::span<const Incoming>> DatagramSocket::receive(DatagramBatch& batch,
                                                          rt::Deadline deadline) {
  State& state = *state_;
  DatagramBatch::Room& room = *batch.room_;
  if (state.merges && room.size < max_datagram) {
    return Status(Code::invalid_argument,
                  "receive: with receive_offload a batch has room for max_datagram bytes each");
  }
  room.prepare();
  int count = 0;
  for (;;) {
    if (state.closed) return closed_here();
    count = impl::receive_batch(state.fd.get(), room.messages.data(), room.messages.size());
    if (state.closed) return closed_here();
    if (count >= 0) break;
    if (count != -EAGAIN) return failure(-count, "receive a datagram");
    if (Status s = state.pollable.wait_readable(deadline); !s.is_ok()) return s;
  }
  room.found.clear();
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const mmsghdr& message = room.messages[i];
    std::string_view rest(room.bytes.data() + i * room.size, message.msg_len);
    const bool truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0;
    const std::size_t segment = impl::segment_of(message.msg_hdr);
    const Endpoint from = Endpoint::from_raw(
        {reinterpret_cast<const unsigned char*>(&room.names[i]), message.msg_hdr.msg_namelen});
    do {
      const std::string_view one = segment == 0 ? rest : rest.substr(0, segment);
      rest.remove_prefix(one.size());
      room.found.push_back({from, one, truncated && rest.empty()});
    } while (!rest.empty());
    if (truncated) state.truncated.fetch_add(1, std::memory_order_relaxed);
  }
  state.received.fetch_add(room.found.size(), std::memory_order_relaxed);
  state.received_messages.fetch_add(static_cast<std::size_t>(count), std::memory_order_relaxed);
  return std::span<const Incoming>(room.found);
}

Result<Incoming> DatagramSocket::receive_from(std::span<char> into, rt::Deadline deadline) {
  State& state = *state_;
  if (state.merges) {
    return Status(Code::failed_precondition,
                  "receive_from: with receive_offload datagrams come in batches, use receive");
  }
  sockaddr_in6 name{};
  iovec part{.iov_base = into.data(), .iov_len = into.size()};
  mmsghdr message{};
  message.msg_hdr.msg_iov = &part;
  message.msg_hdr.msg_iovlen = 1;
  for (;;) {
    message.msg_hdr.msg_name = &name;
    message.msg_hdr.msg_namelen = sizeof name;
    if (state.closed) return closed_here();
    const int count = impl::receive_batch(state.fd.get(), &message, 1);
    if (state.closed) return closed_here();
    if (count >= 0) break;
    if (count != -EAGAIN) return failure(-count, "receive a datagram");
    if (Status s = state.pollable.wait_readable(deadline); !s.is_ok()) return s;
  }
  const bool truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0;
  state.received.fetch_add(1, std::memory_order_relaxed);
  state.received_messages.fetch_add(1, std::memory_order_relaxed);
  if (truncated) state.truncated.fetch_add(1, std::memory_order_relaxed);
  return Incoming{Endpoint::from_raw(
                      {reinterpret_cast<const unsigned char*>(&name), message.msg_hdr.msg_namelen}),
                  std::string_view(into.data(), message.msg_len), truncated};
}

Result<std::size_t> DatagramSocket::send_batch(std::span<const Outgoing> datagrams,
                                               rt::Deadline deadline) {
  State& state = *state_;
  if (!state.late.is_ok()) return std::exchange(state.late, {});
  impl::SendBatch batch;
  impl::SendBatch::Place at;
  Status status;
  bool cuts = state.cuts;
  while (at.entry < datagrams.size()) {
    if (state.closed) {
      status = closed_here();
      break;
    }
    batch.fill(datagrams, at, cuts);
    const int sent = impl::send_batch(state.fd.get(), batch.messages(), batch.count());
    if (sent > 0) {
      if (!cuts && state.cuts) state.cuts = false;
      at = batch.behind(static_cast<std::size_t>(sent));
      state.sent_messages.fetch_add(static_cast<std::size_t>(sent), std::memory_order_relaxed);
    } else if (sent == -EAGAIN) {
      status = state.pollable.wait_writable(deadline);
      if (!status.is_ok()) break;
    } else if ((sent == -EIO || sent == -EINVAL) && batch.first_is_cut()) {
      // The device cannot, or a segment is longer than its packets: cut here, and from now on if
      // that goes; it may as well be the address.
      cuts = false;
    } else {
      status = failure(-sent, "send a datagram");
      if (at.entry > 0) state.late = status;
      break;
    }
  }
  if (at.entry > 0 || status.is_ok()) return at.entry;
  return status;
}

Status DatagramSocket::send_to(const Endpoint& to, std::string_view payload,
                               rt::Deadline deadline) {
  const Outgoing one{.to = to, .payload = payload};
  return send_batch({&one, 1}, deadline).error();
}

Status DatagramSocket::send(std::string_view payload, rt::Deadline deadline) {
  return send_to(Endpoint(), payload, deadline);
}

// shutdown() wakes waiters even of a socket that is not connected; the descriptor goes with this
// object.
void DatagramSocket::close() {
  if (state_->closed.exchange(true)) return;
  (void)impl::shut_down(state_->fd.get(), SHUT_RDWR);
}

const Address& DatagramSocket::local_address() const { return state_->local; }
const Address& DatagramSocket::remote_address() const { return state_->remote; }
bool DatagramSocket::cuts_sent() const { return state_->cuts; }
bool DatagramSocket::merges_received() const { return state_->merges; }
int DatagramSocket::descriptor() const { return state_->fd.get(); }

DatagramCounts DatagramSocket::counts() const {
  return {.received = state_->received,
          .received_messages = state_->received_messages,
          .truncated = state_->truncated,
          .sent_messages = state_->sent_messages};
}

}  // namespace parley::net
