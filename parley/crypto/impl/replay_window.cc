#include "parley/crypto/impl/replay_window.h"

#include <algorithm>

#include "parley/base/assert.h"

namespace parley::crypto::impl {

Arrival ReplayWindow::judge(std::uint64_t number) const {
  const std::uint64_t places = taken_.size();
  // The next one is fresh with any window.
  if (number >= next_) {
    return number - next_ < std::max<std::uint64_t>(places, 1) ? Arrival::fresh : Arrival::too_far;
  }
  // Without a window all that is below has come.
  if (places == 0) return Arrival::again;
  if (next_ - number > places) return Arrival::too_late;
  return taken_[number % places] ? Arrival::again : Arrival::fresh;
}

void ReplayWindow::take(std::uint64_t number) {
  PARLEY_ASSERT(judge(number) == Arrival::fresh, "a message is taken once");
  const std::uint64_t places = taken_.size();
  for (; next_ <= number; ++next_) {
    if (places != 0) taken_[next_ % places] = false;
  }
  if (places != 0) taken_[number % places] = true;
}

}  // namespace parley::crypto::impl
