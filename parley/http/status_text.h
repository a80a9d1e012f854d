// The words beside the status codes of HTTP (RFC 9110 15 and the registry of IANA).
//
//   reason_of(404);   // "Not Found"
#pragma once

#include <cstdint>
#include <string_view>

namespace parley::http {

// From 100 to 599 by their meaning; up to 999 is read, and is the sender's business.
using StatusCode = std::uint16_t;

// The usual reason phrase; "Unknown" for a number that has none. Nobody may read anything from it.
[[nodiscard]] std::string_view reason_of(StatusCode status) noexcept;

// 100 to 199: not the answer yet. 101 is: the connection speaks something else after it.
[[nodiscard]] constexpr bool is_informational(StatusCode status) noexcept {
  return status >= 100 && status < 200 && status != 101;
}

}  // namespace parley::http
