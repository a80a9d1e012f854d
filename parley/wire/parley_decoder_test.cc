// What a decoder of the parley framing survives: broken, cut, and endless input.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/testing/allocations.h"
#include "parley/base/testing/hex.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/testing/golden_parley.h"
#include "parley/wire/testing/random_message.h"

namespace parley::wire {
namespace {

using parley::testing::allocations;
using parley::testing::from_hex;

const ParleyLimits least{.takes = {}};

// What is said of a stream that begins with `hello` and goes on with `hex`; "none" when nothing.
Status problem_of_stream(std::string_view hex, const ParleyLimits& limits = least) {
  ParleyDecoder decoder(limits);
  decoder.feed(from_hex(hex));
  for (;;) {
    auto next = decoder.next();
    if (!next) {
      EXPECT_EQ(decoder.next().error(), next.error()) << "a dead decoder stays dead";
      decoder.feed("more");
      EXPECT_EQ(decoder.buffered(), 0U) << "and holds nothing";
      return next.error();
    }
    if (!*next) return {};
  }
}
std::string problem(std::string_view hex, const ParleyLimits& limits = least) {
  const Status status = problem_of_stream("f0 50 52 4c 01 00 " + std::string(hex), limits);
  return status.is_ok() ? "none" : status.message();
}

TEST(ParleyDecoder, says_what_is_wrong_with_a_hello) {
  const auto hello = [](std::string_view hex) { return problem_of_stream(hex).message(); };
  EXPECT_EQ(hello("47"),
            "parley hello: it does not begin with F0 50 52 4C: the other side speaks another "
            "protocol");
  EXPECT_EQ(hello("f0 50 52 4d 01"),
            "parley hello: it does not begin with F0 50 52 4C: the other side speaks another "
            "protocol");
  EXPECT_EQ(hello("f0 50 52 4c 00 00"), "parley hello: version 0 does not exist");
  EXPECT_EQ(hello("f0 50 52 4c 01 8108"),
            "1025 bytes of settings are more than a hello may have (1024)");
  EXPECT_EQ(hello("f0 50 52 4c 01 03 01 ff03"),
            "parley hello: max_frame: 511 is below the least (65536)");
  EXPECT_EQ(hello("f0 50 52 4c 01 06 06 ac02 06 ac02"),
            "parley hello: settings: their numbers do not ascend");
  EXPECT_EQ(hello("f0 50 52 4c 01 02 00 01"),
            "parley hello: settings: their numbers do not ascend");
  EXPECT_EQ(hello("f0 50 52 4c 01 01 06"),
            "parley hello: value of a setting: the frame ends within it");
}

TEST(ParleyDecoder, says_what_is_wrong_with_a_frame) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"00 00", "parley frame: kind: it is reserved"},
      {"0d 00", "parley frame: kind: it is reserved"},
      {"0e 00", "parley frame: kind: it is reserved"},
      {"17 01 01", "parley CANCEL: flags: one that frames of this kind lack"},
      {"83 03 00 00 00", "parley PUSH: flags: one that frames of this kind lack"},
      {"01 00", "parley CALL: id: the frame ends within it"},
      {"01 01 00", "parley CALL: id: 0 is not one between 1 and 2147483647"},
      {"01 05 8080808008", "parley CALL: id: 2147483648 is not one between 1 and 2147483647"},
      {"02 02 8100", "parley REPLY: id: it is longer than it has to be, or has more than 64 bits"},
      {"01 02 01 05", "parley CALL: method: no name was kept as 5"},
      {"01 03 01 00 05", "parley CALL: method of 5 bytes, but only 0 are left in the frame"},
      {"01 03 01 00 00", "parley CALL: codec of 1 byte, but only 0 are left in the frame"},
      {"11 0c 01 00 00 ffffffffffffff0f 6a",
       "parley CALL: deadline: 9007199254740991 microseconds are more than 2^50"},
      {"12 04 01 05 00 09",
       "parley REPLY: status message of 9 bytes, but only 0 are left in the "
       "frame"},
      {"12 06 01 00 00 01 78 00", "parley REPLY: status: it is ok and says what is wrong"},
      {"12 0a 01 05 ffffffff1f 00 00 00",
       "parley REPLY: business code: -4294967296 has more than 32 bits"},
      {"23 06 00 00 02 00 00 00", "parley PUSH: metadata value: the frame ends within it"},
      {"23 05 00 00 81 08 00",
       "parley PUSH: metadata: 1025 entries are more than max_metadata_entries (1024)"},
      {"07 02 01 00", "parley CANCEL: payload: 1 bytes too many"},
      {"0a 07 00000000000000", "parley PING: payload of 8 bytes, but only 7 are left in the frame"},
      {"08 01 05", "parley CREDIT: value: the frame ends within it"},
      {"18 02 00 01", "parley CREDIT: id: 0 is not one between 1 and 2147483647"},
      {"09 02 01 00", "parley PART: id: no body of 1 is under way in parts"},
      {"0f 00", "parley extension: number: the frame ends within it"},
      {"02 818004", "65537 bytes of a frame are more than max_frame (65536)"},
      {"02 8000", "parley frame: length: it is longer than it has to be, or has more than 64 bits"},
      {"02 ffffffffffffffffff02",
       "parley frame: length: it is longer than it has to be, or has more than 64 bits"},
      {"43 05 07 00 00 00 61 43 05 07 00 00 00 62",
       "parley frame: another body of id 7 is still under way in parts"},
  };
  for (const auto& [hex, said] : cases) EXPECT_EQ(problem(hex), said) << hex;
}

