#include "parley/wire/message.h"

#include <gtest/gtest.h>

namespace parley::wire {
namespace {

TEST(Message, types_have_names_and_numbers) {
  EXPECT_EQ(teleport_type_of(1), MessageType::call);
  EXPECT_EQ(teleport_type_of(5), MessageType::auth_reply);
  EXPECT_EQ(teleport_type_of(0), std::nullopt);
  EXPECT_EQ(teleport_type_of(6), std::nullopt);
  EXPECT_EQ(teleport_type_of(257), std::nullopt);
  EXPECT_EQ(name_of(MessageType::push), "push");
  EXPECT_EQ(name_of(MessageType::hello), "hello");
  EXPECT_EQ(name_of(static_cast<MessageType>(16)), "unknown");
}

TEST(Message, body_codecs_of_others_are_values_too) {
  EXPECT_EQ(name_of(BodyCodec::json), "json");
  EXPECT_EQ(name_of(BodyCodec::msgpack), "msgpack");
  EXPECT_EQ(name_of(static_cast<BodyCodec>('z')), "other");
}

TEST(Message, says_whose_exchange_it_belongs_to) {
  EXPECT_TRUE(is_of_own_exchange({.type = MessageType::call}));
  EXPECT_FALSE(is_of_own_exchange({.type = MessageType::reply, .own = true}));
  EXPECT_TRUE(is_of_own_exchange({.type = MessageType::data, .own = true}));
  EXPECT_FALSE(is_of_own_exchange({.type = MessageType::part}));
}

TEST(Message, is_equal_when_every_part_is) {
  const Message message{.seq = 7, .method = "/a", .status = {}, .metadata = {{"k", "v"}}};
  Message other = message;
  EXPECT_EQ(message, other);
  other.body = Bytes::copy_of("x");
  EXPECT_NE(message, other);
  other = message;
  other.status = Status(Code::internal, "x");
  EXPECT_NE(message, other);
}

}  // namespace
}  // namespace parley::wire
