#include "parley/base/status.h"

#include <array>
#include <atomic>
#include <ostream>

#include "parley/base/assert.h"

namespace parley {
namespace {

constexpr std::array<std::string_view, 19> code_names = {
    "ok",
    "cancelled",
    "unknown",
    "invalid_argument",
    "deadline_exceeded",
    "not_found",
    "already_exists",
    "permission_denied",
    "resource_exhausted",
    "failed_precondition",
    "aborted",
    "out_of_range",
    "unimplemented",
    "internal",
    "unavailable",
    "data_loss",
    "unauthenticated",
    "not_sent",
    "outcome_unknown",
};

const std::string empty_text;
const std::source_location nowhere{};

}  // namespace

std::string_view name_of(Code code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  return index < code_names.size() ? code_names[index] : code_names[2];
}

std::optional<Code> code_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < code_names.size(); ++i) {
    if (code_names[i] == name) return static_cast<Code>(i);
  }
  return std::nullopt;
}

struct Status::Rep {
  std::atomic<std::uint32_t> owners{1};
  Code code;
  std::int32_t business_code = 0;
  std::string message;
  std::string cause;
  std::source_location where;
};

Status::Status(Code code, std::string message, std::source_location where) {
  PARLEY_ASSERT(code != Code::ok, "an ok Status is made by Status(), without a message");
  rep_ = new Rep{.code = code, .message = std::move(message), .cause = {}, .where = where};
}

Status Status::business(std::int32_t code, std::string message, std::source_location where) {
  Status status(Code::failed_precondition, std::move(message), where);
  status.rep_->business_code = code;
  return status;
}

Status::Status(const Status& other) noexcept : rep_(other.rep_) {
  if (rep_ != nullptr) rep_->owners.fetch_add(1, std::memory_order_relaxed);
}

void Status::drop() noexcept {
  // The last owner must see every write of the others before it frees the record.
  if (rep_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete rep_;
}

Code Status::code() const noexcept { return rep_ == nullptr ? Code::ok : rep_->code; }

std::int32_t Status::business_code() const noexcept {
  return rep_ == nullptr ? 0 : rep_->business_code;
}

const std::string& Status::message() const noexcept {
  return rep_ == nullptr ? empty_text : rep_->message;
}

const std::string& Status::cause() const noexcept {
  return rep_ == nullptr ? empty_text : rep_->cause;
}

const std::source_location& Status::where() const noexcept {
  return rep_ == nullptr ? nowhere : rep_->where;
}

Status::Rep* Status::copy_rep() const {
  return new Rep{.code = rep_->code,
                 .business_code = rep_->business_code,
                 .message = rep_->message,
                 .cause = rep_->cause,
                 .where = rep_->where};
}

bool Status::is_remote() const noexcept { return rep_ != nullptr && rep_->where.line() == 0; }

Status Status::with_cause(std::string cause) const {
  if (is_ok()) return {};
  Rep* rep = copy_rep();
  rep->cause = std::move(cause);
  return Status(rep);
}

Status Status::with_business_code(std::int32_t code) const {
  if (is_ok()) return {};
  Rep* rep = copy_rep();
  rep->business_code = code;
  return Status(rep);
}

Status Status::with_context(std::string_view context) const {
  if (is_ok()) return {};
  Rep* rep = copy_rep();
  rep->message = std::string(context) + ": " + rep->message;
  return Status(rep);
}

std::string Status::to_string() const {
  if (is_ok()) return "ok";
  // append, not operator+: g++ 12 at -O3 sees overlapping copies in the latter (PR 105651).
  std::string text(name_of(rep_->code));
  if (rep_->business_code != 0) text.append(1, '/').append(std::to_string(rep_->business_code));
  text.append(": ").append(rep_->message);
  if (!rep_->cause.empty()) text.append(" (cause: ").append(rep_->cause).append(1, ')');
  return text;
}

bool operator==(const Status& a, const Status& b) noexcept {
  if (a.rep_ == b.rep_) return true;
  return a.code() == b.code() && a.business_code() == b.business_code() &&
         a.message() == b.message() && a.cause() == b.cause();
}

std::ostream& operator<<(std::ostream& out, const Status& status) {
  return out << status.to_string();
}

std::ostream& operator<<(std::ostream& out, Code code) { return out << name_of(code); }

}  // namespace parley
