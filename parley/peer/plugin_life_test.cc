// The hooks of plugins in the life of a peer and its sessions.
#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "parley/net/network.h"
#include "parley/net/testing/memory_stream.h"
#include "parley/net/testing/stream_over.h"
#include "parley/peer/early_session.h"
#include "parley/peer/plugin.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using testing::Foreign;
using testing::Log;
using testing::Pair;
using namespace std::chrono_literals;
using wire::MessageType;

PeerOptions with(std::vector<Plugin> plugins) { return {.plugins = std::move(plugins)}; }

Status refusal() { return {Code::permission_denied, "not here"}; }

// --- Building

PARLEY_PEER_TEST(PluginLife, the_options_of_a_peer_may_be_changed_before_it_is_made) {
  std::atomic<int> added = 0;
  const Plugin late{.name = "late", .before_new_peer = [&](PeerOptions&) {
                      ++added;
                      return Status();
                    }};
  Pair pair(with({{.name = "few",
                   .before_new_peer =
                       [&](PeerOptions& options) {
                         options.max_sessions = 1;
                         options.plugins.push_back(late);
                         return Status();
                       }}}),
            {});
  const Session session = pair.dial();
  EXPECT_FALSE(session.call("/x"));  // it is there, over there
  const Session second = pair.dial();
  EXPECT_FALSE(second.wait_closed(rt::Deadline::after(10s)).is_ok());
  pair.server_log.wait_for("max_sessions: 1");
  EXPECT_EQ(added, 1);
}

PARLEY_PEER_TEST(PluginLife, a_peer_that_a_plugin_refuses_neither_listens_nor_dials_nor_serves) {
  const auto refuses = [](Plugin plugin) {
    plugin.name = "strict";
    Peer peer(with({std::move(plugin)}));
    peer.handle("/x", [] {});
    const Status status = peer.listen("tcp://127.0.0.1:0").error();
    EXPECT_EQ(status.code(), Code::permission_denied);
    EXPECT_EQ(status.message(), "plugin strict: not here");
    EXPECT_EQ(peer.dial("tcp://127.0.0.1:9").error(), status);
    auto [mine, theirs] = net::testing::memory_streams();
    EXPECT_EQ(peer.serve(std::move(mine)).error(), status);
  };
  refuses({.before_new_peer = [](PeerOptions&) { return refusal(); }});
  refuses({.after_new_peer = [](Peer&) { return refusal(); }});
  refuses({.on_register = [](const Registration& registration) {
    return registration.method == "/x" ? refusal() : Status();
  }});
}

PARLEY_PEER_TEST(PluginLife, one_may_serve_methods_of_its_own_and_hears_of_all) {
  Log log;
  const auto hearing = [&](const std::string& name) {
    return Plugin{.name = name, .on_register = [&log, name](const Registration& registration) {
                    log.add(name + ":" + std::string(registration.method) +
                            (registration.is_stream ? " stream" : ""));
                    return Status();
                  }};
  };
  Plugin pinged = hearing("pinged");
  pinged.after_new_peer = [](Peer& peer) {
    peer.handle("/ping", [] { return 1; });
    return Status();
  };
  Pair pair(with({pinged}), {});
  pair.server.group("/g", {hearing("group")}).handle_stream("/s", [](Stream<int, int>&) {});
  pair.server.handle_unknown_calls([] { return 2; });
  EXPECT_EQ(log.text(), "pinged:/ping\npinged:/g/s stream\ngroup:/g/s stream\npinged:\n");
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/ping").value(), 1);
  EXPECT_EQ(session.call<int>("/pong").value(), 2);
}

PARLEY_PEER_TEST(PluginLife, after_listen_knows_the_port_and_may_refuse_it) {
  std::string listening;
  Peer peer(with({{.name = "registry", .after_listen = [&](Peer&, const net::Address& address) {
                     listening = address.to_string();
                     return listening.ends_with(":0") ? refusal() : Status();
                   }}}));
  EXPECT_EQ(peer.listen("tcp://127.0.0.1:0")->to_string(), listening);
  Peer strict(with({{.name = "registry", .after_listen = [&](Peer&, const net::Address& address) {
                       listening = address.to_string();
                       return refusal();
                     }}}));
  EXPECT_EQ(strict.listen("tcp://127.0.0.1:0").error().code(), Code::permission_denied);
  EXPECT_EQ(Peer().dial(listening).error().code(), Code::not_sent);
}

