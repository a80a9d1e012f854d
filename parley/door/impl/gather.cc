#include "parley/door/impl/gather.h"

namespace parley::door::impl {

Result<std::string> gather(http::Exchange& exchange, ForeignRoom* room, std::size_t most,
                           rt::Deadline deadline) {
  std::string all;
  for (;;) {
    const auto piece = exchange.read(deadline);
    if (!piece) return piece.error();
    if (piece->empty()) return all;
    if (piece->size() > most - all.size()) {
      exchange.note_too_large();
      return Status(Code::resource_exhausted, "the body is larger than " + std::to_string(most) +
                                                  " bytes; send less, or have the limit raised");
    }
    all += *piece;
    if (room == nullptr) continue;
    if (Status s = room->hold(all.capacity()); !s.is_ok()) return s;
  }
}

}  // namespace parley::door::impl
