// Addresses nobody else listens on, however many tests run at once on the machine. Any thread.
//
//   auto listener = network.listen(testing::free_unix_name());
#pragma once

#include <unistd.h>

#include <atomic>
#include <string>

#include "parley/net/address.h"

namespace parley::net::testing {

// A port of the loopback interface that the kernel picks when somebody listens.
inline Address any_port() { return *Address::parse("tcp://127.0.0.1:0"); }

// An abstract Unix name: another one with every call, and of this process alone.
inline Address free_unix_name() {
  static std::atomic<int> calls = 0;
  return *Address::parse("unix:@parley-test-" + std::to_string(::getpid()) + "-" +
                         std::to_string(calls.fetch_add(1)));
}

}  // namespace parley::net::testing
