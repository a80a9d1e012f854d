// FilterPipe: which transfer filters (filter.h) a message goes through, by their ids. A value of
// eight bytes, cheap to have in every message.
//
//   message.filters = FilterPipe("zc");   // zstd, then a checksum of what came out of it
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "parley/base/result.h"

namespace parley::wire {

class FilterPipe {
 public:
  static constexpr std::size_t max_filters = 8;

  constexpr FilterPipe() noexcept = default;
  // The ids in the order in which they are applied; they are undone in reverse. More than
  // max_filters, an id of 0 or one that stands there twice is a bug: what came over a wire goes
  // through read().
  explicit FilterPipe(std::string_view ids);
  // The same for ids that another process chose. Errors: more than max_filters
  // (resource_exhausted), an id of 0 or one that stands there twice, which would multiply the work
  // of whoever undoes it (invalid_argument).
  static Result<FilterPipe> read(std::string_view ids);

  [[nodiscard]] constexpr bool empty() const noexcept { return ids_.front() == 0; }
  // In the order of their application; shows this object.
  [[nodiscard]] constexpr std::string_view ids() const noexcept {
    std::size_t size = 0;
    while (size < ids_.size() && ids_[size] != 0) ++size;
    return {ids_.data(), size};
  }
  // The same ids the other way round, as Teleport's formats have them.
  [[nodiscard]] FilterPipe reversed() const noexcept;

  friend bool operator==(const FilterPipe&, const FilterPipe&) = default;

 private:
  std::array<char, max_filters> ids_{};  // zeros behind the last
};

}  // namespace parley::wire
