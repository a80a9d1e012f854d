// How often memory has to be asked for to build a value, or its text: what one needs who does not
// know ahead how long a vector or a text becomes, and so grows it by doubling.
//
//   EXPECT_EQ(allocations_of(Args{.reference = long_text, .lines = {1, 2, 3}}), 1 + 3);
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "parley/codec/reflect.h"

namespace parley::bench {

// Of a text that is written piece by piece, and doubles too.
inline std::uint64_t allocations_of_growing_text(std::size_t bytes) {
  std::uint64_t count = 0;
  for (std::size_t room = std::string().capacity(); room < bytes; room *= 2) ++count;
  return count;
}

inline std::uint64_t allocations_of(const std::string& text) {
  return text.size() > std::string().capacity() ? 1 : 0;
}

template <class T>
  requires std::is_arithmetic_v<T>
std::uint64_t allocations_of(const T&) {
  return 0;
}

template <class T>
  requires std::is_aggregate_v<T>
std::uint64_t allocations_of(const T& value);

template <class T>
std::uint64_t allocations_of(const std::optional<T>& value) {
  return value ? allocations_of(*value) : 0;
}

template <class T>
std::uint64_t allocations_of(const std::vector<T>& list) {
  if (list.empty()) return 0;
  // Room for 1, 2, 4, ... elements.
  auto count = 1 + static_cast<std::uint64_t>(std::bit_width(list.size() - 1));
  for (const T& one : list) count += allocations_of(one);
  return count;
}

template <class T>
std::uint64_t allocations_of(const std::map<std::string, T>& map) {
  std::uint64_t count = map.size();
  for (const auto& [key, one] : map) count += allocations_of(key) + allocations_of(one);
  return count;
}

template <class T>
  requires std::is_aggregate_v<T>
std::uint64_t allocations_of(const T& value) {
  std::uint64_t count = 0;
  codec::for_each_field(
      value, [&count](std::string_view, const auto& member) { count += allocations_of(member); });
  return count;
}

}  // namespace parley::bench
