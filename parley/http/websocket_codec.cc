#include "parley/http/websocket_codec.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "parley/base/assert.h"
#include "parley/crypto/random_bytes.h"
#include "parley/http/syntax.h"
#include "parley/rt/blocking.h"

namespace parley::http {
namespace {

constexpr unsigned char last_bit = 0x80;
constexpr unsigned char compressed_bit = 0x40;
constexpr unsigned char other_reserved_bits = 0x30;
constexpr unsigned char mask_bit = 0x80;
constexpr std::uint8_t continuation = 0;
constexpr std::uint8_t close_opcode = 8;
constexpr std::uint8_t ping_opcode = 9;
constexpr std::uint8_t pong_opcode = 10;
constexpr std::size_t most_control = 125;
constexpr std::size_t size_in_two = 126;
constexpr std::size_t size_in_eight = 127;
// What a size alone makes this side allocate; more only as bytes come.
constexpr std::size_t most_reserved = std::size_t{64} << 10U;
// Unmasked at once where the bytes are needed somewhere else.
constexpr std::size_t scratch_size = 2048;
constexpr std::size_t keys_at_once = 256;
// Between two looks at who else wants to run.
constexpr std::size_t deflated_at_once = std::size_t{32} << 10U;
// What a sync flush ends with, which is not sent (RFC 7692 7.2.1).
constexpr std::string_view flush_end("\0\0\xff\xff", 4);

bool is_control(std::uint8_t opcode) { return opcode >= close_opcode; }

void append_big_endian(std::string& out, std::size_t bytes, std::uint64_t number) {
  while (bytes-- > 0) out += static_cast<char>(number >> (8 * bytes) & 0xffU);
}

void append_head(std::string& out, unsigned char first, std::uint64_t size, unsigned char masked) {
  out += static_cast<char>(first);
  if (size <= most_control) {
    out += static_cast<char>(masked | size);
  } else if (size <= 0xffff) {
    out += static_cast<char>(masked | size_in_two);
    append_big_endian(out, 2, size);
  } else {
    out += static_cast<char>(masked | size_in_eight);
    append_big_endian(out, 8, size);
  }
}

wire::InflateOptions inflate_options(const DeflateAgreement& deflate, Side sender,
                                     std::size_t max_message) {
  return {.window_bits = deflate.window_bits(sender), .max_output = max_message, .goes_on = true};
}

Side other(Side side) { return side == Side::client ? Side::server : Side::client; }

}  // namespace

bool is_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

void impl::mask(std::span<char> bytes, const std::array<char, 4>& key, std::uint64_t at) noexcept {
  std::array<char, 8> eight{};
  for (std::size_t i = 0; i < eight.size(); ++i) eight[i] = key[(at + i) % key.size()];
  std::uint64_t wide = 0;
  std::memcpy(&wide, eight.data(), sizeof(wide));
  char* to = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= sizeof(wide); left -= sizeof(wide), to += sizeof(wide)) {
    std::uint64_t word = 0;
    std::memcpy(&word, to, sizeof(word));
    word ^= wide;
    std::memcpy(to, &word, sizeof(word));
  }
  for (std::size_t i = 0; i < left; ++i) to[i] = static_cast<char>(to[i] ^ eight[i]);
}

WebSocketReader::WebSocketReader(Side side, const WebSocketLimits& limits,
                                 const std::optional<DeflateAgreement>& deflate)
    : side_(side), limits_(limits), deflate_(deflate) {}

std::string WebSocketReader::take_message() noexcept { return std::exchange(message_, {}); }

std::string_view WebSocketReader::close_reason() const noexcept {
  return control_.size() > 2 ? std::string_view(control_).substr(2) : std::string_view();
}

Result<WebSocketReader::Event> WebSocketReader::next(std::string_view& in, Instant now) {
  if (!failed_.is_ok()) return failed_;
  while (state_ != State::over) {
    if (state_ == State::head) {
      if (!read_head(in)) return failed_;
      if (state_ == State::head) return Event::more;
    }
    if (!read_payload(in)) return failed_;
    if (left_ > 0) return Event::more;
    const std::optional<Event> event = end_frame(now);
    if (!failed_.is_ok()) return failed_;
    if (event) return *event;
  }
  in = {};
  return Event::more;
}

