// Which function a name leads to: controllers, groups, and what no method is there for.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "parley/peer/controller.h"
#include "parley/peer/name_mapper.h"
#include "parley/peer/peer.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"

namespace parley {
namespace {

using testing::Pair;

struct Math {
  int base = 0;
  [[nodiscard]] int add(int a, int b) const { return base + a + b; }
  void set_base(int to) { base = to; }

  static constexpr auto parley_methods = methods<"Math">(
      method<"Add", "a", "b">(&Math::add, "Adds two numbers."), method<"SetBase">(&Math::set_base));
};

struct Nameless {
  static std::string ping() { return "pong"; }
  [[nodiscard]] std::string answer() const { return ping(); }

  static constexpr auto parley_methods = methods<"">(method<"Ping">(&Nameless::answer));
};

PARLEY_PEER_TEST(Routing, a_controller_is_served_under_names_made_from_its_description) {
  Math math;
  Nameless nameless;
  Pair pair;
  EXPECT_EQ(pair.server.handle_controller(math),
            (std::vector<std::string>{"/math/add", "/math/set_base"}));
  EXPECT_EQ(pair.server.handle_controller(nameless), std::vector<std::string>{"/ping"});
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/math/add", 1, 2).value(), 3);
  EXPECT_TRUE(session.call("/math/set_base", 10));
  EXPECT_EQ(session.call<int>("/math/add", 1, 2).value(), 13);
  EXPECT_EQ(session.call<std::string>("/ping").value(), "pong");
  const Bytes by_name = Bytes::copy_of(R"({"b":2,"a":1})");
  EXPECT_EQ(session.call_raw({}, "/math/add", wire::BodyCodec::json, by_name).value(), "13");
  EXPECT_EQ(pair.server.methods().front().description, "Adds two numbers.");
}

PARLEY_PEER_TEST(Routing, methods_and_streams_are_told_apart) {
  Pair pair;
  pair.server.handle("/call", [](int n) { return n; });
  pair.server.handle_stream("/typed", [](Stream<int, std::string>&) {});
  pair.server.handle_stream("/raw", [](RawStream&) {});
  ASSERT_EQ(pair.server.methods().size(), 1U);
  EXPECT_EQ(pair.server.methods()[0].name, "/call");
  const auto streams = pair.server.stream_methods();
  ASSERT_EQ(streams.size(), 2U);
  EXPECT_EQ(streams[0].name, "/raw");
  EXPECT_EQ(streams[0].parameters, nullptr) << "bytes";
  EXPECT_EQ(streams[1].parameters, &codec::type_of<int>());
  EXPECT_EQ(streams[1].result, &codec::type_of<std::string>());
}

PARLEY_PEER_TEST(Routing, the_mapper_of_the_options_makes_the_names) {
  Math math;
  Pair pair(PeerOptions{.name_mapper = &rpc_name}, PeerOptions{});
  EXPECT_EQ(pair.server.handle_controller(math),
            (std::vector<std::string>{"Math.Add", "Math.SetBase"}));
  EXPECT_EQ(pair.dial().call<int>("Math.Add", 1, 2).value(), 3);
}

PARLEY_PEER_TEST(Routing, groups_put_their_prefix_before_each_name) {
  Math math;
  Pair pair;
  Group v2 = pair.server.group("/v2");
  v2.handle("/ping", [] { return 2; });
  v2.group("/deep").handle("/ping", [] { return 3; });
  EXPECT_EQ(v2.handle_controller(math).front(), "/v2/math/add");
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/v2/ping").value(), 2);
  EXPECT_EQ(session.call<int>("/v2/deep/ping").value(), 3);
  EXPECT_EQ(session.call<int>("/v2/math/add", 1, 2).value(), 3);
  EXPECT_EQ(session.call<int>("/ping").error().code(), Code::not_found);
}

PARLEY_PEER_TEST(Routing, what_no_method_is_there_for_comes_as_it_was_sent) {
  struct Push {
    std::string method;
    std::string body;
  };
  rt::Channel<Push> pushed(1);
  Pair pair;
  pair.server.handle("/known", [] { return 1; });
  pair.server.handle_unknown_calls([](Context& context, const Bytes& body) -> Result<Bytes> {
    if (context.method() == "/no") return Status::business(7, "not here either");
    EXPECT_EQ(context.body_codec(), wire::BodyCodec::protobuf);
    context.reply_metadata().set("method", std::string(context.method()));
    return body;
  });
  pair.server.handle_unknown_pushes([&](Context& context, const Bytes& body) {
    (void)pushed.send({std::string(context.method()), body.to_string()});
  });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/known").value(), 1);
  wire::Metadata metadata;
  EXPECT_EQ(session
                .call_raw({.reply_metadata = &metadata}, "/else", wire::BodyCodec::protobuf,
                          Bytes::copy_of("\x08\x01"))
                .value(),
            "\x08\x01");
  EXPECT_EQ(metadata.get("method"), "/else");
  EXPECT_EQ(session.call("/no").error().business_code(), 7);
  EXPECT_TRUE(session.push("/news", "tea").is_ok());
  const Push news = *pushed.receive();
  EXPECT_EQ(news.method, "/news");
  EXPECT_EQ(news.body, R"("tea")");
}

PARLEY_PEER_TEST(Routing, streams_that_no_method_is_there_for_may_be_served) {
  for (const bool served : {false, true}) {
    Pair pair;
    pair.server.handle("/called", [] {});
    if (served) {
      pair.server.handle_unknown_streams([](Context& context, RawStream& stream) {
        return stream.send(Bytes::copy_of(context.method()));
      });
    }
    const Session session = pair.dial();
    auto stream = session.open_raw({}, "/else", wire::BodyCodec::plain);
    const auto got = stream->receive();
    EXPECT_EQ(got.has_value(), served);
    if (got) EXPECT_EQ(got->value(), "/else");
    EXPECT_EQ(session.open_raw({}, "/called", wire::BodyCodec::plain)->receive().error().code(),
              Code::invalid_argument);
  }
}

TEST(Routing, what_no_method_is_there_for_is_handled_once) {
  EXPECT_DEATH(
      {
        rt::testing::run_fiber_test([] {
          Peer peer;
          peer.handle_unknown_calls([](const Bytes& body) { return body; });
          peer.handle_unknown_pushes([](const Bytes&) {});
          peer.handle_unknown_calls([](const Bytes& body) { return body; });
        });
      },
      "what is handled by no method is handled twice");
}

}  // namespace
}  // namespace parley
