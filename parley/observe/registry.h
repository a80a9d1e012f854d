// Registry: makes the metrics of a program, and writes them as OpenMetrics 1.0 text.
//
// Any thread and any fiber, at the same time. It takes a lock for as long as a look-up takes and
// never waits for anything else. main() makes one and passes it down; nothing registers itself.
//
//   Registry registry;
//   Counter& served = *registry.counter({.name = "requests", .help = "Requests served."}).value();
//   served.add();
//   std::string page = registry.open_metrics();   // requests_total 1
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/observe/bounds.h"
#include "parley/observe/counter.h"
#include "parley/observe/family.h"
#include "parley/observe/gauge.h"
#include "parley/observe/histogram.h"

namespace parley::observe {

namespace impl {
class Entry;
class Watched;
}  // namespace impl

// The media type of what open_metrics() returns, for a Content-Type.
inline constexpr std::string_view open_metrics_type =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

struct Description {
  // Letters, digits and '_', beginning with a letter. It ends in the unit, when there is one, and
  // in none of the suffixes OpenMetrics gives to samples: "_total" is added when it is written.
  std::string name;
  std::string help;       // one sentence, UTF-8
  std::string unit = {};  // "seconds", "bytes"; empty for a plain number
};

// A metric whose value a function gives at scrape time. When this goes, so does the metric, and its
// name is free again: keep it beside what the function reads. Destroying it, or assigning to it,
// waits until a call of the function that is under way has returned. It may outlive its registry.
class Reading {
 public:
  Reading() noexcept = default;
  Reading(Reading&& other) noexcept = default;
  Reading& operator=(Reading&& other) noexcept;
  ~Reading();

 private:
  friend class Registry;
  explicit Reading(std::shared_ptr<impl::Watched> watched) noexcept;

  std::shared_ptr<impl::Watched> watched_;
};

struct RegistryOptions {
  // Metrics at once; a family counts as one. Over it: resource_exhausted when made.
  std::size_t max_metrics = 10'000;
};

class Registry {
 public:
  explicit Registry(RegistryOptions options = {});
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // A new metric; the pointer is never null and is valid as long as the registry. invalid_argument,
  // with the reason, for a name, unit, help or label that OpenMetrics does not allow or reserves;
  // already_exists for a name that is taken or whose samples would be named like another's;
  // resource_exhausted, naming the limit, for one too many or too long.
  Result<Counter*> counter(Description description);
  Result<Gauge*> gauge(Description description);
  Result<Histogram*> histogram(Description description, Bounds bounds);

  // The same, split by labels.
  Result<CounterFamily*> counters(Description description, FamilyOptions options);
  Result<GaugeFamily*> gauges(Description description, FamilyOptions options);
  Result<HistogramFamily*> histograms(Description description, FamilyOptions options,
                                      Bounds bounds);

  // A gauge, or a counter, that calls `read` at each scrape. One call at a time; on the thread or
  // fiber that scrapes, under a lock: it must not wait for anything, nor use this registry, and had
  // best read an atomic. What counter_of reads must never fall. One that throws is left out of that
  // scrape and counted in parley_observe_refused_total. Errors as above; invalid_argument for an
  // empty function.
  Result<Reading> gauge_of(Description description, std::function<double()> read);
  Result<Reading> counter_of(Description description, std::function<std::uint64_t()> read);

  // Everything, in the order of the names, as OpenMetrics 1.0 text that ends in "# EOF". Values are
  // read while it is written: each is right at its moment, not all at the same one.
  [[nodiscard]] std::string open_metrics() const;

 private:
  template <class Metric>
  Result<Metric*> add_metric(Description description, std::unique_ptr<Metric> metric);
  template <class Metric>
  Result<Family<Metric>*> add_family(Description description, FamilyOptions options,
                                     std::function<std::unique_ptr<Metric>()> make);
  Result<Reading> add_watched(std::shared_ptr<impl::Watched> entry);
  Status add(const std::shared_ptr<impl::Entry>& entry);
  // What has gone keeps its place until the place or its name is wanted. Called under the lock.
  void forget_gone();

  const RegistryOptions options_;
  // tidy-allow(os-threads): rt stands above; nothing parks while it is held.
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<impl::Entry>, std::less<>> entries_;
  // Who owns a name that may stand in a scrape; several names for one metric.
  std::map<std::string, std::shared_ptr<impl::Entry>, std::less<>> names_;
};

}  // namespace parley::observe
