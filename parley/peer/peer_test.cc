#include "parley/peer/peer.h"

#include <atomic>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "parley/codec/schema.h"
#include "parley/net/network.h"
#include "parley/peer/member_function.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using testing::Pair;
using namespace std::chrono_literals;

struct Order {
  std::string sku;
  int quantity = 0;
};

struct Receipt {
  std::string sku;
  double price = 0;
  std::vector<std::string> notes;
};

int subtract(int a, int b) { return a - b; }
std::string hello() noexcept { return "hello"; }

struct Counter {
  int add(const int& n) { return sum += n; }
  [[nodiscard]] std::string show(Context& context, std::string&& before) const noexcept {
    return before + std::to_string(sum) + std::string(context.method());
  }
  std::atomic<int> sum = 0;
};
struct BigCounter : Counter {};

PARLEY_PEER_TEST(Peer, serves_member_functions_of_an_object) {
  BigCounter counter;
  Pair pair;
  pair.server.handle<"n">("/add", member_function(counter, &Counter::add));
  pair.server.handle("/show", member_function(std::as_const(counter), &Counter::show));
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/add", 2).value(), 2);
  EXPECT_EQ(session.call<int>("/add", 3).value(), 5);
  EXPECT_EQ(session.call<std::string>("/show", "is ").value(), "is 5/show");
}

PARLEY_PEER_TEST(Peer, serves_free_functions_and_lambdas_of_any_signature) {
  Pair pair;
  pair.server.handle("/subtract", &subtract);
  pair.server.handle("/hello", &hello);
  pair.server.handle("/negate", [](long long n) { return -n; });
  pair.server.handle("/join", [](const std::string& a, const std::vector<int>& b,
                                 std::map<std::string, bool> c, std::optional<double> d) {
    return a + std::to_string(b.size()) + std::to_string(c.size()) + (d ? "d" : "-");
  });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/subtract", 5, 3).value(), 2);
  EXPECT_EQ(session.call<std::string>("/hello").value(), "hello");
  EXPECT_EQ(session.call<long long>("/negate", 1LL << 40).value(), -(1LL << 40));
  EXPECT_EQ(
      session
          .call<std::string>("/join", "x", std::vector<int>{1, 2},
                             std::map<std::string, bool>{{"k", true}}, std::optional<double>())
          .value(),
      "x21-");
}

PARLEY_PEER_TEST(Peer, arguments_with_names_may_be_sent_by_name) {
  Pair pair;
  const Session session = pair.dial();
  pair.server.handle<"a", "b">(
      "/minus", [](Context&, int a, int b) { return a - b; }, "Takes b from a.");
  pair.server.handle("/plus", [](int a, int b) { return a + b; });
  struct Both {
    int b = 0;
    int a = 0;
  };
  EXPECT_EQ(session.call<int>("/minus", 5, 3).value(), 2);
  EXPECT_EQ(session.call<int>("/minus", Both{.b = 3, .a = 5}).value(), 2);
  EXPECT_EQ(session.call<int>("/minus", std::map<std::string, int>{{"a", 1}}).error().message(),
            "/minus: $.b: the argument is missing");
  EXPECT_EQ(session.call<int>("/minus", 1).error().message(),
            "/minus: 2 arguments are expected, in an array or by name, got a single value");
  EXPECT_EQ(session.call<int>("/plus", Both()).error().message(),
            "/plus: 2 arguments are expected, in an array, got a single value");
}

PARLEY_PEER_TEST(Peer, several_results_are_a_tuple) {
  Pair pair;
  const Session session = pair.dial();
  pair.server.handle("/divide", [](int a, int b) -> Result<std::tuple<int, int>> {
    if (b == 0) return Status(Code::invalid_argument, "division by zero");
    return std::tuple(a / b, a % b);
  });
  const auto parts = session.call<std::tuple<int, int>>("/divide", 17, 5);
  ASSERT_TRUE(parts) << parts.error();
  EXPECT_EQ(*parts, std::tuple(3, 2));
  EXPECT_EQ((session.call<std::tuple<int, int>>("/divide", 1, 0).error().message()),
            "division by zero");
}

