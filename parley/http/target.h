// What a request is for: the four forms of a request target (RFC 9112 3.2), and the authority that
// a Host header names. Pure functions, from anywhere.
//
//   Result<Target> target = parse_target(Method::get, "/tea?sort=price");
//   route(target->path);                       // "/tea"; the query is "sort=price"
#pragma once

#include <cstdint>
#include <string_view>

#include "parley/base/result.h"
#include "parley/http/method.h"

namespace parley::http {

enum class TargetForm : std::uint8_t {
  origin,     // "/tea?sort=price": a path, of the host that Host names
  absolute,   // "http://shop.example/tea": to a proxy
  authority,  // "shop.example:443": CONNECT, and only that
  asterisk,   // "*": OPTIONS of the server itself, and only that
};

// Parts of the text that was parsed.
struct Target {
  TargetForm form = TargetForm::origin;
  std::string_view scheme{};     // absolute
  std::string_view authority{};  // absolute, authority: host, perhaps with a port
  std::string_view path{};       // not unescaped; "/" where an absolute one has none
  std::string_view query{};      // behind '?', not unescaped
};

// invalid_argument when the form does not go with the method, a host is missing or wrong, a port is
// no number up to 65535, a user name stands before the host, or a character may not stand where it
// does. A '%' in a path needs two hex digits; the query is taken as it is.
Result<Target> parse_target(Method method, std::string_view target);

// Whether this is a host, by name or number, an IPv6 one in brackets, with or without ":port". What
// Host must be.
[[nodiscard]] bool is_authority(std::string_view text) noexcept;

}  // namespace parley::http
