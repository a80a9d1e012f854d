#include "parley/http/http1_connection.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parley/net/testing/memory_stream.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;

Request request_of(Method method = Method::get, std::string target = "/tea") {
  Request request{.method = method, .target = std::move(target)};
  EXPECT_TRUE(request.headers.add("Host", "shop.example").is_ok());
  return request;
}

// A connection, and by hand the server at its other end.
struct Ends {
  explicit Ends(const net::testing::MemoryStreamOptions& memory = {},
                const Http1ConnectionOptions& options = {}) {
    auto [here, there] = net::testing::memory_streams(memory);
    connection = Http1Connection::create(std::move(here), options);
    server = std::move(there);
  }
  Result<std::unique_ptr<ClientExchange>> begin(Request request = request_of(),
                                                BodySize size = BodySize::none()) {
    EXPECT_TRUE(connection->reserve());
    return connection->begin(std::move(request), size, {});
  }
  // Reads until what was read ends so.
  std::string read_until(std::string_view end) {
    std::string all;
    std::array<char, 1> byte{};
    while (!all.ends_with(end)) {
      const auto size = server->read(byte);
      if (!size || *size == 0) return all + "(end)";
      all += byte[0];
    }
    return all;
  }
  void answer(std::string_view text) { ASSERT_TRUE(server->write(text).is_ok()); }

  std::shared_ptr<Http1Connection> connection;
  std::unique_ptr<net::Stream> server;
};

PARLEY_FIBER_TEST(Http1Connection, asks_again_on_the_connection_when_the_answer_was_read) {
  Ends ends;
  int changes = 0;
  ends.connection->on_change([&] { ++changes; });
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(ends.connection->is_usable());
    const auto exchange = ends.begin();
    ASSERT_TRUE(exchange) << exchange.error();
    EXPECT_FALSE(ends.connection->can_take_more());
    EXPECT_FALSE(ends.connection->reserve());
    EXPECT_EQ(ends.read_until("\r\n\r\n"), "GET /tea HTTP/1.1\r\nHost: shop.example\r\n\r\n");
    ends.answer(
        "HTTP/1.1 103 Early Hints\r\n\r\n"
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\ngreen\r\n0\r\nDigest: none\r\n\r\n");
    const auto response = (*exchange)->response();
    ASSERT_TRUE(response) << response.error();
    EXPECT_EQ((*response)->status, 200);
    EXPECT_EQ(*(*exchange)->read_all(), "green");
    EXPECT_EQ((*exchange)->trailers().get("Digest"), "none");
    EXPECT_TRUE(ends.connection->can_take_more());
    EXPECT_EQ(changes, i + 1);
    EXPECT_EQ((*exchange)->take_stream().error().code(), Code::failed_precondition);
  }
}

PARLEY_FIBER_TEST(Http1Connection, an_answer_without_a_body_needs_no_read) {
  Ends ends;
  {
    const auto exchange = ends.begin(request_of(Method::head));
    ends.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    ASSERT_TRUE((*exchange)->response());
  }
  EXPECT_TRUE(ends.connection->can_take_more() && ends.connection->is_usable());
}

