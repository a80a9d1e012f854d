#include "parley/http/impl/chunk_reader.h"

#include <algorithm>
#include <string>

#include "parley/http/impl/chars.h"
#include "parley/http/syntax.h"

namespace parley::http::impl {
namespace {

constexpr std::uint8_t most_digits = 16;

std::string shown(char c) { return quoted({&c, 1}); }

bool is_in_quotes(char c) noexcept { return is_of(c, chars::value) && c != '"' && c != '\\'; }

}  // namespace

Progress ChunkReader::read(std::string_view& in, std::string_view& piece, const Http1Limits& limits,
                           std::uint64_t max_body, Fault& fault) {
  piece = {};
  max_body_ = max_body;
  while (!in.empty()) {
    if (state_ == State::data) {
      piece = in.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size())));
      in.remove_prefix(piece.size());
      left_ -= piece.size();
      if (left_ == 0) state_ = State::data_cr;
      return Progress::more;
    }
    const bool may_be_last = state_ == State::line_end && left_ == 0;
    if (!step(in, limits, fault)) return Progress::refused;
    in.remove_prefix(1);
    if (may_be_last) return Progress::done;
  }
  return Progress::more;
}

bool ChunkReader::step(std::string_view& in, const Http1Limits& limits, Fault& fault) {
  const char c = in.front();
  if (state_ == State::data_cr || state_ == State::data_lf) return end_data(c, fault);
  if (state_ == State::line_end) return end_line(c, fault);
  if (c != '\r' && ++line_bytes_ > limits.max_chunk_line) {
    return fault.too_much(413, "the line before a chunk is longer than max_chunk_line (" +
                                   std::to_string(limits.max_chunk_line) +
                                   " bytes); send shorter extensions, or none");
  }
  if (state_ == State::size) return read_size(c, fault);
  if (c != '\r' && ++extension_bytes_ > limits.max_chunk_extension_bytes) {
    return fault.too_much(413, "chunk extensions take more than max_chunk_extension_bytes (" +
                                   std::to_string(limits.max_chunk_extension_bytes) +
                                   ", RFC 9112 7.1.1); send none");
  }
  return read_extension(c, fault);
}

bool ChunkReader::read_size(char c, Fault& fault) {
  if (is_of(c, chars::hex)) {
    if (digits_ == most_digits) {
      return fault.refuse(413,
                          "a chunk size of more than 16 digits (RFC 9112 7.1), which readers cut "
                          "at different places; send smaller chunks, without leading zeros");
    }
    left_ = left_ * 16 + hex_value(c);
    ++digits_;
    return true;
  }
  if (digits_ == 0) {
    return fault.refuse("a chunk begins with " + shown(c) +
                        " where its size should be (RFC 9112 7.1); send hex digits only, without "
                        "sign, 0x or blanks");
  }
  return after_part(c, fault);
}

// What may come behind a size or a whole extension.
bool ChunkReader::after_part(char c, Fault& fault) {
  if (c == ';') {
    state_ = State::extension_name;
    is_part_empty_ = true;
    return true;
  }
  if (c == '\r') {
    state_ = State::line_end;
    return true;
  }
  if (c == '\n') {
    return fault.refuse(
        "an LF without CR before it ends a chunk's line (RFC 9112 7.1); end lines "
        "with CR LF");
  }
  return fault.refuse("in the line before a chunk comes " + shown(c) +
                      " (RFC 9112 7.1, 7.1.1): behind a size come only extensions, without "
                      "blanks; send the size, then CR LF");
}

bool ChunkReader::read_extension(char c, Fault& fault) {
  switch (state_) {
    case State::extension_name:
    case State::token_value:
      if (is_of(c, chars::token)) {
        is_part_empty_ = false;
        return true;
      }
      if (is_part_empty_) break;
      if (c == '=' && state_ == State::extension_name) {
        state_ = State::extension_value;
        return true;
      }
      return after_part(c, fault);
    case State::extension_value:
      if (c == '"') {
        state_ = State::quoted_value;
        return true;
      }
      if (!is_of(c, chars::token)) break;
      state_ = State::token_value;
      is_part_empty_ = false;
      return true;
    case State::quoted_value:
      if (c == '"') {
        state_ = State::quoted_end;
      } else if (c == '\\') {
        state_ = State::escaped;
      } else if (!is_in_quotes(c)) {
        break;
      }
      return true;
    case State::escaped:
      if (!is_of(c, chars::value)) break;
      state_ = State::quoted_value;
      return true;
    default:
      return after_part(c, fault);
  }
  return fault.refuse("a chunk extension has " + shown(c) +
                      " where a name or value should go on (RFC 9112 7.1.1); send none");
}

bool ChunkReader::end_line(char c, Fault& fault) {
  if (c != '\n') {
    return fault.refuse(
        "a CR without LF behind it in the line before a chunk (RFC 9112 7.1); end "
        "lines with CR LF");
  }
  if (left_ > max_body_ - std::min(body_bytes_, max_body_)) {
    return fault.too_much(413, "a chunk of " + std::to_string(left_) + " bytes after " +
                                   std::to_string(body_bytes_) + " makes the body longer " +
                                   body_limit(max_body_));
  }
  body_bytes_ += left_;
  digits_ = 0;
  line_bytes_ = 0;
  state_ = State::data;
  return true;
}

bool ChunkReader::end_data(char c, Fault& fault) {
  if (c != (state_ == State::data_cr ? '\r' : '\n')) {
    return fault.refuse("behind the bytes of a chunk comes " + shown(c) +
                        ", not CR LF (RFC 9112 7.1); send as many bytes as the size says");
  }
  state_ = state_ == State::data_cr ? State::data_lf : State::size;
  return true;
}

}  // namespace parley::http::impl
