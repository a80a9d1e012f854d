// Why bytes are refused, told by the part of a parser that saw them; Http1Parser adds where they
// lie. Private to http.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/status.h"
#include "parley/http/status_text.h"

namespace parley::http::impl {

// "than N bytes ...", of a body that is longer: who may raise the limit, and where.
[[nodiscard]] inline std::string body_limit(std::uint64_t most) {
  return "than " + std::to_string(most) +
         " bytes (limits.max_body_bytes of ServerOptions or ClientOptions, or limit_body()); send "
         "less, or have it raised";
}

struct Fault {
  Code code = Code::invalid_argument;
  StatusCode answer = 400;  // what a server answers with
  std::string says{};       // what, why (with the section of the RFC), and what to try

  bool refuse(std::string text) { return refuse(400, std::move(text)); }
  bool refuse(StatusCode status, std::string text, Code why = Code::invalid_argument) {
    code = why;
    answer = status;
    says = std::move(text);
    return false;
  }
  // A limit was hit.
  bool too_much(StatusCode status, std::string text) {
    return refuse(status, std::move(text), Code::resource_exhausted);
  }
};

// How far a part has come with the bytes it was given.
enum class Progress : std::uint8_t {
  more,     // used them all
  done,     // what is left is not its business
  refused,  // what is left begins with what is wrong
};

}  // namespace parley::http::impl
