#include "parley/net/impl/doorbell.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>

namespace parley::net::impl {
namespace {

[[gnu::noinline]] Status add(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return errno_status(errno, "watch a descriptor");
}

[[gnu::noinline]] Status open_both(Fd& bell, Fd& either) {
  bell.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (bell) either.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (bell && either) return {};
  return errno_status(errno, "open an eventfd and an epoll");
}

}  // namespace

Status Doorbell::watch(int fd) {
  if (Status s = open_both(bell_, either_); !s.is_ok()) return s;
  if (Status s = add(either_.get(), fd); !s.is_ok()) return s;
  if (Status s = add(either_.get(), bell_.get()); !s.is_ok()) return s;
  if (Status s = bell_only_.watch(bell_.get()); !s.is_ok()) return s;
  return both_.watch(either_.get());
}

void Doorbell::ring() { (void)::eventfd_write(bell_.get(), 1); }

}  // namespace parley::net::impl
