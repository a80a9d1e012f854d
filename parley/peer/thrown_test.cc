// What code of users throws, wherever it is called: it costs one call, and never the program.

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "parley/codec/codec.h"
#include "parley/peer/plugins/access_log.h"
#include "parley/peer/plugins/proxy.h"
#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/wire/filter.h"
#include "parley/wire/raw_framing.h"

namespace parley {
namespace {

using testing::Foreign;
using testing::Pair;
using wire::Message;
using wire::MessageType;

[[noreturn]] void fail() { throw std::runtime_error("the stock file is gone"); }

// Whether it is internal, and says that much.
bool is_thrown(const Status& status, std::string_view message) {
  EXPECT_EQ(status.code(), Code::internal) << status;
  EXPECT_EQ(status.message(), message);
  EXPECT_EQ(status.cause(), "the stock file is gone");
  return status.code() == Code::internal && status.message() == message;
}

int add(int a, int b) { return a + b; }

PARLEY_PEER_TEST(Thrown, by_a_handler_made_by_hand_is_internal_for_its_caller_and_logged) {
  Pair pair;
  pair.server.handle("/add", &add);
  for (const MessageType type : {MessageType::call, MessageType::push}) {
    pair.server.add_unknown(type,
                            Handler([](Context&, const Message& request, Answer& answer) -> Status {
                              if (request.body == "0") fail();
                              answer.bytes = request.body;
                              answer.codec = request.body_codec;
                              return {};
                            }));
  }
  const Session session = pair.dial();
  constexpr std::string_view threw = "/raw: the handler threw an exception";
  EXPECT_TRUE(is_thrown(session.call<int>("/raw", 0).error(), threw));
  for (int i = 1; i < 20; ++i) EXPECT_EQ(session.call<int>("/raw", i).value(), i);
  EXPECT_TRUE(is_thrown(session.call<int>("/raw", 0).error(), threw)) << "one served quickly";
  EXPECT_TRUE(session.push("/raw", 0).is_ok());
  pair.server_log.wait_for("PUSH /raw failed: internal: the handler threw an exception (cause: ");
  EXPECT_EQ(session.call<int>("/add", 1, 2).value(), 3);
  EXPECT_TRUE(pair.server_log.has("internal: /raw: the handler threw an exception (cause: "));
}

std::atomic<bool> is_closed = false;
int first_number() {
  if (is_closed) fail();
  return 0;
}
// While that is so nobody can make one.
struct Order {
  int number = first_number();
};

PARLEY_PEER_TEST(Thrown, by_the_arguments_of_a_function_is_the_handlers_and_not_a_plugins) {
  Pair pair;
  const auto number_of = [](const Order& order) { return order.number; };
  pair.server.handle("/order", number_of);
  pair.server
      .group("/shop",
             {Plugin{.name = "guard", .serve = [](ServeStep&, Next& next) { return next(); }}})
      .handle("/order", number_of);
  const Session session = pair.dial();
  const Order order{.number = 7};
  for (const std::string name : {"/order", "/shop/order"}) {
    EXPECT_EQ(session.call<int>(name, order).value(), 7);
    is_closed = true;
    const Status status = session.call<int>(name, order).error();
    is_closed = false;
    EXPECT_TRUE(is_thrown(status, name + ": the handler threw an exception"));
  }
}

PARLEY_PEER_TEST(Thrown, by_the_pick_of_a_proxy_is_internal_with_the_plugins_name) {
  PeerOptions front;
  front.plugins.push_back(
      proxy({.pick = [](const ProxyLabel&) -> Result<ProxyTarget> { fail(); }}));
  Pair pair(front, {});
  pair.server.handle("/add", &add);
  const Session session = pair.dial();
  constexpr std::string_view pick = "plugin proxy threw an exception in pick";
  EXPECT_TRUE(is_thrown(session.call<int>("/x", 1).error(), pick));
  EXPECT_TRUE(session.push("/x", 1).is_ok());
  pair.server_log.wait_for("PUSH /x failed: internal: " + std::string(pick));
  EXPECT_EQ(session.call<int>("/add", 1, 2).value(), 3);
}

enum class Fails { never, applied, undone };

class Fragile final : public wire::Filter {
 public:
  explicit Fragile(Fails when) : when_(when) {}
  [[nodiscard]] char id() const noexcept override { return 't'; }
  [[nodiscard]] std::string_view name() const noexcept override { return "fragile"; }
  [[nodiscard]] Result<Bytes> apply(Bytes content) const override {
    if (when_ == Fails::applied) fail();
    return content;
  }
  [[nodiscard]] Result<Bytes> undo(Bytes content, const wire::FilterLimit&) const override {
    if (when_ == Fails::undone) fail();
    return content;
  }

