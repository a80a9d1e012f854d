// Calls to a peer of the same process: what a handler sees and what its caller is told are the same
// as over a socket, also where nothing is written.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/testing/allocations.h"
#include "parley/codec/fields.h"
#include "parley/net/in_process_network.h"
#include "parley/peer/peer.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using rt::testing::in_virtual_time;

struct Order {
  std::string sku;
  int quantity = 0;
};

struct Rated {
  int stars = 0;
};

}  // namespace
template <>
inline constexpr auto fields<Rated> =
    codec::field_rules<Rated>(codec::field<&Rated::stars>().range(1, 5));
namespace {

// Two peers of one process.
struct Here {
  explicit Here(const PeerOptions& options = {}) : Here(options, options) {}
  Here(PeerOptions server_options, PeerOptions client_options)
      : server(meeting(std::move(server_options))), client(meeting(std::move(client_options))) {
    // Whether its handler got the caller's own object: then nothing was written.
    server.handle("/is_mine", [](const Order& order, std::uint64_t place) {
      return reinterpret_cast<std::uint64_t>(&order) == place;
    });
    EXPECT_TRUE(server.listen("inproc:server"));
  }
  Session dial() { return client.dial("inproc:server").value(); }
  PeerOptions meeting(PeerOptions options) {
    options.network = &network;
    return options;
  }

  net::InProcessNetwork network;
  Peer server;
  Peer client;
};

bool is_direct(const Session& session) {
  const Order order{.sku = "tea", .quantity = 1};
  return session.call<bool>("/is_mine", order, reinterpret_cast<std::uint64_t>(&order)).value();
}

// The first call of a method goes as bytes: nothing is known of it yet. Others may follow it, where
// the machine is slow.
void until_direct(const Session& session) {
  while (!is_direct(session)) rt::yield();
}

PARLEY_PEER_TEST(InProcess, a_handler_gets_the_callers_own_object_once_it_is_known_to_be_quick) {
  Here here;
  const Session session = here.dial();
  EXPECT_FALSE(is_direct(session));
  until_direct(session);
}

PARLEY_PEER_TEST(InProcess, both_sides_may_call) {
  Here here;
  here.client.handle("/is_mine", [](const Order& order, std::uint64_t place) {
    return reinterpret_cast<std::uint64_t>(&order) == place;
  });
  const Session session = here.dial();
  until_direct(session);
  until_direct(here.server.sessions().front());
  EXPECT_TRUE(session.set_id("till").is_ok());
  until_direct(here.client.session("till").value());
}

TEST(InProcess, values_are_copied_where_the_handler_may_change_them) {
  in_virtual_time([] {
    Here here;
    here.server.handle("/change", [](std::string text, std::vector<int> numbers) {
      text += "!";
      numbers.push_back(1);
      return text + std::to_string(numbers.size());
    });
    const Session session = here.dial();
    const std::string text = "tea";
    const std::vector<int> numbers = {7};
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(session.call<std::string>("/change", text, numbers).value(), "tea!2");
      EXPECT_EQ(session.call<std::string>("/change", "tea", numbers).value(), "tea!2");
    }
    EXPECT_EQ(text, "tea");
    EXPECT_EQ(numbers.size(), 1u);
  });
}

