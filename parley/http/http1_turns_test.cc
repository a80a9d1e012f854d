// What one request of a connection of HTTP/1 may keep from another one: answers leave before a
// handler, or a body, is waited for, and never apart without need.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/testing/server_world.h"
#include "parley/net/testing/stream_over.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using rt::testing::in_virtual_time;
using testing::count;
using testing::get_of;
using testing::read_until;
using testing::ServerWorld;

// Counts what is written to it.
class Counting final : public net::testing::StreamOver {
 public:
  Counting(std::unique_ptr<net::Stream> below, int& writes)
      : Counting(below.get(), below, writes) {}
  Result<std::optional<std::size_t>> try_read(std::span<char> into) override {
    return below_.try_read(into);
  }
  [[nodiscard]] rt::Pollable* readiness() override { return below_.readiness(); }
  [[nodiscard]] Unread unread() override { return below_.unread(); }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    ++writes_;
    return StreamOver::write_some(from, deadline);
  }

 private:
  Counting(net::Stream* below, std::unique_ptr<net::Stream>& owned, int& writes)
      : StreamOver(std::move(owned)), below_(*below), writes_(writes) {}

  net::Stream& below_;
  int& writes_;
};

// "/wait" is answered once somebody has asked for "/go".
struct LongPoll {
  rt::Event went{};
  Status operator()(ServerExchange& exchange) {
    const std::string& target = exchange.request().target;
    if (target == "/go") went.set();
    if (target == "/wait" && !went.wait(rt::Deadline::after(30s)).is_ok()) {
      return exchange.answer(504);
    }
    return exchange.answer(200, target);
  }
};

TEST(Http1Turns, answers_before_a_handler_that_waits_leave_while_it_waits) {
  in_virtual_time(
      [] {
        for (const std::string& before :
             {get_of("/a"), get_of("/a") + get_of("/b") + get_of("/c")}) {
          LongPoll poll;
          ServerWorld world([&](ServerExchange& exchange) { return poll(exchange); });
          const auto stream = world.dial();
          ASSERT_TRUE(stream->write(before + get_of("/wait") + get_of("/d")).is_ok());
          const std::string last = before == get_of("/a") ? "\r\n\r\n/a" : "\r\n\r\n/c";
          const std::string first = read_until(*stream, last);
          ASSERT_TRUE(first.ends_with(last)) << first;
          EXPECT_EQ(count(world.ask(get_of("/go")), "HTTP/1.1 200"), 1U);
          const std::string rest = read_until(*stream, "\r\n\r\n/d");
          EXPECT_TRUE(rest.starts_with("HTTP/1.1 200")) << rest;
          EXPECT_EQ(count(rest, "\r\n\r\n/wait"), 1U) << rest;
          EXPECT_EQ(count(rest, "HTTP/1.1 200"), 2U) << rest;
        }
      },
      10ms);
}

PARLEY_FIBER_TEST(Http1Turns, answers_of_quick_handlers_leave_together) {
  int writes = 0;
  ServerWorld world(
      [](ServerExchange& exchange) {
        if (exchange.request().target == "/slow") rt::yield();
        return exchange.answer(200, exchange.request().target);
      },
      {.open = [&](std::unique_ptr<net::Stream> stream) {
        return Result<std::unique_ptr<net::Stream>>(
            std::make_unique<Counting>(std::move(stream), writes));
      }});
  std::string all;
  for (int i = 0; i < 20; ++i) all += get_of("/a");
  EXPECT_EQ(count(world.ask(all), "\r\n\r\n/a"), 20U);
  EXPECT_EQ(writes, 1);
  EXPECT_EQ(count(world.ask(get_of("/slow")), "\r\n\r\n/slow"), 1U);
  EXPECT_EQ(writes, 2);
  EXPECT_EQ(count(world.ask(all + get_of("/slow")), "HTTP/1.1 200"), 21U);
  EXPECT_EQ(writes, 4) << "what was there before it, and its own";
}

TEST(Http1Turns, a_client_that_takes_no_early_answer_ends_its_connection) {
  in_virtual_time(
      [] {
        for (const Duration limit : {Duration(3s), Duration(9s)}) {
          Duration took{};
          const Instant began = rt::now();
          Status written;
          ServerWorld world(
              [&](ServerExchange& exchange) -> Status {
                if (exchange.request().target == "/a") {
                  return exchange.answer(200, std::string(5000, 'a'));
                }
                EXPECT_TRUE(rt::sleep(1s).is_ok());
                if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
                EXPECT_TRUE(exchange.write("x").is_ok());
                written = exchange.flush();
                took = rt::now() - began;
                return written;
              },
              {.write_timeout = limit}, {.buffer_bytes = 1000});
          const auto stream = world.dial();
          ASSERT_TRUE(stream->write(get_of("/a") + get_of("/b")).is_ok());
          while (took == Duration()) ASSERT_TRUE(rt::sleep(100ms).is_ok());
          EXPECT_FALSE(written.is_ok());
          EXPECT_GE(took, limit);
          EXPECT_LT(took, limit + 1s);
          const std::string all = read_until(*stream);
          EXPECT_EQ(count(all, "HTTP/1.1 "), 1U) << "nothing behind an answer that was cut";
        }
      },
      10ms);
}

