// HTTP/2 in the client's pool: against our own server, and against frames by hand.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/http/client.h"
#include "parley/http/server.h"
#include "parley/http/testing/http2_frames.h"
#include "parley/http/testing/http2_hand_server.h"
#include "parley/net/in_process_network.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/tls_network.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT(google-build-using-namespace): frames by hand
using rt::testing::wait_until;

ClientOptions to_shop(ClientOptions options) {
  options.address_of = [](const Url&) { return shop_address(); };
  return options;
}

ClientOptions known(ClientOptions options = {}) {
  options.versions = Versions::http_2;
  return to_shop(std::move(options));
}

// Our server at inproc:shop, in clear.
class Shop {
 public:
  explicit Shop(Handler handler, ServerOptions options = {}, net::Network* over = nullptr)
      : listener_(std::move(*(over != nullptr ? *over : network).listen(shop_address()))),
        server_(*listener_, std::move(handler), std::move(options)) {
    scope_.go("server", [this] { EXPECT_TRUE(server_.serve().is_ok()); });
  }
  ~Shop() {
    EXPECT_TRUE(server_.shutdown().is_ok());
    scope_.join();
  }
  [[nodiscard]] std::size_t connections() const { return server_.counts().connections; }
  [[nodiscard]] std::uint64_t requests() const { return server_.counts().requests; }

  net::InProcessNetwork network;

 private:
  const std::unique_ptr<net::Listener> listener_;
  Server server_;
  rt::Scope scope_;
};

Status tell(ServerExchange& exchange) {
  const auto body = exchange.read_all();
  if (!body) return body.error();
  return exchange.answer(200, exchange.request().target + " " + *body);
}

// The same over TLS.
struct Secure {
  explicit Secure(std::vector<std::string> alpn, const Handler& handler = tell)
      : server(*net::TlsServer::create(
            {.identities = {authority.issue({.dns_names = {"shop"}})}, .alpn = std::move(alpn)})),
        client(*net::TlsClient::create({.ca_pem = authority.pem()})),
        over({.below = &below, .server = server.get()}),
        shop(handler, {}, &over) {}
  [[nodiscard]] ClientOptions options(ClientOptions options = {}) const {
    options.tls = client.get();
    return to_shop(std::move(options));
  }
  net::testing::TestAuthority authority{"Tea"};
  std::unique_ptr<net::TlsServer> server;
  std::unique_ptr<net::TlsClient> client;
  net::InProcessNetwork below;
  net::TlsNetwork over;
  Shop shop;
};

PARLEY_FIBER_TEST(ClientHttp2, speaks_what_its_versions_and_the_server_allow) {
  const Secure both({"h2", "http/1.1"});
  net::Network& network = const_cast<Secure&>(both).below;
  const auto spoken = [&](ClientOptions options, const std::string& url) {
    Client client(network, std::move(options));
    const auto answer = client.get(url);
    return answer ? std::string(name_of(answer->protocol)) : std::string(answer.error().message());
  };
  EXPECT_EQ(spoken(both.options(), "https://shop/"), "HTTP/2");
  EXPECT_EQ(spoken(both.options({.versions = Versions::http_1}), "https://shop/"), "HTTP/1.1");
  EXPECT_EQ(spoken(both.options({.versions = Versions::http_2}), "https://shop/"), "HTTP/2");
  Secure old({"http/1.1"});
  EXPECT_EQ(Client(old.below, old.options()).get("https://shop/")->protocol, Protocol::http_1_1);
  const auto only = old.options({.versions = Versions::http_2, .max_tries = 1});
  // The server has nothing in common with it, and says so in the handshake.
  EXPECT_EQ(Client(old.below, only).get("https://shop/").error().code(), Code::failed_precondition);
  Secure silent({});
  const auto only_here = silent.options({.versions = Versions::http_2, .max_tries = 1});
  const Status none = Client(silent.below, only_here).get("https://shop/").error();
  EXPECT_EQ(none.code(), Code::failed_precondition);
  EXPECT_NE(none.message().find("ALPN"), std::string::npos) << none;
  Shop plain(tell);
  EXPECT_EQ(Client(plain.network, to_shop({})).get("http://shop/")->protocol, Protocol::http_1_1);
  EXPECT_EQ(Client(plain.network, known()).get("http://shop/")->protocol, Protocol::http_2);
}

