#include "parley/http/impl/body_pace.h"

#include <algorithm>
#include <chrono>

namespace parley::http::impl {

rt::Deadline body_deadline(const ServerOptions& options, std::uint64_t bytes, Duration waited,
                           Instant now) {
  const rt::Deadline whole = rt::Deadline::after(options.body_timeout, now);
  if (options.min_body_rate == 0) return whole;
  const double seconds = static_cast<double>(bytes) / static_cast<double>(options.min_body_rate);
  const auto earned =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(std::min(seconds, 1e6)));
  const Duration left = std::max(options.body_grace, earned) - waited;
  return std::min(whole, rt::Deadline::after(std::max(left, Duration::zero()), now));
}

Status body_too_slow() {
  return Status(Code::deadline_exceeded,
                "the body came too slowly (body_timeout, min_body_rate); send it faster");
}

}  // namespace parley::http::impl