bool WebSocketReader::read_head(std::string_view& in) {
  while (head_size_ < head_wanted_) {
    if (in.empty()) return true;
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    head_[head_size_++] = byte;
    if (head_size_ == 1 && !check_first(byte)) return false;
    if (head_size_ == 2 && !check_second(byte)) return false;
  }
  return begin_frame();
}

bool WebSocketReader::check_first(unsigned char first) {
  opcode_ = first & 0x0fU;
  is_last_ = (first & last_bit) != 0;
  const bool compressed = (first & compressed_bit) != 0;
  if ((first & other_reserved_bits) != 0) {
    return fail(close_code::protocol_error, Code::invalid_argument,
                "a frame has a reserved bit that nobody agreed on");
  }
  if (compressed && (!deflate_ || opcode_ == continuation || is_control(opcode_))) {
    return fail(close_code::protocol_error, Code::invalid_argument,
                deflate_ ? "a frame that does not begin a message says that it is compressed"
                         : "a frame is compressed, which was not agreed on");
  }
  if (opcode_ > pong_opcode || (opcode_ > 2 && opcode_ < close_opcode)) {
    return fail(close_code::protocol_error, Code::invalid_argument,
                "a frame has the reserved opcode " + std::to_string(opcode_));
  }
  if (is_control(opcode_)) {
    return is_last_ || fail(close_code::protocol_error, Code::invalid_argument,
                            "a ping, pong or Close frame is fragmented");
  }
  if (opcode_ == continuation && !in_message_) {
    return fail(close_code::protocol_error, Code::invalid_argument,
                "a frame goes on with a message, and none is under way");
  }
  if (opcode_ != continuation && in_message_) {
    return fail(close_code::protocol_error, Code::invalid_argument,
                "a message begins within another one");
  }
  if (opcode_ != continuation) is_compressed_ = compressed;
  return true;
}

bool WebSocketReader::check_second(unsigned char second) {
  const bool masked = (second & mask_bit) != 0;
  const unsigned size = second & 0x7fU;
  if (masked != (side_ == Side::server)) {
    return fail(close_code::protocol_error, Code::invalid_argument,
                masked ? "a server's frame is masked" : "a client's frame is not masked");
  }
  if (is_control(opcode_) && size > most_control) {
    return fail(close_code::protocol_error, Code::invalid_argument,
                "a ping, pong or Close frame has more than 125 bytes");
  }
  const unsigned size_bytes = size == size_in_two ? 2 : size == size_in_eight ? 8 : 0;
  head_wanted_ = static_cast<std::uint8_t>(2 + size_bytes + (masked ? mask_.size() : 0));
  return true;
}

bool WebSocketReader::begin_frame() {
  const unsigned short_size = head_[1] & 0x7fU;
  std::size_t at = 2;
  left_ = short_size;
  if (short_size > most_control) {
    left_ = 0;
    const std::size_t end = at + (short_size == size_in_two ? 2 : 8);
    for (; at < end; ++at) left_ = left_ << 8U | head_[at];
    if (left_ <= (short_size == size_in_two ? most_control : 0xffffU)) {
      return fail(close_code::protocol_error, Code::invalid_argument,
                  "the size of a frame (" + std::to_string(left_) +
                      ") is written in more bytes than it needs");
    }
    if (left_ >> 63U != 0) {
      return fail(close_code::protocol_error, Code::invalid_argument,
                  "the size of a frame is beyond 2^63");
    }
  }
  if (side_ == Side::server) std::memcpy(mask_.data(), &head_[at], mask_.size());
  done_ = 0;
  state_ = State::payload;
  if (is_control(opcode_)) {
    control_.clear();
    return true;
  }
  if (left_ > limits_.max_frame) {
    return fail(close_code::too_large, Code::resource_exhausted,
                "a frame of " + std::to_string(left_) + " bytes, max_frame is " +
                    std::to_string(limits_.max_frame));
  }
  if (opcode_ != continuation) {
    type_ = static_cast<WebSocketType>(opcode_);
    in_message_ = true;
    fragments_ = 0;
    message_.clear();
    utf8_.start();
    if (inflater_) inflater_->restart_count();
  }
  if (++fragments_ > limits_.max_fragments) {
    return fail(close_code::policy, Code::resource_exhausted,
                "a message of more than max_fragments (" + std::to_string(limits_.max_fragments) +
                    ") frames");
  }
  if (!is_compressed_) {
    if (left_ > limits_.max_message - message_.size()) {
      return fail(
          close_code::too_large, Code::resource_exhausted,
          "a message of more than max_message (" + std::to_string(limits_.max_message) + ") bytes");
    }
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, most_reserved));
    if (message_.empty()) message_.reserve(size);
  }
  return true;
}

