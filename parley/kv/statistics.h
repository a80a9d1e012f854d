// What a store counts, as etcd does. A plain value.
#pragma once

#include <cstdint>

namespace parley::kv {

struct Statistics {
  std::uint64_t get_success = 0;
  std::uint64_t get_fail = 0;
  std::uint64_t set_success = 0;
  std::uint64_t set_fail = 0;
  std::uint64_t delete_success = 0;
  std::uint64_t delete_fail = 0;
  std::uint64_t update_success = 0;
  std::uint64_t update_fail = 0;
  std::uint64_t create_success = 0;
  std::uint64_t create_fail = 0;
  std::uint64_t compare_and_swap_success = 0;
  std::uint64_t compare_and_swap_fail = 0;
  std::uint64_t compare_and_delete_success = 0;
  std::uint64_t compare_and_delete_fail = 0;
  std::uint64_t expire_count = 0;
  // Waiting at this moment.
  std::uint64_t watchers = 0;

  friend bool operator==(const Statistics&, const Statistics&) = default;
};

}  // namespace parley::kv
