// What accept() does when the process has no descriptor left. The tests run by a clock of their
// own: how often it asks again is a fact, not a matter of the machine's speed.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <vector>

#include "parley/base/fd.h"
#include "parley/base/testing/no_descriptors.h"
#include "parley/net/impl/listening_socket.h"
#include "parley/net/network.h"
#include "parley/rt/context.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using parley::testing::NoDescriptors;

struct Siege {
  ManualClock& clock;
  TcpNetwork network;
  std::unique_ptr<Listener> listener = *network.listen(*Address::parse("tcp://127.0.0.1:0"));
  std::vector<std::unique_ptr<Stream>> clients;

  void dial() { clients.push_back(*network.dial(listener->address())); }
  // Until accept() has paused so often.
  void await_pauses(std::uint64_t count) const {
    while (listener->counts().pauses < count) rt::yield();
  }
};

void run(const std::function<void(Siege&)>& body) {
  ManualClock clock;
  clock.advance(1ms);  // UBSan needs a descriptor when it sees a class for the first time
  // The monitor opens a file for a moment to see what holds a worker up, and one free descriptor
  // more or less is what these tests are about.
  rt::RuntimeOptions options = rt::testing::without_reports();
  options.clock = &clock;
  rt::testing::run_fiber_test(
      [&] {
        Siege siege{.clock = clock, .network = {}, .clients = {}};
        body(siege);
      },
      options);
}

TEST(Accept, without_descriptors_it_asks_again_ever_more_seldom) {
  run([](Siege& siege) {
    siege.dial();
    NoDescriptors none;
    rt::Scope scope;
    bool accepted = false;
    scope.go("accept", [&] { accepted = siege.listener->accept().has_value(); });
    siege.await_pauses(1);
    // Pauses of 5, 10, 20, 40, 80, 160 ms, then 250 ms each.
    for (int ms = 0; ms < 10'000; ++ms) {
      siege.clock.advance(1ms);
      rt::yield();
      rt::yield();
    }
    // At most: a timer may fire later than it is due.
    EXPECT_LE(siege.listener->counts().pauses, 1u + 6u + (10'000u - 315u) / 250u);
    EXPECT_GE(siege.listener->counts().pauses, 8u);
    EXPECT_EQ(siege.listener->counts().accepted, 0u);
    none.set(20'000);
    siege.clock.advance(impl::longest_accept_pause);
    scope.join();
    EXPECT_TRUE(accepted);
    EXPECT_EQ(siege.listener->counts().accepted, 1u);
  });
}

TEST(Accept, without_descriptors_new_connections_do_not_make_it_ask) {
  run([](Siege& siege) {
    siege.dial();
    std::vector<Fd> sockets;
    sockaddr_storage to{};
    socklen_t size = sizeof to;
    ::getsockname(siege.listener->descriptor(), reinterpret_cast<sockaddr*>(&to), &size);
    for (int i = 0; i < 50; ++i) sockets.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
    NoDescriptors none;
    rt::Scope scope;
    scope.go("accept", [&] { EXPECT_FALSE(siege.listener->accept()); });
    siege.await_pauses(1);
    for (const Fd& socket : sockets) {
      EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), size), 0);
      rt::yield();
    }
    EXPECT_EQ(siege.listener->counts().pauses, 1u);
    siege.listener->close();
  });
}

TEST(Accept, goes_on_once_a_descriptor_is_free) {
  run([](Siege& siege) {
    siege.dial();
    siege.dial();
    // As many as there are, so that only closing one helps.
    NoDescriptors none;
    none.set(200);
    std::vector<Fd> taken;
    for (;;) {
      Fd fd(::fcntl(siege.listener->descriptor(), F_DUPFD_CLOEXEC, 0));
      if (!fd) break;
      taken.push_back(std::move(fd));
    }
    rt::Scope scope;
    scope.go("accept", [&] { EXPECT_TRUE(siege.listener->accept()); });
    siege.await_pauses(1);
    siege.clock.advance(5ms);
    siege.await_pauses(2);
    taken.pop_back();
    siege.clock.advance(10ms);
    scope.join();
    EXPECT_EQ(siege.listener->counts().pauses, 2u);
    taken.clear();
    EXPECT_TRUE(siege.listener->accept());
  });
}

TEST(Accept, a_pause_ends_with_the_deadline_the_context_and_the_listener) {
  run([](Siege& siege) {
    siege.dial();
    const NoDescriptors none;
    Status by_deadline;
    Status by_context;
    Status by_close;
    {
      rt::Scope scope;
      scope.go("accept",
               [&] { by_deadline = siege.listener->accept(rt::Deadline::after(7ms)).error(); });
      siege.await_pauses(1);
      siege.clock.advance(5ms);
      siege.await_pauses(2);
      siege.clock.advance(2ms);
    }
    EXPECT_EQ(by_deadline.code(), Code::deadline_exceeded);
    EXPECT_NE(by_deadline.message().find("no descriptor was free"), std::string::npos);
    {
      rt::Scope scope;
      scope.go("accept", [&] { by_context = siege.listener->accept().error(); });
      siege.await_pauses(3);
      scope.cancel();
    }
    EXPECT_EQ(by_context.code(), Code::cancelled);
    {
      rt::Scope scope;
      scope.go("accept", [&] { by_close = siege.listener->accept().error(); });
      siege.await_pauses(4);
      siege.listener->close();
    }
    EXPECT_EQ(by_close.code(), Code::unavailable);
    EXPECT_EQ(siege.network.dial(siege.listener->address()).error().code(),
              Code::resource_exhausted);
  });
}

}  // namespace
}  // namespace parley::net
