// WatchedPair: a socket pair of which a Pollable watches one end. Inside a fiber.
//
//   testing::WatchedPair pair;
//   pair.send();
//   testing::wait_until([&] { return pair.pollable.is_readable(); });
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "parley/base/fd.h"
#include "parley/rt/pollable.h"

namespace parley::rt::testing {

struct WatchedPair {
  WatchedPair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    near.reset(ends[0]);
    far.reset(ends[1]);
    EXPECT_TRUE(pollable.watch(far.get()).is_ok());
  }
  // One byte from the near end.
  void send() const { EXPECT_EQ(::send(near.get(), "x", 1, 0), 1); }

  Fd near;
  Fd far;
  Pollable pollable;  // of the far end; goes before it
};

}  // namespace parley::rt::testing
