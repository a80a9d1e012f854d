#include "parley/peer/session.h"

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "parley/net/network.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"

namespace parley {
namespace {

using testing::Pair;
using namespace std::chrono_literals;

PARLEY_PEER_TEST(Session, both_ends_call_over_the_same_connection) {
  Pair pair;
  pair.client.handle("/client/confirm", [](const std::string& sku) { return sku == "tea"; });
  pair.server.handle("/order", [](Context& context, const std::string& sku) -> Result<std::string> {
    const auto confirmed = context.session().call<bool>("/client/confirm", sku);
    if (!confirmed) return confirmed.error();
    return std::string(*confirmed ? "placed" : "refused");
  });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<std::string>("/order", "tea").value(), "placed");
  EXPECT_EQ(session.call<std::string>("/order", "sand").value(), "refused");
}

PARLEY_PEER_TEST(Session, both_ends_push_over_the_same_connection) {
  Pair pair;
  rt::Channel<std::string> news(4);
  pair.client.handle("/news", [&](Context& context, const std::string& text) {
    EXPECT_TRUE(context.is_push());
    EXPECT_TRUE(news.send(text).is_ok());
  });
  pair.server.handle("/subscribe", [](Context& context, int n) {
    for (int i = 0; i < n; ++i) {
      EXPECT_TRUE(context.session().push("/news", "item " + std::to_string(i)).is_ok());
    }
  });
  const Session session = pair.dial();
  EXPECT_TRUE(session.push("/subscribe", 3).is_ok());
  // Each runs in a fiber of its own: they may overtake each other.
  std::set<std::string> received;
  for (int i = 0; i < 3; ++i) received.insert(news.receive().value());
  EXPECT_EQ(received, (std::set<std::string>{"item 0", "item 1", "item 2"}));
}

PARLEY_PEER_TEST(Session, answers_find_their_calls_whatever_their_order) {
  Pair pair;
  pair.server.handle("/later", [](int n) {
    for (int i = 0; i < 20 - n; ++i) rt::yield();
    return n;
  });
  const Session session = pair.dial();
  rt::Scope scope;
  for (int i = 0; i < 20; ++i) {
    scope.go("caller", [&, i] { EXPECT_EQ(session.call<int>("/later", i).value(), i); });
  }
}

PARLEY_PEER_TEST(Session, a_large_body_passes_both_ways) {
  Pair pair;
  pair.server.handle("/echo", [](std::string text) { return text; });
  const std::string large(5 << 20, 'x');
  EXPECT_TRUE(pair.dial().call<std::string>("/echo", large).value() == large);
}

PARLEY_PEER_TEST(Session, bytes_are_a_body_as_it_came_and_go_back_in_its_codec) {
  Pair pair;
  pair.server.handle("/middle", [](Context& context, Bytes body) -> Result<Bytes> {
    if (body.empty()) return Status(Code::invalid_argument, "nothing to cut");
    context.reply_metadata().set("size", std::to_string(body.size()));
    return body.slice(1, body.size() - 2);
  });
  pair.server.handle("/same", [](Bytes body) { return body; });
  const Session session = pair.dial();
  for (const std::size_t size : {2, 3, 20'000, 300'000}) {
    std::string text(size, 'x');
    text.front() = '\xff';
    text.back() = '\0';
    const auto call = [&](std::string_view method) {
      return session.call_raw({}, method, wire::BodyCodec::protobuf, Bytes::copy_of(text)).value();
    };
    EXPECT_TRUE(call("/middle") == std::string_view(text).substr(1, size - 2)) << size;
    EXPECT_TRUE(call("/same") == text) << size;
  }
  EXPECT_EQ(session.call_raw({}, "/middle", wire::BodyCodec::none, {}).error().message(),
            "nothing to cut");
}

PARLEY_PEER_TEST(Session, the_deadline_of_a_call_is_kept_by_the_caller) {
  Pair pair(PeerOptions{}, PeerOptions{.call_timeout = 20ms});
  rt::Event release;
  pair.server.handle("/slow", [&] { (void)release.wait(); });
  const Session session = pair.dial();
  const Status by_default = session.call("/slow").error();
  EXPECT_EQ(by_default.code(), Code::deadline_exceeded);
  EXPECT_NE(by_default.message().find("no answer to /slow from tcp://127.0.0.1:"),
            std::string::npos);
  EXPECT_NE(by_default.message().find("within 20 ms"), std::string::npos);
  const Status by_option = session.call({.timeout = 40ms}, "/slow").error();
  EXPECT_NE(by_option.message().find("within 40 ms"), std::string::npos);
  release.set();
  // The late answers are dropped, and the session is as good as before.
  EXPECT_TRUE(session.call({.timeout = 10s}, "/slow"));
}

PARLEY_PEER_TEST(Session, a_call_nobody_would_wait_for_is_not_sent) {
  Pair pair;
  std::atomic<int> ran = 0;
  pair.server.handle("/count", [&] { return ++ran; });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>(CallOptions{.timeout = 0ms}, "/count").error().code(),
            Code::not_sent);
  {
    const auto [context, cancel] = rt::Context::current().with_cancel();
    const rt::WithContext bound(context);
    cancel();
    EXPECT_EQ(session.call<int>("/count").error().code(), Code::cancelled);
  }
  EXPECT_EQ(session.call<int>("/count").value(), 1);
}