PARLEY_FIBER_TEST(ClientHttp2, a_request_with_upgrade_goes_over_http_1) {
  Secure secure({"h2", "http/1.1"});
  Client client(secure.below, secure.options());
  ASSERT_EQ(client.get("https://shop/")->protocol, Protocol::http_2);
  ClientRequest request{.url = "https://shop/"};
  ASSERT_TRUE(request.headers.add("Upgrade", "tea").is_ok());
  EXPECT_EQ(client.send(request)->protocol, Protocol::http_1_1);
  EXPECT_EQ(client.get("https://shop/")->protocol, Protocol::http_2);
  EXPECT_EQ(client.counts().dialled, 2u);
  Client strict(secure.below, secure.options({.versions = Versions::http_2}));
  EXPECT_EQ(strict.send(request).error().code(), Code::invalid_argument);
}

// `many` requests that are all answered only when all are there.
void ask_at_once(net::Network& network, const ClientOptions& options, int many,
                 const std::string& url, const std::atomic<int>& running, rt::Event& go) {
  Client client(network, options);
  rt::Scope scope;
  for (int i = 0; i < many; ++i) {
    scope.go("asker", [&, i] {
      const std::string body(static_cast<std::size_t>(i) * 300, 'x');
      const std::string path = "/" + std::to_string(i);
      const auto answer = client.post(url + path, body, "text/plain");
      ASSERT_TRUE(answer) << answer.error();
      EXPECT_TRUE(answer->body == path + " " + body);
      EXPECT_EQ(answer->protocol, Protocol::http_2);
    });
  }
  wait_until([&] { return running == many; });
  go.set();
  scope.join();
  EXPECT_EQ(client.counts().dialled, 1u);
  EXPECT_EQ(client.counts().connections, 1u);
  EXPECT_EQ(client.get(url)->body, "/ ");
  EXPECT_EQ(client.counts().dialled, 1u);
}

void ask_hundred_over_tls() {
  std::atomic<int> running = 0;
  rt::Event go;
  Secure secure({"h2", "http/1.1"}, [&](ServerExchange& exchange) {
    ++running;
    if (Status s = go.wait(); !s.is_ok()) return s;
    return tell(exchange);
  });
  ask_at_once(secure.below, secure.options(), 100, "https://shop", running, go);
}

PARLEY_FIBER_TEST(ClientHttp2, a_hundred_at_once_share_one_dial_and_one_connection) {
  ask_hundred_over_tls();
}

TEST(ClientHttp2, a_hundred_at_once_on_four_workers) {
  rt::testing::run_fiber_test([] { ask_hundred_over_tls(); }, {.workers = 4});
}

TEST(ClientHttp2, thousands_over_few_connections_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        Shop shop(tell, {.http2 = {.limits = {.max_streams = 7}}});
        Client client(shop.network, known({.max_connections_per_origin = 3}));
        std::atomic<int> answered = 0;
        rt::Scope scope;
        for (int i = 0; i < 200; ++i) {
          scope.go("asker", [&] {
            for (int k = 0; k < 10; ++k) {
              const auto answer = client.get("http://shop/tea");
              ASSERT_TRUE(answer) << answer.error();
              ++answered;
            }
          });
        }
        scope.join();
        EXPECT_EQ(answered, 2000);
        EXPECT_EQ(client.counts().waiting, 0u);
        EXPECT_LE(client.counts().connections, 3u);
        EXPECT_EQ(shop.requests(), 2000u);
      },
      {.workers = 4});
}

PARLEY_FIBER_TEST(ClientHttp2, one_connection_is_full_before_the_next_and_then_there_is_a_line) {
  struct Case {
    std::uint32_t there, here;
    std::size_t connections;
    std::size_t at_once;
  };
  for (const Case& one : {Case{4, 100, 2, 8}, Case{100, 3, 2, 6}, Case{4, 100, 1, 4}}) {
    std::atomic<std::size_t> running = 0;
    rt::Event go;
    Shop shop(
        [&](ServerExchange& exchange) {
          ++running;
          if (Status s = go.wait(); !s.is_ok()) return s;
          return tell(exchange);
        },
        {.http2 = {.limits = {.max_streams = one.there}}});
    Client client(shop.network, known({.max_connections_per_origin = one.connections,
                                       .http2 = {.limits = {.max_streams = one.here}}}));
    rt::Scope scope;
    for (int i = 0; i < 20; ++i) {
      scope.go("asker", [&] { EXPECT_TRUE(client.get("http://shop/")); });
    }
    wait_until(
        [&] { return running == one.at_once && client.counts().waiting == 20 - one.at_once; });
    EXPECT_EQ(client.counts().connections, one.connections);
    EXPECT_EQ(client.get("http://shop/", rt::Deadline::after(1ms)).error().code(),
              Code::deadline_exceeded);
    go.set();
    scope.join();
    EXPECT_EQ(client.counts().dialled, one.connections);
    EXPECT_EQ(running, 20u);
  }
}

