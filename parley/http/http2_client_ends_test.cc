// How what a client asks over HTTP/2 ends, when it does not end well: what the caller is told, how
// soon, and what becomes of the others. Against frames by hand; and our own server, over both
// versions.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/http/client.h"
#include "parley/http/testing/http2_hand_server.h"
#include "parley/http/testing/server_world.h"
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

void in_virtual_time(const std::function<void()>& body) {
  rt::testing::in_virtual_time(body, 20ms);
}

ClientOptions known(ClientOptions options = {}) {
  options.versions = Versions::http_2;
  options.address_of = at_shop;
  return options;
}

bool says(const Status& status, std::string_view what) {
  return status.message().find(what) != std::string::npos;
}

Duration took(const std::function<void()>& body) {
  const Instant began = rt::now();
  body();
  return rt::now() - began;
}

TEST(Http2ClientEnds, a_body_that_nobody_takes_ends_the_wait_for_its_answer) {
  in_virtual_time([] {
    for (const Duration limit : {2s, 6s}) {
      HandServer deaf([](Hand& hand, int) { (void)hand.wait_for(headers_frame); });
      Client client(deaf.network, known({.answer_timeout = 1h, .body_timeout = limit}));
      const Duration time = took([&] {
        const Status status =
            client.post("http://shop/", std::string(5'000'000, 'x'), "text/plain").error();
        EXPECT_EQ(status.code(), Code::deadline_exceeded) << status;
        EXPECT_TRUE(says(status, "its body was not taken")) << status;
      });
      EXPECT_GE(time, limit);
      EXPECT_LT(time, limit + 2s);
    }
  });
}

TEST(Http2ClientEnds, who_writes_in_vain_and_then_asks_is_told_at_once) {
  in_virtual_time([] {
    HandServer deaf([](Hand& hand, int) { (void)hand.wait_for(headers_frame); });
    Client client(deaf.network, known());
    const auto exchange =
        client.begin({.method = Method::post, .url = "http://shop/"}, BodySize::unknown());
    ASSERT_TRUE(exchange);
    const std::string body(5'000'000, 'x');
    EXPECT_EQ((*exchange)->write(body, rt::Deadline::after(1s)).code(), Code::deadline_exceeded);
    EXPECT_LT(took([&] {
                EXPECT_EQ((*exchange)->response().error().code(), Code::deadline_exceeded);
                EXPECT_EQ((*exchange)->read().error().code(), Code::deadline_exceeded);
              }),
              100ms);
  });
}