PARLEY_PEER_TEST(Session, the_callers_context_ends_a_call) {
  Pair pair;
  rt::Event started;
  rt::Event release;
  pair.server.handle("/slow", [&] {
    started.set();
    (void)release.wait();
  });
  const Session session = pair.dial();
  rt::Scope scope;
  scope.go("caller", [&] {
    EXPECT_EQ(session.call("/slow").error().code(), Code::aborted);
    release.set();
  });
  EXPECT_TRUE(started.wait().is_ok());
  scope.cancel(Status(Code::aborted, "changed my mind"));
}

PARLEY_PEER_TEST(Session, max_handlers_refuses_calls_and_drops_pushes_beyond) {
  Pair pair(PeerOptions{.max_handlers = 2}, PeerOptions{});
  rt::WaitGroup running;
  running.add(2);
  rt::Event release;
  pair.server.handle("/wait", [&] {
    running.done();
    (void)release.wait();
  });
  const Session session = pair.dial();
  rt::Scope scope;
  for (int i = 0; i < 2; ++i) scope.go("caller", [&] { EXPECT_TRUE(session.call("/wait")); });
  EXPECT_TRUE(running.wait().is_ok());
  EXPECT_TRUE(session.push("/wait").is_ok());
  const Status refused = session.call("/wait").error();
  EXPECT_EQ(refused.code(), Code::resource_exhausted);
  EXPECT_NE(refused.message().find("max_handlers"), std::string::npos);
  EXPECT_TRUE(pair.server_log.has("PUSH /wait dropped: resource_exhausted"));
  release.set();
}

PARLEY_PEER_TEST(Session, max_fibers_bounds_the_handlers_of_a_peer_that_wait) {
  for (const bool is_bounded : {true, false}) {
    PeerOptions options;
    if (is_bounded) options.max_fibers = 6;
    rt::Event release;
    std::atomic<int> refused = 0;
    std::atomic<int> ran = 0;
    Pair pair(options, PeerOptions{});
    pair.server.handle("/wait", [&] {
      (void)release.wait();
      ++ran;
    });
    const Session session = pair.dial();
    rt::Scope scope;
    for (int i = 0; i < 20; ++i) {
      scope.go("caller", [&] {
        const Status status = session.call("/wait").error();
        if (status.is_ok()) return;
        EXPECT_EQ(status.code(), Code::resource_exhausted) << status;
        EXPECT_NE(status.message().find("max_fibers"), std::string::npos) << status;
        // All others wait until this one was refused.
        ++refused;
        release.set();
      });
    }
    if (!is_bounded) release.set();
    scope.join();
    EXPECT_EQ(refused > 0, is_bounded);
    EXPECT_EQ(ran + refused, 20);
    EXPECT_TRUE(session.call("/wait"));
  }
}

