#include "parley/http/client.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/net/in_process_network.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using rt::testing::wait_until;

std::string ok_with(const std::string& body, const std::string& fields = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// A server by hand at inproc:shop, which every URL leads to.
class World {
 public:
  // Gets each request whole, and returns the bytes of its answer; none end the connection.
  using Reply = std::function<std::string(const std::string& request)>;

  explicit World(Reply reply) : reply_(std::move(reply)) {
    scope_.go("server", [this] {
      while (auto stream = listener_->accept()) {
        ++accepted;
        scope_.go("connection", [this, it = std::shared_ptr(*std::move(stream))] { serve(*it); });
      }
    });
  }
  ~World() {
    scope_.cancel();
    scope_.join();
  }
  ClientOptions options(ClientOptions options = {}) {
    options.address_of = [](const Url&) { return net::Address::parse("inproc:shop"); };
    return options;
  }
  void stop_listening() { listener_->close(); }

  net::InProcessNetwork network;
  int accepted = 0;
  int ended = 0;
  std::vector<std::string> asked{};

 private:
  void serve(net::Stream& stream) {
    std::array<char, 4096> buffer{};
    std::string in;
    for (;;) {
      const std::size_t head = in.find("\r\n\r\n");
      std::size_t whole = head == std::string::npos ? in.size() + 1 : head + 4;
      const std::size_t length = in.find("Content-Length: ");
      if (length < head) whole += std::stoul(in.substr(length + 16));
      if (in.size() < whole) {
        const auto size = stream.read(buffer);
        if (!size || *size == 0) break;
        in.append(buffer.data(), *size);
        continue;
      }
      asked.push_back(in.substr(0, whole));
      in.erase(0, whole);
      const std::string request = asked.back();  // others add to `asked` meanwhile
      const std::string out = reply_(request);
      if (out.empty() || !stream.write(out).is_ok()) break;
      if (out.find("Connection: close") != std::string::npos) break;
    }
    ++ended;
    stream.close();
  }

  const Reply reply_;
  std::unique_ptr<net::Listener> listener_ =
      std::move(*network.listen(*net::Address::parse("inproc:shop")));
  rt::Scope scope_;
};

std::string path_of(const std::string& request) {
  const std::size_t at = request.find(' ') + 1;
  return request.substr(at, request.find(' ', at) - at);
}

PARLEY_FIBER_TEST(Client, gets_and_posts_whole_answers_over_one_connection) {
  World world([](const std::string& request) {
    return ok_with(request.substr(request.find("\r\n\r\n") + 4), "X-Tea: green\r\n");
  });
  Client client(world.network, world.options());
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.post("http://shop.example/tea?a=b", "leaves", "text/plain");
    ASSERT_TRUE(answer) << answer.error();
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->headers.get("x-tea"), "green");
    EXPECT_EQ(answer->body, "leaves");
    EXPECT_EQ(answer->url, "http://shop.example/tea?a=b");
    EXPECT_EQ(client.counts().idle, 1u);
  }
  EXPECT_EQ(world.asked[2],
            "POST /tea?a=b HTTP/1.1\r\nHost: shop.example\r\nContent-Type: text/plain\r\n"
            "User-Agent: parley\r\nContent-Length: 6\r\n\r\nleaves");
  EXPECT_EQ(client.get("http://shop.example/")->body, "");
  EXPECT_EQ(world.accepted, 1);
  EXPECT_EQ(client.get("ftp://shop.example/").error().code(), Code::invalid_argument);
  EXPECT_EQ(client.get("https://shop.example/").error().code(), Code::failed_precondition);
}