TEST(Http2ClientEnds, a_body_that_nobody_takes_ends_the_wait_over_http_1_too) {
  in_virtual_time([] {
    net::InProcessNetwork network({.buffer_bytes = 1000});
    const auto listener = std::move(*network.listen(shop_address()));
    std::vector<std::unique_ptr<net::Stream>> held;
    rt::Scope scope(rt::OnExit::cancel);
    scope.go("server", [&] {
      while (auto stream = listener->accept()) held.push_back(*std::move(stream));
    });
    Client client(network, {.address_of = at_shop, .answer_timeout = 3s, .body_timeout = 2s});
    const Duration time = took([&] {
      const auto answer = client.post("http://shop/", std::string(100'000, 'x'), "text/plain");
      EXPECT_EQ(answer.error().code(), Code::deadline_exceeded) << answer.error();
    });
    EXPECT_GE(time, 2s);
    EXPECT_LT(time, 8s);
  });
}

// What a request ends with where the server says this instead of an answer.
Status ended_by(const std::string& frames, ClientOptions options = {}) {
  HandServer world([&](Hand& hand, int) {
    (void)hand.wait_for(headers_frame);
    hand.send(frames);
  });
  options.max_tries = 1;
  Client client(world.network, known(std::move(options)));
  return client.get("http://shop/", rt::Deadline::after(15s)).error();
}

std::string times(int n, const std::string& one) {
  std::string all;
  while (n-- > 0) all += one;
  return all;
}

PARLEY_FIBER_TEST(Http2ClientEnds, a_connection_that_is_ended_here_says_why) {
  const std::string pings = times(8, frame(ping_frame, 0, 0, "12345678"));
  const Status flood = ended_by(pings, {.http2 = {.limits = {.max_pings = 5}}});
  EXPECT_EQ(flood.code(), Code::unavailable) << flood;
  EXPECT_TRUE(says(flood, "Http2Limits::max_pings")) << flood;
  const Status patient =
      ended_by(pings + head(1, {{":status", "x"}}), {.http2 = {.limits = {.max_pings = 9}}});
  EXPECT_FALSE(says(patient, "max_pings")) << patient;
  const Status broken = ended_by(frame(data_frame, 0, 7, "x"));
  EXPECT_EQ(broken.code(), Code::unavailable) << broken;
  EXPECT_TRUE(says(broken, "RFC 9113 5.4.1")) << broken;
  const Status undecoded = ended_by(frame(headers_frame, 5, 1, "\xff\xff\xff\xff\xff"));
  EXPECT_TRUE(says(undecoded, "RFC 9113 5.4.1")) << undecoded;
}

TEST(Http2ClientEnds, who_waits_for_a_connection_does_not_wait_for_one_that_broke_to_linger) {
  in_virtual_time([] {
    rt::Event never;
    HandServer world([&](Hand& hand, int n) {
      const std::uint32_t id = hand.wait_for(headers_frame);
      if (n == 1) return hand.answer(id, "tea");
      hand.send(frame(data_frame, 0, 7, "x"));  // of no stream
      (void)never.wait();                       // and does not close
    });
    ClientOptions options{.max_connections_per_origin = 1, .max_tries = 1};
    options.http2.limits.max_before_settings = 1;
    options.http2.limits.max_streams = 1;
    options.http2.linger = 1h;
    Client client(world.network, known(std::move(options)));
    std::vector<Code> codes;
    const Duration time = took([&] {
      rt::Scope scope;
      for (int i = 0; i < 2; ++i) {
        scope.go("asker", [&] {
          const auto answer = client.get("http://shop/", rt::Deadline::after(2h));
          codes.push_back(answer ? Code::ok : answer.error().code());
        });
      }
    });
    EXPECT_EQ(codes, (std::vector<Code>{Code::unavailable, Code::ok}));
    EXPECT_LT(time, 5s);
  });
}

// ---- what broke within an answer, and what before it

const std::string half = frame(data_frame, 0, 3, "half");
std::string head_of(std::uint32_t id) { return head(id, {{":status", "200"}}, 0); }

struct End {
  const char* what;
  std::string says;  // on stream 3, of a connection that was used before
  bool closes;
  Code code;
  int connections;  // until it is over
};

PARLEY_FIBER_TEST(Http2ClientEnds, an_answer_that_was_cut_is_data_loss_and_is_not_asked_for_again) {
  const std::vector<End> ends = {
      {"closed within the body", head_of(3) + half, true, Code::data_loss, 1},
      {"closed behind the head", head_of(3), true, Code::data_loss, 1},
      {"reset within the body", head_of(3) + half + frame(reset_frame, 0, 3, number(2)), false,
       Code::data_loss, 1},
      {"cancelled there", head_of(3) + half + frame(reset_frame, 0, 3, number(8)), false,
       Code::data_loss, 1},
      {"reset without an error, and no end", head_of(3) + frame(reset_frame, 0, 3, number(0)),
       false, Code::data_loss, 1},
      {"reset before the answer", frame(reset_frame, 0, 3, number(8)), false, Code::cancelled, 1},
      {"closed before the answer: it may run twice", "", true, Code::ok, 2},
      {"cut behind a whole answer",
       head_of(3) + frame(data_frame, ends_stream, 3, "tea") + frame(reset_frame, 0, 3, number(2)),
       false, Code::ok, 1},
  };
  for (const End& end : ends) {
    HandServer world([&](Hand& hand, int n) {
      hand.answer(hand.wait_for(headers_frame), "tea");
      if (n > 0) return;
      (void)hand.wait_for(headers_frame);
      hand.send(end.says);
      if (end.closes) hand.close();
    });
    Client client(world.network, known({.retry_pause = Duration::zero()}));
    ASSERT_TRUE(client.get("http://shop/"));
    const auto answer = client.get("http://shop/", rt::Deadline::after(15s));
    EXPECT_EQ(answer ? Code::ok : answer.error().code(), end.code) << end.what;
    if (answer) {
      EXPECT_EQ(answer->body, "tea") << end.what;
    }
    EXPECT_EQ(world.accepted, end.connections) << end.what;
  }
}

PARLEY_FIBER_TEST(Http2ClientEnds,
                  a_whole_answer_stays_one_though_the_connection_went_amid_our_body) {
  HandServer world([](Hand& hand, int) {
    hand.answer(hand.wait_for(headers_frame), "no more, thanks");
    hand.close();
  });
  Client client(world.network, known());
  const auto answer = client.post("http://shop/", std::string(5'000'000, 'x'), "text/plain");
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_EQ(answer->body, "no more, thanks");
}

// Our server: the same over both versions, and what was flushed has arrived.
PARLEY_FIBER_TEST(Http2ClientEnds, what_a_handler_flushed_before_it_failed_is_read_over_both) {
  ServerWorld world([](ServerExchange& exchange) -> Status {
    if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
    if (exchange.request().target != "/half") return {Code::internal, "begun, and no more"};
    if (Status s = exchange.write("half"); !s.is_ok()) return s;
    if (Status s = exchange.flush(); !s.is_ok()) return s;
    return {Code::internal, "in the end not"};
  });
  for (const Versions versions : {Versions::http_1, Versions::http_2}) {
    Client client(world.network(), {.versions = versions, .address_of = at_shop});
    const auto exchange = client.begin({.url = "http://shop/half"}, BodySize::none());
    ASSERT_TRUE(exchange);
    const auto response = (*exchange)->response();
    ASSERT_TRUE(response) << response.error();
    EXPECT_EQ((*response)->status, 200);
    const auto piece = (*exchange)->read();
    ASSERT_TRUE(piece) << piece.error();
    EXPECT_EQ(*piece, "half");
    EXPECT_EQ((*exchange)->read().error().code(), Code::data_loss);
    EXPECT_EQ(client.get("http://shop/half").error().code(), Code::data_loss);
    EXPECT_EQ(client.get("http://shop/head").error().code(), Code::data_loss);
  }
}

// Each answer breaks off behind as many bytes as its path says; all of them over one connection.
TEST(Http2ClientEnds, what_was_written_before_a_cut_is_read_to_the_byte_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        ServerWorld world([](ServerExchange& exchange) -> Status {
          const std::size_t bytes = exchange.request().target.size() * 500;
          if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
          for (std::size_t i = 0; i < bytes; i += 500) {
            if (Status s = exchange.write(std::string(500, 'x')); !s.is_ok()) return s;
            if (i % 1500 == 0) (void)exchange.flush();
          }
          return {Code::internal, "in the end not"};
        });
        Client client(world.network(), known({.max_connections_per_origin = 1,
                                              .http2 = {.limits = {.max_resets = 1000}}}));
        rt::Scope scope;
        for (std::size_t i = 1; i <= 40; ++i) {
          scope.go("asker", [&client, i] {
            for (int k = 0; k < 10; ++k) {
              const std::string url = "http://shop/" + std::string(i, 'a');
              const auto exchange = client.begin({.url = url}, BodySize::none());
              ASSERT_TRUE(exchange) << exchange.error();
              std::size_t read = 0;
              Status end;
              while (end.is_ok()) {
                const auto piece = (*exchange)->read();
                if (!piece) end = piece.error();
                if (piece && piece->empty()) break;
                if (piece) read += piece->size();
              }
              EXPECT_EQ(end.code(), Code::data_loss) << end;
              EXPECT_EQ(read, (i + 1) * 500);
            }
          });
        }
        scope.join();
        EXPECT_EQ(client.counts().dialled, 1U);
        EXPECT_EQ(world.server().counts().errors, 400U);
      },
      {.workers = 4});
}

