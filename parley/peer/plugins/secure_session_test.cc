// What is said in a secure session: both ways, in every manner, and with somebody in between.
#include <algorithm>
#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/peer/batch.h"
#include "parley/peer/plugins/secure.h"
#include "parley/peer/push.h"
#include "parley/peer/testing/middle.h"
#include "parley/peer/testing/pair.h"
#include "parley/peer/testing/shared_key.h"
#include "parley/peer/testing/street.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/wire/json_framing.h"
#include "parley/wire/pb_framing.h"
#include "parley/wire/testing/toy_filters.h"

namespace parley {
namespace {

using testing::Log;
using testing::Middle;
using testing::Pair;
using testing::secured;
using testing::wait_until;
using testing::with_key;
using wire::Message;
using wire::MessageType;

SecureOptions asked() {
  SecureOptions options = with_key();
  options.when = SecureWhen::asked;
  return options;
}

// What both ends serve.
struct Shop {
  explicit Shop(Peer& peer) {
    peer.handle("/echo", [this](const std::string& text) {
      ++runs;
      return text;
    });
    peer.handle("/nothing", [this] { ++runs; });
    peer.handle("/show", [](Context& context) {
      context.reply_metadata().set("answer", "the blue door");
      return std::string(context.metadata().get("question").value_or("none"));
    });
    peer.handle("/fail", [](Context& context) -> Status {
      context.reply_metadata().set("hint", "the blue door");
      return Status(Code::permission_denied, "no key to the blue door")
          .with_cause("cause of the blue door")
          .with_business_code(1234);
    });
    peer.handle("/said", [this](const std::string& text) { said.add(text); });
    peer.handle_stream("/echoes", [](Stream<std::string, std::string>& stream) -> Status {
      for (;;) {
        auto text = stream.receive();
        if (!text) return text.error();
        if (!*text) return {};
        if (**text == "fail") return {Code::permission_denied, "the blue door is shut"};
        if (Status s = stream.send(**text); !s.is_ok()) return s;
      }
    });
  }

