// Texts as OpenMetrics 1.0 carries them: UTF-8, escaped. Private to observe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/observe/histogram.h"
#include "parley/observe/impl/name.h"

namespace parley::observe::impl {

// `text` with U+FFFD for each byte that is not part of well-formed UTF-8 (RFC 3629) and for each
// control character but line feed and tab. One such byte in a label's value, which may come from
// another process, would otherwise cost the whole scrape.
std::string printable(std::string_view text);

// `text` with \\, \n and \" for backslash, line feed and quote ("Escaping").
std::string escaped(std::string_view text);

// Builds a scrape, metric by metric.
class TextWriter {
 public:
  // Begins a metric: its TYPE, UNIT (unless empty) and HELP.
  void metric(std::string_view name, Kind kind, std::string_view unit, std::string_view help);

  // `labels` is what labels_text() made; empty for none.
  void counter(std::string_view name, std::string_view labels, std::uint64_t value);
  void gauge(std::string_view name, std::string_view labels, double value);
  void histogram(std::string_view name, std::string_view labels, const Bounds& bounds,
                 const Histogram::Reading& reading);

  // Values of this metric that could not be told.
  void refused(std::string_view name, std::uint64_t count);

  // The counter of what was refused, if anything was, and the end mark. The writer is done.
  std::string finish();

 private:
  void sample(std::string_view name, std::string_view suffix, std::string_view labels,
              std::string_view value);

  struct Refused {
    std::string name;
    std::uint64_t count;
  };
  std::string text_;
  std::vector<Refused> refused_;
};

// The name under which values that could not be told are counted; no metric may take it.
inline constexpr std::string_view refused_name = "parley_observe_refused";

// name="value",... with escaped values.
std::string labels_text(std::span<const std::string> names, std::span<const std::string> values);

}  // namespace parley::observe::impl
