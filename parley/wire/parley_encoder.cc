// The writing side of the parley framing.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "parley/base/assert.h"
#include "parley/wire/impl/parley_frames.h"
#include "parley/wire/impl/put_short.h"
#include "parley/wire/impl/varint.h"
#include "parley/wire/parley_framing.h"

namespace parley::wire {
namespace {

using impl::FrameShape;
using impl::varint_size;

constexpr std::string_view ellipsis = "…";
// Of an error's texts together: what is longer is cut.
constexpr std::size_t most_status_text = std::size_t{16} << 10U;
// What a part leaves to the metadata that may precede it in its frame.
constexpr std::size_t beside_part = std::size_t{16} << 10U;
// A frame takes at most this besides method, status and metadata: id, method's number and size,
// deadline, count of entries, codec, filters.
constexpr std::size_t most_overhead = 5 * impl::longest_varint + 1;
static_assert(most_overhead >= 5 + 10 + 8 + 10 + 1 + 1 + FilterPipe::max_filters);

const FrameShape& shape_of(MessageType type) {
  return impl::frame_shapes[impl::frame_kind_of(type)];
}

void append_varint(std::string& out, std::uint64_t value) {
  std::array<char, impl::longest_varint> bytes;
  out.append(bytes.data(), impl::put_varint(bytes.data(), value));
}

void append_text(std::string& out, std::string_view text) {
  append_varint(out, text.size());
  out += text;
}

// The text, or its beginning and a "…", cut between two UTF-8 characters, in `room` bytes.
std::string shortened(std::string_view text, std::size_t room) {
  if (text.size() <= room) return std::string(text);
  if (room < ellipsis.size()) return {};
  std::size_t end = room - ellipsis.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + std::string(ellipsis);
}

void append_status(std::string& out, const Status& status) {
  append_varint(out, static_cast<std::uint64_t>(status.code()));
  append_varint(out, impl::zigzag(status.business_code()));
  const std::string_view message = status.message();
  const std::string_view cause = status.cause();
  if (message.size() + cause.size() <= most_status_text) {
    append_text(out, message);
    append_text(out, cause);
    return;
  }
  // A long cause gives way first, but keeps a quarter.
  const std::size_t left_by_cause = most_status_text - std::min(cause.size(), most_status_text / 4);
  append_text(out, shortened(message, left_by_cause));
  append_text(out, shortened(cause, most_status_text - std::min(message.size(), left_by_cause)));
}

std::size_t metadata_bytes(const Metadata& metadata) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : metadata) {
    bytes += varint_size(key.size()) + key.size() + varint_size(value.size()) + value.size();
  }
  return bytes;
}

// What a frame may take besides its body.
std::size_t head_bytes(const Message& message) {
  return most_overhead + message.method.size() + (message.status.is_ok() ? 0 : most_status_text) +
         (message.metadata.empty() ? 0 : metadata_bytes(message.metadata));
}

Status wrong(const FrameShape& shape, std::string what) {
  return {Code::invalid_argument, std::string(shape.name) + ": " + std::move(what)};
}

Status too_much(const FrameShape& shape, std::string what) {
  return {Code::resource_exhausted, std::string(shape.name) + ": " + std::move(what)};
}

// The byte's high bit says that filters follow, so there is no codec of such an id.
bool has_high_bit(BodyCodec codec) {
  return (static_cast<unsigned char>(codec) & impl::codec_filtered) != 0;
}

// Of a message with filters, or with a codec that looks so.
Status refuse_filters(const Message& message, const FrameShape& shape) {
  if (has_high_bit(message.body_codec) && shape.has_codec) {
    return wrong(shape, "a codec of id " +
                            std::to_string(static_cast<unsigned char>(message.body_codec)) +
                            "; the format carries those below 128");
  }
  if (message.filters.empty()) return {};
  if (!shape.has_codec) return wrong(shape, "it names no filters: those of its OPEN hold");
  if (shape.has_body && !message.is_filtered) {
    return wrong(shape, "its body has not gone through its filters: use filter_body()");
  }
  return {};
}

