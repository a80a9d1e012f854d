// Entry: one metric of a registry: how it is called, and how it is written. Private to observe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>

#include "parley/observe/family.h"
#include "parley/observe/impl/name.h"
#include "parley/observe/impl/text.h"
#include "parley/observe/registry.h"

namespace parley::observe::impl {

class Entry {
 public:
  Entry(Description description, Kind kind) : description_(std::move(description)), kind_(kind) {}
  virtual ~Entry() = default;
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  virtual void write(TextWriter& out) const = 0;
  // True for a metric that has gone and whose name is free.
  [[nodiscard]] virtual bool has_gone() const { return false; }

  [[nodiscard]] const std::string& name() const { return description_.name; }
  [[nodiscard]] const Description& description() const { return description_; }
  [[nodiscard]] Kind kind() const { return kind_; }

 protected:
  void begin(TextWriter& out) const {
    out.metric(name(), kind_, description_.unit, description_.help);
  }

 private:
  const Description description_;
  const Kind kind_;
};

template <class Metric>
constexpr Kind kind_of();
template <>
constexpr Kind kind_of<Counter>() {
  return Kind::counter;
}
template <>
constexpr Kind kind_of<Gauge>() {
  return Kind::gauge;
}
template <>
constexpr Kind kind_of<Histogram>() {
  return Kind::histogram;
}

// Each returns how many values were refused.
std::uint64_t write_series(TextWriter& out, const std::string& name, const std::string& labels,
                           const Counter& metric);
std::uint64_t write_series(TextWriter& out, const std::string& name, const std::string& labels,
                           const Gauge& metric);
std::uint64_t write_series(TextWriter& out, const std::string& name, const std::string& labels,
                           const Histogram& metric);

template <class Metric>
class SingleEntry final : public Entry {
 public:
  SingleEntry(Description description, std::unique_ptr<Metric> metric)
      : Entry(std::move(description), kind_of<Metric>()), metric_(std::move(metric)) {}

  void write(TextWriter& out) const override {
    begin(out);
    out.refused(name(), write_series(out, name(), "", *metric_));
  }
  [[nodiscard]] Metric* get() const { return metric_.get(); }

 private:
  std::unique_ptr<Metric> metric_;
};

template <class Metric>
class FamilyEntry final : public Entry {
 public:
  FamilyEntry(Description description, std::unique_ptr<Family<Metric>> family)
      : Entry(std::move(description), kind_of<Metric>()), family_(std::move(family)) {}

  void write(TextWriter& out) const override {
    begin(out);
    std::uint64_t refused = 0;
    family_->for_each([&](std::span<const std::string> values, const Metric& metric) {
      refused += write_series(out, name(), labels_text(family_->options().labels, values), metric);
    });
    out.refused(name(), refused);
  }
  [[nodiscard]] Family<Metric>* get() const { return family_.get(); }

 private:
  std::unique_ptr<Family<Metric>> family_;
};

// A metric that a function reads.
class Watched final : public Entry {
 public:
  using GaugeFunction = std::function<double()>;
  using CounterFunction = std::function<std::uint64_t()>;

  Watched(Description description, GaugeFunction read)
      : Entry(std::move(description), Kind::gauge), read_(std::move(read)) {}
  Watched(Description description, CounterFunction read)
      : Entry(std::move(description), Kind::counter), read_(std::move(read)) {}

  void write(TextWriter& out) const override;
  [[nodiscard]] bool has_gone() const override { return gone_.load(); }
  // False for an empty function.
  [[nodiscard]] bool has_function() const;
  // The function is never called again; waits for a call that is under way.
  void go();

 private:
  // tidy-allow(os-threads): rt stands above; what is read under it must not wait.
  mutable std::mutex mutex_;
  std::variant<std::monostate, GaugeFunction, CounterFunction> read_;
  mutable std::uint64_t failures_ = 0;
  std::atomic<bool> gone_{false};  // readable while a call is under way
};

}  // namespace parley::observe::impl
