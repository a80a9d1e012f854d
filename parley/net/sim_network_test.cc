#include "parley/net/sim_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "parley/net/shards.h"
#include "parley/net/testing/sim_pair.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using rt::testing::in_virtual_time;
using testing::any_on;
using testing::read_exactly;
using testing::read_to_end;
using testing::SimPair;

// A link that does nothing unless told.
constexpr LinkOptions plain{.latency = 0ms, .jitter = 0ms};

Duration time_of(const std::function<void()>& act) {
  const Instant began = rt::now();
  act();
  return rt::now() - began;
}

// When each of ten bytes that left together came.
std::vector<Duration> arrivals(const LinkOptions& link) {
  std::vector<Duration> times;
  in_virtual_time([&] {
    SimWorld world({.link = link, .short_write_chance = 0});
    const SimPair pair(world);
    const Instant began = rt::now();
    EXPECT_TRUE(pair.client->write("0123456789").is_ok());
    for (char digit = '0'; digit <= '9'; ++digit) {
      EXPECT_EQ(read_exactly(*pair.server, 1), std::string(1, digit));
      times.push_back(rt::now() - began);
    }
  });
  return times;
}

TEST(SimLink, latency_is_what_a_byte_takes_one_way) {
  for (const Duration latency : {3ms, 9ms}) {
    const auto times = arrivals({.latency = latency, .jitter = 0ms});
    EXPECT_GE(times.front(), latency);
    EXPECT_LT(times.back(), latency + 1ms);
  }
}

TEST(SimLink, jitter_spreads_arrivals_and_keeps_their_order) {
  const auto even = arrivals({.latency = 1ms, .jitter = 0ms, .max_packet = 1});
  EXPECT_EQ(even.front(), even.back());
  const auto uneven = arrivals({.latency = 1ms, .jitter = 20ms, .max_packet = 1});
  EXPECT_GT(uneven.back() - uneven.front(), 3ms);
  EXPECT_LE(uneven.back(), 22ms);
}

TEST(SimLink, directions_are_set_apart) {
  in_virtual_time([] {
    SimWorld world({.link = plain});
    const SimPair pair(world);
    world.set_link("till", "shop", {.latency = 10ms, .jitter = 0ms});
    const auto there = [&] {
      EXPECT_TRUE(pair.client->write("x").is_ok());
      (void)read_exactly(*pair.server, 1);
    };
    const auto back = [&] {
      EXPECT_TRUE(pair.server->write("x").is_ok());
      (void)read_exactly(*pair.client, 1);
    };
    EXPECT_GE(time_of(there), 10ms);
    EXPECT_LT(time_of(back), 1ms);
    world.set_links("till", "shop", {.latency = 5ms, .jitter = 0ms});
    EXPECT_LT(time_of(there), 10ms);
    EXPECT_GE(time_of(back), 5ms);
  });
}

