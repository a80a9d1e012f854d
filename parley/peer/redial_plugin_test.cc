// What plugins see of a session that is dialled again.
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "parley/net/sim_network.h"
#include "parley/peer/batch.h"
#include "parley/peer/early_session.h"
#include "parley/peer/endpoints.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/plugins/auth.h"
#include "parley/peer/testing/pair.h"
#include "parley/peer/testing/street.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::Log;
using testing::soon;
using testing::Street;
using testing::wait_until;

PARLEY_PEER_TEST(RedialPlugins, auth_bearer_logs_in_again_before_waiting_calls_go) {
  std::atomic<int> checks = 0;
  Street street({.plugins = {auth_bearer({.body = Bytes::copy_of("token of ann")})}},
                {.plugins = {auth_checker(
                     [&](EarlySession& session, const Credentials& shown) -> Result<Credentials> {
                       ++checks;
                       if (shown.body.to_string() != "token of ann") {
                         return Status(Code::unauthenticated, "no such token");
                       }
                       if (Status s = session.set_id("ann"); !s.is_ok()) return s;
                       return Credentials();
                     })}});
  const Session session = street.dial();
  for (int round = 2; round <= 4; ++round) {
    street.fall(session);
    rt::Scope scope;
    scope.go("call", [&] { EXPECT_EQ(session.call<int>("/count", round).value(), round); });
    scope.go("later",
             [&] { EXPECT_EQ(session.call_async<int>("/count", round).get().value(), round); });
    street.rise();
    scope.join();
    EXPECT_EQ(checks, round);
    EXPECT_TRUE(street.server->session("ann"));
  }
  EXPECT_EQ(street.runs, 6);
}

PARLEY_PEER_TEST(RedialPlugins, a_log_in_may_call_without_waiting_though_plugins_are_around) {
  const Plugin around{.name = "around", .call = [](CallStep&, Next& next) { return next(); }};
  Street street({.plugins = {around}});
  std::atomic<int> log_ins = 0;
  const Session session =
      street.dial(testing::soon, [&](const Session& dialled, const RedialAttempt& attempt) {
        if (!attempt.outcome.is_ok()) return Status();
        Status status = dialled.call_async<int>("/count", 1).get().error();
        if (status.is_ok()) ++log_ins;
        return status;
      });
  street.fall(session);
  street.rise();
  EXPECT_EQ(session.call<int>("/count", 2).value(), 2);
  EXPECT_EQ(log_ins, 1);
}

// A token that holds no longer is not shown again and again.
PARLEY_PEER_TEST(RedialPlugins, who_is_not_let_in_any_more_is_not_dialled_again) {
  std::atomic<int> checks = 0;
  Street street(
      {.plugins = {auth_bearer({.body = Bytes::copy_of("token")})}},
      {.plugins = {auth_checker([&](EarlySession&, const Credentials&) -> Result<Credentials> {
         if (++checks == 1) return Credentials();
         return Status(Code::unauthenticated, "the token has expired");
       })}});
  const Session session = street.dial();
  EXPECT_EQ(session.call<int>("/count", 1).value(), 1);
  street.cut();
  const Status reason = session.wait_closed();
  EXPECT_EQ(reason.code(), Code::unauthenticated) << reason;
  EXPECT_EQ(checks, 2);
  EXPECT_EQ(session.call<int>("/count", 1).error().code(), Code::not_sent);
}

