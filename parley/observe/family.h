// Family: one metric split by labels: a series for each combination of their values.
//
// Any thread and any fiber, at the same time. with() takes a lock for as long as a look-up or one
// allocation takes and never waits for anything else: on a hot path keep what it returned.
//
//   auto& calls = *registry.counters({.name = "calls", .help = "Calls answered."},
//                                    {.labels = {"method", "code"}}).value();
//   Counter& ok = calls.with({"/order/place", "ok"});
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/observe/counter.h"
#include "parley/observe/gauge.h"
#include "parley/observe/histogram.h"

namespace parley::observe {

struct FamilyOptions {
  // At least one, at most limits::labels.
  std::vector<std::string> labels;
  // Combinations of label values that get a series of their own. What comes later is counted in the
  // overflow series, where every label reads "overflow". At least 1.
  std::size_t max_series = 1'000;
};

// The value of every label of an overflow series.
inline constexpr std::string_view overflow_value = "overflow";

template <class Metric>
class Family {
 public:
  // Registry::counters(), gauges() and histograms() make families. `what` names it in messages.
  Family(std::string what, FamilyOptions options, std::function<std::unique_ptr<Metric>()> make);

  // The series of these label values, in the order of the label names; made when it is new, and
  // valid as long as the registry. As many values as labels (a bug otherwise). Values are texts for
  // people: what is not UTF-8, and control characters, become U+FFFD. The overflow series when
  // there are max_series others, or when a value is longer than limits::label_value_bytes.
  Metric& with(std::span<const std::string_view> values);
  Metric& with(std::initializer_list<std::string_view> values) {
    return with(std::span(values.begin(), values.size()));
  }

  // How many series there are, without the overflow series.
  [[nodiscard]] std::size_t size() const;
  // True once something went to the overflow series.
  [[nodiscard]] bool has_overflowed() const;

  // Calls visit(values, metric) for each series in the order of their values, the overflow series
  // last. Series made meanwhile may be missing. The lock is not held during the visits.
  using Visit = std::function<void(std::span<const std::string>, const Metric&)>;
  void for_each(const Visit& visit) const;

  [[nodiscard]] const FamilyOptions& options() const noexcept { return options_; }

 private:
  using Values = std::vector<std::string>;
  // Compares texts held with texts shown, so that a look-up allocates nothing.
  struct Before {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept;
  };

  Metric* find(std::span<const std::string_view> values) const;
  Metric& find_or_make(Values values);

  const std::string what_;
  const FamilyOptions options_;
  const std::function<std::unique_ptr<Metric>()> make_;

  // tidy-allow(os-threads): rt stands above; nothing parks while it is held.
  mutable std::shared_mutex mutex_;
  std::map<Values, std::unique_ptr<Metric>, Before> series_;
  std::unique_ptr<Metric> overflow_;
};

extern template class Family<Counter>;
extern template class Family<Gauge>;
extern template class Family<Histogram>;

using CounterFamily = Family<Counter>;
using GaugeFamily = Family<Gauge>;
using HistogramFamily = Family<Histogram>;

}  // namespace parley::observe
