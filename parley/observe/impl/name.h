// Which names OpenMetrics 1.0 allows, and which it keeps for itself. Private to observe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"

namespace parley::observe::impl {

enum class Kind : unsigned char { counter, gauge, histogram };

// "counter", "gauge", "histogram".
std::string_view name_of(Kind kind) noexcept;

// The sample names a metric may put into a scrape, its own name first: none of them may be another
// metric's ("Suffixes": no potential clash). Of the summaries and infos we never write, none.
std::vector<std::string> sample_names(std::string_view name, Kind kind);

// invalid_argument, saying why and what to write instead, for a name, a unit or a help text that
// the format does not allow or reserves; resource_exhausted for one that is too long.
Status check_description(std::string_view name, std::string_view help, std::string_view unit,
                         Kind kind);
// The same for the label names of `metric`.
Status check_label_names(std::string_view metric, std::span<const std::string> labels, Kind kind);

}  // namespace parley::observe::impl
