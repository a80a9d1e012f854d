#include "parley/net/datagram.h"

#include <sys/socket.h>

#include <string>
#include <vector>

#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;

using Socket = std::unique_ptr<DatagramSocket>;

Socket bound(const DatagramOptions& options = {}, const char* address = "udp://127.0.0.1:0") {
  auto socket = DatagramSocket::bind(*Address::parse(address), options);
  EXPECT_TRUE(socket) << socket.error();
  return *std::move(socket);
}

Endpoint endpoint_of(const DatagramSocket& socket) { return *Endpoint::of(socket.local_address()); }

// The payloads of the next `count` datagrams.
std::vector<std::string> receive(DatagramSocket& socket, std::size_t count,
                                 std::size_t size = 2048) {
  DatagramBatch batch(max_batch, size);
  std::vector<std::string> payloads;
  while (payloads.size() < count) {
    const auto found = socket.receive(batch);
    EXPECT_TRUE(found) << found.error();
    if (!found) break;
    for (const Incoming& one : *found) payloads.emplace_back(one.payload);
  }
  return payloads;
}

PARLEY_FIBER_TEST(Datagram, goes_to_and_fro_over_ipv4_and_ipv6) {
  for (const char* address : {"udp://127.0.0.1:0", "udp://[::1]:0"}) {
    const Socket one = bound({}, address);
    const Socket other = bound({}, address);
    EXPECT_NE(one->local_address().port, 0);
    EXPECT_TRUE(one->send_to(endpoint_of(*other), "ping").is_ok());
    std::array<char, 16> buffer{};
    const auto ping = other->receive_from(buffer);
    ASSERT_TRUE(ping) << ping.error();
    EXPECT_EQ(ping->payload, "ping");
    EXPECT_FALSE(ping->truncated);
    EXPECT_EQ(ping->from, endpoint_of(*one));
    EXPECT_EQ(ping->from.address(), one->local_address());
    EXPECT_TRUE(other->send_to(ping->from, "").is_ok());
    const auto pong = one->receive_from(buffer);
    EXPECT_EQ(pong->payload, "");
    EXPECT_EQ(pong->from, endpoint_of(*other));
  }
}

PARLEY_FIBER_TEST(Datagram, batches_take_few_calls_and_keep_boundaries) {
  const Socket receiver = bound();
  const Socket sender = *DatagramSocket::connect(receiver->local_address());
  std::vector<std::string> texts;
  for (int i = 0; i < 150; ++i) texts.push_back("number " + std::to_string(i));
  texts[7] = "";
  std::vector<Outgoing> outgoing;
  for (const std::string& text : texts) outgoing.push_back({.to = {}, .payload = text});
  EXPECT_EQ(*sender->send_batch(outgoing), 150u);
  EXPECT_EQ(sender->counts().sent_messages, 150u);
  DatagramBatch batch(max_batch);
  EXPECT_EQ(receiver->receive(batch)->size(), max_batch);
  EXPECT_EQ((*receiver->receive(batch))[0].payload, "number 64");
  DatagramBatch few(5);
  EXPECT_EQ(receiver->receive(few)->size(), 5u);
  EXPECT_EQ(receive(*receiver, 17).back(), "number 149");
  EXPECT_EQ(receiver->counts().received, 150u);
  EXPECT_EQ(*sender->send_batch({}), 0u);
}

PARLEY_FIBER_TEST(Datagram, a_batch_goes_to_many_and_knows_who_sent) {
  const Socket one = bound();
  const Socket two = bound();
  const Socket sender = bound();
  const std::vector<Outgoing> outgoing{{.to = endpoint_of(*one), .payload = "for one"},
                                       {.to = endpoint_of(*two), .payload = "for two"},
                                       {.to = endpoint_of(*one), .payload = "one again"}};
  EXPECT_EQ(*sender->send_batch(outgoing), 3u);
  EXPECT_EQ(receive(*one, 2), (std::vector<std::string>{"for one", "one again"}));
  DatagramBatch batch;
  const auto found = two->receive(batch);
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().from, endpoint_of(*sender));
}

PARLEY_FIBER_TEST(Datagram, what_is_longer_than_its_place_is_cut_and_says_so) {
  const Socket receiver = bound();
  const Socket sender = *DatagramSocket::connect(receiver->local_address());
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(sender->send("four").is_ok());
    EXPECT_TRUE(sender->send("five!").is_ok());
  }
  DatagramBatch batch(2, 4);
  const auto found = receiver->receive(batch);
  ASSERT_EQ(found->size(), 2u);
  EXPECT_FALSE((*found)[0].truncated);
  EXPECT_EQ((*found)[1].payload, "five");
  EXPECT_TRUE((*found)[1].truncated);
  std::array<char, 4> buffer{};
  EXPECT_FALSE(receiver->receive_from(buffer)->truncated);
  EXPECT_TRUE(receiver->receive_from(buffer)->truncated);
  EXPECT_EQ(receiver->counts().truncated, 2u);
}

