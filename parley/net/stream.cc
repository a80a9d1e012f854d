#include "parley/net/stream.h"

namespace parley::net {

Status Stream::write(std::string_view from, rt::Deadline deadline) {
  while (!from.empty()) {
    const auto written = write_some(from, deadline);
    if (!written) return written.error();
    from.remove_prefix(*written);
  }
  return {};
}

}  // namespace parley::net