void append_codec(std::string& out, const Message& message) {
  const auto codec = static_cast<unsigned char>(message.body_codec);
  if (message.filters.empty()) [[likely]] {
    out += static_cast<char>(codec);
    return;
  }
  out += static_cast<char>(codec | impl::codec_filtered);
  append_text(out, message.filters.ids());
}

void copy_pieces(std::span<const std::string_view> pieces, std::string& out) {
  for (const std::string_view piece : pieces) out += piece;
}

}  // namespace

void ParleyEncoder::start(std::string& out) {
  constexpr Settings least;
  std::string settings;
  for (std::size_t i = 0; i < impl::numbered_settings.size(); ++i) {
    const auto setting = impl::numbered_settings[i];
    PARLEY_ASSERT(limits_.takes.*setting >= least.*setting,
                  "the parley framing lets no side take less than the defaults of wire::Settings");
    if (limits_.takes.*setting == least.*setting) continue;
    append_varint(settings, i + 1);
    append_varint(settings, limits_.takes.*setting);
  }
  out += impl::parley_magic;
  out += static_cast<char>(impl::parley_version);
  append_text(out, settings);
}

bool ParleyEncoder::has(MessageType type) const noexcept { return impl::frame_kind_of(type) != 0; }

std::size_t ParleyEncoder::max_body_bytes() const noexcept {
  return std::min(other_.max_message, limits_.takes.max_message);
}

std::size_t ParleyEncoder::part_bytes() const noexcept { return other_.max_frame - beside_part; }

Status ParleyEncoder::check(const Message& message) const {
  return refuse(message, message.body.size());
}

// All that can go wrong, before anything is written.
Status ParleyEncoder::refuse(const Message& message, std::size_t body_bytes) const {
  const FrameShape& shape = shape_of(message.type);
  if (!shape.is_known) {
    return {Code::unimplemented, "parley frame: type " +
                                     std::to_string(static_cast<unsigned>(message.type)) + " (" +
                                     std::string(name_of(message.type)) + ") is no message"};
  }
  if (!message.filters.empty() || has_high_bit(message.body_codec)) [[unlikely]] {
    if (Status bad = refuse_filters(message, shape); !bad.is_ok()) return bad;
  }
  const std::size_t head = head_bytes(message);
  const bool is_in_parts = message.more || head + body_bytes > other_.max_frame;
  const bool needs_id = shape.has_id ? message.type != MessageType::credit
                                     : message.type == MessageType::push && is_in_parts;
  if (message.seq < (needs_id ? 1 : 0)) {
    return wrong(shape, "an id of " + std::to_string(message.seq) + "; they begin with 1");
  }
  if (message.method.size() > impl::longest_method) {
    return wrong(shape, "a method name of " + std::to_string(message.method.size()) +
                            " bytes; the format carries at most " +
                            std::to_string(impl::longest_method));
  }
  if ((body_bytes > 0 && !shape.has_body) || (message.more && shape.more == 0)) {
    return wrong(shape, "it carries no body");
  }
  if (!message.metadata.empty() && shape.metadata == 0) {
    return wrong(shape, "it carries no metadata");
  }
  if (message.metadata.size() > limits_.max_metadata_entries) {
    return too_much(shape, impl::against(message.metadata.size(),
                                         "entries of metadata are more than max_metadata_entries (",
                                         limits_.max_metadata_entries));
  }
  if (body_bytes > max_body_bytes()) {
    return too_much(
        shape, impl::against(body_bytes, "bytes are more than max_message (", max_body_bytes()));
  }
  if (head > other_.max_frame) {
    const bool is_answer = message.type == MessageType::reply || message.type == MessageType::end;
    return too_much(
        shape, impl::against(
                   head,
                   is_answer ? "bytes with the answer's metadata are more than the other side's "
                               "max_frame ("
                             : "bytes with the metadata are more than the other side's max_frame (",
                   other_.max_frame) +
                   ": move large values to the body");
  }
  if (message.type == MessageType::part && head + body_bytes > other_.max_frame) {
    return too_much(shape,
                    impl::against(body_bytes, "bytes are more than the other side's max_frame (",
                                  other_.max_frame));
  }
  return {};
}

