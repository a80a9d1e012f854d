// TraceContext: where in a trace a piece of work stands, as W3C Trace Context (level 1) writes it
// in `traceparent` and `tracestate`.
//
// A value; any thread. What the fiber at hand works for is a value of its context: whoever writes
// logs or metrics finds it with rt::Context::current().value<observe::TraceContext>().
//
//   if (auto from = TraceContext::parse(traceparent, tracestate)) context = from->child(bits);
//   metadata.set("traceparent", context.traceparent());
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parley/observe/trace_id.h"

namespace parley::observe {

struct TraceContext {
  TraceId trace;
  std::uint64_t span = 0;  // 0 is none
  bool is_sampled = false;
  // What others keep with the trace, as they wrote it; empty: nothing.
  std::string state{};

  // What a message carried. Nothing when `traceparent` is not as the standard says: then a trace
  // begins anew. A version that is not known yet is read as far as this one goes. A `tracestate`
  // that is wrong is left out, alone. (Twice the same header is wrong, too: whoever has several
  // `traceparent` gives none of them; several `tracestate` are one, joined by commas.)
  static std::optional<TraceContext> parse(std::string_view traceparent,
                                           std::string_view tracestate = {});

  [[nodiscard]] bool is_valid() const noexcept { return trace.is_valid() && span != 0; }
  // "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".
  [[nodiscard]] std::string traceparent() const;
  // The same trace at another span, which must not be 0.
  [[nodiscard]] TraceContext child(std::uint64_t new_span) const {
    return {.trace = trace, .span = new_span, .is_sampled = is_sampled, .state = state};
  }

  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

// "00f067aa0ba902b7": as a span is written.
std::string span_text(std::uint64_t span);

// Whether a `tracestate` is as the standard says: members key=value, at most 32, each key once.
bool is_trace_state(std::string_view text) noexcept;
// A longer one is left out rather than passed on.
inline constexpr std::size_t max_trace_state_bytes = 512;
inline constexpr std::size_t max_trace_state_members = 32;

}  // namespace parley::observe
