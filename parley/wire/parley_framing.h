// ParleyFraming: Parley's own byte format, docs/protocols/parley.md.
//
// A ParleyFraming is immutable and may be shared by threads. A ParleyEncoder and a ParleyDecoder
// belong to one connection and one fiber at a time: both remember the names of methods.
//
//   ParleyFraming framing;
//   auto encoder = framing.make_encoder();
//   std::string out;
//   encoder->start(out);                       // the hello
//   Status status = encoder->encode(message, out);
//   auto decoder = framing.make_decoder();
//   decoder->feed(out);
//   Result<std::optional<Message>> hello = decoder->next();
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/wire/framing.h"
#include "parley/wire/impl/frame_buffer.h"
#include "parley/wire/message.h"

namespace parley::wire {

namespace impl {
class FrameReader;
}

struct ParleyLimits {
  // What this side takes and says so in its hello. Nothing may be below the defaults of Settings (a
  // bug otherwise).
  Settings takes{.max_frame = std::uint64_t{1} << 20U,
                 .max_message = std::uint64_t{16} << 20U,
                 .max_streams = 1000,
                 .stream_credit = std::uint64_t{256} << 10U,
                 .session_credit = std::uint64_t{4} << 20U,
                 .max_names = 1024};
  // Entries of a message's metadata; in both directions.
  std::size_t max_metadata_entries = 1024;
  // Bytes of messages that have come in part; one alone may have max_message.
  std::size_t max_unfinished_bytes = std::size_t{64} << 20U;
};

class ParleyDecoder final : public Decoder {
 public:
  explicit ParleyDecoder(const ParleyLimits& limits = {}) : limits_(limits) {}

  using Decoder::feed;
  void feed(Bytes chunk) override {
    if (error_.is_ok()) buffer_.feed(std::move(chunk));
  }

  // The first message is of type hello. What comes in parts is returned when it is whole.
  // Errors: a frame beyond max_frame is resource_exhausted as soon as its length is in; anything
  // the document does not allow is invalid_argument, with the kind of the frame and the field. No
  // memory is taken for bytes that have not come.
  Result<bool> next(Message& message) override;
  using Decoder::next;
  std::size_t next_plain(const MessageRow& into) override;
  using Decoder::next_plain;
  std::size_t next_answers(std::span<PlainAnswer> out, Bytes& chunk) override;

  [[nodiscard]] const Settings* settings() const noexcept override {
    return has_hello_ ? &other_ : nullptr;
  }
  [[nodiscard]] const Settings* takes() const noexcept override { return &limits_.takes; }
  // At most one frame and what was fed since next() last returned nothing. What came of bodies in
  // parts is not among them.
  [[nodiscard]] std::size_t buffered() const noexcept override { return buffer_.size(); }
  [[nodiscard]] std::uint64_t oldest_unfinished() const noexcept override;
  [[nodiscard]] std::uint64_t last_in_parts() const noexcept override { return last_serial_; }
  // Bodies that have come in part.
  [[nodiscard]] std::size_t unfinished() const noexcept { return unfinished_.size(); }

 private:
  // A body that comes in parts.
  struct Unfinished {
    Message message;
    std::string small;      // the end of the body, while its parts are small
    std::size_t bytes = 0;  // that have come
    std::size_t held = 0;   // bytes in memory
    std::uint64_t serial = 0;
    bool is_refused = false;
  };
  // A frame in memory, and how its bytes are shared.
  struct Frame;
  enum class Progress : std::uint8_t { frame, message, needs_more };

  [[nodiscard]] Result<std::pair<std::size_t, std::size_t>> sizes_of_next(
      std::string_view bytes) const;
  Status advance(Message& message, Progress& progress);
  Status advance_joined(Message& message, Progress& progress);
  Status take(const Frame& frame, Message& message, Progress& progress);
  Status take_settings(std::string_view payload);
  Status take_frame(const Frame& frame, Message& message, Progress& progress);
  [[nodiscard]] std::size_t read_plain(std::string_view bytes, Message& message,
                                       std::string_view& body) const;
  std::string_view read_method(impl::FrameReader& reader, const Frame& frame, Message& message);
  Status begin_parts(Bytes first, Message& message, Progress& progress);
  Status take_part(Bytes part, Message& message, Progress& progress);
  void add_part(Unfinished& unfinished, Bytes part);
  void refuse_body(Message& message, std::size_t bytes) const;
  void forget(std::uint64_t key);
  Status die(Status why);

