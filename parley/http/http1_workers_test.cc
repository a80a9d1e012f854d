// HTTP/1 on four workers, server and the client's pool: many at once, each gets what is his.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/client.h"
#include "parley/http/server.h"
#include "parley/net/in_process_network.h"
#include "parley/rt/channel.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

// A server on sockets, or within the process.
class World {
 public:
  World(bool is_in_process, Handler handler, ServerOptions options = {})
      : listener_(std::move(*network.listen(
            *net::Address::parse(is_in_process ? "inproc:shop" : "tcp://127.0.0.1:0")))),
        server(*listener_, std::move(handler), std::move(options)) {
    scope_.go("server", [this] { EXPECT_TRUE(server.serve().is_ok()); });
  }
  std::unique_ptr<net::Stream> dial() { return std::move(*network.dial(listener_->address())); }
  [[nodiscard]] const net::Address& address() const { return listener_->address(); }
  void finish() {
    EXPECT_TRUE(server.shutdown().is_ok());
    scope_.join();
  }

  net::InProcessNetwork network;

 private:
  const std::unique_ptr<net::Listener> listener_;

 public:
  Server server;

 private:
  rt::Scope scope_{rt::OnExit::cancel};
};

// Both kinds of connections, on four workers.
void on_four_workers(const std::function<void(bool is_in_process)>& body) {
  for (const bool is_in_process : {true, false}) {
    rt::testing::run_fiber_test([&] { body(is_in_process); }, {.workers = 4});
  }
}

std::string read_until(net::Stream& stream, std::string_view end, std::string seen = {}) {
  std::array<char, 4096> buffer{};
  while (!seen.ends_with(end)) {
    const auto size = stream.read(buffer);
    if (!size || *size == 0) return seen + "(end)";
    seen.append(buffer.data(), *size);
  }
  return seen;
}

std::size_t count(std::string_view all, std::string_view part) {
  std::size_t times = 0;
  for (std::size_t at = 0; (at = all.find(part, at)) != all.npos; at += part.size()) ++times;
  return times;
}