PARLEY_FIBER_TEST(ClientHttp2, a_place_that_was_not_used_serves_the_next_in_line) {
  rt::Event go;
  std::atomic<int> running = 0;
  Shop shop(
      [&](ServerExchange& exchange) {
        ++running;
        if (Status s = go.wait(); !s.is_ok()) return s;
        return tell(exchange);
      },
      {.http2 = {.limits = {.max_streams = 1}}});
  Client client(shop.network, known({.max_connections_per_origin = 1, .max_waiting = 2}));
  rt::Scope scope;
  scope.go("first", [&] { EXPECT_TRUE(client.get("http://shop/")); });
  wait_until([&] { return running == 1; });
  scope.go("bad", [&] {
    const ClientRequest bad{.url = "http://shop/", .target = "no path"};
    EXPECT_EQ(client.send(bad).error().code(), Code::invalid_argument);
  });
  wait_until([&] { return client.counts().waiting == 1; });
  scope.go("last", [&] { EXPECT_TRUE(client.get("http://shop/", rt::Deadline::after(15s))); });
  wait_until([&] { return client.counts().waiting == 2; });
  EXPECT_EQ(client.get("http://shop/").error().code(), Code::resource_exhausted);
  go.set();
  scope.join();
  EXPECT_EQ(running, 2);
}

PARLEY_FIBER_TEST(ClientHttp2, the_end_of_one_stream_does_not_end_others) {
  rt::Event go;
  std::atomic<int> running = 0;
  Shop shop([&](ServerExchange& exchange) {
    ++running;
    if (Status s = go.wait(); !s.is_ok()) return s;
    return tell(exchange);
  });
  Client client(shop.network, known());
  rt::Scope scope;
  scope.go("patient", [&] { EXPECT_EQ(client.get("http://shop/a")->body, "/a "); });
  wait_until([&] { return running == 1; });
  EXPECT_EQ(client.get("http://shop/b", rt::Deadline::after(1ms)).error().code(),
            Code::deadline_exceeded);
  rt::Scope given_up;
  given_up.go("given up",
              [&] { EXPECT_EQ(client.get("http://shop/c").error().code(), Code::cancelled); });
  wait_until([&] { return running >= 2; });
  given_up.cancel();
  given_up.join();
  {
    const auto exchange = client.begin({.url = "http://shop/d"}, BodySize::none());
    (*exchange)->cancel();
    EXPECT_EQ((*exchange)->response().error().code(), Code::cancelled);
  }
  go.set();
  scope.join();
  EXPECT_EQ(client.counts().dialled, 1u);
  wait_until([&] { return client.counts().idle == 1; });
}

PARLEY_FIBER_TEST(ClientHttp2, close_ends_what_is_under_way_and_in_line) {
  std::atomic<int> running = 0;
  Shop shop(
      [&](ServerExchange& exchange) {
        ++running;
        return exchange.read().error();
      },
      {.http2 = {.limits = {.max_streams = 2}}});
  Client client(shop.network, known({.max_connections_per_origin = 1}));
  ASSERT_TRUE(client.get("http://shop/")) << "now its limit is known";
  rt::Scope scope;
  for (int i = 0; i < 4; ++i) {
    scope.go("asker", [&] {
      auto exchange =
          client.begin({.method = Method::post, .url = "http://shop/"}, BodySize::unknown());
      const Status status = exchange ? (*exchange)->response().error() : exchange.error();
      EXPECT_EQ(status.code(), Code::unavailable) << status;
    });
  }
  wait_until([&] { return running == 3 && client.counts().waiting == 2; });
  client.close();
  scope.join();
  EXPECT_EQ(client.get("http://shop/").error().code(), Code::unavailable);
  EXPECT_EQ(client.counts().connections, 0u);
}