TEST(Http1Turns, a_shutdown_cuts_an_early_answer_that_nobody_takes) {
  in_virtual_time(
      [] {
        ServerWorld world(
            [&](ServerExchange& exchange) -> Status {
              if (exchange.request().target == "/b") return rt::sleep(1h);
              return exchange.answer(200, std::string(5000, 'a'));
            },
            {.write_timeout = 1h}, {.buffer_bytes = 1000});
        const auto stream = world.dial();
        ASSERT_TRUE(stream->write(get_of("/a") + get_of("/b")).is_ok());
        std::array<char, 1> byte{};
        ASSERT_TRUE(stream->read(byte));
        const Instant began = rt::now();
        EXPECT_EQ(world.server().shutdown(rt::Deadline::after(2s)).code(), Code::deadline_exceeded);
        EXPECT_LT(rt::now() - began, 4s);
        EXPECT_EQ(world.server().counts().connections, 0U);
      },
      10ms);
}

PARLEY_FIBER_TEST(Http1Turns, answers_before_a_body_that_ends_too_early_arrive) {
  ServerWorld world([](ServerExchange& exchange) -> Status {
    const auto body = exchange.read_all();
    if (!body) return body.error();
    return exchange.answer(200, exchange.request().target);
  });
  const std::string all = world.ask(get_of("/a") + get_of("/b") +
                                    "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
  EXPECT_EQ(count(all, "HTTP/1.1 200"), 2U) << all;
  EXPECT_TRUE(all.ends_with("\r\n\r\n/b")) << all;
}

// The client waits for the answer before it sends the rest of what nobody reads.
TEST(Http1Turns, an_answer_leaves_before_the_rest_of_an_unread_body_is_waited_for) {
  in_virtual_time(
      [] {
        ServerWorld world([](ServerExchange& exchange) {
          return exchange.answer(200, exchange.request().target);
        });
        const std::string head = "POST /a HTTP/1.1\r\nHost: a\r\n";
        const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
        const std::pair<std::string, std::string> cut[] = {
            {head + "Content-Length: 5\r\n\r\n", "hello"},
            {head + "Content-Length: 5\r\n\r\nhel", "lo"},
            {chunked, "5\r\nhello\r\n0\r\n\r\n"},
            {chunked + "5\r", "\nhello\r\n0\r\n\r\n"},
            {chunked + "5\r\nhello", "\r\n0\r\n\r\n"},
            {chunked + "5\r\nhello\r\n0\r\n", "\r\n"},
        };
        for (const auto& [sent, then] : cut) {
          const auto stream = world.dial();
          const Instant began = rt::now();
          ASSERT_TRUE(stream->write(sent).is_ok());
          EXPECT_EQ(count(read_until(*stream, "\r\n\r\n/a"), "HTTP/1.1 200"), 1U) << sent;
          EXPECT_LT(rt::now() - began, 1s) << sent;
          ASSERT_TRUE(stream->write(then + get_of("/b")).is_ok());
          EXPECT_EQ(count(read_until(*stream, "\r\n\r\n/b"), "HTTP/1.1 200"), 1U) << sent;
          EXPECT_LT(rt::now() - began, 1s) << sent;
        }
        // Who says that no more comes has his answer all the same.
        EXPECT_EQ(count(world.ask(chunked + "5\r"), "HTTP/1.1 200"), 1U);
      },
      10ms);
}

// A client that asks much at once and reads nothing.
TEST(Http1Turns, answers_of_a_pipeline_that_nobody_reads_are_bounded_by_out_buffer_bytes) {
  for (const std::size_t most : {std::size_t{20'000}, std::size_t{1'000'000}}) {
    in_virtual_time(
        [&] {
          std::size_t served = 0;
          ServerWorld world(
              [&](ServerExchange& exchange) {
                ++served;
                return exchange.answer(200, std::string(15'000, 'x'));
              },
              {.out_buffer_bytes = most}, {.buffer_bytes = 20'000});
          const auto stream = world.dial();
          std::string all;
          for (int i = 0; i < 300; ++i) all += get_of("/a");
          rt::Scope scope;
          scope.go("asks", [&] { EXPECT_TRUE(stream->write(all).is_ok()); });
          ASSERT_TRUE(rt::sleep(1s).is_ok());
          EXPECT_GE(served, most / 15'100);
          EXPECT_LE(served, (most + 20'000) / 15'000 + 3) << "it waits for the client";
          EXPECT_TRUE(stream->close_write().is_ok());
          EXPECT_EQ(count(read_until(*stream), "HTTP/1.1 200"), 300U);
        },
        10ms);
  }
}

}  // namespace
}  // namespace parley::http