TEST(ParleyDecoder, says_what_is_wrong_with_filters) {
  EXPECT_EQ(problem("02 05 01 80 02 67 67"),
            "parley REPLY: filters: transfer filter 'g' stands there twice: a pipe has each once");
  EXPECT_EQ(problem("02 02 01 80"), "parley REPLY: filters: the frame ends within it");
  EXPECT_EQ(problem("02 03 01 80 00"), "parley REPLY: filters: there are none");
  EXPECT_EQ(problem("02 04 01 80 01 00"),
            "parley REPLY: filters: transfer filter 0x00 cannot be: 0 is no id");
  EXPECT_EQ(problem("02 0c 01 80 09 616161616161616161"),
            "parley REPLY: filters: 9 transfer filters are more than a pipe may have (8)");
  EXPECT_EQ(problem("02 0b 01 80 08 6162636465666768"), "none") << "whoever knows them";
}

TEST(ParleyDecoder, what_is_allowed_is_not_refused) {
  for (const std::string_view hex :
       {"08 02 00 01", "0f 01 07", "ff 02 8001", "03 03 00 00 00", "12 06 01 63 00 00 00 00",
        "43 05 07 00 00 00 61", "02 02 01 00"}) {
    EXPECT_EQ(problem(hex), "none") << hex;
  }
}

TEST(ParleyDecoder, a_method_name_of_255_bytes_is_the_longest) {
  const std::string name(510, '6');
  EXPECT_EQ(problem("03 8302 00ff01" + name + "00"), "none");
  EXPECT_EQ(problem("03 8402 008002" + name + "66 00"),
            "parley PUSH: method: a name of 256 bytes, at most 255");
}

TEST(ParleyDecoder, more_names_than_max_names_are_refused) {
  std::string names;
  for (int i = 0; i < 128; ++i) names += "03 03 01 00 00 ";
  EXPECT_EQ(problem(names), "none");
  EXPECT_EQ(problem(names + "03 03 01 00 00"),
            "parley PUSH: method: more names are to be kept than max_names (128)");
}

