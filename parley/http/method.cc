#include "parley/http/method.h"

#include <array>
#include <cstddef>

namespace parley::http {
namespace {

constexpr std::array<std::string_view, 9> names = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                   "CONNECT", "OPTIONS", "TRACE", "PATCH"};

}  // namespace

std::string_view name_of(Method method) noexcept {
  const auto index = static_cast<std::size_t>(method);
  return index < names.size() ? names[index] : std::string_view();
}

Method method_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Method>(i);
  }
  return Method::other;
}

bool is_safe(Method method) noexcept {
  return method == Method::get || method == Method::head || method == Method::options ||
         method == Method::trace;
}

bool is_idempotent(Method method) noexcept {
  return is_safe(method) || method == Method::put || method == Method::remove;
}

}  // namespace parley::http
