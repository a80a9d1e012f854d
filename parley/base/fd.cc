#include "parley/base/fd.h"

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace parley {
namespace {

Code code_of_errno(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Code::resource_exhausted;
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case ENOTCONN:
    case EPIPE:
    case ETIMEDOUT:  // TCP's own patience, not a deadline of ours
      return Code::unavailable;
    case ENOENT:
      return Code::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::permission_denied;
    case EEXIST:
    case EADDRINUSE:
      return Code::already_exists;
    case EINVAL:
    case EADDRNOTAVAIL:
    case EDESTADDRREQ:
    case EAFNOSUPPORT:
    case ENAMETOOLONG:
      return Code::invalid_argument;
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
      return Code::failed_precondition;
    case EIO:
      return Code::data_loss;
    default:
      return Code::internal;
  }
}

}  // namespace

void Fd::reset(int fd) noexcept {
  // close() releases the descriptor even when it reports an error (Linux), so there is no retry.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Status errno_status(int error, std::string_view what, std::source_location where) {
  // generic_category().message() is strerror without its shared buffer.
  return {code_of_errno(error), std::string(what) + ": " + std::generic_category().message(error),
          where};
}

}  // namespace parley
