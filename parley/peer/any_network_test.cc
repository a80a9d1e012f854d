// What a session does whatever carries it: the same bodies over the kernel's sockets, over streams
// in memory and within the process.

#include <memory>
#include <string>
#include <utility>

#include "parley/net/in_process_network.h"
#include "parley/net/testing/memory_stream.h"
#include "parley/peer/batch.h"
#include "parley/peer/peer.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"

namespace parley {
namespace {

using namespace std::chrono_literals;

enum class Carrier : std::uint8_t { tcp, memory, inproc };

struct Tested {
  const char* name;
  Carrier carrier;
  std::size_t workers = 1;
};

const Tested all_tested[] = {{"tcp", Carrier::tcp, 4},
                             {"memory", Carrier::memory},
                             {"memory_on_four_workers", Carrier::memory, 4},
                             {"inproc", Carrier::inproc},
                             {"inproc_on_four_workers", Carrier::inproc, 4}};

// Two peers and what joins them.
struct Two {
  explicit Two(Carrier carrier)
      : carrier_(carrier), server({.network = &network}), client({.network = &network}) {}

  Session connect() {
    if (carrier_ == Carrier::memory) {
      auto [mine, theirs] = net::testing::memory_streams();
      EXPECT_TRUE(server.serve(std::move(theirs)));
      return client.serve(std::move(mine), Side::dialled).value();
    }
    const bool is_tcp = carrier_ == Carrier::tcp;
    const auto address = server.listen(is_tcp ? "tcp://127.0.0.1:0" : "inproc:server");
    return client.dial(address.value().to_string()).value();
  }

  // Before what handlers refer to goes.
  void close() {
    client.close();
    server.close();
  }

 private:
  const Carrier carrier_;
  net::InProcessNetwork network;

 public:
  Peer server;
  Peer client;
};

class AnyNetwork : public ::testing::TestWithParam<Tested> {
 protected:
  static void with_two(void (*body)(Two& two)) {
    rt::testing::run_fiber_test(
        [body] {
          Two two(GetParam().carrier);
          body(two);
        },
        {.workers = GetParam().workers});
  }
};

INSTANTIATE_TEST_SUITE_P(Over, AnyNetwork, ::testing::ValuesIn(all_tested),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(AnyNetwork, calls_go_both_ways_and_one_within_the_other) {
  with_two([](Two& two) {
    two.client.handle("/really", [](int price) { return price < 100; });
    two.server.handle(
        "/order", [](Context& context, const std::string& sku, int price) -> Result<std::string> {
          const auto really = context.session().call<bool>("/really", price);
          if (!really) return really.error();
          return sku + (*really ? " on its way" : " stays");
        });
    const Session session = two.connect();
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(session.call<std::string>("/order", std::string("tea"), 50).value(),
                "tea on its way");
      EXPECT_EQ(session.call<std::string>("/order", "tea", 500).value(), "tea stays");
    }
    EXPECT_EQ(session.call<int>("/ordr").error().message(),
              "no method \"/ordr\" here; did you mean \"/order\"?");
  });
}

TEST_P(AnyNetwork, calls_without_waiting_and_batches_are_answered) {
  with_two([](Two& two) {
    two.server.handle("/twice", [](int number) { return 2 * number; });
    const Session session = two.connect();
    auto one = session.call_async<int>("/twice", 1);
    Batch<int> batch(session);
    for (int i = 0; i < 10; ++i) batch.add("/twice", i);
    const auto all = batch.call();
    for (int i = 0; i < 10; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].value(), 2 * i);
    EXPECT_EQ(one.get().value(), 2);
  });
}

TEST_P(AnyNetwork, pushes_come_in_their_order) {
  with_two([](Two& two) {
    rt::Channel<int> heard(100);
    two.client.handle("/news", [&](int number) { (void)heard.send(number); });
    two.server.handle("/enter", [] {});
    const Session session = two.connect();
    EXPECT_TRUE(session.call("/enter"));
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(two.server.push_all({}, "/news", i).value().sent, 1u);
      EXPECT_EQ(heard.receive().value(), i);
    }
    two.close();
  });
}

TEST_P(AnyNetwork, streams_carry_both_ways_and_end) {
  with_two([](Two& two) {
    two.server.handle_stream("/twice", [](Stream<int, int>& stream) -> Status {
      for (;;) {
        const auto number = stream.receive();
        if (!number) return number.error();
        if (!*number) return {};
        if (Status s = stream.send(2 * **number); !s.is_ok()) return s;
      }
    });
    const Session session = two.connect();
    auto stream = session.open<int, int>("/twice").value();
    for (int i = 0; i < 1000; ++i) {
      EXPECT_TRUE(stream.send(i).is_ok());
      EXPECT_EQ(stream.receive().value().value(), 2 * i);
    }
    EXPECT_TRUE(stream.finish().is_ok());
    EXPECT_FALSE(stream.receive().value().has_value());
  });
}

TEST_P(AnyNetwork, a_deadline_and_who_gives_up_end_the_handler_too) {
  with_two([](Two& two) {
    rt::Channel<Code> ended(10);
    rt::Event begun;
    two.server.handle("/wait", [&](bool waits) {
      if (!waits) return;
      begun.set();
      (void)ended.send(rt::Event().wait().code());
    });
    const Session session = two.connect();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(session.call("/wait", false));
    EXPECT_EQ(session.call({.timeout = 300ms}, "/wait", true).error().code(),
              Code::deadline_exceeded);
    begun.reset();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(session.call("/wait", false));
    rt::Scope scope;
    scope.go("caller",
             [&] { EXPECT_EQ(session.call("/wait", true).error().code(), Code::cancelled); });
    EXPECT_TRUE(begun.wait().is_ok());
    scope.cancel();
    scope.join();
    // Of the handler's own deadline and the caller's word that it gave up either may come first.
    const Code late = ended.receive().value();
    EXPECT_TRUE(late == Code::deadline_exceeded || late == Code::cancelled) << late;
    EXPECT_EQ(ended.receive().value(), Code::cancelled);
    two.close();
  });
}

TEST_P(AnyNetwork, closing_lets_a_call_under_way_end) {
  with_two([](Two& two) {
    rt::Event begun, enough;
    two.server.handle("/work", [&](bool waits) {
      begun.set();
      return waits ? enough.wait() : Status();
    });
    const Session session = two.connect();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(session.call("/work", false));
    begun.reset();
    rt::Scope scope;
    scope.go("caller", [&] { EXPECT_TRUE(session.call("/work", true)); });
    EXPECT_TRUE(begun.wait().is_ok());
    scope.go("close", [&] { session.close(); });
    while (session.is_open()) rt::yield();
    EXPECT_EQ(session.call("/work", false).error().code(), Code::not_sent);
    enough.set();
    scope.join();
    EXPECT_EQ(session.wait_closed().code(), Code::cancelled);
    two.close();
  });
}

}  // namespace
}  // namespace parley
