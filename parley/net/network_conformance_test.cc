// What every Network does, whatever stands behind it: the same bodies over the kernel's sockets,
// within one process and over a simulated world.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "parley/net/in_process_network.h"
#include "parley/net/sim_network.h"
#include "parley/net/testing/free_address.h"
#include "parley/rt/context.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;

// A network for who listens and one for who dials, and where to listen.
class Sides {
 public:
  virtual ~Sides() = default;
  virtual Network& server() = 0;
  virtual Network& client() = 0;
  virtual Address where() = 0;
};

class SocketSides final : public Sides {
 public:
  Network& server() override { return network_; }
  Network& client() override { return network_; }
  Address where() override { return *Address::parse("tcp://127.0.0.1:0"); }

 private:
  SocketNetwork network_;
};

class UnixSides final : public Sides {
 public:
  Network& server() override { return network_; }
  Network& client() override { return network_; }
  Address where() override { return where_; }

 private:
  SocketNetwork network_;
  const Address where_ = testing::free_unix_name();
};

class SimSides final : public Sides {
 public:
  explicit SimSides(const SimOptions& options) : world_(options) {}
  Network& server() override { return world_.node("server"); }
  Network& client() override { return world_.node("client"); }
  Address where() override { return world_.node("server").address(0); }

 private:
  SimWorld world_;
};

class SimUnixSides final : public Sides {
 public:
  Network& server() override { return world_.node("both"); }
  Network& client() override { return world_.node("both"); }
  Address where() override { return *Address::parse("unix:@shop"); }

 private:
  SimWorld world_;
};

class InProcessSides final : public Sides {
 public:
  Network& server() override { return network_; }
  Network& client() override { return network_; }
  Address where() override { return *Address::parse("inproc:shop"); }

 private:
  InProcessNetwork network_;
};

struct Maker {
  const char* name;
  std::unique_ptr<Sides> (*make)();
  std::size_t workers = 1;
};

const Maker makers[] = {
    {"sockets", [] { return std::unique_ptr<Sides>(new SocketSides); }},
    {"unix_sockets", [] { return std::unique_ptr<Sides>(new UnixSides); }},
    {"simulated", [] { return std::unique_ptr<Sides>(new SimSides({})); }},
    {"simulated_and_slow",
     [] {
       return std::unique_ptr<Sides>(
           new SimSides({.link = {.latency = 2ms, .jitter = 2ms, .bytes_per_second = 64 << 20}}));
     }},
    {"simulated_on_four_workers", [] { return std::unique_ptr<Sides>(new SimSides({})); }, 4},
    {"in_process", [] { return std::unique_ptr<Sides>(new InProcessSides); }},
    {"in_process_on_four_workers", [] { return std::unique_ptr<Sides>(new InProcessSides); }, 4},
    {"simulated_unix", [] { return std::unique_ptr<Sides>(new SimUnixSides); }},
};

class NetworkConformance : public ::testing::TestWithParam<Maker> {
 protected:
  // Runs `body` in a fiber with both ends of a connection.
  struct Pair {
    Sides& sides;
    std::unique_ptr<Listener> listener;
    std::unique_ptr<Stream> client;
    std::unique_ptr<Stream> server;
  };

  static void run(const std::function<void()>& body) {
    rt::testing::run_fiber_test(body, {.workers = GetParam().workers});
  }
  static void with_sides(void (*body)(Sides& sides)) {
    run([body] { body(*GetParam().make()); });
  }
  static void with_pair(void (*body)(Pair& pair)) {
    run([body] {
      const std::unique_ptr<Sides> sides = GetParam().make();
      Pair pair{*sides, nullptr, nullptr, nullptr};
      pair.listener = *sides->server().listen(sides->where());
      pair.client = *sides->client().dial(pair.listener->address());
      pair.server = *pair.listener->accept();
      body(pair);
    });
  }
};

INSTANTIATE_TEST_SUITE_P(Over, NetworkConformance, ::testing::ValuesIn(makers),
                         [](const auto& tested) { return std::string(tested.param.name); });

