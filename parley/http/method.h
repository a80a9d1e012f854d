// Method: what a request asks for (RFC 9110 9, RFC 5789). A plain value; the case of its name
// counts.
//
//   if (is_safe(request.method)) serve_from_cache(request);
#pragma once

#include <cstdint>
#include <string_view>

namespace parley::http {

enum class Method : std::uint8_t {
  get,
  head,
  post,
  put,
  remove,  // DELETE
  connect,
  options,
  trace,
  patch,
  other,  // any other token: Request::other_method
};

// "GET"; empty for other.
[[nodiscard]] std::string_view name_of(Method method) noexcept;

// The method of that name, `other` for any other text.
[[nodiscard]] Method method_named(std::string_view name) noexcept;

// Only reads (RFC 9110 9.2.1): get, head, options, trace.
[[nodiscard]] bool is_safe(Method method) noexcept;

// Twice is as good as once (RFC 9110 9.2.2): the safe ones, put and remove. What was sent and has
// no answer may be sent again.
[[nodiscard]] bool is_idempotent(Method method) noexcept;

}  // namespace parley::http
