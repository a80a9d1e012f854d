// MessageStream: messages both ways, their boundaries kept. Over a Stream (each message behind its
// length) or over a Unix socket that keeps them itself.
//
// One fiber may receive while another sends, each on any worker; two of either at once are a bug.
// close() may come from any fiber. Every wait also ends with the calling fiber's context.
//
//   auto messages = net::message_stream_over(*network.dial(address));
//   if (Status s = messages->send("ready?"); !s.is_ok()) return s;
//   while (auto message = messages->receive()) handle(*message);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/net/address.h"
#include "parley/net/options.h"
#include "parley/net/stream.h"
#include "parley/rt/deadline.h"

namespace parley::net {

class MessageStream {
 public:
  virtual ~MessageStream() = default;
  MessageStream() = default;
  MessageStream(const MessageStream&) = delete;
  MessageStream& operator=(const MessageStream&) = delete;

  // The next message; it may be empty. deadline_exceeded, or the context's status, when that came
  // first: what has come of a message is kept, receive again. Anything else is the end of
  // receiving: out_of_range when the other side has finished; data_loss when it finished inside a
  // message; resource_exhausted for a message longer than max_message (the connection is closed
  // then); unavailable when the connection is broken or closed here.
  virtual Result<Bytes> receive(rt::Deadline deadline = {}) = 0;

  // Hands over one message. invalid_argument, and nothing is sent, when it is longer than
  // max_message. When a deadline or the context ends it, part of the message may have left: then no
  // other can follow, and later sends are unavailable.
  Status send(const Bytes& message, rt::Deadline deadline = {});
  Status send(std::string_view message, rt::Deadline deadline = {});

  // No message will be sent any more; receiving goes on.
  virtual Status close_write() = 0;
  // Ends both directions at once and wakes whoever waits, with unavailable. Twice is fine.
  virtual void close() = 0;

  // Bytes of the longest message, both ways.
  [[nodiscard]] virtual std::size_t max_message() const = 0;
  [[nodiscard]] virtual const Address& local_address() const = 0;
  [[nodiscard]] virtual const Address& remote_address() const = 0;
  // As for Stream.
  [[nodiscard]] virtual int descriptor() const { return -1; }

 protected:
  // The message is the pieces, one behind the other.
  virtual Status send_pieces(std::span<const std::string_view> pieces, rt::Deadline deadline) = 0;
};

struct MessageOptions {
  // Memory one connection may be made to hold; the other side must not send more. At most
  // 2^32 - 1.
  std::size_t max_message = std::size_t{1} << 20;
};

// Messages over `stream`: each is its length in 4 bytes, big end first, and then its bytes.
std::unique_ptr<MessageStream> message_stream_over(std::unique_ptr<Stream> stream,
                                                   const MessageOptions& options = {});

class MessageListener {
 public:
  virtual ~MessageListener() = default;
  MessageListener() = default;
  MessageListener(const MessageListener&) = delete;
  MessageListener& operator=(const MessageListener&) = delete;

  // As for Listener.
  virtual Result<std::unique_ptr<MessageStream>> accept(rt::Deadline deadline = {}) = 0;
  virtual void close() = 0;
  [[nodiscard]] virtual const Address& address() const = 0;
  [[nodiscard]] virtual ListenerCounts counts() const { return {}; }
};

// Messages that the kernel keeps apart (unix(7), SOCK_SEQPACKET): a Unix address on both sides, and
// no framing, so that any program that speaks such sockets can be the other side. The longest
// message is max_message, and also what the socket's send buffer holds: send() is invalid_argument
// beyond that; StreamOptions::send_buffer raises it. A send that a deadline ends has sent nothing.
// Errors as for Network::listen and Network::dial.
Result<std::unique_ptr<MessageListener>> listen_packets(const Address& address,
                                                        const ListenOptions& listen = {},
                                                        const MessageOptions& options = {});
Result<std::unique_ptr<MessageStream>> dial_packets(const Address& address,
                                                    rt::Deadline deadline = {},
                                                    const DialOptions& dial = {},
                                                    const MessageOptions& options = {});

}  // namespace parley::net