 private:
  const Fails when_;
};

PeerOptions with_filter(Fails when, bool is_raw) {
  auto filters = std::make_shared<wire::Filters>();
  filters->add(std::make_unique<Fragile>(when));
  PeerOptions options{.filters = filters};
  if (is_raw) {
    options.framings = {std::make_shared<wire::RawFraming>(wire::RawLimits{.filters = filters})};
  }
  return options;
}

struct Filtered {
  explicit Filtered(Fails server, Fails client, bool is_raw = false)
      : pair(with_filter(server, is_raw), with_filter(client, is_raw)), session(pair.dial()) {
    pair.server.handle("/length", [](const std::string& text) { return text.size(); });
  }
  Status call() const {
    return session.call<int>({.filters = wire::FilterPipe("t")}, "/length", "abc").error();
  }
  Pair pair;
  Session session;
};

constexpr std::string_view in_filter = "transfer filter fragile: threw an exception";

PARLEY_PEER_TEST(Thrown, by_a_transfer_filter_is_internal_on_either_side_and_either_way) {
  EXPECT_TRUE(is_thrown(Filtered(Fails::never, Fails::applied).call(), in_filter));
  EXPECT_TRUE(is_thrown(
      Filtered(Fails::undone, Fails::never).call(),
      "the body cannot be read at the callee; the call was not run: " + std::string(in_filter)));
  EXPECT_TRUE(is_thrown(Filtered(Fails::applied, Fails::never).call(),
                        "the answer cannot be sent: " + std::string(in_filter)));
  const Status answer = Filtered(Fails::never, Fails::undone).call();
  EXPECT_EQ(answer.code(), Code::internal) << answer;
  EXPECT_NE(answer.to_string().find("transfer filter fragile"), std::string::npos) << answer;
}

PARLEY_PEER_TEST(Thrown, by_a_transfer_filter_costs_the_session_where_the_decoder_undoes_it) {
  Filtered filtered(Fails::undone, Fails::never, true);
  EXPECT_EQ(filtered.call().code(), Code::outcome_unknown);
  filtered.pair.server_log.wait_for("transfer filter fragile: threw an exception");
  EXPECT_EQ(filtered.pair.dial().call<int>("/length", "abc").value(), 3);
}

// Throws where it is told to.
std::shared_ptr<const codec::CodecRegistry> quirky(bool encodes, bool decodes) {
  auto codecs = std::make_shared<codec::CodecRegistry>();
  EXPECT_TRUE(
      codecs
          ->add({.id = 'q',
                 .name = "quirky",
                 .encode = [=](std::string& out, const codec::Type&, const void*,
                               const codec::Limits&) -> Status {
                   out += "half of it";
                   if (!encodes) fail();
                   return {};
                 },
                 .decode = [=](std::string_view, const codec::Type&, void*, const codec::Limits&,
                               const codec::DecodeOptions&) -> Status {
                   if (!decodes) fail();
                   return {};
                 }})
          .is_ok());
  return codecs;
}

Result<int> call_in_quirky(std::shared_ptr<const codec::CodecRegistry> server,
                           std::shared_ptr<const codec::CodecRegistry> client) {
  Pair pair(PeerOptions{.codecs = std::move(server)}, PeerOptions{.codecs = std::move(client)});
  pair.server.handle("/add", &add);
  const Session session = pair.dial();
  auto sum = session.call<int>({.body_codec = static_cast<wire::BodyCodec>('q')}, "/add", 1, 2);
  EXPECT_EQ(session.call<int>("/add", 1, 2).value(), 3);
  return sum;
}

PARLEY_PEER_TEST(Thrown, by_a_codec_is_internal_on_either_side_and_either_way) {
  const std::string threw = "codec \"quirky\" threw an exception";
  for (const bool at_server : {true, false}) {
    for (const bool encodes : {true, false}) {
      const auto fine = quirky(true, true);
      const auto bad = quirky(encodes, !encodes);
      const Status status = call_in_quirky(at_server ? bad : fine, at_server ? fine : bad).error();
      EXPECT_EQ(status.code(), Code::internal) << status;
      EXPECT_NE(status.message().find(threw), std::string::npos) << status;
      EXPECT_EQ(status.cause(), "the stock file is gone");
    }
  }
}

// A log that throws for all that it is told.
struct Mute {
  Mute()
      : peer({.plugins = {access_log()}, .log = [this](std::string_view) {
                ++lines;
                fail();
              }}) {
    peer.handle("/add", &add);
    peer.handle("/throw", [](int) { fail(); });
  }
  std::atomic<int> lines = 0;
  Peer peer;
};

PARLEY_PEER_TEST(Thrown, by_a_log_loses_the_line_and_nothing_else) {
  Mute server;
  const std::string address = server.peer.listen("tcp://127.0.0.1:0")->to_string();
  Foreign stranger(address);
  stranger.say("garbage that is no protocol");
  while (server.lines == 0) rt::yield();
  Peer client;
  const Session session = client.dial(address).value();
  EXPECT_EQ(session.call<int>("/add", 1, 2).value(), 3);
  EXPECT_EQ(session.call<int>("/throw", 1).error().code(), Code::internal);
  const int before = server.lines;
  EXPECT_TRUE(session.push("/none").is_ok());
  while (server.lines == before) rt::yield();
  EXPECT_EQ(session.call<int>("/add", 1, 2).value(), 3);
}

}  // namespace
}  // namespace parley
