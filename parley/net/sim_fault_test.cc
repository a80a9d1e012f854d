// What a SimWorld does to connections and nodes: cuts, partitions, crashes.
#include <gtest/gtest.h>

#include <algorithm>

#include "parley/net/sim_network.h"
#include "parley/net/testing/sim_pair.h"
#include "parley/rt/event.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using rt::testing::in_virtual_time;
using testing::any_on;
using testing::read_exactly;
using testing::read_to_end;
using testing::SimPair;

// How long a read waits before it fails, and with what.
struct Failure {
  Duration after{};
  std::string message;
};

Failure failure_of(Stream& stream) {
  const Instant began = rt::now();
  Status how;
  (void)read_to_end(stream, how);
  return {rt::now() - began, how.message()};
}

TEST(SimCut, mean_bytes_to_cut_bounds_what_a_connection_carries) {
  for (const std::uint64_t mean : {0, 5'000}) {
    in_virtual_time([mean] {
      SimWorld world({.link = {.mean_bytes_to_cut = mean}});
      SimPair pair(world);
      rt::Scope scope;
      Status read;
      scope.go("reader", [&] { (void)read_to_end(*pair.server, read); });
      const Status written = pair.client->write(std::string(30'000, 'c'));
      (void)pair.client->close_write();
      scope.join();
      EXPECT_EQ(world.counts().cuts, mean == 0 ? 0u : 1u);
      EXPECT_EQ(written.is_ok(), mean == 0) << written;
      EXPECT_EQ(read.message(), mean == 0 ? "" : "receive: Connection reset by peer");
      EXPECT_LE(world.counts().bytes, mean == 0 ? 30'000 : 2 * mean);
    });
  }
}

TEST(SimCut, mean_time_to_cut_bounds_how_long_a_connection_lives) {
  for (const Duration mean : {10ms, 50ms}) {
    in_virtual_time([mean] {
      SimWorld world({.link = {.mean_time_to_cut = mean}});
      SimPair pair(world);
      const Failure failure = failure_of(*pair.server);
      EXPECT_LE(failure.after, 2 * mean);
      EXPECT_EQ(failure.message, "receive: Connection reset by peer");
      EXPECT_EQ(pair.client->write("x").message(), "send: Connection reset by peer");
      EXPECT_EQ(pair.client->write("x").message(), "send: Broken pipe");
      EXPECT_EQ(pair.client->close_write().code(), Code::unavailable);
    });
  }
}

TEST(SimCut, cut_resets_the_connections_between_two_nodes_and_no_other) {
  in_virtual_time([] {
    SimWorld world;
    const SimPair pair(world);
    const auto other = *world.node("office").dial(pair.server_node.address(80));
    EXPECT_EQ(world.cut("shop", "till"), 1u);
    EXPECT_EQ(failure_of(*pair.client).message, "receive: Connection reset by peer");
    EXPECT_TRUE(other->write("fine").is_ok());
    EXPECT_EQ(read_exactly(**pair.listener->accept(), 4), "fine");
  });
}

TEST(SimPartition, holds_what_was_sent_and_delivers_it_in_order_after_a_short_one) {
  in_virtual_time([] {
    SimWorld world;
    const SimPair pair(world);
    EXPECT_TRUE(pair.client->write("before ").is_ok());
    world.partition("till", "shop");
    EXPECT_TRUE(pair.client->write("during ").is_ok());
    std::array<char, 64> buffer{};
    EXPECT_EQ(pair.server->read(buffer, rt::Deadline::after(50ms)).error().code(),
              Code::deadline_exceeded);
    world.heal("till", "shop");
    EXPECT_TRUE(pair.client->write("after").is_ok());
    EXPECT_EQ(read_exactly(*pair.server, 19), "before during after");
  });
}

TEST(SimPartition, breaks_a_connection_that_waits_for_longer_than_transfer_timeout) {
  for (const Duration timeout : {20ms, 60ms}) {
    in_virtual_time([timeout] {
      SimWorld world({.transfer_timeout = timeout});
      const SimPair pair(world);
      world.partition("till", "shop");
      EXPECT_TRUE(pair.client->write("held").is_ok());
      const Failure failure = failure_of(*pair.client);
      EXPECT_GE(failure.after, timeout);
      EXPECT_LT(failure.after, timeout + 5ms);
      EXPECT_EQ(failure.message, "receive: Connection timed out");
      EXPECT_EQ(world.counts().timeouts, 1u);
      // The other side, which had nothing to send, learns it when it does.
      world.heal();
      EXPECT_TRUE(pair.server->write("hello?").is_ok());
      EXPECT_EQ(failure_of(*pair.server).message, "receive: Connection reset by peer");
    });
  }
}

TEST(SimPartition, user_timeout_of_a_stream_comes_before_that_of_the_world) {
  in_virtual_time([] {
    SimWorld world;
    const SimPair pair(world, {.stream = {.user_timeout = 30ms}});
    world.partition("till", "shop");
    EXPECT_TRUE(pair.client->write("held").is_ok());
    EXPECT_LT(failure_of(*pair.client).after, 35ms);
  });
}

TEST(SimPartition, keep_alive_finds_a_silence_in_which_nothing_was_sent) {
  in_virtual_time(
      [] {
        SimWorld world;
        const KeepAlive keep_alive{.idle = 2s, .interval = 1s, .count = 3};
        const SimPair pair(world, {.stream = {.keep_alive = keep_alive}});
        world.partition("till", "shop");
        const Failure failure = failure_of(*pair.client);
        EXPECT_EQ(failure.message, "receive: Connection timed out");
        EXPECT_GE(failure.after, 4900ms);
        EXPECT_LT(failure.after, 5100ms);
        std::array<char, 8> buffer{};
        EXPECT_EQ(pair.server->read(buffer, rt::Deadline::after(10s)).error().code(),
                  Code::deadline_exceeded);  // without keep-alive it never learns
      },
      5ms);
}

TEST(SimPartition, one_way_lets_the_other_direction_flow) {
  in_virtual_time([] {
    SimWorld world;
    const SimPair pair(world);
    world.block("till", "shop");
    EXPECT_TRUE(pair.server->write("still here").is_ok());
    EXPECT_EQ(read_exactly(*pair.client, 10), "still here");
    EXPECT_TRUE(pair.client->write("held").is_ok());
    std::array<char, 8> buffer{};
    EXPECT_EQ(pair.server->read(buffer, rt::Deadline::after(20ms)).error().code(),
              Code::deadline_exceeded);
    world.unblock("till", "shop");
    EXPECT_EQ(read_exactly(*pair.server, 4), "held");
  });
}

TEST(SimPartition, a_dial_tries_until_connect_timeout_and_succeeds_after_a_short_one) {
  for (const Duration timeout : {20ms, 60ms}) {
    in_virtual_time([timeout] {
      SimWorld world({.connect_timeout = timeout});
      const SimPair pair(world);
      world.isolate("shop");
      const Instant began = rt::now();
      const auto stream = pair.client_node.dial(pair.server_node.address(80));
      EXPECT_EQ(stream.error().message(), "dial tcp://10.0.0.2:80: connect: Connection timed out");
      EXPECT_EQ(stream.error().code(), Code::unavailable);
      EXPECT_LT(rt::now() - began, timeout + 5ms);
      EXPECT_GE(rt::now() - began, timeout);
      rt::Scope scope;
      scope.go("dial", [&] { EXPECT_TRUE(pair.client_node.dial(pair.server_node.address(80))); });
      EXPECT_EQ(rt::sleep(10ms), Status());
      world.heal();
    });
  }
}

TEST(SimCrash, the_other_side_reads_what_was_sent_up_to_a_point_and_then_a_reset) {
  std::size_t least = 100;
  std::size_t most = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    in_virtual_time([&] {
      SimWorld world({.seed = seed, .link = {.max_packet = 1}});
      const SimPair pair(world);
      EXPECT_TRUE(pair.server->write(std::string(100, 'x')).is_ok());
      world.crash("shop");
      Status how;
      const std::size_t came = read_to_end(*pair.client, how).size();
      EXPECT_EQ(how.message(), "receive: Connection reset by peer");
      least = std::min(least, came);
      most = std::max(most, came);
    });
  }
  EXPECT_LT(least, 30u);
  EXPECT_GT(most, 70u);
}

TEST(SimCrash, ends_the_nodes_own_streams_listeners_and_fibers) {
  in_virtual_time([] {
    SimWorld world;
    const SimPair pair(world);
    rt::Scope node(pair.server_node.context());
    node.go("accept",
            [&] { EXPECT_EQ(pair.listener->accept().error().message(), "node shop crashed"); });
    node.go("read", [&] {
      std::array<char, 8> buffer{};
      EXPECT_EQ(pair.server->read(buffer).error().code(), Code::unavailable);
    });
    node.go("sleep", [&] { EXPECT_EQ(rt::sleep(24h).code(), Code::unavailable); });
    EXPECT_EQ(rt::sleep(1ms), Status());
    world.crash("shop");
    node.join();
    EXPECT_FALSE(pair.server_node.is_up());
    EXPECT_EQ(pair.server->write("x").message(), "node shop crashed");
    EXPECT_EQ(pair.server_node.listen(any_on(81)).error().message(),
              "listen on tcp://0.0.0.0:81: node shop is down");
    EXPECT_EQ(pair.client_node.dial(pair.server_node.address(80)).error().message(),
              "dial tcp://10.0.0.2:80: connect: Connection refused");
  });
}

TEST(SimCrash, a_node_that_is_restarted_begins_anew_and_its_old_fibers_are_kept_out) {
  in_virtual_time([] {
    SimWorld world;
    const SimPair pair(world);
    SimNode& shop = pair.server_node;
    rt::Event restarted;
    const rt::Context old_life = shop.context();
    rt::Scope old(old_life);
    old.go("zombie", [&] {
      while (!restarted.is_set()) rt::yield();
      EXPECT_EQ(shop.listen(any_on(80)).error().message(),
                "listen on tcp://0.0.0.0:80: node shop was restarted; this fiber is from before");
    });
    world.crash("shop");
    world.restart("shop");
    restarted.set();
    old.join();
    EXPECT_TRUE(shop.is_up());
    EXPECT_TRUE(shop.context().status().is_ok());
    EXPECT_FALSE(old_life.status().is_ok());
    EXPECT_EQ(pair.client_node.dial(shop.address(80)).error().code(), Code::unavailable);
    rt::Scope scope(shop.context());
    scope.go("listen", [&] {
      const auto listener = shop.listen(any_on(80));
      ASSERT_TRUE(listener) << listener.error();
      EXPECT_TRUE((*listener)->accept());
    });
    EXPECT_EQ(rt::sleep(1ms), Status());
    EXPECT_TRUE(pair.client_node.dial(shop.address(80)));
    scope.join();
  });
}

TEST(SimCrash, a_machine_without_power_is_silent_until_it_is_back) {
  in_virtual_time([] {
    SimWorld world({.connect_timeout = 30ms});
    const SimPair pair(world);
    world.crash("shop", Crash::machine);
    std::array<char, 8> buffer{};
    EXPECT_TRUE(pair.client->write("anyone?").is_ok());
    EXPECT_EQ(pair.client->read(buffer, rt::Deadline::after(20ms)).error().code(),
              Code::deadline_exceeded);
    EXPECT_EQ(pair.client_node.dial(pair.server_node.address(80)).error().message(),
              "dial tcp://10.0.0.2:80: connect: Connection timed out");
    world.restart("shop");
    EXPECT_EQ(failure_of(*pair.client).message, "receive: Connection reset by peer");
  });
}

TEST(SimCrash, a_machine_that_stays_away_breaks_who_waits_for_it) {
  in_virtual_time([] {
    SimWorld world({.transfer_timeout = 40ms});
    const SimPair pair(world);
    EXPECT_TRUE(pair.client->write("anyone?").is_ok());
    world.crash("shop", Crash::machine);
    EXPECT_EQ(failure_of(*pair.client).message, "receive: Connection timed out");
    EXPECT_EQ(rt::sleep(1ms), Status());
    EXPECT_EQ(world.open_connections(), 0u);
  });
}

TEST(SimCrash, a_machine_that_goes_while_it_dials_leaves_nothing_for_ever) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    in_virtual_time([seed] {
      SimWorld world({.seed = seed, .link = {.latency = 1ms}, .connect_timeout = 30ms});
      SimNode& shop = world.node("shop");
      const auto listener = *shop.listen(any_on(80), {.backlog = 0});
      rt::Scope scope;
      scope.go("dial", [&] {
        EXPECT_EQ(world.node("till").dial(shop.address(80)).error().message(),
                  "dial tcp://10.0.0.1:80: node till crashed");
      });
      EXPECT_EQ(rt::sleep(seed % 2 == 0 ? 500us : 1500us), Status());
      world.crash("till", Crash::machine);
      scope.join();
      EXPECT_EQ(rt::sleep(50ms), Status());
      EXPECT_EQ(world.open_connections(), 0u);
      EXPECT_TRUE(world.node("office").dial(shop.address(80)));  // there is room for it
    });
  }
}

TEST(SimStream, reset_at_end_resets_instead_of_finishing) {
  for (const bool reset : {false, true}) {
    in_virtual_time([reset] {
      SimWorld world;
      SimPair pair(world, {.stream = {.reset_at_end = reset}});
      pair.client.reset();
      EXPECT_EQ(failure_of(*pair.server).message, reset ? "receive: Connection reset by peer" : "");
      EXPECT_EQ(world.counts().resets, reset ? 1u : 0u);
    });
  }
}

}  // namespace
}  // namespace parley::net
