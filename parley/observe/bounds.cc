#include "parley/observe/bounds.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "parley/observe/impl/number.h"

namespace parley::observe {
namespace {

using impl::number_text;

Status too_many(std::size_t count) {
  return {Code::resource_exhausted,
          "a histogram of " + std::to_string(count) + " buckets is over max_buckets " +
              std::to_string(Bounds::max_buckets) + ": use a larger factor, or fewer bounds"};
}

}  // namespace

Result<Bounds> Bounds::of(std::vector<double> values) {
  if (values.empty()) {
    return Status(Code::invalid_argument,
                  "a histogram needs at least one bucket bound: try Bounds::latency()");
  }
  if (values.size() > max_buckets) return too_many(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string what = "bucket bound " + std::to_string(i) + " is " + number_text(values[i]);
    if (!std::isfinite(values[i])) {
      return Status(Code::invalid_argument, what + ": bounds are finite, +Inf is added to them");
    }
    if (values[i] < 0) {
      return Status(Code::invalid_argument,
                    what + ": bounds are not negative, or the sum could not be a counter");
    }
    if (i > 0 && values[i] <= values[i - 1]) {
      return Status(Code::invalid_argument, what + ", not above the one before it, " +
                                                number_text(values[i - 1]) +
                                                ": list them in ascending order, each once");
    }
  }
  return Bounds(std::move(values));
}

Result<Bounds> Bounds::exponential(Exponential shape) {
  if (!(shape.start > 0) || !(shape.factor > 1)) {
    return Status(Code::invalid_argument, "exponential bounds start at " +
                                              number_text(shape.start) + " and grow by " +
                                              number_text(shape.factor) +
                                              ": the start must be above 0, the factor above 1");
  }
  if (shape.count > max_buckets) return too_many(shape.count);
  std::vector<double> values;
  for (std::size_t i = 0; i < shape.count; ++i) {
    values.push_back(shape.start * std::pow(shape.factor, static_cast<double>(i)));
  }
  return of(std::move(values));
}

Bounds Bounds::latency() {
  return Bounds({0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                 1, 2.5, 5, 10});
}

std::size_t Bounds::bucket_of(double value) const noexcept {
  return static_cast<std::size_t>(std::lower_bound(values_.begin(), values_.end(), value) -
                                  values_.begin());
}

}  // namespace parley::observe
