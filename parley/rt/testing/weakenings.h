// Shows that a check bites: each order that the code under test asks for is weakened in turn, and
// some of the checks must find that; all hold for the code as it is. For tests only.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "parley/rt/testing/interleavings.h"

namespace parley::rt::testing {

struct InterleavedCheck {
  std::string name;
  InterleavedTest test;
  InterleavingOptions options = {};
};

// Everything in `file` that can be weakened, as "function operation order -> weaker order"; with a
// number where that is not unique. `found` are those that at least one of the checks noticed.
struct Weakenings {
  std::set<std::string> found;
  std::set<std::string> unnoticed;
};

[[nodiscard]] Weakenings weaken_each(const std::vector<InterleavedCheck>& checks,
                                     std::string_view file);

}  // namespace parley::rt::testing