// --- A session that begins

PARLEY_PEER_TEST(PluginLife, before_dial_may_refuse_an_address_and_nothing_is_dialled) {
  std::atomic<int> accepted = 0;
  Pair pair(with({{.name = "count",
                   .after_accept =
                       [&](EarlySession&) {
                         ++accepted;
                         return Status();
                       }}}),
            with({{.name = "allowed", .before_dial = [](const Dialling& dialling) {
                     EXPECT_FALSE(dialling.is_redial);
                     EXPECT_EQ(dialling.address.host, "127.0.0.1");
                     return refusal();
                   }}}));
  EXPECT_EQ(pair.client.dial(pair.address).error().message(), "plugin allowed: not here");
  EXPECT_TRUE(Peer().dial(pair.address));
  while (accepted == 0) rt::yield();
  EXPECT_EQ(accepted, 1);
}

PARLEY_PEER_TEST(PluginLife, what_a_session_is_given_early_it_has_from_its_first_moment_on) {
  const auto prepare = [](EarlySession& session) {
    EXPECT_FALSE(session.is_redial());
    EXPECT_FALSE(session.local_address().empty());
    EXPECT_EQ(session.real_ip(), "127.0.0.1");
    EXPECT_EQ(session.set_id("#1").code(), Code::invalid_argument);
    EXPECT_EQ(session.set_real_ip("nobody").code(), Code::invalid_argument);
    EXPECT_TRUE(session.set_real_ip("10.0.0.7").is_ok());
    EXPECT_TRUE(session.values().set("user", std::string("ann")).is_ok());
    const std::string side = session.side() == Side::dialled ? "client" : "server";
    return session.set_id(side + " of ann");
  };
  Pair pair(with({{.name = "prepare", .after_accept = prepare}}),
            with({{.name = "prepare", .after_dial = prepare}}));
  pair.server.handle("/who", [](Context& context) {
    const Session& session = context.session();
    return session.id() + ", " + *session.values().get<std::string>("user") + ", " +
           context.real_ip();
  });
  const Session session = pair.dial();
  EXPECT_EQ(session.id(), "client of ann");
  EXPECT_EQ(session.call<std::string>("/who").value(), "server of ann, ann, 10.0.0.7");
  EXPECT_TRUE(pair.server.session("server of ann"));
  const Session second = pair.dial();
  const Status replaced = session.wait_closed(rt::Deadline::after(10s));
  // Both sides take the id over; where the server is first, its reason comes with GO_AWAY.
  EXPECT_NE(replaced.to_string().find("another session has taken over"), std::string::npos);
  EXPECT_TRUE(replaced.code() == Code::aborted || replaced.code() == Code::unavailable) << replaced;
  EXPECT_EQ(second.call<std::string>("/who").value(), "server of ann, ann, 10.0.0.7");
}

PARLEY_PEER_TEST(PluginLife, a_session_that_is_refused_is_never_to_be_found) {
  Pair pair(with({{.name = "door", .after_accept = [](EarlySession&) { return refusal(); }}}), {});
  const Session session = pair.dial();
  EXPECT_FALSE(session.call("/x"));
  pair.server_log.wait_for("permission_denied: plugin door: not here");
  EXPECT_EQ(pair.server.session_count(), 0U);
  Peer strict(with({{.name = "door", .after_dial = [](EarlySession&) { return refusal(); }}}));
  EXPECT_EQ(strict.dial(pair.address).error().message(), "plugin door: not here");
  EXPECT_EQ(strict.session_count(), 0U);
}

