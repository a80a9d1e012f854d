#include "parley/peer/impl/outbox.h"

#include <algorithm>
#include <utility>

#include "parley/base/assert.h"

namespace parley::impl {
namespace {

// Pieces a burst left behind beyond this many are no longer kept in the list.
constexpr std::size_t kept_pieces = 64;

// What is too large as a whole is left to the encoder to refuse.
bool goes_in_parts(const wire::Message& message, const wire::Encoder& encoder,
                   std::size_t part_bytes) {
  const std::size_t most = encoder.part_bytes();
  return most > 0 && message.body.size() > std::min(most, part_bytes) &&
         message.body.size() <= encoder.max_body_bytes() && Parts::may_cut(message.type);
}

}  // namespace

Status Outbox::encode(const wire::Message& message, wire::Encoder& encoder,
                      std::size_t part_bytes) {
  if (joins_parts(message, encoder, part_bytes)) return wait_in_parts(message, encoder);
  return encode_whole(message, encoder);
}

bool Outbox::joins_parts(const wire::Message& message, const wire::Encoder& encoder,
                         std::size_t part_bytes) const {
  if (holds(message)) [[unlikely]]
    return true;
  return message.body.size() >= large_body_bytes && goes_in_parts(message, encoder, part_bytes);
}

Status Outbox::encode_whole(const wire::Message& message, wire::Encoder& encoder) {
  std::string& piece = gathering_piece();
  const std::size_t before = piece.size();
  if (message.body.size() < large_body_bytes) {
    if (Status s = encoder.encode(message, piece); !s.is_ok()) return s;
    gathered(before);
    return {};
  }
  Bytes tail;
  if (Status s = encoder.encode_apart(message, piece, tail); !s.is_ok()) return s;
  gathered(before);
  share(tail);
  return {};
}

Status Outbox::wait_in_parts(wire::Message message, const wire::Encoder& encoder) {
  if (Status s = encoder.check(message); !s.is_ok()) return s;
  if (parts_ == nullptr) parts_ = std::make_unique<Parts>();
  parts_->add(std::move(message));
  return {};
}

std::int32_t Outbox::cut_part(wire::Encoder& encoder, std::size_t part_bytes, Outbox& to) {
  const std::size_t most = std::max(std::min(part_bytes, encoder.part_bytes()), large_body_bytes);
  const std::int32_t begun = parts_->cut(encoder, most, to);
  look_at_parts();
  return begun;
}

Status Outbox::encode(const wire::Message& message, std::string_view body, wire::Encoder& encoder) {
  if (parts_ != nullptr && parts_->holds_up(message)) [[unlikely]] {
    wire::Message behind = message;
    behind.body = Bytes::copy_of(body);
    return wait_in_parts(std::move(behind), encoder);
  }
  std::string& piece = gathering_piece();
  const std::size_t before = piece.size();
  if (Status s = encoder.encode(message, body, piece); !s.is_ok()) return s;
  gathered(before);
  return {};
}

// What is made of room is set to zero: mostly it is there from the last time, but among longer
// calls, which take back what is left of it.
void Outbox::make_room(std::string& piece) const {
  constexpr std::size_t step = 8 * wire::Encoder::most_small_call;
  piece.resize(used_ + step);
}

bool Outbox::encode_longer_call(const wire::PlainCall& call, wire::Encoder& encoder) {
  std::string& piece = gathering_piece();
  const std::size_t before = piece.size();
  if (!encoder.encode_call(call, piece)) return false;
  gathered(before);
  return true;
}

void Outbox::add(std::string& frames) {
  std::string& piece = gathering_piece();
  const std::size_t before = piece.size();
  if (before == 0) {
    std::swap(piece, frames);
  } else {
    piece += frames;
  }
  gathered(before);
}

void Outbox::add_frame(std::string frame) {
  if (frame.size() >= large_body_bytes) return share(Bytes::from(std::move(frame)));
  std::string& piece = gathering_piece();
  const std::size_t before = piece.size();
  piece += frame;
  gathered(before);
}

void Outbox::start(wire::Encoder& encoder) {
  std::string& piece = gathering_piece();
  const std::size_t before = piece.size();
  encoder.start(piece);
  gathered(before);
}

void Outbox::share(const Bytes& body) {
  if (!body.empty() && is_gathering_) stop_gathering();
  for (Bytes rest = body; !rest.empty(); rest.remove_prefix(rest.piece(0).size())) {
    pieces_.push_back({.frames = {}, .shared = rest.slice(0, rest.piece(0).size())});
  }
  bytes_ += body.size();
}

// The last piece is frames and nothing else from here on.
void Outbox::stop_gathering() {
  pieces_.back().frames.resize(used_);
  is_gathering_ = false;
}

std::string& Outbox::gathering_piece() {
  if (!is_gathering_) {
    pieces_.emplace_back();
    is_gathering_ = true;
    used_ = 0;
  }
  std::string& piece = pieces_.back().frames;
  piece.resize(used_);
  return piece;
}

void Outbox::gathered(std::size_t before) {
  used_ = pieces_.back().frames.size();
  bytes_ += used_ - before;
  if (used_ >= piece_bytes) stop_gathering();
}

std::string_view Outbox::text_of(std::size_t index) const {
  const Piece& piece = pieces_[index];
  if (!piece.shared.empty()) return piece.shared.piece(0);
  const bool has_room = is_gathering_ && index + 1 == pieces_.size();
  return {piece.frames.data(), has_room ? used_ : piece.frames.size()};
}

std::span<const std::string_view> Outbox::front(std::span<std::string_view> room) const {
  std::size_t count = 0;
  for (std::size_t i = first_; i < pieces_.size() && count < room.size(); ++i, ++count) {
    room[count] = text_of(i);
    if (count == 0) room[0].remove_prefix(offset_);
  }
  return room.first(count);
}

void Outbox::drop(std::size_t count) {
  PARLEY_ASSERT(count <= bytes_, "more bytes were sent than there were");
  bytes_ -= count;
  if (bytes_ > 0) {
    offset_ += count;
    while (offset_ >= text_of(first_).size()) {
      offset_ -= text_of(first_).size();
      pieces_[first_++] = {};
    }
    return;
  }
  // One piece for small frames is kept: the next of them need no memory then.
  std::string kept = pieces_.empty() ? std::string() : std::move(pieces_.front().frames);
  if (kept.capacity() > 2 * piece_bytes) kept = {};
  pieces_.clear();
  if (pieces_.capacity() > kept_pieces) pieces_ = {};
  pieces_.push_back({.frames = std::move(kept), .shared = {}});
  is_gathering_ = true;
  used_ = 0;
  first_ = 0;
  offset_ = 0;
}

}  // namespace parley::impl
