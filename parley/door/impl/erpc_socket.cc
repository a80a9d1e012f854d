#include "parley/door/impl/erpc_socket.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "parley/wire/ws_payload.h"

namespace parley::door::impl {
namespace {

using wire::Message;
using wire::MessageType;

constexpr std::size_t length_bytes = 4;
// Of a payload beside its body, about.
constexpr std::size_t most_overhead = 1024;

std::string length_of(std::size_t size) {
  std::string length;
  for (int shift = 24; shift >= 0; shift -= 8) length += static_cast<char>(size >> shift & 0xFFU);
  return length;
}

// Of the payload behind these four bytes.
std::size_t read_length(std::string_view bytes) {
  std::size_t size = 0;
  for (const char c : bytes.substr(0, length_bytes)) {
    size = size << 8U | static_cast<unsigned char>(c);
  }
  return size;
}

class SocketEncoder final : public wire::Encoder {
 public:
  SocketEncoder(ErpcSocket kind, wire::ErpcLimits limits)
      : kind_(kind), limits_(std::move(limits)) {}

  // The five types of Teleport's.
  [[nodiscard]] bool has(MessageType type) const noexcept override {
    return type <= MessageType::auth_reply;
  }
  [[nodiscard]] std::size_t max_body_bytes() const noexcept override {
    return limits_.max_frame_bytes - std::min(limits_.max_frame_bytes, most_overhead);
  }
  [[nodiscard]] bool remembers() const noexcept override { return false; }

  Status encode_answer(std::int32_t seq, wire::BodyCodec codec, std::string_view body,
                       std::string& out) const override {
    Message message{.seq = seq, .type = MessageType::reply, .body_codec = codec};
    message.body = Bytes::copy_of(body);
    return put(message, out);
  }
  Status encode_apart(const Message& message, std::string& out, Bytes& tail) override {
    Status status = put(message, out);
    if (status.is_ok()) tail = {};
    return status;
  }

 protected:
  Status encode_pieces(const Message& message, std::span<const std::string_view> body,
                       std::string& out) override {
    Message whole = message;
    std::string together;
    for (const std::string_view piece : body) together += piece;
    whole.body = Bytes::from(std::move(together));
    return put(whole, out);
  }

 private:
  Status put(const Message& message, std::string& out) const {
    const std::size_t start = out.size();
    out.append(length_bytes, '\0');
    Status status = kind_ == ErpcSocket::json ? wire::encode_ws_json(message, out, limits_)
                                              : wire::encode_ws_pb(message, out, limits_);
    if (status.is_ok()) {
      out.replace(start, length_bytes, length_of(out.size() - start - length_bytes));
    } else {
      out.resize(start);
    }
    return status;
  }

  const ErpcSocket kind_;
  const wire::ErpcLimits limits_;
};

class SocketDecoder final : public wire::Decoder {
 public:
  SocketDecoder(ErpcSocket kind, wire::ErpcLimits limits)
      : kind_(kind), limits_(std::move(limits)) {}

  using Decoder::feed;
  void feed(Bytes chunk) override {
    if (error_.is_ok()) came_.append(std::move(chunk));
  }
  using Decoder::next;
  Result<bool> next(Message& message) override {
    if (!error_.is_ok()) return error_;
    if (came_.size() < length_bytes) return false;
    const std::size_t size = read_length(came_.slice(0, length_bytes).to_string());
    if (came_.size() < length_bytes + size) return false;
    Bytes payload = came_.slice(length_bytes, size);
    came_.remove_prefix(length_bytes + size);
    Result<Message> read = kind_ == ErpcSocket::json
                               ? wire::decode_ws_json(std::move(payload), limits_)
                               : wire::decode_ws_pb(std::move(payload), limits_);
    if (!read) {
      came_ = {};
      return error_ = read.error();
    }
    message = *std::move(read);
    return true;
  }
  [[nodiscard]] std::size_t buffered() const noexcept override { return came_.size(); }

 private:
  const ErpcSocket kind_;
  const wire::ErpcLimits limits_;
  Bytes came_;
  Status error_;
};

class SocketFraming final : public wire::Framing {
 public:
  SocketFraming(ErpcSocket kind, wire::ErpcLimits limits)
      : kind_(kind), limits_(std::move(limits)) {}

