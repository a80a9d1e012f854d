#include "parley/peer/impl/parts.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "parley/base/testing/hex.h"
#include "parley/peer/impl/outbox.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/testing/golden_parley.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

constexpr std::size_t part = Outbox::large_body_bytes;

// All that is gathered.
std::string taken_out(Outbox& outbox) {
  std::string all;
  std::array<std::string_view, 4> room;
  while (outbox.bytes() > 0) {
    std::size_t taken = 0;
    for (const std::string_view piece : outbox.front(room)) {
      all += piece;
      taken += piece.size();
    }
    outbox.drop(taken);
  }
  return all;
}

// Two sides in memory: what this one sends, and in which order the other has it whole.
struct Line {
  Line() {
    outbox.start(encoder);
    encoder.allow({.max_frame = 1 << 20, .max_message = 1 << 20});
    leave();
  }
  Status send(const Message& message) { return outbox.encode(message, encoder, part); }
  // What is gathered leaves, then `count` parts do.
  void leave(int count = 0) {
    Outbox sending;
    outbox.swap_gathered(sending);
    for (; count > 0 && outbox.parts() != nullptr; --count) {
      (void)outbox.cut_part(encoder, part, sending);
    }
    decoder.feed(taken_out(sending));
    for (;;) {
      auto next = decoder.next();
      ASSERT_TRUE(next) << next.error();
      if (!*next) return;
      if ((*next)->type != MessageType::hello) came.push_back(**std::move(next));
    }
  }
  void leave_all() {
    while (!outbox.is_empty()) leave(1);
  }
  // "call 1, push 0"
  std::string names() const {
    std::string all;
    for (const Message& each : came) {
      all += (all.empty() ? "" : ", ") + std::string(name_of(each.type)) + " " +
             std::to_string(each.seq);
    }
    return all;
  }

  wire::ParleyEncoder encoder;
  wire::ParleyDecoder decoder{{.takes = {.max_message = 1 << 20}}};
  Outbox outbox;
  std::vector<Message> came;
};

Message of(MessageType type, std::int32_t seq, std::size_t parts, bool is_own = false) {
  Message message{.seq = seq, .type = type, .own = is_own};
  if (type == MessageType::call || type == MessageType::push) message.method = "/x";
  if (parts > 0) message.body = Bytes::from(std::string(parts * part, static_cast<char>(seq)));
  return message;
}

TEST(Parts, bodies_take_turns_and_small_frames_go_first) {
  Line line;
  ASSERT_TRUE(line.send(of(MessageType::call, 1, 4)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::reply, 2, 2)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::call, 3, 0)).is_ok());
  line.leave(3);
  EXPECT_EQ(line.names(), "call 3") << "in front of all parts";
  ASSERT_TRUE(line.send(of(MessageType::ping, 0, 0)).is_ok());
  line.leave(1);
  EXPECT_EQ(line.names(), "call 3, ping 0, reply 2") << "the shorter one is through";
  line.leave_all();
  ASSERT_EQ(line.names(), "call 3, ping 0, reply 2, call 1");
  EXPECT_EQ(line.came[2], of(MessageType::reply, 2, 2));
  EXPECT_EQ(line.came[3], of(MessageType::call, 1, 4));
}

TEST(Parts, pushes_do_not_overtake_pushes_nor_messages_their_stream) {
  Line line;
  ASSERT_TRUE(line.send(of(MessageType::push, 1, 3)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::push, 2, 0)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::push, 3, 2)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::data, 7, 2, true)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::data, 7, 0, true)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::data, 8, 0, true)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::data, 7, 0, false)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::end, 7, 0, true)).is_ok());
  line.leave();
  EXPECT_EQ(line.names(), "data 8, data 7") << "of other streams";
  line.came.clear();
  line.leave_all();
  std::string order;
  for (const Message& each : line.came) {
    order += (each.type == MessageType::push  ? "p"
              : each.type == MessageType::end ? "e"
                                              : "d") +
             std::to_string(each.body.size() / part) + " ";
  }
  EXPECT_EQ(order, "d2 p3 d0 p0 e0 p2 ");
}

TEST(Parts, a_body_is_shared_not_copied) {
  Line line;
  const Message call = of(MessageType::call, 1, 2);
  ASSERT_TRUE(line.send(call).is_ok());
  Outbox sending;
  EXPECT_EQ(line.outbox.cut_part(line.encoder, part, sending), 1) << "CALL 1 begins";
  EXPECT_EQ(line.outbox.cut_part(line.encoder, part, sending), 0);
  std::array<std::string_view, 8> room;
  ASSERT_EQ(sending.front(room).size(), 4U) << "a head and a part each";
  EXPECT_EQ(sending.front(room)[1].data(), call.body.piece(0).data());
  EXPECT_EQ(sending.front(room)[3].data(), call.body.piece(0).data() + part);
}

TEST(Parts, what_waits_counts_until_it_is_cut) {
  Line line;
  ASSERT_TRUE(line.send(of(MessageType::push, 1, 3)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::push, 2, 0)).is_ok());
  EXPECT_EQ(line.outbox.bytes(), 0U);
  EXPECT_GE(line.outbox.bytes_of_parts(), 3 * part + 2 * sizeof(Message));
  line.leave(1);
  EXPECT_GE(line.outbox.bytes_of_parts(), 2 * part + sizeof(Message));
  EXPECT_LT(line.outbox.bytes_of_parts(), 3 * part);
  line.leave_all();
  EXPECT_EQ(line.outbox.bytes_of_parts(), 0U);
  EXPECT_EQ(line.outbox.parts(), nullptr);
}

