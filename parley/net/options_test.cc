// Each option with two values, as the kernel tells them.
#include "parley/net/options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <functional>

#include "parley/net/network.h"
#include "parley/net/testing/free_address.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;

int option_of(int fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(fd, level, option, &value, &size), 0) << level << " " << option;
  return value;
}

// What an option of StreamOptions is on a dialled connection and on an accepted one.
struct Both {
  int dialled = -1;
  int accepted = -1;
  friend bool operator==(const Both&, const Both&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Both& both) {
    return out << both.dialled << "/" << both.accepted;
  }
};

using Ask = std::function<int(int fd)>;

Both ask_both(const StreamOptions& options, const Ask& ask) {
  SocketNetwork network;
  ListenOptions listen;
  listen.stream = options;
  DialOptions dial;
  dial.stream = options;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"), listen);
  EXPECT_TRUE(listener) << listener.error();
  auto client = network.dial((*listener)->address(), {}, dial);
  EXPECT_TRUE(client) << client.error();
  auto server = (*listener)->accept();
  return {ask((*client)->descriptor()), ask((*server)->descriptor())};
}

Ask option(int level, int name) {
  return [=](int fd) { return option_of(fd, level, name); };
}

PARLEY_FIBER_TEST(Options, no_delay_is_on_unless_it_is_switched_off) {
  const Ask no_delay = option(IPPROTO_TCP, TCP_NODELAY);
  EXPECT_EQ(ask_both({}, no_delay), (Both{1, 1}));
  EXPECT_EQ(ask_both({.no_delay = false}, no_delay), (Both{0, 0}));
}

PARLEY_FIBER_TEST(Options, keep_alive_is_off_unless_it_is_asked_for_and_has_three_numbers) {
  const Ask is_on = option(SOL_SOCKET, SO_KEEPALIVE);
  EXPECT_EQ(ask_both({}, is_on), (Both{0, 0}));
  const StreamOptions usual{.keep_alive = KeepAlive{}};
  const StreamOptions own{.keep_alive = KeepAlive{.idle = 7s, .interval = 3s, .count = 2}};
  EXPECT_EQ(ask_both(usual, is_on), (Both{1, 1}));
  EXPECT_EQ(ask_both(usual, option(IPPROTO_TCP, TCP_KEEPIDLE)), (Both{60, 60}));
  EXPECT_EQ(ask_both(own, option(IPPROTO_TCP, TCP_KEEPIDLE)), (Both{7, 7}));
  EXPECT_EQ(ask_both(usual, option(IPPROTO_TCP, TCP_KEEPINTVL)), (Both{10, 10}));
  EXPECT_EQ(ask_both(own, option(IPPROTO_TCP, TCP_KEEPINTVL)), (Both{3, 3}));
  EXPECT_EQ(ask_both(usual, option(IPPROTO_TCP, TCP_KEEPCNT)), (Both{6, 6}));
  EXPECT_EQ(ask_both(own, option(IPPROTO_TCP, TCP_KEEPCNT)), (Both{2, 2}));
}

PARLEY_FIBER_TEST(Options, buffers_have_the_size_asked_for_which_the_kernel_doubles) {
  for (const int name : {SO_SNDBUF, SO_RCVBUF}) {
    const Ask size = option(SOL_SOCKET, name);
    for (const int bytes : {10'000, 50'000}) {
      const auto wanted = static_cast<std::size_t>(bytes);
      EXPECT_EQ(ask_both({.send_buffer = wanted, .receive_buffer = wanted}, size),
                (Both{2 * bytes, 2 * bytes}));
    }
  }
}

PARLEY_FIBER_TEST(Options, user_timeout_is_the_kernels_unless_it_is_given) {
  const Ask timeout = option(IPPROTO_TCP, TCP_USER_TIMEOUT);
  EXPECT_EQ(ask_both({}, timeout), (Both{0, 0}));
  EXPECT_EQ(ask_both({.user_timeout = 1500ms}, timeout), (Both{1500, 1500}));
}

PARLEY_FIBER_TEST(Options, reset_at_end_breaks_the_connection_instead_of_ending_it) {
  SocketNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  std::array<char, 8> buffer{};
  for (const bool reset : {false, true}) {
    DialOptions options;
    options.stream.reset_at_end = reset;
    auto client = network.dial((*listener)->address(), {}, options);
    auto server = (*listener)->accept();
    client->reset();
    const auto size = (*server)->read(buffer);
    EXPECT_EQ(size.has_value(), !reset);
    if (reset) {
      EXPECT_EQ(size.error().code(), Code::unavailable);
    }
  }
  const Ask lingers = [](int fd) {
    linger value{};
    socklen_t size = sizeof value;
    ::getsockopt(fd, SOL_SOCKET, SO_LINGER, &value, &size);
    return value.l_onoff * 1000 + value.l_linger;
  };
  EXPECT_EQ(ask_both({}, lingers), (Both{0, 0}));
  EXPECT_EQ(ask_both({.reset_at_end = true}, lingers), (Both{1000, 1000}));
}

PARLEY_FIBER_TEST(Options, reuse_port_lets_another_listen_on_the_same_port) {
  SocketNetwork network;
  const auto any = *Address::parse("tcp://127.0.0.1:0");
  for (const bool reuse : {false, true}) {
    ListenOptions options;
    options.reuse_port = reuse;
    auto first = network.listen(any, options);
    const auto second = network.listen((*first)->address(), options);
    EXPECT_EQ(second.has_value(), reuse);
    EXPECT_EQ(option_of((*first)->descriptor(), SOL_SOCKET, SO_REUSEPORT), reuse ? 1 : 0);
  }
}

