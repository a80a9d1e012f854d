// Answers that wait because the other side takes them slowly, or not at all: what they may hold.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/net/sim_network.h"
#include "parley/peer/peer.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/raw_framing.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using wire::Message;
using wire::MessageType;

constexpr std::size_t kib = 1024;
// In a frame; larger ones go in parts.
constexpr std::size_t body_bytes = 40 * kib;

void in_virtual_time(const std::function<void()>& body) {
  rt::testing::in_virtual_time(body, 10ms);
}

// What its answers were, by number.
struct Heard {
  int ok = 0;
  int not_run = 0;
  int dropped = 0;
  [[nodiscard]] int all() const { return ok + not_run + dropped; }
};

// A shop whose answers are as long as it is told, and who calls it by hand.
struct Shop {
  explicit Shop(PeerOptions options, bool is_raw = false) : server(at(std::move(options))) {
    server.handle("/much", [this](std::size_t bytes) {
      ++ran;
      return Bytes::from(std::string(bytes, 'x'));
    });
    server.handle("/wait", [this](std::size_t bytes) {
      ++ran;
      EXPECT_TRUE(release.wait().is_ok());
      return Bytes::from(std::string(bytes, 'x'));
    });
    EXPECT_TRUE(server.listen("tcp://0.0.0.0:80"));
    stream = world.node("till").dial(*net::Address::parse("tcp://shop:80")).value();
    if (is_raw) {
      encoder = std::make_unique<wire::RawEncoder>();
      decoder = std::make_unique<wire::RawDecoder>();
    } else {
      encoder = std::make_unique<wire::ParleyEncoder>();
      decoder = std::make_unique<wire::ParleyDecoder>();
    }
    encoder->start(said);
  }
  PeerOptions at(PeerOptions options) {
    options.network = &world.node("shop");
    options.log = [this](std::string_view line) { log.add(line); };
    return options;
  }

  void call(int times, std::string_view method, std::size_t bytes) {
    for (int i = 0; i < times; ++i) {
      EXPECT_TRUE(encoder
                      ->encode({.seq = ++calls,
                                .type = MessageType::call,
                                .method = method,
                                .body_codec = wire::BodyCodec::json,
                                .body = Bytes::from(std::to_string(bytes))},
                               said)
                      .is_ok());
    }
    EXPECT_TRUE(stream->write(said).is_ok());
    said.clear();
  }
  // All answers, so many bytes at a time.
  Heard hear(std::size_t bytes = 64 * kib, Duration pause = {}) {
    Heard heard;
    std::vector<char> room(bytes);
    while (heard.all() < calls) {
      Message message;
      const auto next = decoder->next(message);
      EXPECT_TRUE(next) << next.error();
      if (!next) break;
      if (*next) {
        if (message.type == MessageType::reply) count(message, heard);
        continue;
      }
      if (pause > Duration::zero()) EXPECT_TRUE(rt::sleep(pause).is_ok());
      const auto size = stream->read(room, rt::Deadline::after(60s));
      EXPECT_TRUE(size && *size > 0) << heard.all() << " answers; " << log.text();
      if (!size || *size == 0) break;
      decoder->feed(std::string_view(room.data(), *size));
    }
    return heard;
  }
  static void count(const Message& reply, Heard& heard) {
    const Status& status = reply.status;
    if (status.is_ok()) {
      EXPECT_GE(reply.body.size(), body_bytes);
      ++heard.ok;
      return;
    }
    EXPECT_EQ(status.code(), Code::resource_exhausted) << status;
    EXPECT_NE(status.message().find("max_handler_bytes"), std::string::npos) << status;
    if (status.message().find("the call was not run") != std::string::npos) {
      ++heard.not_run;
    } else {
      EXPECT_NE(status.message().find("the call was run, its answer of"), std::string::npos);
      ++heard.dropped;
    }
  }

  net::SimWorld world;
  testing::Log log;
  int ran = 0;
  rt::Event release;
  Peer server;
  std::unique_ptr<net::Stream> stream;
  std::unique_ptr<wire::Encoder> encoder;
  std::unique_ptr<wire::Decoder> decoder;
  std::string said;
  std::int32_t calls = 0;
};