// What the other side keeps this name as; 0 when it does not.
inline std::uint64_t ParleyEncoder::known_name(std::string_view name) noexcept {
  if (seen_ == nullptr) return 0;  // it keeps none
  const auto place = reinterpret_cast<std::uintptr_t>(name.data());
  Seen& seen = (*seen_)[(place >> 3U ^ place) % seen_->size()];
  // What stands at an address may have changed, so the text is compared too.
  if (seen.number != 0 && seen.at == name.data() &&
      impl::is_same(kept_[seen.number - impl::first_name], name)) [[likely]] {
    return seen.number;
  }
  const auto found = numbers_.find(name);
  if (found == numbers_.end()) return 0;
  seen = {name.data(), found->second};
  return found->second;
}

void ParleyEncoder::append_name(std::string_view name, std::string& head) {
  if (const std::uint64_t number = known_name(name); number != 0) {
    append_varint(head, number);
    return;
  }
  const bool is_kept = names_.size() < std::min(other_.max_names, limits_.takes.max_names);
  head += static_cast<char>(is_kept ? impl::name_to_keep : impl::name_as_text);
  append_text(head, name);
  if (!is_kept) return;
  if (seen_ == nullptr) seen_ = std::make_unique<std::array<Seen, 64>>();
  kept_.emplace_back(names_.emplace_back(name));
  numbers_.emplace(kept_.back(), kept_.size() - 1 + impl::first_name);
}

// The frame up to its body, of which so much will follow.
void ParleyEncoder::encode_frame(const Message& message, std::size_t body_bytes, std::string& out) {
  const unsigned kind = impl::frame_kind_of(message.type);
  const FrameShape& shape = impl::frame_shapes[kind];
  const bool is_auth =
      message.type == MessageType::auth_call || message.type == MessageType::auth_reply;
  const auto microseconds =
      message.timeout
          ? std::max<std::int64_t>(
                std::chrono::duration_cast<std::chrono::microseconds>(*message.timeout).count(), 0)
          : -1;
  const bool has_timeout =
      microseconds >= 0 && static_cast<std::uint64_t>(microseconds) <= impl::longest_timeout_us;
  unsigned first = kind;
  if (has_timeout) first |= shape.timeout;
  if (message.own) first |= shape.own;
  if (!message.status.is_ok()) first |= shape.status;
  if (!message.metadata.empty()) first |= shape.metadata;
  if (message.more) first |= shape.more;
  if (is_auth) first |= shape.auth;

  std::string& head = head_;
  head.clear();
  const bool has_id = shape.has_id || (message.type == MessageType::push && message.more);
  if (has_id) append_varint(head, static_cast<std::uint64_t>(message.seq));
  if (shape.has_method) append_name(message.method, head);
  if (has_timeout && shape.timeout != 0) {
    append_varint(head, static_cast<std::uint64_t>(microseconds));
  }
  const bool has_status =
      shape.status != 0 ? !message.status.is_ok() : message.type == MessageType::go_away;
  if (has_status) append_status(head, message.status);
  if (!message.metadata.empty()) {
    append_varint(head, message.metadata.size());
    for (const auto& [key, value] : message.metadata) {
      append_text(head, key);
      append_text(head, value);
    }
  }
  if (shape.has_codec) append_codec(head, message);
  if (message.type == MessageType::credit || message.type == MessageType::go_away) {
    append_varint(head, message.value);
  } else if (message.type == MessageType::ping || message.type == MessageType::pong) {
    for (std::size_t i = impl::ping_bytes; i-- > 0;) {
      head += static_cast<char>(message.value >> (8 * i));
    }
  }
  out += static_cast<char>(first);
  append_varint(out, head.size() + body_bytes);
  out += head;
}

