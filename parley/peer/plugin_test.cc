#include "parley/peer/plugin.h"

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "parley/peer/batch.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/push.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/wire/testing/toy_filters.h"

namespace parley {
namespace {

using testing::Log;
using testing::Pair;
using namespace std::chrono_literals;
using wire::BodyCodec;

PeerOptions with(std::vector<Plugin> plugins) { return {.plugins = std::move(plugins)}; }

// Writes down when it was begun and when it was left.
Plugin noting(const std::string& name, Log& log) {
  return {.name = name,
          .call =
              [&log, name](CallStep& step, Next& next) {
                log.add(name + " calls " + step.method());
                Status status = next();
                log.add(name + " called " + step.method());
                return status;
              },
          .serve =
              [&log, name](ServeStep& step, Next& next) {
                log.add(name + " serves " + std::string(step.method()));
                Status status = next();
                log.add(name + " served " + std::string(step.method()));
                return status;
              }};
}

Plugin serving(std::function<Status(ServeStep&, Next&)> serve) {
  return {.name = "serving", .serve = std::move(serve)};
}
Plugin calling(std::function<Status(CallStep&, Next&)> call) {
  return {.name = "calling", .call = std::move(call)};
}

Bytes json(const std::string& text) { return Bytes::from(text); }

PARLEY_PEER_TEST(Plugins, stand_one_in_the_other_around_a_call_on_both_sides) {
  Log log;
  Pair pair(with({noting("outer", log), noting("inner", log)}),
            with({noting("first", log), noting("second", log)}));
  pair.server.handle("/add", [](int a, int b) { return a + b; });
  EXPECT_EQ(pair.dial().call<int>("/add", 1, 2).value(), 3);
  EXPECT_EQ(log.text(),
            "first calls /add\nsecond calls /add\n"
            "outer serves /add\ninner serves /add\ninner served /add\nouter served /add\n"
            "second called /add\nfirst called /add\n");
}

PARLEY_PEER_TEST(Plugins, a_serving_one_changes_the_question_and_the_answer) {
  Pair pair(with({serving([](ServeStep& step, Next& next) {
              EXPECT_EQ(step.metadata().get("who"), "ann");
              step.set_method("/twice");
              step.set_body(BodyCodec::json, json("21"));
              step.set_metadata({{"who", "bob"}});
              Status status = next();
              EXPECT_EQ(step.reply_bytes(), 2U);
              EXPECT_EQ(step.reply_body(), "42");
              EXPECT_EQ(step.reply_codec(), BodyCodec::json);
              step.set_reply(BodyCodec::json, json("4242"));
              step.reply_metadata().set("seen", "yes");
              return status;
            })}),
            {});
  pair.server.handle("/twice", [](Context& context, int n) {
    EXPECT_EQ(context.method(), "/twice");
    EXPECT_EQ(context.metadata().get("who"), "bob");
    return 2 * n;
  });
  wire::Metadata reply;
  const CallOptions options{.metadata = {{"who", "ann"}}, .reply_metadata = &reply};
  EXPECT_EQ(pair.dial().call<int>(options, "/once", 1).value(), 4242);
  EXPECT_EQ(reply.get("seen"), "yes");
}

PARLEY_PEER_TEST(Plugins, a_calling_one_changes_the_question_and_the_answer) {
  Pair pair({}, with({calling([](CallStep& step, Next& next) {
              step.set_method("/twice");
              step.options().metadata.set("who", "bob");
              step.set_body(BodyCodec::json, json("21"));
              Status status = next();
              EXPECT_EQ(step.reply_body(), "42");
              EXPECT_EQ(step.reply_metadata().get("from"), "bob");
              step.set_reply(BodyCodec::json, json("4242"));
              step.reply_metadata().set("seen", "yes");
              return status;
            })}));
  pair.server.handle("/twice", [](Context& context, int n) {
    context.reply_metadata().set("from", std::string(*context.metadata().get("who")));
    return 2 * n;
  });
  wire::Metadata reply;
  EXPECT_EQ(pair.dial().call<int>({.reply_metadata = &reply}, "/once", 1).value(), 4242);
  EXPECT_EQ(reply.get("seen"), "yes");
}

PARLEY_PEER_TEST(Plugins, what_one_of_a_group_gives_a_request_is_not_in_the_next) {
  Pair pair;
  const auto who = [](Context& context) {
    return std::string(context.metadata().get("who").value_or("nobody"));
  };
  pair.server
      .group("/admin", {serving([](ServeStep& step, Next& next) {
               step.set_metadata({{"who", "bob"}});
               return next();
             })})
      .handle("/who", who);
  pair.server.handle("/who", who);
  const Session bob = pair.dial();
  const Session ann = pair.dial();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bob.call<std::string>("/admin/who").value(), "bob");
    EXPECT_EQ(ann.call<std::string>("/who").value(), "nobody");
    EXPECT_EQ(bob.call<std::string>("/who").value(), "nobody");
  }
}

