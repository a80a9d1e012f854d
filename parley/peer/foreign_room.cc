#include "parley/peer/foreign_room.h"

#include <string>
#include <utility>

#include "parley/peer/foreign_session.h"
#include "parley/peer/impl/foreign.h"
#include "parley/peer/impl/pushing.h"

namespace parley {

ForeignRoom::~ForeignRoom() { (void)hold(0); }

Status ForeignRoom::hold_large(std::size_t bytes) {
  std::atomic<std::size_t>& coming = session_.coming_;
  const std::size_t counted = bytes <= small_bytes ? 0 : bytes;
  if (counted <= held_) {
    coming.fetch_sub(std::exchange(held_, counted) - counted, std::memory_order_relaxed);
    return {};
  }
  const std::size_t most =
      impl::Foreign::options_of(*impl::Pushing::connection_of(session_.session_)).max_handler_bytes;
  std::size_t all = coming.load(std::memory_order_relaxed);
  do {
    const std::size_t by_others = all - held_;
    if (by_others > 0 && by_others + counted > most) {
      was_full_ = true;
      return {Code::resource_exhausted,
              "max_handler_bytes: bodies that are still coming on this connection hold " +
                  std::to_string(all) + " bytes; send fewer at once, or over more connections"};
    }
  } while (!coming.compare_exchange_weak(all, all - held_ + counted, std::memory_order_relaxed));
  held_ = counted;
  return {};
}

}  // namespace parley
