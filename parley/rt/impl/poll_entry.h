// What the poller knows of one watched descriptor. Private to rt.
#pragma once

#include "parley/rt/impl/wait_list.h"

namespace parley::rt::impl {

struct PollEntry {
  int fd = -1;
  // Edge-triggered: epoll tells of a change once. A change nobody waited for is kept here, so the
  // next wait returns at once (at worst to find EAGAIN and wait again).
  bool readable = false;
  bool writable = false;
  WaitList readers;
  WaitList writers;
};

}  // namespace parley::rt::impl
