#include "parley/wire/status_code.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <source_location>
#include <utility>

namespace parley::wire {
namespace {

struct Row {
  Code code;
  std::int32_t number;
};

// In the order of the codes, so that a code is also its index. The numbers are Teleport's where
// Teleport has the notion (105 dial failed, 102 connection closed, 4xx the message, 5xx the
// receiver), else the nearest HTTP status.
constexpr std::array table = {
    Row{Code::ok, 0},
    Row{Code::cancelled, 499},
    Row{Code::unknown, -1},
    Row{Code::invalid_argument, 400},
    Row{Code::deadline_exceeded, 408},
    Row{Code::not_found, 404},
    Row{Code::already_exists, 409},
    Row{Code::permission_denied, 403},
    Row{Code::resource_exhausted, 429},
    Row{Code::failed_precondition, 412},
    Row{Code::aborted, 410},
    Row{Code::out_of_range, 416},
    Row{Code::unimplemented, 405},
    Row{Code::internal, 500},
    Row{Code::unavailable, 503},
    Row{Code::data_loss, 510},
    Row{Code::unauthenticated, 401},
    Row{Code::not_sent, 105},
    Row{Code::outcome_unknown, 102},
};

constexpr std::size_t index_of(Code code) { return static_cast<std::size_t>(code); }

consteval bool is_sound() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (index_of(table[i].code) != i) return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (table[i].number == table[j].number) return false;
    }
  }
  return table.size() == index_of(Code::outcome_unknown) + 1;
}
static_assert(is_sound(), "every code has a row at its index, and no number stands twice");

// What a number that is no Code's most likely means to a caller.
Code code_of_foreign(std::int32_t number) noexcept {
  switch (number) {
    case 1:  // invalid operation
      return Code::invalid_argument;
    case 100:  // the connection was unusable before anything was written
      return Code::not_sent;
    case 104:  // the write failed, perhaps half-way
      return Code::outcome_unknown;
    case 502:  // bad gateway
      return Code::unavailable;
    default:
      break;
  }
  if (number >= 1000) return Code::failed_precondition;
  if (number >= 100 && number <= 199) return Code::unavailable;
  if (number >= 400 && number <= 499) return Code::invalid_argument;
  if (number >= 500 && number <= 599) return Code::internal;
  return Code::unknown;
}

}  // namespace

std::int32_t raw_number(Code code) noexcept {
  const std::size_t index = index_of(code);
  return index < table.size() ? table[index].number : table[index_of(Code::unknown)].number;
}

std::int32_t raw_number(const Status& status) noexcept {
  return status.business_code() != 0 ? status.business_code() : raw_number(status.code());
}

Status status_of_raw_number(std::int32_t number, std::string message, std::string cause) {
  if (number == raw_number(Code::ok)) return {};
  // It arose on the other side: no place in this source can be named.
  const std::source_location elsewhere;
  const auto row = std::find_if(table.begin(), table.end(),
                                [number](const Row& each) { return each.number == number; });
  Status status = row != table.end()
                      ? Status(row->code, std::move(message), elsewhere)
                      : Status(code_of_foreign(number), std::move(message), elsewhere)
                            .with_business_code(number);
  return cause.empty() ? status : status.with_cause(std::move(cause));
}

}  // namespace parley::wire