TEST(ParleyDecoder, more_than_64_bodies_in_parts_at_once_are_refused) {
  std::string stream = from_hex(testing::golden_parley_hello);
  ParleyEncoder encoder(least);
  for (int i = 1; i <= 65; ++i) {
    ASSERT_TRUE(encoder.encode({.seq = i, .method = "/x", .more = true}, stream).is_ok());
    if (i == 10) {
      // One that is cancelled is not under way any more, and its id is free.
      ASSERT_TRUE(encoder.encode({.seq = 10, .type = MessageType::cancel}, stream).is_ok());
      ASSERT_TRUE(encoder.encode({.seq = 10, .method = "/x", .more = true}, stream).is_ok());
    }
  }
  ParleyDecoder decoder(least);
  decoder.feed(stream);
  EXPECT_EQ((*decoder.next())->type, MessageType::hello);
  EXPECT_EQ((*decoder.next())->type, MessageType::cancel);
  EXPECT_EQ(decoder.next().error().message(),
            "parley frame: more than 64 bodies are under way in parts");
}

// A message whose body goes over a limit comes without it, and with the reason.
TEST(ParleyDecoder, a_body_too_large_is_refused_alone_and_its_memory_let_go) {
  ParleyLimits wide;
  ParleyEncoder encoder(wide);
  encoder.allow(wide.takes);
  std::string stream = from_hex(testing::golden_parley_hello);
  const Message large{.seq = 1, .method = "/x", .body = Bytes::from(std::string(70'000, 'x'))};
  ASSERT_TRUE(encoder.encode(large, stream).is_ok());
  const Message small{.seq = 2, .method = "/x"};
  ASSERT_TRUE(encoder.encode(small, stream).is_ok());
  ParleyDecoder decoder({.takes = {.max_frame = 131'072}});
  decoder.feed(stream);
  EXPECT_EQ((*decoder.next())->type, MessageType::hello);
  const Message refused = **decoder.next();
  EXPECT_EQ(refused.seq, 1);
  EXPECT_EQ(refused.status.message(), "70000 bytes are more than max_message (65536)");
  EXPECT_TRUE(refused.body.empty());
  EXPECT_EQ(**decoder.next(), small);

  // The same in parts, of which the last ones are not even kept.
  ParleyEncoder cutting(least);
  stream.clear();
  Message begin{.seq = 3,
                .type = MessageType::reply,
                .more = true,
                .body = Bytes::from(std::string(60'000, 'x'))};
  ASSERT_TRUE(cutting.encode(begin, stream).is_ok());
  for (int i = 0; i < 3; ++i) {
    const Message part{.seq = 3,
                       .type = MessageType::part,
                       .more = i < 2,
                       .body = Bytes::from(std::string(60'000, 'x'))};
    ASSERT_TRUE(cutting.encode(part, stream).is_ok());
  }
  decoder.feed(stream);
  const Message parts = **decoder.next();
  EXPECT_EQ(parts.status.message(), "240000 bytes are more than max_message (65536)");
  EXPECT_EQ(decoder.unfinished(), 0U);
}

TEST(ParleyDecoder, bodies_in_parts_are_bounded_together_but_for_one_alone) {
  ParleyLimits limits{.takes = {.max_message = 200'000}};
  limits.max_unfinished_bytes = 100'000;
  ParleyEncoder encoder(limits);
  encoder.allow(limits.takes);
  ParleyDecoder decoder(limits);
  std::string stream;
  encoder.start(stream);
  const Bytes some = Bytes::from(std::string(60'000, 'x'));
  const auto send = [&](const Message& message) {
    ASSERT_TRUE(encoder.encode(message, stream).is_ok());
  };
  // One alone may go beyond.
  send({.seq = 1, .method = "/x", .more = true, .body = some});
  send({.seq = 1, .type = MessageType::part, .own = true, .more = true, .body = some});
  // Another beside it may not.
  send({.seq = 2, .method = "/x", .more = true, .body = some});
  send({.seq = 2, .type = MessageType::part, .own = true, .body = some});
  send({.seq = 1, .type = MessageType::part, .own = true, .body = some});
  // When all that is gone, there is room again.
  send({.seq = 3, .method = "/x", .more = true, .body = some});
  send({.seq = 3, .type = MessageType::part, .own = true, .body = some});
  decoder.feed(stream);
  EXPECT_EQ((*decoder.next())->type, MessageType::hello);
  const Message second = **decoder.next();
  EXPECT_EQ(second.seq, 2);
  EXPECT_EQ(second.status.message(),
            "120000 bytes in parts did not fit beside others into max_unfinished_bytes (100000)");
  EXPECT_EQ((*decoder.next())->body.size(), 180'000U);
  EXPECT_EQ((*decoder.next())->body.size(), 120'000U);
}

TEST(ParleyDecoder, what_is_unfinished_counts_with_its_metadata) {
  ParleyLimits limits{.takes = {.max_frame = 200'000}};
  limits.max_unfinished_bytes = 100'000;
  ParleyEncoder encoder(limits);
  encoder.allow(limits.takes);
  ParleyDecoder decoder(limits);
  std::string stream;
  encoder.start(stream);
  Message begin{.method = "/x", .more = true};
  begin.metadata = {{"k", std::string(60'000, 'm')}};
  for (begin.seq = 1; begin.seq <= 3; ++begin.seq) {
    ASSERT_TRUE(encoder.encode(begin, stream).is_ok());
  }
  const std::size_t before = allocations().bytes;
  decoder.feed(stream);
  EXPECT_TRUE(*decoder.next());
  EXPECT_FALSE(*decoder.next());
  EXPECT_LT(allocations().bytes - before, 400'000U);
  for (int seq = 1; seq <= 3; ++seq) {
    std::string out;
    const Message part{.seq = seq, .type = MessageType::part, .own = true};
    ASSERT_TRUE(encoder.encode(part, out).is_ok());
    decoder.feed(out);
    EXPECT_EQ((*decoder.next())->is_refused, seq != 1) << seq;
  }
}

TEST(ParleyDecoder, tells_which_body_has_been_coming_for_longest) {
  ParleyEncoder encoder(least);
  ParleyDecoder decoder(least);
  std::string stream;
  encoder.start(stream);
  const auto feed = [&](const Message& message) {
    EXPECT_TRUE(encoder.encode(message, stream).is_ok());
    decoder.feed(std::exchange(stream, {}));
    while (*decoder.next()) {}
    return decoder.oldest_unfinished();
  };
  EXPECT_EQ(feed({.type = MessageType::ping}), 0U);
  EXPECT_FALSE(decoder.mid_message());
  const std::uint64_t first = feed({.seq = 1, .method = "/x", .more = true});
  EXPECT_NE(first, 0U);
  EXPECT_EQ(decoder.last_in_parts(), first);
  EXPECT_TRUE(decoder.mid_message());
  EXPECT_FALSE(decoder.mid_frame());
  EXPECT_EQ(feed({.seq = 2, .method = "/x", .more = true}), first);
  EXPECT_EQ(feed({.seq = 2, .type = MessageType::part, .own = true, .more = true}), first);
  const std::uint64_t second = feed({.seq = 1, .type = MessageType::part, .own = true});
  EXPECT_GT(second, first);
  EXPECT_EQ(decoder.last_in_parts(), second);
  EXPECT_EQ(feed({.seq = 2, .type = MessageType::cancel}), 0U);
  EXPECT_EQ(decoder.last_in_parts(), second);
}

// A call whose beginning has come, and whose parts are to follow.
struct CallInParts {
  CallInParts() {
    encoder.allow(limits.takes);
    encoder.start(stream);
    add({.seq = 1, .method = "/x", .more = true});
    decoder.feed(std::exchange(stream, {}));
    while (*decoder.next()) {}
  }
  void add(const Message& message) { EXPECT_TRUE(encoder.encode(message, stream).is_ok()); }
  void add_part(Bytes body, bool more) {
    add({.seq = 1, .type = MessageType::part, .own = true, .more = more, .body = std::move(body)});
  }

  const ParleyLimits limits{.takes = {.max_message = 1'000'000}};
  ParleyEncoder encoder{limits};
  ParleyDecoder decoder{limits};
  std::string stream;
};

TEST(ParleyDecoder, parts_that_are_a_small_piece_of_their_chunk_do_not_keep_it) {
  CallInParts call;
  ParleyDecoder& decoder = call.decoder;
  const std::size_t blocks = Block::live();
  for (int i = 0; i < 20; ++i) {
    call.add_part(Bytes::from(std::string(20'000, 'p')), true);
    // An extension, which is skipped.
    call.stream += from_hex("0f c0b802 00") + std::string(39'999, 'e');
    decoder.feed(std::exchange(call.stream, {}));
    EXPECT_FALSE(*decoder.next());
  }
  EXPECT_LE(Block::live(), blocks + 2);
}

TEST(ParleyDecoder, a_part_that_is_a_piece_of_a_larger_chunk_is_copied_once) {
  CallInParts call;
  ParleyDecoder& decoder = call.decoder;
  for (int i = 0; i < 4; ++i) {
    call.add_part(Bytes::from(std::string(48'000, static_cast<char>('a' + i))), i < 3);
  }
  const std::size_t blocks = Block::live();
  decoder.feed(std::exchange(call.stream, {}));
  const auto whole = decoder.next();
  ASSERT_TRUE(whole && *whole);
  const Bytes& body = (*whole)->body;
  EXPECT_EQ(body.size(), 4 * 48'000U);
  ASSERT_EQ(body.piece_count(), 4U) << "none was copied again behind another";
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(body.piece(i), std::string(48'000, static_cast<char>('a' + i)));
  }
  EXPECT_EQ(Block::live(), blocks + 4) << "the chunk is let go";
}

TEST(ParleyDecoder, many_tiny_parts_do_not_keep_the_chunks_they_came_in) {
  ParleyEncoder encoder(least);
  ParleyDecoder decoder(least);
  std::string stream;
  encoder.start(stream);
  ASSERT_TRUE(encoder.encode({.seq = 1, .method = "/x", .more = true}, stream).is_ok());
  decoder.feed(std::exchange(stream, {}));
  EXPECT_TRUE(*decoder.next());
  EXPECT_FALSE(*decoder.next());
  const std::size_t blocks = Block::live();
  for (int i = 0; i < 100; ++i) {
    std::string chunk;
    const Message part{.seq = 1,
                       .type = MessageType::part,
                       .own = true,
                       .more = true,
                       .body = Bytes::copy_of("x")};
    ASSERT_TRUE(encoder.encode(part, chunk).is_ok());
    chunk += from_hex(testing::golden_parley_ping);
    decoder.feed(chunk);
    EXPECT_EQ((*decoder.next())->type, MessageType::ping);
    EXPECT_FALSE(*decoder.next());
  }
  EXPECT_EQ(Block::live(), blocks);
}

TEST(ParleyDecoder, takes_no_memory_for_a_length_that_was_only_claimed) {
  ParleyLimits limits;
  limits.takes.max_frame = std::uint64_t{1} << 30U;
  limits.takes.max_message = std::uint64_t{1} << 30U;
  ParleyDecoder decoder(limits);
  decoder.feed(from_hex("f0 50 52 4c 01 00"));
  EXPECT_TRUE(*decoder.next());
  const std::size_t before = allocations().bytes;
  decoder.feed(from_hex("02 80808080 04 01"));
  EXPECT_FALSE(*decoder.next());
  EXPECT_LT(allocations().bytes - before, 1'000U);
}

TEST(ParleyDecoder, feeding_byte_by_byte_is_linear) {
  ParleyLimits limits;
  ParleyEncoder encoder(limits);
  encoder.allow(limits.takes);
  std::string stream;
  encoder.start(stream);
  const Message message{.seq = 1, .method = "/put", .body = Bytes::from(std::string(30'000, 'x'))};
  ASSERT_TRUE(encoder.encode(message, stream).is_ok());
  ParleyDecoder decoder(limits);
  const std::size_t before = allocations().bytes;
  std::vector<Message> messages;
  for (const char& byte : stream) {
    decoder.feed({&byte, 1});
    while (auto next = *decoder.next()) messages.push_back(*std::move(next));
  }
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[1], message);
  EXPECT_LT(allocations().bytes - before, 200 * stream.size());
}

TEST(ParleyDecoder, random_messages_survive_random_cuts) {
  testing::Random random(11);
  for (int round = 0; round < 30; ++round) {
    ParleyEncoder encoder(least);
    ParleyDecoder decoder(least);
    std::string stream;
    encoder.start(stream);
    std::vector<Message> sent;
    for (int i = 0; i < 40; ++i) {
      sent.push_back(testing::random_parley_message(random, 300));
      ASSERT_TRUE(encoder.encode(sent.back(), stream).is_ok());
    }
    std::vector<Message> read;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 50, stream.size() - at);
      decoder.feed(std::string_view(stream).substr(at, size));
      at += size;
      if (random() % 3 == 0) continue;
      while (auto next = *decoder.next()) read.push_back(*std::move(next));
    }
    while (auto next = *decoder.next()) read.push_back(*std::move(next));
    ASSERT_EQ(read.size(), sent.size() + 1);
    read.erase(read.begin());
    EXPECT_EQ(read, sent);
    EXPECT_FALSE(decoder.mid_frame());
  }
}

// What comes of a stream: its messages, which look into their decoder, and the error behind them.
struct CutRead {
  std::unique_ptr<ParleyDecoder> decoder = std::make_unique<ParleyDecoder>(least);
  std::vector<Message> messages{};
  Status error{};
};

CutRead read_in_chunks(std::string_view stream, std::size_t size) {
  CutRead read;
  for (std::size_t at = 0; at < stream.size(); at += size) {
    read.decoder->feed(stream.substr(at, size));
    for (;;) {
      auto next = read.decoder->next();
      if (!next) {
        read.error = next.error();
        return read;
      }
      if (!*next) break;
      read.messages.push_back(**std::move(next));
    }
  }
  return read;
}

// Plain calls and answers that lie whole in a chunk are read by code of their own.
TEST(ParleyDecoder, a_call_or_answer_is_the_same_where_it_lies_and_in_pieces) {
  testing::Random random(17);
  const std::string begin = from_hex("f0 50 52 4c 01 00  01 06 01 01 02 2f61 6a");  // keeps /a
  ASSERT_EQ(read_in_chunks(begin, 100).messages.size(), 2U);
  constexpr std::string_view kinds("\x01\x02\x11", 3);
  std::size_t good = 0;
  for (int round = 0; round < 2'000; ++round) {
    std::string stream = begin;
    for (int frame = 0; frame < 3; ++frame) {
      std::string fields;
      for (std::size_t i = random() % 12; i > 0; --i) {
        // Mostly numbers that mean something, now and then any byte.
        fields += static_cast<char>(random() % 4 == 0 ? random() % 256 : 1 + random() % 3);
      }
      // The body: lengths of one byte and of two, and the longest that are read so.
      if (random() % 3 == 0)
        fields.append(random() % 2 == 0 ? random() % 300 : 4'080 + random() % 20, 'b');
      const std::size_t length = fields.size() + (random() % 10 == 0 ? 1 : 0);
      stream += kinds[random() % kinds.size()];
      if (length >= 0x80) stream += static_cast<char>(0x80 | (length & 0x7f));
      stream += static_cast<char>(length >= 0x80 ? length >> 7U : length);
      stream += fields;
    }
    const auto whole = read_in_chunks(stream, stream.size());
    const auto pieces = read_in_chunks(stream, 1);
    ASSERT_EQ(whole.messages, pieces.messages) << round;
    ASSERT_EQ(whole.error, pieces.error) << round;
    good += whole.messages.size() - 2;
  }
  EXPECT_GT(good, 1'000U);
}

TEST(ParleyDecoder, random_bytes_and_random_damage_never_crash) {
  testing::Random random(13);
  for (int round = 0; round < 300; ++round) {
    ParleyEncoder encoder(least);
    std::string stream;
    encoder.start(stream);
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(encoder.encode(testing::random_parley_message(random, 100), stream).is_ok());
    }
    for (int i = 0; i < 3; ++i) stream[random() % stream.size()] = static_cast<char>(random());
    if (round % 3 == 0) stream = stream.substr(0, 6) + testing::random_text(random, 300);
    ParleyDecoder decoder(least);
    decoder.feed(stream);
    for (auto next = decoder.next(); next && *next; next = decoder.next()) {}
  }
}

}  // namespace
}  // namespace parley::wire
