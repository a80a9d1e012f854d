// Envelopes: what a plugin of one's own may put messages into.
#include "parley/peer/envelope.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/peer/early_session.h"
#include "parley/peer/testing/middle.h"
#include "parley/peer/testing/pair.h"

namespace parley {
namespace {

using testing::Middle;
using testing::Pair;
using wire::Message;
using wire::MessageType;

// Letters 13 places further; refuses bodies with an 'x' in them, as they travel.
class Rot13 final : public Envelope {
 public:
  Rot13(std::atomic<int>& closed, bool is_for_all) : closed_(closed), is_for_all_(is_for_all) {}

  [[nodiscard]] Cover cover_of(const wire::Metadata& question) const override {
    const bool is_covered = is_for_all_ || question.get("turned") == "yes";
    return {.question = is_covered, .answer = is_covered};
  }
  [[nodiscard]] bool is_closed(const Message&) const override { return false; }
  Status close(Message& message, std::uint64_t) override {
    ++closed_;
    message.body = turned(message.body);
    return {};
  }
  Status open(Message& message, std::uint64_t) override {
    if (message.body.to_string().find('x') != std::string::npos) {
      return {Code::data_loss, "an x"};
    }
    message.body = turned(message.body);
    return {};
  }
  [[nodiscard]] std::size_t overhead() const override { return 0; }

 private:
  static Bytes turned(const Bytes& body) {
    std::string text = body.to_string();
    for (char& c : text) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>('a' + (c - 'a' + 13) % 26);
    }
    return Bytes::from(std::move(text));
  }

  std::atomic<int>& closed_;
  const bool is_for_all_;
};

Plugin turning(std::atomic<int>& closed, bool is_for_all = true, std::string name = "turning") {
  const auto set = [&closed, is_for_all](EarlySession& session) {
    return session.set_envelope(std::make_shared<Rot13>(closed, is_for_all));
  };
  return {.name = std::move(name), .after_dial = set, .after_accept = set};
}

PARLEY_PEER_TEST(Envelope, each_message_of_a_session_goes_through_it_on_both_sides) {
  std::atomic<int> closed = 0;
  Pair pair({.plugins = {turning(closed)}});
  std::string got;
  pair.server.handle("/echo", [&](const std::string& text) { return got = text; });
  pair.server.handle("/said", [](const std::string&) {});
  pair.server.handle_stream("/one", [](Stream<std::string, std::string>& stream) -> Status {
    auto text = stream.receive();
    return text && *text ? stream.send(**text) : text.error();
  });
  Middle middle(pair.address, [](const Message& m, bool) { return std::vector{m}; });
  const Session session = pair.client.dial(middle.address()).value();
  EXPECT_EQ(session.call<std::string>("/echo", "tea").value(), "tea");
  EXPECT_EQ(got, "tea");
  EXPECT_EQ(closed, 2);  // CALL and REPLY
  EXPECT_TRUE(session.push("/said", "tea").is_ok());
  EXPECT_EQ(closed, 3);
  auto stream = session.open<std::string, std::string>("/one");
  EXPECT_TRUE(stream->send("tea").is_ok());
  EXPECT_EQ(stream->receive().value(), "tea");
  EXPECT_FALSE(stream->receive().value());
  EXPECT_EQ(closed, 7);  // and OPEN, DATA twice, END
  EXPECT_EQ(middle.heard().find("tea"), std::string::npos);
  EXPECT_NE(middle.heard().find("grn"), std::string::npos);
}

PARLEY_PEER_TEST(Envelope, what_is_not_covered_travels_as_it_is) {
  for (const bool is_for_all : {true, false}) {
    std::atomic<int> closed = 0;
    Pair pair({.plugins = {turning(closed, is_for_all)}});
    pair.server.handle("/echo", [](const std::string& text) { return text; });
    const Session session = pair.dial();
    EXPECT_EQ(session.call<std::string>("/echo", "tea").value(), "tea");
    EXPECT_EQ(closed, is_for_all ? 2 : 0);
    const CallOptions turned{.metadata = {{"turned", "yes"}}};
    EXPECT_EQ(session.call<std::string>(turned, "/echo", "tea").value(), "tea");
    EXPECT_EQ(closed, is_for_all ? 4 : 2);
  }
}

// 'k' travels as 'x'.
PARLEY_PEER_TEST(Envelope, what_cannot_be_opened_is_an_error_and_never_served) {
  std::atomic<int> closed = 0;
  std::atomic<int> runs = 0;
  Pair pair({.plugins = {turning(closed)}});
  pair.server.handle("/runs", [&](const std::string&) { return ++runs; });
  pair.server.handle("/k", [] { return std::string("k"); });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/runs", "k").error().code(), Code::data_loss);
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(session.call<std::string>("/k").error().code(), Code::data_loss);
  EXPECT_EQ(session.call<int>("/runs", "tea").value(), 1);
}

PARLEY_PEER_TEST(Envelope, a_session_has_one_at_most) {
  std::atomic<int> closed = 0;
  Pair pair({}, {.plugins = {turning(closed), turning(closed, true, "again")}});
  const Status status = pair.client.dial(pair.address).error();
  EXPECT_EQ(status.code(), Code::failed_precondition);
  EXPECT_EQ(status.message(), "plugin again: another plugin has set an envelope for this session");
}

}  // namespace
}  // namespace parley