std::string read_to_end(Stream& stream) {
  std::string text;
  std::array<char, 5000> buffer{};
  for (;;) {
    const auto size = stream.read(buffer);
    EXPECT_TRUE(size) << size.error();
    if (!size || *size == 0) return text;
    text.append(buffer.data(), *size);
  }
}

std::string read_exactly(Stream& stream, std::size_t count) {
  std::string text(count, '\0');
  for (std::size_t at = 0; at < count;) {
    const auto size = stream.read({text.data() + at, count - at});
    EXPECT_TRUE(size && *size != 0) << size.error();
    if (!size || *size == 0) return text;
    at += *size;
  }
  return text;
}

TEST_P(NetworkConformance, carries_bytes_both_ways_and_knows_both_addresses) {
  with_pair([](Pair& pair) {
    EXPECT_TRUE(pair.client->write("ping").is_ok());
    EXPECT_EQ(read_exactly(*pair.server, 4), "ping");
    EXPECT_TRUE(pair.server->write("pong").is_ok());
    EXPECT_EQ(read_exactly(*pair.client, 4), "pong");
    EXPECT_EQ(pair.client->local_address(), pair.server->remote_address());
    EXPECT_EQ(pair.client->remote_address(), pair.listener->address());
    EXPECT_EQ(pair.listener->counts().accepted, 1u);
  });
}

TEST_P(NetworkConformance, half_close_ends_one_direction_only) {
  with_pair([](Pair& pair) {
    EXPECT_TRUE(pair.client->write("question").is_ok());
    EXPECT_TRUE(pair.client->close_write().is_ok());
    EXPECT_TRUE(pair.client->close_write().is_ok());
    EXPECT_EQ(read_to_end(*pair.server), "question");
    EXPECT_EQ(pair.client->write("more").code(), Code::unavailable);
    EXPECT_TRUE(pair.server->write("answer").is_ok());
    EXPECT_TRUE(pair.server->close_write().is_ok());
    EXPECT_EQ(read_to_end(*pair.client), "answer");
  });
}

TEST_P(NetworkConformance, a_writer_waits_for_a_slow_reader_and_loses_nothing) {
  with_pair([](Pair& pair) {
    std::string much(3 << 20, 'm');
    for (std::size_t i = 0; i < much.size(); i += 7) much[i] = static_cast<char>('a' + i % 26);
    rt::Scope scope;
    scope.go("writer", [&] {
      EXPECT_TRUE(pair.client->write(much).is_ok());
      EXPECT_TRUE(pair.client->close_write().is_ok());
    });
    EXPECT_TRUE(read_to_end(*pair.server) == much);
  });
}

TEST_P(NetworkConformance, deadlines_end_a_read_and_a_write_without_breaking_the_stream) {
  with_pair([](Pair& pair) {
    std::array<char, 16> buffer{};
    EXPECT_EQ(pair.client->read(buffer, rt::Deadline::after(1ms)).error().code(),
              Code::deadline_exceeded);
    const std::string much(16 << 20, 'm');
    EXPECT_EQ(pair.client->write(much, rt::Deadline::after(5ms)).code(), Code::deadline_exceeded);
    EXPECT_TRUE(pair.server->write("still here").is_ok());
    EXPECT_EQ(read_exactly(*pair.client, 10), "still here");
  });
}

TEST_P(NetworkConformance, a_cancelled_context_ends_a_read_a_write_and_an_accept) {
  with_pair([](Pair& pair) {
    rt::Scope scope;
    scope.go("reader", [&] {
      std::array<char, 16> buffer{};
      EXPECT_EQ(pair.client->read(buffer).error().code(), Code::cancelled);
    });
    scope.go("writer", [&] {
      const std::string much(16 << 20, 'm');
      EXPECT_EQ(pair.client->write(much).code(), Code::cancelled);
    });
    scope.go("accept", [&] { EXPECT_EQ(pair.listener->accept().error().code(), Code::cancelled); });
    EXPECT_EQ(rt::sleep(5ms), Status());
    scope.cancel();
  });
}

