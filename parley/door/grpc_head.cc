#include "parley/door/grpc_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "parley/base/base64.h"
#include "parley/door/grpc_details.h"
#include "parley/door/impl/lower_case.h"
#include "parley/door/status_table.h"
#include "parley/http/syntax.h"

namespace parley::door {

namespace {

std::string unpadded_base64(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  while (!out.empty() && out.back() == '=') out.pop_back();
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = static_cast<char>(c | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

// A character of UTF-8 at the front of `text`, which has one; a byte that is none stands for
// itself.
std::string_view first_character(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text.front());
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (size > text.size()) return text.substr(0, 1);
  for (const char c : text.substr(1, size - 1)) {
    if ((static_cast<std::uint8_t>(c) & 0xC0U) != 0x80U) return text.substr(0, 1);
  }
  return text.substr(0, size);
}

}  // namespace

std::string write_grpc_timeout(Duration timeout) {
  using std::chrono::duration_cast;
  struct Unit {
    std::int64_t nanoseconds;
    char letter;
  };
  constexpr std::array units = {Unit{1, 'n'},
                                Unit{1'000, 'u'},
                                Unit{1'000'000, 'm'},
                                Unit{1'000'000'000, 'S'},
                                Unit{60'000'000'000, 'M'},
                                Unit{3'600'000'000'000, 'H'}};
  constexpr std::int64_t most = 99'999'999;
  const std::int64_t all = duration_cast<std::chrono::nanoseconds>(timeout).count();
  if (all <= 0) return "0n";
  for (const auto& [nanoseconds, letter] : units) {
    const std::int64_t count = all / nanoseconds + (all % nanoseconds == 0 ? 0 : 1);
    if (count <= most) return std::to_string(count) + letter;
  }
  return std::to_string(most) + 'H';
}

std::string escape_grpc_message(std::string_view message) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  std::string next;
  while (!message.empty()) {
    const std::string_view character = first_character(message);
    message.remove_prefix(character.size());
    next.clear();
    for (const char c : character) {
      const auto byte = static_cast<std::uint8_t>(c);
      if (byte >= 0x20 && byte < 0x7F && c != '%') {
        next += c;
      } else {
        next += '%';
        next += digits[byte >> 4U];
        next += digits[byte & 15U];
      }
    }
    if (out.size() + next.size() > most_grpc_message_bytes) break;
    out += next;
  }
  // Blanks at the ends of a field are not its own.
  if (out.starts_with(' ')) out.replace(0, 1, "%20");
  if (out.ends_with(' ')) out.replace(out.size() - 1, 1, "%20");
  return out;
}

std::string unescape_grpc_message(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
    } else {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

bool is_grpc_type(std::string_view type) noexcept {
  for (const std::string_view part : {"application/grpc", "-web", "-text"}) {
    const bool is_there = http::same_name(type.substr(0, part.size()), part);
    if (!is_there && part.front() != '-') return false;
    if (!is_there) break;
    type.remove_prefix(part.size());
  }
  return type.empty() || std::string_view("+; \t").find(type.front()) != std::string_view::npos;
}

bool is_grpc_metadata(std::string_view name) noexcept {
  constexpr std::string_view own = "grpc-";
  static constexpr std::array<std::string_view, 13> of_http = {
      "content-type",     "te",         "host",
      "content-length",   "connection", "transfer-encoding",
      "trailer",          "upgrade",    "keep-alive",
      "proxy-connection", "date",       "expect",
      "content-encoding"};
  if (name.empty() || name.front() == ':') return false;
  const bool may_be_own = name.front() == 'g' || name.front() == 'G';
  if (may_be_own && http::same_name(name.substr(0, own.size()), own)) return false;
  return std::ranges::none_of(of_http, [name](auto each) { return http::same_name(name, each); });
}

Status take_grpc_metadata(const http::Headers& headers, wire::Metadata& metadata) {
  for (const auto [name, value] : headers) {
    if (!is_grpc_metadata(name)) continue;
    std::string key = impl::lower_case(name);
    if (!key.ends_with("-bin")) {
      metadata.add(std::move(key), std::string(value));
      continue;
    }
    for (std::string_view left = value;;) {
      const std::size_t comma = std::min(left.find(','), left.size());
      std::string bytes;
      if (!decode_base64(http::trimmed(left.substr(0, comma)), bytes)) {
        return {Code::invalid_argument, "the metadata \"" + key + "\" is no base64"};
      }
      metadata.add(key, std::move(bytes));
      if (comma == left.size()) break;
      left.remove_prefix(comma + 1);
    }
  }
  return {};
}

bool put_grpc_metadata(std::string_view key, std::string_view value, http::Headers& headers) {
  if (!is_grpc_metadata(key)) return false;
  const std::string name = impl::lower_case(key);
  if (name.ends_with("-bin")) return headers.add(name, unpadded_base64(value)).is_ok();
  for (const char c : value) {
    if (c < 0x20 || c > 0x7E) return false;
  }
  return headers.add(name, value).is_ok();
}

bool put_grpc_metadata(const wire::Metadata& metadata, http::Headers& headers) {
  bool all = true;
  for (const auto& [key, value] : metadata) all = put_grpc_metadata(key, value, headers) && all;
  return all;
}

void put_grpc_status(const Status& status, http::Headers& trailers, std::string_view details) {
  (void)trailers.set("grpc-status", std::to_string(grpc_number(status)));
  if (status.is_ok()) return;
  if (!status.message().empty()) {
    (void)trailers.set("grpc-message", escape_grpc_message(status.message()));
  }
  const std::string all = write_grpc_details(status, details);
  if (!all.empty()) (void)trailers.set(grpc_details_key, unpadded_base64(all));
}

bool take_grpc_status(const http::Headers& trailers, Status& status) {
  const auto text = trailers.get("grpc-status");
  if (!text) return false;
  const auto number = number_of(*text);
  std::string message = unescape_grpc_message(trailers.get("grpc-message").value_or(""));
  status = number ? status_of_grpc(*number, std::move(message))
                  : Status(Code::unknown, "grpc-status is no number: " + http::quoted(*text));
  std::string details;
  const auto said = trailers.get(grpc_details_key);
  if (said && decode_base64(*said, details)) status = with_grpc_details(status, details);
  return true;
}

}  // namespace parley::door
