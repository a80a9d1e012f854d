// Plugins and features that look at sessions, around one that came by another protocol.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "parley/peer/foreign_session.h"
#include "parley/peer/plugins/heartbeat.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using rt::testing::in_virtual_time;
using wire::BodyCodec;

std::unique_ptr<ForeignSession> session_with(Peer& peer) {
  auto session = ForeignSession::open(peer, {.protocol = "HTTP"});
  EXPECT_TRUE(session) << session.error();
  return *std::move(session);
}

PeerOptions with(Plugin plugin) { return {.plugins = {std::move(plugin)}}; }

// Http looks after its connections: nothing ever comes on such a session, and it cannot be asked.
TEST(ForeignPlugins, heartbeat_leaves_a_session_of_another_protocol_alone) {
  for (const HeartbeatKind kind : {HeartbeatKind::call, HeartbeatKind::push}) {
    in_virtual_time(
        [kind] {
          auto counts = std::make_shared<HeartbeatCounts>();
          Peer peer(
              with(heartbeat({.interval = 2s, .timeout = 1s, .kind = kind, .counts = counts})));
          peer.handle("/slow", []() -> Result<int> {
            if (Status s = rt::sleep(60s); !s.is_ok()) return s;
            return 7;
          });
          peer.handle_stream("/echo", [](RawStream& stream) -> Status {
            auto message = stream.receive();
            if (!message || !*message) return Status(Code::aborted, "nothing came");
            return stream.send(**std::move(message));
          });
          const auto session = session_with(peer);
          ForeignAnswer answer;
          const Status status =
              session->call({.method = "/slow", .codec = BodyCodec::json}, answer);
          EXPECT_TRUE(status.is_ok()) << status;
          const auto stream = session->open_stream({.method = "/echo", .codec = BodyCodec::json});
          ASSERT_TRUE(stream) << stream.error();
          ASSERT_TRUE(rt::sleep(60s).is_ok());
          EXPECT_TRUE((*stream)->give(Bytes::copy_of("1")).is_ok());
          const auto back = (*stream)->take();
          EXPECT_TRUE(back && *back);
          EXPECT_TRUE(session->is_open());
          EXPECT_EQ(counts->asked, 0U);
          EXPECT_EQ(counts->ended, 0U);
        },
        100ms);
  }
}

TEST(ForeignPlugins, who_posts_a_heartbeat_is_not_watched_for_it) {
  in_virtual_time(
      [] {
        Peer peer(with(heartbeat_pong()));
        const auto session = session_with(peer);
        ForeignCall call{.method = "/heartbeat", .codec = BodyCodec::none};
        call.metadata.set("hb_", "1");
        ForeignAnswer answer;
        const Status status = session->call(std::move(call), answer);
        EXPECT_TRUE(status.is_ok()) << status;
        ASSERT_TRUE(rt::sleep(60s).is_ok());
        EXPECT_TRUE(session->is_open());
      },
      100ms);
}

}  // namespace
}  // namespace parley
