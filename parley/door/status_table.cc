#include "parley/door/status_table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <source_location>
#include <utility>

#include "parley/wire/status_code.h"

namespace parley::door {
namespace {

struct Row {
  Code code;
  std::uint8_t grpc;
  http::StatusCode http;
};

// In the order of the codes, so that a code is also its index. Where Teleport has an HTTP status
// for a code this is the same, but for those that mean something else to who speaks HTTP: 408 (the
// client was slow: browsers ask again), 410 (gone for good), 405 (another method) and 510.
constexpr std::array table = {
    Row{Code::ok, 0, 200},
    Row{Code::cancelled, 1, 499},
    Row{Code::unknown, 2, 500},
    Row{Code::invalid_argument, 3, 400},
    Row{Code::deadline_exceeded, 4, 504},
    Row{Code::not_found, 5, 404},
    Row{Code::already_exists, 6, 409},
    Row{Code::permission_denied, 7, 403},
    Row{Code::resource_exhausted, 8, 429},
    Row{Code::failed_precondition, 9, 412},
    Row{Code::aborted, 10, 409},
    Row{Code::out_of_range, 11, 416},
    Row{Code::unimplemented, 12, 501},
    Row{Code::internal, 13, 500},
    Row{Code::unavailable, 14, 503},
    Row{Code::data_loss, 15, 500},
    Row{Code::unauthenticated, 16, 401},
    Row{Code::not_sent, 14, 503},
    Row{Code::outcome_unknown, 2, 500},
};

// The numbers of answers that no code is written as, and of those that several are.
struct Foreign {
  int http;
  Code code;
};
constexpr std::array foreign = {
    Foreign{299, Code::failed_precondition}, Foreign{405, Code::unimplemented},
    Foreign{408, Code::deadline_exceeded},   Foreign{409, Code::aborted},
    Foreign{410, Code::not_found},           Foreign{413, Code::resource_exhausted},
    Foreign{431, Code::resource_exhausted},  Foreign{500, Code::internal},
    Foreign{502, Code::unavailable},         Foreign{503, Code::unavailable},
};

constexpr std::size_t index_of(Code code) { return static_cast<std::size_t>(code); }

consteval bool is_sound() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (index_of(table[i].code) != i) return false;
  }
  return table.size() == index_of(Code::outcome_unknown) + 1;
}
static_assert(is_sound(), "every code has a row at its index");

const Row& row_of(Code code) noexcept {
  const std::size_t index = index_of(code);
  return table[index < table.size() ? index : index_of(Code::unknown)];
}

}  // namespace

http::StatusCode http_status(Code code) noexcept { return row_of(code).http; }

http::StatusCode http_status(const Status& status, HttpRule rule) noexcept {
  if (rule == HttpRule::canonical || status.is_ok()) return http_status(status.code());
  const std::int32_t number = wire::raw_number(status);
  if (number < 200) return 500;
  return number < 600 ? static_cast<http::StatusCode>(number) : http::StatusCode{299};
}

Code code_of_http(int status) noexcept {
  for (const Foreign& each : foreign) {
    if (each.http == status) return each.code;
  }
  for (const Row& each : table) {
    if (each.http == status) return each.code;
  }
  if (status >= 200 && status <= 299) return Code::ok;
  if (status >= 400 && status <= 499) return Code::invalid_argument;
  if (status >= 500 && status <= 599) return Code::internal;
  return Code::unknown;
}

int grpc_number(Code code) noexcept { return row_of(code).grpc; }

Status status_of_grpc(std::int64_t number, std::string message) {
  if (number == 0) return {};
  const std::source_location elsewhere;  // no place in this source can be named
  if (number > 0 && number <= grpc_number(Code::unauthenticated)) {
    return {static_cast<Code>(number), std::move(message), elsewhere};
  }
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  return Status(Code::unknown, std::move(message), elsewhere)
      .with_business_code(static_cast<std::int32_t>(std::clamp(number, -most, most)));
}

Code grpc_code_of_http(int status) noexcept {
  switch (status) {
    case 400:
      return Code::internal;
    case 401:
      return Code::unauthenticated;
    case 403:
      return Code::permission_denied;
    case 404:
      return Code::unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return Code::unavailable;
    default:
      return Code::unknown;
  }
}

}  // namespace parley::door
