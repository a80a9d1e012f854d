#include "parley/peer/plugins/metrics.h"

#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>

#include "parley/observe/family.h"
#include "parley/observe/trace_context.h"
#include "parley/peer/early_session.h"
#include "parley/peer/plugin_steps.h"
#include "parley/rt/context.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

constexpr std::size_t codes = static_cast<std::size_t>(Code::outcome_unknown) + 2;
constexpr std::size_t business = codes - 1;

std::size_t index_of(const Status& status) {
  return status.business_code() != 0 ? business : static_cast<std::size_t>(status.code());
}

std::string_view name_of_code(std::size_t index) {
  return index == business ? "business" : name_of(static_cast<Code>(index));
}

std::string_view without_query(std::string_view method) {
  return method.substr(0, method.find('?'));
}

}  // namespace

// Of one method, on one side: kept, so that it is not looked up for each call.
struct PeerMetrics::Series {
  Side side = Side::made;
  std::string method{};
  std::array<std::array<std::atomic<observe::Counter*>, codes>, kinds> counters{};
  std::atomic<observe::Histogram*> seconds = nullptr;
};

PeerMetrics::PeerMetrics(PeerMetricsOptions options) : options_(std::move(options)) {}

PeerMetrics::~PeerMetrics() = default;

Result<std::shared_ptr<PeerMetrics>> PeerMetrics::make(observe::Registry& registry,
                                                       PeerMetricsOptions options) {
  std::shared_ptr<PeerMetrics> metrics(new PeerMetrics(std::move(options)));
  if (Status s = metrics->add_to(registry); !s.is_ok()) return s;
  return metrics;
}

Status PeerMetrics::add_to(observe::Registry& registry) {
  const std::string& prefix = options_.prefix;
  // All there can be.
  const std::size_t methods = sides * (options_.max_methods + 2);
  const observe::FamilyOptions by_code{.labels = {"side", "method", "code"},
                                       .max_series = methods * codes};
  Status status;
  const auto keep = [&](auto& place, auto made) {
    if (made) {
      place = *std::move(made);
    } else if (status.is_ok()) {
      status = made.error();
    }
  };
  keep(counted_[0], registry.counters({.name = prefix + "_calls", .help = "CALLs."}, by_code));
  keep(counted_[1], registry.counters({.name = prefix + "_pushes", .help = "PUSHes."}, by_code));
  keep(counted_[2],
       registry.counters({.name = prefix + "_streams",
                          .help = "Streams that were opened, and those served to their end."},
                         by_code));
  keep(seconds_, registry.histograms({.name = prefix + "_call_seconds",
                                      .help = "From a CALL to its answer.",
                                      .unit = "seconds"},
                                     {.labels = {"side", "method"}, .max_series = methods},
                                     options_.latency));
  keep(begun_sessions_,
       registry.counters({.name = prefix + "_sessions_begun", .help = "Sessions, by who dialled."},
                         {.labels = {"side"}}));
  keep(ended_sessions_, registry.counters({.name = prefix + "_sessions_ended",
                                           .help = "Sessions, by the reason of their end."},
                                          {.labels = {"code"}}));
  keep(redials_, registry.counter({.name = prefix + "_redials",
                                   .help = "Connections made again for sessions cut."}));
  const auto read = [&](const std::string& name, const std::string& help,
                        const observe::Counter& begun, const observe::Counter& ended) {
    observe::Reading reading;
    keep(reading, registry.gauge_of({.name = prefix + name, .help = help}, [&begun, &ended] {
      const std::uint64_t over = ended.value();  // first: nothing ends before it begins
      return static_cast<double>(begun.value() - over);
    }));
    readings_.push_back(std::move(reading));
  };
  read("_made_in_flight", "CALLs, PUSHes and openings of streams that are being made.", begun_[0],
       ended_[0]);
  read("_served_in_flight", "CALLs, PUSHes and streams that are being served.", begun_[1],
       ended_[1]);
  read("_sessions", "Sessions that have not ended.", sessions_begun_, sessions_ended_);
  const auto make = [this](Side side, const char* method) {
    series_.push_back(std::make_unique<Series>());
    series_.back()->side = side;
    series_.back()->method = method;
    return series_.back().get();
  };
  others_ = {make(Side::made, "other"), make(Side::served, "other")};
  unknown_ = make(Side::served, "unknown");
  return status;
}