std::string get_of(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

// Some wait, some do not.
Status answer_target(ServerExchange& exchange) {
  const std::string target = exchange.request().target;
  if (target.ends_with('3')) rt::yield();
  if (target.ends_with('7')) (void)rt::sleep(std::chrono::microseconds(200));
  return exchange.answer(200, "<" + target + ">");
}

TEST(Http1OnFourWorkers, kept_connections_get_their_own_answers) {
  on_four_workers([](bool is_in_process) {
    World world(is_in_process, answer_target);
    rt::Scope scope;
    for (int client = 0; client < 16; ++client) {
      scope.go("client", [&world, client] {
        const auto stream = world.dial();
        for (int i = 0; i < 40; ++i) {
          const std::string target = "/" + std::to_string(client) + "/" + std::to_string(i);
          ASSERT_TRUE(stream->write(get_of(target)).is_ok());
          const std::string said = read_until(*stream, ">");
          ASSERT_TRUE(said.ends_with("\r\n\r\n<" + target + ">")) << said;
          ASSERT_EQ(count(said, "HTTP/1.1 200"), 1U) << said;
        }
      });
    }
    scope.join();
    EXPECT_EQ(world.server.counts().requests, 16U * 40);
    world.finish();
  });
}

TEST(Http1OnFourWorkers, pipelined_answers_come_in_order_whoever_waits) {
  on_four_workers([](bool is_in_process) {
    World world(is_in_process, answer_target);
    rt::Scope scope;
    for (int client = 0; client < 24; ++client) {
      scope.go("client", [&world, client] {
        // Who has waited once is flushed before: so each batch has a connection of its own.
        for (int batch = 0; batch < 8; ++batch) {
          const auto stream = world.dial();
          std::string requests;
          std::string expected;
          for (int i = 0; i < 10; ++i) {
            const std::string target =
                "/" + std::to_string(batch) + "/" + std::to_string(i + client % 10);
            requests += get_of(target);
            expected += "<" + target + ">";
          }
          ASSERT_TRUE(stream->write(requests + get_of("/end")).is_ok());
          const std::string said = read_until(*stream, "</end>");
          std::string bodies;
          for (std::size_t at = 0; (at = said.find('<', at)) != said.npos; ++at) {
            bodies += said.substr(at, said.find('>', at) + 1 - at);
          }
          ASSERT_EQ(bodies, expected + "</end>");
          ASSERT_EQ(count(said, "HTTP/1.1 200"), 11U);
        }
      });
    }
    scope.join();
    world.finish();
  });
}

// One fiber reads the body and another one writes the answer.
Status stream_back(ServerExchange& exchange) {
  rt::Channel<std::string> pieces(4);
  Status read;
  rt::Scope scope;
  scope.go("reads", [&] {
    for (;;) {
      const auto piece = exchange.read();
      if (!piece) read = piece.error();
      if (!piece || piece->empty()) break;
      if (!pieces.send(std::string(*piece)).is_ok()) break;
    }
    pieces.close();
  });
  Status status = exchange.begin(BodySize::unknown());
  while (status.is_ok()) {
    auto piece = pieces.receive();
    if (!piece) break;
    status = exchange.write(*piece);
    if (status.is_ok()) status = exchange.flush();
  }
  scope.join();
  return status.is_ok() ? read : status;
}

void stream_to_and_fro(Client& client, int seed) {
  ClientRequest request{.method = Method::post, .url = "http://shop/"};
  const auto exchange = client.begin(request, BodySize::unknown());
  ASSERT_TRUE(exchange) << exchange.error();
  std::string sent;
  for (int i = 0; i < 30; ++i) {
    sent += std::string(static_cast<std::size_t>(1 + (i * 977 + seed * 131) % 5000),
                        static_cast<char>('a' + i % 26));
  }
  rt::Scope scope;
  scope.go("writes", [&] {
    for (std::size_t at = 0; at < sent.size(); at += 3000) {
      const std::string_view piece = std::string_view(sent).substr(at, 3000);
      ASSERT_TRUE((*exchange)->write(piece).is_ok());
      ASSERT_TRUE((*exchange)->flush().is_ok());
    }
    ASSERT_TRUE((*exchange)->end().is_ok());
  });
  const auto body = (*exchange)->read_all();
  scope.join();
  ASSERT_TRUE(body) << body.error();
  ASSERT_EQ(body->size(), sent.size());
  ASSERT_TRUE(*body == sent);
}

TEST(Http1OnFourWorkers, bodies_stream_both_ways_by_two_fibers_on_each_side) {
  on_four_workers([](bool is_in_process) {
    World world(is_in_process, stream_back);
    {
      Client client(world.network, {.address_of = [&](const Url&) {
                      return Result<net::Address>(world.address());
                    }});
      rt::Scope scope;
      for (int i = 0; i < 8; ++i) {
        scope.go("client", [&client, i] {
          for (int round = 0; round < 5; ++round) stream_to_and_fro(client, i * 10 + round);
        });
      }
      scope.join();
      EXPECT_LE(client.counts().dialled, 8U) << "its connections go on";
    }
    world.finish();
  });
}

// Asks on and on until the server is closed; an answer is whole or not there.
void post_until_closed(Client& client, std::atomic<int>& answers) {
  const std::string body(30'000, 'x');
  for (;;) {
    const auto answer = client.post("http://shop/", body, "text/plain");
    if (!answer) {
      EXPECT_NE(answer.error().code(), Code::data_loss) << answer.error();
      return;
    }
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body.size(), body.size());
    ++answers;
  }
}

TEST(Http1OnFourWorkers, a_shutdown_among_bodies_cuts_no_answer) {
  on_four_workers([](bool is_in_process) {
    World world(is_in_process, [](ServerExchange& exchange) {
      const auto body = exchange.read_all();
      return body ? exchange.answer(200, *body) : body.error();
    });
    Client client(world.network,
                  {.address_of = [&](const Url&) { return Result<net::Address>(world.address()); },
                   .max_tries = 1});
    std::atomic<int> answers = 0;
    rt::Scope scope;
    for (int i = 0; i < 8; ++i) scope.go("client", [&] { post_until_closed(client, answers); });
    while (answers < 50) rt::yield();
    world.finish();
    scope.join();
    EXPECT_GE(answers, 50);
  });
}

// Through few connections, which the server ends now and then; some give up at once.
void ask_much(Client& client, int fiber, std::atomic<int>& given_up) {
  for (int i = 0; i < 30; ++i) {
    const std::string target = "/" + std::to_string(fiber) + "/" + std::to_string(i);
    const bool is_hasty = (fiber + i) % 7 == 0;
    const rt::Deadline deadline =
        is_hasty ? rt::Deadline::after(std::chrono::microseconds(300)) : rt::Deadline();
    const auto answer = client.get("http://shop" + target, deadline);
    if (is_hasty && !answer) {
      ++given_up;
      continue;
    }
    ASSERT_TRUE(answer) << answer.error();
    ASSERT_EQ(answer->body, "<" + target + ">");
  }
}

TEST(Http1OnFourWorkers, a_pool_of_few_connections_gives_everybody_his_own_answer) {
  on_four_workers([](bool is_in_process) {
    World world(is_in_process, answer_target, {.max_requests = 9});
    {
      Client client(
          world.network,
          {.address_of = [&](const Url&) { return Result<net::Address>(world.address()); },
           .max_connections_per_origin = 4});
      std::atomic<int> given_up = 0;
      rt::Scope scope;
      for (int fiber = 0; fiber < 24; ++fiber) {
        scope.go("client", [&, fiber] { ask_much(client, fiber, given_up); });
      }
      scope.join();
      const ClientCounts counts = client.counts();
      EXPECT_EQ(counts.waiting, 0U);
      EXPECT_LE(counts.connections, 4U);
      EXPECT_EQ(counts.idle, counts.connections);
      EXPECT_GT(counts.dialled, 4U);
    }
    world.finish();
  });
}

}  // namespace
}  // namespace parley::http
