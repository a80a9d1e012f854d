// What the frames of erpc's raw, json and pb have in common: a length, the ids of transfer filters,
// then a content that each format writes in its own way; and what a message of theirs may hold.
// Private to wire.
//
// The functions are pure. An ErpcDecoder or ErpcEncoder belongs to one fiber at a time.
//
//   class XyzDecoder final : public impl::ErpcDecoder {
//     Status parse(FrameReader& content, Message& message, std::string_view& body) const override;
//   };
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/wire/erpc_limits.h"
#include "parley/wire/framing.h"
#include "parley/wire/impl/frame_buffer.h"
#include "parley/wire/impl/frame_reader.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"
#include "parley/wire/status_text.h"

namespace parley::wire::impl {

constexpr std::size_t size_bytes = 4;
// And the filter count.
constexpr std::size_t opening_bytes = size_bytes + 1;
constexpr std::size_t longest_method = 255;

struct ErpcFormat {
  std::string_view frame_name;    // "raw frame": opens every error
  std::size_t uncounted = 0;      // how many bytes of a frame its length leaves out
  std::size_t smallest_size = 0;  // that the length may say
  std::size_t most_overhead = 0;  // of a frame beside method, status, metadata and body
  // Of the query text.
  std::size_t longest_metadata = std::numeric_limits<std::size_t>::max();
  // Whether the first byte of a content may be this one: no byte may in two formats.
  bool (*may_open)(unsigned char byte) = nullptr;
};

// "12 bytes".
std::string count_of(std::size_t count, std::string_view noun);
// invalid_argument: "raw frame: ...".
Status malformed(std::string_view frame_name, std::string_view what);
// resource_exhausted. `begin`: the bytes that were read as the size; none when it is our own frame.
Status too_large(std::string_view frame_name, std::size_t size, std::size_t limit,
                 std::string_view begin = {});
// invalid_argument: "raw frame: unknown message type 9".
Status unknown_type(std::string_view frame_name, std::int64_t number);
// The pipe of the ids in a frame, where erpc has the filter that was applied last first; more than
// a pipe has room for are resource_exhausted.
Result<FilterPipe> read_filters(std::string_view frame_name, std::string_view ids);
// apply_filters() and undo_filters() with the frame's name in front of errors. What goes in, or
// comes out, has at most max_frame_bytes.
Result<Bytes> filtered(std::string_view frame_name, const Message& message, Bytes content,
                       const ErpcLimits& limits);
Result<Bytes> unfiltered(std::string_view frame_name, const FilterPipe& pipe, Bytes content,
                         const ErpcLimits& limits);

// max_frame_bytes, or less: the length has 32 bits.
std::size_t frame_limit(const ErpcLimits& limits, std::size_t uncounted = 0) noexcept;
// Of keys and values, before they are escaped.
inline std::size_t bytes_of(const Metadata& metadata) noexcept {
  std::size_t bytes = 0;
  for (const auto& [key, value] : metadata) bytes += key.size() + value.size();
  return bytes;
}
// Writes `number` as `width` bytes, big endian.
inline void put_number(char* to, std::size_t width, std::size_t number) noexcept {
  for (; width > 0; --width, number >>= 8U) to[width - 1] = static_cast<char>(number & 0xFFU);
}

// Sets one part of the message from what a frame holds.
inline Status read_type(std::string_view frame_name, std::int64_t number, Message& out) {
  const auto type =
      teleport_type_of(number >= 0 && number <= 255 ? static_cast<unsigned>(number) : 0);
  if (!type) return unknown_type(frame_name, number);
  out.type = *type;
  return {};
}
inline Status read_status(std::string_view frame_name, std::string_view text, Message& out) {
  if (text.size() > max_status_text) {
    return malformed(frame_name, "a status of " + count_of(text.size(), "bytes") +
                                     " is longer than any that is sent");
  }
  Status bad = decode_status_text(text, out.status);
  return bad.is_ok() ? bad : bad.with_context(std::string(frame_name) + ": status");
}
Status read_method(std::string_view frame_name, std::string_view method, Message& out);
// There is some text.
Status read_metadata(std::string_view frame_name, std::string_view text, const ErpcLimits& limits,
                     Message& out);

// What can be refused before a byte is written: types, a body in parts, a method or metadata beyond
// the limits.
Status refuse_unwritable(std::string_view frame_name, const Message& message,
                         const ErpcLimits& limits);
// Reserves for a whole frame, from above: escaping makes at most three bytes of one.
// `metadata_most` is what metadata may take so, `rest` all but status and metadata. More than 65535
// bytes of either are refused, cut or rare, so they get no more room than that.
void make_room(const Status& status, std::size_t metadata_most, std::size_t rest, std::string& out);
// What a status may take of a frame whose `rest` stands fixed: an error is shortened rather than
// lost.
std::size_t status_room(const Message& message, std::size_t rest, std::size_t limit) noexcept;

// Once a frame was read: a message keeps it alive by a body or a method that shows it, however
// little of it they are. When it is much more than they are counted for, they get memory of their
// own. `shows_body`: the body is part of the frame.
void let_go_of_frame(std::size_t frame_bytes, bool shows_body, Message& message);

// For Framing::matches(). A length it may have, then no transfer filter and a byte that may open
// the content; or any filters, which hide it.
Match match_frame(std::string_view first_bytes, const ErpcFormat& format,
                  const ErpcLimits& limits) noexcept;

class ErpcDecoder : public Decoder {
 public:
  using Decoder::feed;
  void feed(Bytes chunk) override {
    if (error_.is_ok()) buffer_.feed(std::move(chunk));
  }

