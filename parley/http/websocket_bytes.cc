// A WebSocket as a stream of bytes: websocket_byte_stream().
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "parley/base/assert.h"
#include "parley/http/websocket.h"

namespace parley::http {
namespace {

class WebSocketBytes final : public net::Stream {
 public:
  WebSocketBytes(std::unique_ptr<WebSocket> socket, const WebSocketBytesOptions& options)
      : socket_(std::move(socket)), options_(options) {
    PARLEY_ASSERT(options.most_message > 0, "messages of no bytes carry nothing");
  }

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override {
    if (into.empty()) return std::size_t{0};
    if (Status bad = fill(1, deadline); !bad.is_ok()) return bad;
    const std::size_t size = copy_to(into);
    came_.remove_prefix(size);
    return size;
  }

  Result<std::optional<std::size_t>> try_read(std::span<char> into) override {
    if (!refused_.is_ok()) return refused_;
    while (came_.empty() && !has_ended_) {
      Result<std::optional<WebSocketMessage>> message = socket_->try_receive_message();
      if (!message) {
        if (Status bad = end(message.error()); !bad.is_ok()) return bad;
      } else if (!*message) {
        return std::optional<std::size_t>();
      } else if (Status bad = take(std::move(**message)); !bad.is_ok()) {
        return bad;
      }
    }
    const std::size_t size = copy_to(into);
    came_.remove_prefix(size);
    return std::optional(size);
  }

  Result<std::size_t> peek(std::span<char> into, std::size_t at_least,
                           rt::Deadline deadline) override {
    PARLEY_ASSERT(at_least >= 1 && at_least <= into.size(), "peek for more than there is room for");
    if (Status bad = fill(at_least, deadline); !bad.is_ok()) return bad;
    return copy_to(into);
  }

  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    if (from.empty()) return std::size_t{0};
    const std::string_view now = from.substr(0, most_message());
    if (Status bad = sent(socket_->send_binary(now, deadline)); !bad.is_ok()) return bad;
    return now.size();
  }

  Result<std::size_t> write_some_of(std::span<const std::string_view> pieces,
                                    rt::Deadline deadline) override {
    // A large one need not be copied behind the ones before it.
    std::string together;
    for (const std::string_view piece : pieces) {
      if (together.empty() && piece.size() >= most_message()) return write_some(piece, deadline);
      together += piece.substr(0, most_message() - together.size());
      if (together.size() == most_message()) break;
    }
    return write_some(together, deadline);
  }

  Status close_write() override { return socket_->close_write(options_.code, {}); }
  void close() override { socket_->close(); }
  [[nodiscard]] const net::Address& local_address() const override {
    return socket_->local_address();
  }
  [[nodiscard]] const net::Address& remote_address() const override {
    return socket_->remote_address();
  }
  [[nodiscard]] rt::Pollable* readiness() override { return socket_->readiness(); }
  [[nodiscard]] Unread unread() override {
    if (!came_.empty()) return Unread::perhaps;
    return has_ended_ ? Unread::ended : socket_->unread();
  }
  [[nodiscard]] int descriptor() const override { return socket_->descriptor(); }

 private:
  [[nodiscard]] std::size_t most_message() const {
    return std::max<std::size_t>(std::min(options_.most_message, socket_->max_message()), 1);
  }

  std::size_t copy_to(std::span<char> into) const {
    const std::size_t size = std::min(into.size(), came_.size());
    if (size == 0) return 0;
    if (size <= came_.piece(0).size()) {
      std::memcpy(into.data(), came_.piece(0).data(), size);
    } else {
      came_.slice(0, size).copy_to(into.data());
    }
    return size;
  }

  // Until so many bytes are there or the other side has finished.
  Status fill(std::size_t at_least, rt::Deadline deadline) {
    if (!refused_.is_ok()) return refused_;
    while (came_.size() < at_least && !has_ended_) {
      Result<WebSocketMessage> message = socket_->receive_message(deadline);
      Status bad = message ? take(std::move(*message)) : end(message.error());
      if (!bad.is_ok()) return bad;
    }
    return {};
  }

  Status take(WebSocketMessage message) {
    if (message.type == WebSocketType::text && !options_.accept_text) {
      // At once or not at all: who reads must not wait for who writes.
      (void)socket_->close_write(close_code::unsupported_data, "bytes go in binary messages",
                                 rt::Deadline::after(Duration::zero()));
      return refused_ = Status(Code::invalid_argument,
                               "a text message came, bytes go in binary ones: the other side was "
                               "told 1003");
    }
    came_.append(std::move(message.payload));
    return {};
  }

  // An end that the other side announced is that of a stream.
  Status end(Status why) {
    if (why.code() != Code::out_of_range) return why;
    has_ended_ = true;
    return {};
  }

  // A stream knows no Close frames: who writes behind one finds it closed.
  static Status sent(Status status) {
    if (status.code() != Code::failed_precondition) return status;
    return {Code::unavailable, status.message()};
  }

  const std::unique_ptr<WebSocket> socket_;
  const WebSocketBytesOptions options_;
  Bytes came_;
  bool has_ended_ = false;
  Status refused_;
};

}  // namespace

std::unique_ptr<net::Stream> websocket_byte_stream(std::unique_ptr<WebSocket> socket,
                                                   const WebSocketBytesOptions& options) {
  return std::make_unique<WebSocketBytes>(std::move(socket), options);
}

}  // namespace parley::http