PARLEY_PEER_TEST(Peer, tells_the_shape_of_its_methods_for_schemas) {
  Pair pair;
  pair.server.handle<"a", "b">(
      "/minus", [](Context&, int a, int b) { return a - b; }, "Takes b from a.");
  pair.server.handle("/all", [](const std::vector<std::string>&) {});
  const std::string types = codec::typescript_of({}, pair.server.methods());
  EXPECT_EQ(types,
            "export interface Methods {\n"
            "  \"/all\"(argument1: Array<string>): void;\n"
            "  // Takes b from a.\n"
            "  \"/minus\"(a: number, b: number): number;\n"
            "}\n");
}

PARLEY_PEER_TEST(Peer, carries_structs_in_and_out) {
  Pair pair;
  pair.server.handle("/place", [](const Order& order) {
    return Receipt{.sku = order.sku, .price = 2.5 * order.quantity, .notes = {"thank you"}};
  });
  const auto receipt = pair.dial().call<Receipt>("/place", Order{.sku = "tea", .quantity = 2});
  ASSERT_TRUE(receipt) << receipt.error();
  EXPECT_EQ(receipt->sku, "tea");
  EXPECT_EQ(receipt->price, 5.0);
  EXPECT_EQ(receipt->notes, std::vector<std::string>{"thank you"});
}

PARLEY_PEER_TEST(Peer, answers_with_whatever_kind_of_result_the_function_has) {
  Pair pair;
  std::atomic<int> ran = 0;
  pair.server.handle("/void", [&] { ++ran; });
  pair.server.handle("/status", [](bool fail) {
    return fail ? Status(Code::already_exists, "there is one") : Status();
  });
  pair.server.handle("/result", [](int n) -> Result<int> {
    if (n < 0) return Status::business(1001, "negative");
    return n + 1;
  });
  pair.server.handle("/nothing", [](bool fail) -> Result<void> {
    if (fail) return Status(Code::aborted, "no");
    return {};
  });
  const Session session = pair.dial();
  EXPECT_TRUE(session.call("/void"));
  EXPECT_EQ(ran, 1);
  EXPECT_TRUE(session.call("/status", false));
  EXPECT_EQ(session.call("/status", true).error(), Status(Code::already_exists, "there is one"));
  EXPECT_EQ(session.call<int>("/result", 1).value(), 2);
  const Status refused = session.call<int>("/result", -1).error();
  EXPECT_EQ(refused.business_code(), 1001);
  EXPECT_EQ(refused.message(), "negative");
  EXPECT_TRUE(session.call("/nothing", false));
  EXPECT_EQ(session.call("/nothing", true).error().code(), Code::aborted);
}

PARLEY_PEER_TEST(Peer, a_handler_that_asks_for_it_sees_its_context) {
  Pair pair;
  pair.server.handle("/who", [](Context& context, int n) {
    context.reply_metadata().set("answered-by", std::string(context.method()));
    return std::string(context.metadata().get("user").value_or("nobody")) + std::to_string(n) +
           (context.is_push() ? " push" : " call");
  });
  wire::Metadata reply_metadata;
  CallOptions options{.reply_metadata = &reply_metadata};
  options.metadata.set("user", "ann");
  const Session session = pair.dial();
  EXPECT_EQ(session.call<std::string>(options, "/who", 7).value(), "ann7 call");
  EXPECT_EQ(reply_metadata.get("answered-by"), "/who");
  EXPECT_EQ(session.call<std::string>("/who", 7).value(), "nobody7 call");
}

