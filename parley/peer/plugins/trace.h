// trace: which calls belong together, over any number of processes, as W3C Trace Context has it
// (observe/trace_context.h): `traceparent` and `tracestate` travel as metadata. Each CALL, PUSH and
// stream that is made or served is a span: what a handler calls, in whatever way and from fibers of
// its own, is part of the trace it was called in, without a line in the handler.
//
// Where the fiber at hand stands is a value of its context:
//   const auto* here = rt::Context::current().value<observe::TraceContext>();
// A plugin for any number of peers. Put it before those that log or count, behind secure and auth.
// The callbacks of call_then() and on_closed() belong to no trace.
//
//   auto lines = SpanLines::append_to("spans.jsonl");  // span_lines.h; or an exporter of yours
//   parley::Peer peer({.plugins = {trace({.exporter = *lines, .ratio = 0.01})}});
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/observe/trace_context.h"
#include "parley/peer/plugin.h"

namespace parley {

// What was done, and by which side: of a PUSH nobody hears how it went.
enum class SpanKind : std::uint8_t {
  client,    // a CALL that was made, or a stream that was opened: until that was done
  server,    // a CALL or a stream that was served
  producer,  // a PUSH that was made
  consumer,  // a PUSH that was served
};

// "client".
std::string_view name_of(SpanKind kind) noexcept;

// A piece of work that is over.
struct Span {
  const observe::TraceContext& context;  // its own
  std::uint64_t parent = 0;              // 0: it is the first of its trace
  SpanKind kind = SpanKind::client;
  bool is_stream = false;
  std::string_view method{};
  std::string_view remote_address{};
  WallTime start{};
  Duration took{0};
  const Status& status;
};

// Gets the spans that are sampled. Called by fibers of any worker at once, which go on when it
// returns: it must not wait, and copies what it keeps. What it throws is an error of the call.
class SpanExporter {
 public:
  virtual ~SpanExporter() = default;
  SpanExporter() = default;
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  virtual void take(const Span& span) = 0;
};

struct TraceOptions {
  // Null: traces are passed on, and told to nobody.
  std::shared_ptr<SpanExporter> exporter = {};
  // How many of the traces that begin here are sampled: from 0, none, to 1, all. It is decided by
  // the trace's id, so that peers with the same ratio decide alike.
  double ratio = 1;
  // Whether a trace that began elsewhere is sampled if it was sampled there; false: by the ratio.
  bool follows_parent = true;
  // Whether what is served goes on with the trace of its caller; false: with one of its own. For
  // peers that anybody may call, who could fill the traces of others.
  bool trusts_callers = true;
  // For the dates of spans; null: the machine's. Must outlive the peers.
  const Clock* clock = nullptr;

  // The first that is wrong, naming it.
  [[nodiscard]] Status check() const;
};

// Options that check() refuses are refused by listen(), dial() and serve().
Plugin trace(TraceOptions options = {});

}  // namespace parley
