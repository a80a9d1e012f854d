#include "parley/rt/impl/service_thread.h"

#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "parley/base/fd.h"

namespace parley::rt::impl {
namespace {

// A copy out of the table of the process's first thread. Empty where the kernel refuses it.
Fd stderr_of_process() {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!process) return {};
  return Fd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), STDERR_FILENO, 0)));
}

}  // namespace

void leave_descriptors(int kept) {
  if (!stderr_of_process()) return;
  constexpr auto last = std::numeric_limits<unsigned>::max();
  const auto above = static_cast<unsigned>(kept + 1);
  if (::syscall(SYS_close_range, above, last, CLOSE_RANGE_UNSHARE) != 0) return;
  if (kept > 0) (void)::syscall(SYS_close_range, 0U, static_cast<unsigned>(kept) - 1, 0);
}

void say(std::string_view text) {
  const Fd copy = stderr_of_process();
  const int to = copy ? copy.get() : STDERR_FILENO;
  while (!text.empty()) {
    const auto written = ::write(to, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace parley::rt::impl
