// What is told where two sides do not come together: the other side's own reason, or what to look
// at where there is none.

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/net/network.h"
#include "parley/net/testing/memory_stream.h"
#include "parley/peer/plugins/auth.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/wire/json_framing.h"
#include "parley/wire/parley_framing.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::Pair;

using Framings = std::vector<std::shared_ptr<const wire::Framing>>;

bool tells(const Status& status, std::string_view why) {
  const bool told = status.cause().find(why) != std::string::npos;
  if (!told) ADD_FAILURE() << status << " does not tell: " << why;
  return told;
}

// Lets nobody in who shows nothing.
PeerOptions guarded_by_a_token() {
  return {.plugins = {auth_checker([](EarlySession&, const Credentials&) -> Result<Credentials> {
            return Status(Code::unauthenticated, "no such token");
          })}};
}

PARLEY_PEER_TEST(FirstContact, what_the_other_side_said_of_the_end_is_told_wherever_it_shows) {
  constexpr std::string_view why = "the first message has to be of type auth_call, not ";
  Pair pair(guarded_by_a_token(), {});
  const Session session = pair.dial();
  const Status cut = session.call<int>("/x").error();
  EXPECT_EQ(cut.code(), Code::outcome_unknown);
  EXPECT_TRUE(tells(cut, why));
  EXPECT_EQ(session.wait_closed(rt::Deadline::after(10s)).code(), Code::unavailable);
  EXPECT_EQ(session.call<int>("/x").error().code(), Code::not_sent);
  EXPECT_TRUE(tells(session.call<int>("/x").error(), why));
  EXPECT_TRUE(tells(session.push("/x"), why));
  EXPECT_TRUE(tells(session.call_async<int>("/x").get().error(), why));
  EXPECT_TRUE(tells(session.health(), why));
  EXPECT_TRUE(tells(session.open<std::string, std::string>("/x").error(), why));
  const Session other = pair.dial();
  auto stream = other.open<std::string, std::string>("/x");
  ASSERT_TRUE(stream) << stream.error();
  EXPECT_TRUE(tells(stream->receive().error(), why));
}

PARLEY_PEER_TEST(FirstContact, a_reason_of_this_side_is_told_with_what_was_behind_it) {
  Pair pair;
  const Session session = pair.dial();
  session.close();
  EXPECT_EQ(session.call<int>("/x").error().cause(), "the session was closed");
}

// Speaks with nobody, but says that much.
class Stranger {
 public:
  explicit Stranger(std::string word)
      : word_(std::move(word)),
        listener_(network_.listen(*net::Address::parse("tcp://127.0.0.1:0")).value()) {
    scope_.go("stranger", [this] {
      auto stream = listener_->accept().value();
      std::array<char, 4096> room{};
      EXPECT_TRUE(stream->read(room));
      EXPECT_TRUE(stream->write(word_).is_ok());
    });
  }
  [[nodiscard]] std::string address() const { return listener_->address().to_string(); }

 private:
  const std::string word_;
  net::TcpNetwork network_;
  std::unique_ptr<net::Listener> listener_;
  rt::Scope scope_;
};

constexpr std::string_view of_silence =
    "nothing has come from it: does it speak parley, does it want TLS or a plugin, has it room";

PARLEY_PEER_TEST(FirstContact, who_closes_without_a_word_is_told_apart_and_what_to_look_at) {
  Pair pair({.max_sessions = 1}, {});
  pair.server.handle("/one", [] { return 1; });
  const Session first = pair.dial();
  EXPECT_EQ(first.call<int>("/one").value(), 1);
  const Session second = pair.dial();
  EXPECT_TRUE(tells(second.call<int>("/one").error(), of_silence));
  EXPECT_TRUE(tells(second.wait_closed(rt::Deadline::after(10s)), of_silence));
  EXPECT_TRUE(tells(second.health(), of_silence));
  pair.server.close();
  EXPECT_FALSE(first.wait_closed(rt::Deadline::after(10s)).is_ok());
  EXPECT_EQ(first.health().cause().find("nothing has come"), std::string::npos) << first.health();
}

PARLEY_PEER_TEST(FirstContact, who_speaks_another_framing_is_told_apart_by_its_silence) {
  Pair pair({.framings = {std::make_shared<wire::JsonFraming>()}}, {});
  EXPECT_TRUE(tells(pair.dial().call<int>("/x").error(), of_silence));
}

// As who wants TLS does.
PARLEY_PEER_TEST(FirstContact, first_bytes_that_make_no_sense_are_told_as_such) {
  const std::string alert("\x15\x03\x01\x00\x02\x02\x46", 7);
  const Framings all{std::make_shared<wire::ParleyFraming>(), std::make_shared<wire::RawFraming>()};
  for (const auto& framing : all) {
    Stranger stranger(alert);
    Peer client(PeerOptions{.framings = {framing}});
    const Session session = client.dial(stranger.address()).value();
    EXPECT_TRUE(tells(session.call<int>("/x").error(),
                      "these were its first bytes: does it speak " + std::string(framing->name())));
  }
}

TEST(FirstContact, no_answer_in_time_from_who_never_said_anything_says_so) {
  rt::testing::in_virtual_time(
      [] {
        auto [here, there] = net::testing::memory_streams();
        Peer client;
        const Session session = client.serve(std::move(here), Side::dialled).value();
        const Status status = session.call<int>("/x").error();
        EXPECT_EQ(status.code(), Code::deadline_exceeded);
        EXPECT_TRUE(tells(status, of_silence));
      },
      10ms);
}

}  // namespace
}  // namespace parley
