// A thousand streams whose caller gives up: what they held is given back.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <string>

#include "parley/peer/shutdown.h"
#include "parley/peer/stream.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::Pair;
using Texts = Stream<std::string, std::string>;

constexpr std::size_t credit = std::size_t{1} << 20U;
// Of a message, beside its body.
constexpr std::size_t overhead = 16;

// Those of a server that read nothing, each until its context ends.
struct Holding {
  std::atomic<int> inside = 0;
  std::atomic<int> cancelled = 0;

  void handle_in(Peer& peer) {
    peer.handle_stream("/hold", [this](Texts& /*texts*/) {
      ++inside;
      const Status why = rt::Context::current().wait_done();
      if (why.code() == Code::cancelled) ++cancelled;
      --inside;
      return why;
    });
  }
};

Texts open(const Session& session) {
  for (;;) {
    auto stream = session.open<std::string, std::string>("/hold");
    if (stream) return *std::move(stream);
    // The last ends are on their way.
    EXPECT_EQ(stream.error().code(), Code::resource_exhausted);
    rt::yield();
  }
}

// They have half of the session's credit together, in messages that nobody reads; then their caller
// gives up.
void hold_and_give_up(const Session& session, Holding& holding) {
  constexpr int many = 1'000;
  const int before = holding.cancelled;
  {
    auto [context, cancel] = rt::Context::current().with_cancel();
    const rt::WithContext bound(context);
    std::atomic<int> sent = 0;
    rt::Scope callers;
    for (int i = 0; i < many; ++i) {
      callers.go("caller", [&] {
        Texts stream = open(session);
        EXPECT_TRUE(stream.send(std::string(500, 'x'), rt::Deadline::after(60s)).is_ok());
        ++sent;
        EXPECT_EQ(stream.receive().error().code(), Code::cancelled);
      });
    }
    while (holding.inside < many || sent < many) rt::yield();
    cancel(Status(Code::cancelled, "not wanted any more"));
    callers.join();
  }
  while (holding.inside > 0) rt::yield();
  EXPECT_EQ(holding.cancelled - before, many);
}

// The other side keeps less than half of it until there is more to give back.
void expect_credit(const Session& session, const Holding& holding) {
  constexpr std::size_t pieces = 16;
  const std::string piece(credit / pieces - overhead - 2, 'x');  // with its quotes
  const int before = holding.cancelled;
  {
    Texts stream = open(session);
    for (std::size_t i = 0; i < pieces / 2; ++i) {
      EXPECT_TRUE(stream.send(piece, rt::Deadline::after(5s)).is_ok());
    }
    while (holding.inside == 0) rt::yield();
  }
  while (holding.cancelled == before) rt::yield();
}

// What a session holds it has accounts of: handlers and their bytes, streams, credit.
PARLEY_PEER_TEST(StreamsGivenUp, a_thousand_contexts_end_and_nothing_of_theirs_is_held) {
  Holding holding;
  Pair pair({.max_handlers = 1'001, .stream_credit = credit, .session_credit = credit});
  holding.handle_in(pair.server);
  const Session session = pair.dial();
  // Each takes the credit twice by halves: what one kept, the next would wait for.
  for (int round = 0; round < 3; ++round) {
    hold_and_give_up(session, holding);
    expect_credit(session, holding);
  }
  const ShutdownReport theirs = pair.server.shutdown({.limit = 1h});
  EXPECT_EQ(theirs.cut, WorkCount()) << theirs.to_string();
}

}  // namespace
}  // namespace parley