// ---- answers that break the rules are told as that

struct Broken {
  const char* what;
  std::string says;
  Code code;
  const char* text;
};

PARLEY_FIBER_TEST(Http2ClientEnds, an_answer_that_breaks_the_rules_is_told_as_what_it_is) {
  const std::string open = head(1, {{":status", "200"}}, 0);
  const std::string ten = head(1, {{":status", "200"}, {"content-length", "10"}}, 0);
  const std::vector<Broken> all = {
      {"no :status", head(1, {{"x", "y"}}), Code::invalid_argument, "RFC 9113 8.1"},
      {"it is abc", head(1, {{":status", "abc"}}), Code::invalid_argument, "RFC 9113 8.1"},
      {"it is 099", head(1, {{":status", "099"}}), Code::invalid_argument, "RFC 9113 8"},
      {"DATA behind 103", head(1, {{":status", "103"}}, 0) + frame(data_frame, 0, 1, "x"),
       Code::invalid_argument, "RFC 9113 8.1"},
      {"DATA first ends the connection", frame(data_frame, 0, 1, "x"), Code::unavailable,
       "RFC 9113 5.4.1"},
      {"a bad field", head(1, {{":status", "200"}, {"x", "a\x01"}}), Code::invalid_argument,
       "8.2.1"},
      {"a bad trailer", open + head(1, {{"x", "a\x01"}}), Code::invalid_argument, "8.2.1"},
      {"a short body", ten + frame(data_frame, ends_stream, 1, "12345"), Code::invalid_argument,
       "RFC 9113 8.1"},
      {"more than the window", open + times(5, frame(data_frame, 0, 1, std::string(16384, 'x'))),
       Code::invalid_argument, "RFC 9113 6.9.1"},
      {"too large a head", head(1, {{":status", "200"}, {"x", std::string(3000, 'x')}}),
       Code::resource_exhausted, "max_header_list"},
  };
  for (const Broken& broken : all) {
    rt::Event has_come;
    HandServer world([&](Hand& hand, int) {
      (void)hand.wait_for(headers_frame);
      hand.send(broken.says + frame(ping_frame, 0, 0, "12345678"));
      (void)hand.wait_for(ping_frame);
      has_come.set();
    });
    Client client(world.network, known({.http2 = {.limits = {.max_header_list = 2000}}}));
    const auto exchange = client.begin({.url = "http://shop/"}, BodySize::none());
    ASSERT_TRUE(exchange);
    ASSERT_TRUE(has_come.wait(rt::Deadline::after(15s)).is_ok());
    const Status status = (*exchange)->read_all(1'000'000, rt::Deadline::after(15s)).error();
    EXPECT_EQ(status.code(), broken.code) << broken.what << ": " << status;
    EXPECT_TRUE(says(status, broken.text)) << broken.what << ": " << status;
  }
}