PARLEY_FIBER_TEST(Http1Connection, is_no_longer_used_after_whatever_left_it_unclear) {
  const std::string with_length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  for (const std::string& answer :
       {with_length + "gre", with_length + "green" + with_length,
        std::string("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        std::string("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")}) {
    Ends ends;
    {
      const auto exchange = ends.begin();
      ends.answer(answer);
      if ((*exchange)->response()) {
        ASSERT_TRUE((*exchange)->read());
      }
      if (answer.ends_with("\r\n\r\n")) {
        (void)(*exchange)->read();
      }
    }
    EXPECT_FALSE(ends.connection->can_take_more()) << answer;
    EXPECT_FALSE(ends.connection->is_usable()) << answer;
    EXPECT_TRUE(ends.read_until("never").ends_with("(end)")) << answer;
  }
}

PARLEY_FIBER_TEST(Http1Connection, at_rest_it_sees_that_the_server_has_gone_or_says_too_much) {
  Ends gone;
  gone.server->close();
  EXPECT_FALSE(gone.connection->is_usable());
  Ends talking;
  talking.answer("HTTP/1.1 408 Request Timeout\r\n\r\n");
  EXPECT_FALSE(talking.connection->is_usable());
}

// The connection ends behind each byte of an answer.
PARLEY_FIBER_TEST(Http1Connection, an_answer_cut_at_any_byte_is_never_taken_for_whole) {
  const std::string_view answers[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ngreen",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ngreen\r\n0\r\n\r\n"};
  for (const std::string_view answer : answers) {
    for (std::size_t cut = 0; cut <= answer.size(); ++cut) {
      Ends ends;
      const auto exchange = ends.begin();
      ASSERT_TRUE(exchange) << exchange.error();
      (void)ends.read_until("\r\n\r\n");
      ends.answer(answer.substr(0, cut));
      ends.server->close();
      const auto body = (*exchange)->read_all();
      if (cut == answer.size()) {
        EXPECT_EQ(*body, "green");
        continue;
      }
      ASSERT_FALSE(body) << cut;
      EXPECT_EQ(body.error().code(), cut == 0 ? Code::unavailable : Code::data_loss)
          << cut << ": " << body.error();
      EXPECT_FALSE(ends.connection->is_usable());
    }
  }
}

// Takes `takes` bytes, then breaks.
class Breaking final : public net::Stream {
 public:
  explicit Breaking(std::size_t takes) : takes_(takes) {}
  Result<std::size_t> read(std::span<char>, rt::Deadline) override { return broken(); }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline) override {
    const std::size_t size = std::min(from.size(), takes_);
    if (size == 0) return broken();
    takes_ -= size;
    return size;
  }
  Status close_write() override { return {}; }
  void close() override {}
  [[nodiscard]] const net::Address& local_address() const override { return address_; }
  [[nodiscard]] const net::Address& remote_address() const override { return address_; }

 private:
  static Status broken() { return Status(Code::unavailable, "Connection reset by peer"); }
  std::size_t takes_;
  net::Address address_{};
};

PARLEY_FIBER_TEST(Http1Connection, a_request_is_not_sent_as_long_as_its_head_has_not_left_whole) {
  const std::string head = "POST /tea HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\n";
  for (std::size_t takes = 0; takes <= head.size() + 5; ++takes) {
    const auto connection = Http1Connection::create(std::make_unique<Breaking>(takes));
    ASSERT_TRUE(connection->reserve());
    const auto exchange = connection->begin(request_of(Method::post), BodySize::of(5), {});
    ASSERT_TRUE(exchange);
    Status status = (*exchange)->write("green");
    if (status.is_ok()) status = (*exchange)->end();
    const Code verdict = takes < head.size() ? Code::not_sent : Code::unavailable;
    if (takes < head.size() + 5) {
      EXPECT_EQ(status.code(), verdict) << takes << ": " << status;
    }
    EXPECT_EQ((*exchange)->response().error().code(), verdict) << takes;
  }
}

PARLEY_FIBER_TEST(Http1Connection, reads_the_answer_while_its_body_still_goes_out) {
  Ends ends({.piece_bytes = 100, .max_pieces = 2});
  const auto exchange = ends.begin(request_of(Method::post), BodySize::unknown());
  rt::Scope scope;
  scope.go("echo", [&] {
    (void)ends.read_until("\r\n\r\n");
    ends.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::array<char, 64> buffer{};
    std::string seen;
    while (!seen.ends_with("0\r\n\r\n")) {
      const auto size = ends.server->read(buffer);
      ASSERT_TRUE(size && *size > 0);
      seen.append(buffer.data(), *size);
      ends.answer({buffer.data(), *size});
    }
  });
  scope.go("writer", [&] {
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE((*exchange)->write(std::string(20'000, 'x')).is_ok());
    }
    ASSERT_TRUE((*exchange)->end().is_ok());
  });
  EXPECT_EQ((*exchange)->read_all()->size(), 100'000u);
  scope.join();
  EXPECT_TRUE(ends.connection->can_take_more());
}

TEST(Http1Connection, a_body_waits_for_100_and_goes_all_the_same_after_a_while) {
  rt::testing::in_virtual_time(
      [] {
        for (const bool is_told : {true, false}) {
          Ends ends({}, {.times = {.continue_timeout = 3s}});
          Request request = request_of(Method::put);
          EXPECT_TRUE(request.headers.add("Expect", "100-continue").is_ok());
          const auto exchange = ends.begin(std::move(request), BodySize::of(5));
          rt::Scope scope;
          const Instant begun = rt::now();
          Duration took{};
          scope.go("server", [&] {
            (void)ends.read_until("\r\n\r\n");
            if (is_told) ends.answer("HTTP/1.1 100 Continue\r\n\r\n");
            EXPECT_EQ(ends.read_until("green"), "green");
            took = rt::now() - begun;
            ends.answer("HTTP/1.1 204 No Content\r\n\r\n");
          });
          ASSERT_TRUE((*exchange)->write("green").is_ok());
          ASSERT_TRUE((*exchange)->end().is_ok());
          EXPECT_EQ(*(*exchange)->read_all(), "");
          scope.join();
          EXPECT_EQ(took >= 3s, !is_told);
          EXPECT_TRUE(ends.connection->can_take_more());
        }
      },
      20ms);
}

PARLEY_FIBER_TEST(Http1Connection, a_body_that_is_not_wanted_is_not_sent) {
  Ends ends;
  Request request = request_of(Method::put);
  EXPECT_TRUE(request.headers.add("Expect", "100-continue").is_ok());
  {
    const auto exchange = ends.begin(std::move(request), BodySize::of(5));
    ends.answer("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
    EXPECT_EQ((*exchange)->write("green").code(), Code::cancelled);
    EXPECT_EQ((*(*exchange)->response())->status, 413);
    EXPECT_EQ(*(*exchange)->read_all(), "no");
  }
  EXPECT_FALSE(ends.connection->is_usable());
  EXPECT_TRUE(ends.read_until("never").ends_with("\r\n\r\n(end)"));
}

PARLEY_FIBER_TEST(Http1Connection, says_whether_it_is_secure_as_it_was_told) {
  for (const bool is_secure : {false, true}) {
    Ends ends({}, {.is_secure = is_secure});
    const auto exchange = ends.begin();
    ASSERT_TRUE(exchange) << exchange.error();
    EXPECT_EQ((*exchange)->is_secure(), is_secure);
  }
}

TEST(Http1Connection, each_timeout_ends_the_wait_it_is_for) {
  rt::testing::in_virtual_time(
      [] {
        Ends ends({.max_pieces = 2}, {.times = {.answer_timeout = 5s, .body_timeout = 2s}});
        auto exchange = ends.begin();
        const Instant begun = rt::now();
        const Status early = (*exchange)->response(rt::Deadline::after(1s)).error();
        EXPECT_EQ(early.code(), Code::deadline_exceeded);
        EXPECT_EQ(early.message().find("answer_timeout"), std::string::npos) << early;
        const Status late = (*exchange)->response().error();
        EXPECT_NE(late.message().find("answer_timeout"), std::string::npos) << late;
        EXPECT_GE(rt::now() - begun, 5s);
        EXPECT_LT(rt::now() - begun, 6s);
        // Nothing is lost by waiting in vain.
        ends.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ngr");
        EXPECT_EQ(*(*exchange)->read(), "gr");
        const Status slow = (*exchange)->read().error();
        EXPECT_NE(slow.message().find("body_timeout"), std::string::npos) << slow;
        ends.answer("een");
        EXPECT_EQ(*(*exchange)->read_all(), "een");
        EXPECT_TRUE(ends.connection->can_take_more());
        exchange = ends.begin(request_of(Method::post), BodySize::unknown());
        const Status stuck = (*exchange)->write(std::string(100'000, 'x'));
        EXPECT_NE(stuck.message().find("body_timeout"), std::string::npos) << stuck;
        EXPECT_EQ((*exchange)->write("more"), stuck);
      },
      20ms);
}

PARLEY_FIBER_TEST(Http1Connection, the_context_of_the_caller_ends_a_wait) {
  Ends ends;
  const auto exchange = ends.begin();
  const auto [context, cancel] = rt::Context::current().with_cancel();
  cancel(Status(Code::aborted, "enough"));
  {
    const rt::WithContext bound(context);
    EXPECT_EQ((*exchange)->response().error().code(), Code::aborted);
  }
  ends.answer("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_TRUE((*exchange)->response());
}

PARLEY_FIBER_TEST(Http1Connection, cancel_and_close_wake_who_waits) {
  for (const bool is_cancelled : {true, false}) {
    Ends ends;
    const auto exchange = ends.begin();
    rt::Scope scope;
    scope.go("reader", [&] {
      EXPECT_EQ((*exchange)->response().error().code(),
                is_cancelled ? Code::cancelled : Code::unavailable);
    });
    rt::yield();
    is_cancelled ? (*exchange)->cancel() : ends.connection->close();
    scope.join();
    EXPECT_FALSE(ends.connection->reserve());
  }
}

PARLEY_FIBER_TEST(Http1Connection, what_came_behind_a_switch_is_read_from_its_stream_first) {
  Ends ends;
  Request request = request_of();
  EXPECT_TRUE(request.headers.add("Connection", "Upgrade").is_ok());
  EXPECT_TRUE(request.headers.add("Upgrade", "tea").is_ok());
  auto exchange = ends.begin(std::move(request));
  ends.answer(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tea\r\n\r\nhello");
  ASSERT_TRUE((*exchange)->response());
  auto stream = (*exchange)->take_stream();
  ASSERT_TRUE(stream) << stream.error();
  EXPECT_EQ((*exchange)->take_stream().error().code(), Code::failed_precondition);
  exchange->reset();
  EXPECT_FALSE(ends.connection->is_usable());
  std::array<char, 16> buffer{};
  EXPECT_EQ(*(*stream)->peek(buffer, 5), 5u);
  EXPECT_EQ(*(*stream)->read(std::span(buffer).first(2)), 2u);
  EXPECT_EQ(*(*stream)->read(buffer), 3u);
  EXPECT_EQ(std::string_view(buffer.data(), 3), "llo");
  ends.answer("more");
  EXPECT_EQ(*(*stream)->read(buffer), 4u);
  ASSERT_TRUE((*stream)->write("back").is_ok());
  EXPECT_TRUE(ends.read_until("back").ends_with("back"));
}

PARLEY_FIBER_TEST(Http1Connection, a_tunnel_is_a_stream) {
  Ends ends;
  const auto exchange = ends.begin(request_of(Method::connect, "shop.example:443"));
  ends.answer("HTTP/1.1 200 OK\r\n\r\n");
  ASSERT_TRUE((*exchange)->response());
  EXPECT_TRUE((*exchange)->take_stream());
}

PARLEY_FIBER_TEST(Http1Connection, a_request_that_nobody_would_read_costs_nothing) {
  Ends ends;
  EXPECT_EQ(ends.begin(request_of(Method::get, "no path")).error().code(), Code::invalid_argument);
  EXPECT_TRUE(ends.connection->can_take_more());
  const auto exchange = ends.begin(request_of(Method::post), BodySize::of(3));
  EXPECT_EQ((*exchange)->write("green").code(), Code::invalid_argument);
  EXPECT_EQ((*exchange)->end().code(), Code::failed_precondition);
}

}  // namespace
}  // namespace parley::http