PARLEY_PEER_TEST(Plugins, what_one_gives_a_request_is_not_in_the_next) {
  Pair pair(with({serving([](ServeStep& step, Next& next) {
              if (step.method() == "/given") step.set_metadata({{"who", "bob"}});
              return next();
            })}),
            {});
  const auto who = [](Context& context) {
    return std::string(context.metadata().get("who").value_or("nobody"));
  };
  pair.server.handle("/given", who);
  pair.server.handle("/plain", who);
  const Session session = pair.dial();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(session.call<std::string>("/given").value(), "bob");
    EXPECT_EQ(session.call<std::string>("/plain").value(), "nobody");
  }
}

PARLEY_PEER_TEST(Plugins, those_of_the_peer_come_before_the_method_is_looked_for) {
  std::atomic<int> unknown = 0;
  Pair pair(with({serving([&](ServeStep& step, Next& next) {
              if (step.method() == "/gone") step.set_method("/here");
              Status status = next();
              if (status.code() == Code::not_found) ++unknown;
              return status;
            })}),
            {});
  pair.server.handle("/here", [] { return 7; });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/gone").value(), 7);
  EXPECT_EQ(session.call<int>("/nowhere").error().code(), Code::not_found);
  EXPECT_EQ(unknown, 1);
}

PARLEY_PEER_TEST(Plugins,
                 those_of_a_group_are_around_its_methods_alone_and_inside_those_of_the_peer) {
  Log log;
  Pair pair(with({noting("peer", log)}), {});
  Group admin = pair.server.group("/admin", {noting("admin", log)});
  Group users = admin.group("/users", {noting("users", log)});
  users.handle("/count", [] { return 3; });
  admin.handle("/stop", [] {});
  pair.server.handle("/open", [] {});
  pair.server.group("", {noting("one", log)}).handle("/one", [] {});
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/admin/users/count").value(), 3);
  EXPECT_EQ(log.take(),
            "peer serves /admin/users/count\nadmin serves /admin/users/count\n"
            "users serves /admin/users/count\nusers served /admin/users/count\n"
            "admin served /admin/users/count\npeer served /admin/users/count\n");
  EXPECT_TRUE(session.call("/admin/stop"));
  EXPECT_EQ(log.take(),
            "peer serves /admin/stop\nadmin serves /admin/stop\nadmin served /admin/stop\n"
            "peer served /admin/stop\n");
  EXPECT_TRUE(session.call("/open"));
  EXPECT_EQ(log.take(), "peer serves /open\npeer served /open\n");
  EXPECT_TRUE(session.call("/one"));
  EXPECT_EQ(log.take(), "peer serves /one\none serves /one\none served /one\npeer served /one\n");
}

PARLEY_PEER_TEST(Plugins, one_of_a_group_changes_what_its_handlers_get) {
  Pair pair;
  Group group = pair.server.group("/g", {serving([](ServeStep& step, Next& next) {
                                    step.set_body(BodyCodec::json, json("[20,22]"));
                                    Status status = next();
                                    step.set_reply(BodyCodec::json, json("1"));
                                    return status;
                                  })});
  rt::Channel<int> sums(1);
  group.handle("/add", [&](int a, int b) { EXPECT_TRUE(sums.send(a + b).is_ok()); });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/g/add").value(), 1);
  EXPECT_EQ(sums.receive().value(), 42);
}

