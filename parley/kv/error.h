// The errors of the tree are etcd's (v2): a number that programs act on, a cause, and the index of
// the store. In the house they travel as a Status, which says the same to those who know no etcd.
//
// Pure functions: safe on every thread and fiber.
//
//   Result<kv::EventRef> event = store.write(command);
//   if (auto error = kv::error_of(event.error())) return answer(kv::http_status(error->code),
//   *error);
#pragma once

#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>

#include "parley/base/status.h"

namespace parley::kv {

// Its number is etcd's. Those of clusters and peers that nobody here gives are left out.
enum class ErrorCode : std::int32_t {
  key_not_found = 100,
  compare_failed = 101,
  not_a_file = 102,
  not_a_dir = 104,
  key_exists = 105,
  root_is_read_only = 107,
  dir_not_empty = 108,
  unauthorized = 110,
  prev_value_required = 201,
  ttl_not_a_number = 202,
  index_not_a_number = 203,
  invalid_field = 209,
  invalid_form = 210,
  value_on_refresh = 211,
  ttl_required_on_refresh = 212,
  raft_internal = 300,
  during_leader_election = 301,
  watcher_cleared = 400,
  history_cleared = 401,
  internal = 500,
};

struct Error {
  ErrorCode code = ErrorCode::internal;
  // Mostly the path, as far as it was walked; empty: none.
  std::string cause{};
  // Of the store when it happened.
  std::uint64_t index = 0;

  friend bool operator==(const Error&, const Error&) = default;
};

// "Key not found". Empty for a number that is none of the above.
std::string_view message_of(ErrorCode code) noexcept;

// The number HTTP answers with: 404 for 100, 400 for most.
int http_status(ErrorCode code) noexcept;

// The business code of such a Status is its number and this, so that nobody takes it for one of
// Parley's own, which are below 1000.
inline constexpr std::int32_t first_business_code = 10'000;

Status status_of(const Error& error, std::source_location where = std::source_location::current());
// What status_of() was given; nothing for a Status of anything else (a limit, a broken disk).
std::optional<Error> error_of(const Status& status);

}  // namespace parley::kv