TEST_P(NetworkConformance, close_wakes_reader_and_writer_and_ends_the_other_side) {
  with_pair([](Pair& pair) {
    rt::Scope scope;
    scope.go("reader", [&] {
      std::array<char, 16> buffer{};
      EXPECT_EQ(pair.client->read(buffer).error().message(),
                "the connection was closed on this side");
    });
    scope.go("writer", [&] {
      const std::string much(16 << 20, 'm');
      EXPECT_EQ(pair.client->write(much).code(), Code::unavailable);
    });
    rt::yield();
    pair.client->close();
    pair.client->close();
    scope.join();
    EXPECT_EQ(pair.client->close_write().code(), Code::unavailable);
    (void)read_to_end(*pair.server);
  });
}

TEST_P(NetworkConformance, closing_ends_who_writes_on_the_other_side) {
  with_pair([](Pair& pair) {
    rt::Scope scope;
    scope.go("writer", [&] {
      const std::string much(16 << 20, 'm');
      EXPECT_EQ(pair.client->write(much).code(), Code::unavailable);
    });
    EXPECT_EQ(read_exactly(*pair.server, 16).size(), 16u);
    pair.server->close();
    scope.join();
  });
}

TEST_P(NetworkConformance, writing_to_who_is_gone_ends_with_a_broken_pipe) {
  with_pair([](Pair& pair) {
    pair.server.reset();
    EXPECT_EQ(read_to_end(*pair.client), "");
    Status status;
    while (status.is_ok()) {
      status = pair.client->write("anyone?");
      rt::yield();
    }
    EXPECT_EQ(status.code(), Code::unavailable);
    EXPECT_EQ(status.message(), "send: Broken pipe");
  });
}

TEST_P(NetworkConformance, who_leaves_bytes_unread_resets_the_connection) {
  with_pair([](Pair& pair) {
    std::array<char, 8> buffer{};
    EXPECT_TRUE(pair.client->write("unread").is_ok());
    EXPECT_EQ(*pair.server->peek(buffer, 6), 6u);
    pair.server.reset();
    const auto size = pair.client->read(buffer);
    EXPECT_EQ(size.error().code(), Code::unavailable);
    EXPECT_EQ(size.error().message(), "receive: Connection reset by peer");
  });
}

TEST_P(NetworkConformance, a_destroyed_stream_still_delivers_what_it_wrote) {
  with_pair([](Pair& pair) {
    EXPECT_TRUE(pair.client->write("last words").is_ok());
    pair.client.reset();
    EXPECT_EQ(read_to_end(*pair.server), "last words");
  });
}

TEST_P(NetworkConformance, dialling_where_nobody_listens_is_unavailable) {
  with_sides([](Sides& sides) {
    auto listener = sides.server().listen(sides.where());
    const Address address = (*listener)->address();
    (*listener)->close();
    const auto stream = sides.client().dial(address);
    EXPECT_EQ(stream.error().code(), Code::unavailable);
    EXPECT_TRUE(stream.error().message().starts_with("dial " + address.to_string() + ": "))
        << stream.error();
  });
}

TEST_P(NetworkConformance, a_dial_has_a_deadline_and_a_listener_a_backlog) {
  with_sides([](Sides& sides) {
    auto listener = sides.server().listen(sides.where(), {.backlog = 0});
    std::vector<std::unique_ptr<Stream>> queued;
    Status status;
    while (status.is_ok() && queued.size() < 100) {
      auto stream = sides.client().dial((*listener)->address(), rt::Deadline::after(40ms));
      status = stream.error();
      if (stream) queued.push_back(*std::move(stream));
    }
    EXPECT_EQ(status.code(), Code::deadline_exceeded);
    EXPECT_GE(queued.size(), 1u);
    EXPECT_LE(queued.size(), 2u);
  });
}