// --- Cutting short

PARLEY_PEER_TEST(Plugins, an_error_without_next_is_the_answer_and_nothing_behind_it_runs) {
  Log log;
  Pair pair(with({noting("outer", log),
                  serving([](ServeStep&, Next&) { return Status::business(1007, "not today"); }),
                  noting("inner", log)}),
            {});
  pair.server.handle("/x", [&] { log.add("handler"); });
  EXPECT_EQ(pair.dial().call("/x").error().business_code(), 1007);
  EXPECT_EQ(log.text(), "outer serves /x\nouter served /x\n");
}

PARLEY_PEER_TEST(Plugins, ok_without_next_answers_with_what_was_set_or_nothing) {
  Pair pair(with({serving([](ServeStep& step, Next&) {
              if (step.method() == "/cached") step.set_reply(BodyCodec::json, json("\"old\""));
              return Status();
            })}),
            {});
  pair.server.handle("/cached", [] { return std::string("new"); });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<std::string>("/cached").value(), "old");
  EXPECT_TRUE(session.call_raw({}, "/other", BodyCodec::none, {}).value().empty());
}

PARLEY_PEER_TEST(Plugins, an_error_after_next_wins_over_a_result_and_ok_over_an_error) {
  Pair pair(with({serving([](ServeStep& step, Next& next) {
              const Status status = next();
              if (status.is_ok()) return Status(Code::permission_denied, "not for you");
              EXPECT_EQ(step.reply_bytes(), 0U);
              step.set_reply(BodyCodec::json, json("\"instead\""));
              return Status();
            })}),
            {});
  pair.server.handle("/fine", [] { return 1; });
  pair.server.handle("/bad", []() -> Result<int> { return Status(Code::aborted, "no"); });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/fine").error().code(), Code::permission_denied);
  EXPECT_EQ(session.call<std::string>("/bad").value(), "instead");
}

PARLEY_PEER_TEST(Plugins, of_a_push_an_error_is_logged_and_the_session_goes_on) {
  Pair pair(with({serving([](ServeStep& step, Next& next) {
              return step.is_push() ? Status(Code::permission_denied, "no pushes here") : next();
            })}),
            {});
  pair.server.handle("/x", [] {});
  const Session session = pair.dial();
  EXPECT_TRUE(session.push("/x").is_ok());
  pair.server_log.wait_for("PUSH /x failed: permission_denied: no pushes here");
  EXPECT_TRUE(session.call("/x"));
}

PARLEY_PEER_TEST(Plugins, a_call_that_is_cut_short_here_never_leaves) {
  std::atomic<int> served = 0;
  Pair pair({}, with({calling([](CallStep& step, Next& next) {
              if (step.method() == "/refused") return Status(Code::unavailable, "breaker is open");
              if (step.method() != "/cached") return next();
              step.set_reply(BodyCodec::json, json("5"));
              return Status();
            })}));
  pair.server.handle("/refused", [&] { ++served; });
  pair.server.handle("/cached", [&] { ++served; });
  pair.server.handle("/last", [] {});
  const Session session = pair.dial();
  EXPECT_EQ(session.call("/refused").error().code(), Code::unavailable);
  EXPECT_EQ(session.call<int>("/cached").value(), 5);
  EXPECT_EQ(session.push("/refused").code(), Code::unavailable);
  EXPECT_TRUE(session.push("/cached").is_ok());
  EXPECT_TRUE(session.call("/last"));
  EXPECT_EQ(served, 0);
}