  std::atomic<int> runs = 0;
  Log said;
};

void talk(const Session& session, Shop& other) {
  EXPECT_EQ(session.call<std::string>("/echo", "the blue door").value(), "the blue door");
  EXPECT_TRUE(session.call<void>("/nothing"));
  const std::string large(300'000, 'x');
  EXPECT_EQ(session.call<std::string>("/echo", large).value(), large);
  wire::Metadata metadata;
  const CallOptions options{.metadata = {{"question", "the blue door"}, {"X-Secure", "true"}},
                            .reply_metadata = &metadata};
  EXPECT_EQ(session.call<std::string>(options, "/show").value(), "the blue door");
  EXPECT_EQ(metadata.get("answer"), "the blue door");
  const Status failed = session.call<void>(options, "/fail").error();
  EXPECT_EQ(failed.code(), Code::permission_denied);
  EXPECT_EQ(failed.message(), "no key to the blue door");
  EXPECT_EQ(failed.cause(), "cause of the blue door");
  EXPECT_EQ(failed.business_code(), 1234);
  EXPECT_EQ(metadata.get("hint"), "the blue door");
  EXPECT_EQ(session.call<void>("/missing").error().code(), Code::not_found);

  EXPECT_EQ(session.call_async<std::string>("/echo", "later").get().value(), "later");
  Batch<std::string> batch(session);
  for (const char* text : {"one", "two", "three"}) batch.add("/echo", text);
  const auto all = batch.call();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2].value(), "three");
  EXPECT_TRUE(session.push("/said", "a push to the blue door").is_ok());
  other.said.wait_for("a push to the blue door");
  EXPECT_EQ(push_to({&session, 1}, {}, "/said", "a push to many")->sent, 1U);
  other.said.wait_for("a push to many");
}

PARLEY_PEER_TEST(SecureSession, all_that_peers_say_goes_both_ways_in_each_framing) {
  const std::vector<std::shared_ptr<const wire::Framing>> all{
      std::make_shared<wire::ParleyFraming>(), std::make_shared<wire::RawFraming>(),
      std::make_shared<wire::JsonFraming>(), std::make_shared<wire::PbFraming>()};
  for (const auto& framing : all) {
    for (const SecureOptions& secure_options : {with_key(), asked()}) {
      PeerOptions server = secured(secure_options);
      server.framings = all;
      PeerOptions client = secured(secure_options);
      client.framings = {framing};
      Pair pair(server, client);
      Shop shop(pair.server);
      Shop till(pair.client);
      const Session session = pair.dial();
      talk(session, shop);
      talk(pair.server.sessions().front(), till);
    }
  }
}

PARLEY_PEER_TEST(SecureSession, filters_go_inside_in_parley_and_outside_in_raw) {
  const auto filters = wire::testing::toy_filters();
  for (const bool is_raw : {false, true}) {
    PeerOptions options = secured();
    options.filters = filters;
    PeerOptions client = options;
    options.framings = {std::make_shared<wire::ParleyFraming>(),
                        std::make_shared<wire::RawFraming>(wire::RawLimits{.filters = filters})};
    client.framings = {options.framings[is_raw ? 1 : 0]};
    Pair pair(options, client);
    Shop shop(pair.server);
    const Session session = pair.dial();
    const CallOptions filtered{.filters = wire::FilterPipe("ab")};
    EXPECT_EQ(session.call<std::string>(filtered, "/echo", "tea").value(), "tea") << is_raw;
    EXPECT_TRUE(session.call<void>(filtered, "/nothing")) << is_raw;
    EXPECT_EQ(session.call<void>(filtered, "/fail").error().code(), Code::permission_denied);
    EXPECT_TRUE(session.push(filtered, "/said", "tea").is_ok());
    shop.said.wait_for("tea");
    if (is_raw) continue;
    auto stream = session.open<std::string, std::string>(filtered, "/echoes");
    EXPECT_TRUE(stream->send("tea").is_ok());
    EXPECT_EQ(stream->receive().value(), "tea");
  }
}

using Look = Middle::PassOn;

// A client and a server with somebody in between.
struct Listened {
  explicit Listened(const Look& look, const SecureOptions& options = with_key())
      : pair(secured(options)),
        shop(pair.server),
        till(pair.client),
        middle(pair.address, look),
        session(pair.client.dial(middle.address()).value()) {}