PARLEY_PEER_TEST(PluginLife, whoever_did_not_refuse_hears_once_of_the_end) {
  Log log;
  std::atomic<bool> is_open = false;
  const auto counting = [&](const std::string& name) {
    return Plugin{.name = name,
                  .after_accept =
                      [&log, name](EarlySession&) {
                        log.add(name + " in");
                        return Status();
                      },
                  .on_disconnect = [&log, name](const ClosedSession&) { log.add(name + " out"); }};
  };
  Plugin door{.name = "door",
              .after_accept = [&](EarlySession&) { return is_open ? Status() : refusal(); },
              .on_disconnect = [&](const ClosedSession&) { log.add("door out"); }};
  Pair pair(with({counting("first"), door, counting("last")}), {});
  EXPECT_FALSE(pair.dial().call("/x"));
  pair.server_log.wait_for("refused");
  EXPECT_EQ(log.take(), "first in\nfirst out\n");
  is_open = true;
  const Session session = pair.dial();
  EXPECT_EQ(session.call("/x").error().code(), Code::not_found);
  session.close();
  log.wait_for("last out");
  EXPECT_EQ(log.take(), "first in\nlast in\nfirst out\ndoor out\nlast out\n");
}

PARLEY_PEER_TEST(PluginLife, one_that_takes_long_holds_up_no_other_session_and_counts_as_one) {
  rt::Event let_go;
  std::atomic<int> came = 0;
  Pair pair(PeerOptions{.max_sessions = 2,
                        .plugins = {{.name = "slow",
                                     .after_accept =
                                         [&](EarlySession&) {
                                           if (++came == 1) {
                                             (void)let_go.wait();
                                           }
                                           return Status();
                                         }}}},
            {});
  pair.server.handle("/x", [] { return 1; });
  const Session slow = pair.dial();
  while (came == 0) rt::yield();
  const Session other = pair.dial();
  EXPECT_EQ(other.call<int>("/x").value(), 1);
  EXPECT_FALSE(pair.dial().call("/x"));
  let_go.set();
  EXPECT_EQ(slow.call<int>("/x").value(), 1);
}

PARLEY_PEER_TEST(PluginLife, closing_the_peer_ends_what_plugins_wait_for) {
  rt::Channel<Code> ended(2);
  rt::Event begun;
  auto pair = std::make_unique<Pair>(with({{.name = "slow",
                                            .after_accept =
                                                [&](EarlySession& session) {
                                                  begun.set();
                                                  Status status =
                                                      session.receive({.timeout = 1h}).error();
                                                  EXPECT_TRUE(ended.send(status.code()).is_ok());
                                                  return status;
                                                }}}),
                                     PeerOptions());
  const Session session = pair->dial();
  (void)begun.wait();
  pair->server.close();
  EXPECT_EQ(ended.receive().value(), Code::not_sent);
}

TEST(PluginLife, early_timeout_bounds_what_plugins_take) {
  for (const Duration timeout : {Duration(1s), Duration(3s)}) {
    rt::testing::in_virtual_time(
        [&] {
          Peer peer(PeerOptions{.early_timeout = timeout,
                                .plugins = {{.name = "slow", .after_dial = [](EarlySession&) {
                                               return rt::sleep(1h);
                                             }}}});
          auto [mine, theirs] = net::testing::memory_streams();
          const Instant start = rt::now();
          const Status status = peer.serve(std::move(mine), Side::dialled).error();
          EXPECT_EQ(status.code(), Code::deadline_exceeded);
          EXPECT_NE(status.message().find("early_timeout"), std::string::npos) << status;
          EXPECT_GE(rt::now() - start, timeout);
          EXPECT_LT(rt::now() - start, timeout + 1s);
        },
        10ms);
  }
}

TEST(PluginLife, early_timeout_bounds_on_session_too_which_is_then_closed) {
  rt::testing::in_virtual_time(
      [] {
        Peer peer(PeerOptions{.early_timeout = 2s,
                              .plugins = {{.name = "slow", .on_session = [](const Session&) {
                                             return rt::sleep(1h);
                                           }}}});
        auto [mine, theirs] = net::testing::memory_streams();
        const Instant start = rt::now();
        const Status status = peer.serve(std::move(mine), Side::dialled).error();
        EXPECT_EQ(status.code(), Code::deadline_exceeded);
        EXPECT_GE(rt::now() - start, 2s);
        EXPECT_EQ(peer.session_count(), 0U);
      },
      10ms);
}

