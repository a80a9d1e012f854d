#include "parley/codec/impl/form_pairs.h"

#include <algorithm>
#include <utility>

#include "parley/codec/impl/utf8.h"

namespace parley::codec::impl {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool fail_at(Failure& failure, std::size_t byte, std::string message) {
  return failure.set(Code::invalid_argument, message + " (byte " + std::to_string(byte) + ")");
}

bool fail_limit(Failure& failure, std::string message) {
  return failure.set(Code::resource_exhausted, std::move(message));
}

}  // namespace

bool FormPairs::split(std::string_view text, const Limits& limits, Failure& failure) {
  if (text.size() > limits.max_bytes) {
    return fail_limit(failure, "the form has " + std::to_string(text.size()) +
                                   " bytes, more than max_bytes (" +
                                   std::to_string(limits.max_bytes) + ")");
  }
  if (text.find_first_of("%+") != std::string_view::npos) room_.reserve(text.size());
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('&', start), text.size());
    if (end > start && !take_piece(text, start, end, limits, failure)) return false;
    start = end + 1;
  }
  return true;
}

bool FormPairs::take_piece(std::string_view text, std::size_t start, std::size_t end,
                           const Limits& limits, Failure& failure) {
  if (pairs_.size() == limits.max_elements) {
    return fail_limit(failure,
                      "more pairs than max_elements (" + std::to_string(limits.max_elements) + ")");
  }
  const std::string_view piece = text.substr(start, end - start);
  const std::string_view key = piece.substr(0, piece.find('='));
  const std::string_view value = piece.substr(std::min(key.size() + 1, piece.size()));
  for (const std::string_view part : {key, value}) {
    if (part.size() <= limits.max_string_bytes) continue;
    return fail_limit(failure, "a string of " + std::to_string(part.size()) +
                                   " bytes, more than max_string_bytes (" +
                                   std::to_string(limits.max_string_bytes) + ")");
  }
  FormPair pair;
  if (!resolve(key, start, pair.path, failure)) return false;
  if (!is_utf8(pair.path)) return fail_at(failure, start, "a key that is not UTF-8");
  if (!resolve(value, end - value.size(), pair.value, failure)) return false;
  pair.was_escaped = pair.value.data() != value.data();
  pairs_.push_back(pair);
  return true;
}

bool FormPairs::resolve(std::string_view piece, std::size_t start, std::string_view& meaning,
                        Failure& failure) {
  const std::size_t room = room_.size();
  bool is_escaped = false;
  for (std::size_t i = 0; i < piece.size(); ++i) {
    const char c = piece[i];
    if (c == '%' || c == '+') {
      if (!is_escaped) room_ += piece.substr(0, i);
      is_escaped = true;
      const int high = c == '%' && piece.size() - i > 2 ? hex_digit(piece[i + 1]) : -1;
      const int low = high >= 0 ? hex_digit(piece[i + 2]) : -1;
      if (c == '%' && low < 0) {
        return fail_at(failure, start + i, "a percent sign without two hexadecimal digits");
      }
      room_ += c == '+' ? ' ' : static_cast<char>(static_cast<unsigned char>(high * 16 + low));
      if (c == '%') i += 2;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) {
      return fail_at(failure, start + i,
                     "a space or control character must be escaped: write " +
                         std::string(byte == 0x20 ? "'+'" : "it as '%' and two digits"));
    }
    if (is_escaped) room_ += c;
  }
  meaning = is_escaped ? std::string_view(room_).substr(room) : piece;
  return true;
}

void append_form_text(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '*';
    if (is_plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
}

}  // namespace parley::codec::impl