// ---- options

// How long a client waits for a server that says nothing, not even to a PING.
Duration patience(ClientOptions options) {
  Duration time{};
  in_virtual_time([&] {
    HandServer deaf([](Hand& hand, int) {
      while (hand.wait_for(headers_frame) != 0) continue;
    });
    options.answer_timeout = 1h;
    options.max_tries = 1;
    Client client(deaf.network, known(std::move(options)));
    time = took([&] { EXPECT_EQ(client.get("http://shop/").error().code(), Code::unavailable); });
  });
  return time;
}

TEST(Http2ClientEnds, ping_after_holds_whatever_else_is_set_in_http2) {
  // And 20 s of http2.ping_timeout.
  for (const Duration time : {patience({}), patience({.http2 = {.limits = {.max_streams = 7}}})}) {
    EXPECT_GE(time, 50s);
    EXPECT_LT(time, 52s);
  }
  const Duration time = patience({.ping_after = 5s, .http2 = {.ping_after = 1h}});
  EXPECT_GE(time, 25s);
  EXPECT_LT(time, 27s);
}

TEST(Http2ClientEnds, before_the_servers_settings_come_max_before_settings_are_asked) {
  in_virtual_time([] {
    for (const std::uint32_t most : {3U, 7U}) {
      std::atomic<std::uint32_t> asked = 0;
      HandServer world(
          [&](Hand& hand, int) {
            std::vector<std::uint32_t> ids;
            while (asked < most) {
              ids.push_back(hand.wait_for(headers_frame));
              ++asked;
            }
            (void)rt::sleep(1s);
            hand.send(frame(settings_frame, 0, 0));
            while (ids.size() < 20) ids.push_back(hand.wait_for(headers_frame));
            for (const std::uint32_t id : ids) hand.answer(id, "tea");
          },
          "");
      Client client(world.network, known({.max_connections_per_origin = 1,
                                          .http2 = {.limits = {.max_before_settings = most}}}));
      rt::Scope scope;
      for (int i = 0; i < 20; ++i) {
        scope.go("asker", [&] { EXPECT_TRUE(client.get("http://shop/")); });
      }
      wait_until([&] { return asked == most; });
      ASSERT_TRUE(rt::sleep(500ms).is_ok());
      EXPECT_EQ(client.counts().waiting, 20 - most);
      scope.join();
    }
  });
}