PARLEY_PEER_TEST(Peer, an_exception_becomes_internal_and_the_session_goes_on) {
  Pair pair;
  pair.server.handle("/throw", [](int what) -> int {
    if (what == 0) throw std::runtime_error("the stock file is gone");
    throw what;
  });
  const Session session = pair.dial();
  const Status status = session.call<int>("/throw", 0).error();
  EXPECT_EQ(status.code(), Code::internal);
  EXPECT_EQ(status.message(), "/throw: the handler threw an exception");
  EXPECT_EQ(status.cause(), "the stock file is gone");
  EXPECT_EQ(session.call<int>("/throw", 1).error().code(), Code::internal);
  EXPECT_TRUE(session.is_open());
}

PARLEY_PEER_TEST(Peer, an_unknown_method_is_not_found_and_the_nearest_is_named) {
  Pair pair;
  pair.server.handle("/order/place", [](int) {});
  const Session session = pair.dial();
  const Status typo = session.call("/order/plcae", 1).error();
  EXPECT_EQ(typo.code(), Code::not_found);
  EXPECT_EQ(typo.message(), "no method \"/order/plcae\" here; did you mean \"/order/place\"?");
  EXPECT_EQ(session.call("/zzz").error().message(), "no method \"/zzz\" here");
}

PARLEY_PEER_TEST(Peer, arguments_that_do_not_fit_are_told_by_their_path) {
  Pair pair;
  pair.server.handle("/add", [](int a, int b) { return a + b; });
  pair.server.handle("/place", [](const std::vector<Order>& orders) { return orders.size(); });
  pair.server.handle("/none", [] {});
  const Session session = pair.dial();
  const auto error = [&](std::string_view method, auto... arguments) {
    const Status status = session.call<int>(method, arguments...).error();
    EXPECT_EQ(status.code(), Code::invalid_argument);
    return status.message();
  };
  EXPECT_EQ(error("/add", 1, "two"), "/add: $[1]: expected integer, got string");
  EXPECT_EQ(error("/add", 1, 2, 3), "/add: $: expected an array of 2 elements, got 3");
  EXPECT_EQ(error("/add", 1), "/add: 2 arguments are expected, in an array, got a single value");
  EXPECT_EQ(error("/add"), "/add: the body is empty where arguments are expected");
  EXPECT_EQ(error("/none", 1), "/none: no arguments are expected, got a body of 1 bytes");

  struct Wrong {
    std::string sku;
    std::string quantity;
  };
  EXPECT_EQ(error("/place", std::vector<Wrong>(2)),
            "/place: $[0].quantity: expected integer, got string");
}

PARLEY_PEER_TEST(Peer, a_body_in_an_unknown_codec_or_broken_json_is_an_invalid_argument) {
  Pair pair;
  pair.server.handle("/add", [](int a, int b) { return a + b; });
  const Session session = pair.dial();
  const auto broken = session.call_raw({}, "/add", wire::BodyCodec::json, Bytes::copy_of("[1,"));
  EXPECT_EQ(broken.error().code(), Code::invalid_argument);
  const auto other =
      session.call_raw({}, "/add", wire::BodyCodec::thrift, Bytes::copy_of("\x08\x01"));
  EXPECT_EQ(other.error().code(), Code::invalid_argument);
  EXPECT_EQ(other.error().message(),
            "/add: no codec has the id 't': there are json ('j'), protobuf ('p'), msgpack ('m'), "
            "form ('f'), plain ('s')");
  EXPECT_EQ(session.call_raw({}, "/add", wire::BodyCodec::json, Bytes::copy_of("[1, 2]")).value(),
            "3");
}

PARLEY_PEER_TEST(Peer, what_cannot_be_written_fails_on_the_side_that_wrote_it) {
  Pair pair;
  pair.server.handle("/nan", [] { return std::numeric_limits<double>::quiet_NaN(); });
  pair.server.handle("/echo", [](double d, double) { return d; });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<double>("/nan").error().code(), Code::internal);
  const Status status =
      session.call<double>("/echo", 1.0, std::numeric_limits<double>::infinity()).error();
  EXPECT_EQ(status.code(), Code::invalid_argument);
  EXPECT_EQ(status.message().substr(0, 11), "argument 2:");
}

