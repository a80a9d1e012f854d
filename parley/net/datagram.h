// DatagramSocket: UDP (RFC 768), one datagram at a time or in batches.
//
// One fiber may receive while another sends, each on any worker; two of either at once are a bug.
// close() may come from any fiber. Every wait also ends with the calling fiber's context. What is
// sent may be lost, doubled or reordered on its way, as with any UDP.
//
//   auto socket = net::DatagramSocket::bind(*net::Address::parse("udp://0.0.0.0:4711"));
//   net::DatagramBatch batch;
//   while (auto found = (*socket)->receive(batch)) {
//     for (const net::Incoming& one : *found) (*socket)->send_to(one.from, answer(one.payload));
//   }
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "parley/base/result.h"
#include "parley/net/address.h"
#include "parley/rt/deadline.h"

namespace parley::net {

// Bytes no datagram is longer than (the length field of UDP, or of IPv4 before it, ends there).
inline constexpr std::size_t max_datagram = 65'535;
// Messages handed to or taken from the kernel in one system call.
inline constexpr std::size_t max_batch = 64;
// Datagrams the kernel cuts one message into (udp(7), UDP_SEGMENT).
inline constexpr std::size_t max_segments = 64;

// An IP address and a port in the kernel's form: cheap to copy and to compare. Its zone, if it has
// one, stays with it, so an answer finds its way.
class Endpoint {
 public:
  Endpoint() = default;  // nobody
  // invalid_argument unless `address` is numeric (see Resolver for names).
  static Result<Endpoint> of(const Address& address);

  // As a udp address.
  [[nodiscard]] Address address() const;
  [[nodiscard]] bool empty() const { return size_ == 0; }
  friend bool operator==(const Endpoint&, const Endpoint&) = default;

  // The bytes of its sockaddr, and back: for the code that talks to the kernel.
  [[nodiscard]] std::span<const unsigned char> raw() const { return {raw_.data(), size_}; }
  static Endpoint from_raw(std::span<const unsigned char> raw);

 private:
  alignas(8) std::array<unsigned char, 28> raw_{};
  std::uint32_t size_ = 0;
};

struct DatagramOptions {
  // SO_SNDBUF and SO_RCVBUF, as in StreamOptions. 0: net.core.wmem_default and rmem_default.
  std::size_t send_buffer = 0;
  std::size_t receive_buffer = 0;
  // SO_REUSEPORT: more sockets of the same user on this port; the kernel spreads senders among
  // them.
  bool reuse_port = false;
  // IPV6_V6ONLY: [::] does not take IPv4 datagrams as well.
  bool v6_only = false;
  // SO_BROADCAST: allows sending to broadcast addresses.
  bool broadcast = false;
  // UDP_SEGMENT: the kernel cuts messages that have a segment size, once for all of them. Where it
  // does not offer that, or the network device cannot, they are cut here: the same datagrams leave.
  bool send_offload = true;
  // UDP_GRO: the kernel joins datagrams of one sender that come together, and receive() takes them
  // apart again: needs a batch of max_datagram bytes each. See merges_received().
  bool receive_offload = false;
};

struct Incoming {
  Endpoint from;
  std::string_view payload;  // within the batch or the buffer it was received to
  bool truncated = false;    // it was longer than its place: the rest is lost
};

struct Outgoing {
  Endpoint to;  // empty on a connected socket
  std::string_view payload{};
  // More than 0: the payload is many datagrams of this size, the last of which may be shorter.
  std::size_t segment = 0;
};

// Where a batch of datagrams is received to; allocated once, used again and again.
class DatagramBatch {
 public:
  // Room for `count` messages (1 to max_batch) of `size` bytes (1 to max_datagram).
  explicit DatagramBatch(std::size_t count = 32, std::size_t size = 2048);
  ~DatagramBatch();
  DatagramBatch(DatagramBatch&&) noexcept;
  DatagramBatch& operator=(DatagramBatch&&) noexcept;

 private:
  friend class DatagramSocket;
  struct Room;
  std::unique_ptr<Room> room_;
};

// What a socket did so far. A message is one that the kernel was handed or gave: more than one
// datagram with offload.
struct DatagramCounts {
  std::uint64_t received = 0;
  std::uint64_t received_messages = 0;
  std::uint64_t truncated = 0;
  std::uint64_t sent_messages = 0;
};

class DatagramSocket {
 public:
  // A socket that receives what is sent to `address`, a numeric udp one; port 0 lets the kernel
  // choose. Errors as for Network::listen.
  static Result<std::unique_ptr<DatagramSocket>> bind(const Address& address,
                                                      const DatagramOptions& options = {});
  // A socket that exchanges datagrams with `remote` only, and learns when nobody is there. Nothing
  // is sent yet.
  static Result<std::unique_ptr<DatagramSocket>> connect(const Address& remote,
                                                         const DatagramOptions& options = {});
  ~DatagramSocket();
  DatagramSocket(const DatagramSocket&) = delete;
  DatagramSocket& operator=(const DatagramSocket&) = delete;

  // The datagrams that are there, at least one, as soon as there are any; valid until the batch is
  // used again. unavailable when the socket is closed, or is connected and the other side said that
  // nobody listens there (told once for each such answer: receive again); invalid_argument for a
  // batch too small for receive_offload; deadline_exceeded, or the context's status, when that came
  // first.
  Result<std::span<const Incoming>> receive(DatagramBatch& batch, rt::Deadline deadline = {});

  // One datagram. Errors as above; failed_precondition with receive_offload, which needs a batch.
  Result<Incoming> receive_from(std::span<char> into, rt::Deadline deadline = {});

  // Hands over the datagrams in order and returns how many entries of `datagrams` went out whole:
  // all of them, or fewer when the deadline, the context or an error came in between, which is
  // returned when none went (an error behind others is kept for the next call). Waits while the
  // send buffer is full. invalid_argument for what is longer than a datagram or a send buffer can
  // be; unavailable as for receive, or without a route.
  Result<std::size_t> send_batch(std::span<const Outgoing> datagrams, rt::Deadline deadline = {});

  // One datagram; on a connected socket without `to`.
  Status send_to(const Endpoint& to, std::string_view payload, rt::Deadline deadline = {});
  Status send(std::string_view payload, rt::Deadline deadline = {});

  // Wakes who receives or sends, with unavailable. Twice is fine.
  void close();

  // With the real port. remote_address() has an empty host unless connected.
  [[nodiscard]] const Address& local_address() const;
  [[nodiscard]] const Address& remote_address() const;
  // Whether the kernel cuts and joins datagrams for this socket: what was asked for, where it can.
  [[nodiscard]] bool cuts_sent() const;
  [[nodiscard]] bool merges_received() const;
  [[nodiscard]] DatagramCounts counts() const;
  // As for Stream.
  [[nodiscard]] int descriptor() const;

 private:
  struct State;
  explicit DatagramSocket(std::unique_ptr<State> state);
  static Result<std::unique_ptr<DatagramSocket>> open(const Address& named, bool connected,
                                                      const DatagramOptions& options);

  std::unique_ptr<State> state_;
};

}  // namespace parley::net