PARLEY_FIBER_TEST(Http2ClientEnds, no_more_responses_1xx_come_than_max_informational) {
  for (const std::size_t most : {std::size_t{2}, std::size_t{3}}) {
    HandServer world([&](Hand& hand, int) {
      const std::uint32_t id = hand.wait_for(headers_frame);
      hand.send(times(3, head(id, {{":status", "103"}}, 0)));
      hand.answer(id, "tea");
    });
    Client client(world.network, known({.http2 = {.limits = {.max_informational = most}}}));
    const auto answer = client.get("http://shop/");
    EXPECT_EQ(answer.has_value(), most == 3);
    if (!answer) {
      EXPECT_EQ(answer.error().code(), Code::resource_exhausted);
      EXPECT_TRUE(says(answer.error(), "max_informational")) << answer.error();
    }
  }
}

// The server takes nothing just now, so that our write waits: a place that is free is told of.
TEST(Http2ClientEnds, a_free_place_is_told_before_a_write_that_waits) {
  in_virtual_time([] {
    std::atomic<int> asked = 0;
    rt::Event reads_on;
    const std::string roomy = number(3, 2) + number(2) + number(4, 2) + number(1'000'000);
    HandServer world(
        [&](Hand& hand, int) {
          while (asked < 2 && hand.wait_for(headers_frame) != 0) ++asked;
          (void)reads_on.wait();
        },
        frame(settings_frame, 0, 0, roomy), {.buffer_bytes = 4096});
    Client client(world.network, known({.max_connections_per_origin = 1}));
    const ClientRequest post{.method = Method::post, .url = "http://shop/"};
    const auto large = client.begin(post, BodySize::unknown());
    const auto given_up = client.begin(post, BodySize::unknown());
    ASSERT_TRUE(large && given_up);
    ASSERT_TRUE((*large)->flush().is_ok());
    wait_until([&] { return asked == 2; });
    rt::Scope scope;
    rt::Event begun;
    scope.go("next in line", [&] {
      EXPECT_TRUE(client.begin({.url = "http://shop/"}, BodySize::none()));
      begun.set();
    });
    wait_until([&] { return client.counts().waiting == 1; });
    ASSERT_TRUE((*large)->write(std::string(60'000, 'x')).is_ok());
    (*given_up)->cancel();
    EXPECT_TRUE(begun.wait(rt::Deadline::after(5s)).is_ok());
    reads_on.set();
    scope.join();
  });
}

}  // namespace
}  // namespace parley::http