bool ParleyEncoder::encode_call(const PlainCall& call, std::string& out) {
  constexpr std::size_t longest = 4096;  // what any side takes as a body
  if (has_high_bit(call.codec) || call.seq < 1 || call.body.size() > longest) return false;
  const std::uint64_t name = known_name(call.method);
  if (name == 0) return false;
  std::uint64_t microseconds = 0;
  if (call.timeout) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(*call.timeout);
    microseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 0));
    if (microseconds > impl::longest_timeout_us) return false;
  }
  // The fields first, behind room for what tells their size.
  constexpr std::size_t room = 1 + impl::longest_varint;
  std::array<char, room + 3 * impl::longest_varint + 1 + most_small_call_body> frame;
  char* at = impl::put_varint(frame.data() + room, static_cast<std::uint64_t>(call.seq));
  at = impl::put_varint(at, name);
  if (call.timeout) at = impl::put_varint(at, microseconds);
  *at++ = static_cast<char>(call.codec);
  const auto fields = static_cast<std::size_t>(at - frame.data()) - room;
  const std::size_t payload = fields + call.body.size();
  char* const first = frame.data() + room - varint_size(payload) - 1;
  const unsigned flags = call.timeout ? impl::flag_timeout : 0;
  *first = static_cast<char>(impl::frame_kind_of(MessageType::call) | flags);
  impl::put_varint(first + 1, payload);
  const bool is_short = call.body.size() <= most_small_call_body;
  if (is_short) at = impl::put_short(at, call.body);
  out.append(first, static_cast<std::size_t>(at - first));
  if (!is_short) out += call.body;
  return true;
}

// False when the format has none so long.
bool ParleyEncoder::remember(Duration timeout) noexcept {
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(timeout);
  const auto microseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 0));
  if (microseconds > impl::longest_timeout_us) return false;
  timeout_.of = timeout;
  timeout_.size = varint_size(microseconds);
  impl::put_varint(timeout_.bytes.data(), microseconds);
  return true;
}

char* ParleyEncoder::write_call(const PlainCall& call, char* room) noexcept {
  constexpr std::size_t most_fields = 5 + impl::longest_varint + sizeof timeout_.bytes + 1;
  // So that one byte tells the size.
  static_assert(most_fields + most_small_call_body < 0x80 &&
                2 + most_fields + most_small_call_body <= most_small_call);
  if (has_high_bit(call.codec) || call.seq < 1 || call.body.size() > most_small_call_body) {
    return nullptr;
  }
  const std::uint64_t name = known_name(call.method);
  if (name == 0) return nullptr;
  unsigned kind = impl::frame_kind_of(MessageType::call);
  char* at = impl::put_varint(room + 2, static_cast<std::uint64_t>(call.seq));
  at = impl::put_varint(at, name);
  if (call.timeout) {
    const bool is_new = timeout_.size == 0 || timeout_.of != *call.timeout;
    if (is_new && !remember(*call.timeout)) return nullptr;
    kind |= impl::flag_timeout;
    std::memcpy(at, timeout_.bytes.data(), sizeof timeout_.bytes);
    at += timeout_.size;
  }
  *at++ = static_cast<char>(call.codec);
  at = impl::put_short(at, call.body);
  room[0] = static_cast<char>(kind);
  room[1] = static_cast<char>(at - (room + 2));
  return at;
}

Status ParleyEncoder::encode_pieces(const Message& message, std::span<const std::string_view> body,
                                    std::string& out) {
  if (message.type == MessageType::call && body.size() <= 1 && !message.more &&
      message.metadata.empty() && message.filters.empty()) {
    const PlainCall call{.seq = message.seq,
                         .method = message.method,
                         .codec = message.body_codec,
                         .body = body.empty() ? std::string_view() : body[0],
                         .timeout = message.timeout};
    if (encode_call(call, out)) return {};
  }
  std::size_t size = 0;
  for (const std::string_view piece : body) size += piece.size();
  if (Status bad = refuse(message, size); !bad.is_ok()) return bad;
  const std::size_t most = head_bytes(message) + size;
  if (most > other_.max_frame) return encode_in_parts(message, body, size, out);
  // Never less than double: many small messages written to one buffer must not each move it.
  if (out.size() + most > out.capacity())
    out.reserve(std::max(out.size() + most, 2 * out.capacity()));
  encode_frame(message, size, out);
  copy_pieces(body, out);
  return {};
}

