#include "parley/kv/error.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace parley::kv {
namespace {

struct Row {
  ErrorCode code;
  std::string_view message;
  Code canonical;
  int http;
};

constexpr std::array<Row, 20> rows = {{
    {ErrorCode::key_not_found, "Key not found", Code::not_found, 404},
    {ErrorCode::compare_failed, "Compare failed", Code::failed_precondition, 412},
    {ErrorCode::not_a_file, "Not a file", Code::failed_precondition, 403},
    {ErrorCode::not_a_dir, "Not a directory", Code::failed_precondition, 400},
    {ErrorCode::key_exists, "Key already exists", Code::already_exists, 412},
    {ErrorCode::root_is_read_only, "Root is read only", Code::permission_denied, 400},
    {ErrorCode::dir_not_empty, "Directory not empty", Code::failed_precondition, 403},
    {ErrorCode::unauthorized, "The request requires user authentication", Code::unauthenticated,
     401},
    {ErrorCode::prev_value_required, "PrevValue is Required in POST form", Code::invalid_argument,
     400},
    {ErrorCode::ttl_not_a_number, "The given TTL in POST form is not a number",
     Code::invalid_argument, 400},
    {ErrorCode::index_not_a_number, "The given index in POST form is not a number",
     Code::invalid_argument, 400},
    {ErrorCode::invalid_field, "Invalid field", Code::invalid_argument, 400},
    {ErrorCode::invalid_form, "Invalid POST form", Code::invalid_argument, 400},
    {ErrorCode::value_on_refresh, "Value provided on refresh", Code::invalid_argument, 400},
    {ErrorCode::ttl_required_on_refresh, "A TTL must be provided on refresh",
     Code::invalid_argument, 400},
    {ErrorCode::raft_internal, "Raft Internal Error", Code::internal, 500},
    {ErrorCode::during_leader_election, "During Leader Election", Code::unavailable, 500},
    {ErrorCode::watcher_cleared, "watcher is cleared due to etcd recovery", Code::aborted, 400},
    {ErrorCode::history_cleared, "The event in requested index is outdated and cleared",
     Code::out_of_range, 400},
    {ErrorCode::internal, "Internal error", Code::internal, 400},
}};

// What stands in Status::cause() behind the cause.
constexpr std::string_view index_mark = "at index ";

const Row* row_of(ErrorCode code) noexcept {
  const auto* const row = std::ranges::find(rows, code, &Row::code);
  return row == rows.end() ? nullptr : row;
}

}  // namespace

std::string_view message_of(ErrorCode code) noexcept {
  const Row* row = row_of(code);
  return row == nullptr ? std::string_view() : row->message;
}

int http_status(ErrorCode code) noexcept {
  const Row* row = row_of(code);
  return row == nullptr ? 400 : row->http;
}

Status status_of(const Error& error, std::source_location where) {
  const Row* row = row_of(error.code);
  const Code code = row == nullptr ? Code::unknown : row->canonical;
  std::string cause = error.cause;
  if (!cause.empty()) cause += ' ';
  cause.append(index_mark).append(std::to_string(error.index));
  return Status(code, std::string(message_of(error.code)), where)
      .with_cause(std::move(cause))
      .with_business_code(first_business_code + static_cast<std::int32_t>(error.code));
}

std::optional<Error> error_of(const Status& status) {
  const auto code = static_cast<ErrorCode>(status.business_code() - first_business_code);
  if (row_of(code) == nullptr) return std::nullopt;
  const std::string_view cause = status.cause();
  const std::size_t mark = cause.rfind(index_mark);
  if (mark == std::string_view::npos) return std::nullopt;
  Error error{.code = code, .cause = std::string(cause.substr(0, mark)), .index = 0};
  if (!error.cause.empty()) error.cause.pop_back();  // the space between them
  const std::string_view digits = cause.substr(mark + index_mark.size());
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, error.index);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return error;
}

}  // namespace parley::kv
