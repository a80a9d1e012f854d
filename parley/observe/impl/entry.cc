#include "parley/observe/impl/entry.h"

#include "parley/base/guard.h"

namespace parley::observe::impl {

std::uint64_t write_series(TextWriter& out, const std::string& name, const std::string& labels,
                           const Counter& metric) {
  out.counter(name, labels, metric.value());
  return 0;
}

std::uint64_t write_series(TextWriter& out, const std::string& name, const std::string& labels,
                           const Gauge& metric) {
  out.gauge(name, labels, metric.value());
  return 0;
}

std::uint64_t write_series(TextWriter& out, const std::string& name, const std::string& labels,
                           const Histogram& metric) {
  out.histogram(name, labels, metric.bounds(), metric.read());
  return metric.refused();
}

void Watched::write(TextWriter& out) const {
  const std::lock_guard lock(mutex_);
  if (std::holds_alternative<std::monostate>(read_)) return;
  begin(out);
  const Status status = guarded([&] {
    if (const auto* gauge = std::get_if<GaugeFunction>(&read_)) {
      const double value = (*gauge)();
      out.gauge(name(), "", value);
    } else {
      const std::uint64_t value = std::get<CounterFunction>(read_)();
      out.counter(name(), "", value);
    }
  });
  if (!status.is_ok()) ++failures_;
  out.refused(name(), failures_);
}

bool Watched::has_function() const {
  const std::lock_guard lock(mutex_);
  if (const auto* gauge = std::get_if<GaugeFunction>(&read_)) return static_cast<bool>(*gauge);
  if (const auto* count = std::get_if<CounterFunction>(&read_)) return static_cast<bool>(*count);
  return false;
}

void Watched::go() {
  decltype(read_) last;
  {
    const std::lock_guard lock(mutex_);
    std::swap(last, read_);
    gone_ = true;
  }
  // What the function captured goes here, outside the lock.
}

}  // namespace parley::observe::impl
