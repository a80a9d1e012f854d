#include "parley/peer/plugins/tee.h"

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"
#include "parley/rt/testing/sentences.h"

namespace parley {
namespace {

using testing::Pair;

// A server, and a shadow that gets the copies.
struct Shadowed {
  explicit Shadowed(TeeOptions options = {}, PeerOptions of_copies = {})
      : copies(std::move(of_copies)),
        shadow(*copies.dial(address->to_string())),
        service(serving(options)) {}

  PeerOptions serving(TeeOptions options) {
    if (!options.to) options.to = [this](const ServeStep&) { return shadow; };
    options.counts = counts;
    return {.plugins = {tee(std::move(options))}};
  }

  Peer recorder;
  Result<net::Address> address = recorder.listen("tcp://127.0.0.1:0");
  Peer copies;
  Session shadow;
  std::shared_ptr<TeeCounts> counts = std::make_shared<TeeCounts>();
  Pair service;
};

PARLEY_PEER_TEST(Tee, copies_of_what_is_served_go_to_another_session) {
  Shadowed all({.mark = {{"copy", "yes"}}});
  rt::Channel<std::string> seen(4);
  const auto record = [&](Context& context, const std::string& text) {
    EXPECT_TRUE(context.is_push());
    EXPECT_EQ(context.metadata().get("copy"), "yes");
    EXPECT_EQ(context.metadata().get("who"), "ann");
    EXPECT_TRUE(seen.send(std::string(context.method()) + " " + text).is_ok());
  };
  all.recorder.handle("/greet", record);
  all.service.server.handle("/greet", [](Context& context, const std::string& text) {
    EXPECT_FALSE(context.metadata().get("copy"));
    return "hello " + text;
  });
  const Session session = all.service.dial();
  const CallOptions options{.metadata = {{"who", "ann"}}};
  EXPECT_EQ(session.call<std::string>(options, "/greet", "ann").value(), "hello ann");
  EXPECT_EQ(seen.receive().value(), "/greet ann");
  EXPECT_TRUE(session.push(options, "/greet", "bob").is_ok());
  EXPECT_EQ(seen.receive().value(), "/greet bob");
  EXPECT_EQ(all.counts->sent, 2U);
}

PARLEY_PEER_TEST(Tee, only_what_it_is_asked_for_is_copied) {
  Shadowed* there = nullptr;
  Shadowed all({.to = [&](const ServeStep& step) -> std::optional<Session> {
    if (step.method() == "/odd") return there->shadow;
    if (step.method() == "/bad") throw std::runtime_error("oops");
    return std::nullopt;
  }});
  there = &all;
  for (const char* method : {"/odd", "/even", "/bad"}) all.service.server.handle(method, [] {});
  const Session session = all.service.dial();
  for (const char* method : {"/odd", "/even", "/bad"}) EXPECT_TRUE(session.call(method));
  EXPECT_EQ(all.counts->sent, 1U);
  EXPECT_EQ(all.counts->dropped, 1U);
}

PARLEY_PEER_TEST(Tee, nothing_fails_or_waits_when_the_copies_have_nowhere_to_go) {
  Shadowed all;
  all.service.server.handle("/x", [] { return 1; });
  const Session session = all.service.dial();
  all.shadow.close();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(session.call<int>("/x").value(), 1);
  EXPECT_EQ(all.counts->sent, 0U);
  EXPECT_EQ(all.counts->dropped, 5U);
}

PARLEY_PEER_TEST(Tee, a_shadow_that_takes_nothing_holds_up_nobody) {
  PeerOptions small{.max_outgoing_bytes = 1'000};
  Shadowed all({}, small);
  all.service.server.handle("/x", [](const std::string& text) { return text.size(); });
  const Session session = all.service.dial();
  const std::string text(60'000, 'x');
  // Faster than they can leave: some find no room.
  for (int i = 0; i < 20; ++i) EXPECT_EQ(session.call<int>("/x", text).value(), 60'000);
  EXPECT_EQ(all.counts->sent + all.counts->dropped, 20U);
}

PARLEY_PEER_TEST(Tee, peers_that_copy_to_each_other_in_a_circle_stop_at_max_hops) {
  for (const std::size_t max_hops : {0U, 1U, 8U}) {
    std::optional<Session> itself;
    const auto counts = std::make_shared<TeeCounts>();
    std::atomic<std::size_t> runs = 0;
    Pair pair({.plugins = {tee({.to = [&](const ServeStep&) { return itself; },
                                .max_hops = max_hops,
                                .counts = counts})}},
              {});
    pair.server.handle("/x", [&] { ++runs; });
    itself = *pair.server.dial(pair.address);
    EXPECT_TRUE(pair.dial().push("/x").is_ok());
    rt::testing::wait_until([&] { return counts->dropped == 1 && runs == max_hops + 1; });
    EXPECT_EQ(counts->sent, max_hops);
  }
}

}  // namespace
}  // namespace parley
