#include "parley/observe/registry.h"

#include <iterator>
#include <utility>
#include <vector>

#include "parley/observe/impl/entry.h"
#include "parley/observe/impl/name.h"
#include "parley/observe/impl/text.h"

namespace parley::observe {

// --- Reading ------------------------------------------------------------------------------------

Reading::Reading(std::shared_ptr<impl::Watched> watched) noexcept : watched_(std::move(watched)) {}

Reading& Reading::operator=(Reading&& other) noexcept {
  if (this == &other) return *this;
  if (watched_ != nullptr) watched_->go();
  watched_ = std::move(other.watched_);
  return *this;
}

Reading::~Reading() {
  if (watched_ != nullptr) watched_->go();
}

// --- Registry -----------------------------------------------------------------------------------

Registry::Registry(RegistryOptions options) : options_(options) {}
Registry::~Registry() = default;

Result<Counter*> Registry::counter(Description description) {
  return add_metric(std::move(description), std::make_unique<Counter>());
}

Result<Gauge*> Registry::gauge(Description description) {
  return add_metric(std::move(description), std::make_unique<Gauge>());
}

Result<Histogram*> Registry::histogram(Description description, Bounds bounds) {
  return add_metric(std::move(description), std::make_unique<Histogram>(std::move(bounds)));
}

Result<CounterFamily*> Registry::counters(Description description, FamilyOptions options) {
  return add_family<Counter>(std::move(description), std::move(options),
                             [] { return std::make_unique<Counter>(); });
}

Result<GaugeFamily*> Registry::gauges(Description description, FamilyOptions options) {
  return add_family<Gauge>(std::move(description), std::move(options),
                           [] { return std::make_unique<Gauge>(); });
}

Result<HistogramFamily*> Registry::histograms(Description description, FamilyOptions options,
                                              Bounds bounds) {
  return add_family<Histogram>(
      std::move(description), std::move(options),
      [bounds = std::move(bounds)] { return std::make_unique<Histogram>(bounds); });
}

Result<Reading> Registry::gauge_of(Description description, std::function<double()> read) {
  return add_watched(std::make_shared<impl::Watched>(std::move(description), std::move(read)));
}

Result<Reading> Registry::counter_of(Description description, std::function<std::uint64_t()> read) {
  return add_watched(std::make_shared<impl::Watched>(std::move(description), std::move(read)));
}

std::string Registry::open_metrics() const {
  // Functions are called without the registry's lock: a scrape holds up nobody who makes a metric.
  std::vector<std::shared_ptr<impl::Entry>> entries;
  {
    const std::lock_guard lock(mutex_);
    entries.reserve(entries_.size());
    for (const auto& [name, entry] : entries_) entries.push_back(entry);
  }
  impl::TextWriter out;
  for (const auto& entry : entries) entry->write(out);
  return out.finish();
}

template <class Metric>
Result<Metric*> Registry::add_metric(Description description, std::unique_ptr<Metric> metric) {
  const auto entry =
      std::make_shared<impl::SingleEntry<Metric>>(std::move(description), std::move(metric));
  if (Status status = add(entry); !status.is_ok()) return status;
  return entry->get();
}

template <class Metric>
Result<Family<Metric>*> Registry::add_family(Description description, FamilyOptions options,
                                             std::function<std::unique_ptr<Metric>()> make) {
  constexpr impl::Kind kind = impl::kind_of<Metric>();
  Status status = impl::check_label_names(description.name, options.labels, kind);
  if (!status.is_ok()) return status;
  const std::string what =
      std::string(impl::name_of(kind)) + " '" + impl::printable(description.name) + "'";
  if (options.max_series == 0) {
    return Status(Code::invalid_argument, what + ": max_series is 0, it must be at least 1");
  }
  const auto entry = std::make_shared<impl::FamilyEntry<Metric>>(
      std::move(description),
      std::make_unique<Family<Metric>>(what, std::move(options), std::move(make)));
  if (status = add(entry); !status.is_ok()) return status;
  return entry->get();
}

Result<Reading> Registry::add_watched(std::shared_ptr<impl::Watched> entry) {
  if (!entry->has_function()) {
    return Status(Code::invalid_argument, std::string(impl::name_of(entry->kind())) + " '" +
                                              impl::printable(entry->name()) +
                                              "' has an empty function to read it");
  }
  if (Status status = add(entry); !status.is_ok()) return status;
  return Reading(std::move(entry));
}

Status Registry::add(const std::shared_ptr<impl::Entry>& entry) {
  const Description& said = entry->description();
  Status status = impl::check_description(said.name, said.help, said.unit, entry->kind());
  if (!status.is_ok()) return status;
  const std::vector<std::string> names = impl::sample_names(said.name, entry->kind());
  const std::string what = std::string(impl::name_of(entry->kind())) + " '" + said.name + "'";

  const std::lock_guard lock(mutex_);
  if (entries_.size() >= options_.max_metrics) forget_gone();
  if (entries_.size() >= options_.max_metrics) {
    return {Code::resource_exhausted, what + " is one too many: RegistryOptions::max_metrics is " +
                                          std::to_string(options_.max_metrics)};
  }
  for (const std::string& name : names) {
    if (name == impl::refused_name) {
      return {Code::already_exists, what + ": the registry itself counts under this name"};
    }
    auto taken = names_.find(name);
    if (taken != names_.end() && taken->second->has_gone()) {
      forget_gone();
      taken = names_.end();
    }
    if (taken == names_.end()) continue;
    const impl::Entry& other = *taken->second;
    return {Code::already_exists, what + ": the name '" + name + "' is taken by " +
                                      std::string(impl::name_of(other.kind())) + " '" +
                                      other.name() +
                                      "': keep the pointer that made it, or choose another name"};
  }
  for (const std::string& name : names) names_.emplace(name, entry);
  entries_.emplace(said.name, entry);
  return {};
}

void Registry::forget_gone() {
  const auto has_gone = [](const auto& known) { return known.second->has_gone(); };
  std::erase_if(entries_, has_gone);
  std::erase_if(names_, has_gone);
}

}  // namespace parley::observe