  // Errors: a frame larger than max_frame_bytes is resource_exhausted as soon as its four length
  // bytes are in, and so is what grows beyond that by its filters; one with a filter that is not
  // registered is unimplemented; one that a filter finds damaged data_loss; a broken one
  // invalid_argument. No memory is taken for bytes that have not come.
  Result<bool> next(Message& message) override;
  using Decoder::next;

  // At most one frame and what was fed since next() last returned nothing.
  [[nodiscard]] std::size_t buffered() const noexcept override { return buffer_.size(); }

  // Bytes copied so far because a frame was spread over chunks. Grows at most in proportion to the
  // bytes fed; large next to them, the reads are too small for the messages.
  [[nodiscard]] std::uint64_t copied_bytes() const noexcept { return buffer_.copied_bytes(); }

 protected:
  ErpcDecoder(const ErpcFormat& format, const ErpcLimits& limits) noexcept
      : format_(format), limits_(limits) {}

  // Reads what follows the filter ids. A method or a body that shows the frame is made to share it;
  // one that had to be made anew comes with its own block, or as message.body.
  virtual Status parse(FrameReader& content, Message& message, std::string_view& body) const = 0;

  [[nodiscard]] const ErpcLimits& limits() const noexcept { return limits_; }

 private:
  [[nodiscard]] Result<std::size_t> claimed_size(std::string_view head) const;
  Status parse_frame(std::string_view frame, Message& message, std::string_view& body) const;
  Status parse_filtered(const Bytes& frame, Message& message) const;
  Result<bool> next_joined(Message& message);
  Status die(Status why);

  const ErpcFormat& format_;
  ErpcLimits limits_;
  Status error_;
  FrameBuffer buffer_;
};

class ErpcEncoder : public Encoder {
 public:
  // The five types of Teleport's.
  [[nodiscard]] bool has(MessageType type) const noexcept override;
  // Of a body that is written as it is, beside the shortest status.
  [[nodiscard]] std::size_t max_body_bytes() const noexcept override;
  [[nodiscard]] bool remembers() const noexcept override { return false; }

  using Encoder::encode;
  Status encode_answer(std::int32_t seq, BodyCodec codec, std::string_view body,
                       std::string& out) const override;
  Status encode_apart(const Message& message, std::string& out, Bytes& tail) override;

 protected:
  ErpcEncoder(const ErpcFormat& format, const ErpcLimits& limits) noexcept
      : format_(format), limits_(limits) {}

  Status encode_pieces(const Message& message, std::span<const std::string_view> body,
                       std::string& out) final {
    if (!message.filters.empty()) [[unlikely]]
      return put_filtered(message, body, out);
    return put(message, body, out);
  }
  // encode_pieces() of a format that remembers nothing.
  virtual Status put(const Message& message, std::span<const std::string_view> body,
                     std::string& out) const;
  // The same for a message with filters.
  Status put_filtered(const Message& message, std::span<const std::string_view> body,
                      std::string& out) const;
  // Appends the frame up to its body. On an error `out` is what it was.
  struct Sizes {
    std::size_t method = 0;     // as it stands in the frame
    std::size_t body = 0;       // likewise
    std::size_t body_room = 0;  // how much of the body will follow in `out`
  };
  Status encode_head(const Message& message, const Sizes& sizes, std::string& out) const;
  // Appends room for the size, the filter count 0 and what stands before the body. `rest` is at
  // least what the frame has besides status and metadata.
  virtual void put_head(const Message& message, std::size_t body_bytes, std::size_t rest,
                        std::string& out) const = 0;

  [[nodiscard]] std::size_t limit() const noexcept {
    return frame_limit(limits_, format_.uncounted);
  }

 private:
  const ErpcFormat& format_;
  ErpcLimits limits_;
};

}  // namespace parley::wire::impl