// Dials when it is told to, or fails.
class Gate final : public net::Network {
 public:
  explicit Gate(net::Network& below) : below_(below) {}
  Result<std::unique_ptr<net::Listener>> listen(const net::Address& address,
                                                const net::ListenOptions& options) override {
    return below_.listen(address, options);
  }
  Result<std::unique_ptr<net::Stream>> dial(const net::Address& address, rt::Deadline deadline,
                                            const net::DialOptions& options) override {
    ++dials;
    if (Status s = open.wait(deadline); !s.is_ok()) return s;
    if (fails) return Status(Code::unavailable, "nobody is there");
    return below_.dial(address, deadline, options);
  }
  rt::Event open;
  std::atomic<int> dials = 0;
  std::atomic<bool> fails = false;

 private:
  net::Network& below_;
};

PARLEY_FIBER_TEST(ClientHttp2, a_dial_does_not_end_with_the_one_who_asked_first) {
  Shop shop(tell);
  Gate gate(shop.network);
  Client client(gate, known());
  rt::Scope hasty;
  hasty.go("hasty", [&] { EXPECT_EQ(client.get("http://shop/").error().code(), Code::cancelled); });
  wait_until([&] { return gate.dials == 1; });
  rt::Scope scope;
  scope.go("patient", [&] { EXPECT_TRUE(client.get("http://shop/")); });
  wait_until([&] { return client.counts().waiting == 2; });
  EXPECT_EQ(client.get("http://shop/", rt::Deadline::after(1ms)).error().code(),
            Code::deadline_exceeded);
  hasty.cancel();
  hasty.join();
  EXPECT_EQ(client.counts().waiting, 1u);
  gate.open.set();
  scope.join();
  EXPECT_EQ(gate.dials, 1);
}

PARLEY_FIBER_TEST(ClientHttp2, a_dial_that_fails_fails_all_who_wait_for_it) {
  Shop shop(tell);
  Gate gate(shop.network);
  gate.fails = true;
  Client client(gate, known({.max_tries = 1}));
  rt::Scope scope;
  for (int i = 0; i < 30; ++i) {
    scope.go("asker",
             [&] { EXPECT_EQ(client.get("http://shop/").error().code(), Code::not_sent); });
  }
  wait_until([&] { return client.counts().waiting == 30; });
  gate.open.set();
  scope.join();
  EXPECT_EQ(client.counts().dialled, 1u);
  EXPECT_EQ(client.counts().connections, 0u);
  gate.fails = false;
  EXPECT_TRUE(client.get("http://shop/"));
}

TEST(ClientHttp2, who_waits_goes_on_with_what_there_is_when_no_further_connection_can_be_made) {
  rt::testing::in_virtual_time(
      [] {
        rt::Event go;
        std::atomic<int> running = 0;
        Shop shop(
            [&](ServerExchange& exchange) {
              ++running;
              if (Status s = go.wait(); !s.is_ok()) return s;
              return tell(exchange);
            },
            {.http2 = {.limits = {.max_streams = 1}}});
        Gate gate(shop.network);
        gate.open.set();
        Client client(gate, known());
        rt::Scope scope;
        scope.go("first", [&] { EXPECT_TRUE(client.get("http://shop/")); });
        wait_until([&] { return running == 1; });
        gate.fails = true;
        for (int i = 0; i < 5; ++i) {
          scope.go("asker", [&] { EXPECT_TRUE(client.get("http://shop/")); });
        }
        ASSERT_TRUE(rt::sleep(10s).is_ok());
        EXPECT_GT(gate.dials, 2) << "it was tried again";
        EXPECT_LE(gate.dials, 12) << "with pauses";
        EXPECT_EQ(client.counts().waiting, 5u);
        go.set();
        scope.join();
        ASSERT_TRUE(rt::sleep(2s).is_ok());
        EXPECT_EQ(client.counts().connections, 1u);
      },
      20ms);
}

PARLEY_FIBER_TEST(ClientHttp2, known_to_be_http_1_connections_are_made_side_by_side) {
  std::atomic<int> running = 0;
  rt::Event go;
  Secure secure({"http/1.1"}, [&](ServerExchange& exchange) {
    ++running;
    if (Status s = go.wait(); !s.is_ok()) return s;
    return tell(exchange);
  });
  Gate gate(secure.below);
  Client client(gate, secure.options());
  rt::Scope scope;
  for (int i = 0; i < 5; ++i) {
    scope.go("asker", [&] { EXPECT_TRUE(client.get("https://shop/")); });
  }
  wait_until([&] { return client.counts().waiting == 5 && gate.dials == 1; });
  EXPECT_EQ(client.counts().dialled, 1u) << "it might have been HTTP/2";
  gate.open.set();
  wait_until([&] { return running == 5; });
  go.set();
  scope.join();
  EXPECT_EQ(gate.dials, 5);
}