PARLEY_PEER_TEST(PluginLife, what_a_hook_throws_refuses_and_names_it) {
  Peer peer(with({{.name = "rash", .before_dial = [](const Dialling&) -> Status {
                     throw std::runtime_error("oops");
                   }}}));
  const Status status = peer.dial("tcp://127.0.0.1:9").error();
  EXPECT_EQ(status.code(), Code::internal);
  EXPECT_EQ(status.message(), "plugin rash threw an exception in before_dial");
  EXPECT_EQ(status.cause(), "oops");
}

// --- The exchange before everything else

// Says `question`, and keeps what is answered.
Plugin asking(std::string& answer) {
  return {.name = "asking", .after_dial = [&answer](EarlySession& session) -> Status {
            const wire::Message question{.seq = 5,
                                         .type = MessageType::auth_call,
                                         .method = "/auth",
                                         .metadata = {{"key", "value"}},
                                         .body_codec = wire::BodyCodec::plain,
                                         .body = Bytes::copy_of("who?")};
            if (Status s = session.send(question); !s.is_ok()) return s;
            const auto reply = session.receive();
            if (!reply) return reply.error();
            answer = reply->body.to_string();
            EXPECT_EQ(session.send(question).code(), Code::failed_precondition);
            EXPECT_EQ(session.receive().error().code(), Code::failed_precondition);
            return reply->status;
          }};
}
Plugin answering() {
  return {.name = "answering", .after_accept = [](EarlySession& session) -> Status {
            const auto question = session.receive();
            if (!question) return question.error();
            EXPECT_EQ(question->method, "/auth");
            EXPECT_EQ(question->metadata.get("key"), "value");
            EXPECT_EQ(session.send({.type = MessageType::auth_call}).code(),
                      Code::invalid_argument);
            return session.send({.seq = question->seq,
                                 .type = MessageType::auth_reply,
                                 .body_codec = wire::BodyCodec::plain,
                                 .body = Bytes::copy_of("echo of " + question->body.to_string())});
          }};
}

PARLEY_PEER_TEST(PluginLife, a_message_and_its_answer_pass_before_everything_else_in_each_framing) {
  for (const bool is_raw : {false, true}) {
    std::string answer;
    PeerOptions client = with({asking(answer)});
    if (is_raw) client.framings = testing::raw_only();
    Pair pair(with({answering()}), client);
    pair.server.handle("/add", [](int a, int b) { return a + b; });
    const Session session = pair.dial();
    EXPECT_EQ(answer, "echo of who?");
    EXPECT_EQ(session.call<int>("/add", 1, 2).value(), 3);
  }
}

PARLEY_PEER_TEST(PluginLife, what_comes_right_behind_the_first_message_is_not_lost) {
  Pair pair(with({answering()}), {});
  pair.server.handle("/x", [] { return 1; });
  Foreign foreign(pair.address);
  foreign.say_hello();
  foreign.say_at_once({{.seq = 1,
                        .type = MessageType::auth_call,
                        .method = "/auth",
                        .metadata = {{"key", "value"}}},
                       {.seq = 2, .type = MessageType::call, .method = "/x"},
                       {.seq = 3, .type = MessageType::call, .method = "/x"}});
  EXPECT_EQ(foreign.hear().type, MessageType::hello);
  EXPECT_EQ(foreign.hear().type, MessageType::auth_reply);
  EXPECT_EQ(foreign.hear().body, "1");
  EXPECT_EQ(foreign.hear().seq, 3);
}

PARLEY_PEER_TEST(PluginLife, another_first_message_is_refused_and_the_connection_closed) {
  Pair pair(with({answering()}), {});
  Foreign foreign(pair.address);
  foreign.say_hello();
  foreign.say({.seq = 2, .type = MessageType::call, .method = "/x"});
  EXPECT_EQ(foreign.hear().type, MessageType::hello);
  const wire::Message why = foreign.hear();
  EXPECT_EQ(why.type, MessageType::go_away);
  EXPECT_EQ(why.status.code(), Code::unauthenticated);
  EXPECT_EQ(foreign.hear().type, MessageType::cancel);
  pair.server_log.wait_for(
      "unauthenticated: plugin answering: the first message has to be of type auth_call, not call");
}

