#include "parley/peer/plugins/proxy.h"

#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/peer/plugin_steps.h"
#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/raw_framing.h"
#include "parley/wire/testing/toy_filters.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::Foreign;
using testing::Pair;
using wire::BodyCodec;
using wire::FilterPipe;
using wire::Message;
using wire::MessageType;
using wire::testing::toy_filters;

constexpr std::int32_t bad_gateway = 502;

PeerOptions speaking(bool raw, std::shared_ptr<const wire::Filters> filters = {}) {
  PeerOptions options{.filters = filters};
  if (raw)
    options.framings = {std::make_shared<wire::RawFraming>(wire::RawLimits{.filters = filters})};
  return options;
}

// A caller, a proxy that speaks `front` to it and `back` to a backend.
struct Way {
  explicit Way(ProxyOptions options = {}, const PeerOptions& front = {},
               const PeerOptions& back = {})
      : behind(back), backend(behind.dial()), front_pair(edge(std::move(options), front), front) {}

  PeerOptions edge(ProxyOptions options, PeerOptions front) {
    if (!options.pick) {
      options.pick = [this](const ProxyLabel&) -> Result<ProxyTarget> { return backend; };
    }
    front.plugins.push_back(proxy(std::move(options)));
    return front;
  }
  Session dial() { return front_pair.dial(); }
  Peer& service() { return behind.server; }
  Peer& inside() { return behind.client; }

  Pair behind;
  Session backend;
  Pair front_pair;
};

// Answers with the body, in the codec of the question, and says in metadata what came.
Bytes echo(Context& context, const Bytes& body) {
  context.reply_metadata().set("codec",
                               std::to_string(static_cast<unsigned char>(context.body_codec())));
  for (const auto& [key, value] : context.metadata()) context.reply_metadata().add(key, value);
  return body;
}

// All that a proxy may stand between: the framing of the one side and of the other.
template <class F>
void between_all_framings(F run) {
  for (const bool raw_front : {false, true}) {
    for (const bool raw_back : {false, true}) {
      // No SCOPED_TRACE, which belongs to a thread.
      const bool was_well = !::testing::Test::HasFailure();
      run(raw_front, raw_back);
      if (was_well && ::testing::Test::HasFailure()) {
        ADD_FAILURE() << "from " << (raw_front ? "raw" : "parley") << " to "
                      << (raw_back ? "raw" : "parley");
      }
    }
  }
}

// --- What passes

PARLEY_PEER_TEST(Proxy, bodies_of_every_codec_pass_as_they_are_between_all_framings) {
  between_all_framings([](bool raw_front, bool raw_back) {
    Way way({}, speaking(raw_front), speaking(raw_back));
    way.service().handle("/echo", &echo);
    const Session session = way.dial();
    for (const char id : {'\0', 'j', 'p', 'm', 't', 'x', 's', 'f', '\x7e'}) {
      const Bytes body = Bytes::copy_of("no JSON, no protobuf: \x01\xff");
      wire::Metadata told;
      const auto reply = session.call<Message>(
          {.reply_metadata = &told, .body_codec = BodyCodec{id}}, "/echo", body);
      ASSERT_TRUE(reply) << reply.error();
      EXPECT_EQ(reply->body, body);
      EXPECT_EQ(reply->body_codec, BodyCodec{id});
      EXPECT_EQ(told.get("codec"), std::to_string(id));
    }
  });
}

