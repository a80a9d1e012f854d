// A shop that a customer calls over a simulated network, where it may go and come back: for tests
// of sessions that are dialled again.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "parley/net/sim_network.h"
#include "parley/peer/endpoints.h"
#include "parley/peer/peer.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/context.h"
#include "parley/rt/time.h"

namespace parley::testing {

inline constexpr const char* at_shop = "tcp://shop:80";
inline constexpr RedialOptions soon{.count = RedialOptions::unlimited,
                                    .interval = std::chrono::milliseconds(1),
                                    .max_interval = std::chrono::milliseconds(20)};

// A shop that can go and come back, and a customer.
class Street {
 public:
  // `served_by`: what the shop is like, each time that it opens.
  explicit Street(PeerOptions options = {}, PeerOptions served_by = {})
      : served_by_(std::move(served_by)) {
    served_by_.drain_timeout = std::chrono::milliseconds(100);
    served_by_.network = &world.node("shop");
    options.network = &world.node("till");
    options.log = [this](std::string_view line) { log.add(line); };
    client.emplace(std::move(options));
    open();
  }
  ~Street() {
    client.reset();
    server.reset();
  }
  Street(const Street&) = delete;
  Street& operator=(const Street&) = delete;

  void open() {
    server.emplace(served_by_);
    server->handle("/count", [this](int n) {
      ++runs;
      return n;
    });
    server->handle("/size", [this](const std::string& text) {
      ++runs;
      return text.size();
    });
    server->handle("/wait", [this]() -> Status {
      ++runs;
      return rt::Context::current().wait_done();
    });
    server->handle("/log_in", [this](Context& context, const std::string& name) -> Status {
      said.add("log in");
      ++log_ins;
      if (refuses) return {Code::permission_denied, "you again"};
      return context.session().set_id(name);
    });
    server->handle("/say", [this](const std::string& text) { said.add(text); });
    server->handle_stream("/echo", [](Stream<int, int>& stream) -> Status {
      for (;;) {
        auto value = stream.receive();
        if (!value) return value.error();
        if (!*value) return {};
        if (Status s = stream.send(**value); !s.is_ok()) return s;
      }
    });
    const auto listening = server->listen("tcp://0.0.0.0:80");
    EXPECT_TRUE(listening) << listening.error();
  }
  // As when its process dies.
  void fall() {
    world.crash("shop");
    server.reset();
  }
  // The same, and `session` has noticed.
  void fall(const Session& session) {
    fall();
    while (session.health().is_ok()) rt::yield();
  }
  void rise() {
    world.restart("shop");
    open();
  }
  void cut() { EXPECT_GT(world.cut("till", "shop"), 0U); }

  Session dial(const RedialOptions& redial = soon, OnRedial on_redial = {}) {
    auto session = client->dial(at_shop, {.redial = redial, .on_redial = std::move(on_redial)});
    EXPECT_TRUE(session) << session.error();
    return *session;
  }

  net::SimWorld world;
  Log log;
  Log said;
  std::atomic<int> runs = 0;
  std::atomic<int> log_ins = 0;
  std::atomic<bool> refuses = false;
  std::optional<Peer> server;
  std::optional<Peer> client;

 private:
  PeerOptions served_by_;
};

inline void wait_until(const std::function<bool()>& is_so) {
  while (!is_so()) rt::yield();
}

}  // namespace parley::testing