TEST(ClientHttp2, connections_at_rest_end_after_idle_timeout_or_with_their_server) {
  rt::testing::in_virtual_time(
      [] {
        Shop shop(tell, {.keep_alive_timeout = Duration(60s)});
        Client hasty(shop.network, known({.idle_timeout = Duration(10s)}));
        Client patient(shop.network, known({.idle_timeout = Duration(1h)}));
        ASSERT_TRUE(hasty.get("http://shop/") && patient.get("http://shop/"));
        ASSERT_TRUE(rt::sleep(15s).is_ok());
        EXPECT_EQ(hasty.counts().connections, 0u);
        EXPECT_EQ(patient.counts().idle, 1u);
        ASSERT_TRUE(rt::sleep(2min).is_ok());
        EXPECT_EQ(patient.counts().connections, 0u) << "its server ended it";
        EXPECT_EQ(shop.connections(), 0u);
        EXPECT_TRUE(patient.get("http://shop/"));
        EXPECT_EQ(patient.counts().dialled, 2u);
        Client aging(shop.network, known({.idle_timeout = Duration(1h), .max_age = Duration(5s)}));
        ASSERT_TRUE(aging.get("http://shop/"));
        ASSERT_TRUE(rt::sleep(4s).is_ok());
        ASSERT_TRUE(aging.get("http://shop/"));
        EXPECT_EQ(aging.counts().dialled, 1u);
        ASSERT_TRUE(rt::sleep(2s).is_ok());
        ASSERT_TRUE(aging.get("http://shop/"));
        EXPECT_EQ(aging.counts().dialled, 2u);
      },
      20ms);
}

PARLEY_FIBER_TEST(ClientHttp2, a_refused_stream_is_sent_again) {
  const auto refuse = [](int times) {
    return [times](Hand& hand, int) {
      for (int i = 0; i < times; ++i) {
        const std::uint32_t id = hand.wait_for(headers_frame);
        hand.send(frame(reset_frame, 0, id, number(7)));
      }
      hand.answer(hand.wait_for(headers_frame), "tea");
    };
  };
  HandServer world(refuse(2));
  Client client(world.network, known({.retry_pause = Duration::zero()}));
  const auto answer = client.post("http://shop/", "leaves", "text/plain");
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_EQ(answer->body, "tea");
  EXPECT_EQ(client.counts().dialled, 1u);
  HandServer strict(refuse(2));
  Client once(strict.network, known({.max_tries = 2, .retry_pause = Duration::zero()}));
  EXPECT_EQ(once.post("http://shop/", "leaves", "text/plain").error().code(), Code::not_sent);
}

PARLEY_FIBER_TEST(ClientHttp2, what_goaway_passed_over_is_sent_again_on_a_new_connection) {
  HandServer world([](Hand& hand, int n) {
    const std::uint32_t first = hand.wait_for(headers_frame);
    if (n == 1) {
      hand.answer(first, "new");
      hand.answer(hand.wait_for(headers_frame), "new");
      return;
    }
    (void)hand.wait_for(headers_frame);
    hand.send(frame(goaway_frame, 0, 0, number(first) + number(0)));
    // In order: what the server has looked at is answered still.
    hand.answer(first, "old");
  });
  Client client(world.network, known({.retry_pause = Duration::zero()}));
  std::vector<std::string> answers;
  rt::Scope scope;
  for (int i = 0; i < 2; ++i) {
    scope.go("asker", [&] {
      const auto answer = client.post("http://shop/", "leaves", "text/plain");
      ASSERT_TRUE(answer) << answer.error();
      answers.push_back(answer->body);
    });
  }
  scope.join();
  std::sort(answers.begin(), answers.end());
  EXPECT_EQ(answers, (std::vector<std::string>{"new", "old"}));
  EXPECT_EQ(client.get("http://shop/")->body, "new");
  EXPECT_EQ(world.accepted, 2);
  wait_until([&] { return client.counts().connections == 1; });
}