TEST(SimLink, bytes_per_second_bound_what_all_connections_of_a_link_move) {
  const auto time_for = [](std::uint64_t bytes_per_second, int connections) {
    Duration took{};
    in_virtual_time([&] {
      SimWorld world(
          {.link = {.latency = 0ms, .jitter = 0ms, .bytes_per_second = bytes_per_second}});
      const SimPair pair(world);
      const std::string half(50'000, 'b');
      took = time_of([&] {
        rt::Scope scope;
        for (int i = 0; i < connections; ++i) {
          scope.go("pair", [&] {
            const auto client = *pair.client_node.dial(pair.server_node.address(80));
            const auto server = *pair.listener->accept();
            rt::Scope writing;
            writing.go("writer", [&] { EXPECT_TRUE(client->write(half).is_ok()); });
            (void)read_exactly(*server, half.size());
          });
        }
      });
    });
    return took;
  };
  EXPECT_NEAR(static_cast<double>(time_for(1'000'000, 1).count()), 50e6, 2e6);
  EXPECT_NEAR(static_cast<double>(time_for(5'000'000, 1).count()), 10e6, 2e6);
  EXPECT_NEAR(static_cast<double>(time_for(1'000'000, 2).count()), 100e6, 2e6);
}

TEST(SimLink, max_packet_bounds_the_packets_of_a_write) {
  const auto packets_for = [](std::size_t max_packet) {
    std::uint64_t packets = 0;
    in_virtual_time([&] {
      SimWorld world({.link = {.max_packet = max_packet}, .short_write_chance = 0});
      const SimPair pair(world);
      EXPECT_TRUE(pair.client->write(std::string(1000, 'p')).is_ok());
      (void)read_exactly(*pair.server, 1000);
      packets = world.counts().packets;
      EXPECT_EQ(world.counts().bytes, 1000u);
    });
    return packets;
  };
  EXPECT_EQ(packets_for(1), 1000u);
  EXPECT_LT(packets_for(1000), 40u);
}

TEST(SimOptions, short_reads_and_writes_come_as_often_as_told) {
  for (const double chance : {0.0, 1.0}) {
    in_virtual_time([chance] {
      SimWorld world({.link = plain, .short_read_chance = chance, .short_write_chance = chance});
      const SimPair pair(world);
      std::array<char, 4096> buffer{};
      int whole_reads = 0;
      int whole_writes = 0;
      for (int i = 0; i < 20; ++i) {
        const std::string text(1000, 's');
        const auto taken = *pair.client->write_some(text);
        whole_writes += taken == text.size() ? 1 : 0;
        EXPECT_EQ(rt::sleep(1ms), Status());
        const auto given = *pair.server->read(buffer);
        whole_reads += given == taken ? 1 : 0;
        if (given != taken) (void)read_exactly(*pair.server, taken - given);
      }
      EXPECT_EQ(whole_writes == 20, chance == 0.0) << whole_writes;
      EXPECT_EQ(whole_reads == 20, chance == 0.0) << whole_reads;
    });
  }
}

TEST(SimOptions, a_short_read_gives_no_less_than_peek_has_shown) {
  in_virtual_time([] {
    SimWorld world({.link = plain, .short_read_chance = 1});
    const SimPair pair(world);
    std::array<char, 50> buffer{};
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(pair.client->write(std::string(100, 's')).is_ok());
      EXPECT_EQ(*pair.server->peek(buffer, 50), 50u);
      EXPECT_EQ(*pair.server->read(buffer), 50u);
      (void)read_exactly(*pair.server, 50);
    }
  });
}

// Bytes a writer gets rid of while nobody reads.
std::size_t taken_without_a_reader(const SimOptions& options, const DialOptions& dialling,
                                   const ListenOptions& listening) {
  std::size_t taken = 0;
  in_virtual_time([&] {
    SimWorld world(options);
    const SimPair pair(world, dialling, listening);
    for (;;) {
      const auto size = pair.client->write_some(std::string(1000, 't'), rt::Deadline::after(5ms));
      if (!size) break;
      taken += *size;
    }
    EXPECT_EQ(read_exactly(*pair.server, taken).size(), taken);
    EXPECT_TRUE(pair.client->write("goes on", rt::Deadline::after(5ms)).is_ok());
  });
  return taken;
}

TEST(SimOptions, a_slow_reader_stops_the_writer_where_the_buffers_end) {
  EXPECT_EQ(taken_without_a_reader({.send_buffer = 1000, .receive_buffer = 500}, {}, {}), 1500u);
  EXPECT_EQ(taken_without_a_reader({.send_buffer = 1, .receive_buffer = 7000}, {}, {}), 7001u);
  EXPECT_EQ(taken_without_a_reader({}, {.stream = {.send_buffer = 2000}},
                                   {.stream = {.receive_buffer = 3000}}),
            5000u);
}

TEST(SimOptions, max_connections_bounds_what_is_open) {
  for (const std::size_t most : {1, 2}) {
    in_virtual_time([most] {
      SimWorld world({.max_connections = most});
      const SimPair pair(world);
      const auto second = pair.client_node.dial(pair.server_node.address(80));
      EXPECT_EQ(second.error().code(), most == 2 ? Code::ok : Code::resource_exhausted);
    });
  }
}

