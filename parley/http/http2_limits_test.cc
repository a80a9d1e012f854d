// Limits of HTTP/2 that slow somebody down rather than end a connection: each with two values.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/http2_servant.h"
#include "parley/http/service.h"
#include "parley/http/testing/http2_by_hand.h"
#include "parley/net/in_process_network.h"
#include "parley/net/serve.h"
#include "parley/net/testing/stream_over.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley::http {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the frames are all it is about
using namespace std::chrono_literals;

// Counts the writes of the stream below.
class Counting final : public net::testing::StreamOver {
 public:
  Counting(std::unique_ptr<net::Stream> stream, std::atomic<int>& writes)
      : Counting(stream.get(), std::move(stream), writes) {}
  Result<std::optional<std::size_t>> try_read(std::span<char> into) override {
    return below_->try_read(into);
  }
  Result<bool> wait_readable(rt::Deadline deadline) override {
    return below_->wait_readable(deadline);
  }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    ++writes_;
    return StreamOver::write_some(from, deadline);
  }
  [[nodiscard]] rt::Pollable* readiness() override { return below_->readiness(); }
  [[nodiscard]] Unread unread() override { return below_->unread(); }

 private:
  Counting(net::Stream* below, std::unique_ptr<net::Stream> stream, std::atomic<int>& writes)
      : StreamOver(std::move(stream)), below_(below), writes_(writes) {}
  net::Stream* below_;
  std::atomic<int>& writes_;
};

// A server of ours, within the process.
class World {
 public:
  explicit World(Handler handler, ServerOptions options = {})
      : service_(*Service::make(std::move(handler), std::move(options))) {
    scope_.go("server", [this] {
      net::Server server(
          *listener_, [this](net::Stream& s) { return service_->http2().serve(s); }, counting());
      (void)server.serve();
    });
  }
  ~World() {
    listener_->close();
    scope_.cancel();
    scope_.join();
  }
  std::unique_ptr<net::Stream> dial() { return std::move(*network_.dial(listener_->address())); }

  std::atomic<int> writes = 0;

 private:
  net::ServeOptions counting() {
    net::ServeOptions options;
    options.open = [this](std::unique_ptr<net::Stream> stream) {
      return Result<std::unique_ptr<net::Stream>>(
          std::make_unique<Counting>(std::move(stream), writes));
    };
    return options;
  }

  net::InProcessNetwork network_;
  std::unique_ptr<net::Listener> listener_ =
      std::move(*network_.listen(*net::Address::parse("inproc:shop")));
  const std::shared_ptr<Service> service_;
  rt::Scope scope_;
};

// Waits until the server has read and said all that it wants to.
void settle(ByHand& client) {
  client.send(frame(ping_frame, 0, 0, "12345678"));
  ASSERT_TRUE(client.wait_for(ping_frame, 0, acknowledges));
}

PARLEY_FIBER_TEST(Http2Limits, a_stream_may_send_first_window_before_anybody_reads) {
  for (const std::uint32_t bytes : {65'536U, 200'000U}) {
    World world([](ServerExchange& exchange) { return exchange.answer(204); },
                {.http2 = {.limits = {.first_window = bytes}}});
    ByHand client(world.dial());
    ASSERT_TRUE(client.wait_for(settings_frame, 0));
    const Frame settings = client.last();
    std::uint32_t told = 65'535;
    for (std::size_t at = 0; at + 6 <= settings.payload.size(); at += 6) {
      if (number_in(settings.payload, at, 2) == 4) told = number_in(settings.payload, at + 2);
    }
    EXPECT_EQ(told, bytes);
  }
}