PARLEY_PEER_TEST(PluginLife,
                 what_went_wrong_before_ends_the_session_also_when_a_plugin_minds_it_not) {
  Pair pair(with({{.name = "careless",
                   .after_accept =
                       [](EarlySession& session) {
                         (void)session.receive();
                         return Status();
                       }}}),
            {});
  EXPECT_FALSE(pair.dial().call("/x"));
  pair.server_log.wait_for("the first message has to be of type auth_call, not call");
}

PARLEY_PEER_TEST(PluginLife, who_accepted_cannot_send_before_it_has_received) {
  Pair pair(with({{.name = "eager",
                   .after_accept =
                       [](EarlySession& session) {
                         return session.send({.type = MessageType::auth_reply});
                       }}}),
            {});
  const Session session = pair.dial();
  pair.server_log.wait_for("receive first");
}

TEST(PluginLife, the_first_message_must_come_in_its_time) {
  for (const Duration timeout : {Duration(1s), Duration(3s)}) {
    rt::testing::in_virtual_time(
        [&] {
          Peer peer(with({{.name = "patient", .after_accept = [&](EarlySession& session) {
                             return session.receive({.timeout = timeout}).error();
                           }}}));
          auto [mine, theirs] = net::testing::memory_streams();
          const Instant start = rt::now();
          EXPECT_EQ(peer.serve(std::move(mine)).error().code(), Code::deadline_exceeded);
          EXPECT_GE(rt::now() - start, timeout);
          EXPECT_LT(rt::now() - start, timeout + 1s);
        },
        10ms);
  }
}

PARLEY_PEER_TEST(PluginLife, the_first_message_has_at_most_max_bytes) {
  for (const bool is_enough : {false, true}) {
    std::string answer;
    rt::Channel<Code> ended(1);
    Pair pair(with({{.name = "small",
                     .after_accept =
                         [&](EarlySession& session) {
                           const std::size_t most = is_enough ? 1'000 : 20;
                           const Code code = session.receive({.max_bytes = most}).error().code();
                           EXPECT_TRUE(ended.send(code).is_ok());
                           return refusal();
                         }}}),
              with({asking(answer)}));
    EXPECT_FALSE(pair.client.dial(pair.address));
    EXPECT_EQ(ended.receive().value(), is_enough ? Code::ok : Code::resource_exhausted);
  }
}

// --- Another stream in its place

// Changes each byte on its way.
class Masked final : public net::testing::StreamOver {
 public:
  using StreamOver::StreamOver;

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override {
    auto size = StreamOver::read(into, deadline);
    if (size) mask(into.first(*size));
    return size;
  }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    std::string masked(from);
    mask(masked);
    return StreamOver::write_some(masked, deadline);
  }

 private:
  static void mask(std::span<char> bytes) {
    for (char& each : bytes) each = static_cast<char>(each ^ 0x55);
  }
};

Result<std::unique_ptr<net::Stream>> masked(std::unique_ptr<net::Stream> stream) {
  return std::make_unique<Masked>(std::move(stream));
}

PARLEY_PEER_TEST(PluginLife, the_stream_may_be_replaced_before_it_is_used) {
  std::string answer;
  const auto mask = [](EarlySession& session) {
    EXPECT_GE(session.stream().descriptor(), 0);
    return session.replace_stream(&masked);
  };
  Pair pair(with({{.name = "mask", .after_accept = mask}, answering()}),
            with({{.name = "mask", .after_dial = mask},
                  asking(answer),
                  {.name = "late", .after_dial = [](EarlySession& session) {
                     EXPECT_EQ(session.replace_stream(&masked).code(), Code::failed_precondition);
                     return Status();
                   }}}));
  pair.server.handle("/x", [] { return 1; });
  EXPECT_EQ(pair.dial().call<int>("/x").value(), 1);
  EXPECT_EQ(answer, "echo of who?");
  // Who does not mask its bytes is not understood.
  EXPECT_FALSE(Peer().dial(pair.address)->call<int>("/x"));
}

using Replaced = Result<std::unique_ptr<net::Stream>>;