PARLEY_PEER_TEST(Peer, a_result_of_another_type_than_expected_is_told) {
  Pair pair;
  pair.server.handle("/text", [] { return std::string("four"); });
  const Status status = pair.dial().call<int>("/text").error();
  EXPECT_EQ(status.code(), Code::invalid_argument);
  EXPECT_EQ(status.message(), "the answer of /text: $: expected integer, got string");
}

PARLEY_PEER_TEST(Peer, a_result_of_a_method_that_has_none_is_told) {
  Pair pair;
  pair.server.handle("/nothing", [](int) {});
  const Session session = pair.dial();
  constexpr std::string_view expected =
      "the answer of /nothing: the body is empty where a result is expected";
  EXPECT_EQ(session.call<int>("/nothing", 1).error().message(), expected);
  EXPECT_EQ(session.call<std::string>("/nothing", 1).error().message(), expected);
  EXPECT_EQ(session.call_async<int>("/nothing", 1).get().error().message(), expected);
  Batch<int> batch(session);
  batch.add("/nothing", 1);
  EXPECT_EQ(batch.call().front().error().message(), expected);
  pair.server.handle("/half", [](int n) { return n / 2; });
  EXPECT_EQ(session.call_raw({}, "/half", wire::BodyCodec::none, {}).error().message(),
            "/half: the body is empty where arguments are expected");
}

PARLEY_PEER_TEST(Peer, listens_on_several_addresses_at_once) {
  Peer server;
  server.handle("/ping", [] { return 1; });
  Peer client;
  for (int i = 0; i < 2; ++i) {
    const auto address = server.listen("tcp://127.0.0.1:0");
    ASSERT_TRUE(address) << address.error();
    EXPECT_EQ(client.dial(address->to_string())->call<int>("/ping").value(), 1);
  }
  EXPECT_EQ(server.session_count(), 2u);
  EXPECT_EQ(server.listen("udp://127.0.0.1:0").error().code(), Code::invalid_argument);
}

PARLEY_PEER_TEST(Peer, dialling_nobody_is_not_sent_with_the_reason) {
  Peer peer;
  const Status status = peer.dial("tcp://127.0.0.1:1").error();
  EXPECT_EQ(status.code(), Code::not_sent);
  EXPECT_EQ(status.to_string(),
            "not_sent: no connection to tcp://127.0.0.1:1 (cause: dial tcp://127.0.0.1:1: "
            "Connection refused)");
  EXPECT_EQ(peer.dial("nonsense").error().code(), Code::invalid_argument);
}

PARLEY_PEER_TEST(Peer, max_sessions_bounds_both_directions) {
  Pair pair(PeerOptions{.max_sessions = 2});
  pair.server.handle("/ping", [] {});
  const Session first = pair.dial();
  const Session second = pair.dial();
  EXPECT_TRUE(first.call("/ping"));
  EXPECT_TRUE(second.call("/ping"));
  EXPECT_EQ(pair.client.dial(pair.address).error().code(), Code::resource_exhausted);

  Peer other;
  const auto third = other.dial(pair.address);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->wait_closed().code(), Code::unavailable);
  EXPECT_EQ(pair.server.session_count(), 2u);

  // Dialling at the same time does not get round the limit.
  Pair roomy;  // which turns nobody away, so that what was dialled stays
  Peer eager(PeerOptions{.max_sessions = 1});
  std::atomic<int> dialled = 0;
  {
    rt::Scope scope;
    for (int i = 0; i < 5; ++i) {
      scope.go("dial", [&] {
        if (eager.dial(roomy.address)) ++dialled;
      });
    }
  }
  EXPECT_EQ(dialled, 1);

  first.close();
  while (pair.server.session_count() > 1) rt::yield();
  EXPECT_TRUE(other.dial(pair.address)->call("/ping"));
}