TEST(Parts, what_cannot_be_sent_is_refused_at_once) {
  Line line;
  Message call = of(MessageType::call, 1, 2);
  const std::string name(300, 'n');
  call.method = name;
  EXPECT_EQ(line.send(call).code(), Code::invalid_argument);
  EXPECT_EQ(line.send(of(MessageType::call, 1, 65)).code(), Code::resource_exhausted);
  EXPECT_TRUE(line.outbox.is_empty());
}

TEST(Parts, a_body_goes_as_its_sender_left_it_whatever_becomes_of_the_name) {
  Line line;
  {
    std::string name = "/gone";
    Message call = of(MessageType::call, 1, 2);
    call.method = name;
    ASSERT_TRUE(line.send(call).is_ok());
    name.assign(5, '?');
  }
  line.leave_all();
  ASSERT_EQ(line.came.size(), 1U);
  EXPECT_EQ(line.came[0].method, "/gone");
}

TEST(Parts, what_is_given_up_leaves_no_part_and_says_what_it_was) {
  Line line;
  ASSERT_TRUE(line.send(of(MessageType::call, 1, 3)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::data, 2, 2, true)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::data, 2, 1, true)).is_ok());
  line.leave(1);
  Parts& parts = *line.outbox.parts();
  EXPECT_TRUE(parts.drop(1).has_begun);
  EXPECT_FALSE(parts.drop(1).is_any);
  const Parts::Left left = parts.drop(2);
  EXPECT_TRUE(left.is_any);
  EXPECT_FALSE(left.has_begun);
  EXPECT_EQ(left.credit, 3 * part + 2 * 16);
  EXPECT_TRUE(parts.is_empty());
  EXPECT_EQ(parts.bytes(), 0U);
  line.outbox.look_at_parts();
  ASSERT_TRUE(line.send({.seq = 1, .type = MessageType::cancel}).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::call, 1, 2)).is_ok()) << "the number is free again";
  line.leave_all();
  EXPECT_EQ(line.names(), "cancel 1, call 1");
}

TEST(Parts, a_reply_that_nobody_waits_for_ends_with_what_was_cut) {
  Line line;
  ASSERT_TRUE(line.send(of(MessageType::reply, 1, 20)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::reply, 2, 20)).is_ok());
  line.leave(1);
  line.outbox.parts()->shorten_reply(1);
  line.outbox.parts()->shorten_reply(2);
  line.outbox.parts()->shorten_reply(3);
  line.leave_all();
  ASSERT_EQ(line.came.size(), 2U);
  EXPECT_EQ(line.came[0].seq, 2);
  EXPECT_EQ(line.came[0].status.code(), Code::cancelled);
  EXPECT_EQ(line.came[1].seq, 1);
  EXPECT_EQ(line.came[1].body.size(), part);
}

TEST(Parts, only_calls_of_which_not_all_was_cut_are_taken_back) {
  Line line;
  for (const int seq : {1, 2}) ASSERT_TRUE(line.send(of(MessageType::call, seq, 2)).is_ok());
  ASSERT_TRUE(line.send(of(MessageType::reply, 3, 2)).is_ok());
  line.leave(1);
  const auto calls = line.outbox.parts()->drop_calls();
  ASSERT_EQ(calls.size(), 2U);
  for (const auto& [seq, has_begun] : calls) EXPECT_EQ(has_begun, seq == 1);
  ASSERT_TRUE(line.send({.seq = 1, .type = MessageType::cancel}).is_ok());
  line.leave_all();
  EXPECT_EQ(line.names(), "cancel 1, reply 3");
}

// The decoder refuses more than 64.
TEST(Parts, those_beyond_64_wait_for_their_turn) {
  Line line;
  for (int seq = 1; seq <= 100; ++seq) {
    ASSERT_TRUE(line.send(of(MessageType::call, seq, 2)).is_ok());
  }
  line.leave(100);
  EXPECT_EQ(line.decoder.unfinished(), Parts::most_lanes - 37) << "37 have gone round";
  line.leave_all();
  EXPECT_EQ(line.came.size(), 100U);
}

TEST(Parts, an_interleaved_conversation_is_what_the_document_says) {
  wire::ParleyEncoder encoder;
  Parts parts;
  Outbox out;
  parts.add({.seq = 1,
             .type = MessageType::call,
             .method = "/big",
             .body_codec = wire::BodyCodec::json,
             .body = Bytes::from("abcde")});
  parts.add({.seq = 9,
             .type = MessageType::reply,
             .body_codec = wire::BodyCodec::json,
             .body = Bytes::from("xyz")});
  EXPECT_EQ(parts.cut(encoder, 2, out), 1);
  EXPECT_EQ(parts.cut(encoder, 2, out), 0);
  ASSERT_TRUE(out.encode({.type = MessageType::ping, .value = 7}, encoder).is_ok());
  while (!parts.is_empty()) (void)parts.cut(encoder, 2, out);
  EXPECT_EQ(taken_out(out), parley::testing::from_hex(wire::testing::golden_parley_interleaved));
}

}  // namespace
}  // namespace parley::impl
