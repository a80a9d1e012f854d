// PbFraming: Teleport's pb format (erpc v6 and v7), docs/protocols/erpc-pb.md.
//
// PbFraming is immutable and may be shared by threads. A PbEncoder and a PbDecoder belong to one
// fiber at a time; the encoder remembers nothing, so one may serve many connections. A frame
// with transfer filters goes through them whole, those of its limits.
//
//   PbEncoder encoder;
//   std::string out;
//   Status status = encoder.encode(message, out);
//   PbDecoder decoder;
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

// A body shares the frame's block. A broken frame is told with what is wrong and where.
class PbDecoder final : public impl::ErpcDecoder {
 public:
  explicit PbDecoder(const ErpcLimits& limits = {}) noexcept;

 private:
  Status parse(impl::FrameReader& content, Message& message, std::string_view& body) const override;
};

// encode() refuses a method of more than 255 bytes (invalid_argument), more entries than
// max_metadata_entries or a frame of more than max_frame_bytes (resource_exhausted). A status that
// is too long is cut (status_text.h) so that it reaches the caller. A timeout does not travel.
// The body stands last, so encode_apart() shares its blocks.
class PbEncoder final : public impl::ErpcEncoder {
 public:
  explicit PbEncoder(const ErpcLimits& limits = {}) noexcept;

 private:
  void put_head(const Message& message, std::size_t body_bytes, std::size_t rest,
                std::string& out) const override;
};

class PbFraming final : public Framing {
 public:
  explicit PbFraming(const ErpcLimits& limits = {}) noexcept : limits_(limits) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "pb"; }
  // A length it may have, then no transfer filter and the tag of one of its fields, or any filters.
  [[nodiscard]] Match matches(std::string_view first_bytes) const noexcept override;
  [[nodiscard]] std::unique_ptr<Encoder> make_encoder() const override {
    return std::make_unique<PbEncoder>(limits_);
  }
  [[nodiscard]] std::unique_ptr<Decoder> make_decoder() const override {
    return std::make_unique<PbDecoder>(limits_);
  }

 private:
  ErpcLimits limits_;
};

}  // namespace parley::wire
