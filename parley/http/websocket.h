// WebSocket: messages both ways over a connection that began as HTTP (RFC 6455), each text or
// binary. How one is opened: websocket_handshake.h.
//
// One fiber may receive while another sends, each on any worker; two of either at once are a bug.
// close() may come from any fiber. Every wait also ends with the calling fiber's context. Pings are
// answered, and sent, by whoever receives, so have a fiber in receive(), or call it when
// readiness() tells. Accepted by a server that drains, it leaves by itself: a
// Close frame 1001, and the end when the other side has answered it or close_timeout is over.
//
//   while (auto message = socket->receive_message()) {
//     if (message->type == WebSocketType::text) return socket->shut(close_code::unsupported_data);
//     if (Status s = socket->send_binary(message->payload); !s.is_ok()) return s;
//   }
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/http/draining.h"
#include "parley/http/websocket_codec.h"
#include "parley/net/message_stream.h"
#include "parley/net/stream.h"
#include "parley/rt/mutex.h"

namespace parley::http {

struct WebSocketOptions {
  WebSocketLimits limits{};
  // What is offered, or accepted.
  DeflateOptions deflate{};
  WebSocketWriterOptions writer{};
  // After so long without a byte from the other side it is sent a ping. Zero: never.
  Duration ping_interval = std::chrono::seconds(30);
  // So long after that ping, without a byte still, the connection is given up. Zero: never.
  Duration pong_timeout = std::chrono::seconds(20);
  // How long shut(), and who leaves since his server drains, waits for the other side's Close
  // frame, and a client for the end behind it.
  Duration close_timeout = std::chrono::seconds(5);
};

struct WebSocketMessage {
  WebSocketType type = WebSocketType::binary;
  Bytes payload{};
};

class WebSocket final : public net::MessageStream, private Attended {
 public:
  // Over a stream on which the handshake is done. `deflate`: what was agreed on.
  WebSocket(std::unique_ptr<net::Stream> stream, Side side, const WebSocketOptions& options = {},
            const std::optional<DeflateAgreement>& deflate = {}, std::string subprotocol = {});
  // Without a Close frame where there was none: say shut() first.
  ~WebSocket() override;

  // The next message. Ends: out_of_range when the other side closed with 1000, 1001 or no code, or
  // agreed that this server goes away; unavailable when it closed for another reason, the
  // connection broke, no pong came, it did not agree in time or it was closed here; data_loss when
  // it ended without a Close frame; and what WebSocketReader::next() refuses, which the other side
  // is told. deadline_exceeded or the context's status when that came first: what has come is kept,
  // receive again.
  Result<WebSocketMessage> receive_message(rt::Deadline deadline = {});
  // The same without waiting: nothing when there is nothing whole now.
  Result<std::optional<WebSocketMessage>> try_receive_message();
  // Its bytes, whatever its type.
  Result<Bytes> receive(rt::Deadline deadline = {}) override;

  // Waits while the other side takes nothing. send() is send_binary(). Errors as for
  // net::MessageStream; data_loss, and nothing is sent, for a text that is no UTF-8;
  // failed_precondition once a Close frame was sent.
  Status send_text(std::string_view text, rt::Deadline deadline = {});
  Status send_binary(std::string_view bytes, rt::Deadline deadline = {});
  Status send_binary(const Bytes& bytes, rt::Deadline deadline = {}) {
    return send(bytes, deadline);
  }
  // A ping of one's own, with at most 125 bytes; its pong shows only in last_pong().
  Status ping(std::string_view payload, rt::Deadline deadline = {});

  // Closes as the protocol has it: sends a Close frame, passes over what still comes until the
  // other side's, and ends the connection; all in WebSocketOptions::close_timeout. By the fiber
  // that both sends and receives. Ok also when the other side had closed before. deadline_exceeded
  // when it did not answer; invalid_argument for a code or reason that nobody may send.
  Status shut(std::uint16_t code = close_code::normal, std::string_view reason = {});
  // Sends the Close frame only: receive() goes on until the other side's.
  Status close_write() override;
  Status close_write(std::uint16_t code, std::string_view reason, rt::Deadline deadline = {});
  void close() override;

  // Of one that a server accepted, which accept_websocket() says: it leaves when that drains.
  void leave_with(std::shared_ptr<Draining> draining);
  // What is done in place of that: called when the server drains, on a fiber on which it must not
  // wait (Draining::start()), and again soon while it returns false. Not where it leaves already.
  // Before anybody else uses the socket.
  void on_drain(std::function<bool(Draining& draining)> leave);

