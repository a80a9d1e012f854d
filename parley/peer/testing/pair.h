// Two peers on a loopback connection, for the tests of this floor, and PARLEY_PEER_TEST: a fiber
// test that runs twice, on one worker and on four.
//
// The body must not depend on which fiber runs when: it waits for events, and what its fibers share
// is guarded.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/net/in_process_network.h"
#include "parley/peer/peer.h"
#include "parley/rt/mutex.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"
#include "parley/wire/raw_framing.h"

namespace parley::testing {

// For peers that meet somebody who says nothing: a large body waits for no hello then.
inline std::vector<std::shared_ptr<const wire::Framing>> raw_only(
    std::size_t max_frame_bytes = wire::RawLimits().max_frame_bytes) {
  return {std::make_shared<wire::RawFraming>(wire::RawLimits{.max_frame_bytes = max_frame_bytes})};
}

// What a peer logged, joined by newlines. Fibers of any worker may log and look.
class Log {
 public:
  void add(std::string_view line) {
    const std::lock_guard lock(mutex_);
    text_ += line;
    text_ += '\n';
  }
  [[nodiscard]] bool has(std::string_view part) const {
    const std::lock_guard lock(mutex_);
    return text_.find(part) != std::string::npos;
  }
  [[nodiscard]] std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  // The same, and forgets it.
  std::string take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(text_, {});
  }
  // Until it has.
  void wait_for(std::string_view part) const {
    while (!has(part)) rt::yield();
  }

 private:
  mutable rt::Mutex mutex_;
  std::string text_;
};

struct Pair {
  explicit Pair(const PeerOptions& options = {}) : Pair(options, options) {}
  Pair(PeerOptions server_options, PeerOptions client_options)
      : server(meeting(logging(std::move(server_options), server_log))),
        client(meeting(logging(std::move(client_options), client_log))) {
    if (is_in_process()) EXPECT_TRUE(server.listen("inproc:server"));
    const auto listening = server.listen("tcp://127.0.0.1:0");
    EXPECT_TRUE(listening) << listening.error();
    address = listening->to_string();
  }

  Session dial() {
    auto session = client.dial(is_in_process() ? "inproc:server" : address);
    EXPECT_TRUE(session) << session.error();
    return *session;
  }

  Log server_log;
  Log client_log;
  net::InProcessNetwork network;
  Peer server;
  Peer client;
  std::string address;

 private:
  // So that all tests can be run within the process as well, by the environment. Of these fail, as
  // they have to, those that look at addresses and descriptors, and at limits of what is not
  // written.
  static bool is_in_process() {
    const char* const over = std::getenv("PARLEY_PEER_TESTS_OVER");
    return over != nullptr && std::string_view(over) == "inproc";
  }
  PeerOptions meeting(PeerOptions options) {
    if (is_in_process() && options.network == nullptr) options.network = &network;
    return options;
  }
  static PeerOptions logging(PeerOptions options, Log& log) {
    options.log = [&log](std::string_view line) { log.add(line); };
    return options;
  }
};

}  // namespace parley::testing

// Under a sanitizer only on four: what it sees on one it sees there as well, and half of the time
// of its tests is theirs.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PARLEY_PEER_TEST_ON_ONE(suite, name)
#endif
#endif

// NOLINTBEGIN(bugprone-macro-parentheses): suite and name are pasted, not evaluated
#ifndef PARLEY_PEER_TEST_ON_ONE
#define PARLEY_PEER_TEST_ON_ONE(suite, name)                                        \
  TEST(suite, name) {                                                               \
    ::parley::rt::testing::run_fiber_test(&suite##_##name##_fiber, {.workers = 1}); \
  }
#endif
#define PARLEY_PEER_TEST(suite, name)                                               \
  static void suite##_##name##_fiber();                                             \
  PARLEY_PEER_TEST_ON_ONE(suite, name)                                              \
  TEST(suite, name##_on_four_workers) {                                             \
    ::parley::rt::testing::run_fiber_test(&suite##_##name##_fiber, {.workers = 4}); \
  }                                                                                 \
  static void suite##_##name##_fiber()
// NOLINTEND(bugprone-macro-parentheses)
