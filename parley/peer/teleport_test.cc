// What Teleport does wrong and Parley does not, where no other test shows it, and the numbers of
// Teleport's errors where they arise. docs/promises.md lists all of them with their tests.

#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "parley/net/testing/memory_stream.h"
#include "parley/net/testing/stream_over.h"
#include "parley/peer/plugins/auth.h"
#include "parley/peer/plugins/proxy.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/wire/raw_framing.h"
#include "parley/wire/status_code.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::Pair;

// Raw carries one number, which is this one.
std::int32_t number_of(const Status& status) { return wire::raw_number(status); }
template <class R>
std::int32_t number_of(const Result<R>& result) {
  return number_of(result.error());
}

PeerOptions raw() { return {.framings = testing::raw_only()}; }

// --- What it does wrong

// Theirs waits for ever: the server cannot even write the error.
PARLEY_PEER_TEST(Teleport, a_call_ends_in_its_time_whatever_the_handler_does) {
  for (const PeerOptions& options : {PeerOptions(), raw()}) {
    rt::Event let_go;
    Pair pair(options);
    pair.server.handle("/minds_nothing", [&] {
      const rt::WithContext bound(rt::Context::background());
      (void)let_go.wait();
    });
    pair.server.handle("/own_limit", []() -> Status {
      const auto [context, cancel] = rt::Context::current().with_timeout(20ms);
      const rt::WithContext bound(context);
      return rt::Event().wait();
    });
    pair.server.handle("/add", [](int a, int b) { return a + b; });
    const Session session = pair.dial();
    EXPECT_EQ(number_of(session.call({.timeout = 50ms}, "/minds_nothing")), 408);
    // The handler's own time is over first: its answer comes, and says so.
    const Status own = session.call({.timeout = 1h}, "/own_limit").error();
    EXPECT_EQ(number_of(own), 408);
    EXPECT_TRUE(own.is_remote());
    EXPECT_EQ(session.call<int>("/add", 20, 22).value(), 42);
    let_go.set();
  }
}

// Passes on everything, and counts the writes.
class CountingStream final : public net::testing::StreamOver {
 public:
  CountingStream(std::unique_ptr<net::Stream> below, std::atomic<int>& writes)
      : StreamOver(std::move(below)), writes_(writes) {}

  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    ++writes_;
    return StreamOver::write_some(from, deadline);
  }

 private:
  std::atomic<int>& writes_;
};