  // What the other side closed with: 1005 without a code, 1006 as long as no Close frame came. By
  // the fiber that receives, as the next three.
  [[nodiscard]] std::uint16_t close_code() const noexcept { return close_code_; }
  [[nodiscard]] const std::string& close_reason() const noexcept { return close_reason_; }
  // What the last pong carried.
  [[nodiscard]] const std::string& last_pong() const noexcept { return last_pong_; }
  // As for net::Stream.
  [[nodiscard]] net::Stream::Unread unread();

  [[nodiscard]] const std::string& subprotocol() const noexcept { return subprotocol_; }
  [[nodiscard]] bool is_compressed() const noexcept { return is_compressed_; }
  // As for net::Stream. Of one that a server accepted it also tells when try_receive_message() has
  // to send a ping, or finds that no pong came.
  [[nodiscard]] rt::Pollable* readiness() { return stream_->readiness(); }
  [[nodiscard]] std::size_t max_message() const override { return options_.limits.max_message; }
  [[nodiscard]] const net::Address& local_address() const override;
  [[nodiscard]] const net::Address& remote_address() const override;
  [[nodiscard]] int descriptor() const override { return stream_->descriptor(); }

 private:
  Status send_pieces(std::span<const std::string_view> pieces, rt::Deadline deadline) override;
  Status send_message(WebSocketType type, std::span<const std::string_view> pieces,
                      rt::Deadline deadline);
  Status check_open() const;
  Status write_unsent(rt::Deadline deadline);
  Status write_pieces(std::span<const std::string_view> pieces, rt::Deadline deadline);

  Result<bool> take_event();
  void take_close();
  Instant attend(Instant now, bool drains) override;
  Instant go_away(Instant now);
  bool say_goodbye();
  Instant wake_reader(Instant now);
  void rest(Instant now);
  Status end(Status why);
  Status end_wait(Status why);
  void end_writing();
  Status read_more(rt::Deadline deadline);
  Status read_some(rt::Deadline deadline);
  Status keep_alive(Instant now);
  [[nodiscard]] Instant next_look(Instant now) const;
  void answer_soon(std::string frame);
  void write_answers();
  void use(std::size_t size);
  Status wait_for_end(rt::Deadline deadline);

  const std::unique_ptr<net::Stream> stream_;
  const Side side_;
  const WebSocketOptions options_;
  const std::string subprotocol_;
  const bool is_compressed_;

  // Of the fiber that receives.
  WebSocketReader reader_;
  WebSocketWriter answers_;         // pongs, pings and Close frames, which need no memory of others
  std::unique_ptr<char[]> buffer_;  // NOLINT(*-avoid-c-arrays): it need not be filled with zeros
  std::string_view in_;             // read and not yet used, within buffer_
  std::string answer_;              // the frame to be sent next, in place of older ones
  std::optional<WebSocketMessage> message_;
  std::uint16_t close_code_ = close_code::lost;
  std::string close_reason_;
  std::string last_pong_;
  Instant heard_{};  // when the last byte came
  bool waits_for_pong_ = false;
  Status ended_;

  // Of whoever holds the mutex.
  rt::Mutex writing_;
  WebSocketWriter writer_;
  std::string out_;
  std::string unsent_;  // the rest of an answer that did not leave at once: before anything else
  bool cut_ = false;    // part of a message went out, none can follow
  std::atomic<bool> has_unsent_ = false;
  std::atomic<bool> close_sent_ = false;
  std::atomic<bool> closed_ = false;

  // Of who attends, or before.
  std::function<bool(Draining&)> leave_;
  bool has_left_ = false;  // by it
  Instant leave_until_{};
  std::atomic<bool> goes_away_ = false;  // since the server drains
  // When the reader that has no fiber at rest has something to do although nothing came.
  std::atomic<Instant> rests_until_ = Instant::max();
};

struct WebSocketBytesOptions {
  // Texts are bytes as well. Else one ends the stream: the other side is told 1003.
  bool accept_text = false;
  // A write becomes a message of at most so many bytes, or max_message where that is less.
  std::size_t most_message = std::size_t{64} << 10U;
  // What close_write() closes with.
  std::uint16_t code = close_code::normal;
};

// The bytes of binary messages, one behind the other, as a stream: what is written leaves in binary
// messages. It has readiness(), so that who serves it needs no fiber at rest (net/serve.h), and
// peek(). Its close_write() sends a Close frame, upon which the other side ends, too.
std::unique_ptr<net::Stream> websocket_byte_stream(std::unique_ptr<WebSocket> socket,
                                                   const WebSocketBytesOptions& options = {});

}  // namespace parley::http