PARLEY_PEER_TEST(Plugins, next_runs_once_where_a_call_is_served_and_again_where_it_is_made) {
  std::atomic<int> served = 0;
  Pair pair(with({serving([](ServeStep& step, Next& next) {
              Status status = next();
              return step.method() == "/again" ? next() : status;
            })}),
            with({calling([](CallStep&, Next& next) {
              Status status = next();
              for (int i = 0; i < 2 && status.code() == Code::aborted; ++i) status = next();
              return status;
            })}));
  pair.server.handle("/again", [&] { ++served; });
  pair.server.handle("/flaky", [&]() -> Result<int> {
    if (++served < 3) return Status(Code::aborted, "not yet");
    return 7;
  });
  const Session session = pair.dial();
  const Status twice = session.call("/again").error();
  EXPECT_EQ(twice.code(), Code::internal);
  EXPECT_NE(twice.message().find("plugin serving called next() twice"), std::string::npos);
  EXPECT_EQ(served.exchange(0), 1);
  EXPECT_EQ(session.call<int>("/flaky").value(), 7);
  EXPECT_EQ(served, 3);
}

PARLEY_PEER_TEST(Plugins, what_one_throws_is_an_error_that_names_it) {
  Pair pair(with({serving([](ServeStep&, Next&) -> Status { throw std::runtime_error("oops"); })}),
            with({calling([](CallStep& step, Next& next) -> Status {
              if (step.method() == "/here") throw std::runtime_error("ouch");
              return next();
            })}));
  const Session session = pair.dial();
  const Status there = session.call("/there").error();
  EXPECT_EQ(there.code(), Code::internal);
  EXPECT_EQ(there.message(), "plugin serving threw an exception in serve");
  EXPECT_EQ(there.cause(), "oops");
  EXPECT_TRUE(pair.server_log.has(
      ": internal: /there: plugin serving threw an exception in serve (cause: oops)\n"));
  EXPECT_EQ(session.call("/here").error().message(), "plugin calling threw an exception in call");
}

TEST(PluginsDeathTest, a_name_that_is_there_twice_ends_the_program_and_is_named) {
  const auto twice = [] {
    rt::testing::run_fiber_test(
        [] { const Peer peer(with({{.name = "log"}, {.name = "auth"}, {.name = "log"}})); });
  };
  const auto in_a_group = [] {
    rt::testing::run_fiber_test([] {
      Peer peer(with({{.name = "log"}}));
      (void)peer.group("/a", {{.name = "auth"}}).group("/b", {{.name = "log"}});
    });
  };
  EXPECT_DEATH(twice(), "plugin \"log\" is there twice");
  EXPECT_DEATH(in_a_group(), "plugin \"log\" is there twice");
}

// --- All ways to call

PARLEY_PEER_TEST(Plugins, are_around_calls_that_nobody_waits_for_one_by_one) {
  Log log;
  Pair pair({}, with({noting("all", log)}));
  pair.server.handle("/n", [](int n) { return n; });
  const Session session = pair.dial();
  EXPECT_EQ(session.call_async<int>("/n", 1).get().value(), 1);
  EXPECT_EQ(log.take(), "all calls /n\nall called /n\n");
  rt::Channel<int> came(1);
  EXPECT_TRUE(session
                  .call_then<int>([&](Result<int> n) { EXPECT_TRUE(came.send(n.value()).is_ok()); },
                                  "/n", 2)
                  .is_ok());
  EXPECT_EQ(came.receive().value(), 2);
  EXPECT_EQ(log.take(), "all calls /n\nall called /n\n");
  Batch<int> batch(session);
  for (int i = 0; i < 10; ++i) batch.add("/n", i);
  const auto results = batch.call();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)].value(), i);
  const std::string text = log.take();
  EXPECT_EQ(std::ranges::count(text, '\n'), 20);
}

PARLEY_PEER_TEST(Plugins, a_call_without_waiting_may_be_given_up_and_ends_in_its_time) {
  rt::Event let_go;
  Pair pair({}, with({calling([&](CallStep&, Next& next) {
              if (Status s = let_go.wait(); !s.is_ok()) return s;
              return next();
            })}));
  pair.server.handle("/n", [](int n) { return n; });
  const Session session = pair.dial();
  const auto given_up = session.call_async<int>("/n", 1);
  given_up.cancel();
  EXPECT_TRUE(given_up.has_ended());
  auto late = session.call_async<int>({.timeout = 20ms}, "/n", 1);
  EXPECT_EQ(late.get().error().code(), Code::deadline_exceeded);
  auto in_time = session.call_async<int>("/n", 2);
  let_go.set();
  EXPECT_EQ(in_time.get().value(), 2);
}