Status ParleyEncoder::encode_in_parts(const Message& message,
                                      std::span<const std::string_view> body,
                                      std::size_t body_bytes, std::string& out) {
  out.reserve(out.size() + head_bytes(message) + body_bytes + body_bytes / 1024);
  Message frame = message;
  frame.body = {};
  std::size_t left = body_bytes;
  std::size_t used = 0;  // of body's first piece
  std::size_t room = other_.max_frame - head_bytes(message);
  for (;;) {
    const std::size_t size = std::min(left, room);
    left -= size;
    frame.more = left > 0 || message.more;
    encode_frame(frame, size, out);
    for (std::size_t missing = size; missing > 0;) {
      const std::string_view some = body.front().substr(used, missing);
      out += some;
      missing -= some.size();
      used += some.size();
      if (used < body.front().size()) continue;
      body = body.subspan(1);
      used = 0;
    }
    if (left == 0) return {};
    frame =
        Message{.seq = message.seq, .type = MessageType::part, .own = is_of_own_exchange(message)};
    room = other_.max_frame - most_overhead;
  }
}

namespace {

constexpr unsigned reply_kind = impl::frame_kind_of(MessageType::reply);
// What a REPLY has besides its body, at most.
constexpr std::size_t most_reply_head = 2 + 3 * impl::longest_varint;
// The body of a small one, whose length then has one byte.
constexpr std::size_t most_small_body = Encoder::most_small_answer - most_reply_head;
static_assert(impl::longest_varint + 1 + most_small_body < 0x80);

char* put_reply_head(char* at, std::int32_t seq, BodyCodec codec, std::size_t body_bytes) {
  const auto id = static_cast<std::uint64_t>(seq);
  *at++ = static_cast<char>(reply_kind);
  at = impl::put_varint(at, varint_size(id) + 1 + body_bytes);
  at = impl::put_varint(at, id);
  *at++ = static_cast<char>(codec);
  return at;
}

}  // namespace

char* ParleyEncoder::write_answer(std::int32_t seq, BodyCodec codec, std::string_view body,
                                  char* room) const noexcept {
  if (seq < 1 || has_high_bit(codec)) return nullptr;
  // Its length has one byte, and is known when the rest is written.
  const auto id = static_cast<std::uint32_t>(seq);
  char* const payload = room + 2;
  room[0] = static_cast<char>(reply_kind);
  char* at = payload;
  if (id >= 0x80 && id < 0x4000) [[likely]] {
    *at++ = static_cast<char>(id | 0x80U);
    *at++ = static_cast<char>(id >> 7U);
  } else {
    at = impl::put_varint(at, id);
  }
  *at++ = static_cast<char>(codec);
  room[1] = static_cast<char>(at - payload + static_cast<std::ptrdiff_t>(body.size()));
  return impl::put_short(at, body, most_small_body);
}

Status ParleyEncoder::encode_answer(std::int32_t seq, BodyCodec codec, std::string_view body,
                                    std::string& out) const {
  // What any side takes, since what this one takes may be learned at this very moment.
  if (seq < 1 || body.size() + most_reply_head > Settings().max_frame || has_high_bit(codec)) {
    return {Code::resource_exhausted, "parley REPLY: it is no small answer"};
  }
  std::array<char, most_reply_head> head;
  out.append(head.data(), put_reply_head(head.data(), seq, codec, body.size()));
  out += body;
  return {};
}

Status ParleyEncoder::encode_apart(const Message& message, std::string& out, Bytes& tail) {
  const std::size_t size = message.body.size();
  if (Status bad = refuse(message, size); !bad.is_ok()) return bad;
  if (head_bytes(message) + size > other_.max_frame) {
    if (Status bad = encode(message, out); !bad.is_ok()) return bad;
    tail = {};
    return {};
  }
  encode_frame(message, size, out);
  tail = message.body;
  return {};
}

Match ParleyFraming::matches(std::string_view first_bytes) const noexcept {
  const std::string_view magic = impl::parley_magic;
  if (first_bytes.size() >= magic.size()) {
    return first_bytes.starts_with(magic) ? Match::yes : Match::no;
  }
  return magic.starts_with(first_bytes) ? Match::needs_more : Match::no;
}

}  // namespace parley::wire
