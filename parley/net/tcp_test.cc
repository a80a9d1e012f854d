#include <sys/resource.h>

#include <array>
#include <string>
#include <vector>

#include "parley/net/network.h"
#include "parley/rt/context.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;

// Both ends of one connection.
struct Pair {
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
};

Pair connect() {
  TcpNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  Pair pair;
  pair.client = *network.dial((*listener)->address());
  pair.server = *(*listener)->accept();
  return pair;
}

std::string read_to_end(Stream& stream) {
  std::string text;
  std::array<char, 1000> buffer{};
  for (;;) {
    const auto size = stream.read(buffer);
    EXPECT_TRUE(size) << size.error();
    if (!size || *size == 0) return text;
    text.append(buffer.data(), *size);
  }
}

PARLEY_FIBER_TEST(Tcp, carries_bytes_both_ways_and_knows_both_addresses) {
  const Pair pair = connect();
  EXPECT_TRUE(pair.client->write("ping").is_ok());
  std::array<char, 16> buffer{};
  EXPECT_EQ(*pair.server->read(buffer), 4u);
  EXPECT_EQ(std::string(buffer.data(), 4), "ping");
  EXPECT_TRUE(pair.server->write("pong").is_ok());
  EXPECT_EQ(*pair.client->read(buffer), 4u);
  EXPECT_EQ(pair.client->local_address(), pair.server->remote_address());
  EXPECT_EQ(pair.server->local_address(), pair.client->remote_address());
}

PARLEY_FIBER_TEST(Tcp, half_close_ends_one_direction_only) {
  const Pair pair = connect();
  EXPECT_TRUE(pair.client->write("question").is_ok());
  EXPECT_TRUE(pair.client->close_write().is_ok());
  EXPECT_EQ(read_to_end(*pair.server), "question");
  EXPECT_TRUE(pair.server->write("answer").is_ok());
  EXPECT_TRUE(pair.server->close_write().is_ok());
  EXPECT_EQ(read_to_end(*pair.client), "answer");
}

PARLEY_FIBER_TEST(Tcp, a_writer_waits_for_a_slow_reader_and_loses_nothing) {
  const Pair pair = connect();
  const std::string much(8 << 20, 'm');
  rt::Scope scope;
  scope.go("writer", [&] {
    EXPECT_TRUE(pair.client->write(much).is_ok());
    EXPECT_TRUE(pair.client->close_write().is_ok());
  });
  EXPECT_TRUE(read_to_end(*pair.server) == much);
}

PARLEY_FIBER_TEST(Tcp, deadlines_end_a_read_and_a_write_without_breaking_the_stream) {
  const Pair pair = connect();
  std::array<char, 16> buffer{};
  EXPECT_EQ(pair.client->read(buffer, rt::Deadline::after(1ms)).error().code(),
            Code::deadline_exceeded);
  const std::string much(16 << 20, 'm');
  EXPECT_EQ(pair.client->write(much, rt::Deadline::after(5ms)).code(), Code::deadline_exceeded);
  EXPECT_TRUE(pair.server->write("still here").is_ok());
  EXPECT_EQ(*pair.client->read(buffer), 10u);
}

PARLEY_FIBER_TEST(Tcp, a_cancelled_context_ends_a_read) {
  const Pair pair = connect();
  rt::Scope scope;
  scope.go("reader", [&] {
    std::array<char, 16> buffer{};
    EXPECT_EQ(pair.client->read(buffer).error().code(), Code::cancelled);
  });
  rt::yield();
  scope.cancel();
}

PARLEY_FIBER_TEST(Tcp, close_wakes_reader_and_writer_and_ends_the_other_side) {
  const Pair pair = connect();
  rt::Scope scope;
  scope.go("reader", [&] {
    std::array<char, 16> buffer{};
    EXPECT_EQ(pair.client->read(buffer).error().code(), Code::unavailable);
  });
  scope.go("writer", [&] {
    const std::string much(64 << 20, 'm');
    EXPECT_EQ(pair.client->write(much).code(), Code::unavailable);
  });
  rt::yield();
  pair.client->close();
  pair.client->close();
  scope.join();
  EXPECT_EQ(pair.client->close_write().code(), Code::unavailable);
}

PARLEY_FIBER_TEST(Tcp, writing_to_who_is_gone_is_unavailable) {
  Pair pair = connect();
  pair.server.reset();
  Status status;
  while (status.is_ok()) status = pair.client->write("anyone?");
  EXPECT_EQ(status.code(), Code::unavailable);
}

PARLEY_FIBER_TEST(Tcp, dialling_where_nobody_listens_names_the_address) {
  TcpNetwork network;
  const auto stream = network.dial(*Address::parse("tcp://127.0.0.1:1"));
  EXPECT_EQ(stream.error().code(), Code::unavailable);
  EXPECT_EQ(stream.error().message(), "dial tcp://127.0.0.1:1: Connection refused");
}

PARLEY_FIBER_TEST(Tcp, a_dial_has_a_deadline) {
  // A listener whose queue is full makes the kernel ignore further connections.
  TcpNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"), {.backlog = 0});
  std::vector<std::unique_ptr<Stream>> queued;
  Status status;
  while (status.is_ok() && queued.size() < 100) {
    auto stream = network.dial((*listener)->address(), rt::Deadline::after(20ms));
    status = stream.error();
    if (stream) queued.push_back(*std::move(stream));
  }
  EXPECT_EQ(status.code(), Code::deadline_exceeded);
  EXPECT_GE(queued.size(), 1u);
}

PARLEY_FIBER_TEST(Tcp, a_larger_backlog_holds_more_waiting_connections) {
  TcpNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"), {.backlog = 50});
  std::vector<std::unique_ptr<Stream>> queued;
  for (int i = 0; i < 50; ++i) {
    auto stream = network.dial((*listener)->address(), rt::Deadline::after(1s));
    ASSERT_TRUE(stream) << stream.error();
    queued.push_back(*std::move(stream));
  }
}

PARLEY_FIBER_TEST(Tcp, listening_where_somebody_does_is_refused) {
  TcpNetwork network;
  auto first = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  const auto second = network.listen((*first)->address());
  EXPECT_EQ(second.error().code(), Code::already_exists);
  const auto foreign = network.listen(*Address::parse("tcp://192.0.2.1:80"));
  EXPECT_EQ(foreign.error().code(), Code::invalid_argument);
}

PARLEY_FIBER_TEST(Tcp, closing_a_listener_wakes_accept) {
  TcpNetwork network;
  auto listener = network.listen(*Address::parse("tcp://[::1]:0"));
  ASSERT_TRUE(listener) << listener.error();
  rt::Scope scope;
  scope.go("accept", [&] { EXPECT_EQ((*listener)->accept().error().code(), Code::unavailable); });
  rt::yield();
  EXPECT_EQ((*listener)->accept(rt::Deadline::after(1ms)).error().code(), Code::deadline_exceeded);
  (*listener)->close();
}

PARLEY_FIBER_TEST(Tcp, running_out_of_descriptors_is_said_and_passes) {
  TcpNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  auto client = network.dial((*listener)->address());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto refused = (*listener)->accept();
  const auto undialled = network.dial((*listener)->address());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(refused.error().code(), Code::resource_exhausted);
  EXPECT_EQ(undialled.error().code(), Code::resource_exhausted);
  EXPECT_TRUE((*listener)->accept());
}

}  // namespace
}  // namespace parley::net
