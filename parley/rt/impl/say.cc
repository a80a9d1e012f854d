#include "parley/rt/impl/say.h"

#include <unistd.h>

#include <cerrno>

namespace parley::rt::impl {

void say(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace parley::rt::impl