PARLEY_FIBER_TEST(Options, v6_only_leaves_the_port_to_ipv4) {
  SocketNetwork network;
  for (const bool only : {false, true}) {
    ListenOptions options;
    options.v6_only = only;
    auto listener = network.listen(*Address::parse("tcp://[::]:0"), options);
    ASSERT_TRUE(listener) << listener.error();
    Address ipv4 = (*listener)->address();
    ipv4.host = "127.0.0.1";
    EXPECT_EQ(network.dial(ipv4).has_value(), !only);
    EXPECT_EQ(option_of((*listener)->descriptor(), IPPROTO_IPV6, IPV6_V6ONLY), only ? 1 : 0);
  }
}

PARLEY_FIBER_TEST(Options, defer_accept_waits_for_the_first_bytes) {
  SocketNetwork network;
  for (const auto defer : {0s, 5s}) {
    ListenOptions options;
    options.defer_accept = defer;
    auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"), options);
    EXPECT_EQ(option_of((*listener)->descriptor(), IPPROTO_TCP, TCP_DEFER_ACCEPT) == 0,
              defer == 0s);
    auto client = network.dial((*listener)->address());
    auto server = (*listener)->accept(rt::Deadline::after(20ms));
    EXPECT_EQ(server.has_value(), defer == 0s);
    if (server) continue;
    EXPECT_TRUE((*client)->write("hello").is_ok());
    EXPECT_TRUE((*listener)->accept());
  }
}

PARLEY_FIBER_TEST(Options, a_dial_comes_from_the_address_it_is_bound_to) {
  SocketNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  for (const char* host : {"127.0.0.2", "127.0.0.3"}) {
    DialOptions options;
    options.bind = Address::parse("tcp://" + std::string(host) + ":0").value();
    auto client = network.dial((*listener)->address(), {}, options);
    ASSERT_TRUE(client) << client.error();
    EXPECT_EQ((*client)->local_address().host, host);
    EXPECT_EQ((*(*listener)->accept())->remote_address(), (*client)->local_address());
  }
  DialOptions wrong;
  wrong.bind = Address::parse("tcp://192.0.2.1:0").value();
  EXPECT_EQ(network.dial((*listener)->address(), {}, wrong).error().code(), Code::invalid_argument);
  wrong.bind = Address::parse("tcp://[::1]:0").value();
  EXPECT_NE(network.dial((*listener)->address(), {}, wrong).error().message().find("same family"),
            std::string::npos);
  wrong.bind = Address::parse("unix:@parley").value();
  EXPECT_NE(network.dial((*listener)->address(), {}, wrong).error().message().find("cannot dial"),
            std::string::npos);
}

std::string listen_error(const std::string& address, const ListenOptions& options) {
  SocketNetwork network;
  const auto listener = network.listen(*Address::parse(address), options);
  EXPECT_TRUE(listener || listener.error().code() == Code::invalid_argument);
  return listener.error().message();
}

std::string stream_error(const std::string& address, const StreamOptions& options) {
  ListenOptions listen;
  listen.stream = options;
  return listen_error(address, listen);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

PARLEY_FIBER_TEST(Options, a_value_out_of_range_is_named) {
  const char* tcp = "tcp://127.0.0.1:0";
  EXPECT_EQ(stream_error(tcp, {.keep_alive = KeepAlive{.idle = 0s}}),
            "listen on tcp://127.0.0.1:0: option keep_alive.idle: 0 is not from 1 to 32767");
  EXPECT_TRUE(has(stream_error(tcp, {.keep_alive = KeepAlive{.interval = 40'000s}}),
                  "option keep_alive.interval: 40000"));
  EXPECT_TRUE(has(stream_error(tcp, {.keep_alive = KeepAlive{.count = 128}}),
                  "option keep_alive.count: 128 is not from 1 to 127"));
  EXPECT_TRUE(has(stream_error(tcp, {.send_buffer = 3'000'000'000}), "option send_buffer"));
  EXPECT_TRUE(has(stream_error(tcp, {.receive_buffer = 3'000'000'000}), "option receive_buffer"));
  EXPECT_TRUE(has(stream_error(tcp, {.user_timeout = 0ms}), "option user_timeout"));
  EXPECT_TRUE(has(listen_error(tcp, {.backlog = -1}), "option backlog: -1"));
  EXPECT_TRUE(has(listen_error(tcp, {.defer_accept = -1s}), "option defer_accept"));
  EXPECT_TRUE(has(listen_error(tcp, {.v6_only = true}), "option v6_only: not for IPv4 sockets"));
  EXPECT_TRUE(has(listen_error(tcp, {.file_mode = 0600}), "option file_mode"));
}

PARLEY_FIBER_TEST(Options, what_a_unix_socket_cannot_have_is_named) {
  const std::string name = testing::free_unix_name().to_string();
  EXPECT_EQ(stream_error(name, {}), "");
  EXPECT_TRUE(has(stream_error(name, {.no_delay = false}), "option no_delay"));
  EXPECT_TRUE(has(stream_error(name, {.keep_alive = KeepAlive{}}), "option keep_alive"));
  EXPECT_TRUE(has(stream_error(name, {.user_timeout = 1s}), "option user_timeout"));
  EXPECT_TRUE(has(stream_error(name, {.reset_at_end = true}), "option reset_at_end"));
  EXPECT_TRUE(has(listen_error(name, {.reuse_port = true}), "option reuse_port"));
  EXPECT_TRUE(has(listen_error(name, {.v6_only = true}), "option v6_only"));
  EXPECT_TRUE(has(listen_error(name, {.defer_accept = 1s}), "option defer_accept"));
  EXPECT_TRUE(has(listen_error(name, {.file_mode = 0600}), "an abstract name has no file"));
}

}  // namespace
}  // namespace parley::net
