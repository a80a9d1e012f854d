#include "parley/peer/impl/foreign_stream.h"

#include <atomic>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "parley/rt/event.h"
#include "parley/rt/pollable.h"

namespace parley::impl {
namespace {

using wire::Match;
using wire::Message;
using wire::MessageType;

class ForeignStream final : public net::Stream {
 public:
  ForeignStream(net::Address local, net::Address remote, std::string protocol)
      : local_(std::move(local)), remote_(std::move(remote)), protocol_(std::move(protocol)) {
    pollable_.watch_memory();
  }

  // Only who expects a first message waits here.
  Result<std::size_t> read(std::span<char> /*into*/, rt::Deadline /*deadline*/) override {
    return Status(Code::unauthenticated,
                  "who comes by " + protocol_ +
                      " has no first message to say who it is with; a plugin that asks for one "
                      "has to let such a session pass, or the peer must not be served there");
  }
  Result<std::optional<std::size_t>> try_read(std::span<char> /*into*/) override {
    if (has_ended_) return std::optional<std::size_t>(0);
    return std::optional<std::size_t>();
  }
  // What would be sent has been refused by the framing.
  Result<std::size_t> write_some(std::string_view from, rt::Deadline /*deadline*/) override {
    return from.size();
  }
  // Nobody is there to close the other half.
  Status close_write() override {
    close();
    return {};
  }
  void close() override {
    has_ended_ = true;
    pollable_.tell_readable();
  }
  [[nodiscard]] const net::Address& local_address() const override { return local_; }
  [[nodiscard]] const net::Address& remote_address() const override { return remote_; }
  [[nodiscard]] rt::Pollable* readiness() override { return &pollable_; }
  [[nodiscard]] Unread unread() override { return has_ended_ ? Unread::ended : Unread::nothing; }

 private:
  const net::Address local_;
  const net::Address remote_;
  const std::string protocol_;
  std::atomic<bool> has_ended_ = false;
  rt::Pollable pollable_;
};

class NoEncoder final : public wire::Encoder {
 public:
  explicit NoEncoder(std::string protocol) : protocol_(std::move(protocol)) {}

  [[nodiscard]] bool has(MessageType /*type*/) const noexcept override { return false; }
  // So that nobody cuts a body into parts, or says that it is too large: it is refused anyway.
  [[nodiscard]] std::size_t max_body_bytes() const noexcept override { return SIZE_MAX; }
  [[nodiscard]] bool remembers() const noexcept override { return false; }
  Status encode_answer(std::int32_t /*seq*/, wire::BodyCodec /*codec*/, std::string_view /*body*/,
                       std::string& /*out*/) const override {
    return why();
  }
  Status encode_apart(const Message& /*message*/, std::string& /*out*/, Bytes& /*tail*/) override {
    return why();
  }

 protected:
  Status encode_pieces(const Message& /*message*/, std::span<const std::string_view> /*body*/,
                       std::string& /*out*/) override {
    return why();
  }

 private:
  [[nodiscard]] Status why() const {
    return {Code::unimplemented, "the other side speaks " + protocol_ +
                                     " and cannot be called: it has to ask, or to connect by a "
                                     "protocol with sessions"};
  }

  const std::string protocol_;
};

class NoDecoder final : public wire::Decoder {
 public:
  using Decoder::next;
  void feed(Bytes /*chunk*/) override {}
  Result<bool> next(Message& /*message*/) override { return false; }
  [[nodiscard]] std::size_t buffered() const noexcept override { return 0; }
};

class ForeignFraming final : public wire::Framing {
 public:
  explicit ForeignFraming(std::string protocol) : protocol_(std::move(protocol)) {}

  [[nodiscard]] std::string_view name() const noexcept override { return protocol_; }
  [[nodiscard]] Match matches(std::string_view /*first_bytes*/) const noexcept override {
    return Match::no;
  }
  [[nodiscard]] std::unique_ptr<wire::Encoder> make_encoder() const override {
    return std::make_unique<NoEncoder>(protocol_);
  }
  [[nodiscard]] std::unique_ptr<wire::Decoder> make_decoder() const override {
    return std::make_unique<NoDecoder>();
  }

 private:
  const std::string protocol_;
};

}  // namespace

std::unique_ptr<net::Stream> make_foreign_stream(const net::Address& local,
                                                 const net::Address& remote,
                                                 const std::string& protocol) {
  return std::make_unique<ForeignStream>(local, remote, protocol);
}

std::shared_ptr<const wire::Framing> make_foreign_framing(const std::string& protocol) {
  return std::make_shared<ForeignFraming>(protocol);
}

}  // namespace parley::impl