PARLEY_FIBER_TEST(ClientHttp2, what_finishes_behind_goaway_holds_up_nobody_but_has_a_limit) {
  rt::Event go;
  HandServer world([&](Hand& hand, int) {
    const std::uint32_t id = hand.wait_for(headers_frame);
    hand.send(frame(goaway_frame, 0, 0, number(id) + number(0)));
    (void)go.wait();
    hand.answer(id, "tea");
  });
  Client client(world.network, known({.max_connections_per_origin = 2}));
  rt::Scope scope;
  for (int i = 0; i < 5; ++i) {
    scope.go("asker", [&] { EXPECT_EQ(client.get("http://shop/")->body, "tea"); });
    if (i < 4) {
      wait_until([&] { return world.accepted == i + 1; });
    } else {
      wait_until([&] { return client.counts().waiting == 1; });
    }
  }
  EXPECT_EQ(client.counts().connections, 4u);
  go.set();
  scope.join();
  EXPECT_EQ(world.accepted, 5);
}

PARLEY_FIBER_TEST(ClientHttp2, who_speaks_no_http_2_is_told_and_nobody_dials_for_ever) {
  net::InProcessNetwork network;
  const auto listener = std::move(*network.listen(shop_address()));
  rt::Scope scope(rt::OnExit::cancel);
  scope.go("server", [&] {
    while (auto stream = listener->accept()) {
      (void)(*stream)->write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
      (*stream)->close();
    }
  });
  Client client(network, known({.max_tries = 2, .retry_pause = Duration::zero()}));
  rt::Scope askers;
  for (int i = 0; i < 20; ++i) {
    askers.go("asker", [&] { EXPECT_FALSE(client.get("http://shop/")); });
  }
  askers.join();
  EXPECT_LE(client.counts().dialled, 40u);
  wait_until([&] { return client.counts().connections == 0; });
}

PARLEY_FIBER_TEST(ClientHttp2, a_connection_that_breaks_ends_its_exchanges_and_is_left) {
  HandServer world([](Hand& hand, int n) {
    for (int i = 0; i < 3; ++i) {
      const std::uint32_t id = hand.wait_for(headers_frame);
      if (n > 0) hand.answer(id, "tea");
    }
    if (n == 0) hand.close();
  });
  Client client(world.network, known());
  rt::Scope scope;
  for (int i = 0; i < 3; ++i) {
    scope.go("asker", [&] {
      EXPECT_EQ(client.post("http://shop/", "leaves", "text/plain").error().code(),
                Code::unavailable);
    });
  }
  scope.join();
  wait_until([&] { return client.counts().connections == 0; });
  EXPECT_EQ(client.get("http://shop/")->body, "tea");
  EXPECT_EQ(world.accepted, 2);
}

PARLEY_FIBER_TEST(ClientHttp2, close_ends_a_dial_and_keeps_no_more_at_rest_than_it_may) {
  Shop shop(tell);
  Gate gate(shop.network);
  Client client(gate, known());
  rt::Scope scope;
  for (int i = 0; i < 3; ++i) {
    scope.go("asker",
             [&] { EXPECT_EQ(client.get("http://shop/").error().code(), Code::unavailable); });
  }
  wait_until([&] { return gate.dials == 1 && client.counts().waiting == 3; });
  client.close();
  scope.join();
  Client few(shop.network, known({.max_idle = 1}));
  Client many(shop.network, known({.max_idle = 2}));
  for (const char* url : {"http://a/", "http://b/", "http://a/"}) {
    ASSERT_TRUE(few.get(url) && many.get(url));
    wait_until([&] {
      return few.counts().idle == few.counts().connections &&
             many.counts().idle == many.counts().connections;
    });
  }
  EXPECT_EQ(few.counts().dialled, 3u);
  EXPECT_EQ(many.counts().dialled, 2u);
}

TEST(ClientHttp2, a_dial_that_many_wait_for_has_its_time) {
  rt::testing::in_virtual_time(
      [] {
        Shop shop(tell);
        Gate never(shop.network);
        for (const Duration timeout : {Duration(2s), Duration(9s)}) {
          Client client(never, known({.connect_timeout = timeout, .max_tries = 1}));
          const Instant begun = rt::now();
          rt::Scope scope;
          for (int i = 0; i < 3; ++i) {
            scope.go("asker", [&] {
              const Status status = client.get("http://shop/").error();
              EXPECT_EQ(status.code(), Code::not_sent);
              EXPECT_NE(status.message().find("connect_timeout"), std::string::npos) << status;
            });
          }
          scope.join();
          EXPECT_GE(rt::now() - begun, timeout);
          EXPECT_LT(rt::now() - begun, timeout + 1s);
          EXPECT_EQ(client.counts().dialled, 1u);
        }
      },
      20ms);
}

