#include "parley/net/message_stream.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "parley/base/fd.h"
#include "parley/net/network.h"
#include "parley/net/peer_credentials.h"
#include "parley/net/testing/free_address.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

struct Pair {
  std::unique_ptr<MessageStream> client;
  std::unique_ptr<MessageStream> server;
};

Pair framed(const MessageOptions& options) {
  SocketNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  Pair pair;
  pair.client = message_stream_over(*network.dial((*listener)->address()), options);
  pair.server = message_stream_over(*(*listener)->accept(), options);
  return pair;
}

Pair packets(const MessageOptions& options) {
  const Address address = testing::free_unix_name();
  auto listener = listen_packets(address, {}, options);
  Pair pair;
  pair.client = *dial_packets(address, {}, {}, options);
  pair.server = *(*listener)->accept();
  return pair;
}

// What every MessageStream keeps.
void for_each_kind(const MessageOptions& options, const std::function<void(Pair&)>& body) {
  for (const auto& make : {framed, packets}) {
    Pair pair = make(options);
    body(pair);
  }
}

PARLEY_FIBER_TEST(MessageStream, keeps_the_boundaries_of_messages) {
  for_each_kind({}, [](Pair& pair) {
    const std::vector<std::string> sent{"a", "", "two words", std::string(100'000, 'x'), "", "end"};
    rt::Scope scope;
    scope.go("sender", [&] {
      for (const std::string& text : sent) EXPECT_TRUE(pair.client->send(text).is_ok());
      EXPECT_TRUE(pair.client->close_write().is_ok());
    });
    for (const std::string& text : sent) {
      const auto message = pair.server->receive();
      ASSERT_TRUE(message) << message.error();
      EXPECT_TRUE(*message == text);
    }
    EXPECT_EQ(pair.server->receive().error().code(), Code::out_of_range);
    EXPECT_EQ(pair.server->receive().error().code(), Code::out_of_range);
    EXPECT_TRUE(pair.server->send("and back").is_ok());
    EXPECT_EQ(pair.client->receive()->to_string(), "and back");
  });
}

PARLEY_FIBER_TEST(MessageStream, sends_a_message_of_many_pieces) {
  for_each_kind({}, [](Pair& pair) {
    Bytes message;
    std::string expected;
    for (int i = 0; i < 3000; ++i) {
      message.append(Bytes::from(std::to_string(i)));
      expected += std::to_string(i);
    }
    EXPECT_TRUE(pair.client->send(message).is_ok());
    EXPECT_EQ(pair.server->receive()->to_string(), expected);
    EXPECT_TRUE(pair.client->send(Bytes()).is_ok());
    EXPECT_TRUE(pair.server->receive()->empty());
  });
}

PARLEY_FIBER_TEST(MessageStream, max_message_bounds_what_is_sent) {
  for (const std::size_t most : {10u, 20u}) {
    for_each_kind({.max_message = most}, [&](Pair& pair) {
      EXPECT_EQ(pair.client->max_message(), most);
      const Status refused = pair.client->send(std::string(most + 1, 'x'));
      EXPECT_EQ(refused.code(), Code::invalid_argument);
      EXPECT_EQ(refused.message(), "send: a message of " + std::to_string(most + 1) +
                                       " bytes, max_message is " + std::to_string(most));
      EXPECT_TRUE(pair.client->send(std::string(most, 'x')).is_ok());
      EXPECT_EQ(pair.server->receive()->size(), most);
    });
  }
}

PARLEY_FIBER_TEST(MessageStream, a_message_that_is_too_long_ends_the_connection) {
  SocketNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  auto client = message_stream_over(*network.dial((*listener)->address()));
  auto server = message_stream_over(*(*listener)->accept(), {.max_message = 10});
  EXPECT_TRUE(client->send("ten bytes!").is_ok());
  EXPECT_TRUE(client->send("eleven byte").is_ok());
  EXPECT_TRUE(server->receive());
  for (int i = 0; i < 2; ++i) {
    const Status status = server->receive().error();
    EXPECT_EQ(status.code(), Code::resource_exhausted);
    EXPECT_EQ(status.message(), "receive: a message of 11 bytes, max_message is 10");
  }
  EXPECT_EQ(server->send("x").code(), Code::unavailable);

  const Address address = testing::free_unix_name();
  auto packet_listener = listen_packets(address, {}, {.max_message = 10});
  auto packet_client = *dial_packets(address);
  auto packet_server = *(*packet_listener)->accept();
  EXPECT_TRUE(packet_client->send("eleven byte").is_ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(packet_server->receive().error().message(),
              "receive: a message of 11 bytes, max_message is 10");
  }
}

PARLEY_FIBER_TEST(MessageStream, a_torn_message_is_data_loss) {
  SocketNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  const auto end_of = [&](const std::string& bytes) {
    auto client = network.dial((*listener)->address());
    auto server = message_stream_over(*(*listener)->accept());
    EXPECT_TRUE((*client)->write(bytes).is_ok());
    client->reset();
    return server->receive().error().to_string();
  };
  EXPECT_EQ(end_of(""), "out_of_range: receive: the other side has finished");
  EXPECT_EQ(end_of("\0\0"s), "data_loss: receive: the stream ended inside a message's length");
  EXPECT_EQ(end_of("\0\0\0\5abc"s),
            "data_loss: receive: the stream ended after 3 of 5 bytes of a message");
  EXPECT_EQ(end_of("\0\2\0\0abc"s),
            "data_loss: receive: the stream ended after 3 of 131072 bytes of a message");
}

PARLEY_FIBER_TEST(MessageStream, the_length_is_four_bytes_big_end_first) {
  SocketNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  auto client = message_stream_over(*network.dial((*listener)->address()));
  auto server = (*listener)->accept();
  EXPECT_TRUE(client->send(std::string(259, 'x')).is_ok());
  std::array<char, 8> buffer{};
  EXPECT_EQ(*(*server)->peek(buffer, 8), 8u);
  EXPECT_EQ(std::string(buffer.data(), 6), "\0\0\1\3xx"s);
}

PARLEY_FIBER_TEST(MessageStream, a_deadline_loses_nothing_of_a_message_that_comes_slowly) {
  SocketNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  auto client = network.dial((*listener)->address());
  auto server = message_stream_over(*(*listener)->accept());
  for (const char letter : "\0\0\0\6parley"s) {
    EXPECT_EQ(server->receive(rt::Deadline::after(1ms)).error().code(), Code::deadline_exceeded);
    EXPECT_TRUE((*client)->write({&letter, 1}).is_ok());
  }
  EXPECT_EQ(server->receive()->to_string(), "parley");
}

PARLEY_FIBER_TEST(MessageStream, a_message_that_was_cut_off_is_the_last) {
  Pair pair = framed({.max_message = 64 << 20});
  const std::string much(32 << 20, 'm');
  EXPECT_EQ(pair.client->send(much, rt::Deadline::after(5ms)).code(), Code::deadline_exceeded);
  const Status next = pair.client->send("more");
  EXPECT_EQ(next.code(), Code::unavailable);
  EXPECT_NE(next.message().find("cut off"), std::string::npos);
}

PARLEY_FIBER_TEST(MessageStream, packets_wait_for_a_slow_receiver) {
  for_each_kind({}, [](Pair& pair) {
    const std::string text(50'000, 'p');
    std::size_t sent = 0;
    while (pair.client->send(text, rt::Deadline::after(1ms)).is_ok() && sent < 10'000) ++sent;
    EXPECT_GT(sent, 0u);
    EXPECT_LT(sent, 10'000u);
    rt::Scope scope;
    scope.go("close", [&] { pair.client->close(); });
    std::size_t received = 0;
    while (pair.server->receive()) ++received;
    EXPECT_EQ(received, sent);
  });
}

PARLEY_FIBER_TEST(MessageStream, close_wakes_receiver_and_sender) {
  for_each_kind({}, [](Pair& pair) {
    rt::Scope scope;
    scope.go("receiver",
             [&] { EXPECT_EQ(pair.client->receive().error().code(), Code::unavailable); });
    scope.go("sender", [&] {
      Status status;
      while (status.is_ok()) status = pair.client->send(std::string(50'000, 'x'));
      EXPECT_EQ(status.code(), Code::unavailable);
    });
    rt::yield();
    pair.client->close();
    pair.client->close();
    scope.join();
    EXPECT_EQ(pair.client->close_write().code(), Code::unavailable);
  });
}

PARLEY_FIBER_TEST(MessageStream, packets_are_those_of_any_program_that_speaks_seqpacket) {
  const Address address = testing::free_unix_name();
  auto listener = listen_packets(address);
  EXPECT_EQ((*listener)->address(), address);
  const Fd foreign(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  address.host.copy(to.sun_path, sizeof to.sun_path);
  to.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.host.size());
  ASSERT_EQ(::connect(foreign.get(), reinterpret_cast<sockaddr*>(&to), size), 0);
  EXPECT_EQ(::send(foreign.get(), "hello", 5, 0), 5);
  EXPECT_EQ(::send(foreign.get(), "", 0, 0), 0);
  auto server = *(*listener)->accept();
  EXPECT_EQ(server->receive()->to_string(), "hello");
  EXPECT_EQ(server->receive()->to_string(), "");
  EXPECT_EQ(peer_credentials(*server)->process, ::getpid());
  EXPECT_TRUE(server->send("bye").is_ok());
  std::array<char, 8> buffer{};
  EXPECT_EQ(::recv(foreign.get(), buffer.data(), buffer.size(), 0), 3);
}

// Sends `fd` along with a message, as a hostile program might.
void send_with_descriptor(int to, int fd) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  char letter = 'x';
  iovec part{.iov_base = &letter, .iov_len = 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  EXPECT_EQ(::sendmsg(to, &message, 0), 1);
}

PARLEY_FIBER_TEST(MessageStream, descriptors_that_nobody_asked_for_are_dropped) {
  Pair pair = packets({});
  const int before = rt::testing::open_sockets();
  for (int i = 0; i < 10; ++i) {
    send_with_descriptor(pair.client->descriptor(), pair.client->descriptor());
    EXPECT_EQ(pair.server->receive()->to_string(), "x");
  }
  EXPECT_EQ(rt::testing::open_sockets(), before);
}

PARLEY_FIBER_TEST(MessageStream, packets_need_a_unix_address_and_the_right_kind_of_listener) {
  const auto tcp = *Address::parse("tcp://127.0.0.1:0");
  EXPECT_EQ(listen_packets(tcp).error().code(), Code::invalid_argument);
  EXPECT_EQ(dial_packets(tcp).error().code(), Code::invalid_argument);
  const Address address = testing::free_unix_name();
  EXPECT_EQ(dial_packets(address).error().code(), Code::unavailable);
  SocketNetwork network;
  auto stream_listener = network.listen(address);
  EXPECT_FALSE(dial_packets(address));
}

PARLEY_FIBER_TEST(MessageStream, a_packet_longer_than_the_send_buffer_is_refused) {
  const Address address = testing::free_unix_name();
  auto listener = listen_packets(address);
  for (const std::size_t buffer : {20'000u, 200'000u}) {
    DialOptions options;
    options.stream.send_buffer = buffer;
    auto client = *dial_packets(address, {}, options);
    const Status status = client->send(std::string(100'000, 'x'));
    EXPECT_EQ(status.is_ok(), buffer == 200'000u);
    if (buffer == 20'000u) {
      EXPECT_EQ(status.code(), Code::invalid_argument);
    }
  }
}

}  // namespace
}  // namespace parley::net
