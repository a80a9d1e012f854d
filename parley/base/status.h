// Status: how a thing that was expected to be able to fail went. One pointer wide; null is ok.
//
// A Status says what failed (message), what was behind it (cause) and where in the source it arose.
// Its code is one of gRPC's canonical codes, or one of the two that only the caller's side of a
// call can know: not_sent (the other side cannot have seen the call: safe to send again) and
// outcome_unknown (it may have run: send again only what may run twice).
//
// Copies share one immutable record (an atomic count): cheap, and safe to pass between threads.
//
//   Status reserve(Order& order) {
//     if (order.quantity < 1) return Status(Code::invalid_argument, "quantity must be at least 1");
//     if (stock == 0) return Status::business(1001, "out of tea");
//     return {};
//   }
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace parley {

// The numbers 0..16 are gRPC's (grpc.io/docs/guides/status-codes) and will not change.
enum class Code : std::uint8_t {
  ok = 0,
  cancelled = 1,          // the caller gave up
  unknown = 2,            // an error of which no more is known
  invalid_argument = 3,   // wrong whatever the state of the system
  deadline_exceeded = 4,  // the time given was not enough; the work may still have been done
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,   // a limit with a name was hit
  failed_precondition = 9,  // not in this state; every business error unless it says otherwise
  aborted = 10,
  out_of_range = 11,  // past the end: a closed channel, the end of a sequence
  unimplemented = 12,
  internal = 13,  // a bug on the side that answered
  unavailable = 14,
  data_loss = 15,
  unauthenticated = 16,
  not_sent = 17,         // the call never left whole: the other side cannot have run it
  outcome_unknown = 18,  // the call left and no answer came: it may or may not have run
};

// "not_found"; "unknown" for a number that is not a code.
std::string_view name_of(Code code) noexcept;

// The code of that name, or nothing.
std::optional<Code> code_named(std::string_view name) noexcept;

class [[nodiscard]] Status {
 public:
  // Ok.
  constexpr Status() noexcept = default;

  // `code` must not be ok (a bug otherwise). Say what failed, where, why and what to try next.
  Status(Code code, std::string message,
         std::source_location where = std::source_location::current());

  // An error of the user's own domain, numbered 1000 or more. Numbers below 1000 belong to Parley's
  // wire formats and are told apart from its own codes only where the format carries both (see
  // wire/status_code.h).
  static Status business(std::int32_t code, std::string message,
                         std::source_location where = std::source_location::current());

  Status(const Status& other) noexcept;
  Status(Status&& other) noexcept : rep_(std::exchange(other.rep_, nullptr)) {}
  Status& operator=(Status other) noexcept {
    std::swap(rep_, other.rep_);
    return *this;
  }
  // Inline, since most are ok and are made and dropped all the time.
  ~Status() {
    if (rep_ != nullptr) [[unlikely]]
      drop();
  }

  [[nodiscard]] bool is_ok() const noexcept { return rep_ == nullptr; }
  [[nodiscard]] Code code() const noexcept;
  // 0 when there is none.
  [[nodiscard]] std::int32_t business_code() const noexcept;
  // Empty when ok.
  [[nodiscard]] const std::string& message() const noexcept;
  [[nodiscard]] const std::string& cause() const noexcept;
  // Where in the source this status was made; line 0 when ok or when it came over a wire.
  [[nodiscard]] const std::source_location& where() const noexcept;
  // True for an error that another process made: it came over a wire.
  [[nodiscard]] bool is_remote() const noexcept;

  // The same error with another part. On an ok status these return ok.
  [[nodiscard]] Status with_cause(std::string cause) const;
  [[nodiscard]] Status with_business_code(std::int32_t code) const;
  // "context: message".
  [[nodiscard]] Status with_context(std::string_view context) const;

  // One line for people: `not_found: no method "/x" (cause: ...)`; a business code is shown as
  // `failed_precondition/1001: ...`; "ok" when ok.
  [[nodiscard]] std::string to_string() const;

  // Equal code, business code, message and cause. Where they arose does not count.
  friend bool operator==(const Status& a, const Status& b) noexcept;

 private:
  struct Rep;
  explicit Status(Rep* rep) noexcept : rep_(rep) {}
  void drop() noexcept;
  Rep* copy_rep() const;

  Rep* rep_ = nullptr;
};

std::ostream& operator<<(std::ostream& out, const Status& status);
std::ostream& operator<<(std::ostream& out, Code code);

}  // namespace parley