PARLEY_FIBER_TEST(Client, a_large_body_is_sent_while_its_answer_is_read) {
  World world([](const std::string& request) { return ok_with(std::to_string(request.size())); });
  Client client(world.network, world.options());
  const auto answer = client.post("http://a/", std::string(300'000, 'x'), "text/plain");
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_GT(std::stoul(answer->body), 300'000u);
  EXPECT_EQ(client.counts().idle, 1u);
}

PARLEY_FIBER_TEST(Client, options_of_requests_and_answers_are_kept) {
  World world([](const std::string&) { return ok_with("green"); });
  {
    Client client(world.network, world.options({.max_answer_bytes = 5, .user_agent = "till/2"}));
    EXPECT_EQ(client.get("http://a/")->body, "green");
    EXPECT_NE(world.asked.back().find("User-Agent: till/2"), std::string::npos);
  }
  {
    Client client(world.network, world.options({.max_answer_bytes = 4, .user_agent = ""}));
    EXPECT_EQ(client.get("http://a/").error().code(), Code::resource_exhausted);
    EXPECT_EQ(world.asked.back().find("User-Agent"), std::string::npos);
  }
  Client client(world.network, world.options({.limits = {.max_body_bytes = 4}}));
  EXPECT_EQ(client.get("http://a/").error().code(), Code::resource_exhausted);
  EXPECT_EQ(client.counts().connections, 0u);
  int around = 0;
  Client wrapped(world.network, world.options({.around = [&](auto exchange) {
    ++around;
    return exchange;
  }}));
  EXPECT_TRUE(wrapped.get("http://a/"));
  EXPECT_EQ(around, 1);
}

std::string redirect_to(int status, const std::string& where) {
  return "HTTP/1.1 " + std::to_string(status) + " See\r\nLocation: " + where +
         "\r\nContent-Length: 0\r\n\r\n";
}

PARLEY_FIBER_TEST(Client, redirects_change_the_method_as_rfc_9110_says) {
  struct Case {
    int status;
    Method method;
    std::string then;
  };
  const Case cases[] = {{301, Method::post, "GET"},  {302, Method::post, "GET"},
                        {303, Method::post, "GET"},  {307, Method::post, "POST"},
                        {308, Method::post, "POST"}, {301, Method::put, "PUT"},
                        {303, Method::put, "GET"},   {303, Method::head, "HEAD"}};
  for (const Case& one : cases) {
    World world([&](const std::string& request) {
      const bool is_head = request.starts_with("HEAD");
      if (path_of(request) == "/a/b") return redirect_to(one.status, "../c?d#e");
      return is_head ? "HTTP/1.1 204 No Content\r\n\r\n" : ok_with("there");
    });
    Client client(world.network, world.options());
    ClientRequest request{.method = one.method, .url = "http://shop.example/a/b"};
    if (one.method != Method::head) request.body = "leaves";
    EXPECT_TRUE(request.headers.add("Content-Type", "text/plain").is_ok());
    EXPECT_TRUE(request.headers.add("Cookie", "a=b").is_ok());
    const auto answer = client.send(request);
    ASSERT_TRUE(answer) << answer.error();
    EXPECT_EQ(answer->url, "http://shop.example/c?d");
    const std::string& last = world.asked.back();
    EXPECT_TRUE(last.starts_with(one.then + " /c?d ")) << last;
    EXPECT_EQ(last.ends_with("leaves"), one.then.starts_with('P')) << last;
    EXPECT_EQ(last.find("Content-Type") == std::string::npos, one.then == "GET") << last;
    EXPECT_NE(last.find("Cookie: a=b"), std::string::npos);
  }
}

PARLEY_FIBER_TEST(Client, secrets_stay_with_their_origin) {
  World world([](const std::string& request) {
    return path_of(request) == "/" ? redirect_to(302, "http://b/end") : ok_with("there");
  });
  Client client(world.network, world.options());
  ClientRequest request{.url = "http://a/"};
  for (const char* name : {"Authorization", "Cookie", "X-Tea"}) {
    EXPECT_TRUE(request.headers.add(name, "secret").is_ok());
  }
  ASSERT_TRUE(client.send(request));
  EXPECT_NE(world.asked[0].find("Authorization"), std::string::npos);
  EXPECT_EQ(world.asked[1].find("Authorization"), std::string::npos);
  EXPECT_EQ(world.asked[1].find("Cookie"), std::string::npos);
  EXPECT_NE(world.asked[1].find("X-Tea"), std::string::npos);
  EXPECT_NE(world.asked[1].find("Host: b\r\n"), std::string::npos);
}

PARLEY_FIBER_TEST(Client, redirects_end_at_their_limit_and_are_answers_without_one) {
  World world([](const std::string&) { return redirect_to(302, "/again"); });
  Client client(world.network, world.options({.max_redirects = 3}));
  EXPECT_EQ(client.get("http://a/").error().code(), Code::resource_exhausted);
  EXPECT_EQ(world.asked.size(), 4u);
  Client still(world.network, world.options({.max_redirects = 0}));
  EXPECT_EQ(still.get("http://a/")->status, 302);
  World away([](const std::string&) { return redirect_to(302, "mailto:a@b"); });
  Client lost(away.network, away.options());
  EXPECT_EQ(lost.get("http://a/").error().code(), Code::invalid_argument);
}

PARLEY_FIBER_TEST(Client, what_may_run_twice_is_sent_again_when_an_old_connection_died) {
  int answers = 0;
  World world([&](const std::string&) { return ++answers % 2 == 1 ? ok_with("tea") : ""; });
  Client client(world.network, world.options());
  ASSERT_TRUE(client.get("http://a/"));
  // Its connection ends now instead of answering; the next one answers.
  EXPECT_TRUE(client.get("http://a/"));
  EXPECT_EQ(world.asked.size(), 3u);
  const Status once = client.post("http://a/", "leaves", "text/plain").error();
  EXPECT_EQ(once.code(), Code::unavailable);
  EXPECT_EQ(world.asked.size(), 4u);
  Client careful(world.network, world.options({.max_tries = 1}));
  ASSERT_TRUE(careful.get("http://a/"));
  EXPECT_EQ(careful.get("http://a/").error().code(), Code::unavailable);
}

PARLEY_FIBER_TEST(Client, what_may_have_run_is_not_called_unsent_when_the_next_try_did_not_leave) {
  World* shop = nullptr;
  int answers = 0;
  World world([&](const std::string&) {
    if (++answers == 1) return ok_with("tea");
    shop->stop_listening();
    return std::string();
  });
  shop = &world;
  Client client(world.network, world.options());
  ASSERT_TRUE(client.get("http://a/"));
  // It is asked, its connection ends without an answer, and there is no other one to be had.
  const Status status = client.get("http://a/").error();
  EXPECT_EQ(world.asked.size(), 2u);
  EXPECT_EQ(status.code(), Code::unavailable) << status;
  EXPECT_GT(client.counts().dialled, 1u);
}

PARLEY_FIBER_TEST(Client, a_new_connection_that_dies_is_not_asked_again) {
  World world([](const std::string&) { return ""; });
  Client client(world.network, world.options());
  EXPECT_EQ(client.get("http://a/").error().code(), Code::unavailable);
  EXPECT_EQ(world.asked.size(), 1u);
}

TEST(Client, what_was_not_sent_is_tried_again_after_a_pause_and_within_the_deadline) {
  rt::testing::in_virtual_time(
      [] {
        for (const std::size_t tries : {std::size_t{1}, std::size_t{4}}) {
          World world([](const std::string&) { return ok_with("tea"); });
          world.stop_listening();
          Client client(world.network,
                        world.options({.max_tries = tries, .retry_pause = Duration(2s)}));
          const Instant begun = rt::now();
          EXPECT_EQ(client.get("http://a/").error().code(), Code::not_sent);
          EXPECT_EQ(client.counts().dialled, tries);
          // 2, 4 and 8 s, half of each by chance.
          EXPECT_EQ(rt::now() - begun >= 7s, tries == 4);
          EXPECT_LT(rt::now() - begun, 15s);
          const Instant again = rt::now();
          EXPECT_FALSE(client.begin({.url = "http://a/", .deadline = rt::Deadline::after(500ms)},
                                    BodySize::none()));
          EXPECT_LT(rt::now() - again, 1s);
        }
      },
      20ms);
}

TEST(Client, idle_connections_end_after_their_time_and_old_ones_are_not_used) {
  rt::testing::in_virtual_time(
      [] {
        World world([](const std::string&) { return ok_with("tea"); });
        Client client(world.network, world.options({.idle_timeout = 10s, .max_age = 1min}));
        Client patient(world.network, world.options({.idle_timeout = 1h, .max_age = 2h}));
        ASSERT_TRUE(client.get("http://a/") && patient.get("http://a/"));
        ASSERT_TRUE(rt::sleep(11s).is_ok());
        EXPECT_EQ(client.counts().connections, 0u);
        EXPECT_EQ(world.ended, 1);
        EXPECT_EQ(patient.counts().connections, 1u);
        for (int i = 0; i < 14; ++i) {
          ASSERT_TRUE(client.get("http://a/") && patient.get("http://a/"));
          ASSERT_TRUE(rt::sleep(5s).is_ok());
        }
        EXPECT_EQ(client.counts().dialled, 3u);
        EXPECT_EQ(patient.counts().dialled, 1u);
      },
      20ms);
}

PARLEY_FIBER_TEST(Client, who_finds_all_connections_in_use_waits_in_line) {
  rt::Event go;
  World world([&](const std::string& request) {
    if (path_of(request) == "/0") (void)go.wait();
    return ok_with(path_of(request));
  });
  Client client(world.network, world.options({.max_connections_per_origin = 1, .max_waiting = 3}));
  std::vector<std::string> order;
  rt::Scope scope;
  for (int i = 0; i < 4; ++i) {
    scope.go("asker",
             [&, i] { order.push_back(client.get("http://a/" + std::to_string(i))->body); });
    wait_until([&] {
      return world.asked.size() == 1 && client.counts().waiting == static_cast<std::size_t>(i);
    });
  }
  EXPECT_EQ(client.get("http://a/").error().code(), Code::resource_exhausted);
  // Another origin has a line of its own.
  EXPECT_EQ(client.get("http://b/b")->body, "/b");
  wait_until([&] { return world.asked.size() == 2; });
  go.set();
  scope.join();
  EXPECT_EQ(order, (std::vector<std::string>{"/0", "/1", "/2", "/3"}));
  EXPECT_EQ(world.accepted, 2);
}

PARLEY_FIBER_TEST(Client, who_waits_in_line_gives_up_at_the_deadline_and_leaves_it) {
  rt::Event go;
  World world([&](const std::string&) {
    (void)go.wait();
    return ok_with("tea");
  });
  Client client(world.network, world.options({.max_connections_per_origin = 1}));
  rt::Scope scope;
  scope.go("first", [&] { EXPECT_TRUE(client.get("http://a/")); });
  wait_until([&] { return world.asked.size() == 1; });
  EXPECT_EQ(client.get("http://a/", rt::Deadline::after(1ms)).error().code(),
            Code::deadline_exceeded);
  EXPECT_EQ(client.counts().waiting, 0u);
  go.set();
  scope.join();
  EXPECT_TRUE(client.get("http://a/"));
}

PARLEY_FIBER_TEST(Client, who_waits_gets_the_place_of_a_connection_that_ended) {
  rt::Event go;
  World world([&](const std::string&) {
    (void)go.wait();
    return ok_with("tea", "Connection: close\r\n");
  });
  Client client(world.network, world.options({.max_connections_per_origin = 1}));
  rt::Scope scope;
  for (int i = 0; i < 3; ++i) {
    scope.go("asker", [&] { EXPECT_TRUE(client.get("http://a/")); });
  }
  wait_until([&] { return client.counts().waiting == 2; });
  go.set();
  scope.join();
  EXPECT_EQ(world.accepted, 3);
  EXPECT_EQ(client.counts().connections, 0u);
}

PARLEY_FIBER_TEST(Client, keeps_no_more_connections_at_rest_than_it_may) {
  World world([](const std::string&) { return ok_with("tea"); });
  Client client(world.network, world.options({.max_idle = 2}));
  for (const char* url : {"http://a/", "http://b/", "http://c/"}) ASSERT_TRUE(client.get(url));
  EXPECT_EQ(client.counts().idle, 2u);
  ASSERT_TRUE(client.get("http://c/"));
  ASSERT_TRUE(client.get("http://b/"));
  EXPECT_EQ(client.counts().dialled, 3u);
  ASSERT_TRUE(client.get("http://a/"));
  EXPECT_EQ(client.counts().dialled, 4u);
}

PARLEY_FIBER_TEST(Client, close_wakes_who_waits_for_an_answer_or_in_line) {
  rt::Event never;
  World world([&](const std::string&) {
    (void)never.wait();
    return "";
  });
  Client client(world.network, world.options({.max_connections_per_origin = 1}));
  rt::Scope scope;
  for (int i = 0; i < 2; ++i) {
    scope.go("asker",
             [&] { EXPECT_EQ(client.get("http://a/").error().code(), Code::unavailable); });
  }
  wait_until([&] { return world.asked.size() == 1 && client.counts().waiting == 1; });
  client.close();
  scope.join();
  EXPECT_EQ(client.get("http://a/").error().code(), Code::unavailable);
}

TEST(Client, each_wait_has_its_time) {
  rt::testing::in_virtual_time(
      [] {
        const auto took = [](const std::string& answer, ClientOptions options, Code code) {
          World world([&](const std::string&) { return answer; });
          rt::Event never;
          World silent([&](const std::string&) {
            (void)never.wait();
            return "";
          });
          World& used = answer.empty() ? silent : world;
          Client client(used.network, used.options(std::move(options)));
          const Instant begun = rt::now();
          EXPECT_EQ(client.get("http://a/").error().code(), code);
          return std::chrono::duration_cast<std::chrono::seconds>(rt::now() - begun);
        };
        const std::string half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntea";
        EXPECT_EQ(took("", {.answer_timeout = 3s}, Code::deadline_exceeded), 3s);
        EXPECT_EQ(took("", {.answer_timeout = 7s}, Code::deadline_exceeded), 7s);
        EXPECT_EQ(took(half, {.body_timeout = 2s}, Code::deadline_exceeded), 2s);
        EXPECT_EQ(took(half, {.body_timeout = 5s}, Code::deadline_exceeded), 5s);
      },
      20ms);
}

// Nobody answers who dials.
class Deaf final : public net::Network {
 public:
  Result<std::unique_ptr<net::Listener>> listen(const net::Address&,
                                                const net::ListenOptions&) override {
    return Status(Code::unimplemented, "nobody listens here");
  }
  Result<std::unique_ptr<net::Stream>> dial(const net::Address&, rt::Deadline deadline,
                                            const net::DialOptions&) override {
    if (Status status = rt::sleep_until(deadline.instant()); !status.is_ok()) return status;
    return Status(Code::deadline_exceeded, "nobody answers");
  }
};

TEST(Client, making_a_connection_has_its_time_and_ends_with_the_client) {
  rt::testing::in_virtual_time(
      [] {
        Deaf network;
        for (const Duration timeout : {Duration(2s), Duration(9s)}) {
          Client client(network, {.connect_timeout = timeout, .max_tries = 1});
          const Instant begun = rt::now();
          const Status status = client.get("http://a/").error();
          EXPECT_EQ(status.code(), Code::not_sent);
          EXPECT_NE(status.message().find("connect_timeout"), std::string::npos) << status;
          EXPECT_EQ(rt::now() - begun >= 9s, timeout == 9s);
          EXPECT_EQ(client.get("http://a/", rt::Deadline::after(1s)).error().code(),
                    Code::deadline_exceeded);
        }
        Client client(network);
        rt::Scope scope;
        scope.go("asker",
                 [&] { EXPECT_EQ(client.get("http://a/").error().code(), Code::unavailable); });
        wait_until([&] { return client.counts().dialled == 1; });
        const Instant begun = rt::now();
        client.close();
        scope.join();
        EXPECT_LT(rt::now() - begun, 1s);
      },
      20ms);
}

PARLEY_FIBER_TEST(Client, streams_both_ways) {
  World world([](const std::string& request) {
    return request.starts_with("POST") ? ok_with("tea") : redirect_to(302, "/else");
  });
  Client client(world.network, world.options());
  auto exchange = client.begin({.method = Method::post, .url = "http://a/"}, BodySize::of(6));
  ASSERT_TRUE(exchange) << exchange.error();
  ASSERT_TRUE((*exchange)->write("lea").is_ok() && (*exchange)->flush().is_ok());
  ASSERT_TRUE((*exchange)->write("ves").is_ok() && (*exchange)->end().is_ok());
  EXPECT_EQ(*(*exchange)->read_all(), "tea");
  EXPECT_TRUE(world.asked[0].ends_with("\r\n\r\nleaves"));
  auto redirected = client.begin({.url = "http://a/"}, BodySize::none());
  EXPECT_EQ((*(*redirected)->response())->status, 302);
  EXPECT_EQ(world.accepted, 1);
}

}  // namespace
}  // namespace parley::http
