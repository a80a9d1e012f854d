// Streams and listeners used by fibers on several workers at the same time.
#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/net/datagram.h"
#include "parley/net/message_stream.h"
#include "parley/net/network.h"
#include "parley/net/testing/free_address.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t amount = 300'000;

void run_on_four(const std::function<void()>& body) {
  rt::RuntimeOptions options;
  options.workers = 4;
  rt::testing::run_fiber_test(body, options);
}

struct Pair {
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
};

Pair connect(const Address& address) {
  SocketNetwork network;
  auto listener = network.listen(address);
  Pair pair;
  pair.client = *network.dial((*listener)->address());
  pair.server = *(*listener)->accept();
  return pair;
}

// Reads to the end and returns how much it was; every byte must be the letter.
std::size_t count_to_end(Stream& stream, char letter) {
  std::array<char, 3000> buffer{};
  std::size_t sum = 0;
  for (;;) {
    const auto size = stream.read(buffer);
    EXPECT_TRUE(size) << size.error();
    if (!size || *size == 0) return sum;
    const std::string_view text(buffer.data(), *size);
    EXPECT_EQ(text.find_first_not_of(letter), std::string_view::npos);
    sum += *size;
  }
}

TEST(Workers, one_fiber_reads_while_another_writes_on_many_connections) {
  run_on_four([] {
    for (const Address& address : {testing::any_port(), testing::free_unix_name()}) {
      std::vector<Pair> pairs;
      for (int i = 0; i < 20; ++i) pairs.push_back(connect(address));
      rt::Scope scope;
      for (const Pair& pair : pairs) {
        for (Stream* stream : {pair.client.get(), pair.server.get()}) {
          const bool is_client = stream == pair.client.get();
          scope.go("writer", [stream, is_client] {
            EXPECT_TRUE(stream->write(std::string(amount, is_client ? 'c' : 's')).is_ok());
            EXPECT_TRUE(stream->close_write().is_ok());
          });
          scope.go("reader", [stream, is_client] {
            EXPECT_EQ(count_to_end(*stream, is_client ? 's' : 'c'), amount);
          });
        }
      }
    }
  });
}

TEST(Workers, who_waits_for_room_to_write_goes_on_when_there_is_some_on_two_workers) {
  rt::RuntimeOptions options;
  options.workers = 2;
  const auto body = [] {
    // Far more than the kernel keeps for either side of these.
    static constexpr std::size_t much = std::size_t{4} << 20U;
    std::vector<Pair> pairs;
    for (int i = 0; i < 4; ++i) pairs.push_back(connect(testing::free_unix_name()));
    rt::Scope scope;
    for (const Pair& pair : pairs) {
      for (Stream* stream : {pair.client.get(), pair.server.get()}) {
        const bool is_client = stream == pair.client.get();
        scope.go("writer", [stream, is_client] {
          EXPECT_TRUE(stream->write(std::string(much, is_client ? 'c' : 's')).is_ok());
          EXPECT_TRUE(stream->close_write().is_ok());
        });
        scope.go("reader", [stream, is_client] {
          EXPECT_EQ(count_to_end(*stream, is_client ? 's' : 'c'), much);
        });
      }
    }
  };
  rt::testing::run_fiber_test(body, options);
}

TEST(Workers, close_from_any_fiber_wakes_reader_and_writer) {
  run_on_four([] {
    const std::string much(std::size_t{16} << 20, 'm');
    for (int round = 0; round < 50; ++round) {
      const Pair pair = connect(testing::any_port());
      rt::Scope scope;
      scope.go("reader", [&] {
        std::array<char, 16> buffer{};
        EXPECT_EQ(pair.client->read(buffer).error().code(), Code::unavailable);
      });
      scope.go("writer", [&] { EXPECT_EQ(pair.client->write(much).code(), Code::unavailable); });
      for (int i = 0; i < 3; ++i) scope.go("closer", [&] { pair.client->close(); });
    }
  });
}

TEST(Workers, many_fibers_accept_from_one_listener_until_it_is_closed) {
  run_on_four([] {
    constexpr int dials = 200;
    SocketNetwork network;
    auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
    std::atomic<int> accepted = 0;
    rt::Scope acceptors;
    for (int i = 0; i < 8; ++i) {
      acceptors.go("accept", [&] {
        for (;;) {
          const auto stream = (*listener)->accept();
          if (!stream) {
            EXPECT_EQ(stream.error().code(), Code::unavailable);
            return;
          }
          ++accepted;
        }
      });
    }
    {
      rt::Scope dialers;
      for (int i = 0; i < dials; ++i) {
        dialers.go("dial", [&] { EXPECT_TRUE(network.dial((*listener)->address())); });
      }
    }
    while (accepted < dials) rt::yield();
    (*listener)->close();
    acceptors.join();
    EXPECT_EQ((*listener)->counts().accepted, static_cast<std::uint64_t>(dials));
  });
}

TEST(Workers, a_listener_closed_while_its_acceptors_come_and_go_wakes_them_all) {
  run_on_four([] {
    SocketNetwork network;
    for (int round = 0; round < 100; ++round) {
      auto listener = network.listen(testing::free_unix_name());
      ASSERT_TRUE(listener) << listener.error();
      rt::Scope scope;
      for (int i = 0; i < 6; ++i) {
        scope.go("accept", [&] { EXPECT_FALSE((*listener)->accept()); });
      }
      scope.go("close", [&] { (*listener)->close(); });
    }
  });
}

TEST(Workers, messages_go_both_ways_and_close_wakes_both_sides) {
  run_on_four([] {
    for (int round = 0; round < 20; ++round) {
      auto listener = listen_packets(testing::free_unix_name());
      ASSERT_TRUE(listener) << listener.error();
      auto packets = *dial_packets((*listener)->address());
      auto other = *(*listener)->accept();
      Pair pair = connect(testing::any_port());
      auto framed = message_stream_over(std::move(pair.client));
      auto framed_other = message_stream_over(std::move(pair.server));
      rt::Scope scope;
      for (MessageStream* end : {packets.get(), other.get(), framed.get(), framed_other.get()}) {
        scope.go("sender", [end] {
          while (end->send(std::string(5000, 'x')).is_ok()) {}
        });
        scope.go("receiver", [end] {
          for (int i = 0; i < 50; ++i) {
            const auto message = end->receive();
            if (!message) return;
            EXPECT_EQ(message->size(), 5000u);
          }
          end->close();
        });
      }
    }
  });
}

TEST(Workers, datagrams_are_sent_and_received_at_once) {
  run_on_four([] {
    auto one = *DatagramSocket::bind(*Address::parse("udp://127.0.0.1:0"));
    auto two = *DatagramSocket::connect(one->local_address());
    const Endpoint to = *Endpoint::of(two->local_address());
    rt::Scope scope;
    for (DatagramSocket* socket : {one.get(), two.get()}) {
      scope.go("sender", [&, socket] {
        Status status;
        while (status.is_ok() || status.message().find("refused") != std::string::npos) {
          status = socket == one.get() ? socket->send_to(to, "to two") : socket->send("to one");
        }
        EXPECT_EQ(status.code(), Code::unavailable);
      });
      scope.go("receiver", [&, socket] {
        DatagramBatch batch;
        while (one->counts().received < 500 || two->counts().received < 500) {
          if (!socket->receive(batch) && socket->counts().received >= 500) break;
        }
        one->close();
        two->close();
        EXPECT_EQ(socket->receive(batch).error().code(), Code::unavailable);
      });
    }
  });
}

}  // namespace
}  // namespace parley::net