TEST(InProcess, bytes_are_shared_both_ways) {
  in_virtual_time([] {
    Here here;
    here.server.handle("/echo", [](const Bytes& body) { return body; });
    const Session session = here.dial();
    const Bytes body = Bytes::from(std::string(100'000, 'b'));
    (void)session.call<Bytes>("/echo", body).value();
    const Bytes back = session.call<Bytes>("/echo", body).value();
    EXPECT_EQ(back.first_block()->data(), body.first_block()->data());
  });
}

TEST(InProcess, other_types_go_as_bytes_and_mean_the_same) {
  in_virtual_time([] {
    Here here;
    here.server.handle("/add", [](std::int64_t a, std::int64_t b) { return a + b; });
    const Session session = here.dial();
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(session.call<int>("/add", 1, 2).value(), 3);
      EXPECT_EQ(session.call<std::int64_t>("/add", std::int64_t{1}, std::int64_t{2}).value(), 3);
      EXPECT_TRUE(session.call("/add", std::int64_t{1}, std::int64_t{2}));
      EXPECT_EQ(session.call<std::int64_t>("/add", "tea").error().code(), Code::invalid_argument);
      EXPECT_EQ(session.call<int>("/subtract", 1, 2).error().code(), Code::not_found);
    }
  });
}

TEST(InProcess, a_handler_knows_what_it_knows_elsewhere) {
  in_virtual_time([] {
    struct Own {};
    Here here;
    here.server.handle(
        "/look", [](Context& context, const std::string& text) -> Result<std::string> {
          EXPECT_EQ(rt::Context::current().value<Own>(), nullptr);
          EXPECT_EQ(context.method(), "/look");
          EXPECT_FALSE(context.is_push());
          EXPECT_EQ(context.body_codec(), wire::BodyCodec::json);
          EXPECT_EQ(context.session().remote_address(), "inproc:");
          EXPECT_TRUE(context.session().is_open());
          EXPECT_EQ(rt::Context::current().deadline().instant() - context.came_at(), 7s);
          context.reply_metadata().set("shop", "harbour");
          return text + std::string(context.metadata().get("from").value_or("?"));
        });
    const Session session = here.dial();
    const rt::WithContext bound(rt::Context::current().with_value(Own()));
    for (int i = 0; i < 3; ++i) {
      wire::Metadata said;
      const wire::Metadata from = {{"from", "till"}};
      const auto text = session.call<std::string>(
          {.timeout = 7s, .metadata = from, .reply_metadata = &said}, "/look", "by ");
      EXPECT_EQ(text.value(), "by till");
      EXPECT_EQ(said.get("shop").value_or(""), "harbour");
    }
  });
}

TEST(InProcess, what_a_handler_fails_with_is_told_as_ever) {
  in_virtual_time([] {
    Here here;
    here.server.handle("/fail", [](int how) -> Result<int> {
      if (how == 0) throw std::runtime_error("no tea");
      if (how == 1) return Status(Code::not_sent, "of its own");
      if (how == 2) return Status(Code::failed_precondition, "shut").with_business_code(7);
      return how;
    });
    const Session session = here.dial();
    for (int i = 0; i < 3; ++i) {
      const Status thrown = session.call<int>("/fail", 0).error();
      EXPECT_EQ(thrown.code(), Code::internal);
      EXPECT_EQ(thrown.cause(), "no tea");
      EXPECT_EQ(session.call<int>("/fail", 1).error().code(), Code::unavailable);
      EXPECT_EQ(session.call<int>("/fail", 2).error().business_code(), 7);
      EXPECT_EQ(session.call<int>("/fail", 3).value(), 3);
    }
  });
}

TEST(InProcess, rules_hold_and_plugins_see_every_call) {
  in_virtual_time([] {
    int seen = 0;
    const auto count = [&seen](auto& /*step*/, Next& next) {
      ++seen;
      return next();
    };
    Here here;
    here.server.handle("/rate", [](const Rated& rated) { return rated.stars; });
    here.server.group("/group", {{.name = "count", .serve = count}})
        .handle("/twice", [](int number) { return 2 * number; });
    const Session session = here.dial();
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(session.call<int>("/rate", Rated{.stars = 5}).value(), 5);
      EXPECT_EQ(session.call<int>("/rate", Rated{.stars = 6}).error().code(),
                Code::invalid_argument);
      EXPECT_EQ(session.call<int>("/group/twice", 2).value(), 4);
    }
    EXPECT_EQ(seen, 3);
    Here calling({}, {.plugins = {{.name = "count", .call = count}}});
    Here serving({.plugins = {{.name = "count", .serve = count}}}, {});
    for (int i = 0; i < 3; ++i) {
      EXPECT_FALSE(is_direct(calling.dial()));
      EXPECT_FALSE(is_direct(serving.dial()));
    }
    EXPECT_EQ(seen, 9);
  });
}

// Whether it waits is told by the second argument.
Status maybe_wait(const std::string& /*text*/, bool waits) {
  return waits ? rt::Event().wait() : Status();
}

TEST(InProcess, a_deadline_ends_a_call_whose_handler_waits) {
  in_virtual_time([] {
    Here here;
    here.server.handle("/wait", maybe_wait);
    const Session session = here.dial();
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(session.call("/wait", "", false));
      EXPECT_TRUE(session.call("/wait", "", false));
      const Instant start = rt::now();
      const Status status = session.call({.timeout = 50ms}, "/wait", "", true).error();
      EXPECT_EQ(status.code(), Code::deadline_exceeded);
      EXPECT_TRUE(status.message().starts_with("no answer to /wait from inproc:server within"))
          << status;
      EXPECT_LT(rt::now() - start, 60ms);
    }
  });
}

TEST(InProcess, a_handler_that_never_ends_keeps_no_caller_unless_it_was_quick_before) {
  in_virtual_time([] {
    rt::Event enough;
    Here here;
    here.server.handle("/for_ever", [&](const std::string& /*text*/) {
      const rt::WithContext bound(rt::Context::background());
      (void)enough.wait();
    });
    const Session session = here.dial();
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(session.call({.timeout = 20ms}, "/for_ever", "").error().code(),
                Code::deadline_exceeded);
    }
    enough.set();
  });
}