  [[nodiscard]] std::string_view name() const noexcept override {
    return kind_ == ErpcSocket::json ? "ws-json" : "ws-pb";
  }
  [[nodiscard]] wire::Match matches(std::string_view /*first_bytes*/) const noexcept override {
    return wire::Match::yes;
  }
  [[nodiscard]] std::unique_ptr<wire::Encoder> make_encoder() const override {
    return std::make_unique<SocketEncoder>(kind_, limits_);
  }
  [[nodiscard]] std::unique_ptr<wire::Decoder> make_decoder() const override {
    return std::make_unique<SocketDecoder>(kind_, limits_);
  }

 private:
  const ErpcSocket kind_;
  const wire::ErpcLimits limits_;
};

class SocketStream final : public net::Stream {
 public:
  SocketStream(std::unique_ptr<http::WebSocket> socket, ErpcSocket kind, std::size_t most)
      : socket_(std::move(socket)), kind_(kind), most_(most) {}

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override {
    if (into.empty()) return std::size_t{0};
    while (came_.empty() && !has_ended_) {
      auto message = socket_->receive_message(deadline);
      Status bad = message ? take(std::move(message->payload)) : end(message.error());
      if (!bad.is_ok()) return bad;
    }
    return give(into);
  }

  Result<std::optional<std::size_t>> try_read(std::span<char> into) override {
    while (came_.empty() && !has_ended_) {
      auto message = socket_->try_receive_message();
      if (message && !*message) return std::optional<std::size_t>();
      Status bad = message ? take(std::move((*message)->payload)) : end(message.error());
      if (!bad.is_ok()) return bad;
    }
    return std::optional(give(into));
  }

  // All of it is taken, and whole messages leave.
  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    goes_ += from;
    std::size_t at = 0;
    while (goes_.size() - at >= length_bytes) {
      const std::string_view rest = std::string_view(goes_).substr(at);
      const std::size_t size = read_length(rest);
      if (rest.size() - length_bytes < size) break;
      if (Status bad = send(rest.substr(length_bytes, size), deadline); !bad.is_ok()) return bad;
      at += length_bytes + size;
    }
    goes_.erase(0, at);
    return from.size();
  }

  Status close_write() override { return socket_->close_write(http::close_code::going_away, {}); }
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
  Status take(Bytes payload) {
    if (payload.size() > most_) {
      return {Code::resource_exhausted, "a message of " + std::to_string(payload.size()) +
                                            " bytes is larger than max_frame_bytes (" +
                                            std::to_string(most_) + ")"};
    }
    came_ = Bytes::from(length_of(payload.size()));
    came_.append(std::move(payload));
    return {};
  }

  std::size_t give(std::span<char> into) {
    const std::size_t size = std::min(into.size(), came_.size());
    if (size > 0) came_.slice(0, size).copy_to(into.data());
    came_.remove_prefix(size);
    return size;
  }

  // What filters made of a body may be no UTF-8.
  Status send(std::string_view payload, rt::Deadline deadline) {
    Status sent(Code::data_loss, "not tried");
    if (kind_ == ErpcSocket::json) sent = socket_->send_text(payload, deadline);
    if (sent.code() == Code::data_loss) sent = socket_->send_binary(payload, deadline);
    if (sent.code() != Code::failed_precondition) return sent;
    return {Code::unavailable, sent.message()};
  }

  Status end(Status why) {
    if (why.code() != Code::out_of_range) return why;
    has_ended_ = true;
    return {};
  }

  const std::unique_ptr<http::WebSocket> socket_;
  const ErpcSocket kind_;
  const std::size_t most_;
  Bytes came_;
  std::string goes_;  // a message of which the rest is still to be written
  bool has_ended_ = false;
};

}  // namespace

std::shared_ptr<const wire::Framing> erpc_socket_framing(ErpcSocket kind,
                                                         const wire::ErpcLimits& limits) {
  return std::make_shared<SocketFraming>(kind, limits);
}

std::unique_ptr<net::Stream> erpc_socket_stream(std::unique_ptr<http::WebSocket> socket,
                                                ErpcSocket kind, const wire::ErpcLimits& limits) {
  return std::make_unique<SocketStream>(std::move(socket), kind, limits.max_frame_bytes);
}

}  // namespace parley::door::impl
