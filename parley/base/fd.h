// Fd: the owner of one file descriptor; closes it when it goes. Not thread-safe.
//
//   Fd file(::open(path, O_RDONLY | O_CLOEXEC));
//   if (!file) return errno_status(errno, "open " + path);
#pragma once

#include <source_location>
#include <string_view>
#include <utility>

#include "parley/base/status.h"

namespace parley {

class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { reset(); }

  // The number, -1 when there is none. It stays owned here.
  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  // Gives the number away without closing it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  // Closes what is held and takes `fd` instead.
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

// The Status for an errno value: "<what>: <text of the error>". Running out of descriptors, memory
// or disk is resource_exhausted, a refused or unreachable address unavailable, a missing file
// not_found, no right permission_denied, a wrong argument invalid_argument, a folder where it must
// not be (or is not empty) failed_precondition, a failing disk data_loss, the rest internal.
Status errno_status(int error, std::string_view what,
                    std::source_location where = std::source_location::current());

}  // namespace parley