// A method that is quick, with one that waits by it.
struct Waiting {
  explicit Waiting(Here& here) {
    here.server.handle("/wait", [this](const std::string& /*text*/, bool waits) -> Status {
      if (!waits) return {};
      begun.set();
      Status status = rt::Event().wait();
      why = status;
      ended.set();
      return status;
    });
  }
  static void make_quick(const Session& session) {
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(session.call("/wait", "", false));
  }

  rt::Event begun, ended;
  Status why;
};

TEST(InProcess, a_caller_that_gives_up_ends_the_handler) {
  in_virtual_time([] {
    Here here;
    Waiting waiting(here);
    const Session session = here.dial();
    Waiting::make_quick(session);
    rt::Scope scope;
    scope.go("caller",
             [&] { EXPECT_EQ(session.call("/wait", "", true).error().code(), Code::cancelled); });
    EXPECT_TRUE(waiting.begun.wait().is_ok());
    scope.cancel();
    scope.join();
    EXPECT_TRUE(waiting.ended.wait().is_ok());
    EXPECT_EQ(waiting.why.message(), "event: the caller has given up");
  });
}

TEST(InProcess, the_end_of_a_session_ends_a_call_as_a_cut_does) {
  in_virtual_time([] {
    for (const bool is_callers : {true, false}) {
      Here here;
      Waiting waiting(here);
      const Session session = here.dial();
      Waiting::make_quick(session);
      rt::Scope scope;
      scope.go("caller", [&] {
        EXPECT_EQ(session.call("/wait", "", true).error().code(), Code::outcome_unknown);
      });
      EXPECT_TRUE(waiting.begun.wait().is_ok());
      (void)(is_callers ? here.client : here.server).shutdown({.limit = Duration::zero()});
      scope.join();
      EXPECT_EQ(waiting.why.code(), Code::cancelled);
      EXPECT_EQ(session.call("/wait", "", false).error().code(), Code::not_sent);
    }
  });
}

TEST(InProcess, an_end_in_order_counts_a_call_and_waits_for_it) {
  in_virtual_time([] {
    for (const bool is_callers : {true, false}) {
      rt::Event begun, enough;
      Here here;
      here.server.handle("/work", [&](const std::string& text) -> Result<std::string> {
        if (text.empty()) return text;
        begun.set();
        if (Status s = enough.wait(); !s.is_ok()) return s;
        return text;
      });
      const Session session = here.dial();
      for (int i = 0; i < 2; ++i) (void)session.call<std::string>("/work", "");
      rt::Scope scope;
      scope.go("caller",
               [&] { EXPECT_EQ(session.call<std::string>("/work", "tea").value(), "tea"); });
      EXPECT_TRUE(begun.wait().is_ok());
      ShutdownReport report;
      scope.go("end",
               [&] { report = (is_callers ? here.client : here.server).shutdown({.limit = 10s}); });
      EXPECT_TRUE(rt::sleep(1s).is_ok());
      EXPECT_EQ(session.call<std::string>("/work", "late").error().code(), Code::not_sent);
      enough.set();
      scope.join();
      EXPECT_EQ(report.cut.handlers + report.cut.calls, 0u);
    }
  });
}

TEST(InProcess, a_handler_may_close_its_own_session) {
  in_virtual_time([] {
    Here here;
    here.server.handle("/bye", [](Context& context, bool really) {
      if (really) context.session().close();
    });
    const Session session = here.dial();
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(session.call("/bye", false));
    EXPECT_EQ(session.call("/bye", true).error().code(), Code::outcome_unknown);
    EXPECT_EQ(session.wait_closed().code(), Code::unavailable);
  });
}

// What is more goes over the connection, which has limits of its own.
TEST(InProcess, no_more_than_max_handlers_and_max_calls_go_directly) {
  in_virtual_time([] {
    struct Limits {
      std::size_t handlers, calls;
    };
    for (const Limits most : {Limits{1, 2}, Limits{2, 1}, Limits{2, 2}}) {
      Here here({.max_handlers = most.handlers}, {.max_calls = most.calls});
      Waiting waiting(here);
      const Session session = here.dial();
      Waiting::make_quick(session);
      until_direct(session);
      rt::Scope scope(rt::OnExit::cancel);
      scope.go("caller", [&] { (void)session.call("/wait", "", true); });
      EXPECT_TRUE(waiting.begun.wait().is_ok());
      EXPECT_EQ(is_direct(session), most.handlers == 2 && most.calls == 2);
    }
  });
}

