// TraceId: the 16 bytes that name one trace across processes (W3C Trace Context, section 3.2.2.3).
//
// A value; any thread.
//
//   latency.observe(took, context.trace_id);   // the bucket now names a trace that fell into it
#pragma once

#include <cstdint>
#include <string>

namespace parley::observe {

struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  // All zero is no trace.
  [[nodiscard]] bool is_valid() const noexcept { return high != 0 || low != 0; }
  // 32 lower-case hexadecimal digits.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const TraceId&, const TraceId&) noexcept = default;
};

}  // namespace parley::observe
