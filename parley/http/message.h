// Request and Response: the head of a message, which is everything but its body. Plain values that
// mean the same in every version of HTTP; how one ends and whether its connection goes on is told
// beside it (framing.h).
//
// Belong to one fiber at a time.
//
//   Request request;
//   request.method = Method::post;
//   request.target = "/order/place";
//   Status status = request.headers.add("Host", "shop.example");
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parley/http/headers.h"
#include "parley/http/method.h"
#include "parley/http/status_text.h"

namespace parley::http {

// What the other side speaks. A minor version above 1 is read as 1.1 (RFC 9110 6.2).
enum class Version : std::uint8_t { http_1_0, http_1_1 };

// "HTTP/1.1".
[[nodiscard]] std::string_view name_of(Version version) noexcept;

struct Request {
  Method method = Method::get;
  std::string other_method{};  // its name, when `method` is other
  std::string target = "/";    // as it is sent; see target.h
  Version version = Version::http_1_1;
  Headers headers{};

  // "GET".
  [[nodiscard]] std::string_view method_name() const noexcept;
  // Parts of a valid target, as they were sent: not unescaped. The path of "*" is "*", that of
  // CONNECT is empty.
  [[nodiscard]] std::string_view path() const;
  [[nodiscard]] std::string_view query() const;
  // For whom it is: what the target says, else Host. A target that names a host overrides Host
  // (RFC 9112 3.2.2), so ask this one. Empty where neither does.
  [[nodiscard]] std::string_view authority() const;

  // As a new one, but keeps its memory.
  void clear();

  friend bool operator==(const Request&, const Request&) = default;
};

struct Response {
  StatusCode status = 200;
  std::string reason{};  // nothing depends on it; empty is written as reason_of(status)
  Version version = Version::http_1_1;
  Headers headers{};

  // As a new one, but keeps its memory.
  void clear();

  friend bool operator==(const Response&, const Response&) = default;
};

}  // namespace parley::http
