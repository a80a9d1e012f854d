#include "parley/peer/plugins/secure_legacy.h"

#include <atomic>
#include <memory>
#include <string>

#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"

namespace parley {
namespace {

using testing::Foreign;
using testing::Pair;
using wire::BodyCodec;
using wire::MessageType;

// What `openssl enc -aes-128-ecb` and `md5sum` make of the key and of the texts below.
const std::string version = "1ba49884c59b16619f411c7c80343c9c";
const std::string tea = "de50db4b55b76641ae55ce450495b3c7";    // "tea, please"
const std::string cup = "fba5f15ae8398ef63144634e03c53106";    // "TEA, please"
const std::string field = "2cfb4f7ec94563f94b5cf905e8ed00f5";  // field 1 of protobuf: tea

PeerOptions with(const std::string& key, bool always = false) {
  return {.plugins = {secure_legacy(
              {.key = std::make_shared<const crypto::Secret>(*crypto::Secret::copy_of(key)),
               .always = always})}};
}

std::string in_json(const std::string& text) {
  return R"({"cipherversion":")" + version + R"(","ciphertext":")" + text + R"("})";
}

void serve(Peer& peer) {
  peer.handle("/shout", [](std::string text) { return text.replace(0, 3, "TEA"); });
}

wire::Message call(std::int32_t seq, const wire::Metadata& metadata, const std::string& body) {
  return {.seq = seq,
          .type = MessageType::call,
          .method = "/shout",
          .metadata = metadata,
          .body_codec = BodyCodec::json,
          .body = Bytes::copy_of(body)};
}

wire::Message answer_to(Foreign& foreign, const wire::Message& question) {
  foreign.say(question);
  wire::Message answer = foreign.hear();
  while (answer.type == MessageType::hello) answer = foreign.hear();
  return answer;
}

PARLEY_PEER_TEST(SecureLegacy, bodies_are_erpc_s_byte_for_byte) {
  Peer peer(with("cipherkey1234567"));
  serve(peer);
  Foreign foreign(peer.listen("tcp://127.0.0.1:0")->to_string());
  foreign.say_hello();
  const auto both = answer_to(foreign, call(1, {{"X-Secure", "true"}}, in_json(tea)));
  EXPECT_TRUE(both.status.is_ok()) << both.status;
  EXPECT_EQ(both.body.to_string(), in_json(cup));
  EXPECT_EQ(both.metadata.get("X-Secure"), "true");
  const auto question = answer_to(
      foreign, call(2, {{"X-Secure", "true"}, {"X-Accept-Secure", "false"}}, in_json(tea)));
  EXPECT_EQ(question.body.to_string(), "\"TEA, please\"");
  const auto answer = answer_to(foreign, call(3, {{"X-Accept-Secure", "true"}}, "\"tea, please\""));
  EXPECT_EQ(answer.body.to_string(), in_json(cup));
  const auto none = answer_to(foreign, call(4, {}, "\"tea, please\""));
  EXPECT_EQ(none.body.to_string(), "\"TEA, please\"");
}

PARLEY_PEER_TEST(SecureLegacy, protobuf_bodies_are_those_of_its_message) {
  Peer peer(with("cipherkey1234567"));
  serve(peer);
  Foreign foreign(peer.listen("tcp://127.0.0.1:0")->to_string());
  foreign.say_hello();
  wire::Message question =
      call(1, {{"X-Secure", "true"}, {"X-Accept-Secure", "false"}},
           "\n\x20" + version + "\x12" + static_cast<char>(field.size()) + field);
  question.body_codec = BodyCodec::protobuf;
  const auto answer = answer_to(foreign, question);
  EXPECT_TRUE(answer.status.is_ok()) << answer.status;
  EXPECT_EQ(answer.body.to_string(), "\n\x03TEA");
}

PARLEY_PEER_TEST(SecureLegacy, two_peers_with_it_understand_each_other) {
  for (const bool always : {false, true}) {
    Pair pair(with("cipherkey1234567"), with("cipherkey1234567", always));
    serve(pair.server);
    std::atomic<bool> was_secure = false;
    pair.server.handle("/secure", [&](Context& context) {
      was_secure = context.metadata().get("X-Secure") == "true";
    });
    const Session session = pair.dial();
    const CallOptions secure_call{.metadata = {{"X-Secure", "true"}}};
    EXPECT_EQ(session.call<std::string>(secure_call, "/shout", "tea, please").value(),
              "TEA, please");
    EXPECT_EQ(session.call<std::string>("/shout", "tea, please").value(), "TEA, please");
    EXPECT_TRUE(session.call<void>("/secure"));
    EXPECT_EQ(was_secure, always);
  }
}

PARLEY_PEER_TEST(SecureLegacy, another_key_and_another_codec_are_refused) {
  Pair pair(with("cipherkey1234567"), with("cipherkey7654321", true));
  serve(pair.server);
  const Session session = pair.dial();
  EXPECT_EQ(session.call<std::string>("/shout", "tea").error().code(), Code::data_loss);
  EXPECT_EQ(
      session.call<std::string>({.body_codec = BodyCodec::msgpack}, "/shout", "tea").error().code(),
      Code::unimplemented);
}

PARLEY_PEER_TEST(SecureLegacy, a_key_of_another_size_is_the_error_of_dial) {
  Peer wrong(with("short"));
  EXPECT_EQ(wrong.dial("tcp://127.0.0.1:1").error().code(), Code::invalid_argument);
  Peer none({.plugins = {secure_legacy({})}});
  EXPECT_EQ(none.dial("tcp://127.0.0.1:1").error().code(), Code::invalid_argument);
}

}  // namespace
}  // namespace parley
