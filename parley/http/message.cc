#include "parley/http/message.h"

#include <algorithm>
#include <cstddef>

#include "parley/http/target.h"

namespace parley::http {
namespace {

// The parts of a target that may not be valid: none then.
Target parts_of(const Request& request) {
  auto parsed = parse_target(request.method, request.target);
  return parsed ? *parsed : Target{};
}

}  // namespace

std::string_view name_of(Version version) noexcept {
  return version == Version::http_1_0 ? "HTTP/1.0" : "HTTP/1.1";
}

std::string_view Request::method_name() const noexcept {
  return method == Method::other ? std::string_view(other_method) : name_of(method);
}

std::string_view Request::path() const {
  if (target.starts_with('/')) return std::string_view(target).substr(0, target.find('?'));
  return parts_of(*this).path;
}

std::string_view Request::query() const {
  if (target.starts_with('/')) {
    return std::string_view(target).substr(std::min(target.find('?'), target.size() - 1) + 1);
  }
  return parts_of(*this).query;
}

std::string_view Request::authority() const {
  if (!target.starts_with('/')) {
    const std::string_view named = parts_of(*this).authority;
    if (!named.empty()) return named;
  }
  return headers.get("Host").value_or(std::string_view());
}

void Request::clear() {
  method = Method::get;
  other_method.clear();
  target.clear();
  version = Version::http_1_1;
  headers.clear();
}

void Response::clear() {
  status = 200;
  reason.clear();
  version = Version::http_1_1;
  headers.clear();
}

}  // namespace parley::http
