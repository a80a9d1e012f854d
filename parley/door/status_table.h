// The one table between Status, the numbers of gRPC and those of HTTP. (The single number of
// Teleport's framings is wire/status_code.h.)
//
// All functions are pure.
//
//   http_status(Status(Code::not_found, "no such tea"))              // 404
//   http_status(Status::business(1001, "sold out"))                  // 412: of its code
//   http_status(Status::business(1001, "sold out"), HttpRule::ant)   // 299
//   grpc_number(Status(Code::not_sent, "..."))                       // 14, unavailable
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/status.h"
#include "parley/http/status_text.h"

namespace parley::door {

enum class HttpRule : std::uint8_t {
  // By the code; a business code changes nothing, the body of the answer carries it.
  canonical,
  // As the gateway of ant has it: by the number of wire::raw_number(), a business code where there
  // is one. Below 200 it is 500, from 600 on 299, and everything else itself: an error of 200 to
  // 299 looks like a success.
  ant,
};

// What a status is answered as; 200 when ok.
[[nodiscard]] http::StatusCode http_status(const Status& status,
                                           HttpRule rule = HttpRule::canonical) noexcept;
[[nodiscard]] http::StatusCode http_status(Code code) noexcept;

// What an answer's number most likely means, where nothing else says it: ok for 2xx but 299, which
// is failed_precondition; unknown for 1xx, 3xx and what is no status. Where several codes have one
// number it is that of the table which says least: 500 is internal.
[[nodiscard]] Code code_of_http(int status) noexcept;

// grpc-status: the code, but that not_sent is unavailable and outcome_unknown unknown, which only
// the side that called could know.
[[nodiscard]] int grpc_number(Code code) noexcept;
[[nodiscard]] inline int grpc_number(const Status& status) noexcept {
  return grpc_number(status.code());
}
// What a grpc-status stands for. A number that is no code is unknown, and stays visible as business
// code.
[[nodiscard]] Status status_of_grpc(std::int64_t number, std::string message);
// What a gRPC client takes an answer for that has no grpc-status, by its HTTP status: it came from
// something in between. unknown for 200, too.
[[nodiscard]] Code grpc_code_of_http(int status) noexcept;

}  // namespace parley::door