bool WebSocketReader::read_payload(std::string_view& in) {
  const std::string_view piece =
      in.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), left_)));
  in.remove_prefix(piece.size());
  left_ -= piece.size();
  if (piece.empty()) return true;
  if (is_control(opcode_) || !is_compressed_) {
    std::string& to = is_control(opcode_) ? control_ : message_;
    const std::size_t size = to.size();
    to += piece;
    if (side_ == Side::server) impl::mask(std::span(to).subspan(size), mask_, done_);
    done_ += piece.size();
    return is_control(opcode_) || check_text(size);
  }
  if (side_ == Side::client) return inflate_piece(piece);
  std::array<char, scratch_size> scratch;  // NOLINT(*-member-init): it is written before it is read
  for (std::string_view rest = piece; !rest.empty();) {
    const std::string_view now = rest.substr(0, scratch.size());
    rest.remove_prefix(now.size());
    std::memcpy(scratch.data(), now.data(), now.size());
    impl::mask(std::span(scratch).first(now.size()), mask_, done_);
    done_ += now.size();
    if (!inflate_piece({scratch.data(), now.size()})) return false;
  }
  return true;
}

bool WebSocketReader::inflate_piece(std::string_view piece) {
  if (!inflater_) {
    inflater_.emplace(inflate_options(*deflate_, other(side_), limits_.max_message));
  }
  const std::size_t size = message_.size();
  const Status status = inflater_->append(piece, message_);
  if (status.code() == Code::resource_exhausted) {
    return fail(close_code::too_large, Code::resource_exhausted,
                "a message of more than max_message (" + std::to_string(limits_.max_message) +
                    ") bytes, decompressed");
  }
  if (!status.is_ok()) {
    return fail(close_code::invalid_data, status.code(),
                "a compressed message: " + status.message());
  }
  return check_text(size);
}

// What was added to the message behind `from`.
bool WebSocketReader::check_text(std::size_t from) {
  if (type_ != WebSocketType::text || utf8_.add(std::string_view(message_).substr(from))) {
    return true;
  }
  return fail(close_code::invalid_data, Code::data_loss, "a text message is no UTF-8");
}

std::optional<WebSocketReader::Event> WebSocketReader::end_frame(Instant now) {
  start_frame();
  if (is_control(opcode_)) return end_control(now);
  if (!is_last_) return std::nullopt;
  return end_message();
}

void WebSocketReader::start_frame() noexcept {
  state_ = State::head;
  head_size_ = 0;
  head_wanted_ = 2;
}

std::optional<WebSocketReader::Event> WebSocketReader::end_message() {
  if (is_compressed_) {
    if (!inflate_piece(flush_end)) return std::nullopt;
    if (!inflater_->is_between_blocks()) {
      (void)fail(close_code::invalid_data, Code::data_loss,
                 "a compressed message ends within a block");
      return std::nullopt;
    }
    if (deflate_->forgets(other(side_))) inflater_->let_go();
  }
  if (type_ == WebSocketType::text && !utf8_.is_whole()) {
    (void)fail(close_code::invalid_data, Code::data_loss,
               "a text message ends within a character of UTF-8");
    return std::nullopt;
  }
  in_message_ = false;
  return Event::message;
}

