#include "parley/observe/family.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "parley/base/assert.h"
#include "parley/observe/impl/text.h"
#include "parley/observe/limits.h"

namespace parley::observe {

template <class Metric>
template <class A, class B>
bool Family<Metric>::Before::operator()(const A& a, const B& b) const noexcept {
  return std::lexicographical_compare(
      a.begin(), a.end(), b.begin(), b.end(),
      [](std::string_view left, std::string_view right) { return left < right; });
}

template <class Metric>
Family<Metric>::Family(std::string what, FamilyOptions options,
                       std::function<std::unique_ptr<Metric>()> make)
    : what_(std::move(what)), options_(std::move(options)), make_(std::move(make)) {}

template <class Metric>
Metric& Family<Metric>::with(std::span<const std::string_view> values) {
  if (values.size() != options_.labels.size()) {
    assertion_failed("", what_ + " has " + std::to_string(options_.labels.size()) +
                             " labels but was asked for with " + std::to_string(values.size()) +
                             " values: give one for each, in the order of the labels");
  }
  // Most texts are what they seem, and then nothing is copied.
  if (Metric* known = find(values)) return *known;
  Values clean;
  for (const std::string_view value : values) {
    if (value.size() > limits::label_value_bytes) {
      clean.assign(values.size(), std::string(overflow_value));
      break;
    }
    clean.push_back(impl::printable(value));
  }
  return find_or_make(std::move(clean));
}

template <class Metric>
Metric* Family<Metric>::find(std::span<const std::string_view> values) const {
  const std::shared_lock lock(mutex_);
  const auto known = series_.find(values);
  return known == series_.end() ? nullptr : known->second.get();
}

template <class Metric>
Metric& Family<Metric>::find_or_make(Values values) {
  const bool is_overflow = std::all_of(
      values.begin(), values.end(), [](std::string_view value) { return value == overflow_value; });
  {
    // Whoever floods us with new values waits for nobody, and nobody for them.
    const std::shared_lock lock(mutex_);
    const bool goes_over = is_overflow || series_.size() >= options_.max_series;
    if (goes_over && overflow_ != nullptr && !series_.contains(values)) return *overflow_;
  }
  const std::unique_lock lock(mutex_);
  if (const auto known = series_.find(values); known != series_.end()) return *known->second;
  if (is_overflow || series_.size() >= options_.max_series) {
    if (overflow_ == nullptr) overflow_ = make_();
    return *overflow_;
  }
  return *series_.emplace(std::move(values), make_()).first->second;
}

template <class Metric>
std::size_t Family<Metric>::size() const {
  const std::shared_lock lock(mutex_);
  return series_.size();
}

template <class Metric>
bool Family<Metric>::has_overflowed() const {
  const std::shared_lock lock(mutex_);
  return overflow_ != nullptr;
}

template <class Metric>
void Family<Metric>::for_each(const Visit& visit) const {
  // Series are never taken out, so what was seen under the lock stays.
  std::vector<std::pair<const Values*, const Metric*>> seen;
  const Values others(options_.labels.size(), std::string(overflow_value));
  {
    const std::shared_lock lock(mutex_);
    for (const auto& [values, metric] : series_) seen.emplace_back(&values, metric.get());
    if (overflow_ != nullptr) seen.emplace_back(&others, overflow_.get());
  }
  for (const auto& [values, metric] : seen) visit(*values, *metric);
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;

}  // namespace parley::observe
