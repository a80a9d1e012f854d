// A tree as it is saved: what codec makes JSON of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parley/kv/statistics.h"

namespace parley::kv::impl {

struct SavedNode {
  std::string key;
  bool dir = false;
  // The value in one of two forms: the second for what is no UTF-8.
  std::optional<std::string> value;
  std::optional<std::vector<std::byte>> bytes;
  // Nanoseconds since 1970, as all times here.
  std::optional<std::int64_t> expiration;
  std::uint64_t created_index = 0;
  std::uint64_t modified_index = 0;
};

struct SavedEvent {
  std::string action;
  SavedNode node;
  std::optional<SavedNode> previous;
  std::uint64_t index = 0;
  bool refresh = false;
  std::int64_t at = 0;
};

struct SavedTree {
  std::uint32_t version = 1;
  std::uint64_t index = 0;
  Statistics statistics;
  // Each behind the folder it is in.
  std::vector<SavedNode> nodes;
  std::vector<SavedEvent> history;
};

}  // namespace parley::kv::impl