std::optional<WebSocketReader::Event> WebSocketReader::end_control(Instant now) {
  if (opcode_ == close_opcode) {
    if (!read_close()) return std::nullopt;
    state_ = State::over;
    return Event::close;
  }
  if (!count_control(now)) return std::nullopt;
  return opcode_ == ping_opcode ? Event::ping : Event::pong;
}

bool WebSocketReader::count_control(Instant now) {
  if (controls_ == 0 || now - second_begun_ >= std::chrono::seconds(1)) {
    second_begun_ = now;
    controls_ = 0;
  }
  return ++controls_ <= limits_.max_controls_per_second ||
         fail(close_code::policy, Code::resource_exhausted,
              "more than max_controls_per_second (" +
                  std::to_string(limits_.max_controls_per_second) +
                  ") pings and pongs within a second");
}

bool WebSocketReader::read_close() {
  close_code_ = close_code::none;
  if (control_.empty()) return true;
  if (control_.size() == 1) {
    return fail(close_code::protocol_error, Code::invalid_argument,
                "a Close frame has half a code");
  }
  close_code_ = static_cast<std::uint16_t>(static_cast<unsigned char>(control_[0]) << 8U |
                                           static_cast<unsigned char>(control_[1]));
  if (!is_close_code(close_code_)) {
    return fail(
        close_code::protocol_error, Code::invalid_argument,
        "a Close frame has the code " + std::to_string(close_code_) + ", which nobody may send");
  }
  return impl::is_utf8(close_reason()) ||
         fail(close_code::invalid_data, Code::data_loss, "the reason in a Close frame is no UTF-8");
}

bool WebSocketReader::fail(std::uint16_t answer, Code code, std::string what) {
  answer_ = answer;
  failed_ = Status(code, std::move(what));
  message_ = {};
  inflater_.reset();
  return false;
}

WebSocketWriter::WebSocketWriter(Side side, const std::optional<DeflateAgreement>& deflate,
                                 WebSocketWriterOptions options)
    : side_(side),
      deflate_(deflate && deflate->window_bits(side) >= wire::least_deflate_window_bits
                   ? deflate
                   : std::nullopt),
      options_(std::move(options)) {}

bool WebSocketWriter::goes_as_it_is(std::size_t size) const noexcept {
  return side_ == Side::server && (!deflate_ || size < deflate_->min_bytes) &&
         (options_.fragment_bytes == 0 || size <= options_.fragment_bytes);
}

void WebSocketWriter::head(WebSocketType type, std::size_t size, std::string& out) const {
  append_head(out, static_cast<unsigned char>(last_bit | static_cast<unsigned>(type)), size, 0);
}

Status WebSocketWriter::message(WebSocketType type, std::span<const std::string_view> pieces,
                                std::string& out) {
  std::size_t size = 0;
  impl::Utf8Check utf8;
  for (const std::string_view piece : pieces) {
    size += piece.size();
    if (type == WebSocketType::text && !utf8.add(piece)) {
      return {Code::data_loss, "a text message must be UTF-8: send bytes as a binary message"};
    }
  }
  if (!utf8.is_whole()) {
    return {Code::data_loss, "a text message ends within a character of UTF-8"};
  }
  const auto opcode = static_cast<unsigned char>(type);
  if (deflate_ && size >= deflate_->min_bytes && size > 0) {
    std::string compressed;
    if (Status bad = deflate(pieces, compressed); !bad.is_ok()) return bad;
    // What the other side has to remember must reach it; else the smaller one does.
    if (!deflate_->forgets(side_) || compressed.size() < size) {
      return frames(opcode, true, compressed, out);
    }
  }
  if (pieces.size() == 1) return frames(opcode, false, pieces.front(), out);
  std::string whole;
  whole.reserve(size);
  for (const std::string_view piece : pieces) whole += piece;
  return frames(opcode, false, whole, out);
}