PARLEY_PEER_TEST(Plugins, a_session_that_ends_ends_calls_that_plugins_have) {
  Pair pair({}, with({calling([](CallStep&, Next& next) {
              (void)rt::Context::current().wait_done();
              return next();
            })}));
  const Session session = pair.dial();
  auto call = session.call_async<int>({.timeout = 20ms}, "/n", 1);
  session.close();
  EXPECT_FALSE(call.get());
  EXPECT_FALSE(session.call_async<int>("/n", 1).get());
}

PARLEY_PEER_TEST(Plugins, are_around_a_push_to_many_for_each_session) {
  rt::Channel<std::string> heard(10);
  Pair pair(with({{.name = "mark",
                   .call =
                       [](CallStep& step, Next& next) {
                         if (step.kind() != CallStep::Kind::push) return next();
                         const auto to = step.session().values().get<std::string>("name");
                         if (to == nullptr) return Status(Code::permission_denied, "not him");
                         step.set_body(BodyCodec::json, json("\"for " + *to + "\""));
                         return next();
                       }}}),
            {});
  pair.client.handle("/news",
                     [&](const std::string& text) { EXPECT_TRUE(heard.send(text).is_ok()); });
  pair.server.handle("/name", [](Context& context, const std::string& name) {
    EXPECT_TRUE(context.session().values().set("name", name).is_ok());
  });
  const Session ann = pair.dial();
  const Session bob = pair.dial();
  const Session eve = pair.dial();
  ASSERT_TRUE(ann.call("/name", "ann"));
  ASSERT_TRUE(bob.call("/name", "bob"));
  ASSERT_FALSE(eve.call("/nothing"));
  const auto pushed = pair.server.push_all({}, "/news", "x");
  EXPECT_EQ(pushed.value(), (Pushed{.sent = 2, .failed = 1}));
  std::vector<std::string> texts{heard.receive().value(), heard.receive().value()};
  std::ranges::sort(texts);
  EXPECT_EQ(texts, (std::vector<std::string>{"for ann", "for bob"}));
}

PARLEY_PEER_TEST(Plugins, one_that_serves_a_stream_without_its_handler_ends_it) {
  const auto serve = [](ServeStep&, Next&) { return Status(); };
  Pair pair(with({Plugin{.name = "ends", .serve_stream = serve}}), {});
  pair.server.handle_stream("/never", [](Stream<int, int>&) {
    ADD_FAILURE() << "it ran";
    return Status();
  });
  const Session session = pair.dial();
  for (int i = 0; i < 3; ++i) {
    auto stream = session.open<int, int>("/never");
    ASSERT_TRUE(stream) << stream.error();
    EXPECT_FALSE(stream->receive().value().has_value());
  }
}

PARLEY_PEER_TEST(Plugins, are_around_streams_where_they_are_opened_and_served) {
  Log log;
  const auto stream_plugin = [&](const std::string& name) {
    return Plugin{.name = name,
                  .open =
                      [&log, name](CallStep& step, Next& next) {
                        log.add(name + " opens " + step.method());
                        if (step.method() == "/refused") return Status(Code::aborted, "not that");
                        step.set_method("/double");
                        return next();
                      },
                  .serve_stream =
                      [&log, name](ServeStep& step, Next& next) {
                        log.add(name + " serves " + std::string(step.method()));
                        if (step.metadata().get("who") == "eve") {
                          return Status(Code::permission_denied, "not you");
                        }
                        const Status status = next();
                        step.reply_metadata().set("by", name);
                        return status;
                      }};
  };
  Pair pair(with({stream_plugin("server")}), with({stream_plugin("client")}));
  pair.server.group("", {stream_plugin("group")})
      .handle_stream("/double", [](Stream<int, int>& stream) -> Status {
        while (auto n = stream.receive()) {
          if (!*n) return {};
          if (Status s = stream.send(2 * **n); !s.is_ok()) return s;
        }
        return {};
      });
  const Session session = pair.dial();
  {
    auto stream = session.open<int, int>("/d");
    ASSERT_TRUE(stream) << stream.error();
    EXPECT_TRUE(stream->send(4).is_ok());
    EXPECT_EQ(stream->receive().value(), 8);
    EXPECT_TRUE(stream->finish().is_ok());
    EXPECT_EQ(stream->receive().value(), std::nullopt);
  }
  EXPECT_EQ(log.take(), "client opens /d\nserver serves /double\ngroup serves /double\n");
  EXPECT_EQ((session.open<int, int>("/refused").error().code()), Code::aborted);
  auto eve = session.open<int, int>({.metadata = {{"who", "eve"}}}, "/d");
  ASSERT_TRUE(eve);
  EXPECT_EQ(eve->receive().error().code(), Code::permission_denied);
}

