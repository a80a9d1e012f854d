#include "parley/peer/endpoints.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "parley/net/network.h"
#include "parley/net/sim_network.h"
#include "parley/net/testing/free_address.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"
#include "parley/wire/parley_framing.h"

namespace parley {
namespace {

using testing::Log;
using testing::raw_only;
using namespace std::chrono_literals;

// What a network was told about its sockets.
class Told final : public net::Network {
 public:
  Result<std::unique_ptr<net::Listener>> listen(const net::Address& address,
                                                const net::ListenOptions& options) override {
    listened = options;
    return tcp_.listen(address, options);
  }
  Result<std::unique_ptr<net::Stream>> dial(const net::Address& address, rt::Deadline deadline,
                                            const net::DialOptions& options) override {
    dialled = options;
    return tcp_.dial(address, deadline, options);
  }

  net::ListenOptions listened;
  net::DialOptions dialled;

 private:
  net::TcpNetwork tcp_;
};

struct Square {
  explicit Square(const PeerOptions& options = {}) : peer(options) {
    peer.handle("/square", [](int n) { return n * n; });
  }
  Peer peer;
};

PARLEY_PEER_TEST(Endpoints, a_peer_listens_on_several_networks_side_by_side) {
  net::SimWorld world;
  Square server;
  const auto tcp = server.peer.listen("tcp://127.0.0.1:0").value();
  const auto local = server.peer.listen(net::testing::free_unix_name().to_string()).value();
  const auto simulated =
      server.peer.listen("tcp://0.0.0.0:80", {.network = &world.node("shop")}).value();
  EXPECT_EQ(simulated.port, 80);
  Peer client;
  EXPECT_EQ(client.dial(tcp.to_string())->call<int>("/square", 2).value(), 4);
  EXPECT_EQ(client.dial(local.to_string())->call<int>("/square", 3).value(), 9);
  const DialOptions through{.network = &world.node("till")};
  EXPECT_EQ(client.dial("tcp://shop:80", through)->call<int>("/square", 4).value(), 16);
  EXPECT_EQ(server.peer.session_count(), 3U);
  client.close();  // before its network goes
  server.peer.close();
}

PARLEY_PEER_TEST(Endpoints, each_listener_speaks_its_own_framings) {
  Square server;
  const auto both = server.peer.listen("tcp://127.0.0.1:0").value().to_string();
  const auto raw = server.peer.listen("tcp://127.0.0.1:0", {.framings = raw_only()}).value();
  Peer client;
  EXPECT_EQ(client.dial(both)->call<int>("/square", 2).value(), 4);
  EXPECT_FALSE(client.dial(raw.to_string())->call<int>("/square", 2));
  const DialOptions speaking_raw{.framings = raw_only()};
  EXPECT_EQ(client.dial(both, speaking_raw)->call<int>("/square", 2).value(), 4);
  EXPECT_EQ(client.dial(raw.to_string(), speaking_raw)->call<int>("/square", 2).value(), 4);
}

PARLEY_PEER_TEST(Endpoints, a_session_dialled_with_another_framing_speaks_that) {
  Square server;
  const auto address = server.peer.listen("tcp://127.0.0.1:0").value().to_string();
  Peer client;
  const auto raw = client.dial(address, {.framings = raw_only()});
  EXPECT_EQ((raw->open<int, int>("/square").error().code()), Code::unimplemented);
  const auto parley = client.dial(
      address, {.framings = {std::make_shared<wire::ParleyFraming>(wire::ParleyLimits())}});
  EXPECT_TRUE((parley->open<int, int>("/square")));
}

PARLEY_PEER_TEST(Endpoints, socket_options_reach_the_listener_and_the_dialler) {
  Told told;
  Square server;
  Peer client;
  for (const bool no_delay : {true, false}) {
    const net::StreamOptions stream{.no_delay = no_delay};
    const auto address =
        server.peer
            .listen("tcp://127.0.0.1:0",
                    {.network = &told, .socket = {.backlog = no_delay ? 7 : 8, .stream = stream}})
            .value();
    EXPECT_EQ(told.listened.backlog, no_delay ? 7 : 8);
    EXPECT_EQ(told.listened.stream.no_delay, no_delay);
    const auto session =
        client.dial(address.to_string(), {.network = &told, .socket = {.stream = stream}});
    EXPECT_EQ(session->call<int>("/square", 2).value(), 4);
    EXPECT_EQ(told.dialled.stream.no_delay, no_delay);
  }
  client.close();
  server.peer.close();
}

PARLEY_PEER_TEST(Endpoints, the_file_of_a_unix_listener_has_the_mode_it_was_given) {
  Peer peer;
  for (const std::uint32_t mode : {0600U, 0666U}) {
    const std::string path = ::testing::TempDir() + "endpoints-" + std::to_string(::getpid()) +
                             "-" + std::to_string(mode);
    const auto address = peer.listen("unix://" + path, {.socket = {.file_mode = mode}});
    ASSERT_TRUE(address) << address.error();
    struct stat found{};
    ASSERT_EQ(::stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, mode);
    EXPECT_TRUE(peer.stop_listening(*address).is_ok());
    EXPECT_NE(::stat(path.c_str(), &found), 0);
  }
}

PARLEY_PEER_TEST(Endpoints, a_session_is_dialled_from_the_address_it_is_told) {
  Peer server;
  server.handle("/who", [](Context& context) { return context.session().remote_address(); });
  const auto address = server.listen("tcp://127.0.0.1:0").value().to_string();
  Peer client;
  for (const std::string from : {"127.0.0.2", "127.0.0.3"}) {
    const auto session = client.dial(
        address, {.socket = {.bind = net::Address::parse("tcp://" + from + ":0").value()}});
    EXPECT_EQ(session->call<std::string>("/who").value(), session->local_address());
    EXPECT_TRUE(session->local_address().starts_with("tcp://" + from + ":"));
  }
}

PARLEY_PEER_TEST(Endpoints, max_sessions_of_a_listener_leaves_the_others_alone) {
  Log log;
  Square server(PeerOptions{.log = [&](std::string_view line) { log.add(line); }});
  const auto one = server.peer.listen("tcp://127.0.0.1:0", {.max_sessions = 1}).value().to_string();
  const auto two = server.peer.listen("tcp://127.0.0.1:0", {.max_sessions = 2}).value().to_string();
  Peer client;
  const auto first = client.dial(one);
  EXPECT_EQ(first->call<int>("/square", 2).value(), 4);
  const auto second = client.dial(one);
  EXPECT_FALSE(second->call<int>("/square", 2));
  EXPECT_TRUE(log.has("ListenOptions::max_sessions: 1 "));
  // The other one has its own.
  const auto third = client.dial(two);
  EXPECT_EQ(third->call<int>("/square", 2).value(), 4);
  const auto fourth = client.dial(two);
  EXPECT_EQ(fourth->call<int>("/square", 2).value(), 4);
  EXPECT_FALSE(client.dial(two)->call<int>("/square", 2));
  // One that has ended makes room.
  first->close();
  while (server.peer.session_count() > 2) rt::yield();
  EXPECT_EQ(client.dial(one)->call<int>("/square", 2).value(), 4);
}

TEST(Endpoints, the_timeout_of_one_dial_is_its_own) {
  rt::testing::in_virtual_time([] {
    net::SimWorld world;
    (void)world.node("shop");
    net::SimNode& till = world.node("till");
    world.partition("till", "shop");
    Peer client(PeerOptions{.dial_timeout = 3s, .network = &till});
    const auto took = [&](const DialOptions& options) {
      const Instant begin = rt::now();
      EXPECT_EQ(client.dial("tcp://shop:80", options).error().code(), Code::not_sent);
      return rt::now() - begin;
    };
    EXPECT_GE(took({}), 3s);
    const Duration short_one = took({.timeout = 1s});
    EXPECT_GE(short_one, 1s);
    EXPECT_LT(short_one, 2s);
    client.close();
  });
}

PARLEY_PEER_TEST(Endpoints, stopping_a_listener_leaves_its_sessions_and_the_other_listeners) {
  Square server;
  const auto first = server.peer.listen("tcp://127.0.0.1:0").value();
  const auto second = server.peer.listen("tcp://127.0.0.1:0").value();
  Peer client;
  const auto session = client.dial(first.to_string());
  EXPECT_EQ(session->call<int>("/square", 2).value(), 4);
  EXPECT_TRUE(server.peer.stop_listening(first).is_ok());
  EXPECT_EQ(client.dial(first.to_string()).error().code(), Code::not_sent);
  EXPECT_EQ(session->call<int>("/square", 3).value(), 9);
  EXPECT_EQ(client.dial(second.to_string())->call<int>("/square", 4).value(), 16);
  EXPECT_EQ(server.peer.stop_listening(first).code(), Code::not_found);
  // The address is free again once the fiber that accepted has left.
  auto again = server.peer.listen(first.to_string());
  while (!again) again = server.peer.listen(first.to_string());
  EXPECT_EQ(client.dial(first.to_string())->call<int>("/square", 5).value(), 25);
}

}  // namespace
}  // namespace parley