TEST(SimOptions, the_observer_is_told_what_happens) {
  std::vector<std::string> seen;
  in_virtual_time([&] {
    const auto observer = [&seen](const SimEvent& event) {
      seen.push_back(std::string(event.what) + " " + std::string(event.from) + " " +
                     std::string(event.to) + " " + std::to_string(event.connection) + " " +
                     std::to_string(event.bytes));
    };
    SimWorld world({.short_write_chance = 0, .observer = observer});
    SimPair pair(world);
    EXPECT_TRUE(pair.client->write("x").is_ok());
    (void)read_exactly(*pair.server, 1);
    EXPECT_TRUE(pair.client->close_write().is_ok());
    Status how;
    (void)read_to_end(*pair.server, how);
    world.block("shop", "till");
    world.unblock("shop", "till");
    world.crash("till");
    world.restart("till");
  });
  const std::vector<std::string> expected{
      "syn till shop 1 0",   "connected till shop 1 0", "data till shop 1 1", "end till shop 1 0",
      "block shop till 0 0", "unblock shop till 0 0",   "crash till  0 0",    "restart till  0 0"};
  EXPECT_EQ(seen, expected);
}

TEST(SimNames, a_node_is_dialled_by_name_and_by_its_addresses) {
  in_virtual_time([] {
    SimWorld world;
    SimNode& shop = world.node("shop");
    SimNode& till = world.node("till");
    EXPECT_EQ(&world.node("shop"), &shop);
    const auto listener = *shop.listen(*Address::parse("tcp://[::]:80"));
    for (const char* text : {"tcp://shop:80", "tcp://10.0.0.1:80", "tcp://[fd00::1]:80"}) {
      const auto stream = till.dial(*Address::parse(text));
      ASSERT_TRUE(stream) << stream.error();
      EXPECT_NE((*stream)->remote_address().host, "shop");
      EXPECT_TRUE((*listener->accept())->write("hello").is_ok());
      EXPECT_EQ(read_exactly(**stream, 5), "hello");
    }
    EXPECT_TRUE(shop.dial(*Address::parse("tcp://127.0.0.1:80")));
    EXPECT_TRUE(shop.dial(*Address::parse("tcp://[::1]:80")));
    EXPECT_EQ(till.dial(*Address::parse("tcp://127.0.0.1:80")).error().message(),
              "dial tcp://127.0.0.1:80: connect: Connection refused");
    EXPECT_EQ(till.dial(*Address::parse("tcp://stall:80")).error().code(), Code::not_found);
    EXPECT_EQ(till.dial(*Address::parse("tcp://10.9.9.9:80")).error().message(),
              "dial tcp://10.9.9.9:80: connect: No route to host");
    EXPECT_EQ(till.listen(*Address::parse("tcp://10.0.0.1:80")).error().code(),
              Code::invalid_argument);
  });
}

TEST(SimNames, every_node_up_to_the_limit_has_addresses_of_its_own) {
  in_virtual_time([] {
    SimWorld world;
    const auto name_of = [](std::size_t number) { return "n" + std::to_string(number); };
    for (std::size_t number = 1; number <= max_sim_nodes; ++number) world.node(name_of(number));
    EXPECT_EQ(world.node("n300").address(80), *Address::parse("tcp://10.0.1.44:80"));
    EXPECT_EQ(world.node("n4096").address(80), *Address::parse("tcp://10.0.16.0:80"));
    const auto listener = *world.node("n300").listen(*Address::parse("tcp://[fd00::12c]:80"));
    EXPECT_TRUE(world.node("n4096").dial(listener->address()));
    EXPECT_EQ((*listener->accept())->remote_address().host, "fd00::1000");
  });
}

TEST(SimNames, unix_addresses_are_the_nodes_own) {
  in_virtual_time([] {
    SimWorld world;
    const Address address = *Address::parse("unix:///run/shop.sock");
    const auto listener = *world.node("shop").listen(address);
    EXPECT_TRUE(world.node("shop").dial(address));
    EXPECT_EQ(world.node("till").dial(address).error().code(), Code::unavailable);
    EXPECT_TRUE(world.node("till").listen(address));
    EXPECT_EQ(world.node("shop").listen(address).error().code(), Code::already_exists);
  });
}

