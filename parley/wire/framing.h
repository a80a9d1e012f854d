// Framing: what a byte format implements; Encoder and Decoder: the two directions of one connection
// that speaks it. Sans-I/O: they turn messages into bytes and bytes into messages; who moves the
// bytes is not their business.
//
// A Framing is immutable and may be shared by threads. An Encoder and a Decoder belong to one fiber
// at a time; both remember what was said before (names of methods, say), so what an encoder wrote
// must be sent whole, once and in its order.
//
//   std::unique_ptr<Encoder> encoder = framing.make_encoder();
//   encoder->start(out);
//   Status status = encoder->encode(message, out);
//
//   decoder->feed(std::move(chunk));            // whatever a read brought
//   for (;;) {
//     Result<std::optional<Message>> next = decoder->next();
//     if (!next) return next.error();           // the connection is lost
//     if (!*next) break;                        // read more
//     handle(std::move(**next));
//   }
//
// How to add one: write `xyz_framing.h` and `.cc` with a Framing, an Encoder and a Decoder; the
// decoder keeps its bytes in an impl::FrameBuffer. Write docs/protocols/xyz.md first, with golden
// vectors; a test that reads and writes them, and a fuzz program like raw_fuzz.cc. Then put it into
// PeerOptions::framings of the peers that shall speak it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/wire/message.h"

namespace parley::wire {

// What one side of a connection takes, where the format lets it say so (docs/protocols/parley.md).
// The defaults are what holds until it has, and the least that may be said.
struct Settings {
  std::uint64_t max_frame = 65'536;          // bytes of payload in a frame
  std::uint64_t max_message = 65'536;        // bytes of a body, whole or in parts
  std::uint64_t max_streams = 100;           // opened by the other side, at once
  std::uint64_t stream_credit = 65'536;      // on each stream before it gives more
  std::uint64_t session_credit = 1'048'576;  // on all streams together
  std::uint64_t max_names = 128;             // of methods, kept
  std::uint64_t features = 0;                // bits for what is beyond this version

  friend bool operator==(const Settings&, const Settings&) = default;
};

// What most calls are.
struct PlainCall {
  std::int32_t seq = 0;
  std::string_view method{};
  BodyCodec codec = BodyCodec::none;
  std::string_view body{};
  std::optional<Duration> timeout{};
};

// What most answers are. The body lies in what was read.
struct PlainAnswer {
  std::int32_t seq = 0;
  BodyCodec codec = BodyCodec::none;
  std::string_view body{};
};

class Encoder {
 public:
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  virtual ~Encoder() = default;

  // Appends what the stream begins with, before any message; nothing in most formats.
  virtual void start(std::string& out) { (void)out; }
  // Says what the other side takes: Decoder::settings() after its hello.
  virtual void allow(const Settings& other) { (void)other; }

  // Whether the format has messages of this type. encode() refuses the others: unimplemented.
  [[nodiscard]] virtual bool has(MessageType type) const noexcept = 0;
  // How large a body may be at present, by the format's limits and those of the other side.
  [[nodiscard]] virtual std::size_t max_body_bytes() const noexcept = 0;
  // How large the parts may be that a large body is cut into: a message with `more`, then those of
  // type part. 0: the format has no parts.
  [[nodiscard]] virtual std::size_t part_bytes() const noexcept { return 0; }
  // In a format with parts: what encode() would return, for who encodes it later. Ok stays ok.
  [[nodiscard]] virtual Status check(const Message& message) const {
    (void)message;
    return {};
  }
  // Who takes a body through Message::filters. True: the sender (filter_body() of filter.h), before
  // it encodes, and the receiver undoes it where the body is used. False: the encoder and the
  // decoder, since filters change more of a frame than its body.
  [[nodiscard]] virtual bool takes_filtered_bodies() const noexcept { return false; }
  // Whether what it writes depends on what it wrote before. False: encode() changes nothing in the
  // encoder and may be called while another fiber encodes, and the frames leave in any order; so
  // what takes long, filters, need not be done where others wait.
  [[nodiscard]] virtual bool remembers() const noexcept { return true; }

  // Appends the message whole. On an error `out` is what it was before, and so is the encoder: the
  // message cannot be carried by this format (invalid_argument, unimplemented) or is beyond a limit
  // (resource_exhausted).
  Status encode(const Message& message, std::string& out);
  // The same with `body` in place of message.body.
  Status encode(const Message& message, std::string_view body, std::string& out) {
    return encode_pieces(message, {&body, 1}, out);
  }
  // The same for a call that has nothing but these, where the format has a short way for it. False,
  // and nothing has changed: encode() has to do it.
  virtual bool encode_call(const PlainCall& call, std::string& out) {
    (void)call, (void)out;
    return false;
  }
  // The same for a small one, written to `room`, of most_small_call bytes: returns its end. Null,
  // and nothing has changed, when it is not small, or the format has no short way: encode_call()
  // may have.
  static constexpr std::size_t most_small_call = 128;
  static constexpr std::size_t most_small_call_body = 64;  // one with more is not
  virtual char* write_call(const PlainCall& call, char* room) noexcept {
    (void)call, (void)room;
    return nullptr;
  }
  // The same for a reply that has nothing but a body. Changes nothing in the encoder, and may be
  // called while another fiber encodes.
  virtual Status encode_answer(std::int32_t seq, BodyCodec codec, std::string_view body,
                               std::string& out) const = 0;
  // The same for a small one, written to `room`, of most_small_answer bytes: returns its end. Null
  // when it is not small, or the format has no short way: encode_answer() has.
  static constexpr std::size_t most_small_answer = 128;
  virtual char* write_answer(std::int32_t seq, BodyCodec codec, std::string_view body,
                             char* room) const noexcept;
  // The same for large bodies: appends what precedes the body to `out` and sets `tail` to what must
  // be sent right behind it, sharing the body's blocks. A format that cannot keep the body apart
  // puts everything into `out` and leaves `tail` empty. On an error both are what they were.
  virtual Status encode_apart(const Message& message, std::string& out, Bytes& tail) = 0;

