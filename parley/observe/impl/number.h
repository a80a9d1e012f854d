// Numbers as OpenMetrics writes them. Private to observe.
#pragma once

#include <string>

namespace parley::observe::impl {

// The shortest text that reads back as `value`, in the canonical form of OpenMetrics 1.0
// ("Considerations: Canonical Numbers"): 1.0, 0.25, 1e+06, 1e-05, +Inf, -Inf, NaN.
std::string number_text(double value);

}  // namespace parley::observe::impl
