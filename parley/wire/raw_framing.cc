#include "parley/wire/raw_framing.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "parley/wire/impl/frame_reader.h"
#include "parley/wire/query.h"
#include "parley/wire/status_text.h"

namespace parley::wire {
namespace {

constexpr std::size_t size_bytes = 4;
// size 4, xferLen 1, seqLen 1, seq 1, type 1, methodLen 1, statusLen 2, metaLen 2, bodyCodec 1. A
// transfer filter that makes nine bytes smaller is not known to us.
constexpr std::size_t smallest_frame = 14;
constexpr std::size_t longest_method = 255;
constexpr std::size_t longest_metadata = 65535;
// "-zik0zk"
constexpr std::size_t longest_seq = 7;
constexpr int seq_radix = 36;
// What a frame takes at most besides method, status, metadata and body.
constexpr std::size_t most_overhead = smallest_frame - 1 + longest_seq;

Status malformed(std::string what) {
  return {Code::invalid_argument, "raw frame: " + std::move(what)};
}

std::string count_of(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun);
}

std::size_t frame_limit(const RawLimits& limits) noexcept {
  // The length field has 32 bits.
  return std::min<std::size_t>(limits.max_frame_bytes, std::numeric_limits<std::uint32_t>::max());
}

Status too_large(std::size_t size, std::size_t limit) {
  std::string what = "raw frame: a frame of " + count_of(size, "bytes") +
                     " is larger than max_frame_bytes (" + std::to_string(limit) + "); ";
  // Four printable bytes where a length should be are the beginning of a text protocol.
  std::string begin;
  for (int shift = 24; shift >= 0; shift -= 8) begin += static_cast<char>(size >> shift);
  const bool is_text =
      std::all_of(begin.begin(), begin.end(), [](char byte) { return byte >= ' ' && byte <= '~'; });
  what += is_text ? "the other side does not seem to speak this protocol: its first bytes are \"" +
                        begin + "\""
                  : "send less at once or raise the limit on both sides";
  return {Code::resource_exhausted, std::move(what)};
}

// A byte for people: 'm', or 0x03 when it does not print.
std::string shown(char byte) {
  if (byte > ' ' && byte <= '~') return {'\'', byte, '\''};
  constexpr std::string_view digits = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  return {'0', 'x', digits[value >> 4U], digits[value & 15U]};
}

// Where transfer filters will be undone. The ids are in the order in which the sender applied them.
Status refuse_filters(std::string_view ids) {
  if (ids.empty()) return {};
  return {Code::unimplemented,
          "raw frame: transfer filter " + shown(ids.front()) +
              " is not registered; let the sender send without it, or register it on this side"};
}

// As Go's strconv.ParseInt(text, 36, 32): either case, one sign, leading zeros.
Result<std::int32_t> parse_seq(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  std::int32_t seq = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), seq, seq_radix);
  if (parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size()) return seq;
  std::string escaped;
  append_escaped(escaped, text);
  return malformed("sequence number \"" + escaped +
                   "\" is not a base-36 number that fits 32 signed bits");
}

// Reads one whole frame into `out`, all but its body, and says where the body begins.
Status parse_frame(std::string_view frame, const RawLimits& limits, Message& out,
                   std::size_t& body_offset) {
  impl::FrameReader reader("raw frame", frame.substr(size_bytes));
  const std::string_view filters = reader.text(reader.number(1, "filter count"), "filter list");
  if (!reader.is_ok()) return reader.error();
  if (Status bad = refuse_filters(filters); !bad.is_ok()) return bad;

  const std::string_view seq = reader.text(reader.number(1, "sequence size"), "sequence number");
  const std::uint32_t type_number = reader.number(1, "message type");
  const std::string_view method = reader.text(reader.number(1, "method size"), "method");
  const std::string_view status = reader.text(reader.number(2, "status size"), "status");
  const std::string_view metadata = reader.text(reader.number(2, "metadata size"), "metadata");
  const auto codec = static_cast<char>(reader.number(1, "body codec"));
  if (!reader.is_ok()) return reader.error();

  const Result<std::int32_t> seq_number = parse_seq(seq);
  if (!seq_number) return seq_number.error();
  const auto type = teleport_type_of(type_number);
  if (!type) return malformed("unknown message type " + std::to_string(type_number));
  out.seq = *seq_number;
  out.type = *type;
  out.method = method;
  if (Status bad = decode_status_text(status, out.status); !bad.is_ok()) {
    return bad.with_context("raw frame: status");
  }
  if (!metadata.empty()) {
    auto entries = decode_query(metadata, {.max_entries = limits.max_metadata_entries});
    if (!entries) return entries.error().with_context("raw frame: metadata");
    out.metadata = *std::move(entries);
  }
  out.body_codec = static_cast<BodyCodec>(codec);
  body_offset = frame.size() - reader.left();
  return {};
}