PARLEY_FIBER_TEST(Http2Limits, beyond_max_unread_the_window_of_the_connection_closes) {
  for (const std::size_t most : {std::size_t{20'000}, std::size_t{1'000'000}}) {
    rt::Event go_on;
    World world(
        [&](ServerExchange& exchange) -> Status {
          (void)go_on.wait();
          const auto body = exchange.read_all();
          return body ? exchange.answer(204) : body.error();
        },
        {.http2 = {.limits = {.max_window = 65'536, .max_unread = most}}});
    ByHand client(world.dial());
    std::string all = head(1, post_fields(), 0) + head(3, post_fields(), 0);
    for (int i = 0; i < 3; ++i) {
      for (const std::uint32_t id : {1U, 3U}) {
        all += frame(data_frame, i == 2 ? ends_stream : 0, id, std::string(10'000, 'x'));
      }
    }
    client.send(all);
    settle(client);
    const auto given_back = [&] {
      std::uint32_t bytes = 0;
      for (const Frame& one : client.frames) {
        if (one.type == window_frame && one.id == 0) bytes += number_in(one.payload, 0);
      }
      return bytes;
    };
    if (most == 20'000) {
      EXPECT_LT(given_back(), 30'000U);
    } else {
      EXPECT_GE(given_back(), 30'000U);
    }
    go_on.set();
    const auto answers = [&] {
      return std::ranges::count_if(client.frames,
                                   [](const Frame& one) { return one.type == headers_frame; });
    };
    while (answers() < 2) ASSERT_TRUE(client.read());
    settle(client);
    EXPECT_GE(given_back(), 30'000U) << "all of it was read";
  }
}

PARLEY_FIBER_TEST(Http2Limits, beyond_max_unsent_a_writer_waits) {
  for (const std::size_t most : {std::size_t{1'000}, std::size_t{50'000}}) {
    std::atomic<std::size_t> written = 0;
    World world(
        [&](ServerExchange& exchange) -> Status {
          if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
          for (;;) {
            if (Status s = exchange.write(std::string(500, 'x')); !s.is_ok()) return s;
            written += 500;
          }
        },
        {.http2 = {.limits = {.max_unsent = most}}});
    ByHand client(world.dial());
    // No stream may send anything.
    client.send(frame(settings_frame, 0, 0, number(4, 2) + number(0)));
    client.send(head(1, get_fields()));
    while (written < most) rt::yield();
    settle(client);
    EXPECT_EQ(written, most);
  }
}

PARLEY_FIBER_TEST(Http2Limits, max_write_bounds_what_is_gathered_for_one_write) {
  const auto writes_for = [](std::size_t most) {
    rt::Event go_on;
    std::atomic<int> ready = 0;
    World world(
        [&](ServerExchange& exchange) -> Status {
          ++ready;
          (void)go_on.wait();
          return exchange.answer(200, std::string(1'000, 'x'));
        },
        {.http2 = {.limits = {.max_write = most}}});
    ByHand client(world.dial());
    std::string all;
    for (std::uint32_t id = 1; id < 17; id += 2) all += head(id, get_fields());
    client.send(all);
    while (ready < 8) rt::yield();
    settle(client);
    const int before = world.writes;
    go_on.set();
    const auto answers = [&] {
      return std::ranges::count_if(client.frames, [](const Frame& one) {
        return one.type == data_frame && (one.flags & ends_stream) != 0;
      });
    };
    while (answers() < 8) EXPECT_TRUE(client.read());
    return world.writes - before;
  };
  EXPECT_LE(writes_for(64 * 1024), 2);
  EXPECT_GE(writes_for(1'000), 4);
}

TEST(Http2Limits, a_client_that_takes_nothing_for_write_timeout_loses_its_connection) {
  for (const Duration limit : {5s, 40s}) {
    rt::testing::in_virtual_time(
        [&] {
          rt::Event over;
          Duration took{};
          World world(
              [&](ServerExchange& exchange) -> Status {
                const Instant began = rt::now();
                if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
                Status status;
                while (status.is_ok()) status = exchange.write(std::string(10'000, 'x'));
                took = rt::now() - began;
                over.set();
                return status;
              },
              {.write_timeout = limit});
          ByHand client(world.dial());
          // As much as it likes, and then nobody reads.
          client.send(frame(settings_frame, 0, 0, number(4, 2) + number(0x7fffffffU)) +
                      frame(window_frame, 0, 0, number(0x7fff0000U)) + head(1, get_fields()));
          ASSERT_TRUE(over.wait(rt::Deadline::after(300s)).is_ok());
          EXPECT_GE(took, limit);
          EXPECT_LT(took, limit + 5s);
        },
        10ms);
  }
}

PARLEY_FIBER_TEST(Http2Limits, a_handler_that_waits_for_its_client_keeps_nobody_from_writing) {
  World world(
      [](ServerExchange& exchange) { return exchange.answer(200, std::string(60'000, 'x')); },
      {.http2 = {.limits = {.max_unsent = 1'000}}, .max_handlers = 1});
  ByHand client(world.dial());
  client.send(head(1, get_fields()));
  ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
  EXPECT_EQ(client.body_of(1).size(), 60'000U);
}

PARLEY_FIBER_TEST(Http2Limits, streams_beyond_max_handlers_wait_for_their_turn) {
  for (const std::size_t most : {std::size_t{3}, std::size_t{8}}) {
    rt::Event go_on;
    std::atomic<std::size_t> inside = 0;
    World world(
        [&](ServerExchange& exchange) -> Status {
          ++inside;
          (void)go_on.wait();
          return exchange.answer(204);
        },
        {.max_handlers = most});
    ByHand client(world.dial());
    settle(client);
    std::string all;
    for (std::uint32_t id = 1; id < 13; id += 2) all += head(id, get_fields());
    client.send(all);
    const std::size_t expected = std::min<std::size_t>(most, 6);
    while (inside < expected) rt::yield();
    for (int i = 0; i < 20; ++i) rt::yield();
    EXPECT_EQ(inside, expected);
    go_on.set();
    const auto answers = [&] {
      return std::ranges::count_if(client.frames,
                                   [](const Frame& one) { return one.type == headers_frame; });
    };
    while (answers() < 6) ASSERT_TRUE(client.read());
    EXPECT_EQ(inside, 6u);
  }
}

// Of 8 handlers one connection takes 5, which is more than half.
PARLEY_FIBER_TEST(Http2Limits, where_handlers_are_scarce_a_connection_has_max_running_when_scarce) {
  for (const std::size_t most : {std::size_t{5}, std::size_t{7}}) {
    rt::Event go_on;
    std::atomic<std::size_t> inside = 0;
    World world(
        [&](ServerExchange& exchange) -> Status {
          ++inside;
          if (exchange.request().method == Method::get) (void)go_on.wait();
          return exchange.answer(204);
        },
        {.http2 = {.limits = {.max_running_when_scarce = most}}, .max_handlers = 8});
    ByHand greedy(world.dial());
    std::string all;
    for (std::uint32_t id = 1; id < 11; id += 2) all += head(id, get_fields());
    greedy.send(all);
    while (inside < 5) rt::yield();
    greedy.send(head(11, get_fields()) + head(13, get_fields()) + head(15, get_fields()));
    settle(greedy);
    const auto refused = std::ranges::count_if(greedy.frames, [](const Frame& one) {
      return one.type == reset_frame && number_in(one.payload, 0) == 7;
    });
    EXPECT_EQ(refused, most == 5 ? 3 : 1) << "REFUSED_STREAM: it may ask again";
    ByHand other(world.dial());
    other.send(head(1, post_fields()));
    EXPECT_TRUE(other.wait_for(headers_frame, 1));
    go_on.set();
    ASSERT_TRUE(greedy.wait_for(headers_frame, 1));
  }
}

// A client that provokes an answer to everything and reads none, on four workers.
TEST(Http2Limits, who_makes_the_server_speak_and_does_not_listen_is_cut_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        rt::Event go_on;
        World world(
            [&](ServerExchange& exchange) -> Status {
              (void)go_on.wait();
              return exchange.answer(204);
            },
            {.http2 = {.limits = {.max_resets = 1'000'000'000}}});
        const auto stream = world.dial();
        // It never acknowledges our settings: streams beyond max_streams are refused one by one.
        ASSERT_TRUE(stream->write(hello()).is_ok());
        std::uint32_t id = 1;
        while (id < 2'000'000 && stream->write(head(id, get_fields())).is_ok()) id += 2;
        EXPECT_LT(id, 200'000U) << "what fits the buffers between us, and max_queued";
        go_on.set();
      },
      {.workers = 4});
}

}  // namespace
}  // namespace parley::http
