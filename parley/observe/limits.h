// The limits of observe that are the same for every metric. Those that can be set stand where they
// are set: RegistryOptions and FamilyOptions.
//
// Constants; any thread.
//
//   static_assert(limits::label_value_bytes >= 200);
#pragma once

#include <cstddef>

namespace parley::observe::limits {

// Bytes of the name of a metric, a label or a unit. Over it: resource_exhausted when made.
inline constexpr std::size_t name_bytes = 200;
// Bytes of a help text. Over it: resource_exhausted when made.
inline constexpr std::size_t help_bytes = 1'000;
// Labels of one family. Over it: resource_exhausted when made.
inline constexpr std::size_t labels = 10;
// Bytes of a label's value. A longer one is counted in the family's overflow series.
inline constexpr std::size_t label_value_bytes = 256;

}  // namespace parley::observe::limits