TEST(SimListen, a_wildcard_and_an_address_share_no_port_unless_told) {
  in_virtual_time([] {
    SimWorld world;
    SimNode& shop = world.node("shop");
    const auto any = *shop.listen(any_on(80));
    EXPECT_EQ(shop.listen(shop.address(80)).error().code(), Code::already_exists);
    EXPECT_EQ(shop.listen(*Address::parse("tcp://[::]:80")).error().code(), Code::already_exists);
    EXPECT_TRUE(shop.listen(*Address::parse("tcp://[::]:80"), {.v6_only = true}));
    const auto one = *shop.listen(any_on(0));
    const auto two = *shop.listen(any_on(0));
    EXPECT_NE(one->address().port, two->address().port);
  });
}

TEST(SimListen, listeners_with_reuse_port_share_the_connections) {
  in_virtual_time([] {
    SimWorld world;
    auto shards = listen_shards(world.node("shop"), any_on(80), 2);
    ASSERT_TRUE(shards) << shards.error();
    std::vector<std::unique_ptr<Stream>> streams;
    for (int i = 0; i < 20; ++i) {
      streams.push_back(*world.node("till").dial(world.node("shop").address(80)));
    }
    std::size_t shares[2] = {0, 0};
    for (const std::size_t i : {0, 1}) {
      while ((*shards)[i]->accept(rt::Deadline::after(2ms))) ++shares[i];
    }
    EXPECT_EQ(shares[0] + shares[1], 20u);
    EXPECT_GT(shares[0], 2u);
    EXPECT_GT(shares[1], 2u);
  });
}

TEST(SimListen, who_finds_the_queue_full_is_let_in_when_there_is_room) {
  in_virtual_time(
      [] {
        SimWorld world;
        const auto listener = *world.node("shop").listen(any_on(80), {.backlog = 0});
        const Address address = world.node("shop").address(80);
        const auto first = *world.node("till").dial(address);
        rt::Scope scope;
        scope.go("second", [&] { EXPECT_TRUE(world.node("till").dial(address)); });
        EXPECT_EQ(rt::sleep(500ms), Status());
        EXPECT_TRUE(listener->accept());
        scope.join();
      },
      5ms);
}

TEST(SimListen, defer_accept_waits_for_the_first_bytes) {
  for (const int seconds : {0, 1}) {
    in_virtual_time(
        [seconds] {
          SimWorld world;
          const auto listener =
              *world.node("shop").listen(any_on(80), {.defer_accept = 1s * seconds});
          const auto silent = *world.node("till").dial(world.node("shop").address(80));
          EXPECT_EQ(time_of([&] { EXPECT_TRUE(listener->accept()); }) > 900ms, seconds == 1);
          const auto talker = *world.node("till").dial(world.node("shop").address(80));
          EXPECT_TRUE(talker->write("hello").is_ok());
          EXPECT_LT(time_of([&] { EXPECT_TRUE(listener->accept()); }), 500ms);
        },
        5ms);
  }
}

TEST(SimDial, binds_to_the_address_asked_for) {
  in_virtual_time([] {
    SimWorld world;
    SimNode& till = world.node("till");
    const auto listener = *world.node("shop").listen(any_on(80));
    const Address shop = world.node("shop").address(80);
    const auto stream = till.dial(shop, {}, {.bind = till.address(7)});
    ASSERT_TRUE(stream) << stream.error();
    EXPECT_EQ((*listener->accept())->remote_address(), till.address(7));
    EXPECT_EQ(till.dial(shop, {}, {.bind = till.address(7)}).error().code(), Code::already_exists);
    EXPECT_EQ(till.dial(shop, {}, {.bind = shop}).error().code(), Code::invalid_argument);
    EXPECT_EQ(till.dial(shop, {}, {.bind = *Address::parse("tcp://[::1]:7")}).error().code(),
              Code::invalid_argument);
    EXPECT_EQ(till.dial(shop, {}, {.stream = {.keep_alive = KeepAlive{.count = 0}}}).error().code(),
              Code::invalid_argument);
  });
}

