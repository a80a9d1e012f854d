// Outbox: encoded frames on their way out, in order. Private to peer.
//
// Small frames are gathered in one piece of memory, so that many leave in one write; a large body
// stays where it is and is shared. One that goes in parts waits beside them (parts.h). No
// fiber-safety of its own: a session has two, one that its lock guards and one that belongs to its
// writer, and swaps what is gathered.
//
//   Status status = outbox.encode(message, *encoder);
//   outbox.swap_gathered(sending);
//   while (outbox.parts() != nullptr) outbox.cut_part(*encoder, part_bytes, sending);
//   std::array<std::string_view, 16> pieces;
//   auto written = stream.write_some_of(outbox.front(pieces));
//   outbox.drop(*written);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/base/status.h"
#include "parley/peer/impl/parts.h"
#include "parley/wire/framing.h"
#include "parley/wire/message.h"

namespace parley::impl {

class Outbox {
 public:
  // From this size on, copying a body costs more than another piece in a write.
  static constexpr std::size_t large_body_bytes = std::size_t{16} * 1024;

  static constexpr std::size_t default_part_bytes = std::size_t{64} * 1024;

  // On an error nothing is added. A body beyond `part_bytes` goes in parts, if the format has some.
  Status encode(const wire::Message& message, wire::Encoder& encoder,
                std::size_t part_bytes = default_part_bytes);
  // The same in one frame, whatever waits beside it.
  Status encode_whole(const wire::Message& message, wire::Encoder& encoder);
  // The same with a small `body` in place of message.body.
  Status encode(const wire::Message& message, std::string_view body, wire::Encoder& encoder);
  // False, and nothing is added, when the encoder has no short way for it.
  bool encode_call(const wire::PlainCall& call, wire::Encoder& encoder) {
    if (call.body.size() > wire::Encoder::most_small_call_body)
      return encode_longer_call(call, encoder);
    std::string& piece = is_gathering_ ? pieces_.back().frames : gathering_piece();
    if (piece.size() - used_ < wire::Encoder::most_small_call) [[unlikely]]
      make_room(piece);
    char* const at = piece.data() + used_;
    const char* const end = encoder.write_call(call, at);
    if (end == nullptr) return encode_longer_call(call, encoder);
    const auto size = static_cast<std::size_t>(end - at);
    bytes_ += size;
    used_ += size;
    if (used_ >= piece_bytes) [[unlikely]]
      stop_gathering();
    return true;
  }
  // Frames that are encoded. Takes their memory if it can, and leaves other.
  void add(std::string& frames);
  // One of any size; a large one stays where it is.
  void add_frame(std::string frame);
  // What the encoder says first.
  void start(wire::Encoder& encoder);

  [[nodiscard]] bool is_empty() const { return bytes_ == 0 && parts_ == nullptr; }
  // Bytes that were gathered and not dropped.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  [[nodiscard]] bool has_parts() const { return parts_ != nullptr; }
  // Those that wait to be cut.
  [[nodiscard]] std::size_t bytes_of_parts() const { return parts_ ? parts_->bytes() : 0; }
  // Whether it waits to be cut.
  [[nodiscard]] bool holds(const wire::Message& message) const {
    return parts_ != nullptr && parts_->holds_up(message);
  }
  // Whether encode() would let it wait.
  [[nodiscard]] bool joins_parts(const wire::Message& message, const wire::Encoder& encoder,
                                 std::size_t part_bytes) const;
  // What does; null: nothing.
  [[nodiscard]] Parts* parts() { return parts_.get(); }
  // The first part whose turn it is goes to `to`. As Parts::cut().
  std::int32_t cut_part(wire::Encoder& encoder, std::size_t part_bytes, Outbox& to);
  // After something was taken out of parts(): without any there are none.
  void look_at_parts() {
    if (parts_ != nullptr && parts_->is_empty()) parts_ = nullptr;
  }
  // They hold much, and are not sent any more.
  void drop_parts() { parts_ = nullptr; }
  // What is gathered, but not what waits to be cut, goes to `other`, and its own comes here.
  void swap_gathered(Outbox& other) {
    std::swap(*this, other);
    std::swap(parts_, other.parts_);
  }

  // The first pieces of what is there, as many as `room` holds; they lie in `room`.
  [[nodiscard]] std::span<const std::string_view> front(std::span<std::string_view> room) const;
  // Takes the first `count` bytes away. With the last of them, memory that a burst took is given
  // back.
  void drop(std::size_t count);

 private:
  // What a piece of small frames grows to.
  static constexpr std::size_t piece_bytes = std::size_t{64} * 1024;

  // Frames one behind the other, or part of a body.
  struct Piece {
    std::string frames;
    Bytes shared;  // of one piece; what counts when it is not empty
  };
  [[nodiscard]] std::string_view text_of(std::size_t piece) const;
  void make_room(std::string& piece) const;
  bool encode_longer_call(const wire::PlainCall& call, wire::Encoder& encoder);
  void stop_gathering();
  std::string& gathering_piece();
  void gathered(std::size_t before);
  void share(const Bytes& body);
  Status wait_in_parts(wire::Message message, const wire::Encoder& encoder);

  std::vector<Piece> pieces_;
  std::size_t bytes_ = 0;
  std::size_t first_ = 0;      // pieces before this one are dropped
  std::size_t offset_ = 0;     // bytes of that one which are
  bool is_gathering_ = false;  // the last piece takes further small frames
  std::unique_ptr<Parts> parts_;
  // Of the last piece while it does: so many of its bytes are frames, the others room for more.
  std::size_t used_ = 0;
};

}  // namespace parley::impl
