#include "parley/observe/impl/name.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "parley/observe/impl/text.h"
#include "parley/observe/limits.h"

namespace parley::observe::impl {
namespace {

// Suffixes that name samples of a metric; a metric of that name would be taken for one.
constexpr std::array<std::string_view, 7> reserved_suffixes{
    "_total", "_created", "_bucket", "_count", "_sum", "_info", "_gcount"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string quoted(std::string_view text) { return "'" + printable(text) + "'"; }

Status refused(std::string text) { return {Code::invalid_argument, std::move(text)}; }

// What a metric, a label and a unit have in common. `what` begins the message.
Status check_word(const std::string& what, std::string_view word) {
  if (word.empty()) return refused(what + " is empty: give it a name");
  if (word.size() > limits::name_bytes) {
    return {Code::resource_exhausted, what + " has " + std::to_string(word.size()) +
                                          " bytes: limits::name_bytes is " +
                                          std::to_string(limits::name_bytes)};
  }
  for (const char c : word) {
    if (c == ':') {
      return refused(what + " holds a ':': the colon is for names that monitoring servers compute");
    }
    if (!is_letter(c) && !is_digit(c) && c != '_') {
      return refused(what + " holds " + quoted({&c, 1}) + ": use letters, digits and '_'");
    }
  }
  return {};
}

Status check_start(const std::string& what, char first) {
  if (first == '_') {
    return refused(what + " begins with '_', which OpenMetrics reserves: begin with a letter");
  }
  if (is_digit(first)) return refused(what + " begins with a digit: begin with a letter");
  return {};
}

Status check_suffix(const std::string& what, std::string_view name) {
  for (const std::string_view suffix : reserved_suffixes) {
    if (!name.ends_with(suffix)) continue;
    const std::string rest(name.substr(0, name.size() - suffix.size()));
    if (suffix == "_total") {
      return refused(what + " ends in '_total', which is added to counters when they are rendered" +
                     (rest.empty() ? "" : ": call it '" + rest + "'"));
    }
    return refused(what + " ends in '" + std::string(suffix) +
                   "', which OpenMetrics keeps for the samples of a metric: choose another ending");
  }
  return {};
}

}  // namespace

std::string_view name_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::counter:
      return "counter";
    case Kind::gauge:
      return "gauge";
    case Kind::histogram:
      break;
  }
  return "histogram";
}

std::vector<std::string> sample_names(std::string_view name, Kind kind) {
  std::vector<std::string> names{std::string(name)};
  const auto add = [&](std::string_view suffix) {
    names.push_back(names[0] + std::string(suffix));
  };
  if (kind == Kind::counter) add("_total");
  if (kind == Kind::histogram) {
    for (const std::string_view suffix : {"_bucket", "_count", "_sum"}) add(suffix);
  }
  if (kind != Kind::gauge) add("_created");
  return names;
}

Status check_description(std::string_view name, std::string_view help, std::string_view unit,
                         Kind kind) {
  const std::string what = std::string(name_of(kind)) + " " + quoted(name);
  if (Status status = check_word(what, name); !status.is_ok()) return status;
  if (Status status = check_start(what, name.front()); !status.is_ok()) return status;
  if (Status status = check_suffix(what, name); !status.is_ok()) return status;
  if (help.empty()) return refused(what + " has no help: say in one sentence what it tells");
  if (help.size() > limits::help_bytes) {
    return {Code::resource_exhausted, what + ": its help has " + std::to_string(help.size()) +
                                          " bytes: limits::help_bytes is " +
                                          std::to_string(limits::help_bytes)};
  }
  if (printable(help) != help) {
    return refused(what + ": its help holds control characters or is not UTF-8");
  }
  if (unit.empty()) return {};
  if (Status status = check_word(what + ": its unit", unit); !status.is_ok()) return status;
  const std::string ending = "_" + std::string(unit);
  if (!name.ends_with(ending)) {
    return refused(what + " does not end in its unit: call it '" + std::string(name) + ending +
                   "'");
  }
  return {};
}

Status check_label_names(std::string_view metric, std::span<const std::string> labels, Kind kind) {
  const std::string of = std::string(name_of(kind)) + " " + quoted(metric) + ": ";
  if (labels.empty()) {
    return refused(of + "a family needs a label: for a metric without one, leave the family out");
  }
  if (labels.size() > limits::labels) {
    return {Code::resource_exhausted, of + std::to_string(labels.size()) +
                                          " labels, limits::labels is " +
                                          std::to_string(limits::labels)};
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string& label = labels[i];
    const std::string what = of + "label " + quoted(label);
    if (Status status = check_word(what, label); !status.is_ok()) return status;
    if (Status status = check_start(what, label.front()); !status.is_ok()) return status;
    if (kind == Kind::histogram && label == "le") {
      return refused(what + " is the bound of a bucket: call it otherwise");
    }
    if (std::count(labels.begin(), labels.end(), label) > 1) {
      return refused(what + " is there twice");
    }
  }
  return {};
}

}  // namespace parley::observe::impl