PARLEY_PEER_TEST(Proxy, a_codec_that_one_framing_cannot_name_costs_one_call) {
  Way way({}, speaking(true), speaking(false));
  way.service().handle("/echo", &echo);
  const Session session = way.dial();
  const CallOptions odd{.body_codec = BodyCodec{'\xc8'}};
  EXPECT_EQ(session.call<Bytes>(odd, "/echo", Bytes::copy_of("x")).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(session.call<std::string>("/echo", "tea").value(), "tea");
}

PARLEY_PEER_TEST(Proxy, metadata_status_and_the_wish_for_a_codec_pass_between_all_framings) {
  between_all_framings([](bool raw_front, bool raw_back) {
    rt::Channel<std::string> pushed(1);
    Way way({}, speaking(raw_front), speaking(raw_back));
    way.service().handle("/fail", [](Context& context) {
      context.reply_metadata().set("shelf", "third");
      return Status::business(1001, "out of tea").with_cause("it was drunk");
    });
    way.service().handle("/echo", &echo);
    way.service().handle("/answer", [] { return 42; });
    way.service().handle("/news", [&](Context& context, const std::string& text) {
      (void)pushed.send(text + " for " + std::string(context.metadata().get("who").value_or("")));
    });
    const Session session = way.dial();
    wire::Metadata told;
    CallOptions options{.metadata = {{"who", "ann"}, {"tag", "a"}, {"tag", "b"}},
                        .reply_metadata = &told};
    EXPECT_EQ(session.call<std::string>(options, "/echo", "tea").value(), "tea");
    EXPECT_EQ(told.get_all("tag").size(), 2U);
    EXPECT_EQ(told.get("X-Real-IP"), "127.0.0.1");
    const Status failed = session.call(options, "/fail").error();
    EXPECT_EQ(failed.business_code(), 1001);
    EXPECT_EQ(failed.message(), "out of tea");
    EXPECT_EQ(failed.cause(), "it was drunk");
    EXPECT_EQ(told.get("shelf"), "third");
    EXPECT_EQ(session.call("/no/such").error().code(), Code::not_found);
    const auto wished = session.call<Message>({.accept_body_codec = BodyCodec::msgpack}, "/answer");
    EXPECT_EQ(wished.value().body_codec, BodyCodec::msgpack);
    EXPECT_TRUE(session.push(options, "/news", "tea").is_ok());
    EXPECT_EQ(pushed.receive().value(), "tea for ann");
  });
}

PARLEY_PEER_TEST(Proxy, pushes_of_a_session_keep_their_order) {
  constexpr int count = 300;
  rt::Channel<int> came(count);
  Way way;
  // One that counts as quick however slow the machine is: others may run at once then.
  way.service().add_unknown(
      MessageType::push,
      [&came](Context& context, const Message& push, Answer&) -> Status {
        const auto number = decode_body<int>(context.options(), push.body_codec, push.body);
        return number ? came.send(*number) : number.error();
      },
      true);
  const Session session = way.dial();
  for (int i = 0; i < count; ++i) {
    EXPECT_TRUE(session.push("/news", i).is_ok());
    // What waits in between overtakes nothing, and nothing overtakes it.
    if (i % 100 == 50) EXPECT_EQ(session.call("/no/such").error().code(), Code::not_found);
  }
  for (int i = 0; i < count; ++i) EXPECT_EQ(came.receive().value(), i);
}

PARLEY_PEER_TEST(Proxy, what_the_peer_serves_itself_stays_there_and_a_query_passes) {
  Way way;
  way.front_pair.server.handle("/where", [] { return std::string("edge"); });
  way.service().handle("/where", [] { return std::string("backend"); });
  way.service().handle("/ask", [](Context& context) { return std::string(context.query()); });
  const Session session = way.dial();
  EXPECT_EQ(session.call<std::string>("/where").value(), "edge");
  EXPECT_EQ(session.call<std::string>("/ask?id=7").value(), "id=7");
}

PARLEY_PEER_TEST(Proxy, a_real_ip_is_added_where_there_is_none_and_replaced_on_demand) {
  for (const bool replaces : {false, true}) {
    Way way({.replaces_real_ip = replaces});
    way.service().handle("/ip", [](Context& context) {
      EXPECT_EQ(context.metadata().get_all("X-Real-IP").size(), 1U);
      return std::string(*context.metadata().get("X-Real-IP"));
    });
    const Session session = way.dial();
    EXPECT_EQ(session.call<std::string>("/ip").value(), "127.0.0.1");
    const CallOptions said{.metadata = {{"X-Real-IP", "10.0.0.7"}}};
    EXPECT_EQ(session.call<std::string>(said, "/ip").value(), replaces ? "127.0.0.1" : "10.0.0.7");
  }
}

// Where a body lies, as a plugin of either side sees it.
PARLEY_PEER_TEST(Proxy, a_large_body_is_passed_on_as_it_lies_in_memory) {
  std::atomic<const char*> came = nullptr;
  std::atomic<const char*> left = nullptr;
  std::atomic<const char*> answered = nullptr;
  const Plugin looks_in{.name = "looks in", .serve = [&](ServeStep& step, Next& next) {
                          came = step.body().piece(0).data();
                          Status status = next();
                          EXPECT_EQ(step.reply_body().piece(0).data(), answered.load());
                          return status;
                        }};
  const Plugin looks_out{.name = "looks out", .call = [&](CallStep& step, Next& next) {
                           left = step.body().piece(0).data();
                           Status status = next();
                           answered = step.reply_body().piece(0).data();
                           return status;
                         }};
  Way way({}, {.plugins = {looks_in}}, {.plugins = {looks_out}});
  way.service().handle("/echo", &echo);
  const Bytes body = Bytes::from(std::string(1U << 20U, 'x'));
  EXPECT_EQ(way.front_pair.client.dial(way.front_pair.address)->call<Bytes>("/echo", body).value(),
            body);
  EXPECT_NE(came.load(), nullptr);
  EXPECT_EQ(came.load(), left.load());
}

// --- Transfer filters

// What a backend got, as it travelled.
struct Travelled {
  std::string body;
  std::string filters;
  bool is_filtered = false;
};

void keep_what_travels(Peer& peer, rt::Channel<Travelled>& came) {
  for (const MessageType type : {MessageType::call, MessageType::push}) {
    peer.add_unknown(
        type,
        [&came](Context&, const Message& request, Answer& answer) {
          (void)came.send(
              {request.body.to_string(), std::string(request.filters.ids()), request.is_filtered});
          answer.codec = BodyCodec{'s'};
          answer.bytes = Bytes::copy_of("answer\xff that nobody undoes");
          answer.is_filtered = true;
          return Status();
        },
        true);
  }
}

PARLEY_PEER_TEST(Proxy, bodies_through_filters_nobody_here_knows_travel_on_byte_by_byte) {
  rt::Channel<Travelled> came(2);
  Way way;
  keep_what_travels(way.service(), came);
  Foreign foreign(way.front_pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, MessageType::hello);
  for (const MessageType type : {MessageType::push, MessageType::call}) {
    foreign.say({.seq = 1,
                 .type = type,
                 .method = "/x",
                 .body_codec = BodyCodec::protobuf,
                 .is_filtered = true,
                 .filters = FilterPipe("zq"),
                 .body = Bytes::copy_of("\x1f\x8b compressed once")});
    const Travelled got = came.receive().value();
    EXPECT_EQ(got.body, "\x1f\x8b compressed once");
    EXPECT_EQ(got.filters, "zq");
    EXPECT_TRUE(got.is_filtered);
  }
  const Message reply = foreign.hear();
  EXPECT_TRUE(reply.is_filtered);
  EXPECT_EQ(reply.filters, FilterPipe("zq"));
  EXPECT_EQ(reply.body, "answer\xff that nobody undoes");
}

PARLEY_PEER_TEST(Proxy, what_a_caller_filtered_itself_is_sent_and_answered_as_it_is) {
  for (const bool is_filtered : {false, true}) {
    rt::Channel<Travelled> came(2);
    Pair pair({}, speaking(false, toy_filters()));
    keep_what_travels(pair.server, came);
    const Session session = pair.dial();
    const CallOptions options{.filters = FilterPipe("ab"), .is_filtered = is_filtered};
    const auto expected = is_filtered ? "tea" : "b:a:tea";
    const Bytes tea = Bytes::copy_of("tea");
    EXPECT_TRUE(session.push(options, "/x", tea).is_ok());
    EXPECT_EQ(came.receive()->body, expected);
    for (const bool async : {false, true}) {
      const auto reply = async ? session.call_async<Message>(options, "/x", tea).get()
                               : session.call<Message>(options, "/x", tea);
      EXPECT_EQ(came.receive()->body, expected);
      EXPECT_EQ(reply.has_value(), is_filtered);  // nobody can undo that answer
      if (reply) EXPECT_EQ(reply->body, "answer\xff that nobody undoes");
    }
  }
}

PARLEY_PEER_TEST(Proxy, filters_hold_between_all_framings_where_the_proxy_knows_them) {
  between_all_framings([](bool raw_front, bool raw_back) {
    rt::Channel<std::string> pushed(1);
    Way way({}, speaking(raw_front, toy_filters()), speaking(raw_back, toy_filters()));
    way.service().handle("/echo", &echo);
    way.service().handle("/news", [&](const std::string& text) { (void)pushed.send(text); });
    const Session session = way.dial();
    const CallOptions options{.filters = FilterPipe("ab")};
    EXPECT_EQ(session.call<std::string>(options, "/echo", "tea").value(), "tea");
    EXPECT_TRUE(session.push(options, "/news", "tea").is_ok());
    EXPECT_EQ(pushed.receive().value(), "tea");
    EXPECT_EQ(session.call("/no/such").error().code(), Code::not_found);
  });
}

PARLEY_PEER_TEST(Proxy, without_the_filter_a_call_between_two_framings_fails_and_says_so) {
  for (const bool inside_knows : {false, true}) {
    Way way({}, speaking(false), speaking(true, inside_knows ? toy_filters() : nullptr));
    way.service().handle("/echo", &echo);
    Pair knows(speaking(false, toy_filters()));
    const Session session = *knows.client.dial(way.front_pair.address);
    // Where it is known inside it runs, but its answer cannot come back through the edge.
    const Status failed =
        session.call<std::string>({.filters = FilterPipe("a")}, "/echo", "tea").error();
    EXPECT_EQ(failed.code(), Code::unimplemented);
    EXPECT_NE(failed.message().find("'a' is not registered"), std::string::npos) << failed;
    EXPECT_EQ(failed.message().find("the answer cannot be sent") == std::string::npos,
              !inside_knows);
    EXPECT_EQ(session.call<std::string>("/echo", "tea").value(), "tea");
  }
}

PARLEY_PEER_TEST(Proxy, plugins_on_both_sides_see_bodies_out_of_their_filters) {
  rt::Channel<std::string> seen(4);
  const Plugin looks_in{.name = "looks in", .serve = [&](ServeStep& step, Next& next) {
                          (void)seen.send("in " + step.body().to_string());
                          Status status = next();
                          (void)seen.send("answer " + step.reply_body().to_string());
                          return status;
                        }};
  const Plugin looks_out{.name = "looks out", .call = [&](CallStep& step, Next& next) {
                           (void)seen.send("out " + step.body().to_string());
                           return next();
                         }};
  for (const bool out_too : {false, true}) {
    PeerOptions front = speaking(false, toy_filters());
    PeerOptions back = speaking(false, toy_filters());
    front.plugins = {looks_in};
    if (out_too) back.plugins = {looks_out};
    Way way({}, front, back);
    way.service().handle("/echo", &echo);
    Pair plain(speaking(false, toy_filters()));
    const Session session = *plain.client.dial(way.front_pair.address);
    EXPECT_EQ(session.call<std::string>({.filters = FilterPipe("ab")}, "/echo", "tea").value(),
              "tea");
    EXPECT_EQ(seen.receive().value(), "in \"tea\"");
    if (out_too) {
      EXPECT_EQ(seen.receive().value(), "out \"tea\"");
    }
    EXPECT_EQ(seen.receive().value(), "answer \"tea\"");
  }
}

PARLEY_PEER_TEST(Proxy, an_answer_through_other_filters_than_the_question_is_refused) {
  Peer inside;
  const std::string address = inside.listen("tcp://127.0.0.1:0").value().to_string();
  Foreign backend(address);
  backend.say_hello();
  EXPECT_EQ(backend.hear().type, MessageType::hello);
  Pair front({.plugins = {proxy({.pick = [&](const ProxyLabel&) -> Result<ProxyTarget> {
                return inside.sessions().at(0);
              }})}},
             {.filters = toy_filters()});
  const Session session = front.dial();
  rt::Scope scope;
  scope.go("backend", [&] {
    const Message call = backend.hear();
    backend.say({.seq = call.seq,
                 .type = MessageType::reply,
                 .is_filtered = true,
                 .filters = FilterPipe("q"),
                 .body = Bytes::copy_of("x")});
  });
  EXPECT_EQ(
      session.call<Bytes>({.filters = FilterPipe("a")}, "/x", Bytes::copy_of("x")).error().code(),
      Code::internal);
}

// --- Where it goes

PARLEY_PEER_TEST(Proxy, the_label_says_what_there_is_to_choose_by) {
  Pair tea;
  Pair coffee;
  tea.server.handle("/what", [] { return std::string("tea"); });
  coffee.server.handle("/what", [] { return std::string("coffee"); });
  const Session to_tea = tea.dial();
  const Session to_coffee = coffee.dial();
  Pair front({.plugins = {proxy({.pick = [&](const ProxyLabel& label) -> Result<ProxyTarget> {
                EXPECT_EQ(label.real_ip(), "127.0.0.1");
                EXPECT_EQ(label.session_id(), "ann");
                EXPECT_EQ(label.method(), "/what");
                EXPECT_FALSE(label.is_push() || label.is_stream());
                const auto drink = label.metadata().get("drink");
                if (!drink) return Status(Code::not_found, "what would you like?");
                return *drink == "tea" ? to_tea : to_coffee;
              }})}},
             {});
  const Session session = front.dial();
  while (front.server.sessions().empty()) rt::yield();
  EXPECT_TRUE(front.server.sessions().at(0).set_id("ann").is_ok());
  for (const char* drink : {"tea", "coffee"}) {
    EXPECT_EQ(session.call<std::string>({.metadata = {{"drink", drink}}}, "/what").value(), drink);
  }
  const Status none = session.call("/what").error();
  EXPECT_EQ(none.code(), Code::not_found);
  EXPECT_EQ(none.message(), "what would you like?");
}

PARLEY_PEER_TEST(Proxy, a_pool_is_a_backend_too) {
  Pair behind;
  behind.server.handle("/add", [](int a, int b) { return a + b; });
  SessionPool pool(behind.client, behind.address, {.max_sessions = 2});
  SessionPool nowhere(behind.client, "tcp://127.0.0.1:1");
  Pair front({.plugins = {proxy({.pick = [&](const ProxyLabel& label) -> Result<ProxyTarget> {
                return label.method() == "/add" ? &pool : &nowhere;
              }})}},
             {});
  const Session session = front.dial();
  EXPECT_EQ(session.call<int>("/add", 20, 22).value(), 42);
  EXPECT_EQ(pool.session_count(), 1U);
  const Status failed = session.call("/nowhere").error();
  EXPECT_EQ(failed.code(), Code::unavailable);
  EXPECT_EQ(failed.business_code(), bad_gateway);
}

PARLEY_PEER_TEST(Proxy, what_was_not_sent_is_tried_on_the_next_backend_within_max_tries) {
  for (const std::size_t max_tries : {1U, 2U}) {
    Pair gone;
    Pair there;
    there.server.handle("/x", [] { return 1; });
    const Session to_gone = gone.dial();
    const Session to_there = there.dial();
    to_gone.close();
    std::atomic<std::size_t> picked = 0;
    Pair front({.plugins = {proxy({.pick = [&](const ProxyLabel& label) -> Result<ProxyTarget> {
                                     EXPECT_EQ(label.tries(), picked++);
                                     return label.tries() == 0 ? to_gone : to_there;
                                   },
                                   .max_tries = max_tries})}},
               {});
    const Result<int> got = front.dial().call<int>("/x");
    EXPECT_EQ(picked, max_tries);
    EXPECT_EQ(got.has_value(), max_tries == 2);
    if (got) continue;
    EXPECT_EQ(got.error().code(), Code::unavailable);
    EXPECT_EQ(got.error().business_code(), bad_gateway);
    EXPECT_NE(got.error().cause().find("not_sent"), std::string::npos);
  }
}

PARLEY_PEER_TEST(Proxy, proxies_in_a_circle_stop_at_max_hops) {
  for (const std::size_t max_hops : {3U, 8U}) {
    std::optional<Session> round;
    std::atomic<std::size_t> passed = 0;
    Pair front({.plugins = {proxy({.pick = [&](const ProxyLabel&) -> Result<ProxyTarget> {
                                     ++passed;
                                     return *round;
                                   },
                                   .max_hops = max_hops})}},
               {});
    round = front.dial();
    const Status failed = round->call("/x").error();
    EXPECT_EQ(failed.code(), Code::resource_exhausted);
    EXPECT_NE(failed.message().find("max_hops"), std::string::npos);
    EXPECT_EQ(passed, max_hops);
    const CallOptions odd{.metadata = {{std::string(proxy_hops_key), "many"}}};
    EXPECT_EQ(round->call(odd, "/x").error().code(), Code::invalid_argument);
  }
}

PARLEY_PEER_TEST(Proxy, no_more_than_max_under_way_wait_here) {
  for (const std::size_t most : {1U, 2U}) {
    rt::Channel<int> came(2);
    rt::Event let_go;
    Way way({.max_under_way = most});
    way.service().handle("/wait", [&] {
      (void)came.send(1);
      return let_go.wait();
    });
    way.service().handle("/x", [] { return 1; });
    const Session session = way.dial();
    auto waits = session.call_async("/wait");
    EXPECT_TRUE(came.receive());
    const Result<int> next = session.call<int>("/x");
    EXPECT_EQ(next.has_value(), most == 2);
    if (!next) {
      EXPECT_EQ(next.error().code(), Code::resource_exhausted);
      EXPECT_NE(next.error().message().find("max_under_way"), std::string::npos);
    }
    let_go.set();
    EXPECT_TRUE(waits.get());
    EXPECT_EQ(session.call<int>("/x").value(), 1);
  }
}

PARLEY_PEER_TEST(Proxy, a_backend_calls_and_pushes_back_where_pick_lets_it) {
  for (const char* key : {"X-Session", ""}) {
    rt::Channel<std::string> heard(1);
    Peer* edge = nullptr;
    std::optional<Session> to_backend;
    Pair backend;
    Pair front({.plugins = {proxy({.pick = [&](const ProxyLabel& label) -> Result<ProxyTarget> {
                                     if (!(label.session() == *to_backend)) return *to_backend;
                                     auto back =
                                         edge->session(label.metadata().get("to").value_or(""));
                                     if (back) return *back;
                                     return Status(Code::not_found, "nobody of that id");
                                   },
                                   .session_key = key})}},
               {});
    edge = &front.server;
    to_backend = *edge->dial(backend.address);
    backend.server.handle("/order", [](Context& context) -> Result<std::string> {
      const std::string who(context.metadata().get("X-Session").value_or("#0"));
      const CallOptions to{.metadata = {{"to", who}}};
      if (Status s = context.session().push(to, "/news", "coming"); !s.is_ok()) return s;
      return context.session().call<std::string>(to, "/sure");
    });
    front.client.handle("/sure", [] { return std::string("yes"); });
    front.client.handle("/news", [&](const std::string& text) { (void)heard.send(text); });
    const Result<std::string> sure = front.dial().call<std::string>("/order");
    EXPECT_EQ(sure.has_value(), *key != '\0');
    if (!sure) continue;
    EXPECT_EQ(*sure, "yes");
    EXPECT_EQ(heard.receive().value(), "coming");
  }
}

// --- Time, and what goes wrong

std::optional<std::int64_t> milliseconds_left() {
  const rt::Deadline deadline = rt::Context::current().deadline();
  if (deadline.is_never()) return {};
  return std::chrono::duration_cast<std::chrono::milliseconds>(deadline.instant() - rt::now())
      .count();
}
using Left = std::optional<std::int64_t>;

PARLEY_PEER_TEST(Proxy, the_deadline_of_the_caller_goes_through_and_a_limit_of_the_proxy_cuts_it) {
  for (const bool limited : {false, true}) {
    Way way({.timeout = limited ? std::optional<Duration>(5s) : std::nullopt});
    way.service().handle("/left", &milliseconds_left);
    const Session session = way.dial();
    const Left shorter = session.call<Left>({.timeout = 4s}, "/left").value();
    EXPECT_LE(shorter.value(), 4'000);
    const Left longer = session.call<Left>({.timeout = 5min}, "/left").value();
    EXPECT_GT(longer.value(), limited ? 0 : 250'000);
    EXPECT_LE(longer.value(), limited ? 5'000 : 300'000);
  }
}

PARLEY_PEER_TEST(Proxy, a_caller_that_cannot_say_how_long_it_waits_has_the_proxys_time) {
  PeerOptions front = speaking(true);
  front.call_timeout = 7s;
  Way way({}, front);
  way.service().handle("/left", &milliseconds_left);
  const Left left = way.dial().call<Left>("/left").value();
  EXPECT_GT(left.value(), 0);
  EXPECT_LE(left.value(), 7'000);
}

PARLEY_PEER_TEST(Proxy, a_caller_that_gives_up_or_whose_time_is_over_ends_the_backends_handler) {
  rt::Channel<Code> ended(2);
  rt::Channel<int> came(2);
  Way way({}, {.drain_timeout = 50ms});
  way.service().handle("/wait", [&] {
    (void)came.send(1);
    (void)ended.send(rt::Event().wait().code());
  });
  const Session session = way.dial();
  auto call = session.call_async("/wait");
  EXPECT_TRUE(came.receive());
  call.cancel();
  EXPECT_EQ(*ended.receive(), Code::cancelled);
  EXPECT_EQ(session.call({.timeout = 500ms}, "/wait").error().code(), Code::deadline_exceeded);
  EXPECT_TRUE(came.receive());
  const Code late = *ended.receive();
  EXPECT_TRUE(late == Code::deadline_exceeded || late == Code::cancelled) << late;
  // The caller itself is gone: what it asked is still answered for drain_timeout.
  auto last = session.call_async("/wait");
  EXPECT_TRUE(came.receive());
  (void)way.front_pair.client.shutdown({.limit = Duration::zero()});
  EXPECT_EQ(*ended.receive(), Code::cancelled);
}

PARLEY_PEER_TEST(Proxy, a_backend_that_is_cut_under_way_is_a_bad_gateway_that_may_have_run_it) {
  Peer inside;
  const std::string address = inside.listen("tcp://127.0.0.1:0").value().to_string();
  auto backend = std::make_unique<Foreign>(address);
  backend->say_hello();
  EXPECT_EQ(backend->hear().type, MessageType::hello);
  Pair front({.plugins = {proxy({.pick = [&](const ProxyLabel&) -> Result<ProxyTarget> {
                if (inside.sessions().empty()) return Status(Code::not_sent, "nobody is there");
                return inside.sessions().at(0);
              }})}},
             {});
  const Session session = front.dial();
  auto call = session.call_async("/x");
  EXPECT_EQ(backend->hear().type, MessageType::call);
  backend.reset();
  const Status cut = call.get().error();
  EXPECT_EQ(cut.code(), Code::unknown);
  EXPECT_EQ(cut.business_code(), bad_gateway);
  EXPECT_NE(cut.cause().find("outcome_unknown"), std::string::npos);
  while (!inside.sessions().empty()) rt::yield();
  const Status nobody = session.call("/x").error();
  EXPECT_EQ(nobody.code(), Code::unavailable);
  EXPECT_EQ(nobody.business_code(), bad_gateway);
  EXPECT_NE(nobody.cause().find("nobody is there"), std::string::npos);
}

PARLEY_PEER_TEST(Proxy, teleports_connection_errors_of_a_backend_are_a_bad_gateway) {
  Way way({}, speaking(true));
  way.service().handle("/fail", [](int code) {
    return Status(Code::unavailable, "conn closed").with_business_code(code);
  });
  const Session session = way.dial();
  for (const int code : {100, 102, 199}) {
    const Status failed = session.call("/fail", code).error();
    EXPECT_EQ(failed.code(), Code::unavailable) << code;
    EXPECT_EQ(failed.business_code(), bad_gateway) << code;
  }
  for (const int code : {99, 200, 1001}) {
    EXPECT_EQ(session.call("/fail", code).error().business_code(), code);
  }
}

// --- Streams

// Doubles what comes; ends with the sum in its metadata.
Status double_all(Context& context, Stream<int, int>& numbers) {
  int sum = 0;
  for (;;) {
    const auto number = numbers.receive();
    if (!number) return number.error();
    if (!*number) break;
    sum += **number;
    if (Status s = numbers.send(2 * **number); !s.is_ok()) return s;
  }
  context.reply_metadata().set("sum", std::to_string(sum));
  return sum == 6 ? Status() : Status::business(1006, "not six");
}

PARLEY_PEER_TEST(Proxy, streams_pass_both_ways_with_their_ends_and_filters) {
  for (const char* filters : {"", "ab"}) {
    Way way({}, {}, speaking(false, toy_filters()));
    way.service().handle_stream("/double", &double_all);
    // The proxy has no filters at all.
    Pair caller(speaking(false, toy_filters()));
    const Session session = *caller.client.dial(way.front_pair.address);
    for (const int last : {3, 4}) {
      auto stream = session.open<int, int>({.filters = FilterPipe(filters)}, "/double");
      ASSERT_TRUE(stream);
      for (const int number : {1, 2, last}) {
        EXPECT_TRUE(stream->send(number).is_ok());
        EXPECT_EQ(stream->receive().value().value(), 2 * number);
      }
      EXPECT_TRUE(stream->finish().is_ok());
      const auto end = stream->receive();
      EXPECT_EQ(end.has_value(), last == 3);
      EXPECT_EQ(stream->end_metadata()->get("sum"), std::to_string(3 + last));
      if (!end) EXPECT_EQ(end.error().business_code(), 1006);
    }
    auto none = session.open<int, int>("/no/such");
    EXPECT_EQ(none->receive().error().code(), Code::not_found);
  }
}

PARLEY_PEER_TEST(Proxy, a_stream_that_is_given_up_ends_at_the_backend_and_a_cut_backend_ends_it) {
  rt::Channel<Code> ended(1);
  rt::Channel<int> came(1);
  Way way;
  way.service().handle_stream("/wait", [&](RawStream& stream) -> Status {
    (void)came.send(1);
    const auto got = stream.receive();
    (void)ended.send(got ? Code::ok : got.error().code());
    return {};
  });
  const Session session = way.dial();
  auto given_up = session.open<int, int>("/wait");
  EXPECT_TRUE(came.receive());
  given_up->cancel();
  EXPECT_EQ(*ended.receive(), Code::cancelled);
  auto cut = session.open<int, int>("/wait");
  EXPECT_TRUE(came.receive());
  (void)way.service().shutdown({.limit = Duration::zero()});
  const Status why = cut->receive().error();
  EXPECT_EQ(why.business_code(), bad_gateway) << why;
}

PARLEY_PEER_TEST(Proxy, a_slow_reader_at_one_end_stops_the_writer_at_the_other) {
  constexpr std::size_t size = 16U << 10U;
  rt::Event read_on;
  PeerOptions small{.stream_credit = 64U << 10U};
  Way way({}, small, small);
  way.service().handle_stream("/slow", [&](RawStream& stream) -> Status {
    if (Status s = read_on.wait(); !s.is_ok()) return s;
    for (std::size_t count = 0;; ++count) {
      auto message = stream.receive();
      if (!message) return message.error();
      if (!*message) return stream.send(Bytes::from(std::to_string(count)));
    }
  });
  const Session session = way.dial();
  auto stream = session.open_raw({}, "/slow", BodyCodec::plain);
  ASSERT_TRUE(stream);
  std::size_t sent = 0;
  const Bytes message = Bytes::from(std::string(size, 'x'));
  // What lies at the proxy and at the backend, and not more.
  while (stream->send(message, rt::Deadline::after(300ms)).is_ok()) ASSERT_LT(++sent, 20U);
  EXPECT_GE(sent, 3U);
  read_on.set();
  for (std::size_t more = 0; more < 50; ++more, ++sent) {
    ASSERT_TRUE(stream->send(message).is_ok());
  }
  EXPECT_TRUE(stream->finish().is_ok());
  EXPECT_EQ(stream->receive().value().value(), std::to_string(sent));
}

PARLEY_PEER_TEST(Proxy, a_stream_needs_a_framing_that_has_them_on_both_sides) {
  Way way({}, speaking(false), speaking(true));
  auto stream = way.dial().open<int, int>("/x");
  EXPECT_EQ(stream->receive().error().code(), Code::unimplemented);
}

// --- Many at once

PARLEY_PEER_TEST(Proxy, many_calls_of_many_sessions_each_get_their_own_answer) {
  constexpr int sessions = 8;
  constexpr int calls = 50;
  Way way;
  way.service().handle("/add", [](int a, int b) {
    if (a % 3 == 0) rt::yield();
    return a + b;
  });
  std::atomic<int> right = 0;
  rt::Scope scope;
  for (int s = 0; s < sessions; ++s) {
    scope.go("caller", [&, s] {
      const Session session = way.dial();
      rt::Scope own;
      for (int c = 0; c < calls; ++c) {
        own.go("call", [&, c] {
          if (session.call<int>("/add", c, 1000 * s).value_or(-1) == c + 1000 * s) ++right;
        });
      }
      own.join();
    });
  }
  scope.join();
  EXPECT_EQ(right, sessions * calls);
}

// Each has a fiber here: within max_under_way, max_fibers and, of one session, max_handlers.
PARLEY_FIBER_TEST(Proxy, ten_thousand_calls_wait_for_their_answers_at_once) {
  constexpr std::size_t count = is_sanitized ? 1'000 : 10'000;
  Peer inside;
  Foreign backend(inside.listen("tcp://127.0.0.1:0").value().to_string());
  backend.say_hello();
  EXPECT_EQ(backend.hear().type, MessageType::hello);
  Pair front({.max_handlers = count,
              .plugins = {proxy({.pick = [&](const ProxyLabel&) -> Result<ProxyTarget> {
                return inside.sessions().at(0);
              }})}},
             {});
  const Session session = front.dial();
  std::vector<AsyncCall<std::size_t>> asked;
  for (std::size_t i = 0; i < count; ++i) {
    asked.push_back(session.call_async<std::size_t>("/wait", i));
  }
  // Nobody is answered before the last has come.
  std::vector<Message> came;
  while (came.size() < count) came.push_back(backend.hear());
  for (Message& each : came) {
    each = {.seq = each.seq,
            .type = MessageType::reply,
            .body_codec = each.body_codec,
            .body = std::move(each.body)};
  }
  backend.say_at_once(came);
  for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(asked[i].get().value(), i);
}

PARLEY_PEER_TEST(Proxy, tries_without_end_pause_and_end_with_the_time_of_the_call) {
  for (const bool is_stream : {false, true}) {
    Pair gone;
    const Session backend = gone.dial();
    backend.close();
    std::atomic<std::size_t> picked = 0;
    // A stream has no time of its own.
    Pair front({.call_timeout = 200ms,
                .plugins = {proxy({.pick = [&](const ProxyLabel&) -> Result<ProxyTarget> {
                                     ++picked;
                                     return backend;
                                   },
                                   .max_tries = std::numeric_limits<std::size_t>::max()})}},
               {});
    const Session session = front.dial();
    const Status failed = is_stream ? session.open<int, int>("/x").value().receive().error()
                                    : session.call<int>({.timeout = 200ms}, "/x").error();
    EXPECT_FALSE(failed.is_ok());
    EXPECT_GT(picked, 2U);
    EXPECT_LT(picked, 20U);
  }
}

}  // namespace
}  // namespace parley
