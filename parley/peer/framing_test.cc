// What is spoken on a session: chosen by who dials, told by the first bytes on the other side.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/wire/json_framing.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/pb_framing.h"
#include "parley/wire/raw_framing.h"

namespace parley {
namespace {

using testing::Foreign;
using testing::Pair;
using namespace std::chrono_literals;
using Framings = std::vector<std::shared_ptr<const wire::Framing>>;

Framings parley_alone() { return {std::make_shared<wire::ParleyFraming>()}; }

void serve_texts(Peer& peer) {
  peer.handle("/size", [](const std::string& text) { return text.size(); });
  peer.handle("/text", [](std::size_t size) { return std::string(size, 'x'); });
}

PARLEY_PEER_TEST(Framing, one_port_takes_each_and_both_sides_call) {
  Pair pair;
  serve_texts(pair.server);
  for (const Framings& framings : {Framings(), testing::raw_only(), parley_alone()}) {
    Peer client(PeerOptions{.framings = framings});
    client.handle("/back", [](int number) { return number + 1; });
    const auto session = client.dial(pair.address);
    ASSERT_TRUE(session);
    EXPECT_EQ(session->call<std::size_t>("/size", "tea").value(), 3U);
    for (const Session& back : pair.server.sessions()) {
      if (back.remote_address() == session->local_address()) {
        EXPECT_EQ(back.call<int>("/back", 1).value(), 2);
      }
    }
  }
}

PARLEY_PEER_TEST(Framing, one_port_takes_all_formats_of_erpcs_beside_our_own) {
  const Framings all = {std::make_shared<wire::ParleyFraming>(),
                        std::make_shared<wire::RawFraming>(), std::make_shared<wire::JsonFraming>(),
                        std::make_shared<wire::PbFraming>()};
  Pair pair(PeerOptions{.framings = all});
  serve_texts(pair.server);
  for (const auto& framing : all) {
    Peer client(PeerOptions{.framings = {framing}});
    const auto session = client.dial(pair.address);
    ASSERT_TRUE(session);
    EXPECT_EQ(session->call<std::size_t>("/size", "a \"quoted\"\nline").value(), 15U)
        << framing->name();
    EXPECT_EQ(session->call<int>("/none").error().code(), Code::not_found) << framing->name();
  }
}

PARLEY_PEER_TEST(Framing, a_large_body_travels_both_ways) {
  constexpr std::size_t limit = 1'200'000;
  for (const bool is_raw : {false, true}) {
    PeerOptions options{.max_frame_bytes = limit};
    if (is_raw) options.framings = testing::raw_only(limit);
    Pair pair(PeerOptions{.max_frame_bytes = limit}, options);
    serve_texts(pair.server);
    const Session session = pair.dial();
    // The first call comes before the hello has, which is what such a body has to wait for.
    EXPECT_EQ(session.call<std::size_t>("/size", std::string(1'100'000, 'x')).value(), 1'100'000U);
    EXPECT_EQ(session.call<std::string>("/text", 1'100'000).value().size(), 1'100'000U);
    EXPECT_EQ(session.call<std::size_t>("/size", std::string(1'300'000, 'x')).error().code(),
              Code::resource_exhausted);
    EXPECT_EQ(session.call<std::string>("/text", 1'300'000).error().code(),
              Code::resource_exhausted);
    EXPECT_EQ(session.call<std::size_t>("/size", "tea").value(), 3U);
  }
}

PARLEY_PEER_TEST(Framing, who_speaks_no_protocol_of_the_port_is_told_apart_and_cut) {
  Pair pair;
  Foreign foreign(pair.address);
  foreign.say("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(foreign.hear().type, wire::MessageType::cancel);
  pair.server_log.wait_for(
      R"(of no protocol that is spoken here (parley, raw): "GET / HTTP/1.1??")");
}

PARLEY_PEER_TEST(Framing, a_protocol_that_is_not_offered_is_cut) {
  Pair pair(PeerOptions{.framings = parley_alone()});
  // A peer of another format might be gone, at the sight of the hello, before it has said a word.
  Foreign foreign(pair.address);
  foreign.say("GET / HTTP/1.1");
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  EXPECT_EQ(foreign.hear().type, wire::MessageType::cancel) << "it is cut";
  pair.server_log.wait_for("the other side speaks another protocol");
}

PARLEY_PEER_TEST(Framing, a_call_waits_until_the_other_side_has_said_what_it_speaks) {
  Pair pair;
  Foreign foreign(pair.address);
  while (pair.server.session_count() == 0) rt::yield();
  const Session session = pair.server.sessions().front();
  const Status early = session.call<int>(CallOptions{.timeout = 10ms}, "/add", 1, 2).error();
  EXPECT_EQ(early.code(), Code::not_sent) << early;
  EXPECT_NE(early.message().find("has not said yet"), std::string::npos);
  rt::Scope scope;
  scope.go("caller", [&] { EXPECT_EQ(session.call<int>("/add", 1, 2).value(), 3); });
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  const wire::Message call = foreign.hear();
  EXPECT_EQ(call.method, "/add");
  foreign.say({.seq = call.seq,
               .type = wire::MessageType::reply,
               .body_codec = wire::BodyCodec::json,
               .body = Bytes::copy_of("3")});
  scope.join();
}

PARLEY_PEER_TEST(Framing, a_ping_is_answered_and_a_stream_of_no_method_refused) {
  Pair pair;
  Foreign foreign(pair.address);
  foreign.say_hello();
  foreign.say({.type = wire::MessageType::ping, .value = 7});
  foreign.say({.seq = 5, .type = wire::MessageType::open, .method = "/chat"});
  foreign.say({.seq = 5, .type = wire::MessageType::data, .own = true});
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  const wire::Message pong = foreign.hear();
  EXPECT_EQ(pong.type, wire::MessageType::pong);
  EXPECT_EQ(pong.value, 7U);
  const wire::Message end = foreign.hear();
  EXPECT_EQ(end.type, wire::MessageType::end);
  EXPECT_EQ(end.seq, 5);
  EXPECT_EQ(end.status.code(), Code::not_found);
}

PARLEY_PEER_TEST(Framing, a_body_in_parts_must_come_whole_within_frame_timeout) {
  Pair pair(PeerOptions{.frame_timeout = 30ms}, PeerOptions{});
  Foreign foreign(pair.address);
  foreign.say_hello();
  foreign.say({.seq = 1, .method = "/size", .more = true});
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  EXPECT_EQ(foreign.hear().type, wire::MessageType::cancel) << "it is cut";
  EXPECT_TRUE(pair.server_log.has("within frame_timeout (30 ms)"));
}

PARLEY_PEER_TEST(Framing, a_session_that_ends_within_a_body_in_parts_does_not_end_in_order) {
  Pair pair;
  {
    Foreign foreign(pair.address);
    foreign.say_hello();
    foreign.say({.seq = 1, .method = "/size", .more = true});
  }
  pair.server_log.wait_for("in the middle of a message");
}

PARLEY_PEER_TEST(Framing, who_waits_for_a_hello_is_told_when_none_can_come) {
  Pair pair;
  auto foreign = std::make_unique<Foreign>(pair.address);
  while (pair.server.session_count() == 0) rt::yield();
  const Session session = pair.server.sessions().front();
  rt::Scope scope;
  const Instant start = rt::now();
  scope.go("caller", [&] { EXPECT_EQ(session.call("/x").error().code(), Code::not_sent); });
  scope.go("closer", [&] { foreign.reset(); });
  scope.join();
  EXPECT_LT(rt::now() - start, 4s) << "drain_timeout is 5 s";
}

PARLEY_PEER_TEST(Framing, large_metadata_waits_for_the_hello_too) {
  Pair pair;
  pair.server.handle("/meta", [](Context& context) { return context.metadata().size(); });
  CallOptions options;
  options.metadata.set("large", std::string(100'000, 'm'));
  EXPECT_EQ(pair.dial().call<std::size_t>(options, "/meta").value(), 1U);
}

PARLEY_PEER_TEST(Framing, a_status_in_a_raw_call_is_nothing_to_it) {
  Pair pair;
  serve_texts(pair.server);
  net::TcpNetwork network;
  const auto stream = network.dial(*net::Address::parse(pair.address)).value();
  std::string out;
  const wire::Message call{.seq = 1,
                           .method = "/size",
                           .status = Status(Code::outcome_unknown, "mine"),
                           .body_codec = wire::BodyCodec::json,
                           .body = Bytes::copy_of("\"tea\"")};
  ASSERT_TRUE(wire::RawEncoder().encode(call, out).is_ok());
  ASSERT_TRUE(stream->write(out).is_ok());
  wire::RawDecoder decoder;
  std::array<char, 1000> room{};
  decoder.feed(std::string_view(room.data(), stream->read(room).value()));
  EXPECT_EQ((*decoder.next())->body, "3");
}

PARLEY_PEER_TEST(Framing, pings_beyond_what_may_be_queued_do_not_hold_up_answers) {
  Pair pair(PeerOptions{.write_timeout = 10s, .max_outgoing_bytes = 1'000}, PeerOptions{});
  Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  const Session session = pair.server.sessions().front();
  rt::Scope scope;
  scope.go("caller", [&] { EXPECT_EQ(session.call<int>("/add").value(), 3); });
  const wire::Message call = foreign.hear();
  // Since nobody reads, all buffers are full in the end.
  const Bytes much = Bytes::from(std::string(50'000, 'x'));
  while (session.push_raw({.timeout = 100ms}, "/much", wire::BodyCodec::plain, much).is_ok()) {}
  foreign.say({.type = wire::MessageType::ping, .value = 1});
  foreign.say({.seq = call.seq,
               .type = wire::MessageType::reply,
               .body_codec = wire::BodyCodec::json,
               .body = Bytes::copy_of("3")});
  foreign.say({.type = wire::MessageType::ping, .value = 2});
  scope.join();
}

// More messages than are sorted at a time, and then a frame that does not go on.
PARLEY_PEER_TEST(Framing, frame_timeout_holds_also_behind_many_messages) {
  Pair pair(PeerOptions{.frame_timeout = 20ms}, PeerOptions{});
  Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  std::string out;
  wire::ParleyEncoder encoder;
  for (std::uint64_t i = 0; i < 64; ++i) {
    EXPECT_TRUE(encoder.encode({.type = wire::MessageType::ping, .value = i}, out).is_ok());
  }
  foreign.say(out + out.substr(0, 3));
  for (std::uint64_t i = 0; i < 64; ++i) EXPECT_EQ(foreign.hear().value, i);
  EXPECT_EQ(foreign.hear().type, wire::MessageType::cancel);
  pair.server_log.wait_for("did not come whole within frame_timeout (20 ms)");
}

PARLEY_PEER_TEST(Framing, a_body_beyond_the_limit_in_parts_is_refused_alone) {
  Pair pair(PeerOptions{.max_frame_bytes = 100'000}, PeerOptions{});
  serve_texts(pair.server);
  Foreign foreign(pair.address);
  foreign.say_hello();
  const Bytes some = Bytes::from(std::string(60'000, 'x'));
  foreign.say({.seq = 1, .method = "/size", .more = true, .body = some});
  foreign.say({.seq = 1, .type = wire::MessageType::part, .own = true, .body = some});
  foreign.say({.seq = 2,
               .method = "/size",
               .body_codec = wire::BodyCodec::json,
               .body = Bytes::copy_of("\"tea\"")});
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  std::vector<wire::Message> answers = {foreign.hear(), foreign.hear()};
  if (answers[0].seq == 2) std::swap(answers[0], answers[1]);
  EXPECT_EQ(answers[0].status.code(), Code::resource_exhausted) << answers[0].status;
  EXPECT_EQ(answers[1].body, "3");
}

PARLEY_PEER_TEST(Framing, bodies_in_parts_that_begin_together_have_one_frame_timeout) {
  constexpr std::int32_t bodies = 10;
  Pair pair(PeerOptions{.frame_timeout = 80ms}, PeerOptions{});
  pair.server.handle("/size", [](const Bytes& body) { return body.size(); });
  Foreign foreign(pair.address);
  foreign.say_hello();
  for (std::int32_t seq = 1; seq <= bodies; ++seq) {
    foreign.say({.seq = seq, .method = "/size", .more = true});
  }
  // One after the other comes whole, each in less time than that.
  std::int32_t whole = 0;
  while (whole < bodies &&
         foreign.try_say({.seq = whole + 1, .type = wire::MessageType::part, .own = true})) {
    ++whole;
    EXPECT_TRUE(rt::sleep(60ms).is_ok());
  }
  EXPECT_LT(whole, bodies);
  EXPECT_TRUE(pair.server_log.has("within frame_timeout (80 ms)"));
}

}  // namespace
}  // namespace parley
