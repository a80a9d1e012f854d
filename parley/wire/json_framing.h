// JsonFraming: Teleport's json format (erpc v6 and v7), docs/protocols/erpc-json.md.
//
// JsonFraming is immutable and may be shared by threads. A JsonEncoder and a JsonDecoder belong to
// one fiber at a time; the encoder remembers nothing, so one may serve many connections. A frame
// with transfer filters goes through them whole, those of its limits.
//
//   JsonEncoder encoder;
//   std::string out;
//   Status status = encoder.encode(message, out);
//   JsonDecoder decoder;
//   decoder.feed(out);
//   Result<std::optional<Message>> back = decoder.next();
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/status.h"
#include "parley/wire/erpc_limits.h"
#include "parley/wire/framing.h"
#include "parley/wire/impl/erpc_frame.h"
#include "parley/wire/impl/frame_reader.h"
#include "parley/wire/message.h"

namespace parley::wire {

// A body with only its quotes escaped, as erpc writes it, is read too where it is no JSON string;
// where it is one, JSON's meaning counts. A body without escapes shares the frame's block.
class JsonDecoder final : public impl::ErpcDecoder {
 public:
  explicit JsonDecoder(const ErpcLimits& limits = {}) noexcept;

 private:
  Status parse(impl::FrameReader& content, Message& message, std::string_view& body) const override;
};

// A body is written as a JSON string, whatever its bytes: '"', '\' and control characters escaped,
// bytes that are not UTF-8 as they are. So it may take up to six times its size, and
// max_body_bytes() speaks of one that needs no escapes.
// encode() refuses a method of more than 255 bytes (invalid_argument), more entries than
// max_metadata_entries or a frame of more than max_frame_bytes (resource_exhausted). A status that
// is too long is cut (status_text.h) so that it reaches the caller. A timeout does not travel.
class JsonEncoder final : public impl::ErpcEncoder {
 public:
  explicit JsonEncoder(const ErpcLimits& limits = {}) noexcept;

  using ErpcEncoder::encode;
  // Shares the body's blocks when nothing in it needs an escape.
  Status encode_apart(const Message& message, std::string& out, Bytes& tail) override;

 private:
  Status put(const Message& message, std::span<const std::string_view> body,
             std::string& out) const override;
  void put_head(const Message& message, std::size_t body_bytes, std::size_t rest,
                std::string& out) const override;
};

class JsonFraming final : public Framing {
 public:
  explicit JsonFraming(const ErpcLimits& limits = {}) noexcept : limits_(limits) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "json"; }
  // A length it may have, then no transfer filter and a '{', or any filters.
  [[nodiscard]] Match matches(std::string_view first_bytes) const noexcept override;
  [[nodiscard]] std::unique_ptr<Encoder> make_encoder() const override {
    return std::make_unique<JsonEncoder>(limits_);
  }
  [[nodiscard]] std::unique_ptr<Decoder> make_decoder() const override {
    return std::make_unique<JsonDecoder>(limits_);
  }

 private:
  ErpcLimits limits_;
};

}  // namespace parley::wire