PARLEY_PEER_TEST(RedialPlugins, hooks_are_asked_for_each_connection_and_told_of_the_end_once) {
  Log told;
  const Plugin watching = {
      .name = "watching",
      .before_dial =
          [&](const Dialling& dialling) {
            told.add(dialling.is_redial ? "redial" : "dial");
            return Status();
          },
      .after_dial =
          [&](EarlySession& session) {
            told.add(session.is_redial() ? "connected again" : "connected");
            EXPECT_EQ(session.values().get<int>("visits") != nullptr, session.is_redial());
            EXPECT_TRUE(session.values().set("visits", 1).is_ok());
            return session.set_id("ann");
          },
      .on_session =
          [&](const Session&) {
            told.add("session");
            return Status();
          },
      .on_disconnect =
          [&](const ClosedSession& session) {
            EXPECT_EQ(session.id(), "ann");
            EXPECT_EQ(*session.values().get<int>("visits"), 1);
            told.add("ended");
          },
  };
  Street street({.plugins = {watching}});
  const Session session = street.dial();
  EXPECT_TRUE(session.on_closed([&](const Status&) { told.add("closed"); }).is_ok());
  EXPECT_EQ(told.take(), "dial\nconnected\nsession\n");
  for (int i = 0; i < 2; ++i) {
    street.cut();
    EXPECT_EQ(session.call<int>("/count", i).value(), i);
    EXPECT_EQ(told.take(), "redial\nconnected again\n");
    EXPECT_TRUE(session == *street.client->session("ann"));
  }
  session.close();
  EXPECT_EQ(told.take(), "closed\nended\n");
}

// Which hook says what, and to which attempts.
struct Refusing {
  bool is_before = false;
  Code code = Code::ok;
  int times = 0;
};

Plugin refusing(const Refusing& how, std::atomic<int>& asked) {
  const auto answer = [&asked, how](bool is_redial) {
    if (!is_redial) return Status();
    return ++asked <= how.times ? Status(how.code, "not today") : Status();
  };
  Plugin plugin{.name = "refusing"};
  if (how.is_before) {
    plugin.before_dial = [answer](const Dialling& dialling) { return answer(dialling.is_redial); };
  } else {
    plugin.after_dial = [answer](EarlySession& session) { return answer(session.is_redial()); };
  }
  return plugin;
}

PARLEY_PEER_TEST(RedialPlugins, a_refusal_ends_the_session_and_what_may_be_better_soon_is_tried) {
  for (const bool is_before : {true, false}) {
    for (const Code code : {Code::permission_denied, Code::resource_exhausted, Code::unavailable,
                            Code::not_sent, Code::deadline_exceeded}) {
      std::atomic<int> asked = 0;
      const bool is_final = code == Code::permission_denied || code == Code::resource_exhausted;
      Street street({.plugins = {refusing({is_before, code, 2}, asked)}});
      const Session session = street.dial();
      EXPECT_EQ(session.call<int>("/count", 1).value(), 1);
      street.cut();
      if (is_final) {
        EXPECT_EQ(session.wait_closed().code(), code);
        EXPECT_EQ(asked, 1);
      } else {
        EXPECT_EQ(session.call<int>("/count", 2).value(), 2);
        EXPECT_EQ(asked, 3);
      }
    }
  }
}

PARLEY_PEER_TEST(RedialPlugins, an_attempt_that_a_plugin_makes_fail_counts_and_is_told) {
  std::atomic<int> asked = 0;
  std::atomic<int> told = 0;
  Street street({.plugins = {refusing({false, Code::unavailable, 100}, asked)}});
  RedialOptions three = soon;
  three.count = 3;
  const Session session = street.dial(three, [&](const Session&, const RedialAttempt& attempt) {
    EXPECT_EQ(attempt.outcome.code(), Code::unavailable);
    ++told;
    return Status();
  });
  street.cut();
  const Status reason = session.wait_closed();
  EXPECT_EQ(reason.code(), Code::unavailable);
  EXPECT_NE(reason.cause().find("not today"), std::string::npos) << reason;
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(told, 3);
}

