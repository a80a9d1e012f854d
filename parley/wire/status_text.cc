#include "parley/wire/status_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "parley/wire/query.h"
#include "parley/wire/status_code.h"

namespace parley::wire {
namespace {

constexpr std::string_view code_key = "code=";
constexpr std::string_view message_key = "&msg=";
constexpr std::string_view cause_key = "&cause=";
constexpr std::string_view ellipsis = "…";
constexpr std::size_t longest_utf8 = 4;

bool is_continuation(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// The longest head of `text` that takes at most `room` bytes escaped and ends between two UTF-8
// characters. Text that is not UTF-8 is cut anywhere.
std::string_view head_that_fits(std::string_view text, std::size_t room) noexcept {
  std::size_t end = 0;
  for (std::size_t used = 0; end < text.size(); ++end) {
    used += escaped_size(text.substr(end, 1));
    if (used > room) break;
  }
  std::size_t cut = end;
  while (cut > 0 && cut < text.size() && is_continuation(text[cut])) --cut;
  return text.substr(0, end - cut < longest_utf8 ? cut : end);
}

// Appends `key` and the escaped text, together at most `room` bytes; nothing if not even the mark
// of the cut fits.
void append_field(std::string& out, std::string_view key, std::string_view text, std::size_t room) {
  if (text.empty() || room < key.size()) return;
  room -= key.size();
  if (escaped_size(text) <= room) {
    out += key;
    append_escaped(out, text);
    return;
  }
  const std::size_t mark = escaped_size(ellipsis);
  if (room < mark) return;
  out += key;
  append_escaped(out, head_that_fits(text, room - mark));
  append_escaped(out, ellipsis);
}

std::size_t field_size(std::string_view key, std::string_view text) noexcept {
  return text.empty() ? 0 : key.size() + escaped_size(text);
}

Result<std::int32_t> parse_number(std::string_view text) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  std::string shown;
  append_escaped(shown, text.substr(0, 32));
  return Status(Code::invalid_argument, "status text: code \"" + shown +
                                            "\" is not a whole number between -2147483648 and "
                                            "2147483647");
}

}  // namespace

void append_status_text(std::string& out, const Status& status, std::size_t limit) {
  const std::size_t start = out.size();
  std::array<char, 12> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), raw_number(status)).ptr;
  out += code_key;
  out.append(digits.data(), end);
  if (status.is_ok()) return;
  const std::size_t used = out.size() - start;
  const std::size_t room = limit > used ? limit - used : 0;
  // A long cause gives way first, but keeps the quarter that a long message would take from it.
  const std::size_t cause_size = std::min(field_size(cause_key, status.cause()), room);
  const std::size_t message_room = std::max(room - cause_size, room - room / 4);
  append_field(out, message_key, status.message(), message_room);
  const std::size_t cause_room = used + room - (out.size() - start);
  append_field(out, cause_key, status.cause(), cause_room);
}

Status decode_status_text(std::string_view text, Status& out) {
  if (text == "code=0") {  // nearly every message
    out = {};
    return {};
  }
  std::optional<std::string> code;
  std::optional<std::string> message;
  std::optional<std::string> cause;
  std::string key;
  QueryCursor cursor(text);
  while (const auto piece = cursor.next()) {
    if (Status bad = cursor.unescape(piece->key, key); !bad.is_ok()) return bad;
    auto* const field = key == "code"    ? &code
                        : key == "msg"   ? &message
                        : key == "cause" ? &cause
                                         : nullptr;
    if (field == nullptr || field->has_value()) continue;
    if (Status bad = cursor.unescape(piece->value, field->emplace()); !bad.is_ok()) return bad;
  }
  std::int32_t number = message || cause ? raw_number(Code::unknown) : raw_number(Code::ok);
  if (code) {
    const Result<std::int32_t> parsed = parse_number(*code);
    if (!parsed) return parsed.error();
    number = *parsed;
  }
  out =
      status_of_raw_number(number, std::move(message).value_or(""), std::move(cause).value_or(""));
  return {};
}

}  // namespace parley::wire