// Theirs makes a system call for each message.
PARLEY_FIBER_TEST(Teleport, messages_of_fibers_that_are_runnable_together_leave_together) {
  constexpr int calls = 60;
  std::atomic<int> writes = 0;
  auto [here, there] = net::testing::memory_streams({.piece_bytes = 65'536});
  Peer server;
  server.handle("/add", [](int a, int b) { return a + b; });
  Peer client;
  const auto accepted = server.serve(std::make_unique<CountingStream>(std::move(there), writes));
  const Session session =
      *client.serve(std::make_unique<CountingStream>(std::move(here), writes), Side::dialled);
  EXPECT_EQ(session.call<int>("/add", 1, 2).value(), 3);
  const int before = writes;
  rt::Scope scope;
  for (int i = 0; i < calls; ++i) {
    scope.go("call", [&session, i] { EXPECT_EQ(session.call<int>("/add", i, 1).value(), i + 1); });
  }
  scope.join();
  // On one worker it is one write each way; with others at work a few.
  EXPECT_LT(writes - before, calls);
}

// Theirs copies them for each message.
PARLEY_PEER_TEST(Teleport, the_values_of_a_session_are_the_same_for_all_its_messages) {
  Pair pair;
  std::atomic<SessionValues*> first = nullptr;
  pair.server.handle("/look", [&](Context& context) {
    SessionValues* const values = &context.session().values();
    SessionValues* expected = nullptr;
    return first.compare_exchange_strong(expected, values) || expected == values;
  });
  const Session session = pair.dial();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(session.call<bool>("/look").value());
}

// --- Its numbers

PARLEY_PEER_TEST(Teleport, the_numbers_of_what_a_callee_answers) {
  Pair pair(raw());
  pair.server.handle("/add", [](int a, int b) { return a + b; });
  pair.server.handle(
      "/is", [](Code code) { return code == Code::ok ? Status() : Status(code, "so it is"); });
  pair.server.handle("/business", [] { return Status::business(1001, "out of tea"); });
  pair.server.handle("/throw", [] { throw std::runtime_error("the roof is leaking"); });
  const Session session = pair.dial();
  EXPECT_EQ(number_of(session.call("/is", Code::ok)), 0);
  EXPECT_EQ(number_of(session.call("/is", Code::unknown)), -1);
  EXPECT_EQ(number_of(session.call("/add", "no number", 1)), 400);
  EXPECT_EQ(number_of(session.call("/is", Code::unauthenticated)), 401);
  EXPECT_EQ(number_of(session.call("/no/such")), 404);
  EXPECT_EQ(number_of(session.call("/is", Code::unimplemented)), 405);
  EXPECT_EQ(number_of(session.call("/is", Code::deadline_exceeded)), 408);
  const Status thrown = session.call("/throw").error();
  EXPECT_EQ(number_of(thrown), 500);
  EXPECT_NE(thrown.to_string().find("the roof is leaking"), std::string::npos) << thrown;
  EXPECT_EQ(number_of(session.call("/business")), 1001);
}

PARLEY_PEER_TEST(Teleport, the_numbers_of_a_connection_arise_at_the_sender) {
  Pair pair(raw());
  rt::Event came;
  pair.server.handle("/wait", [&] {
    came.set();
    (void)rt::Event().wait();
  });
  EXPECT_EQ(number_of(pair.client.dial("tcp://127.0.0.1:1", {.timeout = 5s})), 105);
  const Session session = pair.dial();
  auto cut = session.call_async("/wait");
  EXPECT_TRUE(came.wait().is_ok());
  (void)pair.server.shutdown({.limit = Duration::zero()});
  EXPECT_EQ(number_of(cut.get()), 102);
  EXPECT_EQ(number_of(session.call("/wait")), 105);
}

PARLEY_PEER_TEST(Teleport, who_is_refused_at_the_door_gets_401_and_a_gateway_without_backend_502) {
  PeerOptions server = raw();
  server.plugins = {
      auth_checker([](EarlySession&, const Credentials& shown) -> Result<Credentials> {
        if (shown.body == "sesame") return Credentials();
        return Status(Code::unauthenticated, "wrong password");
      }),
      proxy({.pick = [](const ProxyLabel&) -> Result<ProxyTarget> {
        return Status(Code::not_sent, "no backend is there");
      }})};
  for (const char* word : {"sesame", "guess"}) {
    PeerOptions client = raw();
    client.plugins = {auth_bearer({.body = Bytes::copy_of(word)})};
    Pair pair(server, client);
    const auto session = pair.client.dial(pair.address);
    if (!session) {
      EXPECT_STREQ(word, "guess");
      EXPECT_EQ(number_of(session), 401);
    } else {
      EXPECT_STREQ(word, "sesame");
      EXPECT_EQ(number_of(session->call("/x")), 502);
    }
  }
}

// A message that is of no use in a session: theirs is told 405 in the log, and closed.
PARLEY_PEER_TEST(Teleport, a_type_of_message_that_is_not_expected_ends_the_session_with_405) {
  Pair pair(raw());
  net::TcpNetwork network;
  const auto stream = *network.dial(*net::Address::parse(pair.address));
  std::string frame;
  EXPECT_TRUE(wire::RawEncoder()
                  .encode({.seq = 1, .type = wire::MessageType::call, .method = "/no/such"}, frame)
                  .is_ok());
  EXPECT_TRUE(wire::RawEncoder()
                  .encode({.seq = 2, .type = wire::MessageType::auth_call, .method = "/x"}, frame)
                  .is_ok());
  while (pair.server.sessions().empty()) rt::yield();
  const Session session = pair.server.sessions().at(0);
  EXPECT_TRUE(stream->write(frame).is_ok());
  (void)session.wait_closed();
  EXPECT_TRUE(pair.server_log.has("auth_call is not expected in a session"));
  EXPECT_EQ(wire::raw_number(Code::unimplemented), 405);
}

}  // namespace
}  // namespace parley
