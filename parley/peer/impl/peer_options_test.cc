#include "parley/peer/impl/peer_options.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/peer/controller.h"
#include "parley/peer/testing/pair.h"
#include "parley/wire/parley_framing.h"

namespace parley {
namespace {

using namespace std::chrono_literals;

struct Tried {
  std::string refused;  // empty: it is not
  PeerOptions options;
};

void expect(const std::vector<Tried>& all) {
  for (const auto& [refused, options] : all) {
    const Status status = impl::check(options);
    EXPECT_EQ(status.code(), refused.empty() ? Code::ok : Code::invalid_argument) << status;
    EXPECT_EQ(status.message(), refused);
  }
}

TEST(PeerOptions, times_are_longer_than_zero_where_nothing_could_be_done_without) {
  expect(
      {{"PeerOptions::call_timeout is to be longer than zero, not -1000 ms", {.call_timeout = -1s}},
       {"PeerOptions::call_timeout is to be longer than zero, not 0 ms", {.call_timeout = 0s}},
       {"", {.call_timeout = 1ms}},
       {"PeerOptions::dial_timeout is to be longer than zero, not 0 ms", {.dial_timeout = 0s}},
       {"", {.dial_timeout = 1ms}},
       {"PeerOptions::frame_timeout is to be longer than zero, not 0 ms", {.frame_timeout = 0s}},
       {"", {.frame_timeout = 1ms}},
       {"PeerOptions::write_timeout is to be longer than zero, not 0 ms", {.write_timeout = 0s}},
       {"", {.write_timeout = 1ms}},
       {"PeerOptions::accept_pause is to be longer than zero, not 0 ms", {.accept_pause = 0s}},
       {"", {.accept_pause = 1ms}},
       {"PeerOptions::accept_report is to be longer than zero, not 0 ms", {.accept_report = 0s}},
       {"", {.accept_report = 1ms}},
       {"PeerOptions::early_timeout is to be longer than zero, not 0 ms", {.early_timeout = 0s}},
       {"", {.early_timeout = 1ms}},
       {"PeerOptions::request_lines_period is to be longer than zero, not -1 ms",
        {.request_lines_period = -1ms}},
       {"", {.request_lines_period = 1ms}}});
}

TEST(PeerOptions, times_of_the_end_may_be_zero_and_are_not_negative) {
  expect(
      {{"PeerOptions::drain_timeout is to be zero or longer, not -1 ms", {.drain_timeout = -1ms}},
       {"", {.drain_timeout = 0s}},
       {"PeerOptions::flush_timeout is to be zero or longer, not -1 ms", {.flush_timeout = -1ms}},
       {"", {.flush_timeout = 0s}},
       {"PeerOptions::close_timeout is to be zero or longer, not -1 ms", {.close_timeout = -1ms}},
       {"", {.close_timeout = 0s}}});
}

TEST(PeerOptions, limits_have_a_least_value) {
  expect(
      {{"PeerOptions::max_frame_bytes is to be at least 1, not 0", {.max_frame_bytes = 0}},
       {"", {.max_frame_bytes = 1}},
       {"PeerOptions::max_sessions is to be at least 1, not 0", {.max_sessions = 0}},
       {"", {.max_sessions = 1}},
       {"PeerOptions::max_fibers is to be at least 1, not 0", {.max_fibers = 0}},
       {"", {.max_fibers = 1}},
       {"PeerOptions::max_outgoing_bytes is to be at least 1, not 0", {.max_outgoing_bytes = 0}},
       {"", {.max_outgoing_bytes = 1}},
       {"PeerOptions::part_bytes is to be at least 16384, not 16383", {.part_bytes = 16'383}},
       {"", {.part_bytes = 16'384}},
       {"PeerOptions::max_streams is to be at least 100, not 99", {.max_streams = 99}},
       {"", {.max_streams = 100}},
       {"PeerOptions::stream_credit is to be at least 65536, not 65535", {.stream_credit = 65'535}},
       {"", {.stream_credit = 65'536}},
       {"PeerOptions::session_credit is to be at least 1048576, not 1048575",
        {.session_credit = 1'048'575}},
       {"", {.session_credit = 1'048'576}},
       {"PeerOptions::codec_limits.max_bytes is to be at least 1, not 0",
        {.codec_limits = {.max_bytes = 0}}},
       {"", {.codec_limits = {.max_bytes = 1}}}});
}

TEST(PeerOptions, limits_of_what_a_side_may_do_without_may_be_zero) {
  expect({{"", {.max_handlers = 0}},
          {"", {.max_handler_bytes = 0}},
          {"", {.max_calls = 0}},
          {"", {.max_session_values = 0}},
          {"", {.max_on_closed = 0}}});
}

TEST(PeerOptions, what_is_spoken_and_how_methods_are_named_has_to_be_there) {
  const auto parley = std::make_shared<wire::ParleyFraming>();
  expect({{"PeerOptions::framings is to be a list without null", {.framings = {parley, nullptr}}},
          {"", {.framings = {parley}}},
          {"PeerOptions::name_mapper is to be a function, not null", {.name_mapper = nullptr}},
          {"", {.name_mapper = &rpc_name}}});
}

struct Shelf {
  int count() { return 7; }
  static constexpr auto parley_methods = methods<"shelf">(method<"count">(&Shelf::count));
};

PARLEY_PEER_TEST(PeerOptions, that_are_refused_are_told_by_listen_dial_and_serve_and_end_nothing) {
  const std::vector<PeerOptions> all{
      {.max_fibers = 0}, {.name_mapper = nullptr}, {.framings = {nullptr}}, {.call_timeout = -1s}};
  for (const PeerOptions& options : all) {
    Peer peer(options);
    peer.handle("/one", [] { return 1; });
    Shelf shelf;
    EXPECT_FALSE(peer.handle_controller(shelf).empty());
    const std::string expected = impl::check(options).message();
    EXPECT_EQ(peer.listen("tcp://127.0.0.1:0").error().message(), expected);
    const Status dialled = peer.dial("tcp://127.0.0.1:1").error();
    EXPECT_EQ(dialled.code(), Code::invalid_argument);
    EXPECT_EQ(dialled.message(), expected);
    peer.close();
  }
}

PARLEY_PEER_TEST(PeerOptions, of_one_listener_or_dial_are_looked_at_too) {
  testing::Pair pair;
  EXPECT_EQ(pair.server.listen("tcp://127.0.0.1:0", {.framings = {nullptr}}).error().message(),
            "ListenOptions::framings is to be a list without null");
  EXPECT_EQ(pair.server.listen("tcp://127.0.0.1:0", {.max_sessions = 0}).error().message(),
            "ListenOptions::max_sessions is to be at least 1, not 0");
  EXPECT_EQ(pair.client.dial(pair.address, {.framings = {nullptr}}).error().message(),
            "DialOptions::framings is to be a list without null");
  EXPECT_TRUE(pair.client.dial(pair.address, {.framings = testing::raw_only()}));
}

}  // namespace
}  // namespace parley
