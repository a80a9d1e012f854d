// What an exchange of a client says when a wait for the server took too long, the same over every
// version of HTTP. Private to http.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"

namespace parley::http::impl {

// A wait that ends with the caller's deadline, or with a limit of the options.
class ClientWait {
 public:
  ClientWait(rt::Deadline callers, Duration limit, rt::Deadline own)
      : callers_(callers), limit_(limit), own_(own) {}
  ClientWait(rt::Deadline callers, Duration limit)
      : ClientWait(callers, limit, rt::Deadline::after(limit)) {}

  [[nodiscard]] rt::Deadline deadline() const { return std::min(callers_, own_); }
  // Whether the limit ended it, and neither the caller nor a failure of before.
  [[nodiscard]] bool is_limit(const Status& status) const {
    return is_time(status) && own_ < callers_ && own_.is_over();
  }
  // What is said of a wait that `what`, of the server, ended with `status`.
  [[nodiscard]] Status told(const Status& status, std::string_view what,
                            std::string_view option) const {
    const bool is_own = is_limit(status);
    if (!is_own && !(is_time(status) && callers_.is_over())) return status;
    if (is_own) {
      std::array<char, 32> seconds{};
      (void)std::snprintf(seconds.data(), seconds.size(), "%.9g",
                          std::chrono::duration<double>(limit_).count());
      return Status(Code::deadline_exceeded,
                    "the server " + std::string(what) + " within " + std::string(seconds.data()) +
                        " s (" + std::string(option) + "); try again, or give it more time");
    }
    return Status(Code::deadline_exceeded,
                  "the server " + std::string(what) + " before the caller's deadline passed")
        .with_cause(status.message());
  }

 private:
  static bool is_time(const Status& status) {
    return status.code() == Code::deadline_exceeded && !rt::Context::current().is_done();
  }

  const rt::Deadline callers_;
  const Duration limit_;
  const rt::Deadline own_;
};

}  // namespace parley::http::impl