// A server that asks another one for each of its own requests.
void pass_on_at_once() {
  constexpr int many = 150;
  std::atomic<int> running = 0;
  rt::Event go;
  Shop behind(
      [&](ServerExchange& exchange) {
        ++running;
        if (Status s = go.wait(); !s.is_ok()) return s;
        return tell(exchange);
      },
      {.http2 = {.limits = {.max_streams = 200}}});
  Client inner(behind.network, known({.http2 = {.limits = {.max_streams = 200}}}));
  Shop front([&](ServerExchange& exchange) {
    const auto answer = inner.get("http://behind" + exchange.request().target);
    if (!answer) return answer.error();
    return exchange.answer(answer->status, answer->body);
  });
  Client outer(front.network, to_shop({.max_connections_per_origin = many}));
  rt::Scope scope;
  for (int i = 0; i < many; ++i) {
    scope.go("asker", [&, i] {
      const std::string path = "/" + std::to_string(i);
      const auto answer = outer.get("http://front" + path);
      ASSERT_TRUE(answer) << answer.error();
      EXPECT_EQ(answer->body, path + " ");
    });
  }
  wait_until([&] { return running == many; });
  EXPECT_EQ(inner.counts().dialled, 1u);
  EXPECT_EQ(outer.counts().connections, std::size_t{many});
  go.set();
  scope.join();
  EXPECT_EQ(behind.requests(), std::uint64_t{many});
}

PARLEY_FIBER_TEST(ClientHttp2, a_server_passes_many_requests_on_over_one_connection) {
  pass_on_at_once();
}

TEST(ClientHttp2, a_server_passes_many_requests_on_on_four_workers) {
  rt::testing::run_fiber_test(pass_on_at_once, {.workers = 4});
}

TEST(ClientHttp2, connections_that_their_server_ends_under_load_lose_nothing_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        Shop shop(tell, {.max_requests = 20});
        Client client(shop.network, known({.max_connections_per_origin = 4,
                                           .max_tries = 10,
                                           .retry_pause = Duration::zero()}));
        std::atomic<int> answered = 0;
        rt::Scope scope;
        for (int i = 0; i < 50; ++i) {
          scope.go("asker", [&] {
            for (int k = 0; k < 20; ++k) {
              const auto answer = client.post("http://shop/tea", "leaves", "text/plain");
              ASSERT_TRUE(answer) << answer.error();
              ++answered;
            }
          });
        }
        scope.join();
        EXPECT_EQ(answered, 1000);
        EXPECT_EQ(shop.requests(), 1000u) << "none was run twice";
        EXPECT_GE(client.counts().dialled, 2u);
        EXPECT_EQ(client.counts().waiting, 0u);
      },
      {.workers = 4});
}

TEST(ClientHttp2, closed_in_the_middle_of_it_all_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        Shop shop(tell, {.max_requests = 5});
        for (int round = 0; round < 20; ++round) {
          Client client(shop.network,
                        known({.max_connections_per_origin = 3, .retry_pause = Duration::zero()}));
          std::atomic<int> asked = 0;
          std::atomic<bool> is_closed = false;
          rt::Scope scope;
          for (int i = 0; i < 20; ++i) {
            scope.go("asker", [&] {
              while (!is_closed) asked += client.get("http://shop/tea") ? 1 : 0;
            });
          }
          wait_until([&] { return asked >= round * 5; });
          client.close();
          is_closed = true;
          scope.join();
          EXPECT_EQ(client.counts().connections, 0u);
        }
      },
      {.workers = 4});
}

