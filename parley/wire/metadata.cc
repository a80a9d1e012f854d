#include "parley/wire/metadata.h"

#include <algorithm>

namespace parley::wire {

std::optional<std::string_view> Metadata::get(std::string_view key) const noexcept {
  for (const Entry& entry : entries_) {
    if (entry.key == key) return entry.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Metadata::get_all(std::string_view key) const {
  std::vector<std::string_view> values;
  for (const Entry& entry : entries_) {
    if (entry.key == key) values.emplace_back(entry.value);
  }
  return values;
}

void Metadata::set(std::string_view key, std::string value) {
  const auto has_key = [key](const Entry& entry) { return entry.key == key; };
  const auto first = std::find_if(entries_.begin(), entries_.end(), has_key);
  if (first == entries_.end()) {
    entries_.push_back({std::string(key), std::move(value)});
    return;
  }
  first->value = std::move(value);
  // `key` may be a view into an entry that is about to move: compare with one that stays.
  const std::string& kept = first->key;
  entries_.erase(std::remove_if(first + 1, entries_.end(),
                                [&kept](const Entry& entry) { return entry.key == kept; }),
                 entries_.end());
}

std::size_t Metadata::remove(std::string_view key) {
  const std::string gone(key);  // may be a view into an entry that goes
  return std::erase_if(entries_, [&gone](const Entry& entry) { return entry.key == gone; });
}

}  // namespace parley::wire