PARLEY_PEER_TEST(RedialPlugins, middlewares_run_once_around_all_tries_of_a_call) {
  std::atomic<int> calls = 0;
  std::atomic<int> opens = 0;
  const auto counting = [](std::atomic<int>& count) {
    return [&count](CallStep&, Next& next) {
      ++count;
      return next();
    };
  };
  Street street(
      {.plugins = {{.name = "counting", .call = counting(calls), .open = counting(opens)}}});
  const Session session = street.dial();
  EXPECT_EQ(session.call<int>("/count", 0).value(), 0);
  street.fall(session);
  calls = 0;
  street.runs = 0;
  rt::Scope scope;
  scope.go("call", [&] { EXPECT_EQ(session.call<int>("/count", 1).value(), 1); });
  scope.go("accepting", [&] {
    const CallOptions options{.accept_body_codec = wire::BodyCodec::json};
    EXPECT_EQ(session.call<int>(options, "/count", 5).value(), 5);
  });
  scope.go("later", [&] { EXPECT_EQ(session.call_async<int>("/count", 2).get().value(), 2); });
  scope.go("push", [&] { EXPECT_TRUE(session.push("/say", "late").is_ok()); });
  scope.go("batch", [&] {
    Batch<int> batch(session);
    batch.add("/count", 3);
    batch.add("/count", 4);
    const auto answers = batch.call();
    EXPECT_EQ(answers[0].value(), 3);
    EXPECT_EQ(answers[1].value(), 4);
  });
  scope.go("stream", [&] {
    auto stream = session.open<int, int>("/echo");
    ASSERT_TRUE(stream) << stream.error();
    EXPECT_TRUE(stream->send(4).is_ok());
    EXPECT_EQ(**stream->receive(), 4);
  });
  wait_until([&] { return calls == 6 && opens == 1; });
  for (int i = 0; i < 10; ++i) rt::yield();
  street.rise();
  scope.join();
  street.said.wait_for("late");
  EXPECT_EQ(street.runs, 5);
  EXPECT_EQ(calls, 6);
  EXPECT_EQ(opens, 1);
}

PARLEY_PEER_TEST(RedialPlugins, what_a_call_accepts_is_said_on_each_connection) {
  Log accepted;
  Street street(
      {}, {.plugins = {{.name = "listening", .serve = [&](ServeStep& step, Next& next) {
                          accepted.add(step.metadata().get("X-Accept-Body-Codec").value_or("?"));
                          return next();
                        }}}});
  const Session session = street.dial();
  const CallOptions options{.accept_body_codec = wire::BodyCodec::json};
  for (int i = 0; i < 2; ++i) {
    street.fall(session);
    rt::Scope scope;
    scope.go("call", [&] { EXPECT_EQ(session.call<int>(options, "/count", i).value(), i); });
    scope.go("later",
             [&] { EXPECT_EQ(session.call_async<int>(options, "/count", i).get().value(), i); });
    for (int k = 0; k < 10; ++k) rt::yield();
    street.rise();
    scope.join();
    const std::string json = std::to_string(static_cast<int>(wire::BodyCodec::json));
    EXPECT_EQ(accepted.take(), json + "\n" + json + "\n");
  }
}

// What goes through plugins and is given up while nothing is connected ends like any other call.
PARLEY_PEER_TEST(RedialPlugins, calls_through_plugins_end_with_their_time_and_with_the_session) {
  Street street(
      {.plugins = {{.name = "passing", .call = [](CallStep&, Next& next) { return next(); }}}});
  const Session session = street.dial();
  street.fall(session);
  EXPECT_EQ(session.call<int>({.timeout = 20ms}, "/count", 1).error().code(), Code::not_sent);
  EXPECT_EQ(session.call_async<int>({.timeout = 20ms}, "/count", 1).get().error().code(),
            Code::not_sent);
  AsyncCall<int> given_up = session.call_async<int>("/count", 1);
  AsyncCall<int> at_the_end = session.call_async<int>("/count", 1);
  given_up.cancel();
  EXPECT_EQ(given_up.get().error().code(), Code::cancelled);
  session.close();
  EXPECT_EQ(at_the_end.get().error().code(), Code::not_sent);
  EXPECT_EQ(session.call_async<int>("/count", 1).get().error().code(), Code::not_sent);
  EXPECT_EQ(street.runs, 0);
}

}  // namespace
}  // namespace parley