// --- What plugins are made for

Bytes masked(const Bytes& body) {
  std::string text = body.to_string();
  for (char& each : text) each = static_cast<char>(each ^ 0x55);
  return Bytes::from(text);
}

PARLEY_PEER_TEST(Plugins, of_both_sides_may_rewrite_bodies_both_ways) {
  const Plugin secure{.name = "secure",
                      .call =
                          [](CallStep& step, Next& next) {
                            step.set_body(step.body_codec(), masked(step.body()));
                            Status status = next();
                            step.set_reply(step.reply_codec(), masked(step.reply_body()));
                            return status;
                          },
                      .serve =
                          [](ServeStep& step, Next& next) {
                            EXPECT_NE(step.body(), "\"tea\"");
                            step.set_body(step.body_codec(), masked(step.body()));
                            Status status = next();
                            step.set_reply(step.reply_codec(), masked(step.reply_body()));
                            return status;
                          }};
  Pair pair(with({secure}), with({secure}));
  rt::Channel<std::string> pushed(1);
  pair.server.handle("/echo", [](std::string text) { return text; });
  pair.server.handle("/news",
                     [&](const std::string& text) { EXPECT_TRUE(pushed.send(text).is_ok()); });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<std::string>("/echo", "tea").value(), "tea");
  const std::string large(100'000, 'x');
  EXPECT_EQ(session.call<std::string>("/echo", large).value(), large);
  EXPECT_TRUE(session.push("/news", "tea").is_ok());
  EXPECT_EQ(pushed.receive().value(), "tea");
}

PARLEY_PEER_TEST(Plugins, one_may_send_what_is_unknown_here_elsewhere) {
  Pair behind;
  behind.server.handle("/add", [](Context& context, int a, int b) {
    EXPECT_EQ(context.metadata().get("X-Real-IP"), "127.0.0.1");
    return a + b;
  });
  const Session backend = behind.dial();
  Pair pair(with({serving([&](ServeStep& step, Next& next) {
              Status status = next();
              if (status.code() != Code::not_found) return status;
              CallOptions options{.metadata = step.metadata()};
              options.metadata.set("X-Real-IP", step.context().real_ip());
              auto reply = backend.call_raw(options, step.method(), step.body_codec(), step.body());
              if (!reply) return reply.error();
              step.set_reply(step.body_codec(), *std::move(reply));
              return Status();
            })}),
            {});
  pair.server.handle("/here", [] { return 1; });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/here").value(), 1);
  EXPECT_EQ(session.call<int>("/add", 20, 22).value(), 42);
  EXPECT_EQ(session.call("/nowhere").error().code(), Code::not_found);
}

// --- What is around them