// Ten segments of 1,000 bytes and one of 500, told apart by their letters.
std::string segments() {
  std::string text;
  for (char letter = 'a'; letter < 'k'; ++letter) text += std::string(1000, letter);
  return text + std::string(500, 'k');
}

std::vector<std::string> cut_segments() {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < 11; ++i) parts.push_back(segments().substr(i * 1000, 1000));
  return parts;
}

PARLEY_FIBER_TEST(Datagram, segments_are_the_same_datagrams_with_send_offload_and_without) {
  for (const bool offload : {true, false}) {
    const Socket receiver = bound();
    const Socket sender =
        *DatagramSocket::connect(receiver->local_address(), {.send_offload = offload});
    const std::string text = segments();
    const std::vector<Outgoing> outgoing{{.to = {}, .payload = text, .segment = 1000},
                                         {.to = {}, .payload = "one alone", .segment = 1000}};
    EXPECT_EQ(*sender->send_batch(outgoing), 2u);
    std::vector<std::string> expected = cut_segments();
    expected.emplace_back("one alone");
    EXPECT_EQ(receive(*receiver, 12), expected);
    if (!offload) {
      EXPECT_FALSE(sender->cuts_sent());
    }
    EXPECT_EQ(sender->counts().sent_messages, sender->cuts_sent() ? 2u : 12u);
  }
}

PARLEY_FIBER_TEST(Datagram, an_address_that_cannot_be_sent_to_does_not_end_send_offload) {
  const Socket receiver = bound();
  const Socket sender = bound();
  const std::string text = segments();
  const auto to = [&](const char* address) {
    return Outgoing{
        .to = *Endpoint::of(*Address::parse(address)), .payload = text, .segment = 1000};
  };
  const bool offload = sender->cuts_sent();
  const Outgoing nowhere = to("udp://127.0.0.1:0");
  EXPECT_EQ(sender->send_batch({&nowhere, 1}).error().code(), Code::invalid_argument);
  EXPECT_EQ(sender->cuts_sent(), offload);
  EXPECT_EQ(sender->send_to(Endpoint(), "to nobody").code(), Code::invalid_argument);
  const Outgoing here = to(receiver->local_address().to_string().c_str());
  EXPECT_EQ(*sender->send_batch({&here, 1}), 1u);
  EXPECT_EQ(receive(*receiver, 11), cut_segments());
  EXPECT_EQ(sender->cuts_sent(), offload);
}

PARLEY_FIBER_TEST(Datagram, more_segments_than_the_kernel_cuts_at_once_go_in_several_messages) {
  for (const bool offload : {true, false}) {
    const Socket receiver = bound({.receive_buffer = 1 << 20});
    const Socket sender =
        *DatagramSocket::connect(receiver->local_address(), {.send_offload = offload});
    const std::string text(150 * 100 + 1, 's');
    const Outgoing one{.to = {}, .payload = text, .segment = 100};
    EXPECT_EQ(*sender->send_batch({&one, 1}), 1u);
    const auto got = receive(*receiver, 151);
    EXPECT_EQ(got.size(), 151u);
    EXPECT_EQ(got.back(), "s");
  }
}

PARLEY_FIBER_TEST(Datagram, receive_offload_joins_in_the_kernel_and_parts_here) {
  for (const bool offload : {true, false}) {
    const Socket receiver = bound({.receive_offload = offload});
    const Socket sender = *DatagramSocket::connect(receiver->local_address());
    const std::string text = segments();
    const Outgoing one{.to = {}, .payload = text, .segment = 1000};
    EXPECT_EQ(*sender->send_batch({&one, 1}), 1u);
    EXPECT_EQ(receive(*receiver, 11, max_datagram), cut_segments());
    EXPECT_EQ(receiver->counts().received, 11u);
    if (receiver->merges_received() && sender->cuts_sent()) {
      EXPECT_LT(receiver->counts().received_messages, 11u);
    } else {
      EXPECT_EQ(receiver->counts().received_messages, 11u);
    }
  }
}

PARLEY_FIBER_TEST(Datagram, receive_offload_needs_room_and_a_batch) {
  const Socket receiver = bound({.receive_offload = true});
  if (!receiver->merges_received()) GTEST_SKIP() << "needs a kernel with UDP_GRO";
  DatagramBatch small(1, 2048);
  EXPECT_EQ(receiver->receive(small).error().code(), Code::invalid_argument);
  std::array<char, 16> buffer{};
  EXPECT_EQ(receiver->receive_from(buffer).error().code(), Code::failed_precondition);
}

PARLEY_FIBER_TEST(Datagram, a_connected_socket_learns_that_nobody_listens) {
  Socket gone = bound();
  const Socket sender = *DatagramSocket::connect(gone->local_address());
  EXPECT_EQ(sender->remote_address(), gone->local_address());
  gone.reset();
  EXPECT_TRUE(sender->send("anyone?").is_ok());
  DatagramBatch batch;
  const auto received = sender->receive(batch);
  EXPECT_EQ(received.error().code(), Code::unavailable);
  EXPECT_EQ(received.error().message(), "receive a datagram: Connection refused");
  EXPECT_TRUE(sender->send("anyone?").is_ok());
  Status told;
  while (told.is_ok()) told = sender->send("anyone?");
  EXPECT_EQ(told.code(), Code::unavailable);
}