PARLEY_PEER_TEST(PluginLife, a_stream_that_cannot_be_replaced_ends_the_session_whatever_is_done) {
  const auto cannot = [](std::unique_ptr<net::Stream>) -> Replaced { return refusal(); };
  const auto try_all = [&](EarlySession& session) {
    const std::string address = session.stream().remote_address().to_string();
    const Status refused = session.replace_stream(cannot);
    EXPECT_EQ(refused.code(), refusal().code());
    EXPECT_EQ(refused.message(), "the stream could not be replaced: " + refusal().message());
    const auto type =
        session.side() == Side::dialled ? MessageType::auth_call : MessageType::auth_reply;
    EXPECT_EQ(session.send({.seq = 1, .type = type}), refused);
    EXPECT_EQ(session.receive().error(), refused);
    EXPECT_EQ(session.replace_stream(&masked), refused);
    EXPECT_EQ(session.stream().remote_address().to_string(), address);
    EXPECT_FALSE(session.stream().write("x").is_ok());
    return Status();
  };
  for (const Side side : {Side::dialled, Side::accepted}) {
    const bool is_dialled = side == Side::dialled;
    Peer peer(is_dialled ? with({{.name = "mask", .after_dial = try_all}})
                         : with({{.name = "mask", .after_accept = try_all}}));
    auto [mine, theirs] = net::testing::memory_streams();
    const Status status = peer.serve(std::move(mine), side).error();
    EXPECT_EQ(status.code(), refusal().code());
    EXPECT_NE(status.message().find("the stream could not be replaced"), std::string::npos);
  }
}

PARLEY_PEER_TEST(PluginLife, what_throws_instead_of_replacing_a_stream_and_none_are_internal) {
  const auto throws = [](std::unique_ptr<net::Stream>) -> Replaced {
    throw std::runtime_error("no certificate");
  };
  const auto none = [](std::unique_ptr<net::Stream>) -> Replaced {
    return std::unique_ptr<net::Stream>();
  };
  const EarlySession::Wrap wraps[] = {throws, none};
  for (const EarlySession::Wrap& wrap : wraps) {
    Peer peer(with({{.name = "mask", .after_dial = [&](EarlySession& session) {
                       return session.replace_stream(wrap);
                     }}}));
    auto [mine, theirs] = net::testing::memory_streams();
    const Status status = peer.serve(std::move(mine), Side::dialled).error();
    EXPECT_EQ(status.code(), Code::internal);
    EXPECT_NE(status.message().find("plugin mask: the stream could not be replaced"),
              std::string::npos);
  }
}

// --- A session that is there, and its end

PARLEY_PEER_TEST(PluginLife, on_session_may_call_and_what_it_refuses_is_closed) {
  Pair pair({}, with({{.name = "login", .on_session = [](const Session& session) -> Status {
                         return session.call("/login").error();
                       }}}));
  std::atomic<int> logins = 0;
  pair.server.handle("/login", [&]() -> Status { return ++logins == 1 ? Status() : refusal(); });
  const Session session = pair.dial();
  EXPECT_EQ(logins, 1);
  const Status refused = pair.client.dial(pair.address).error();
  EXPECT_EQ(refused.code(), Code::permission_denied);
  EXPECT_EQ(pair.client.session_count(), 1U);
  EXPECT_TRUE(session.is_open());
}

PARLEY_PEER_TEST(PluginLife, on_disconnect_sees_what_was_kept_and_why_it_ended) {
  Log log;
  Pair pair({}, with({{.name = "farewell", .on_disconnect = [&](const ClosedSession& session) {
                         log.add(session.id() + ", " + *session.values().get<std::string>("user") +
                                 ", " + std::string(name_of(session.reason().code())));
                         throw std::runtime_error("oops");
                       }}}));
  const Session session = pair.dial();
  EXPECT_TRUE(session.set_id("ann").is_ok());
  EXPECT_TRUE(session.values().set("user", std::string("Ann")).is_ok());
  EXPECT_TRUE(session.on_closed([&](const Status&) { log.add("on_closed"); }).is_ok());
  session.close();
  EXPECT_EQ(log.text(), "on_closed\nann, Ann, cancelled\n");
  EXPECT_TRUE(pair.client_log.has("plugin farewell threw an exception in on_disconnect"));
}

}  // namespace
}  // namespace parley
