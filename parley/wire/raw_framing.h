// RawFraming: Teleport's default byte format (erpc v6 and v7), docs/protocols/raw.md.
//
// RawFraming is immutable and may be shared by threads. A RawEncoder and a RawDecoder belong to one
// fiber at a time; the encoder remembers nothing, so one may serve many connections. Transfer
// filters are not registered yet: frames that name one are refused (unimplemented).
//
//   RawEncoder encoder;
//   std::string out;
//   Status status = encoder.encode(message, out);
//   RawDecoder decoder;
//   decoder.feed(out);
//   Result<std::optional<Message>> back = decoder.next();
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/wire/framing.h"
#include "parley/wire/impl/frame_buffer.h"
#include "parley/wire/message.h"

namespace parley::wire {

struct RawLimits {
  // A whole frame with its length field, in bytes; in both directions.
  std::size_t max_frame_bytes = std::size_t{16} << 20U;
  // Entries of a message's metadata; in both directions.
  std::size_t max_metadata_entries = 1024;
};

class RawDecoder final : public Decoder {
 public:
  explicit RawDecoder(RawLimits limits = {}) noexcept : limits_(limits) {}

  using Decoder::feed;
  void feed(Bytes chunk) override {
    if (error_.is_ok()) buffer_.feed(std::move(chunk));
  }

  // Errors: a frame larger than max_frame_bytes is resource_exhausted as soon as its four length
  // bytes are in; one with a transfer filter is unimplemented; a broken one invalid_argument, with
  // the field, what it claims and what is left. No memory is taken for bytes that have not come.
  Result<bool> next(Message& message) override;
  using Decoder::next;

  // At most one frame and what was fed since next() last returned nothing.
  [[nodiscard]] std::size_t buffered() const noexcept override { return buffer_.size(); }

  // Bytes copied so far because a frame was spread over chunks. Grows at most in proportion to the
  // bytes fed; large next to them, the reads are too small for the messages.
  [[nodiscard]] std::uint64_t copied_bytes() const noexcept { return buffer_.copied_bytes(); }

 private:
  Result<bool> next_joined(Message& message);
  Status die(Status why);

  RawLimits limits_;
  Status error_;
  impl::FrameBuffer buffer_;
};

class RawEncoder final : public Encoder {
 public:
  explicit RawEncoder(RawLimits limits = {}) noexcept : limits_(limits) {}

  // The five types of Teleport's.
  [[nodiscard]] bool has(MessageType type) const noexcept override;
  [[nodiscard]] std::size_t max_body_bytes() const noexcept override;

  // Errors: a method of more than 255 bytes or metadata of more than 65535 bytes of query text
  // (invalid_argument: the format cannot carry them), more entries than max_metadata_entries or a
  // frame of more than max_frame_bytes (resource_exhausted). A status that is too long is no error:
  // its texts are cut (status_text.h) so that it reaches the caller. A timeout does not travel.
  using Encoder::encode;
  Status encode_apart(const Message& message, std::string& out, Bytes& tail) override;

 private:
  Status encode_pieces(const Message& message, std::span<const std::string_view> body,
                       std::string& out) override;
  Status encode_head(const Message& message, std::size_t body_bytes, std::size_t body_room,
                     std::string& out) const;

  RawLimits limits_;
};

class RawFraming final : public Framing {
 public:
  explicit RawFraming(RawLimits limits = {}) noexcept : limits_(limits) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "raw"; }
  // A length it may have, then no transfer filter and a sequence number, or any filters.
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