// The size a frame claims in its first four bytes, if it is one we take.
Result<std::size_t> claimed_size(std::string_view head, const RawLimits& limits) {
  std::size_t size = 0;
  for (const char c : head.substr(0, size_bytes)) size = size << 8U | static_cast<unsigned char>(c);
  if (size > frame_limit(limits)) return too_large(size, frame_limit(limits));
  if (size < smallest_frame) {
    return malformed("it claims a size of " + count_of(size, "bytes") +
                     ", but the smallest frame has " + std::to_string(smallest_frame));
  }
  return size;
}

}  // namespace

Status RawDecoder::die(Status why) {
  error_ = std::move(why);
  buffer_.clear();
  return error_;
}

// The frame lies in one chunk: nothing is copied but what the message keeps as text.
Result<bool> RawDecoder::next(Message& message) {
  if (!error_.is_ok()) return error_;
  const std::string_view chunk = buffer_.front();
  if (chunk.size() < size_bytes) return next_joined(message);
  const Result<std::size_t> size = claimed_size(chunk, limits_);
  if (!size) return die(size.error());
  if (chunk.size() < *size) return next_joined(message);
  std::size_t body_offset = 0;
  Status status = parse_frame(chunk.substr(0, *size), limits_, message, body_offset);
  if (!status.is_ok()) return die(std::move(status));
  if (!message.method.empty()) message.method_block = buffer_.block();
  message.body = buffer_.slice(body_offset, *size);
  buffer_.consume(*size);
  return true;
}

Result<bool> RawDecoder::next_joined(Message& message) {
  if (!buffer_.gather(size_bytes)) return false;
  const Result<std::size_t> size = claimed_size(buffer_.joined(), limits_);
  if (!size) return die(size.error());
  if (!buffer_.gather(*size)) return false;
  const Bytes frame = Bytes::from(buffer_.take_joined());
  std::size_t body_offset = 0;
  Status status = parse_frame(frame.piece(0), limits_, message, body_offset);
  if (!status.is_ok()) return die(std::move(status));
  if (!message.method.empty()) message.method_block = frame.first_block();
  message.body = frame.slice(body_offset, *size - body_offset);
  return true;
}

namespace {

void put_number(char* to, std::size_t width, std::size_t number) noexcept {
  for (; width > 0; --width, number >>= 8U) to[width - 1] = static_cast<char>(number & 0xFFU);
}

Status metadata_too_long(std::size_t size, const Message& message) {
  return malformed("metadata of " + count_of(size, "bytes") + " as query text for method \"" +
                   std::string(message.method) + "\"; the format carries at most " +
                   std::to_string(longest_metadata) + ": move large values to the body");
}

// What can be refused before a byte is written.
Status refuse_unwritable(const Message& message, std::size_t body_bytes, const RawLimits& limits) {
  if (!teleport_type_of(static_cast<std::uint32_t>(message.type)) || message.more) {
    return {Code::unimplemented,
            "raw frame: it carries no " +
                std::string(message.more ? "body in parts" : name_of(message.type)) +
                ", only calls, pushes and their like, whole"};
  }
  if (message.method.size() > longest_method) {
    return malformed("method name of " + count_of(message.method.size(), "bytes") + " (\"" +
                     std::string(message.method.substr(0, 32)) +
                     "…\"); the format carries at most " + std::to_string(longest_method));
  }
  if (message.metadata.size() > limits.max_metadata_entries) {
    return {Code::resource_exhausted, "raw frame: metadata of " +
                                          count_of(message.metadata.size(), "entries") +
                                          " for method \"" + std::string(message.method) +
                                          "\" is more than max_metadata_entries (" +
                                          std::to_string(limits.max_metadata_entries) + ")"};
  }
  std::size_t metadata_least = 0;
  for (const auto& [key, value] : message.metadata) metadata_least += key.size() + value.size();
  if (metadata_least > longest_metadata) {
    return metadata_too_long(query_size(message.metadata), message);
  }
  const std::size_t least = smallest_frame + message.method.size() + body_bytes;
  if (least > frame_limit(limits)) return too_large(least, frame_limit(limits));
  return {};
}

// One reserve for the whole frame, from above: escaping makes at most three bytes of one. Texts
// that are longer than the format can carry will be refused or cut, so they get no more room than
// that.
void make_room(const Message& message, std::size_t body_room, std::string& out) {
  const Status& status = message.status;
  const std::size_t status_most =
      status.is_ok() ? std::size_t{6} : 32 + 3 * (status.message().size() + status.cause().size());
  std::size_t metadata_most = 0;
  for (const auto& [key, value] : message.metadata) {
    metadata_most += 2 + 3 * (key.size() + value.size());
  }
  const std::size_t needed = out.size() + most_overhead + message.method.size() +
                             std::min(status_most, max_status_text) +
                             std::min(metadata_most, longest_metadata) + body_room;
  // Never less than double: many small messages written to one buffer must not each move it.
  if (needed > out.capacity()) out.reserve(std::max(needed, 2 * out.capacity()));
}

// A status may take what the rest of the frame leaves of max_frame_bytes: an error is shortened
// rather than lost.
std::size_t status_room(const Message& message, std::size_t body_bytes,
                        const RawLimits& limits) noexcept {
  const std::size_t rest =
      most_overhead + message.method.size() + query_size(message.metadata) + body_bytes;
  const std::size_t limit = frame_limit(limits);
  return rest < limit ? std::min(limit - rest, max_status_text) : 0;
}

}  // namespace

