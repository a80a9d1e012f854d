// Metadata: what travels beside a message's body: an ordered list of key/value texts in which a key
// may occur several times. Keys are compared byte by byte (case counts).
//
// Belongs to one fiber at a time. A list, not a map: a message carries a handful of entries, and
// the order in which they were added is the order on the wire.
//
//   Metadata metadata;
//   metadata.set("X-Real-IP", "10.0.0.7");
//   metadata.add("tag", "a");
//   metadata.add("tag", "b");
//   for (const auto& [key, value] : metadata) print(key, value);
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley::wire {

class Metadata {
 public:
  struct Entry {
    std::string key;
    std::string value;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  Metadata() noexcept = default;
  Metadata(std::initializer_list<Entry> entries) : entries_(entries) {}

  // The first value of `key`, or nothing. Valid until this object changes.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view key) const noexcept;
  // Every value of `key` in order. Valid until this object changes.
  [[nodiscard]] std::vector<std::string_view> get_all(std::string_view key) const;

  // Makes `value` the only value of `key`; it takes the place of the first one there was.
  void set(std::string_view key, std::string value);
  // Adds an entry at the end, whether or not the key is there already.
  void add(std::string key, std::string value) {
    entries_.push_back({std::move(key), std::move(value)});
  }
  // Drops every value of `key`; returns how many there were.
  std::size_t remove(std::string_view key);

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  void clear() noexcept { entries_.clear(); }

  [[nodiscard]] auto begin() const noexcept { return entries_.begin(); }
  [[nodiscard]] auto end() const noexcept { return entries_.end(); }

  // Equal entries in equal order.
  friend bool operator==(const Metadata&, const Metadata&) = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace parley::wire
