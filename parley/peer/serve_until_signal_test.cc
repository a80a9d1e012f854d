#include "parley/peer/serve_until_signal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/fd.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::Pair;

bool is_held_back(int signal) {
  struct sigaction now{};
  ::sigaction(signal, nullptr, &now);
  return now.sa_handler != SIG_DFL;
}

void wait_until_held_back(int signal) {
  while (!is_held_back(signal)) rt::yield();
}

PARLEY_PEER_TEST(ServeUntilSignal, one_signal_drains_what_is_under_way) {
  rt::Event entered;
  rt::Event release;
  Pair pair;
  pair.server.handle("/slow", [&] {
    entered.set();
    (void)release.wait();
    return 7;
  });
  const Session session = pair.dial();
  auto asked = session.call_async<int>("/slow");
  ASSERT_TRUE(entered.wait().is_ok());
  Result<Served> served = Status(Code::unknown, "it has not returned");
  rt::Scope scope;
  scope.go("serve", [&] {
    served = serve_until_signal(pair.server, {.signals = {SIGUSR1}, .shutdown = {.limit = 1h}});
  });
  wait_until_held_back(SIGUSR1);
  EXPECT_TRUE(session.is_open());
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  pair.server_log.wait_for("the peer is shutting down (SIGUSR1): ends within 3600000 ms");
  release.set();
  EXPECT_EQ(asked.get().value(), 7);
  scope.join();
  ASSERT_TRUE(served) << served.error();
  EXPECT_EQ(served->signal, SIGUSR1);
  EXPECT_EQ(served->second, 0);
  EXPECT_EQ(served->exit_code(), 0);
  EXPECT_EQ(served->report.finished.handlers, 1u);
  EXPECT_FALSE(is_held_back(SIGUSR1));
}

// A service with a handler under way that never returns by itself.
struct Hanging {
  Hanging() {
    pair.server.handle("/never", [this] {
      entered.set();
      (void)rt::Event().wait();
    });
    asked.emplace(pair.dial().call_async("/never"));
    EXPECT_TRUE(entered.wait().is_ok());
  }

  rt::Event entered;
  Pair pair;
  std::optional<AsyncCall<>> asked;
};

PARLEY_PEER_TEST(ServeUntilSignal, a_second_signal_ends_at_once_though_a_handler_hangs) {
  Hanging hanging;
  Result<Served> served = Status(Code::unknown, "it has not returned");
  rt::Scope scope;
  scope.go("serve", [&] {
    served = serve_until_signal(hanging.pair.server,
                                {.signals = {SIGUSR1, SIGUSR2}, .shutdown = {.limit = 1h}});
  });
  wait_until_held_back(SIGUSR2);
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  hanging.pair.server_log.wait_for("ends within");
  ASSERT_EQ(::kill(::getpid(), SIGUSR2), 0);
  EXPECT_EQ(hanging.asked->get().error().code(), Code::outcome_unknown);
  scope.join();
  ASSERT_TRUE(served) << served.error();
  EXPECT_EQ(served->second, SIGUSR2);
  EXPECT_EQ(served->exit_code(), 128 + SIGUSR2);
  EXPECT_EQ(served->report.cut.handlers, 1u);
  EXPECT_TRUE(hanging.pair.server_log.has("(a second signal, SIGUSR2): ends at once"));
}

PARLEY_PEER_TEST(ServeUntilSignal, what_the_limit_cut_shows_in_the_exit_code) {
  Hanging hanging;
  rt::Scope scope;
  scope.go("signal", [&] {
    wait_until_held_back(SIGUSR1);
    ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  });
  const auto served =
      serve_until_signal(hanging.pair.server, {.signals = {SIGUSR1}, .shutdown = {.limit = 10ms}});
  ASSERT_TRUE(served) << served.error();
  EXPECT_EQ(served->exit_code(), 1);
}

PARLEY_PEER_TEST(ServeUntilSignal, ends_in_order_with_the_context_of_its_caller) {
  Pair pair;
  const Session session = pair.dial();
  rt::Scope scope;
  scope.go("serve", [&] {
    const auto served = serve_until_signal(pair.server, {.signals = {SIGUSR1}});
    ASSERT_TRUE(served) << served.error();
    EXPECT_EQ(served->signal, 0);
    EXPECT_EQ(served->exit_code(), 0);
  });
  wait_until_held_back(SIGUSR1);
  scope.cancel();
  scope.join();
  EXPECT_EQ(session.wait_closed().code(), Code::unavailable);
}

