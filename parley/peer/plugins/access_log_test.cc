#include "parley/peer/plugins/access_log.h"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "parley/peer/plugin_steps.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/mutex.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using testing::Pair;
using namespace std::chrono_literals;

// What was logged, without the addresses, of which each line has one.
class Lines {
 public:
  [[nodiscard]] AccessLogOptions into(AccessLogOptions options = {.shows_time = false}) {
    options.sink = [this](const AccessLine& line) {
      std::string text(line.text);
      const auto from = text.find(' ') + 1;
      text.replace(from, text.find_first_of(" (", from) - from, "@");
      const std::lock_guard lock(lock_);
      text_ += text + (line.is_slow ? " slow" : "") + (line.is_error ? " error" : "") + '\n';
    };
    return options;
  }
  std::string take() {
    const std::lock_guard lock(lock_);
    return std::exchange(text_, {});
  }
  // Until there is one.
  std::string wait() {
    for (;;) {
      std::string text = take();
      if (!text.empty()) return text;
      rt::yield();
    }
  }

 private:
  rt::Mutex lock_;
  std::string text_;
};

PeerOptions with(AccessLogOptions options) { return {.plugins = {access_log(std::move(options))}}; }

PARLEY_PEER_TEST(AccessLog, has_a_line_for_each_call_and_push_on_both_sides) {
  Lines server;
  Lines client;
  Pair pair(with(server.into()), with(client.into()));
  pair.server.handle("/add", [](int a, int b) { return a + b; });
  pair.server.handle("/fail", []() -> Status {
    return Status(Code::aborted, "no \"luck\"\n").with_cause("rain");
  });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/add", 10, 20).value(), 30);
  EXPECT_EQ(server.wait(), "CALL<- @ (-) \"/add\" RECV({\"size\":7}) SEND({\"size\":2})\n");
  EXPECT_EQ(client.take(), "CALL-> @ (-) \"/add\" SEND({\"size\":7}) RECV({\"size\":2})\n");
  EXPECT_FALSE(session.call("/fail"));
  const std::string status =
      "({\"size\":0,\"status\":{\"code\":\"aborted\",\"message\":\"no \\\"luck\\\"\\n\","
      "\"cause\":\"rain\"}}) error\n";
  EXPECT_EQ(server.wait(), "CALL<- @ (-) \"/fail\" RECV({\"size\":0}) SEND" + status);
  EXPECT_EQ(client.take(), "CALL-> @ (-) \"/fail\" SEND({\"size\":0}) RECV" + status);
  EXPECT_TRUE(session.push("/add", 1, 2).is_ok());
  EXPECT_EQ(server.wait(), "PUSH<- @ (-) \"/add\" RECV({\"size\":5})\n");
  EXPECT_EQ(client.take(), "PUSH-> @ (-) \"/add\" SEND({\"size\":5})\n");
}

PARLEY_PEER_TEST(AccessLog, has_a_line_for_each_stream) {
  Lines server;
  Lines client;
  Pair pair(with(server.into()), with(client.into()));
  pair.server.handle_stream("/s", [](Stream<int, int>&) { return Status(Code::aborted, "no"); });
  auto stream = pair.dial().open<int, int>("/s");
  ASSERT_TRUE(stream);
  EXPECT_FALSE(stream->receive());
  EXPECT_EQ(client.take(), "STREAM-> @ (-) \"/s\" SEND({\"size\":0})\n");
  EXPECT_EQ(server.wait(),
            "STREAM<- @ (-) \"/s\" RECV({\"size\":0}) "
            "SEND({\"size\":0,\"status\":{\"code\":\"aborted\",\"message\":\"no\"}}) error\n");
}

