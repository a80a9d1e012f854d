#include "parley/http/draining.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "parley/http/testing/http2_by_hand.h"
#include "parley/http/testing/server_world.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using rt::testing::in_virtual_time;
using testing::get_of;
using testing::read_until;
using testing::ServerWorld;

// Wants to be called on every `step`, and once it drains three times.
class Guest final : public Attended {
 public:
  Guest(const std::shared_ptr<Draining>& draining, Duration step) : step_(step) {
    join(draining, step > Duration::zero() ? rt::now() + step : Instant::max());
  }
  ~Guest() override { leave(); }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  void ask(Instant due) { attend_at(due); }

  std::vector<Instant> at;  // when it was called on
  int drained = 0;

 private:
  Instant attend(Instant now, bool drains) override {
    at.push_back(now);
    if (drains) return ++drained < 3 ? now + 1s : Instant::max();
    return step_ > Duration::zero() ? now + step_ : Instant::max();
  }
  const Duration step_;
};

TEST(Draining, calls_on_each_at_its_times_and_on_all_when_it_begins) {
  in_virtual_time(
      [] {
        const auto draining = std::make_shared<Draining>();
        {
          Guest often(draining, 10s);
          Guest never(draining, 0s);
          Guest asks(draining, 0s);
          asks.ask(rt::now() + 7s);
          ASSERT_TRUE(rt::sleep(35s).is_ok());
          EXPECT_EQ(often.at.size(), 3U);
          EXPECT_EQ(never.at.size(), 0U);
          EXPECT_EQ(asks.at.size(), 1U);
          EXPECT_FALSE(draining->has_begun());
          EXPECT_EQ(draining->wait(rt::Deadline::after(1s)).code(), Code::deadline_exceeded);
          draining->begin();
          draining->begin();
          EXPECT_TRUE(draining->has_begun());
          EXPECT_TRUE(draining->wait().is_ok());
          Guest late(draining, 0s);
          ASSERT_TRUE(rt::sleep(20s).is_ok());
          for (const Guest* each : {&often, &never, &asks, &late}) EXPECT_EQ(each->drained, 3);
        }
        Guest last(draining, 1s);
        draining->end();
        ASSERT_TRUE(rt::sleep(5s).is_ok());
        EXPECT_EQ(last.drained, 0) << "the server is gone";
      },
      100ms);
}

TEST(Draining, an_answer_without_an_end_hears_of_it) {
  for (const bool listens : {true, false}) {
    in_virtual_time(
        [&] {
          ServerWorld world([&](ServerExchange& exchange) -> Status {
            const auto draining = exchange.draining();
            if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
            while (!listens || !draining->has_begun()) {
              if (Status s = exchange.write("tick "); !s.is_ok()) return s;
              if (Status s = exchange.flush(); !s.is_ok()) return s;
              if (Status s = rt::sleep(1s); !s.is_ok()) return s;
            }
            return exchange.write("over");
          });
          const auto stream = world.dial();
          ASSERT_TRUE(stream->write(get_of("/")).is_ok());
          EXPECT_NE(read_until(*stream, "tick"), "");
          const Status ended = world.server().shutdown(rt::Deadline::after(20s));
          EXPECT_EQ(ended.code(), listens ? Code::ok : Code::deadline_exceeded);
          EXPECT_EQ(read_until(*stream).find("over") != std::string::npos, listens);
        },
        50ms);
  }
}

// Hands over, and reads from who says nothing.
Status hand_over(ServerExchange& exchange, bool listens, Status& read) {
  if (exchange.protocol() == Protocol::http_1_1) {
    exchange.response().status = 101;
    EXPECT_TRUE(exchange.response().headers.add("Upgrade", "x").is_ok());
  }
  const auto draining = exchange.draining();
  return exchange.hand_over([listens, &read, draining](const std::unique_ptr<net::Stream>& stream) {
    char byte = 0;
    rt::Scope scope(rt::OnExit::cancel);
    if (listens) {
      scope.go("listens", [&] {
        if (draining->wait().is_ok()) stream->close();
      });
    }
    read = stream->read({&byte, 1}).error();
  });
}

// How long shutdown() takes then, up to ten minutes.
Duration end_of_upgraded(Protocol protocol, const ServerOptions& options, bool listens) {
  Duration took{};
  in_virtual_time(
      [&] {
        Status read;
        ServerWorld world(
            [&](ServerExchange& exchange) { return hand_over(exchange, listens, read); }, options);
        std::unique_ptr<net::Stream> stream;
        std::optional<testing::ByHand> by_hand;
        if (protocol == Protocol::http_1_1) {
          stream = world.dial();
          const std::string_view request =
              "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
          EXPECT_TRUE(stream->write(request).is_ok());
          EXPECT_NE(read_until(*stream, "\r\n\r\n"), "");
        } else {
          by_hand.emplace(world.dial());
          by_hand->send(testing::head(1, {{":method", "CONNECT"}, {":authority", "a:1"}}, 0));
          EXPECT_TRUE(by_hand->wait_for(testing::headers_frame, 1));
        }
        const Instant begun = rt::now();
        const Status ended = world.server().shutdown(rt::Deadline::after(10min));
        took = rt::now() - begun;
        EXPECT_EQ(ended.code(), took < 10min ? Code::ok : Code::deadline_exceeded);
        const bool is_cut = !listens && took < 10min;
        EXPECT_EQ(read.message().find("handed_over_timeout") != std::string::npos, is_cut) << read;
      },
      250ms);
  return took;
}

TEST(Draining, what_was_handed_over_has_handed_over_timeout_or_leaves_by_itself) {
  for (const Protocol protocol : {Protocol::http_1_1, Protocol::http_2}) {
    ServerOptions options{.ping_after = 0s};
    // Who speaks HTTP/2 by hand answers neither the ping behind GOAWAY nor the end of the stream.
    const Duration more = protocol == Protocol::http_2 ? 5s : 1s;
    const Duration usual = end_of_upgraded(protocol, options, false);
    EXPECT_GE(usual, 30s);
    EXPECT_LT(usual, 30s + more);
    EXPECT_LT(end_of_upgraded(protocol, options, true), more);
    options.handed_over_timeout = 3s;
    const Duration short_one = end_of_upgraded(protocol, options, false);
    EXPECT_GE(short_one, 3s);
    EXPECT_LT(short_one, 3s + more);
    options.handed_over_timeout = 0s;
    EXPECT_GE(end_of_upgraded(protocol, options, false), 10min);
  }
}

}  // namespace
}  // namespace parley::http