TEST_P(NetworkConformance, listening_where_somebody_does_is_refused) {
  with_sides([](Sides& sides) {
    auto first = sides.server().listen(sides.where());
    const auto second = sides.server().listen((*first)->address());
    EXPECT_EQ(second.error().code(), Code::already_exists);
    const auto foreign = sides.server().listen(*Address::parse("tcp://192.0.2.1:80"));
    EXPECT_EQ(foreign.error().code(), Code::invalid_argument);
    EXPECT_EQ(foreign.error().message(),
              "listen on tcp://192.0.2.1:80: bind tcp://192.0.2.1:80: Cannot assign requested "
              "address; no interface of this machine has it");
    const std::string_view message = second.error().message();
    const std::string_view network = (*first)->address().network;
    const bool is_told = message.find("another socket has it") != std::string_view::npos;
    EXPECT_EQ(is_told, network != "inproc") << message;
    EXPECT_EQ(message.ends_with(": port 0 takes a free one"), network == "tcp") << message;
    const auto name = *Address::parse("tcp://shop.example:80");
    EXPECT_EQ(sides.server().listen(name).error().message(),
              "listen on tcp://shop.example:80: a listener takes a numeric address or localhost, "
              "not a name");
    const auto udp = *Address::parse("udp://127.0.0.1:80");
    EXPECT_EQ(sides.server().listen(udp).error().code(), Code::invalid_argument);
    EXPECT_EQ(sides.client().dial(udp).error().code(), Code::invalid_argument);
  });
}

TEST_P(NetworkConformance, localhost_is_a_name_that_listens_and_is_dialled) {
  with_sides([](Sides& sides) {
    auto listener = sides.server().listen(*Address::parse("tcp://localhost:0"));
    ASSERT_TRUE(listener) << listener.error();
    const Address where = (*listener)->address();
    EXPECT_EQ(where.host, "127.0.0.1");
    const Address named{.network = "tcp", .host = "localhost", .port = where.port};
    const auto stream = sides.server().dial(
        named, {}, {.bind = Address{.network = "tcp", .host = "localhost", .port = 0}});
    ASSERT_TRUE(stream) << stream.error();
    EXPECT_EQ((*stream)->remote_address(), where);
    EXPECT_EQ((*stream)->local_address().host, "127.0.0.1");
  });
}

TEST_P(NetworkConformance, closing_a_listener_wakes_every_accept_and_refuses_who_waits) {
  with_sides([](Sides& sides) {
    auto listener = sides.server().listen(sides.where());
    EXPECT_EQ((*listener)->accept(rt::Deadline::after(1ms)).error().code(),
              Code::deadline_exceeded);
    rt::Scope scope;
    for (int i = 0; i < 3; ++i) {
      scope.go("accept",
               [&] { EXPECT_EQ((*listener)->accept().error().code(), Code::unavailable); });
    }
    rt::yield();
    (*listener)->close();
    scope.join();
    EXPECT_EQ((*listener)->accept().error().message(), "the listener is closed");
  });
}

TEST_P(NetworkConformance, peeking_leaves_the_bytes_to_be_read) {
  with_pair([](Pair& pair) {
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
    std::array<char, 2> two{};
    EXPECT_EQ(*pair.server->peek(two, 2), 2u);
    EXPECT_EQ(*pair.server->peek(buffer), 3u);
    EXPECT_EQ(*pair.server->read(buffer), 3u);  // what was shown is not torn
  });
}

TEST_P(NetworkConformance, peeking_for_more_than_will_ever_come_ends_with_the_stream) {
  with_pair([](Pair& pair) {
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
  });
}

TEST_P(NetworkConformance, writes_many_pieces_in_order) {
  with_pair([](Pair& pair) {
    std::string expected;
    std::vector<std::string> texts;
    for (int i = 0; i < 700; ++i) {
      texts.emplace_back(static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
    }
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
  });
}

}  // namespace
}  // namespace parley::net