// How many of 1,000 calls run while nothing is taken of their answers; later all are answered.
int ran_for_who_takes_nothing(std::size_t max_handler_bytes, std::size_t bytes, bool is_raw) {
  int ran = 0;
  in_virtual_time([&] {
    Shop shop(PeerOptions{.max_handler_bytes = max_handler_bytes, .max_outgoing_bytes = 256 * kib},
              is_raw);
    shop.call(1'000, "/much", bytes);
    EXPECT_TRUE(rt::sleep(10s).is_ok());
    ran = shop.ran;
    const Heard heard = shop.hear();
    EXPECT_EQ(heard.ok, ran) << "what ran is answered";
    EXPECT_EQ(heard.dropped, 0);
    EXPECT_EQ(heard.all(), 1'000);
    shop.calls = 0;
    shop.call(1, "/much", bytes);
    EXPECT_EQ(shop.hear().ok, 1) << "there is room again";
  });
  return ran;
}

TEST(WaitingAnswers, no_more_calls_are_run_while_those_that_wait_hold_max_handler_bytes) {
  // On their way lie twice max_outgoing_bytes, and what the network holds.
  const std::size_t before = 2 * (256 * kib + body_bytes) + 128 * kib;
  for (const bool is_raw : {false, true}) {
    const int ran = ran_for_who_takes_nothing(400 * kib, body_bytes, is_raw);
    EXPECT_LE(static_cast<std::size_t>(ran), (before + 400 * kib) / body_bytes + 1);
    EXPECT_GE(static_cast<std::size_t>(ran), 400 * kib / body_bytes);
    const int more = ran_for_who_takes_nothing(1'200 * kib, body_bytes, is_raw);
    EXPECT_LE(static_cast<std::size_t>(more), (before + 1'200 * kib) / body_bytes + 1);
    EXPECT_GE(more, ran + 15);
  }
}

TEST(WaitingAnswers, those_that_wait_to_go_in_parts_count_as_well) {
  const std::size_t bytes = 200 * kib;
  const int ran = ran_for_who_takes_nothing(1'000 * kib, bytes, false);
  EXPECT_LE(static_cast<std::size_t>(ran), (4 * 256 * kib + 1'000 * kib) / bytes + 3);
  EXPECT_GE(ran, 5);
}

TEST(WaitingAnswers, of_handlers_that_ran_by_then_answers_beyond_twice_as_much_are_dropped) {
  in_virtual_time([] {
    Shop shop(PeerOptions{.max_handler_bytes = 400 * kib, .max_outgoing_bytes = 100 * kib});
    shop.call(100, "/wait", body_bytes);
    while (shop.ran < 100) rt::yield();
    shop.release.set();
    EXPECT_TRUE(rt::sleep(10s).is_ok());
    const Heard heard = shop.hear();
    EXPECT_EQ(heard.all(), 100);
    EXPECT_EQ(heard.not_run, 0);
    EXPECT_LE(static_cast<std::size_t>(heard.ok) * body_bytes,
              2 * 400 * kib + 2 * (100 * kib + body_bytes) + 128 * kib);
    EXPECT_GE(static_cast<std::size_t>(heard.ok) * body_bytes, 2 * 400 * kib - body_bytes);
  });
}

TEST(WaitingAnswers, one_alone_may_wait_however_large_it_is) {
  in_virtual_time([] {
    Shop shop(PeerOptions{.max_handler_bytes = kib, .max_outgoing_bytes = 100 * kib});
    shop.call(1, "/much", 1'000 * kib);
    EXPECT_EQ(shop.hear(16 * kib, 50ms).ok, 1);
  });
}

TEST(WaitingAnswers, who_reads_slowly_gets_all_its_answers) {
  for (const std::size_t bytes : {body_bytes, 200 * kib}) {
    in_virtual_time([&] {
      Shop shop(PeerOptions{.max_outgoing_bytes = 100 * kib});
      shop.call(100, "/much", bytes);
      EXPECT_EQ(shop.hear(64 * kib, 100ms).ok, 100);
    });
  }
}

PeerOptions narrow() { return {.max_handler_bytes = 300 * kib, .max_outgoing_bytes = 100 * kib}; }

// Each reads what the other asks however many of its own answers wait.
void answer_each_other(Peer& server, Peer& client, const std::string& address) {
  for (Peer* const each : {&server, &client}) {
    each->handle("/much", [](std::size_t bytes) { return Bytes::from(std::string(bytes, 'x')); });
  }
  const Session there = client.dial(address).value();
  ASSERT_TRUE(there.call<Bytes>("/much", 1));
  const Session back = server.sessions().front();
  std::atomic<int> ok = 0;
  std::atomic<int> refused = 0;
  rt::Scope scope;
  for (const Session* const session : {&there, &back}) {
    for (int i = 0; i < 60; ++i) {
      scope.go("call", [&, session] {
        const auto answer = session->call<Bytes>("/much", body_bytes);
        if (!answer) EXPECT_EQ(answer.error().code(), Code::resource_exhausted);
        ++(answer ? ok : refused);
      });
    }
  }
  scope.join();
  EXPECT_EQ(ok + refused, 120);
  EXPECT_GE(ok, 20);
}

TEST(WaitingAnswers, two_that_answer_each_other_do_not_wait_for_each_other) {
  in_virtual_time([] {
    net::SimWorld world({.link = {.bytes_per_second = 4'000 * kib, .max_packet = 65'536}});
    const auto on = [&](std::string_view node) {
      PeerOptions options = narrow();
      options.network = &world.node(node);
      return options;
    };
    Peer server(on("shop"));
    Peer client(on("till"));
    ASSERT_TRUE(server.listen("tcp://0.0.0.0:80"));
    answer_each_other(server, client, "tcp://shop:80");
  });
}

PARLEY_PEER_TEST(WaitingAnswers, two_that_answer_each_other_over_loopback) {
  testing::Pair pair(narrow());
  answer_each_other(pair.server, pair.client, pair.address);
}

}  // namespace
}  // namespace parley
