#include "parley/peer/foreign_session.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "parley/peer/early_session.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/context.h"
#include "parley/rt/deferred_context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using wire::BodyCodec;

const net::Address customer = *net::Address::parse("tcp://192.0.2.7:50000");

std::unique_ptr<ForeignSession> open_at(Peer& peer) {
  auto session = ForeignSession::open(peer, {.remote = customer, .protocol = "HTTP"});
  EXPECT_TRUE(session) << session.error();
  return *std::move(session);
}

ForeignCall json_call(std::string_view method, std::string body) {
  return {.method = method, .codec = BodyCodec::json, .body = Bytes::from(std::move(body))};
}

PARLEY_PEER_TEST(ForeignSession, calls_the_methods_of_a_peer_as_any_session_does) {
  Peer peer;
  std::string came_from;
  peer.handle<"a", "b">("/math/add", [&](Context& context, int a, int b) {
    came_from = context.real_ip();
    context.reply_metadata().set("shop",
                                 std::string(context.metadata().get("till").value_or("none")));
    return a + b;
  });
  const auto session = open_at(peer);
  EXPECT_EQ(peer.session_count(), 1U);
  ForeignCall call = json_call("/math/add", "[1,2]");
  call.metadata.set("till", "seven");
  ForeignAnswer answer;
  const Status status = session->call(std::move(call), answer);
  ASSERT_TRUE(status.is_ok()) << status;
  EXPECT_EQ(answer.body.text_or_number(), "3");
  EXPECT_EQ(answer.body.codec, BodyCodec::json);
  EXPECT_EQ(answer.metadata.get("shop"), "seven");
  EXPECT_EQ(came_from, "192.0.2.7");

  ForeignAnswer named;
  EXPECT_TRUE(session->call(json_call("/math/add", R"({"b":40,"a":2})"), named).is_ok());
  EXPECT_EQ(named.body.text_or_number(), "42");
}

PARLEY_PEER_TEST(ForeignSession, answers_in_the_codec_that_is_asked_for) {
  Peer peer;
  peer.handle("/tea", [](const std::string& kind) { return kind; });
  const auto session = open_at(peer);
  ForeignCall call = json_call("/tea", R"("green")");
  call.accept = BodyCodec::plain;
  ForeignAnswer answer;
  ASSERT_TRUE(session->call(std::move(call), answer).is_ok());
  EXPECT_EQ(answer.body.text_or_number(), "green");
  EXPECT_EQ(answer.body.codec, BodyCodec::plain);
}

// Each call of gRPC says it, and need not pay for it.
PARLEY_PEER_TEST(ForeignSession, what_the_result_is_written_in_anyway_is_not_said) {
  Peer peer;
  peer.handle("/said", [](Context& context) { return context.metadata().size(); });
  const auto session = open_at(peer);
  for (const BodyCodec accepted : {BodyCodec::json, BodyCodec::plain}) {
    ForeignCall call = json_call("/said", "");
    call.accept = accepted;
    ForeignAnswer answer;
    ASSERT_TRUE(session->call(std::move(call), answer).is_ok());
    EXPECT_EQ(answer.body.text_or_number(), accepted == BodyCodec::json ? "0" : "1");
    EXPECT_EQ(answer.body.codec, accepted);
  }
}

PARLEY_PEER_TEST(ForeignSession, errors_are_those_of_any_call) {
  Peer peer;
  peer.handle("/order/place", []() -> Result<int> { return Status::business(1001, "out of tea"); });
  peer.handle_stream("/chat", [](RawStream&) {});
  const auto session = open_at(peer);
  ForeignAnswer answer;
  EXPECT_EQ(session->call(json_call("/order/place", ""), answer).business_code(), 1001);
  const Status unknown = session->call(json_call("/order/plase", ""), answer);
  EXPECT_EQ(unknown.code(), Code::not_found);
  EXPECT_NE(unknown.to_string().find("/order/place"), std::string::npos) << unknown;
  EXPECT_EQ(session->call(json_call("/chat", ""), answer).code(), Code::invalid_argument);
  EXPECT_EQ(session->call(json_call("/order/place", "[1"), answer).code(), Code::invalid_argument);
}

PARLEY_PEER_TEST(ForeignSession, limits_of_the_peer_hold) {
  PeerOptions options;
  options.max_frame_bytes = 1000;
  options.max_handlers = 1;
  options.max_sessions = 1;
  Peer peer(std::move(options));
  rt::Event begun;
  rt::Event go_on;
  peer.handle("/slow", [&] {
    begun.set();
    (void)go_on.wait();
  });
  const auto session = open_at(peer);
  EXPECT_EQ(ForeignSession::open(peer, {}).error().code(), Code::resource_exhausted);
  ForeignAnswer large;
  EXPECT_EQ(session->call(json_call("/slow", std::string(1001, ' ')), large).code(),
            Code::resource_exhausted);
  rt::Scope scope;
  scope.go("first", [&] {
    ForeignAnswer answer;
    EXPECT_TRUE(session->call(json_call("/slow", ""), answer).is_ok());
  });
  (void)begun.wait();
  ForeignAnswer second;
  const Status status = session->call(json_call("/slow", ""), second);
  EXPECT_EQ(status.code(), Code::resource_exhausted);
  EXPECT_NE(status.message().find("max_handlers"), std::string::npos) << status;
  go_on.set();
}

