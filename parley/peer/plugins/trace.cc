#include "parley/peer/plugins/trace.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "parley/peer/plugin_steps.h"
#include "parley/rt/context.h"
#include "parley/rt/random.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using observe::TraceContext;

// Names of metadata, as those of HTTP's headers.
constexpr std::string_view parent_key = "traceparent";
constexpr std::string_view state_key = "tracestate";

std::uint64_t fresh_number() {
  for (;;) {
    const std::uint64_t number = rt::random_bits();
    if (number != 0) return number;
  }
}

// What a message carries; nothing when there is none, or several, or one that is wrong.
std::optional<TraceContext> carried_by(const wire::Metadata& metadata) {
  if (metadata.empty()) return std::nullopt;
  const auto parents = metadata.get_all(parent_key);
  if (parents.size() != 1) return std::nullopt;
  std::string state;
  for (const std::string_view each : metadata.get_all(state_key)) {
    if (!state.empty()) state += ',';
    state += each;
  }
  return TraceContext::parse(parents.front(), state);
}

// A span that has begun.
struct Begun {
  TraceContext context{};
  std::uint64_t parent = 0;
  Instant at{};
  WallTime date{};
};

class Tracer {
 public:
  explicit Tracer(TraceOptions options) : options_(std::move(options)) {}

  Status served(ServeStep& step, Next& next) const {
    const auto from = options_.trusts_callers ? carried_by(step.metadata()) : std::nullopt;
    const bool is_sampled = from && options_.follows_parent && from->is_sampled;
    const Begun span =
        begin(from, from && options_.follows_parent ? std::optional(is_sampled) : std::nullopt);
    Status status = run(span, next);
    if (!exports(span)) return status;
    finish(span, {.context = span.context,
                  .kind = step.is_push() ? SpanKind::consumer : SpanKind::server,
                  .is_stream = step.is_stream(),
                  .method = step.method(),
                  .remote_address = step.session().remote_address(),
                  .status = status});
    return status;
  }

  Status made(CallStep& step, Next& next) const {
    // Where the caller is, or what it says itself; within a process nobody decides anew.
    const auto* const here = rt::Context::current().value<TraceContext>();
    wire::Metadata& metadata = step.options().metadata;
    const auto from = here != nullptr ? std::optional(*here) : carried_by(metadata);
    const Begun span = begin(from, from ? std::optional(from->is_sampled) : std::nullopt);
    metadata.set(parent_key, span.context.traceparent());
    if (span.context.state.empty()) {
      (void)metadata.remove(state_key);
    } else {
      metadata.set(state_key, span.context.state);
    }
    Status status = run(span, next);
    if (!exports(span)) return status;
    finish(span,
           {.context = span.context,
            .kind = step.kind() == CallStep::Kind::push ? SpanKind::producer : SpanKind::client,
            .is_stream = step.kind() == CallStep::Kind::stream,
            .method = step.method(),
            .remote_address = step.session().remote_address(),
            .status = status});
    return status;
  }

 private:
  // `is_sampled`: as somebody has decided; nothing: by the ratio.
  [[nodiscard]] Begun begin(const std::optional<TraceContext>& from,
                            std::optional<bool> is_sampled) const {
    Begun span;
    if (from) {
      span.context = from->child(fresh_number());
      span.parent = from->span;
    } else {
      span.context = {.trace = {.high = rt::random_bits(), .low = fresh_number()},
                      .span = fresh_number()};
    }
    span.context.is_sampled = is_sampled ? *is_sampled : is_in_ratio(span.context.trace);
    if (!exports(span)) return span;
    span.at = rt::now();
    span.date = clock().wall();
    return span;
  }

  static Status run(const Begun& span, Next& next) {
    const rt::WithContext bound(rt::Context::current().with_value(span.context));
    return next();
  }

  void finish(const Begun& begun, Span span) const {
    span.parent = begun.parent;
    span.start = begun.date;
    span.took = rt::now() - begun.at;
    options_.exporter->take(span);
  }

  [[nodiscard]] bool exports(const Begun& span) const {
    return options_.exporter != nullptr && span.context.is_sampled;
  }
  [[nodiscard]] const Clock& clock() const {
    static const RealClock machine;
    return options_.clock == nullptr ? machine : *options_.clock;
  }

  // By the part of the id that is random in any case.
  [[nodiscard]] bool is_in_ratio(const observe::TraceId& trace) const {
    constexpr unsigned bits = 53;  // a double holds them all
    const std::uint64_t part = trace.low & ((std::uint64_t{1} << bits) - 1);
    return static_cast<double>(part) <
           options_.ratio * static_cast<double>(std::uint64_t{1} << bits);
  }

  const TraceOptions options_;
};

}  // namespace

std::string_view name_of(SpanKind kind) noexcept {
  constexpr std::array<std::string_view, 4> names = {"client", "server", "producer", "consumer"};
  return names[static_cast<std::size_t>(kind)];
}

Status TraceOptions::check() const {
  if (ratio >= 0 && ratio <= 1) return {};
  return {Code::invalid_argument, "TraceOptions::ratio is to be from 0 to 1"};
}

Plugin trace(TraceOptions options) {
  const Status checked = options.check();
  const auto tracer = std::make_shared<const Tracer>(std::move(options));
  const auto serve = [tracer](ServeStep& step, Next& next) { return tracer->served(step, next); };
  const auto call = [tracer](CallStep& step, Next& next) { return tracer->made(step, next); };
  return {.name = "trace",
          .before_new_peer = [checked](PeerOptions&) { return checked; },
          .call = call,
          .open = call,
          .serve = serve,
          .serve_stream = serve};
}

}  // namespace parley
