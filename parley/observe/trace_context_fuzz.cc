// Feeds arbitrary text to the reader of a trace context: the first line is traceparent, the rest
// tracestate. What was read is written as the standard says, and is read again as the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/observe/trace_context.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using parley::observe::TraceContext;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  const std::string_view state = line == std::string_view::npos ? "" : text.substr(line + 1);
  const auto context = TraceContext::parse(text.substr(0, line), state);
  if (!context) return 0;
  PARLEY_ASSERT(context->is_valid(), "what is no trace was read as one");
  PARLEY_ASSERT(context->state.size() <= parley::observe::max_trace_state_bytes &&
                    parley::observe::is_trace_state(context->state),
                "a tracestate that is wrong would be passed on");
  const auto again = TraceContext::parse(context->traceparent(), context->state);
  PARLEY_ASSERT(again && *again == *context, "what was written is read as something else");
  return 0;
}