PARLEY_PEER_TEST(ForeignSession, a_handler_ends_with_its_deadline_and_with_its_caller) {
  Peer peer;
  rt::Event begun;
  peer.handle("/wait", [&]() -> Status {
    begun.set();
    return rt::Context::current().wait_done();
  });
  const auto session = open_at(peer);
  ForeignCall late = json_call("/wait", "");
  late.deadline = rt::Deadline::after(1ms);
  ForeignAnswer answer;
  EXPECT_EQ(session->call(std::move(late), answer).code(), Code::deadline_exceeded);
  begun.reset();
  const auto [context, cancel] = rt::Context::current().with_cancel();
  rt::Scope scope;
  scope.go("caller", [&session, context = context] {
    const rt::WithContext bound(context);
    ForeignAnswer none;
    EXPECT_EQ(session->call(json_call("/wait", ""), none).code(), Code::aborted);
  });
  (void)begun.wait();
  cancel(Status(Code::aborted, "the client went away"));
}

// As HTTP/2 has it: the end of a stream ends the context that its fiber has not asked for.
PARLEY_PEER_TEST(ForeignSession, a_handler_ends_with_the_deferred_context_of_its_caller) {
  Peer peer;
  rt::Event begun;
  peer.handle("/wait", [&]() -> Status {
    begun.set();
    return rt::Context::current().wait_done();
  });
  peer.handle("/sleep", [&]() -> Status {
    begun.set();
    return rt::Event().wait();
  });
  const auto session = open_at(peer);
  for (const std::string_view method : {"/wait", "/sleep"}) {
    begun.reset();
    rt::DeferredContext* mine = nullptr;
    rt::Scope scope;
    scope.go("caller", [&session, &mine, method] {
      const Status never_due;
      rt::DeferredContext bound({}, never_due, rt::DeferredContext::Above::lasts);
      mine = &bound;
      ForeignAnswer none;
      EXPECT_EQ(session->call(json_call(method, ""), none).code(), Code::aborted) << method;
      EXPECT_FALSE(bound.was_made());
      EXPECT_EQ(session->call(json_call(method, ""), none).code(), Code::aborted) << "not run";
    });
    (void)begun.wait();
    mine->end(Status(Code::aborted, "the client went away"));
    scope.join();
  }
  EXPECT_TRUE(session->is_open());
}

PARLEY_PEER_TEST(ForeignSession, plugins_see_the_session_and_its_calls) {
  std::vector<std::string> seen;
  PeerOptions options;
  options.plugins.push_back(
      {.name = "notes",
       .after_accept =
           [&](EarlySession& session) {
             seen.push_back("accept " + session.real_ip());
             return Status();
           },
       .serve =
           [&](ServeStep& step, Next& next) {
             seen.push_back("serve " + std::string(step.method()));
             Status status = next();
             seen.push_back(std::string(step.reply_body().to_string()));
             return status;
           },
       .on_disconnect = [&](const ClosedSession&) { seen.push_back("end"); }});
  Peer peer(std::move(options));
  peer.handle("/seven", [] { return 7; });
  auto session = open_at(peer);
  ForeignAnswer answer;
  ASSERT_TRUE(session->call(json_call("/seven", ""), answer).is_ok());
  const Session handle = session->session();
  session.reset();
  (void)handle.wait_closed();
  handle.close();
  EXPECT_EQ(seen, (std::vector<std::string>{"accept 192.0.2.7", "serve /seven", "7", "end"}));
}

PARLEY_PEER_TEST(ForeignSession, one_that_has_to_say_who_it_is_is_refused_at_once) {
  PeerOptions options;
  options.plugins.push_back({.name = "auth", .after_accept = [](EarlySession& session) {
                               return session.receive().error();
                             }});
  Peer peer(std::move(options));
  const auto session = ForeignSession::open(peer, {.remote = customer, .protocol = "HTTP"});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code(), Code::unauthenticated) << session.error();
}

PARLEY_PEER_TEST(ForeignSession, cannot_be_called_and_says_so) {
  Peer peer;
  peer.handle("/back", [](Context& context) -> Status {
    return context.session().call("/client/confirm").error();
  });
  const auto session = open_at(peer);
  ForeignAnswer answer;
  const Status status = session->call(json_call("/back", ""), answer);
  EXPECT_EQ(status.code(), Code::unimplemented) << status;
  EXPECT_NE(status.message().find("HTTP"), std::string::npos) << status;
  EXPECT_EQ(session->session().push("/news").code(), Code::unimplemented);
}

PARLEY_PEER_TEST(ForeignSession, the_end_of_the_peer_waits_for_its_handlers) {
  Peer peer;
  rt::Event begun;
  rt::Event go_on;
  peer.handle("/slow", [&] {
    begun.set();
    (void)go_on.wait();
    return 7;
  });
  const auto session = open_at(peer);
  rt::Scope scope;
  scope.go("caller", [&] {
    ForeignAnswer answer;
    EXPECT_TRUE(session->call(json_call("/slow", ""), answer).is_ok());
    EXPECT_EQ(answer.body.text_or_number(), "7");
  });
  (void)begun.wait();
  scope.go("end", [&] { EXPECT_TRUE(peer.shutdown().is_over); });
  while (session->is_open()) rt::yield();
  ForeignAnswer late;
  EXPECT_EQ(session->call(json_call("/slow", ""), late).code(), Code::not_sent);
  go_on.set();
}

PARLEY_PEER_TEST(ForeignSession, tells_what_a_name_stands_for) {
  Peer peer;
  peer.handle("/call", [] {});
  peer.handle_stream("/chat", [](RawStream&) {});
  const auto session = open_at(peer);
  EXPECT_EQ(session->kind_of("/call"), MethodKind::call);
  EXPECT_EQ(session->kind_of("/chat"), MethodKind::stream);
  EXPECT_EQ(session->kind_of("/tea"), MethodKind::none);
  peer.handle_unknown_calls([] {});
  EXPECT_EQ(session->kind_of("/tea"), MethodKind::other);
  EXPECT_EQ(session->kind_of("/chat"), MethodKind::stream);
}

}  // namespace
}  // namespace parley
