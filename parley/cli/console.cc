#include "parley/cli/console.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "parley/base/fd.h"
#include "parley/cli/text.h"

namespace parley::cli {
namespace {

// 0 when everything was written, else the errno. The descriptor is shared with whoever started this
// process and may be non-blocking; then it is waited for.
int write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written >= 0) {
      data.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return errno;
    pollfd wanted{.fd = fd, .events = POLLOUT, .revents = 0};
    if (::poll(&wanted, 1, -1) < 0 && errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

void reserve_standard_descriptors() {
  for (int fd = 0; fd < 3; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest free number is taken, and those below are in use: this one.
    // Stays open until the end. Where even this fails, so will every socket.
    static_cast<void>(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
}

bool Console::is_terminal() const noexcept { return ::isatty(out_) == 1; }

Status Console::write(std::string_view data) {
  const int error = write_all(out_, data);
  if (error == 0) return {};
  if (error == EPIPE) return Status(Code::out_of_range, "standard output is closed");
  if (error == ENOSPC) {
    return Status(Code::resource_exhausted,
                  "cannot write to standard output: no space left on the device");
  }
  return errno_status(error, "cannot write to standard output");
}

void Console::say(std::string_view text) { write_all(err_, printable(text) + "\n"); }

}  // namespace parley::cli
