// The one table between Status and the single number that Teleport's framings carry.
//
// Every Code has its own number, and the number gives the Code back. A business code is written as
// itself, IN PLACE of the canonical code's number: these framings carry one number, so such a
// status comes back with the canonical code that the number's range suggests, whatever it was
// before, and a business code equal to a number of the table comes back as that table's code. Give
// business codes numbers from 1000 up, as Teleport does, and nothing is mistaken.
//
// All functions are pure.
//
//   raw_number(Status(Code::not_found, "x"))           // 404
//   raw_number(Status::business(1001, "out of tea"))   // 1001
//   status_of_raw_number(1001, "out of tea", "")       // failed_precondition/1001: out of tea
#pragma once

#include <cstdint>
#include <string>

#include "parley/base/status.h"

namespace parley::wire {

// The number of a canonical code: ok 0, unknown -1, not_found 404 ... (the table is in
// docs/protocols/raw.md).
std::int32_t raw_number(Code code) noexcept;

// The number a status is written as: its business code if it has one, else that of its code.
std::int32_t raw_number(const Status& status) noexcept;

// The status a number stands for; 0 is ok, whatever the texts say. A number that is not a Code's
// stays visible as business code, beside a canonical code: Teleport's own 1, 100, 104 and 502 get
// invalid_argument, not_sent, outcome_unknown and unavailable; 100..199 unavailable, 400..499
// invalid_argument, 500..599 internal, 1000 and above failed_precondition, anything else unknown.
Status status_of_raw_number(std::int32_t number, std::string message, std::string cause);

}  // namespace parley::wire
