// RawFraming: Teleport's default byte format (erpc v6 and v7), docs/protocols/raw.md.
//
// RawFraming is immutable and may be shared by threads. A RawEncoder and a RawDecoder belong to one
// fiber at a time; the encoder remembers nothing, so one may serve many connections. A frame
// with transfer filters goes through them whole, those of its limits.
//
//   RawEncoder encoder;
//   std::string out;
//   Status status = encoder.encode(message, out);
//   RawDecoder decoder;
//   decoder.feed(out);
//   Result<std::optional<Message>> back = decoder.next();
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "parley/base/status.h"
#include "parley/wire/erpc_limits.h"
#include "parley/wire/framing.h"
#include "parley/wire/impl/erpc_frame.h"
#include "parley/wire/impl/frame_reader.h"
#include "parley/wire/message.h"

namespace parley::wire {

using RawLimits = ErpcLimits;

// Errors are those of impl/erpc_frame.h; a broken frame is told with the field, what it claims and
// what is left.
class RawDecoder final : public impl::ErpcDecoder {
 public:
  explicit RawDecoder(const RawLimits& limits = {}) noexcept;

 private:
  Status parse(impl::FrameReader& content, Message& message, std::string_view& body) const override;
};

// encode() refuses a method of more than 255 bytes or metadata of more than 65535 bytes of query
// text (invalid_argument: the format cannot carry them), more entries than max_metadata_entries or
// a frame of more than max_frame_bytes (resource_exhausted). A status that is too long is no error:
// its texts are cut (status_text.h) so that it reaches the caller. A timeout does not travel.
class RawEncoder final : public impl::ErpcEncoder {
 public:
  explicit RawEncoder(const RawLimits& limits = {}) noexcept;

 private:
  void put_head(const Message& message, std::size_t body_bytes, std::size_t rest,
                std::string& out) const override;
};

class RawFraming final : public Framing {
 public:
  explicit RawFraming(const RawLimits& limits = {}) noexcept : limits_(limits) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "raw"; }
  // A length it may have, then no transfer filter and the size of a sequence number, or any
  // filters.
  [[nodiscard]] Match matches(std::string_view first_bytes) const noexcept override;
  [[nodiscard]] std::unique_ptr<Encoder> make_encoder() const override {
    return std::make_unique<RawEncoder>(limits_);
  }
  [[nodiscard]] std::unique_ptr<Decoder> make_decoder() const override {
    return std::make_unique<RawDecoder>(limits_);
  }

 private:
  RawLimits limits_;
};

}  // namespace parley::wire
