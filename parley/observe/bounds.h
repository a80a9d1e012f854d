// Bounds: the upper ends of a histogram's buckets, ascending. A value falls into the first bucket
// whose bound it does not exceed; beyond the last one lies +Inf, which is not listed.
//
// Immutable once made; copies may be used by any thread.
//
//   auto bounds = Bounds::exponential({.start = 0.001, .factor = 2, .count = 12});
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "parley/base/result.h"

namespace parley::observe {

class Bounds {
 public:
  // Every bucket is a line of each scrape and 8 bytes per CPU, for each series.
  static constexpr std::size_t max_buckets = 200;

  // These bounds. invalid_argument, naming the bound, when there are none, when one is negative or
  // not finite, or when they do not ascend; resource_exhausted beyond max_buckets.
  static Result<Bounds> of(std::vector<double> values);

  struct Exponential {
    double start = 0;       // the first bound, above 0
    double factor = 0;      // from one to the next, above 1
    std::size_t count = 0;  // how many
  };
  // start, start * factor, start * factor^2, ... Errors as for of().
  static Result<Bounds> exponential(Exponential shape);

  // For the seconds an answer takes: 100 µs to 10 s, three bounds a decade.
  static Bounds latency();

  [[nodiscard]] std::span<const double> values() const noexcept { return values_; }
  // The index of the bucket `value` falls into; values().size() stands for +Inf. O(log buckets).
  [[nodiscard]] std::size_t bucket_of(double value) const noexcept;

 private:
  explicit Bounds(std::vector<double> values) : values_(std::move(values)) {}

  std::vector<double> values_;
};

}  // namespace parley::observe