  Pair pair;
  Shop shop;
  Shop till;
  Middle middle;
  Session session;
};

std::vector<Message> as_it_is(const Message& message, bool /*up*/) { return {message}; }

Message with_body(Message message, std::string body) {
  message.body = Bytes::from(std::move(body));
  return message;
}

PARLEY_PEER_TEST(SecureSession, who_listens_sees_neither_bodies_nor_metadata_nor_errors) {
  Listened in(as_it_is);
  talk(in.session, in.shop);
  auto stream = in.session.open<std::string, std::string>({.metadata = {{"way", "the blue door"}}},
                                                          "/echoes");
  EXPECT_TRUE(stream->send("the blue door").is_ok());
  EXPECT_EQ(stream->receive().value(), "the blue door");
  EXPECT_TRUE(stream->send("fail").is_ok());
  EXPECT_EQ(stream->receive().error().message(), "the blue door is shut");
  for (const char* hidden : {"blue door", "later", "three", "push to many", "permission"}) {
    EXPECT_EQ(in.middle.heard().find(hidden), std::string::npos) << hidden;
  }
}

PARLEY_PEER_TEST(SecureSession, what_is_not_asked_for_goes_in_clear_and_what_is_does_not) {
  Listened in(as_it_is, asked());
  EXPECT_EQ(in.session.call<std::string>("/echo", "clear as day").value(), "clear as day");
  EXPECT_NE(in.middle.heard().find("clear as day"), std::string::npos);
  const auto call = [&](const wire::Metadata& metadata, const std::string& text) {
    return in.session.call<std::string>({.metadata = metadata}, "/echo", text).value();
  };
  const auto times = [&](const std::string& text) {
    const std::string heard = in.middle.heard();
    int count = 0;
    for (auto at = heard.find(text); at != std::string::npos; at = heard.find(text, at + 1)) {
      ++count;
    }
    return count;
  };
  EXPECT_EQ(call({{"X-Secure", "true"}}, "both hidden"), "both hidden");
  EXPECT_EQ(call({{"X-Secure", "true"}, {"X-Accept-Secure", "false"}}, "question hidden"),
            "question hidden");
  EXPECT_EQ(call({{"X-Accept-Secure", "true"}}, "answer hidden"), "answer hidden");
  EXPECT_EQ(call({{"X-Secure", "false"}}, "none hidden"), "none hidden");
  EXPECT_EQ(times("both hidden"), 0);
  EXPECT_EQ(times("question hidden"), 1);
  EXPECT_EQ(times("answer hidden"), 1);
  EXPECT_EQ(times("none hidden"), 2);
}

PARLEY_PEER_TEST(SecureSession, a_changed_byte_of_a_question_or_an_answer_is_refused) {
  for (const bool of_question : {true, false}) {
    std::atomic<std::size_t> at = 0;
    Listened in([&](const Message& message, bool up) -> std::vector<Message> {
      const MessageType type = of_question ? MessageType::call : MessageType::reply;
      if (up != of_question || message.type != type) return {message};
      std::string body = message.body.to_string();
      body[at % body.size()] = static_cast<char>(body[at % body.size()] ^ 1);
      return {with_body(message, body)};
    });
    for (at = 0; at < 60; at += 7) {
      const Status status = in.session.call<std::string>("/echo", "tea").error();
      EXPECT_EQ(status.code(), Code::unauthenticated) << at << status;
    }
    EXPECT_EQ(in.shop.runs, of_question ? 0 : 9);
  }
}

PARLEY_PEER_TEST(SecureSession, a_question_that_is_sent_twice_is_run_once) {
  Listened in([&](const Message& message, bool up) -> std::vector<Message> {
    if (!up || (message.type != MessageType::call && message.type != MessageType::push)) {
      return {message};
    }
    Message again = message;
    again.seq += 1000;
    return {message, again, message};
  });
  // Of two that are the same another worker may open the second one first, and refuse this one.
  const auto is_told = [](const auto& answer) {
    EXPECT_TRUE(answer || answer.error().code() == Code::unauthenticated) << answer.error();
  };
  for (int i = 0; i < 5; ++i) is_told(in.session.call<std::string>("/echo", "tea"));
  EXPECT_TRUE(in.session.push("/said", "once").is_ok());
  in.shop.said.wait_for("once");
  is_told(in.session.call<void>("/nothing"));
  in.pair.server_log.wait_for("PUSH /said failed");
  testing::wait_until([&] { return in.shop.runs >= 6; });
  EXPECT_EQ(in.shop.runs, 6);
  EXPECT_EQ(in.shop.said.text(), "once\n");
}

PARLEY_PEER_TEST(SecureSession, what_is_of_another_session_is_refused) {
  std::atomic<int> calls = 0;
  std::optional<Message> first;
  Listened in([&](const Message& message, bool up) -> std::vector<Message> {
    if (!up || message.type != MessageType::call) return {message};
    if (++calls == 1) {
      first = message;
      return {message};
    }
    return {with_body(message, first->body.to_string())};
  });
  EXPECT_TRUE(in.session.call<std::string>("/echo", "tea"));
  const Session other = in.pair.client.dial(in.middle.address()).value();
  EXPECT_EQ(other.call<std::string>("/echo", "tea").error().code(), Code::unauthenticated);
  EXPECT_EQ(in.shop.runs, 1);
}

PARLEY_PEER_TEST(SecureSession, an_answer_belongs_to_its_call_only) {
  std::optional<Message> first;
  Listened in([&](const Message& message, bool up) -> std::vector<Message> {
    if (up || message.type != MessageType::reply) return {message};
    if (!first) {
      first = message;
      return {};
    }
    return {with_body(*first, message.body.to_string()),
            with_body(message, first->body.to_string())};
  });
  auto one = in.session.call_async<std::string>("/echo", "one");
  auto two = in.session.call_async<std::string>("/echo", "two");
  EXPECT_EQ(one.get().error().code(), Code::unauthenticated);
  EXPECT_EQ(two.get().error().code(), Code::unauthenticated);
}

PARLEY_PEER_TEST(SecureSession, the_method_and_the_codec_are_those_that_were_called) {
  for (const bool changes_method : {true, false}) {
    Listened in([&](const Message& message, bool up) -> std::vector<Message> {
      Message changed = message;
      if (!up || message.type != MessageType::call) return {message};
      if (changes_method) changed.method = "/echo";
      if (!changes_method) changed.body_codec = wire::BodyCodec::plain;
      return {changed};
    });
    const Status status = in.session.call<void>("/said", "tea").error();
    EXPECT_EQ(status.code(), Code::unauthenticated) << status;
    EXPECT_EQ(in.shop.runs, 0);
  }
}

PARLEY_PEER_TEST(SecureSession, what_comes_in_clear_is_refused_whichever_way_it_goes) {
  std::atomic<bool> forges_calls = true;
  Listened in([&](const Message& message, bool up) -> std::vector<Message> {
    if (up && message.type == MessageType::call && forges_calls) {
      return {with_body(message, "\"tea\"")};
    }
    if (!up && message.type == MessageType::reply && !forges_calls) {
      Message forged{.seq = message.seq, .type = MessageType::reply};
      forged.status = Status(Code::not_sent, "call again");
      return {forged};
    }
    return {message};
  });
  EXPECT_EQ(in.session.call<std::string>("/echo", "tea").error().code(), Code::unauthenticated);
  EXPECT_EQ(in.shop.runs, 0);
  forges_calls = false;
  EXPECT_EQ(in.session.call<std::string>("/echo", "tea").error().code(), Code::unauthenticated);
  EXPECT_EQ(in.shop.runs, 1);
}

PARLEY_PEER_TEST(SecureSession, what_the_session_itself_answers_is_sealed_too) {
  for (const SecureOptions& options : {with_key(), asked()}) {
    PeerOptions server = secured(options);
    server.max_handlers = 1;
    Pair pair(server, secured(options));
    Shop shop(pair.server);
    std::atomic<bool> waits_now = false;
    pair.server.handle("/wait", [&] {
      waits_now = true;
      (void)rt::Context::current().wait_done();
    });
    const Session session = pair.dial();
    auto waits = session.call_async<void>("/wait");
    const CallOptions sealed{.metadata = {{"X-Secure", "true"}}};
    wait_until([&] { return waits_now.load(); });
    EXPECT_EQ(session.call<std::string>(sealed, "/echo", "tea").error().code(),
              Code::resource_exhausted);
    EXPECT_EQ(session.call<std::string>("/echo", "tea").error().code(), Code::resource_exhausted);
    auto stream = session.open<std::string, std::string>("/echoes");
    EXPECT_EQ(stream->receive().error().code(), Code::resource_exhausted);
    waits.cancel();
  }
}

// A session that closes says not_sent of what it does not run any more, and that is called again.
PARLEY_PEER_TEST(SecureSession, nobody_makes_a_call_that_runs_look_as_if_it_had_not_been_sent) {
  std::optional<Message> call;
  Pair pair(secured());
  rt::Event may_end;
  std::atomic<int> runs = 0;
  pair.server.handle("/order", [&] {
    ++runs;
    (void)may_end.wait();
  });
  Middle middle(pair.address, [&](const Message& message, bool up) -> std::vector<Message> {
    if (up && message.type == MessageType::call) call = message;
    // The answer to what came with GO_AWAY: the shop is closing by then.
    if (up && message.type == MessageType::pong) return {*call, message};
    return {message};
  });
  const Session session = pair.client.dial(middle.address()).value();
  auto order = session.call_async<void>("/order");
  wait_until([&] { return runs == 1; });
  rt::Scope scope;
  scope.go("close", [&] { pair.server.sessions().front().close(); });
  const Status status = order.get().error();
  EXPECT_EQ(status.code(), Code::unauthenticated) << status;
  may_end.set();
  scope.join();
  EXPECT_EQ(runs, 1);
}

PARLEY_PEER_TEST(SecureSession, an_answer_that_is_too_large_is_told_in_a_sealed_one) {
  PeerOptions client = secured();
  client.max_frame_bytes = std::size_t{1} << 20U;
  Pair pair(secured(), client);
  pair.server.handle("/large", [] { return std::string(std::size_t{2} << 20U, 'x'); });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<std::string>("/large").error().code(), Code::resource_exhausted);
  EXPECT_TRUE(session.is_open());
}

