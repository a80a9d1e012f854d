#include "parley/http/cookies.h"

#include <algorithm>
#include <array>

#include "parley/http/date.h"
#include "parley/http/impl/chars.h"
#include "parley/http/syntax.h"

namespace parley::http {
namespace {

// RFC 6265 4.1.1, cookie-octet.
bool is_value(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) {
    return impl::is_of(c, impl::chars::visible) && c != '"' && c != ',' && c != ';' && c != '\\';
  });
}

bool is_path(std::string_view text) noexcept {
  return text.starts_with('/') && text.size() <= max_cookie_attribute_bytes &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c != 0x7f && c != ';'; }) &&
         trimmed(text).size() == text.size();
}

bool is_domain(std::string_view text) noexcept {
  constexpr std::size_t longest = 253;
  return text.size() <= longest && !text.starts_with('.') && !text.ends_with('.') &&
         std::ranges::all_of(text, [](char c) {
           const char small = impl::lower_case(c);
           return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

bool begins_with_name(std::string_view text, std::string_view prefix) noexcept {
  return text.size() >= prefix.size() && same_name(text.substr(0, prefix.size()), prefix);
}

Status wrong(const SetCookie& cookie, const std::string& why) {
  return {Code::invalid_argument, "the cookie " + quoted(cookie.name) + " " + why};
}

Status check(const SetCookie& cookie) {
  if (!is_token(cookie.name)) return wrong(cookie, "has a name that is no token");
  if (!is_value(cookie.value)) {
    return wrong(cookie, "has a value that a cookie cannot have; escape() it, or use base64");
  }
  if (cookie.name.size() + cookie.value.size() > max_cookie_bytes) {
    return wrong(cookie, "is larger than " + std::to_string(max_cookie_bytes) +
                             " bytes, so clients drop it");
  }
  if (!cookie.path.empty() && !is_path(cookie.path)) return wrong(cookie, "has no such path");
  if (!is_domain(cookie.domain)) return wrong(cookie, "has no such domain");
  if (!cookie.secure && (cookie.same_site == SameSite::none || cookie.partitioned)) {
    return wrong(cookie, "is SameSite=None or Partitioned and needs Secure, or clients drop it");
  }
  const bool is_host = begins_with_name(cookie.name, "__Host-");
  if ((is_host || begins_with_name(cookie.name, "__Secure-")) && !cookie.secure) {
    return wrong(cookie, "has a prefix that needs Secure");
  }
  if (is_host && (cookie.path != "/" || !cookie.domain.empty())) {
    return wrong(cookie, "has a prefix that needs the path / and no domain");
  }
  return {};
}

// Seconds with or without a sign; what is beyond a hundred years is a hundred years.
std::optional<std::chrono::seconds> max_age_of(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  if (text.empty() || !impl::all_of(text, impl::chars::digit)) return std::nullopt;
  constexpr std::int64_t most = 100LL * 366 * 24 * 3600;
  std::int64_t value = 0;
  for (const char c : text) value = std::min(most, value * 10 + (c - '0'));
  return std::chrono::seconds(is_negative ? -value : value);
}

void take_attribute(std::string_view name, std::string_view value, SetCookie& out) {
  if (value.size() > max_cookie_attribute_bytes) return;
  if (same_name(name, "Expires")) {
    if (const auto date = parse_cookie_date(value)) out.expires = date;
  } else if (same_name(name, "Max-Age")) {
    if (const auto age = max_age_of(value)) out.max_age = age;
  } else if (same_name(name, "Domain")) {
    if (value.starts_with('.')) value.remove_prefix(1);
    out.domain = value;
    std::ranges::transform(out.domain, out.domain.begin(), impl::lower_case);
  } else if (same_name(name, "Path")) {
    out.path = value.starts_with('/') ? value : std::string_view();
  } else if (same_name(name, "Secure")) {
    out.secure = true;
  } else if (same_name(name, "HttpOnly")) {
    out.http_only = true;
  } else if (same_name(name, "Partitioned")) {
    out.partitioned = true;
  } else if (same_name(name, "SameSite")) {
    out.same_site = same_name(value, "Strict") ? SameSite::strict
                    : same_name(value, "Lax")  ? SameSite::lax
                    : same_name(value, "None") ? SameSite::none
                                               : SameSite::unset;
  }
}

// Takes what stands before the first ';' off `rest`.
std::string_view next_piece(std::string_view& rest) noexcept {
  const std::size_t end = std::min(rest.find(';'), rest.size());
  const std::string_view piece = trimmed(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return piece;
}

// The digits that `token` begins with, where there are `least` to `most` of them; -1 otherwise.
int leading_number(std::string_view token, std::size_t least, std::size_t most) noexcept {
  const std::size_t digits = impl::run_of(token, impl::chars::digit);
  if (digits < least || digits > most) return -1;
  int value = 0;
  for (const char c : token.substr(0, digits)) value = value * 10 + (c - '0');
  return value;
}

int month_of(std::string_view token) noexcept {
  constexpr std::array<std::string_view, 12> months = {"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
  for (std::size_t i = 0; i < months.size(); ++i) {
    if (same_name(token.substr(0, 3), months.at(i))) return static_cast<int>(i) + 1;
  }
  return 0;
}

struct CookieDate {
  int seconds = -1;  // of the day
  int day = -1;
  int month = 0;
  int year = -1;
};

int time_of(std::string_view token) noexcept {
  int seconds = 0;
  for (int part = 0; part < 3; ++part) {
    const int value = leading_number(token, 1, 2);
    if (value < 0 || value > (part == 0 ? 23 : 59)) return -1;
    seconds = seconds * 60 + value;
    token.remove_prefix(impl::run_of(token, impl::chars::digit));
    if (part == 2) break;
    if (!token.starts_with(':')) return -1;
    token.remove_prefix(1);
  }
  return seconds;
}

void take_token(std::string_view token, CookieDate& date) noexcept {
  if (const int time = time_of(token); date.seconds < 0 && time >= 0) {
    date.seconds = time;
  } else if (const int day = leading_number(token, 1, 2); date.day < 0 && day >= 0) {
    date.day = day;
  } else if (const int month = month_of(token); date.month == 0 && month > 0) {
    date.month = month;
  } else if (const int year = leading_number(token, 2, 4); date.year < 0 && year >= 0) {
    date.year = year < 70 ? year + 2000 : year < 100 ? year + 1900 : year;
  }
}

bool parts_tokens(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x09 || (byte >= 0x20 && byte <= 0x2f) || (byte >= 0x3b && byte <= 0x40) ||
         (byte >= 0x5b && byte <= 0x60) || (byte >= 0x7b && byte <= 0x7e);
}

}  // namespace

std::vector<Cookie> cookies_of(const Headers& headers) {
  std::vector<Cookie> cookies;
  for (const auto [name, value] : headers) {
    if (!same_name(name, "Cookie")) continue;
    for (std::string_view rest = value; !rest.empty() && cookies.size() < max_cookies;) {
      const std::string_view piece = next_piece(rest);
      const std::size_t equals = piece.find('=');
      if (equals == std::string_view::npos) continue;
      const Cookie cookie{trimmed(piece.substr(0, equals)), trimmed(piece.substr(equals + 1))};
      if (is_token(cookie.name)) cookies.push_back(cookie);
    }
  }
  return cookies;
}

std::optional<std::string_view> cookie_of(const Headers& headers, std::string_view name) {
  const std::vector<Cookie> cookies = cookies_of(headers);
  const auto it = std::ranges::find(cookies, name, &Cookie::name);
  return it == cookies.end() ? std::nullopt : std::optional(it->value);
}

Result<std::string> write_set_cookie(const SetCookie& cookie) {
  if (Status status = check(cookie); !status.is_ok()) return status;
  std::string out = cookie.name + "=" + cookie.value;
  if (!cookie.path.empty()) out += "; Path=" + cookie.path;
  if (!cookie.domain.empty()) out += "; Domain=" + cookie.domain;
  if (cookie.expires) out += "; Expires=" + format_date(*cookie.expires);
  if (cookie.max_age) out += "; Max-Age=" + std::to_string(cookie.max_age->count());
  if (cookie.secure) out += "; Secure";
  if (cookie.http_only) out += "; HttpOnly";
  if (cookie.same_site == SameSite::strict) out += "; SameSite=Strict";
  if (cookie.same_site == SameSite::lax) out += "; SameSite=Lax";
  if (cookie.same_site == SameSite::none) out += "; SameSite=None";
  if (cookie.partitioned) out += "; Partitioned";
  return out;
}

Status add_cookie(Headers& headers, const SetCookie& cookie) {
  const Result<std::string> text = write_set_cookie(cookie);
  return text ? headers.add("Set-Cookie", *text) : text.error();
}

Result<SetCookie> parse_set_cookie(std::string_view text) {
  if (!is_field_value(trimmed(text))) {
    return Status(Code::invalid_argument, "a Set-Cookie has a control character in it");
  }
  std::string_view rest = text;
  const std::string_view pair = next_piece(rest);
  const std::size_t equals = pair.find('=');
  SetCookie cookie;
  if (equals != std::string_view::npos) {
    cookie.name = trimmed(pair.substr(0, equals));
    cookie.value = trimmed(pair.substr(equals + 1));
  }
  if (cookie.name.empty()) {
    return Status(Code::invalid_argument, "a Set-Cookie has no name: " + quoted(text));
  }
  if (cookie.name.size() + cookie.value.size() > max_cookie_bytes) {
    return Status(Code::invalid_argument,
                  "a Set-Cookie is larger than " + std::to_string(max_cookie_bytes) + " bytes");
  }
  while (!rest.empty()) {
    const std::string_view piece = next_piece(rest);
    const std::size_t at = std::min(piece.find('='), piece.size());
    take_attribute(trimmed(piece.substr(0, at)),
                   trimmed(piece.substr(std::min(at + 1, piece.size()))), cookie);
  }
  return cookie;
}

std::optional<std::chrono::sys_seconds> parse_cookie_date(std::string_view text) {
  CookieDate date;
  while (!text.empty()) {
    const auto* const end = std::ranges::find_if(text, parts_tokens);
    const auto size = static_cast<std::size_t>(end - text.begin());
    take_token(text.substr(0, size), date);
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  if (date.seconds < 0 || date.day < 1 || date.month == 0 || date.year < 1601) return std::nullopt;
  const std::chrono::year_month_day day(std::chrono::year(date.year),
                                        std::chrono::month(static_cast<unsigned>(date.month)),
                                        std::chrono::day(static_cast<unsigned>(date.day)));
  if (!day.ok()) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::sys_days(day)) + std::chrono::seconds(date.seconds);
}

}  // namespace parley::http