PARLEY_PEER_TEST(AccessLog, shows_metadata_and_the_start_of_bodies_if_it_is_told_to) {
  Lines lines;
  const auto log_of = [&](bool metadata, std::size_t body, std::size_t detail) {
    Pair pair(with(lines.into({.shows_time = false,
                               .shows_metadata = metadata,
                               .max_body_bytes = body,
                               .max_detail_bytes = detail})),
              {});
    pair.server.handle("/echo", [](Context& context, std::string text) {
      context.reply_metadata().set("b", "2");
      return text;
    });
    const CallOptions options{.metadata = {{"a", "1"}, {"long", std::string(50, 'x')}}};
    EXPECT_TRUE(pair.dial().call<std::string>(options, "/echo", "caf\xC3\xA9"));
    return lines.wait();
  };
  EXPECT_EQ(log_of(false, 0, 0), "CALL<- @ (-) \"/echo\" RECV({\"size\":7}) SEND({\"size\":7})\n");
  EXPECT_EQ(log_of(false, 100, 0),
            "CALL<- @ (-) \"/echo\" RECV({\"size\":7,\"body\":\"\\\"caf\xC3\xA9\\\"\"}) "
            "SEND({\"size\":7,\"body\":\"\\\"caf\xC3\xA9\\\"\"})\n");
  EXPECT_EQ(log_of(false, 5, 0),
            "CALL<- @ (-) \"/echo\" RECV({\"size\":7,\"body\":\"\\\"caf...\"}) "
            "SEND({\"size\":7,\"body\":\"\\\"caf...\"})\n");
  EXPECT_EQ(log_of(true, 0, 20),
            "CALL<- @ (-) \"/echo\" RECV({\"size\":7,\"meta\":{\"a\":\"1\",\"...\":\"\"}}) "
            "SEND({\"size\":7,\"meta\":{\"b\":\"2\"}})\n");
}

PARLEY_PEER_TEST(AccessLog, what_is_no_text_and_forged_lines_do_no_harm) {
  Lines lines;
  Pair pair(with(lines.into({.shows_time = false, .max_body_bytes = 100})), {});
  const Bytes body = Bytes::copy_of("a\xFF\n\x1B[2J");
  EXPECT_FALSE(pair.dial().call_raw({}, "/x\nCALL<- forged", wire::BodyCodec::plain, body));
  const std::string line = lines.wait();
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  EXPECT_NE(line.find("\"/x\\nCALL<- forged\""), std::string::npos) << line;
  EXPECT_NE(line.find("\"body\":\"a?\\n\\u001b[2J\""), std::string::npos) << line;
}

TEST(AccessLog, says_how_long_it_took_and_marks_what_is_slow) {
  for (const Duration slow_after : {Duration::zero(), Duration(1s), Duration(1h)}) {
    rt::testing::in_virtual_time(
        [&] {
          Lines lines;
          std::vector<std::string> texts;
          AccessLogOptions options{.slow_after = slow_after, .logs_made = false};
          options.sink = [&](const AccessLine& line) {
            texts.emplace_back(line.text);
            EXPECT_EQ(line.is_slow, slow_after == Duration(1s));
          };
          Pair pair(with(options), {});
          pair.server.handle("/slow", [] { return rt::sleep(2s); });
          EXPECT_TRUE(pair.dial().call("/slow"));
          ASSERT_EQ(texts.size(), 1U);
          EXPECT_NE(texts.front().find(slow_after == Duration(1s) ? "ms(slow) " : "ms(fast) "),
                    std::string::npos)
              << texts.front();
          EXPECT_NE(texts.front().find(" 20"), std::string::npos) << texts.front();
        },
        10ms);
  }
}

PARLEY_PEER_TEST(AccessLog, shows_who_it_really_was_and_goes_to_the_log_of_the_peer) {
  PeerOptions options = with({.logs_made = false});
  options.plugins.push_back({.name = "proxied", .serve = [](ServeStep& step, Next& next) {
                               EXPECT_TRUE(step.session().set_real_ip("10.0.0.7").is_ok());
                               return next();
                             }});
  testing::Log log;
  options.log = [&](std::string_view line) { log.add(line); };
  Peer server(options);
  server.handle("/x", [&](Context& context) {
    EXPECT_TRUE(context.session().call("/back").error().code() == Code::not_found);
  });
  const auto address = server.listen("tcp://127.0.0.1:0");
  Peer client;
  EXPECT_TRUE(client.dial(address->to_string())->call("/x"));
  log.wait_for("\"/x\" RECV");
  EXPECT_TRUE(log.has("(real:10.0.0.7) ")) << log.text();
  EXPECT_FALSE(log.has("CALL->")) << log.text();
}

PARLEY_PEER_TEST(AccessLog, logs_only_what_is_made_if_it_is_told_to) {
  Lines lines;
  Pair pair(with(lines.into({.shows_time = false, .logs_served = false})), {});
  pair.client.handle("/back", [] {});
  pair.server.handle("/x",
                     [](Context& context) { return context.session().call("/back").error(); });
  EXPECT_TRUE(pair.dial().call("/x"));
  EXPECT_EQ(lines.take(), "CALL-> @ (-) \"/back\" SEND({\"size\":0}) RECV({\"size\":0})\n");
}

}  // namespace
}  // namespace parley