// --- Streams

PARLEY_PEER_TEST(SecureSession, streams_go_both_ways_with_their_metadata_and_their_end) {
  for (const SecureOptions& options : {with_key(), asked()}) {
    Pair pair(secured(options));
    pair.server.handle_stream(
        "/sum", [](Context& context, Stream<int, std::string>& stream) -> Status {
          int sum = 0;
          for (;;) {
            auto n = stream.receive();
            if (!n) return n.error();
            if (!*n) break;
            sum += **n;
          }
          context.reply_metadata().set("sum", std::to_string(sum));
          return stream.send(std::string(context.metadata().get("unit").value_or("none")));
        });
    const Session session = pair.dial();
    auto stream = session.open<std::string, int>(
        {.metadata = {{"unit", "pence"}, {"X-Secure", "true"}}}, "/sum");
    ASSERT_TRUE(stream) << stream.error();
    for (int i = 1; i <= 1000; ++i) ASSERT_TRUE(stream->send(i).is_ok());
    EXPECT_TRUE(stream->finish().is_ok());
    EXPECT_EQ(stream->receive().value(), "pence");
    EXPECT_FALSE(stream->receive().value());
    EXPECT_EQ(stream->end_metadata()->get("sum"), "500500");
  }
}

PARLEY_PEER_TEST(SecureSession, messages_beyond_the_credit_wait_and_go_on) {
  PeerOptions options = secured();
  options.stream_credit = std::size_t{64} << 10U;
  Pair pair(options);
  Shop shop(pair.server);
  const Session session = pair.dial();
  auto stream = session.open<std::string, std::string>("/echoes");
  rt::Scope scope;
  const std::string text(10'000, 'x');
  scope.go("send", [&] {
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(stream->send(text).is_ok());
    EXPECT_TRUE(stream->finish().is_ok());
  });
  int came = 0;
  for (;;) {
    const auto back = stream->receive();
    ASSERT_TRUE(back) << back.error();
    if (!*back) break;
    EXPECT_EQ(**back, text);
    ++came;
  }
  EXPECT_EQ(came, 100);
}

// What the client gets of "a", "b", "c" when somebody does that to them.
std::vector<std::string> echoes_through(const Look& look) {
  Listened in(look);
  auto stream = in.session.open<std::string, std::string>("/echoes");
  for (const char* text : {"a", "b", "c"}) (void)stream->send(text);
  (void)stream->finish();
  std::vector<std::string> got;
  for (;;) {
    auto text = stream->receive();
    if (!text) {
      got.emplace_back(name_of(text.error().code()));
      return got;
    }
    if (!*text) return got;
    got.push_back(**text);
  }
}

PARLEY_PEER_TEST(SecureSession, messages_of_a_stream_are_neither_lost_nor_doubled_nor_moved) {
  using All = std::vector<std::string>;
  EXPECT_EQ(echoes_through(as_it_is), (All{"a", "b", "c"}));
  for (const bool up : {true, false}) {
    std::atomic<int> count = 0;
    const auto look = [&](const std::function<std::vector<Message>(const Message&)>& second) {
      count = 0;
      return [&count, up, second](const Message& message, bool goes_up) {
        const bool is_it = message.type == MessageType::data && goes_up == up && ++count == 2;
        return is_it ? second(message) : std::vector{message};
      };
    };
    // What has come before is read. Who reads what goes up cannot answer that any more, nor always
    // say why: the END behind it does not open either, and ends the session.
    const auto ends = [up](const All& heard, All before) {
      const bool is_told =
          !heard.empty() &&
          (heard.back() == "unauthenticated" ||
           (up && (heard.back() == "outcome_unknown" || heard.back() == "unavailable")));
      const All came(heard.begin(), is_told ? heard.end() - 1 : heard.end());
      if (up) before.resize(std::min(before.size(), came.size()));
      EXPECT_TRUE(is_told);
      EXPECT_EQ(came, before);
    };
    ends(echoes_through(look([](const Message&) { return std::vector<Message>(); })), {"a"});
    ends(echoes_through(look([](const Message& m) {
           std::string body = m.body.to_string();
           body.back() = static_cast<char>(body.back() ^ 1);
           return std::vector{with_body(m, body)};
         })),
         {"a"});
    ends(echoes_through(look([](const Message& m) { return std::vector{m, m}; })), {"a", "b"});
  }
}

PARLEY_PEER_TEST(SecureSession, a_stream_that_is_read_late_is_read_whole_whatever_passes_it) {
  SecureOptions options = testing::with_key();
  options.window = 8;
  Pair pair(secured(options), secured(options));
  rt::Event read_on;
  pair.server.handle_stream("/sum", [&](Stream<int, int>& numbers) -> Status {
    if (Status s = read_on.wait(); !s.is_ok()) return s;
    for (int sum = 0;;) {
      const auto number = numbers.receive();
      if (!number) return number.error();
      if (!*number) return numbers.send(sum);
      sum += **number;
    }
  });
  pair.server.handle("/echo", [](int n) { return n; });
  const Session session = pair.dial();
  auto stream = session.open<int, int>("/sum");
  ASSERT_TRUE(stream) << stream.error();
  for (int i = 1; i <= 5; ++i) EXPECT_TRUE(stream->send(i).is_ok());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(session.call<int>("/echo", i).value(), i);
  EXPECT_TRUE(stream->finish().is_ok());
  read_on.set();
  EXPECT_EQ(stream->receive().value(), 15);
}

PARLEY_PEER_TEST(SecureSession, an_end_that_nobody_has_said_ends_the_session) {
  for (const bool up : {true, false}) {
    Listened in([up](const Message& message, bool goes_up) -> std::vector<Message> {
      if (message.type != MessageType::data || goes_up != up) return {message};
      return {{.seq = message.seq, .type = MessageType::end, .own = message.own}};
    });
    auto stream = in.session.open<std::string, std::string>("/echoes");
    EXPECT_TRUE(stream->send("a").is_ok());
    EXPECT_FALSE(stream->receive());
    const Status reason = in.session.wait_closed();
    if (up) {
      in.pair.server_log.wait_for("this end is not as the other side");
    } else {
      EXPECT_EQ(reason.code(), Code::unauthenticated) << reason;
    }
  }
}

// --- Sessions that are dialled again

PARLEY_PEER_TEST(SecureSession, each_connection_of_a_session_has_keys_of_its_own) {
  testing::Street street(secured(), secured());
  const Session session = street.dial();
  for (int round = 2; round <= 4; ++round) {
    street.fall(session);
    rt::Scope scope;
    scope.go("call", [&] { EXPECT_EQ(session.call<int>("/count", round).value(), round); });
    scope.go("later",
             [&] { EXPECT_EQ(session.call_async<int>("/count", round).get().value(), round); });
    scope.go("push", [&] { EXPECT_TRUE(session.push("/say", std::to_string(round)).is_ok()); });
    street.rise();
    scope.join();
    auto stream = session.open<int, int>("/echo");
    EXPECT_TRUE(stream->send(round).is_ok());
    EXPECT_EQ(stream->receive().value(), round);
    street.said.wait_for(std::to_string(round));
  }
}

PARLEY_PEER_TEST(SecureSession, many_fibers_call_push_and_stream_at_once) {
  Pair pair(secured());
  Shop shop(pair.server);
  Shop till(pair.client);
  const Session session = pair.dial();
  rt::Scope scope;
  for (int i = 0; i < 20; ++i) {
    scope.go("calls", [&, i] {
      for (int k = 0; k < 25; ++k) {
        const std::string text = std::to_string(100 * i + k);
        EXPECT_EQ(session.call<std::string>("/echo", text).value(), text);
        EXPECT_TRUE(session.push("/said", text).is_ok());
      }
    });
  }
  scope.go("stream", [&] {
    auto stream = session.open<std::string, std::string>("/echoes");
    for (int k = 0; k < 100; ++k) {
      EXPECT_TRUE(stream->send(std::to_string(k)).is_ok());
      EXPECT_EQ(stream->receive().value(), std::to_string(k));
    }
  });
  scope.join();
  EXPECT_EQ(shop.runs, 500);
}

}  // namespace
}  // namespace parley
