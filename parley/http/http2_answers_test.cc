// Answers over HTTP/2 that are as over HTTP/1, whatever their status: bodies that cannot be, and
// what comes before an answer.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/http/http2_connection.h"
#include "parley/http/impl/http2_link.h"
#include "parley/http/testing/http2_by_hand.h"
#include "parley/http/testing/server_world.h"
#include "parley/net/in_process_network.h"
#include "parley/rt/ready_queue.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the frames are all it is about

struct Case {
  Method method;
  StatusCode status;
  BodySize size;
  std::string_view body;
  // Status, size that is told, body.
  std::string_view seen;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {Method::get, 200, BodySize::of(5), "green", "200 5 green"},
      {Method::get, 200, BodySize::none(), "", "200 0 "},
      {Method::get, 204, BodySize::none(), "", "204 - "},
      {Method::get, 204, BodySize::of(0), "", "204 - "},
      {Method::get, 204, BodySize::of(5), "green", "500"},
      {Method::get, 204, BodySize::unknown(), "green", "500"},
      {Method::get, 205, BodySize::none(), "", "205 0 "},
      {Method::get, 205, BodySize::of(5), "green", "500"},
      {Method::get, 205, BodySize::unknown(), "green", "500"},
      {Method::get, 304, BodySize::none(), "", "304 - "},
      {Method::get, 304, BodySize::of(5), "", "304 5 "},
      {Method::get, 304, BodySize::of(5), "green", "304 5 "},
      {Method::get, 304, BodySize::unknown(), "green", "304 - "},
      {Method::head, 200, BodySize::of(5), "green", "200 5 "},
      {Method::head, 200, BodySize::of(5), "", "200 5 "},
      {Method::head, 200, BodySize::unknown(), "green", "200 - "},
      {Method::head, 204, BodySize::of(5), "", "500"},
      {Method::head, 304, BodySize::of(5), "", "304 5 "},
  };
  return all;
}

std::string seen_by(ClientExchange& exchange) {
  const auto response = exchange.response();
  if (!response) return response.error().to_string();
  std::string seen = std::to_string((*response)->status);
  if (seen == "500") return seen;
  seen += ' ';
  seen += (*response)->headers.get("Content-Length").value_or("-");
  const auto body = exchange.read_all();
  return seen + ' ' + (body ? *body : body.error().to_string());
}

PARLEY_FIBER_TEST(Http2Answers, have_a_body_or_none_as_over_http_1) {
  for (const Case& one : cases()) {
    ServerWorld world([&](ServerExchange& exchange) -> Status {
      exchange.response().status = one.status;
      if (Status s = exchange.begin(one.size); !s.is_ok()) return s;
      if (Status s = exchange.write(one.body); !s.is_ok()) return s;
      return exchange.end();
    });
    Request request{.method = one.method, .target = "/"};
    ASSERT_TRUE(request.headers.add("Host", "shop.example").is_ok());
    const std::string what = std::to_string(one.status) + " to " +
                             std::string(request.method_name()) + ", " +
                             std::to_string(one.size.bytes()) + " bytes, " + std::string(one.body);
    Http2Connection second(world.dial(), "http");
    const auto over_2 = second.begin(request, BodySize::none());
    ASSERT_TRUE(over_2);
    EXPECT_EQ(seen_by(**over_2), one.seen) << "HTTP/2: " << what;
    const auto plain = world.dial();
    std::string line(request.method_name());
    ASSERT_TRUE(plain->write(line + " / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").is_ok());
    std::string all;
    std::array<char, 4096> buffer{};
    for (;;) {
      const auto size = plain->read(buffer);
      if (!size || *size == 0) break;
      all.append(buffer.data(), *size);
    }
    EXPECT_EQ(all.substr(9, 3), one.seen.substr(0, 3)) << "HTTP/1: " << what;
    if (one.seen == "500") continue;
    EXPECT_TRUE(all.ends_with("\r\n\r\n") == one.seen.ends_with(" ")) << what << ": " << all;
  }
}