PARLEY_PEER_TEST(Plugins, one_that_waits_while_it_serves_does_not_hold_up_others) {
  rt::Event let_go;
  Pair pair(with({serving([&](ServeStep& step, Next& next) {
              if (step.method() == "/slow") {
                if (Status s = let_go.wait(); !s.is_ok()) return s;
              }
              Status status = next();
              if (step.method() == "/slow") rt::yield();
              return status;
            })}),
            {});
  pair.server.handle("/slow", [] { return 1; });
  pair.server.handle("/quick", [] { return 2; });
  const Session session = pair.dial();
  std::vector<AsyncCall<int>> slow;
  for (int i = 0; i < 20; ++i) slow.push_back(session.call_async<int>("/slow"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(session.call<int>("/quick").value(), 2);
  let_go.set();
  for (AsyncCall<int>& each : slow) EXPECT_EQ(each.get().value(), 1);
}

PARLEY_PEER_TEST(Plugins, one_that_waits_ends_when_the_caller_gives_up) {
  rt::Channel<Code> ended(1);
  rt::Channel<int> begun(2);
  Pair pair(with({serving([&](ServeStep&, Next&) {
              EXPECT_TRUE(begun.send(1).is_ok());
              const Status status = rt::Context::current().wait_done();
              EXPECT_TRUE(ended.send(status.code()).is_ok());
              return status;
            })}),
            {});
  const Session session = pair.dial();
  auto late = session.call_async({.timeout = 500ms}, "/x");
  EXPECT_TRUE(begun.receive());
  EXPECT_EQ(late.get().error().code(), Code::deadline_exceeded);
  // Of the server's own deadline and the caller's word that it gave up either may come first.
  const Code first = ended.receive().value();
  EXPECT_TRUE(first == Code::deadline_exceeded || first == Code::cancelled) << first;
  const auto call = session.call_async("/x");
  EXPECT_TRUE(begun.receive());
  call.cancel();
  EXPECT_EQ(ended.receive().value(), Code::cancelled);
}

PARLEY_PEER_TEST(Plugins, see_bodies_as_they_are_without_their_transfer_filters) {
  PeerOptions options = with({serving([](ServeStep& step, Next& next) {
    EXPECT_EQ(step.body(), step.method() == "/echo" ? "\"hello\"" : "");
    return next();
  })});
  options.filters = wire::testing::toy_filters();
  Pair pair(options, {.filters = wire::testing::toy_filters()});
  pair.server.handle("/echo", [](std::string text) { return text; });
  const CallOptions filtered{.filters = wire::FilterPipe("a")};
  EXPECT_EQ(pair.dial().call<std::string>(filtered, "/echo", "hello").value(), "hello");
}

PARLEY_PEER_TEST(Plugins, a_body_that_is_changed_counts_for_what_it_is) {
  Pair pair(PeerOptions{.max_handler_bytes = 1'000,
                        .plugins = {serving([](ServeStep& step, Next& next) {
                          step.set_body(BodyCodec::json, json("\"" + std::string(900, 'x') + "\""));
                          step.set_metadata({{"key", "value"}});
                          return next();
                        })}},
            {});
  rt::Event let_go;
  rt::Event runs;
  pair.server.handle("/hold", [&](const std::string&) {
    runs.set();
    (void)let_go.wait();
  });
  const Session session = pair.dial();
  auto first = session.call_async("/hold", "a");
  (void)runs.wait();
  EXPECT_EQ(session.call("/hold", std::string(200, 'y')).error().code(), Code::resource_exhausted);
  let_go.set();
  EXPECT_TRUE(first.get());
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(session.call("/hold", std::string(800, 'z')));
}

PARLEY_PEER_TEST(Plugins, on_four_workers_many_callers_get_their_own_answers) {
  std::atomic<int> served = 0;
  Pair pair(with({serving([&](ServeStep& step, Next& next) {
              ++served;
              if (served % 7 == 0) rt::yield();
              Status status = next();
              if (served % 5 == 0) rt::yield();
              step.reply_metadata().set("m", "1");
              return status;
            })}),
            with({calling([](CallStep&, Next& next) { return next(); })}));
  pair.server.group("", {{.name = "inner", .serve = [](ServeStep&, Next& next) { return next(); }}})
      .handle("/n", [](int n) { return n + 1; });
  const Session session = pair.dial();
  rt::Scope scope;
  for (int fiber = 0; fiber < 8; ++fiber) {
    scope.go("caller", [&, fiber] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(session.call<int>("/n", 1000 * fiber + i).value(), 1000 * fiber + i + 1);
      }
    });
  }
  scope.join();
  EXPECT_EQ(served, 400);
}

}  // namespace
}  // namespace parley
