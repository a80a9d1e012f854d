#include "parley/rt/impl/say.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace parley::rt::impl {

namespace {

constexpr pid_t nobody = 0;
std::atomic<pid_t> only_speaker = nobody;

}  // namespace

// Of several that fail together the first has the word.
void silence_others() {
  pid_t expected = nobody;
  (void)only_speaker.compare_exchange_strong(expected, ::gettid(), std::memory_order_relaxed);
}

void say(std::string_view text) {
  const pid_t speaker = only_speaker.load(std::memory_order_relaxed);
  if (speaker != nobody && speaker != ::gettid()) return;
  while (!text.empty()) {
    const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace parley::rt::impl