TEST(ClientHttp2, each_wait_has_its_time_and_the_connection_goes_on) {
  rt::testing::in_virtual_time(
      [] {
        Shop shop([](ServerExchange& exchange) -> Status {
          if (exchange.request().target == "/silent") return exchange.read().error();
          if (exchange.request().target == "/half") {
            (void)exchange.begin(BodySize::unknown());
            (void)exchange.write("tea");
            (void)exchange.flush();
            return rt::sleep(1h);
          }
          if (exchange.request().method == Method::post) return rt::sleep(1h);
          return tell(exchange);
        });
        const auto took = [&](ClientOptions options, const ClientRequest& request,
                              const std::string& option) {
          Client client(shop.network, known(std::move(options)));
          const Instant begun = rt::now();
          const BodySize size = request.body.empty() ? BodySize::none() : BodySize::unknown();
          const Status status = [&]() -> Status {
            if (size.is_none()) return client.send(request).error();
            auto exchange = client.begin(request, size);
            return (*exchange)->write(request.body);
          }();
          EXPECT_EQ(status.code(), Code::deadline_exceeded) << status;
          EXPECT_NE(status.message().find(option), std::string::npos) << status;
          const auto time = std::chrono::duration_cast<std::chrono::seconds>(rt::now() - begun);
          EXPECT_TRUE(client.get("http://shop/"));
          EXPECT_EQ(client.counts().dialled, 1u);
          return time;
        };
        const ClientRequest half{.url = "http://shop/half"};
        EXPECT_EQ(took({.body_timeout = 2s}, half, "body_timeout"), 2s);
        EXPECT_EQ(took({.body_timeout = 5s}, half, "body_timeout"), 5s);
        const ClientRequest slow{
            .method = Method::post, .url = "http://shop/", .body = std::string(5'000'000, 'x')};
        // The last byte that was taken may be from a little later.
        EXPECT_LE(took({.body_timeout = 2s}, slow, "body_timeout"), 4s);
        EXPECT_GE(took({.body_timeout = 5s}, slow, "body_timeout"), 5s);
        HandServer deaf([](Hand& hand, int) {
          while (hand.wait_for(headers_frame) != 0) continue;
        });
        const auto patience = [&](ClientOptions options, Code code) {
          Client client(deaf.network, known(std::move(options)));
          const Instant begun = rt::now();
          EXPECT_EQ(client.get("http://shop/").error().code(), code);
          return std::chrono::duration_cast<std::chrono::seconds>(rt::now() - begun);
        };
        EXPECT_EQ(patience({.answer_timeout = 3s}, Code::deadline_exceeded), 3s);
        EXPECT_EQ(patience({.answer_timeout = 7s}, Code::deadline_exceeded), 7s);
        // Nobody answers a PING either: the connection is gone.
        const ClientOptions watchful{
            .ping_after = 5s, .answer_timeout = 1h, .max_tries = 1, .http2 = {.ping_timeout = 4s}};
        EXPECT_EQ(patience(watchful, Code::unavailable), 9s);
        EXPECT_EQ(patience({.ping_after = Duration::zero(), .answer_timeout = 100s},
                           Code::deadline_exceeded),
                  100s);
      },
      20ms);
}

ClientRequest asking_first() {
  ClientRequest request{.method = Method::post, .url = "http://shop/"};
  EXPECT_TRUE(request.headers.add("Expect", "100-continue").is_ok());
  return request;
}

PARLEY_FIBER_TEST(ClientHttp2, a_body_waits_for_100_where_the_request_says_so) {
  bool refuses = false;
  Shop shop([&](ServerExchange& exchange) {
    return refuses ? exchange.answer(403, "no") : tell(exchange);
  });
  Client client(shop.network, known({.continue_timeout = Duration(1h)}));
  auto exchange = client.begin(asking_first(), BodySize::of(6));
  ASSERT_TRUE((*exchange)->write("leaves").is_ok());
  ASSERT_TRUE((*exchange)->end().is_ok());
  EXPECT_EQ(*(*exchange)->read_all(), "/ leaves");
  refuses = true;
  exchange = client.begin(asking_first(), BodySize::of(6));
  EXPECT_EQ((*exchange)->write("leaves").code(), Code::cancelled);
  EXPECT_EQ((*(*exchange)->response())->status, 403);
  EXPECT_EQ(*(*exchange)->read_all(), "no");
  exchange->reset();
  EXPECT_EQ(client.counts().dialled, 1u);
}

TEST(ClientHttp2, a_body_goes_after_continue_timeout_without_100) {
  rt::testing::in_virtual_time(
      [] {
        for (const Duration timeout : {Duration(2s), Duration(8s)}) {
          HandServer world([](Hand& hand, int) {
            (void)hand.wait_for(headers_frame);
            hand.answer(hand.wait_for(data_frame), "tea");
          });
          Client client(world.network, known({.continue_timeout = timeout}));
          const Instant begun = rt::now();
          auto exchange = client.begin(asking_first(), BodySize::of(6));
          ASSERT_TRUE((*exchange)->write("leaves").is_ok());
          EXPECT_GE(rt::now() - begun, timeout);
          EXPECT_LT(rt::now() - begun, timeout + 1s);
          ASSERT_TRUE((*exchange)->end().is_ok());
          EXPECT_EQ(*(*exchange)->read_all(), "tea");
        }
      },
      20ms);
}

}  // namespace
}  // namespace parley::http