PARLEY_PEER_TEST(Peer, closed_it_neither_listens_nor_dials) {
  Pair pair;
  pair.server.close();
  pair.server.close();
  EXPECT_EQ(pair.server.listen("tcp://127.0.0.1:0").error().code(), Code::failed_precondition);
  EXPECT_EQ(pair.server.dial(pair.address).error().code(), Code::not_sent);
  EXPECT_EQ(pair.client.dial(pair.address).error().code(), Code::not_sent);
}

// TCP that tells when somebody dials.
class ToldNetwork final : public net::Network {
 public:
  Result<std::unique_ptr<net::Listener>> listen(const net::Address& address,
                                                const net::ListenOptions& options) override {
    return tcp_.listen(address, options);
  }
  Result<std::unique_ptr<net::Stream>> dial(const net::Address& address, rt::Deadline deadline,
                                            const net::DialOptions& options) override {
    dialled.set();
    return tcp_.dial(address, deadline, options);
  }

  rt::Event dialled;

 private:
  net::TcpNetwork tcp_;
};

PARLEY_PEER_TEST(Peer, its_end_waits_for_a_dial_under_way) {
  // A listener whose queue is full makes the kernel leave further connections without an answer.
  net::TcpNetwork network;
  auto listener = network.listen(*net::Address::parse("tcp://127.0.0.1:0"), {.backlog = 0});
  std::vector<std::unique_ptr<net::Stream>> queued;
  for (;;) {
    auto stream = network.dial((*listener)->address(), rt::Deadline::after(20ms));
    if (!stream) break;
    queued.push_back(*std::move(stream));
  }
  Status status;
  ToldNetwork told;
  rt::Scope scope;
  {
    Peer peer(PeerOptions{.dial_timeout = 20ms, .network = &told});
    scope.go("dialler", [&] { status = peer.dial((*listener)->address().to_string()).error(); });
    EXPECT_TRUE(told.dialled.wait().is_ok());
  }
  scope.join();
  EXPECT_EQ(status.code(), Code::not_sent);
}

// The handler holds a session of the peer that holds the handler.
PARLEY_PEER_TEST(Peer, a_handler_that_keeps_a_session_of_its_own_peer_goes_with_it) {
  Pair pair;
  pair.server.handle("/ping", [] { return 1; });
  const int before = rt::testing::open_sockets();
  for (int i = 0; i < 10; ++i) {
    Peer proxy;
    const auto upstream = proxy.dial(pair.address);
    proxy.handle("/forward", [session = *upstream] { return session.call<int>("/ping"); });
    EXPECT_EQ(upstream->call<int>("/ping").value(), 1);
  }
  while (pair.server.session_count() > 0) rt::yield();
  EXPECT_EQ(rt::testing::open_sockets(), before);
}

TEST(Peer, closing_a_peer_from_its_own_handler_is_a_bug) {
  EXPECT_DEATH(parley::run([] {
                 Pair pair;
                 pair.server.handle("/close", [&] { pair.server.close(); });
                 (void)pair.dial().call("/close");
               }),
               "a handler closes its own peer");
}

TEST(Peer, a_method_handled_twice_or_without_a_name_is_a_bug) {
  EXPECT_DEATH(parley::run([] {
                 Peer peer;
                 peer.handle("/x", [] {});
                 peer.handle("/x", [] {});
               }),
               "method \"/x\" is handled twice");
  EXPECT_DEATH(parley::run([] { Peer().handle("", [] {}); }), "1 to 255 bytes");
  EXPECT_DEATH(parley::run([] { Peer().handle(std::string(256, 'x'), [] {}); }), "1 to 255 bytes");
}

PARLEY_PEER_TEST(Peer, reports_and_pauses_of_no_length_leave_others_the_worker) {
  Pair pair(PeerOptions{.accept_pause = 1ns, .accept_report = 1ns}, PeerOptions{});
  pair.server.handle("/twice", [](int n) { return 2 * n; });
  EXPECT_EQ(pair.dial().call<int>("/twice", 2).value(), 4);
}

}  // namespace
}  // namespace parley