 protected:
  // The pieces together are the body; message.body is not looked at.
  virtual Status encode_pieces(const Message& message, std::span<const std::string_view> body,
                               std::string& out) = 0;
};

// Messages that lie in a larger thing each: an array of those.
class MessageRow {
 public:
  // `distance`: from one to the next, in bytes.
  MessageRow(Message* first, std::size_t distance, std::size_t size) noexcept
      : first_(reinterpret_cast<char*>(first)), distance_(distance), size_(size) {}
  explicit MessageRow(Message& only) noexcept : MessageRow(&only, sizeof only, 1) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] Message& front() const noexcept { return *reinterpret_cast<Message*>(first_); }
  void drop_front() noexcept {
    first_ += distance_;
    --size_;
  }

 private:
  char* first_;
  std::size_t distance_;
  std::size_t size_;
};

class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  virtual ~Decoder() = default;

  // Hands over the next bytes of the stream, cut anywhere. Call next() until it returns nothing
  // before feeding again: what waits here is bounded only by what is fed in between. A chunk of one
  // piece is kept, not copied; bodies that lie in it whole will share its block.
  virtual void feed(Bytes chunk) = 0;
  // The same with bytes that must be copied because the caller keeps them.
  void feed(std::string_view chunk) { feed(Bytes::copy_of(chunk)); }

  // Sets `message`, which must be a fresh one, to the next one and returns true; false when it
  // needs more bytes. After an error the decoder is dead: it lets go of everything it holds,
  // ignores what is fed and returns the same error again.
  // A message with `is_refused` is one whose body was too large and is gone: its status says so, to
  // be answered with.
  virtual Result<bool> next(Message& message) = 0;
  // The same for the messages that come most, where a format tells them apart at a glance: calls
  // and answers that have nothing but a number, a method, a timeout, a codec and a body. Sets these
  // and the type of the first messages of `into`, which must be fresh, or what this function made
  // of one. Returns how many there were; after less than all of them next() knows what is there,
  // perhaps one of these.
  virtual std::size_t next_plain(const MessageRow& into);
  // One of them. False, and nothing has changed, when there is none.
  bool next_plain(Message& message) { return next_plain(MessageRow(message)) == 1; }
  // The same for the answers among them that come next, one right behind the other: fills in `out`
  // from its front and returns how many there were. `chunk` becomes what their bodies lie in, and
  // keeps them; it is not touched where there are none.
  virtual std::size_t next_answers(std::span<PlainAnswer> out, Bytes& chunk) {
    (void)out, (void)chunk;
    return 0;
  }
  // The same as a value.
  Result<std::optional<Message>> next();

  // What the other side takes, once a message of type hello has come; null before, and in formats
  // that do not say.
  [[nodiscard]] virtual const Settings* settings() const noexcept { return nullptr; }

  // What this side takes and says so; null in formats that do not say. The same for ever.
  [[nodiscard]] virtual const Settings* takes() const noexcept { return nullptr; }

  // How many fed bytes no message has used yet.
  [[nodiscard]] virtual std::size_t buffered() const noexcept = 0;
  // A number for the body that has been coming in parts for longest, a larger one when that is
  // whole or given up: they are counted as they begin. 0: none.
  [[nodiscard]] virtual std::uint64_t oldest_unfinished() const noexcept { return 0; }
  // That of the last which began, whatever has become of it. 0: none has.
  [[nodiscard]] virtual std::uint64_t last_in_parts() const noexcept { return 0; }
  // True when bytes of a frame have come whose message next() has not returned.
  [[nodiscard]] bool mid_frame() const noexcept { return buffered() > 0; }
  // The same, or a body is under way in parts: when next() has just returned nothing, the stream
  // must not end here.
  [[nodiscard]] bool mid_message() const noexcept {
    return mid_frame() || oldest_unfinished() != 0;
  }
};

// Whether a stream that begins with some bytes is of a format.
enum class Match : std::uint8_t { no, yes, needs_more };

class Framing {
 public:
  Framing() = default;
  Framing(const Framing&) = delete;
  Framing& operator=(const Framing&) = delete;
  virtual ~Framing() = default;

  // "raw": the name in configuration, logs and docs/protocols/.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  // For telling formats apart on one port. A decision is made within the first 16 bytes.
  [[nodiscard]] virtual Match matches(std::string_view first_bytes) const noexcept = 0;

  // The two directions of one connection.
  [[nodiscard]] virtual std::unique_ptr<Encoder> make_encoder() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Decoder> make_decoder() const = 0;
};

}  // namespace parley::wire