Status WebSocketWriter::deflate(std::span<const std::string_view> pieces, std::string& out) {
  if (!deflater_) {
    deflater_.emplace(wire::DeflateOptions{.level = deflate_->level,
                                           .window_bits = deflate_->window_bits(side_),
                                           .memory = deflate_->memory});
  }
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      const std::string_view now = piece.substr(0, deflated_at_once);
      piece.remove_prefix(now.size());
      if (Status bad = deflater_->append(now, out); !bad.is_ok()) return bad;
      rt::checkpoint();
    }
  }
  if (Status bad = deflater_->append({}, out, wire::Flush::sync); !bad.is_ok()) return bad;
  PARLEY_ASSERT(out.ends_with(flush_end), "a flush ends as flushes do");
  out.resize(out.size() - flush_end.size());
  if (deflate_->forgets(side_)) deflater_->let_go();
  return {};
}

Status WebSocketWriter::frames(unsigned char opcode, bool compressed, std::string_view payload,
                               std::string& out) {
  const std::size_t most = options_.fragment_bytes == 0 ? payload.size() : options_.fragment_bytes;
  unsigned first = opcode | (compressed ? compressed_bit : 0U);
  for (;;) {
    const std::string_view now = payload.substr(0, most);
    payload.remove_prefix(now.size());
    const unsigned last = payload.empty() ? last_bit : 0U;
    Status status = frame(static_cast<unsigned char>(first | last), now, out);
    if (!status.is_ok() || payload.empty()) return status;
    first = continuation;
  }
}

Status WebSocketWriter::frame(unsigned char first, std::string_view payload, std::string& out) {
  if (side_ == Side::server) {
    append_head(out, first, payload.size(), 0);
    out += payload;
    return {};
  }
  const Result<std::uint32_t> key = next_mask();
  if (!key) return key.error();
  append_head(out, first, payload.size(), mask_bit);
  std::array<char, 4> bytes{};
  std::memcpy(bytes.data(), &*key, bytes.size());
  out.append(bytes.data(), bytes.size());
  const std::size_t size = out.size();
  out += payload;
  impl::mask(std::span(out).subspan(size), bytes);
  return {};
}

Result<std::uint32_t> WebSocketWriter::next_mask() {
  if (options_.mask_key) return options_.mask_key();
  std::uint32_t key = 0;
  if (keys_.size() < sizeof(key)) {
    keys_.resize(keys_at_once);
    if (Status bad = crypto::fill_random(keys_); !bad.is_ok()) return keys_.clear(), bad;
  }
  std::memcpy(&key, keys_.data() + keys_.size() - sizeof(key), sizeof(key));
  keys_.resize(keys_.size() - sizeof(key));
  return key;
}

Status WebSocketWriter::ping(std::string_view payload, std::string& out) {
  if (payload.size() > most_control) {
    return {Code::invalid_argument, "a ping carries at most 125 bytes"};
  }
  return frame(last_bit | ping_opcode, payload, out);
}

Status WebSocketWriter::pong(std::string_view payload, std::string& out) {
  if (payload.size() > most_control) {
    return {Code::invalid_argument, "a pong carries at most 125 bytes"};
  }
  return frame(last_bit | pong_opcode, payload, out);
}

Status WebSocketWriter::close(std::uint16_t code, std::string_view reason, std::string& out) {
  if (code == close_code::none && reason.empty()) return frame(last_bit | close_opcode, {}, out);
  if (!is_close_code(code)) {
    return {Code::invalid_argument, "nobody may close with the code " + std::to_string(code) +
                                        "; programs have 3000 to 4999 for their own"};
  }
  if (reason.size() > most_control - 2 || !impl::is_utf8(reason)) {
    return {Code::invalid_argument,
            "the reason of a close is UTF-8 of at most 123 bytes: " + quoted(reason)};
  }
  std::string payload;
  append_big_endian(payload, 2, code);
  payload += reason;
  return frame(last_bit | close_opcode, payload, out);
}

}  // namespace parley::http
