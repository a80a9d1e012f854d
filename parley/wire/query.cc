#include "parley/wire/query.h"

#include <algorithm>
#include <array>
#include <utility>

namespace parley::wire {
namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

constexpr std::array<bool, 256> unreserved = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_.~")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

bool is_unreserved(char c) noexcept { return unreserved[static_cast<unsigned char>(c)]; }

// The value of a hex digit, -1 for another byte.
int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// "%zz" for the error text; bytes that are not printable ASCII show as '?'.
std::string printable(std::string_view text) {
  std::string shown(text);
  std::replace_if(shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    // Most text needs no escape at all, so whole runs are copied.
    const auto stop = std::find_if_not(text.begin(), text.end(), is_unreserved);
    const auto run = static_cast<std::size_t>(stop - text.begin());
    out += text.substr(0, run);
    text.remove_prefix(run);
    if (text.empty()) break;
    const auto byte = static_cast<unsigned char>(text.front());
    const std::array<char, 3> escape{'%', hex_digits[byte >> 4U], hex_digits[byte & 15U]};
    out.append(escape.data(), escape.size());
    text.remove_prefix(1);
  }
}

std::size_t escaped_size(std::string_view text) noexcept {
  const auto plain = std::count_if(text.begin(), text.end(), is_unreserved);
  return 3 * text.size() - 2 * static_cast<std::size_t>(plain);
}

void append_query(std::string& out, const Metadata& metadata) {
  bool first = true;
  for (const auto& [key, value] : metadata) {
    if (!first) out += '&';
    first = false;
    append_escaped(out, key);
    out += '=';
    append_escaped(out, value);
  }
}

std::size_t query_size(const Metadata& metadata) noexcept {
  if (metadata.empty()) return 0;
  std::size_t size = 2 * metadata.size() - 1;  // an '=' each, and an '&' between two
  for (const auto& [key, value] : metadata) size += escaped_size(key) + escaped_size(value);
  return size;
}

std::optional<QueryPiece> QueryCursor::next() noexcept {
  while (at_ < text_.size()) {
    const std::string_view piece = text_.substr(at_, text_.find('&', at_) - at_);
    at_ += piece.size() + 1;
    if (piece.empty()) continue;
    const std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos) return QueryPiece{piece, {}};
    return QueryPiece{piece.substr(0, equals), piece.substr(equals + 1)};
  }
  return std::nullopt;
}

Status QueryCursor::unescape(std::string_view part, std::string& out) const {
  out.clear();
  out.reserve(part.size());  // never longer than the escaped form
  std::size_t at = 0;
  while (at < part.size()) {
    const std::size_t stop = std::min(part.find_first_of("%+", at), part.size());
    out.append(part.data() + at, stop - at);
    at = stop;
    if (at == part.size()) break;
    if (part[at] == '+') {
      out += ' ';
      ++at;
      continue;
    }
    const int high = at + 1 < part.size() ? hex_value(part[at + 1]) : -1;
    const int low = at + 2 < part.size() ? hex_value(part[at + 2]) : -1;
    if (high < 0 || low < 0) {
      const auto start = static_cast<std::size_t>(part.data() - text_.data());
      return {Code::invalid_argument, "query text: malformed percent escape \"" +
                                          printable(part.substr(at, 3)) + "\" at offset " +
                                          std::to_string(start + at) +
                                          ": '%' must be followed by two hex digits"};
    }
    out += static_cast<char>(high * 16 + low);
    at += 3;
  }
  return {};
}

Result<Metadata> decode_query(std::string_view text, QueryLimits limits) {
  Metadata metadata;
  QueryCursor cursor(text);
  while (const auto piece = cursor.next()) {
    if (metadata.size() == limits.max_entries) {
      return Status(Code::resource_exhausted, "query text: more than max_entries (" +
                                                  std::to_string(limits.max_entries) + ") entries");
    }
    std::string key;
    std::string value;
    if (Status bad = cursor.unescape(piece->key, key); !bad.is_ok()) return bad;
    if (Status bad = cursor.unescape(piece->value, value); !bad.is_ok()) return bad;
    metadata.add(std::move(key), std::move(value));
  }
  return metadata;
}

}  // namespace parley::wire