PeerMetrics::Series* PeerMetrics::find(Side side, std::string_view method) const {
  const Methods& methods = methods_[static_cast<std::size_t>(side)];
  const std::shared_lock lock(lock_);
  const auto found = methods.find(method);
  return found == methods.end() ? nullptr : found->second;
}

PeerMetrics::Series& PeerMetrics::add(Side side, std::string_view method) {
  const auto at = static_cast<std::size_t>(side);
  const std::lock_guard lock(lock_);
  const auto found = methods_[at].find(method);
  if (found != methods_[at].end()) return *found->second;
  if (own_[at] >= options_.max_methods) {
    // Those served here are known, and few; others may be any number.
    if (side == Side::served) methods_[at].emplace(method, others_[at]);
    return *others_[at];
  }
  ++own_[at];
  series_.push_back(std::make_unique<Series>());
  Series& made = *series_.back();
  made.side = side;
  made.method = method;
  methods_[at].emplace(method, &made);
  return made;
}

void PeerMetrics::know(std::string_view method) {
  if (!method.empty()) (void)add(Side::served, method);
}

PeerMetrics::Series& PeerMetrics::served_method(std::string_view method) const {
  Series* series = find(Side::served, method);
  if (series == nullptr) series = find(Side::served, without_query(method));
  return series == nullptr ? *unknown_ : *series;
}

PeerMetrics::Series& PeerMetrics::made_method(std::string_view method) {
  Series* const series = find(Side::made, without_query(method));
  if (series != nullptr) return *series;
  return add(Side::made, without_query(method));
}

observe::Counter& PeerMetrics::counter(Series& series, Kind kind, std::size_t code) const {
  const auto of_kind = static_cast<std::size_t>(kind);
  std::atomic<observe::Counter*>& kept = series.counters[of_kind][code];
  observe::Counter* counter = kept.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &counted_[of_kind]->with(
        {series.side == Side::made ? "made" : "served", series.method, name_of_code(code)});
    kept.store(counter, std::memory_order_release);
  }
  return *counter;
}

template <class Step>
Status PeerMetrics::count(Kind kind, Side side, Step& step, Next& next) {
  const auto at = static_cast<std::size_t>(side);
  const Instant start = rt::now();
  begun_[at].add();
  Status status = next();
  ended_[at].add();
  // By the name that those behind this one have found it by.
  Series& series = side == Side::made ? made_method(step.method()) : served_method(step.method());
  counter(series, kind, index_of(status)).add();
  if (kind != Kind::call) return status;
  observe::Histogram* seconds = series.seconds.load(std::memory_order_acquire);
  if (seconds == nullptr) {
    seconds = &seconds_->with({side == Side::made ? "made" : "served", series.method});
    series.seconds.store(seconds, std::memory_order_release);
  }
  const Duration took = rt::now() - start;
  const auto* const trace =
      options_.exemplars ? rt::Context::current().value<observe::TraceContext>() : nullptr;
  trace == nullptr ? seconds->observe(took) : seconds->observe(took, trace->trace);
  return status;
}

Plugin metrics(std::shared_ptr<PeerMetrics> metrics) {
  using Kind = PeerMetrics::Kind;
  const auto serve = [metrics](ServeStep& step, Next& next) {
    const Kind kind = step.is_stream() ? Kind::stream : step.is_push() ? Kind::push : Kind::call;
    return metrics->count(kind, PeerMetrics::Side::served, step, next);
  };
  const auto call = [metrics](CallStep& step, Next& next) {
    return metrics->count(static_cast<Kind>(step.kind()), PeerMetrics::Side::made, step, next);
  };
  const auto begin = [metrics](const char* side, bool is_redial) {
    if (is_redial) {
      metrics->redials_->add();
    } else {
      metrics->begun_sessions_->with({side}).add();
      metrics->sessions_begun_.add();
    }
    return Status();
  };
  return {.name = "metrics",
          .on_register =
              [metrics](const Registration& registration) {
                metrics->know(registration.method);
                return Status();
              },
          .after_dial =
              [begin](EarlySession& session) { return begin("dialled", session.is_redial()); },
          .after_accept = [begin](EarlySession&) { return begin("accepted", false); },
          .call = call,
          .open = call,
          .serve = serve,
          .serve_stream = serve,
          .on_disconnect =
              [metrics](const ClosedSession& session) {
                metrics->ended_sessions_->with({name_of_code(index_of(session.reason()))}).add();
                metrics->sessions_ended_.add();
              }};
}

}  // namespace parley
