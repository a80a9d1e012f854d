#include <algorithm>
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

PARLEY_FIBER_TEST(Tcp, who_reads_what_is_always_there_gives_way_to_others) {
  const Pair pair = connect();
  rt::Scope scope;
  // As much as the kernel holds: a byte at a time, none of the reads waits.
  std::size_t there = 0;
  const std::string piece(16384, 'x');
  while (const auto size = pair.client->write_some(piece, rt::Deadline::after(50ms))) {
    there += *size;
  }
  std::size_t read = 0;
  std::size_t read_when_other_ran = 0;
  scope.go("other", [&] { read_when_other_ran = read; });
  char byte = 0;
  while (read + 1 < there) {
    ASSERT_TRUE(pair.server->read({&byte, 1}));
    ++read;
  }
  scope.join();
  EXPECT_LT(read_when_other_ran, read);
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

PARLEY_FIBER_TEST(Tcp, close_ends_who_writes_on_the_other_side_while_the_closed_stream_lives_on) {
  const Pair pair = connect();
  rt::Scope scope;
  scope.go("writer", [&] {
    const std::string much(64 << 20, 'm');
    EXPECT_EQ(pair.client->write(much).code(), Code::unavailable);
  });
  std::array<char, 16> buffer{};
  EXPECT_EQ(*pair.server->read(buffer), 16u);
  EXPECT_EQ(pair.client->read(buffer, rt::Deadline::after(5ms)).error().code(),
            Code::deadline_exceeded);  // by then the writer waits
  pair.server->close();
  scope.join();
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

PARLEY_FIBER_TEST(Tcp, one_connection_after_the_other_wakes_accept) {
  TcpNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  rt::Scope scope;
  scope.go("accept", [&] {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE((*listener)->accept());
  });
  for (int i = 0; i < 20; ++i) {
    while ((*listener)->counts().accepted != static_cast<std::uint64_t>(i)) rt::yield();
    EXPECT_TRUE(network.dial((*listener)->address()));
  }
}

PARLEY_FIBER_TEST(Tcp, closing_a_listener_wakes_every_accept_and_refuses_who_waits) {
  TcpNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  const Address address = (*listener)->address();
  rt::Scope scope;
  for (int i = 0; i < 5; ++i) {
    scope.go("accept", [&] { EXPECT_EQ((*listener)->accept().error().code(), Code::unavailable); });
  }
  rt::yield();
  (*listener)->close();
  scope.join();
  EXPECT_EQ(network.dial(address).error().code(), Code::unavailable);
  EXPECT_EQ((*listener)->accept().error().message(), "the listener is closed");
}

PARLEY_FIBER_TEST(Tcp, listening_and_dialling_refuse_what_they_do_not_support) {
  TcpNetwork network;
  const auto name = *Address::parse("tcp://shop.example:80");
  EXPECT_EQ(network.listen(name).error().message(),
            "listen on tcp://shop.example:80: a listener takes a numeric address or localhost, not "
            "a name");
  const auto udp = *Address::parse("udp://127.0.0.1:80");
  EXPECT_EQ(network.listen(udp).error().code(), Code::invalid_argument);
  EXPECT_EQ(network.dial(udp).error().code(), Code::invalid_argument);
}

PARLEY_FIBER_TEST(Tcp, peeking_leaves_the_bytes_to_be_read) {
  const Pair pair = connect();
  std::array<char, 16> buffer{};
  EXPECT_EQ(pair.server->peek(buffer, 1, rt::Deadline::after(1ms)).error().code(),
            Code::deadline_exceeded);
  rt::Scope scope;
  scope.go("peek", [&] {
    EXPECT_EQ(*pair.server->peek(buffer, 3), 3u);
    EXPECT_EQ(std::string(buffer.data(), 3), "GET");
  });
  for (const char* letter : {"G", "E", "T"}) {
    EXPECT_TRUE(pair.client->write(letter).is_ok());
    rt::yield();
  }
  scope.join();
  EXPECT_EQ(*pair.server->peek(buffer), 3u);
  std::array<char, 2> two{};
  EXPECT_EQ(*pair.server->peek(two, 2), 2u);
  EXPECT_EQ(*pair.server->read(buffer), 3u);
}

PARLEY_FIBER_TEST(Tcp, peeking_for_more_than_will_ever_come_ends_with_the_stream) {
  Pair pair = connect();
  std::array<char, 16> buffer{};
  rt::Scope scope;
  scope.go("peek", [&] {
    EXPECT_EQ(*pair.server->peek(buffer, 10), 2u);
    EXPECT_EQ(*pair.server->read(buffer), 2u);
    EXPECT_EQ(*pair.server->peek(buffer, 10), 0u);
    pair.server->close();
    EXPECT_EQ(pair.server->peek(buffer).error().code(), Code::unavailable);
  });
  EXPECT_TRUE(pair.client->write("ab").is_ok());
  rt::yield();
  EXPECT_TRUE(pair.client->close_write().is_ok());
}

PARLEY_FIBER_TEST(Tcp, writes_many_pieces_in_order) {
  const Pair pair = connect();
  std::string expected;
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i) texts.push_back(std::string(static_cast<std::size_t>(i), 'a'));
  std::vector<std::string_view> pieces;
  for (const std::string& text : texts) {
    pieces.push_back(text);
    expected += text;
  }
  rt::Scope scope;
  scope.go("writer", [&] {
    EXPECT_EQ(*pair.client->write_some_of({}), 0u);
    EXPECT_TRUE(pair.client->write_all_of(pieces).is_ok());
    EXPECT_TRUE(pair.client->close_write().is_ok());
  });
  EXPECT_TRUE(read_to_end(*pair.server) == expected);
}

// A stream that takes three bytes at a time and knows nothing but the minimum.
class Sluggish final : public Stream {
 public:
  Result<std::size_t> read(std::span<char>, rt::Deadline) override { return std::size_t{0}; }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline) override {
    text += from.substr(0, 3);
    return std::min<std::size_t>(from.size(), 3);
  }
  Status close_write() override { return {}; }
  void close() override {}
  [[nodiscard]] const Address& local_address() const override { return address; }
  [[nodiscard]] const Address& remote_address() const override { return address; }

  std::string text;
  Address address;
};

TEST(Stream, a_stream_without_a_way_of_its_own_writes_pieces_one_by_one) {
  Sluggish stream;
  const std::vector<std::string_view> pieces{"", "to", "", "parley", "is", "to speak"};
  EXPECT_EQ(*stream.write_some_of(pieces), 2u);
  stream.text.clear();
  EXPECT_TRUE(stream.write_all_of(pieces).is_ok());
  EXPECT_EQ(stream.text, "toparleyisto speak");
  std::array<char, 4> buffer{};
  EXPECT_EQ(stream.peek(buffer).error().code(), Code::unimplemented);
  EXPECT_EQ(stream.descriptor(), -1);
}

}  // namespace
}  // namespace parley::net