bool RawEncoder::has(MessageType type) const noexcept {
  return teleport_type_of(static_cast<std::uint32_t>(type)).has_value();
}

std::size_t RawEncoder::max_body_bytes() const noexcept {
  constexpr std::size_t ok_status = 6;  // "code=0"
  const std::size_t limit = frame_limit(limits_);
  return limit - std::min(limit, most_overhead + ok_status);
}

// Writes the frame up to its body. `body_room` is how much of the body will follow in `out`.
Status RawEncoder::encode_head(const Message& message, std::size_t body_bytes,
                               std::size_t body_room, std::string& out) const {
  if (Status bad = refuse_unwritable(message, body_bytes, limits_); !bad.is_ok()) return bad;
  make_room(message, body_room, out);
  const std::size_t start = out.size();

  std::array<char, most_overhead> head{};
  char* at = head.data() + size_bytes;
  *at++ = 0;  // no transfer filter
  char* const seq = at + 1;
  char* const seq_end = std::to_chars(seq, seq + longest_seq, message.seq, seq_radix).ptr;
  *at = static_cast<char>(seq_end - seq);
  at = seq_end;
  *at++ = static_cast<char>(message.type);
  *at++ = static_cast<char>(message.method.size());
  out.append(head.data(), at);
  out += message.method;

  const std::size_t status_at = out.size();
  out.append(2, '\0');
  append_status_text(
      out, message.status,
      message.status.is_ok() ? max_status_text : status_room(message, body_bytes, limits_));
  put_number(out.data() + status_at, 2, out.size() - status_at - 2);

  const std::size_t metadata_at = out.size();
  out.append(2, '\0');
  append_query(out, message.metadata);
  const std::size_t metadata_size = out.size() - metadata_at - 2;
  out += static_cast<char>(message.body_codec);
  const std::size_t frame_size = out.size() - start + body_bytes;
  if (metadata_size > longest_metadata || frame_size > frame_limit(limits_)) {
    out.resize(start);
    return metadata_size > longest_metadata ? metadata_too_long(metadata_size, message)
                                            : too_large(frame_size, frame_limit(limits_));
  }
  put_number(out.data() + metadata_at, 2, metadata_size);
  put_number(out.data() + start, size_bytes, frame_size);
  return {};
}

Status RawEncoder::encode_pieces(const Message& message, std::span<const std::string_view> body,
                                 std::string& out) {
  std::size_t size = 0;
  for (const std::string_view piece : body) size += piece.size();
  if (Status bad = encode_head(message, size, size, out); !bad.is_ok()) return bad;
  for (const std::string_view piece : body) out += piece;
  return {};
}

Status RawEncoder::encode_apart(const Message& message, std::string& out, Bytes& tail) {
  if (Status bad = encode_head(message, message.body.size(), 0, out); !bad.is_ok()) return bad;
  tail = message.body;
  return {};
}

Match RawFraming::matches(std::string_view first_bytes) const noexcept {
  constexpr std::size_t needed = size_bytes + 2;
  std::size_t size = 0;
  for (const char c : first_bytes.substr(0, size_bytes)) {
    size = size << 8U | static_cast<unsigned char>(c);
  }
  if (first_bytes.size() < needed) {
    // The first byte alone tells it from texts and from formats that begin with a magic number.
    const bool may_be = first_bytes.empty() || static_cast<unsigned char>(first_bytes.front()) <=
                                                   frame_limit(limits_) >> 24U;
    return may_be ? Match::needs_more : Match::no;
  }
  if (size < smallest_frame || size > frame_limit(limits_)) return Match::no;
  const auto filters = static_cast<unsigned char>(first_bytes[size_bytes]);
  const auto seq_bytes = static_cast<unsigned char>(first_bytes[size_bytes + 1]);
  const bool is_raw = filters > 0 || (seq_bytes > 0 && seq_bytes <= longest_seq);
  return is_raw ? Match::yes : Match::no;
}

}  // namespace parley::wire