PARLEY_FIBER_TEST(Datagram, a_connected_socket_hears_nobody_else) {
  const Socket partner = bound();
  const Socket stranger = bound();
  const Socket socket = *DatagramSocket::connect(partner->local_address());
  EXPECT_TRUE(stranger->send_to(endpoint_of(*socket), "psst").is_ok());
  EXPECT_TRUE(partner->send_to(endpoint_of(*socket), "hello").is_ok());
  EXPECT_EQ(receive(*socket, 1), std::vector<std::string>{"hello"});
}

PARLEY_FIBER_TEST(Datagram, one_that_is_too_long_is_refused_and_those_before_it_are_sent) {
  const Socket receiver = bound();
  const Socket sender = *DatagramSocket::connect(receiver->local_address());
  const std::string huge(70'000, 'h');
  EXPECT_EQ(sender->send(huge).code(), Code::invalid_argument);
  const std::vector<Outgoing> outgoing{
      {.to = {}, .payload = "good"}, {.to = {}, .payload = huge}, {.to = {}, .payload = "late"}};
  EXPECT_EQ(*sender->send_batch(outgoing), 1u);
  EXPECT_EQ(sender->send_batch(outgoing).error().code(), Code::invalid_argument);
  EXPECT_TRUE(sender->send("next").is_ok());
  EXPECT_EQ(receive(*receiver, 2), (std::vector<std::string>{"good", "next"}));
}

PARLEY_FIBER_TEST(Datagram, waits_end_with_deadlines_contexts_and_close) {
  const Socket socket = bound();
  DatagramBatch batch;
  EXPECT_EQ(socket->receive(batch, rt::Deadline::after(1ms)).error().code(),
            Code::deadline_exceeded);
  {
    rt::Scope scope;
    scope.go("receive", [&] { EXPECT_EQ(socket->receive(batch).error().code(), Code::cancelled); });
    rt::yield();
    scope.cancel();
  }
  rt::Scope scope;
  scope.go("receive", [&] { EXPECT_EQ(socket->receive(batch).error().code(), Code::unavailable); });
  rt::yield();
  socket->close();
  socket->close();
  scope.join();
  EXPECT_EQ(socket->send_to(endpoint_of(*socket), "x").code(), Code::unavailable);
}

int option_of(const DatagramSocket& socket, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(socket.descriptor(), SOL_SOCKET, option, &value, &size), 0);
  return value;
}

PARLEY_FIBER_TEST(Datagram, options_are_what_the_kernel_has) {
  for (const bool on : {false, true}) {
    const Socket socket = bound({.send_buffer = on ? 50'000u : 10'000u,
                                 .receive_buffer = on ? 60'000u : 20'000u,
                                 .reuse_port = on,
                                 .broadcast = on});
    EXPECT_EQ(option_of(*socket, SO_SNDBUF), on ? 100'000 : 20'000);
    EXPECT_EQ(option_of(*socket, SO_RCVBUF), on ? 120'000 : 40'000);
    EXPECT_EQ(option_of(*socket, SO_BROADCAST), on ? 1 : 0);
    EXPECT_EQ(DatagramSocket::bind(socket->local_address(), {.reuse_port = on}).has_value(), on);
    const Socket any = bound({.v6_only = on}, "udp://[::]:0");
    Address ipv4 = any->local_address();
    ipv4.host = "127.0.0.1";
    const Socket sender = *DatagramSocket::connect(ipv4);
    EXPECT_TRUE(sender->send("x").is_ok());
    DatagramBatch batch;
    EXPECT_EQ(any->receive(batch, rt::Deadline::after(5ms)).has_value(), !on);
  }
}

PARLEY_FIBER_TEST(Datagram, refuses_addresses_that_are_none_of_its_own) {
  for (const char* text : {"tcp://127.0.0.1:0", "udp://shop.example:53", "unix:@parley"}) {
    const auto address = *Address::parse(text);
    EXPECT_EQ(DatagramSocket::bind(address).error().code(), Code::invalid_argument) << text;
    EXPECT_EQ(DatagramSocket::connect(address).error().code(), Code::invalid_argument) << text;
  }
  EXPECT_EQ(Endpoint::of(*Address::parse("udp://shop.example:53")).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(DatagramSocket::bind(*Address::parse("udp://192.0.2.1:0")).error().code(),
            Code::invalid_argument);
  const Socket taken = bound();
  const auto again = DatagramSocket::bind(taken->local_address());
  EXPECT_EQ(again.error().code(), Code::already_exists);
  const auto named = DatagramSocket::connect(*Address::parse("udp://localhost:9"));
  ASSERT_TRUE(named) << named.error();
  EXPECT_EQ((*named)->remote_address().to_string(), "udp://127.0.0.1:9");
  EXPECT_EQ(Endpoint::of(*Address::parse("udp://localhost:9"))->address(),
            (*named)->remote_address());
  EXPECT_EQ(Endpoint().address().host, "");
}

}  // namespace
}  // namespace parley::net
