#include "parley/peer/impl/secure_unit.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "parley/crypto/hex.h"

namespace parley::impl {
namespace {

using wire::BodyCodec;
using wire::Message;
using wire::MessageType;

std::string in_hex(std::string_view bytes) {
  std::string text;
  crypto::append_hex(text, bytes);
  return text;
}

Message whole(MessageType type) {
  return {.seq = 7,
          .type = type,
          .method = "/shop/tea",
          .status = Status(Code::permission_denied, "no").with_cause("why").with_business_code(-5),
          .metadata = {{"a", "1"}, {"", ""}, {"a", std::string(300, 'x')}},
          .body_codec = BodyCodec::json,
          .body = Bytes::copy_of("\"tea\"")};
}

TEST(SecureUnit, what_is_sealed_of_a_message_comes_back) {
  for (const MessageType type : {MessageType::reply, MessageType::end, MessageType::auth_reply,
                                 MessageType::call, MessageType::push, MessageType::open}) {
    const Message message = whole(type);
    Message back{.type = type};
    ASSERT_TRUE(read_secure_unit(secure_unit_of(message), back).is_ok());
    EXPECT_EQ(back.metadata, message.metadata);
    EXPECT_EQ(back.body, message.body);
    const bool is_answer =
        type == MessageType::reply || type == MessageType::end || type == MessageType::auth_reply;
    EXPECT_EQ(back.status, is_answer ? message.status : Status());
  }
}

TEST(SecureUnit, its_bytes_are_those_of_the_page) {
  const Message call{.seq = 7,
                     .type = MessageType::call,
                     .method = "/shop/tea",
                     .metadata = {{"a", "1"}},
                     .body_codec = BodyCodec::json,
                     .filters = wire::FilterPipe("z"),
                     .body = Bytes::copy_of("\"tea\"")};
  EXPECT_EQ(in_hex(secure_unit_of(call).to_string()), "00000001000000016100000001312274656122");
  EXPECT_EQ(in_hex(beside_secure_unit(call, 0)),
            "01000000000700000000000000006a017a2f73686f702f746561");
  Message reply{.seq = 7, .type = MessageType::reply};
  reply.status = Status(Code::permission_denied, "no").with_cause("why").with_business_code(-5);
  EXPECT_EQ(in_hex(secure_unit_of(reply).to_string()),
            "07fffffffb000000026e6f0000000377687900000000");
  const Message end{.seq = 7, .type = MessageType::end, .own = true};
  EXPECT_EQ(in_hex(beside_secure_unit(end, 3)), "08010000000700000000000000030000");
}

TEST(SecureUnit, a_message_of_a_stream_is_its_body) {
  Message message = whole(MessageType::data);
  EXPECT_EQ(secure_unit_of(message), "\"tea\"");
  Message back{.type = MessageType::data};
  EXPECT_TRUE(read_secure_unit(Bytes::copy_of("x"), back).is_ok());
  EXPECT_EQ(back.body, "x");
}

TEST(SecureUnit, what_ends_too_early_is_refused_and_changes_nothing) {
  Message message = whole(MessageType::reply);
  message.body = {};
  const std::string unit = secure_unit_of(message).to_string();
  for (std::size_t size = 0; size < unit.size(); ++size) {
    Message back{.type = MessageType::reply, .body = Bytes::copy_of("as it was")};
    const Status status = read_secure_unit(Bytes::copy_of(unit.substr(0, size)), back);
    EXPECT_EQ(status.code(), Code::data_loss) << size;
    EXPECT_EQ(back.body, "as it was");
    EXPECT_TRUE(back.status.is_ok());
  }
}

TEST(SecureUnit, more_entries_than_max_secure_entries_are_refused) {
  for (const std::size_t count : {max_secure_entries, max_secure_entries + 1}) {
    Message message{.type = MessageType::call};
    for (std::size_t i = 0; i < count; ++i) message.metadata.add("k", "v");
    Message back{.type = MessageType::call};
    EXPECT_EQ(read_secure_unit(secure_unit_of(message), back).is_ok(), count == max_secure_entries);
  }
}

TEST(SecureUnit, a_code_nobody_knows_is_unknown) {
  std::string unit(1, '\x7f');
  unit.append(4 + 4 + 4 + 4, '\0');
  Message back{.type = MessageType::reply};
  EXPECT_TRUE(read_secure_unit(Bytes::copy_of(unit), back).is_ok());
  EXPECT_EQ(back.status.code(), Code::unknown);
}

TEST(SecureUnit, what_stands_beside_it_tells_messages_apart) {
  const Message call = whole(MessageType::call);
  std::vector<std::string> all{beside_secure_unit(call, 0), beside_secure_unit(call, 1)};
  const auto add = [&all](Message message) { all.push_back(beside_secure_unit(message, 0)); };
  Message other = call;
  other.seq = 8;
  add(other);
  other = call;
  other.type = MessageType::open;
  add(other);
  other = call;
  other.body_codec = BodyCodec::plain;
  add(other);
  other = call;
  other.filters = wire::FilterPipe("a");
  add(other);
  other = call;
  other.method = "/shop/teas";
  add(other);
  Message data{.seq = 7, .type = MessageType::data};
  add(data);
  data.own = true;
  add(data);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) EXPECT_NE(all[i], all[k]) << i << " " << k;
  }
  // Not every framing has the number of a PUSH.
  Message push = whole(MessageType::push);
  const std::string beside = beside_secure_unit(push, 0);
  push.seq = 0;
  EXPECT_EQ(beside_secure_unit(push, 0), beside);
}

}  // namespace
}  // namespace parley::impl