TEST(InProcess, a_call_does_not_overtake_a_push_that_went_before_it) {
  in_virtual_time([] {
    std::vector<int> order;
    Here here;
    here.server.handle("/note", [&](int number) { order.push_back(number); });
    const Session session = here.dial();
    for (int i = 0; i < 3; ++i) {
      order.clear();
      EXPECT_TRUE(session.call("/note", 0));
      EXPECT_TRUE(session.push("/note", 1).is_ok());
      EXPECT_TRUE(session.call("/note", 2));
      EXPECT_TRUE(session.call("/note", 3));
      EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
    }
  });
}

TEST(InProcess, handlers_may_call_on_and_carry_the_deadline) {
  in_virtual_time([] {
    Here here;
    here.client.handle("/left", [](bool /*asks*/) {
      return std::int64_t((rt::Context::current().deadline().instant() - rt::now()) / 1ms);
    });
    here.server.handle("/through", [](Context& context, bool asks) {
      return context.session().call<std::int64_t>({.timeout = 10min}, "/left", asks);
    });
    const Session session = here.dial();
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(session.call<std::int64_t>({.timeout = 5s}, "/through", true).value(), 5000);
    }
  });
}

TEST(InProcess, calls_within_calls_go_as_deep_as_over_a_socket) {
  in_virtual_time([] {
    Here here;
    const auto down = [](Context& context, int depth) -> Result<int> {
      if (depth == 0) return 0;
      auto below = context.session().call<int>("/down", depth - 1);
      return below ? Result<int>(*below + 1) : below;
    };
    here.server.handle("/down", down);
    here.client.handle("/down", down);
    const Session session = here.dial();
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(session.call<int>("/down", 0).value(), 0);
      EXPECT_EQ(session.call<int>("/down", 1).value(), 1);
      EXPECT_EQ(session.call<int>("/down", 500).value(), 500);
    }
  });
}

TEST(InProcess, a_call_allocates_nothing) {
  in_virtual_time([] {
    Here here;
    here.server.handle("/add", [](std::int64_t a, std::int64_t b) { return a + b; });
    const Session session = here.dial();
    const std::int64_t one = 1;
    for (int i = 0; i < 2; ++i) EXPECT_EQ(session.call<std::int64_t>("/add", one, one).value(), 2);
    const testing::Allocations before = testing::allocations();
    std::int64_t sum = 0;
    for (int i = 0; i < 100; ++i) sum += session.call<std::int64_t>("/add", one, one).value();
    EXPECT_EQ(testing::allocations().count - before.count, 0u);
    EXPECT_EQ(sum, 200);
  });
}

PARLEY_PEER_TEST(InProcess, many_fibers_call_while_sessions_come_and_go) {
  Here here;
  std::atomic<int> served = 0;
  here.server.handle("/count", [&](int number) {
    ++served;
    if (number % 17 == 0) rt::yield();
    return number + 1;
  });
  for (int round = 0; round < 5; ++round) {
    const Session session = here.dial();
    rt::Scope scope;
    for (int fiber = 0; fiber < 8; ++fiber) {
      scope.go("caller", [&] {
        for (int i = 0;; ++i) {
          const auto next = session.call<int>("/count", i);
          if (!next) return;
          EXPECT_EQ(*next, i + 1);
        }
      });
    }
    const int before = served;
    while (served < before + 500) rt::yield();
    session.close();
  }
  EXPECT_GE(served.load(), 2500);
}

PARLEY_PEER_TEST(InProcess, sessions_at_rest_need_no_fiber_on_either_side) {
  constexpr int sessions = 40;
  Here here(PeerOptions{.max_fibers = 10});
  here.server.handle("/length", [](const std::string& text) { return text.size(); });
  std::vector<Session> all;
  for (int i = 0; i < sessions; ++i) all.push_back(here.dial());
  // The first call of a method goes by the connection, and so does what is of another type.
  for (const Session& each : all) EXPECT_EQ(each.call<int>("/length", "four").value(), 4);
  for (const Session& each : all) EXPECT_EQ(each.call<int>("/length", "four").value(), 4);
}

PARLEY_PEER_TEST(InProcess, a_peer_of_one_fiber_sends_and_hears_large_bodies) {
  Here here(PeerOptions{}, PeerOptions{.max_fibers = 1});
  here.server.handle("/twice", [](const std::string& text) { return text + text; });
  const Session session = here.dial();
  for (const std::size_t size : {60'000U, 100'000U, 1'000'000U}) {
    for (int i = 0; i < 3; ++i) {
      const std::string text(size, 'x');
      EXPECT_EQ(session.call<std::string>("/twice", text).value().size(), 2 * size);
    }
  }
}

}  // namespace
}  // namespace parley