PARLEY_FIBER_TEST(Http2Answers, to_head_end_however_much_is_written_as_over_http_1) {
  Status last;
  ServerWorld world([&](ServerExchange& exchange) -> Status {
    if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
    do last = exchange.write(std::string(4096, 'x'));
    while (last.is_ok());
    return last;
  });
  Request request{.method = Method::head, .target = "/"};
  ASSERT_TRUE(request.headers.add("Host", "shop.example").is_ok());
  Http2Connection second(world.dial(), "http");
  for (int i = 0; i < 2; ++i) {  // one after the other on the same connection
    const auto over_2 = second.begin(request, BodySize::none());
    ASSERT_TRUE(over_2);
    EXPECT_EQ(seen_by(**over_2), "200 - ");
    EXPECT_EQ(last.code(), Code::cancelled) << last;
  }
  last = {};
  const auto plain = world.dial();
  ASSERT_TRUE(plain->write("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").is_ok());
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    char byte = 0;
    ASSERT_TRUE(plain->read({&byte, 1}).value_or(0) == 1) << head;
    head += byte;
  }
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ")) << head;
  EXPECT_EQ(last.code(), Code::cancelled) << last;
}

// A link of a server on which a stream was opened, and the heads that its client sees.
std::size_t heads_of(const std::function<void(impl::Http2Link&, impl::Http2Stream&)>& says) {
  net::InProcessNetwork network;
  const auto listener = std::move(*network.listen(*net::Address::parse("inproc:shop")));
  ByHand client(std::move(*network.dial(listener->address())));
  const auto there = std::move(*listener->accept());
  rt::ReadyQueue queue("writer");
  auto link = std::make_shared<impl::Http2Link>(impl::Http2Session::Role::server, Http2Options{},
                                                *there, false);
  impl::SharedStream opened;
  link->start(queue, [&](const impl::SharedStream& stream, Request& /*request*/, bool /*large*/) {
    opened = stream;
    return true;
  });
  EXPECT_TRUE(link->take(hello() + head(1, post_fields(), 0)).is_ok());
  says(*link, *opened);
  EXPECT_TRUE(link->take(frame(ping_frame, 0, 0, "12345678")).is_ok());
  EXPECT_TRUE(client.wait_for(ping_frame, 0, acknowledges));
  EXPECT_TRUE(client.wait_for(headers_frame, 1));
  link->reset(*opened, impl::Http2Error::cancel);
  EXPECT_TRUE(client.wait_for(reset_frame, 1));
  link->count_handler_out();
  link->close({});
  return static_cast<std::size_t>(std::ranges::count_if(
      client.frames, [](const Frame& one) { return one.type == headers_frame; }));
}

PARLEY_FIBER_TEST(Http2Answers, a_100_that_comes_behind_the_head_of_the_answer_is_dropped) {
  impl::Http2Fields early;
  impl::Http2Fields final;
  ASSERT_TRUE(early.set_response({.status = 100}, BodySize::none(), false).is_ok());
  ASSERT_TRUE(final.set_response({.status = 200}, BodySize::none(), false).is_ok());
  EXPECT_EQ(heads_of([&](impl::Http2Link& link, impl::Http2Stream& stream) {
              EXPECT_TRUE(link.inform(stream, early).is_ok());
              EXPECT_TRUE(link.respond(stream, final, true).is_ok());
              EXPECT_TRUE(link.flush(stream).is_ok());
            }),
            2U);
  EXPECT_EQ(heads_of([&](impl::Http2Link& link, impl::Http2Stream& stream) {
              EXPECT_TRUE(link.respond(stream, final, true).is_ok());
              EXPECT_TRUE(link.inform(stream, early).is_ok());
              EXPECT_TRUE(link.flush(stream).is_ok());
            }),
            1U);
}

// Handlers whose one fiber reads, and says 100, while another answers.
TEST(Http2Answers, who_reads_and_who_answers_agree_about_100_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        ServerWorld world([](ServerExchange& exchange) -> Status {
          rt::Scope scope;
          scope.go("reads", [&] { EXPECT_TRUE(exchange.read()); });
          Status status = exchange.begin(BodySize::unknown());
          if (status.is_ok()) status = exchange.write("tea");
          scope.join();
          return status;
        });
        Http2Connection connection(world.dial(), "http");
        std::atomic<int> whole = 0;
        {
          rt::Scope scope;
          for (int i = 0; i < 200; ++i) {
            scope.go("asks", [&] {
              Request request{.method = Method::post, .target = "/"};
              EXPECT_TRUE(request.headers.add("Host", "shop.example").is_ok());
              EXPECT_TRUE(request.headers.add("Expect", "100-continue").is_ok());
              const auto exchange = connection.begin(request, BodySize::of(3));
              ASSERT_TRUE(exchange);
              EXPECT_TRUE((*exchange)->write("cup").is_ok());
              EXPECT_TRUE((*exchange)->end().is_ok());
              if (seen_by(**exchange) == "200 - tea") ++whole;
            });
          }
        }
        EXPECT_EQ(whole, 200);
      },
      {.workers = 4});
}

}  // namespace
}  // namespace parley::http