TEST(SimWorld, forgets_connections_that_both_sides_have_left) {
  in_virtual_time([] {
    SimWorld world;
    for (int i = 0; i < 3; ++i) {
      SimPair pair(world);
      EXPECT_EQ(world.open_connections(), 1u);
      EXPECT_TRUE(pair.client->write("x").is_ok());
      (void)read_exactly(*pair.server, 1);
      pair.client.reset();
      pair.server.reset();
      pair.listener.reset();
      EXPECT_EQ(rt::sleep(10ms), Status());
      EXPECT_EQ(world.open_connections(), 0u);
    }
    EXPECT_EQ(world.counts().connections, 3u);
    EXPECT_EQ(world.counts().dials, 3u);
    EXPECT_EQ(world.counts().resets, 0u);
  });
}

TEST(SimWorld, streams_and_listeners_outlive_it_broken) {
  in_virtual_time([] {
    std::unique_ptr<Stream> stream;
    std::unique_ptr<Listener> listener;
    rt::Scope scope;
    {
      SimWorld world;
      SimPair pair(world);
      stream = std::move(pair.client);
      listener = std::move(pair.listener);
      scope.go("accept", [&] { EXPECT_EQ(listener->accept().error().code(), Code::unavailable); });
      rt::yield();
    }
    EXPECT_EQ(stream->write("x").message(), "the simulated world has ended");
  });
}

// A scenario with a bit of everything; what it came to.
std::uint64_t fingerprint_with(std::uint64_t seed) {
  std::uint64_t fingerprint = 0;
  in_virtual_time([&] {
    SimWorld world(
        {.seed = seed, .link = {.bytes_per_second = 10'000'000, .mean_bytes_to_cut = 100'000}});
    const auto listener = *world.node("shop").listen(any_on(80));
    rt::Scope scope(rt::OnExit::cancel);
    scope.go("shop", [&] {
      rt::Scope serving;
      while (auto stream = listener->accept()) {
        serving.go("serve", [stream = std::shared_ptr<Stream>(*std::move(stream))] {
          Status how;
          (void)stream->write(read_to_end(*stream, how));
        });
      }
    });
    rt::Scope tills;
    for (const char* name : {"a", "b", "c"}) {
      tills.go("till", [&world, name] {
        for (int i = 0; i < 5; ++i) {
          auto stream = world.node(name).dial(*Address::parse("tcp://shop:80"));
          if (!stream) continue;
          Status how = (*stream)->write(std::string(20'000, 'q'));
          (void)(*stream)->close_write();
          (void)read_to_end(**stream, how);
        }
      });
    }
    tills.join();
    EXPECT_GT(world.counts().cuts, 0u);
    listener->close();
    fingerprint = world.fingerprint();
  });
  return fingerprint;
}

TEST(SimWorld, the_same_seed_gives_the_same_events_and_another_seed_others) {
  std::set<std::uint64_t> different;
  for (const std::uint64_t seed : {1, 2, 3}) {
    const std::uint64_t fingerprint = fingerprint_with(seed);
    EXPECT_EQ(fingerprint_with(seed), fingerprint) << seed;
    different.insert(fingerprint);
  }
  EXPECT_EQ(different.size(), 3u);
}

TEST(SimWorld, options_out_of_range_are_named) {
  const auto world_with = [](const SimOptions& options) {
    in_virtual_time([&] { const SimWorld world(options); });
  };
  EXPECT_DEATH(world_with({.link = {.latency = -1ms}}), "LinkOptions::latency");
  EXPECT_DEATH(world_with({.link = {.max_packet = 0}}), "LinkOptions::max_packet");
  EXPECT_DEATH(world_with({.short_read_chance = 1.5}), "SimOptions::short_read_chance");
  EXPECT_DEATH(world_with({.send_buffer = 0}), "SimOptions::send_buffer");
  EXPECT_DEATH(in_virtual_time([] { (void)SimWorld().node("Bad Name"); }), "the name of a node");
  EXPECT_DEATH(in_virtual_time([] { SimWorld().crash("nobody"); }), "no node of the simulated");
  const auto too_many = [] {
    SimWorld world;
    for (std::size_t i = 0; i <= max_sim_nodes; ++i) world.node(std::to_string(i));
  };
  EXPECT_DEATH(in_virtual_time(too_many), "at most max_sim_nodes");
}

}  // namespace
}  // namespace parley::net