  ParleyLimits limits_;
  Status error_;
  impl::FrameBuffer buffer_;
  Settings other_;
  bool has_hello_ = false;
  // Views of them stay valid while names are added.
  std::list<std::string> names_;
  std::vector<std::string_view> kept_;  // those views, by number
  // By number, and by which side began the exchange.
  std::unordered_map<std::uint64_t, Unfinished> unfinished_;
  std::size_t unfinished_bytes_ = 0;
  std::uint64_t last_serial_ = 0;
};

class ParleyEncoder final : public Encoder {
 public:
  explicit ParleyEncoder(const ParleyLimits& limits = {}) : limits_(limits) {}

  void start(std::string& out) override;
  void allow(const Settings& other) override { other_ = other; }
  // All of them.
  [[nodiscard]] bool has(MessageType type) const noexcept override;
  [[nodiscard]] std::size_t max_body_bytes() const noexcept override;
  // 48 KiB until the other side has said that it takes larger frames.
  [[nodiscard]] std::size_t part_bytes() const noexcept override;
  [[nodiscard]] Status check(const Message& message) const override;
  // They do: the decoder hands bodies out as they came, whatever filters they name.
  [[nodiscard]] bool takes_filtered_bodies() const noexcept override { return true; }

  // A body beyond the other side's max_frame goes in parts, one behind the other; who wants other
  // messages between them cuts it himself: a message with `more`, then messages of type part.
  // Errors: a method of more than 255 bytes, a seq below 1 where the format has one, a body where
  // it has none, a codec of an id above 127, filters that the body has not gone through
  // (is_filtered) or of a kind that names none (invalid_argument); a body beyond max_body_bytes(),
  // more entries than max_metadata_entries, or metadata that does not fit a frame
  // (resource_exhausted). A status that is too long is no error: its texts are cut so that it
  // reaches the caller.
  using Encoder::encode;
  // Those of a name that the other side keeps.
  bool encode_call(const PlainCall& call, std::string& out) override;
  char* write_call(const PlainCall& call, char* room) noexcept override;
  // A body that does not fit a frame is refused (resource_exhausted): encode() cuts it.
  Status encode_answer(std::int32_t seq, BodyCodec codec, std::string_view body,
                       std::string& out) const override;
  char* write_answer(std::int32_t seq, BodyCodec codec, std::string_view body,
                     char* room) const noexcept override;
  Status encode_apart(const Message& message, std::string& out, Bytes& tail) override;

 private:
  // A name the other side keeps, as seen at some address: the same text is mostly there again.
  struct Seen {
    const char* at = nullptr;
    std::uint64_t number = 0;
  };

  // A timeout as it travels: most calls have the same.
  struct Timeout {
    Duration of = Duration(-1);
    std::size_t size = 0;
    std::array<char, 8> bytes{};
  };
  bool remember(Duration timeout) noexcept;

  Status encode_pieces(const Message& message, std::span<const std::string_view> body,
                       std::string& out) override;
  Status refuse(const Message& message, std::size_t body_bytes) const;
  void encode_frame(const Message& message, std::size_t body_bytes, std::string& out);
  Status encode_in_parts(const Message& message, std::span<const std::string_view> body,
                         std::size_t body_bytes, std::string& out);
  [[nodiscard]] std::uint64_t known_name(std::string_view name) noexcept;
  void append_name(std::string_view name, std::string& head);

  ParleyLimits limits_;
  Settings other_;
  std::string head_;                    // of the frame being written; kept for its memory
  std::list<std::string> names_;        // a deque would have memory without any
  std::vector<std::string_view> kept_;  // the same, by number
  std::unordered_map<std::string_view, std::uint64_t> numbers_;
  // Made with the first name: who only answers has none.
  std::unique_ptr<std::array<Seen, 64>> seen_;
  Timeout timeout_;
};

class ParleyFraming final : public Framing {
 public:
  explicit ParleyFraming(const ParleyLimits& limits = {}) : limits_(limits) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "parley"; }
  // The magic number.
  [[nodiscard]] Match matches(std::string_view first_bytes) const noexcept override;
  [[nodiscard]] std::unique_ptr<Encoder> make_encoder() const override {
    return std::make_unique<ParleyEncoder>(limits_);
  }
  [[nodiscard]] std::unique_ptr<Decoder> make_decoder() const override {
    return std::make_unique<ParleyDecoder>(limits_);
  }

 private:
  ParleyLimits limits_;
};

}  // namespace parley::wire