PARLEY_PEER_TEST(Session, max_calls_bounds_what_waits_for_answers) {
  Pair pair(PeerOptions{}, PeerOptions{.max_calls = 1});
  rt::Event started;
  rt::Event release;
  pair.server.handle("/wait", [&] {
    started.set();
    (void)release.wait();
  });
  const Session session = pair.dial();
  rt::Scope scope;
  scope.go("caller", [&] { EXPECT_TRUE(session.call("/wait")); });
  EXPECT_TRUE(started.wait().is_ok());
  EXPECT_EQ(session.call("/wait").error().code(), Code::resource_exhausted);
  release.set();
  scope.join();
  EXPECT_TRUE(session.call("/wait"));
}

PARLEY_PEER_TEST(Session, max_frame_bytes_bounds_calls_and_answers) {
  Pair pair(PeerOptions{.max_frame_bytes = 100'000});
  pair.server.handle("/fill", [](std::size_t size) { return std::string(size, 'x'); });
  pair.server.handle("/take", [](const std::string& text) { return text.size(); });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<std::size_t>("/take", std::string(90'000, 'x')).value(), 90'000u);
  EXPECT_EQ(session.call<std::size_t>("/take", std::string(100'000, 'x')).error().code(),
            Code::resource_exhausted);
  const Status answer = session.call<std::string>("/fill", 100'000).error();
  EXPECT_EQ(answer.code(), Code::resource_exhausted);
  EXPECT_EQ(answer.message().substr(0, 26), "the answer cannot be sent:");
  EXPECT_TRUE(session.is_open());
}

PARLEY_PEER_TEST(Session, a_failed_push_is_logged_on_the_side_that_ran_it) {
  Pair pair;
  rt::Event ran;
  pair.server.handle("/fail", [&]() -> Status {
    ran.set();
    return Status::business(1001, "out of tea");
  });
  const Session session = pair.dial();
  EXPECT_TRUE(session.push("/fail").is_ok());
  EXPECT_TRUE(ran.wait().is_ok());
  pair.server_log.wait_for("PUSH /fail failed: failed_precondition/1001: out of tea");
}

PARLEY_PEER_TEST(Session, close_waits_for_answers_and_sends_what_is_queued) {
  Pair pair;
  rt::Event started;
  rt::Event release;
  std::atomic<int> pushed = 0;
  pair.server.handle("/slow", [&] {
    started.set();
    (void)release.wait();
    return 7;
  });
  pair.server.handle("/count", [&] { ++pushed; });
  const Session session = pair.dial();
  rt::Scope scope;
  scope.go("caller", [&] { EXPECT_EQ(session.call<int>("/slow").value(), 7); });
  EXPECT_TRUE(started.wait().is_ok());
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(session.push("/count").is_ok());
  scope.go("closer", [&] { session.close(); });
  while (session.is_open()) rt::yield();
  EXPECT_EQ(session.call("/slow").error().code(), Code::not_sent);
  EXPECT_EQ(session.push("/count").code(), Code::not_sent);
  release.set();
  scope.join();
  EXPECT_EQ(pushed, 100);
  EXPECT_EQ(session.wait_closed().code(), Code::cancelled);
}

PARLEY_PEER_TEST(Session, a_handler_can_close_its_own_session_at_once) {
  Pair pair(PeerOptions{.drain_timeout = 1h, .close_timeout = 1h});
  pair.server.handle("/kick_me", [](Context& context) { context.session().close(); });
  const Session session = pair.dial();
  EXPECT_EQ(session.call("/kick_me").error().code(), Code::outcome_unknown);
  EXPECT_EQ(session.wait_closed().code(), Code::unavailable);
}

PARLEY_PEER_TEST(Session, what_the_other_side_named_cannot_forge_lines_in_the_log) {
  Pair pair;
  const Session session = pair.dial();
  EXPECT_TRUE(session.push("/x\nroot: all is well\x1b[2J").is_ok());
  session.close();
  EXPECT_TRUE(pair.server_log.has("PUSH /x?root: all is well?[2J failed: not_found"));
}

PARLEY_PEER_TEST(Session, what_a_handler_could_not_send_is_not_said_of_the_call_itself) {
  Pair pair;
  pair.server.handle("/relay", [](bool sent) {
    return Status(sent ? Code::outcome_unknown : Code::not_sent, "no answer from the bank");
  });
  const Session session = pair.dial();
  EXPECT_EQ(session.call("/relay", false).error(),
            Status(Code::unavailable, "no answer from the bank"));
  EXPECT_EQ(session.call("/relay", true).error(), Status(Code::unknown, "no answer from the bank"));
}

PARLEY_PEER_TEST(Session, a_peer_ends_in_order_even_under_a_cancelled_context) {
  Pair pair;
  rt::Event started;
  pair.server.handle("/slow", [&] {
    started.set();
    for (int i = 0; i < 50; ++i) rt::yield();  // long after the owner's context was cancelled
    return 7;
  });
  rt::Scope scope(rt::OnExit::cancel);
  scope.go("owner", [&] {
    Peer peer;
    const auto session = peer.dial(pair.address);
    rt::Scope calls(rt::Context::background());
    calls.go("caller", [&] { EXPECT_EQ(session->call<int>("/slow").value(), 7); });
    (void)rt::Context::current().wait_done();
  });
  EXPECT_TRUE(started.wait().is_ok());
}

PARLEY_PEER_TEST(Session, a_kept_handle_does_not_keep_the_descriptor) {
  Pair pair;
  const int before = rt::testing::open_sockets();
  std::vector<Session> kept;
  for (int i = 0; i < 10; ++i) kept.push_back(pair.dial());
  for (const Session& session : kept) session.close();
  while (pair.client.session_count() + pair.server.session_count() > 0) rt::yield();
  EXPECT_EQ(rt::testing::open_sockets(), before);
  EXPECT_EQ(kept[0].remote_address(), pair.address);
}

// The call is queued behind what the other side does not take; then the other side half-closes and
// reads on, so the call does arrive: it must not be called not_sent.
PARLEY_PEER_TEST(Session, a_call_still_queued_at_a_half_close_may_have_run) {
  net::TcpNetwork network;
  auto listener = network.listen(*net::Address::parse("tcp://127.0.0.1:0"));
  Peer peer(PeerOptions{.max_calls = 1,
                        .max_outgoing_bytes = std::size_t{64} << 20U,
                        .framings = testing::raw_only()});
  const auto session = peer.dial((*listener)->address().to_string());
  auto other = *(*listener)->accept();
  EXPECT_TRUE(session->push("/fill", std::string(12 << 20, 'x')).is_ok());
  Status status;
  rt::Scope scope;
  scope.go("caller", [&] {
    do {
      rt::yield();
      status = session->call("/charge").error();
    } while (status.code() == Code::resource_exhausted);
  });
  // With max_calls = 1 it is queued as soon as another call is refused.
  while (session->call({.timeout = 1ms}, "/probe").error().code() != Code::resource_exhausted) {
    rt::yield();
  }
  EXPECT_TRUE(other->close_write().is_ok());
  std::string received;
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const auto size = other->read(buffer);
    if (!size || *size == 0) break;
    received.append(buffer.data(), *size);
  }
  scope.join();
  EXPECT_NE(received.find("/charge"), std::string::npos);
  EXPECT_EQ(status.code(), Code::outcome_unknown);
}

PARLEY_PEER_TEST(Session, close_gives_up_on_what_is_queued_after_flush_timeout) {
  net::TcpNetwork network;
  auto listener = network.listen(*net::Address::parse("tcp://127.0.0.1:0"));
  Peer peer(PeerOptions{.flush_timeout = 10ms,
                        .close_timeout = 1ms,
                        .max_outgoing_bytes = std::size_t{64} << 20U,
                        .framings = testing::raw_only()});
  const auto session = peer.dial((*listener)->address().to_string());
  auto never_reads = *(*listener)->accept();
  EXPECT_TRUE(session->push("/fill", std::string(12 << 20, 'x')).is_ok());
  const Instant start = rt::now();
  session->close();
  EXPECT_LT(rt::now() - start, 4s);  // by default it would be flush_timeout's 5 s
}

PARLEY_PEER_TEST(Session, close_gives_up_after_drain_timeout) {
  Pair pair(PeerOptions{.drain_timeout = 10ms});
  rt::Event started;
  pair.server.handle("/for_ever", [&] {
    started.set();
    (void)rt::Event().wait();
  });
  const Session session = pair.dial();
  Status status;
  rt::Scope scope;
  scope.go("caller", [&] { status = session.call("/for_ever").error(); });
  EXPECT_TRUE(started.wait().is_ok());
  session.close();
  scope.join();
  EXPECT_EQ(status.code(), Code::outcome_unknown);
}

PARLEY_PEER_TEST(Session, the_other_side_learns_of_a_close) {
  Pair pair;
  Session seen = pair.dial();
  pair.server.handle("/mine", [&](Context& context) { seen = context.session(); });
  const Session session = pair.dial();
  EXPECT_TRUE(session.call("/mine"));
  session.close();
  EXPECT_EQ(seen.wait_closed().code(), Code::unavailable);
  EXPECT_EQ(seen.call("/x").error().code(), Code::not_sent);
}

PARLEY_PEER_TEST(Session, ends_a_handlers_context_when_it_is_cut) {
  Pair pair(PeerOptions{.drain_timeout = 1ms});
  rt::Event started;
  rt::Event ended;
  pair.server.handle("/for_ever", [&] {
    started.set();
    EXPECT_EQ(rt::Event().wait().code(), Code::cancelled);
    ended.set();
  });
  const Session session = pair.dial();
  EXPECT_TRUE(session.push("/for_ever").is_ok());
  EXPECT_TRUE(started.wait().is_ok());
  session.close();
  EXPECT_TRUE(ended.wait().is_ok());
}

PARLEY_PEER_TEST(Session, a_handle_may_outlive_its_peer) {
  std::vector<Session> kept;
  {
    Pair pair;
    kept.push_back(pair.dial());
    EXPECT_TRUE(kept[0].is_open());
  }
  EXPECT_FALSE(kept[0].is_open());
  EXPECT_EQ(kept[0].call("/x").error().code(), Code::not_sent);
  EXPECT_EQ(kept[0].wait_closed().code(), Code::cancelled);
}

PARLEY_PEER_TEST(Session, ids_are_unique_and_addresses_are_known) {
  Pair pair;
  const Session first = pair.dial();
  const Session second = pair.dial();
  EXPECT_NE(first.id(), second.id());
  EXPECT_EQ(first.remote_address(), pair.address);
  EXPECT_NE(first.local_address(), second.local_address());
}

PARLEY_PEER_TEST(Session, metadata_of_an_answer_that_is_too_much_is_told_in_every_framing) {
  for (const bool is_raw : {false, true}) {
    PeerOptions options;
    if (is_raw) options.framings = testing::raw_only();
    Pair pair(options);
    pair.server.handle("/tell", [](Context& context, std::size_t size) {
      context.reply_metadata().set("much", std::string(size, 'm'));
    });
    const Session session = pair.dial();
    EXPECT_TRUE(session.call("/tell", 10'000));
    const Status answer = session.call("/tell", 2'000'000).error();
    EXPECT_EQ(answer.code(), Code::resource_exhausted) << answer;
    EXPECT_NE(answer.message().find("the answer cannot be sent:"), std::string::npos) << answer;
    EXPECT_NE(answer.message().find("answer"), answer.message().rfind("answer")) << answer;
    EXPECT_NE(answer.message().find("move large values to the body"), std::string::npos) << answer;
    EXPECT_TRUE(session.call("/tell", 10));
  }
}

}  // namespace
}  // namespace parley
