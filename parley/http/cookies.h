// Cookies (RFC 6265 and its revision): what a client sent, what a server sets, and a reader of
// Set-Cookie for clients. Strict in writing, lenient but bounded in reading, as the RFC wants it.
// Plain values and pure functions, from anywhere.
//
//   const auto cookies = cookies_of(exchange.request().headers);
//   SetCookie session{.name = "__Host-session", .value = id, .path = "/", .secure = true,
//                     .http_only = true, .same_site = SameSite::lax};
//   if (Status s = add_cookie(exchange.response().headers, session); !s.is_ok()) return s;
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/http/headers.h"

namespace parley::http {

// Cookies of one request that are read; the rest is passed over.
inline constexpr std::size_t max_cookies = 256;
// Bytes of name and value together, and of the value of one attribute (RFC 6265bis 5.6).
inline constexpr std::size_t max_cookie_bytes = 4096;
inline constexpr std::size_t max_cookie_attribute_bytes = 1024;

struct Cookie {
  std::string_view name{};
  std::string_view value{};  // as sent: quotes belong to it
};

// All Cookie fields, in their order; views of `headers`. What has no '=', or a name that is no
// token, is passed over. A name may come twice (of two paths): who trusts in neither takes none.
[[nodiscard]] std::vector<Cookie> cookies_of(const Headers& headers);
// The value of the first one of that name.
[[nodiscard]] std::optional<std::string_view> cookie_of(const Headers& headers,
                                                        std::string_view name);

enum class SameSite : std::uint8_t { unset, strict, lax, none };

struct SetCookie {
  std::string name{};
  std::string value{};
  std::string path{};    // empty: that of the request
  std::string domain{};  // empty: this host only
  std::optional<std::chrono::sys_seconds> expires{};
  std::optional<std::chrono::seconds> max_age{};  // goes before `expires`; 0 or less: now
  bool secure = false;
  bool http_only = false;
  bool partitioned = false;
  SameSite same_site = SameSite::unset;

  friend bool operator==(const SetCookie&, const SetCookie&) = default;
};

// As a value of Set-Cookie. invalid_argument for a name that is no token; a value with controls,
// blanks, quotes, comma, semicolon or backslash (escape() it); a path or domain that cannot be one;
// SameSite=None or Partitioned without Secure; a name with the prefix __Secure- or __Host- without
// what that promises; more than max_cookie_bytes.
Result<std::string> write_set_cookie(const SetCookie& cookie);
// Adds it to the headers of a response.
Status add_cookie(Headers& headers, const SetCookie& cookie);

// A value of Set-Cookie, as a client reads it (RFC 6265 5.2): unknown attributes, and those with
// values that mean nothing or are too long, are passed over; the last one of a kind counts. Domain
// comes out in small letters without a dot before it. invalid_argument for one without a name or
// with controls, or larger than max_cookie_bytes. Whether this server may set it for that domain or
// path, and what a prefix of its name promises, is for who keeps it to check.
Result<SetCookie> parse_set_cookie(std::string_view text);

// The date of a cookie, which may be written in more ways than others (RFC 6265 5.1.1).
std::optional<std::chrono::sys_seconds> parse_cookie_date(std::string_view text);

}  // namespace parley::http
