#include "parley/peer/impl/logging.h"

#include "parley/base/guard.h"

namespace parley::impl {

void log_line(const PeerOptions& options, std::string_view line) {
  if (options.log) (void)guarded([&] { options.log(line); });
}

}  // namespace parley::impl
