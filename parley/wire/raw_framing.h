// RawFraming: Teleport's default byte format (erpc v6 and v7), docs/protocols/raw.md.
//
// RawFraming is immutable and may be shared by threads. A RawDecoder belongs to one fiber at a
// time. Transfer filters are not registered yet: frames that name one are refused (unimplemented).
//
//   RawFraming framing;
//   std::string out;
//   Status status = framing.encode(message, out);
//   RawDecoder decoder;
//   decoder.feed(out);
//   Result<std::optional<Message>> back = decoder.next();
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/wire/framing.h"
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
  // A chunk of several pieces is joined first.
  void feed(Bytes chunk) override;

  // Errors: a frame larger than max_frame_bytes is resource_exhausted as soon as its four length
  // bytes are in; one with a transfer filter is unimplemented; a broken one invalid_argument, with
  // the field, what it claims and what is left. No memory is taken for bytes that have not come.
  Result<std::optional<Message>> next() override;

  // At most one frame and what was fed since next() last returned nothing.
  [[nodiscard]] std::size_t buffered() const noexcept override {
    return partial_.size() + waiting_;
  }

  // Bytes copied so far because a frame was spread over chunks. Grows at most in proportion to the
  // bytes fed; large next to them, the reads are too small for the messages.
  [[nodiscard]] std::uint64_t copied_bytes() const noexcept { return copied_; }

 private:
  [[nodiscard]] std::string_view unread() const noexcept;
  void consume(std::size_t count);
  bool gather(std::size_t size);
  Result<std::optional<Message>> next_in_chunk(std::string_view chunk, std::size_t size);
  Result<std::optional<Message>> next_joined();
  Status die(Status why);

  RawLimits limits_;
  Status error_;
  // Chunks of one piece each, those before front_ used up, used_ bytes of the front one too.
  std::vector<Bytes> chunks_;
  std::size_t front_ = 0;
  std::size_t used_ = 0;
  std::size_t waiting_ = 0;  // bytes of chunks_ not used
  std::string partial_;      // the head of a frame that is spread over chunks
  std::uint64_t copied_ = 0;
};

class RawFraming final : public Framing {
 public:
  explicit RawFraming(RawLimits limits = {}) noexcept : limits_(limits) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "raw"; }

  // Errors: a method of more than 255 bytes or metadata of more than 65535 bytes of query text
  // (invalid_argument: the format cannot carry them), more entries than max_metadata_entries or a
  // frame of more than max_frame_bytes (resource_exhausted). A status that is too long is no error:
  // its texts are cut (status_text.h) so that it reaches the caller.
  Status encode(const Message& message, std::string& out) const override;
  Status encode_apart(const Message& message, std::string& out, Bytes& tail) const override;

  [[nodiscard]] std::unique_ptr<Decoder> make_decoder() const override {
    return std::make_unique<RawDecoder>(limits_);
  }

 private:
  Status encode_head(const Message& message, std::size_t body_room, std::string& out) const;

  RawLimits limits_;
};

}  // namespace parley::wire