PARLEY_PEER_TEST(ServeUntilSignal, returns_when_a_handler_has_ended_the_peer) {
  rt::Event entered;
  rt::Event release;
  Pair pair;
  pair.server.handle("/slow", [&] {
    entered.set();
    (void)release.wait();
    return 7;
  });
  pair.server.handle("/stop", [&] { return pair.server.shutdown({.limit = 1h}).is_over; });
  const Session session = pair.dial();
  auto asked = session.call_async<int>("/slow");
  ASSERT_TRUE(entered.wait().is_ok());
  rt::Scope scope;
  scope.go("serve", [&] {
    // The limit is that of who was first.
    const auto served =
        serve_until_signal(pair.server, {.signals = {SIGUSR1}, .shutdown = {.limit = 1ms}});
    ASSERT_TRUE(served) << served.error();
    EXPECT_EQ(served->signal, 0);
    EXPECT_EQ(served->report.finished.handlers, 2u);
  });
  wait_until_held_back(SIGUSR1);
  EXPECT_EQ(session.call<bool>("/stop").value(), false);
  EXPECT_TRUE(pair.server.wait_shutdown().is_ok());
  release.set();
  EXPECT_EQ(asked.get().value(), 7);
  scope.join();
  Peer other;
  EXPECT_EQ(other.wait_shutdown(rt::Deadline::after(1ms)).code(), Code::deadline_exceeded);
}

PARLEY_PEER_TEST(ServeUntilSignal, a_signal_that_cannot_be_caught_is_an_error_and_ends_nothing) {
  Pair pair;
  EXPECT_EQ(serve_until_signal(pair.server, {.signals = {SIGKILL}}).error().code(),
            Code::invalid_argument);
  EXPECT_TRUE(pair.dial().is_open());
}

// --- In a process of its own, with the signals of a terminal

// Says to `out` what the parent waits for: "r" when it serves and a call runs, "1" when it drains,
// "2" when it ends at once.
[[noreturn]] void serve_in_child(int out, bool minds_its_end) {
  const auto say = [out](char what) { (void)!::write(out, &what, 1); };
  // Who starts a program in the background may have it ignore this one.
  (void)std::signal(SIGINT, SIG_DFL);
  const int code = parley::run([&] {
    Peer server(PeerOptions{.log = [&](std::string_view line) {
      if (line.find("ends within") != std::string_view::npos) say('1');
      if (line.find("ends at once") != std::string_view::npos) say('2');
    }});
    Peer client;
    rt::Event entered;
    server.handle("/hangs", [&] {
      entered.set();
      const rt::WithContext bound(minds_its_end ? rt::Context::current()
                                                : rt::Context::background());
      (void)rt::Event().wait();
    });
    const auto address = server.listen("tcp://127.0.0.1:0");
    auto asked = client.dial(address->to_string())->call_async("/hangs");
    rt::Scope scope;
    scope.go("ready", [&] {
      (void)entered.wait();
      wait_until_held_back(SIGTERM);
      say('r');
    });
    const auto served = serve_until_signal(server, {.shutdown = {.limit = 1h}});
    return served ? served->exit_code() : 99;
  });
  ::_exit(code);
}

// Sends one of `signals` after each word of the child's; its status of waitpid().
int serve_and_stop(bool minds_its_end, std::initializer_list<int> signals) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) serve_in_child(writer.get(), minds_its_end);
  writer = Fd();
  for (const int signal : signals) {
    char word = 0;
    EXPECT_EQ(::read(reader.get(), &word, 1), 1);
    EXPECT_EQ(::kill(child, signal), 0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST(ServeUntilSignal, a_second_ctrl_c_ends_a_process_whose_handler_hangs) {
  const int status = serve_and_stop(true, {SIGTERM, SIGINT});
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 128 + SIGINT);
}

TEST(ServeUntilSignal, a_third_one_has_its_usual_effect) {
  const int status = serve_and_stop(false, {SIGINT, SIGINT, SIGINT});
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

}  // namespace
}  // namespace parley
