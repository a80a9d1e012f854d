// How large a message becomes of which a part is written: what saves most copies of a growing
// string, and pages of memory that are touched only to be thrown away.
#pragma once

#include <algorithm>
#include <cstddef>

namespace parley::codec::impl {

// How far the outermost list is written: what is still to come will look like it.
struct Progress {
  std::size_t before;  // bytes of the message when the list began
  std::size_t count;   // of elements
  std::size_t done = 0;
};

// Room for a message of which `used` bytes are written: what its list seems to need, and an eighth,
// but never more than eight times what there is, however uneven the elements are; without a list
// twice as much.
inline std::size_t likely_size(std::size_t used, const Progress* list) {
  if (list == nullptr || list->done == 0) return 2 * used;
  const std::size_t most = 8 * used;
  const std::size_t each = (used - list->before) / list->done + 1;
  const std::size_t all = each > most / list->count ? most : each * list->count;
  return std::clamp(list->before + all + all / 8, used + used / 2, most);
}

}  // namespace parley::codec::impl
