// Gauge: a number that goes up and down: connections open, bytes queued.
//
// Any thread and any fiber, at the same time; nothing here waits, locks or allocates. One cache
// line, not sharded: set() must mean the whole. What changes with every request is better kept as
// two counters, or read at scrape time (Registry::gauge_of).
//
//   Gauge& open = *registry.gauge({.name = "connections", .help = "Connections open."}).value();
//   open.add(1);
#pragma once

#include <atomic>

namespace parley::observe {

class Gauge {
 public:
  // Registry::gauge() makes those that are to be seen. Begins at 0.
  Gauge() = default;

  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  // Whole numbers stay exact up to 2^53.
  void add(double change) noexcept { value_.fetch_add(change, std::memory_order_relaxed); }
  void sub(double change) noexcept { value_.fetch_sub(change, std::memory_order_relaxed); }

  [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

}  // namespace parley::observe
