// RFC 6455 section by section, as a table of frames and what becomes of them, whole and cut at
// every byte; and what a reader must keep to besides: limits, text, compression.
#include "parley/http/websocket_codec.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "parley/base/testing/hex.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using parley::testing::from_hex;
using parley::testing::to_hex;
using Event = WebSocketReader::Event;

// What was read, as a line: "text hi", "ping ab", "close 1000 why", and at last "1002" for an
// error.
std::string seen_by(WebSocketReader reader, std::string_view bytes, std::size_t piece) {
  std::string seen;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    std::string_view in = bytes.substr(0, piece);
    for (;;) {
      const Result<Event> event = reader.next(in);
      if (!event) return seen + std::to_string(reader.answer());
      if (*event == Event::more) break;
      if (*event == Event::message) {
        seen += reader.type() == WebSocketType::text ? "text " : "binary ";
        seen += reader.take_message();
      } else if (*event == Event::close) {
        seen += "close " + std::to_string(reader.close_code());
        if (!reader.close_reason().empty()) seen += " " + std::string(reader.close_reason());
      } else {
        seen += *event == Event::ping ? "ping " : "pong ";
        seen += reader.control();
      }
      seen += ';';
    }
    EXPECT_TRUE(in.empty());
  }
  return seen + (reader.is_at_rest() ? "" : "within");
}

struct Case {
  const char* section;
  const char* what;
  Side side;
  const char* hex;
  const char* seen;
};

constexpr Side client = Side::client;
constexpr Side server = Side::server;

const Case cases[] = {
    {"5.7", "an unmasked text", client, "8105 48656c6c6f", "text Hello;"},
    {"5.7", "a masked text", server, "8185 37fa213d 7f9f4d5158", "text Hello;"},
    {"5.7", "a text in two frames", client, "0103 48656c 8002 6c6f", "text Hello;"},
    {"5.7", "a ping", client, "8905 48656c6c6f", "ping Hello;"},
    {"5.7", "a masked pong", server, "8a85 37fa213d 7f9f4d5158", "pong Hello;"},
    {"5.6", "binary", client, "8203 00ff41", "NUL"},
    {"5.6", "an empty text", client, "8100", "text ;"},
    {"5.6", "an empty masked binary", server, "8280 01020304", "binary ;"},
    {"5.4", "empty fragments", client, "0100 0000 000161 8000", "text a;"},
    {"5.4", "a ping between fragments", client, "010161 890170 800162", "ping p;text ab;"},
    {"5.4", "a close between fragments", client, "010161 8800", "close 1005;within"},
    {"5.4", "three binary fragments", client, "020161 000162 800163", "binary abc;"},
    {"5.4", "it goes on, nothing is under way", client, "800161", "1002"},
    {"5.4", "it goes on after its end", client, "010161 800162 800163", "text ab;1002"},
    {"5.4", "a text within a text", client, "010161 810162", "1002"},
    {"5.4", "a binary within a text", client, "010161 020162", "1002"},
    {"5.2", "reserved bit 1 without an extension", client, "c10161", "1002"},
    {"5.2", "reserved bit 2", client, "a10161", "1002"},
    {"5.2", "reserved bit 3", client, "910161", "1002"},
    {"5.2", "all reserved bits of a ping", client, "f900", "1002"},
    {"5.2", "opcode 3", client, "830161", "1002"},
    {"5.2", "opcode 7", client, "8700", "1002"},
    {"5.2", "opcode 11", client, "8b00", "1002"},
    {"5.2", "opcode 15, not the last", client, "0f00", "1002"},
    {"5.2", "5 in two bytes", client, "827e0005 4142434445", "1002"},
    {"5.2", "125 in two bytes", client, "827e007d", "1002"},
    {"5.2", "0 in two bytes", client, "827e0000", "1002"},
    {"5.2", "65535 in eight bytes", client, "827f000000000000ffff", "1002"},
    {"5.2", "a size with its top bit", client, "827f8000000000000000", "1002"},
    {"5.1", "a client's frame without a mask", server, "8105 48656c6c6f", "1002"},
    {"5.1", "a client's ping without a mask", server, "8900", "1002"},
    {"5.1", "a server's frame with a mask", client, "8185 37fa213d 7f9f4d5158", "1002"},
    {"5.5", "a ping in fragments", client, "0900", "1002"},
    {"5.5", "a close in fragments", client, "080203e8", "1002"},
    {"5.5", "a ping of 126 bytes", client, "897e007e", "1002"},
    {"5.5", "a pong that says it is longer", client, "8a7f", "1002"},
    {"5.5.1", "close without a code", client, "8800", "close 1005;"},
    {"5.5.1", "close 1000", client, "880203e8", "close 1000;"},
    {"5.5.1", "close with a reason", client, "8805 03e9 627965", "close 1001 bye;"},
    {"5.5.1", "a masked close", server, "8882 00000000 03e8", "close 1000;"},
    {"5.5.1", "what follows a close is passed over", client, "8800 8101 61 ff", "close 1005;"},
    {"5.5.1", "half a code", client, "880103", "1002"},
    {"5.5.1", "a reason that is no UTF-8", client, "8803 03e8 ff", "1007"},
    {"5.5.1", "a reason cut in a character", client, "8804 03e8 e282", "1007"},
    {"5.5.2", "an empty ping", client, "8900", "ping ;"},
    {"5.5.3", "an unasked pong", client, "8a0178", "pong x;"},
    {"7.4", "code 0", client, "88020000", "1002"},
    {"7.4", "code 999", client, "880203e7", "1002"},
    {"7.4", "code 1003", client, "880203eb", "close 1003;"},
    {"7.4", "code 1004", client, "880203ec", "1002"},
    {"7.4.1", "code 1005", client, "880203ed", "1002"},
    {"7.4.1", "code 1006", client, "880203ee", "1002"},
    {"7.4", "code 1007", client, "880203ef", "close 1007;"},
    {"7.4", "code 1014", client, "880203f6", "close 1014;"},
    {"7.4.1", "code 1015", client, "880203f7", "1002"},
    {"7.4.2", "code 1016", client, "880203f8", "1002"},
    {"7.4.2", "code 2999", client, "88020bb7", "1002"},
    {"7.4.2", "code 3000", client, "88020bb8", "close 3000;"},
    {"7.4.2", "code 4999", client, "88021387", "close 4999;"},
    {"7.4.2", "code 5000", client, "88021388", "1002"},
    {"8.1", "a text of four bytes a character", client, "8104 f09f8d8e", "text \xf0\x9f\x8d\x8e;"},
    {"8.1", "a character over three frames", client, "0101e2 000182 8001ac", "text \xe2\x82\xac;"},
    {"8.1", "a text that ends in a character", client, "8102 e282", "1007"},
    {"8.1", "a fragment that cannot go on", client, "0102 e228", "1007"},
    {"8.1", "a byte that begins nothing", client, "8101 80", "1007"},
    {"8.1", "a longer form than need be", client, "8102 c0af", "1007"},
    {"8.1", "a longer form of three", client, "8103 e09f80", "1007"},
    {"8.1", "a surrogate", client, "8103 eda080", "1007"},
    {"8.1", "beyond U+10FFFF", client, "8104 f4908080", "1007"},
    {"8.1", "a byte 0xff in binary", client, "8201 ff", "binary \xff;"},
};

std::string expected(const Case& one) {
  return one.seen == std::string_view("NUL") ? std::string("binary \0\xff\x41;", 11) : one.seen;
}

TEST(WebSocketFrames, are_judged_as_rfc_6455_has_it_however_they_are_cut) {
  for (const Case& one : cases) {
    const std::string bytes = from_hex(one.hex);
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
      EXPECT_EQ(seen_by(WebSocketReader(one.side), bytes, piece), expected(one))
          << one.section << " " << one.what << ", in pieces of " << piece;
    }
  }
}

TEST(WebSocketFrames, a_fault_is_refused_before_its_frame_is_whole) {
  for (const char* hex : {"83", "a1", "80", "09", "8180", "897e", "8a7f", "827e0005"}) {
    EXPECT_EQ(seen_by(WebSocketReader(client), from_hex(hex), 1), "1002") << hex;
  }
  EXPECT_EQ(seen_by(WebSocketReader(client), from_hex("8105 61ff"), 1), "1007");
}

std::string written(WebSocketWriter& writer, WebSocketType type, std::string_view text) {
  std::string out;
  const Status status = writer.message(type, {&text, 1}, out);
  EXPECT_TRUE(status.is_ok()) << status;
  return out;
}

TEST(WebSocketFrames, what_is_written_is_read_in_every_size_on_both_sides) {
  for (const Side side : {client, server}) {
    WebSocketWriter writer(side);
    for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65'535U, 65'536U, 70'001U}) {
      std::string text(size, 'x');
      for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
      const std::string bytes = written(writer, WebSocketType::text, text);
      const std::size_t head = size <= 125 ? 2 : size <= 0xffff ? 4 : 10;
      EXPECT_EQ(bytes.size(), head + size + (side == client ? 4 : 0));
      for (const std::size_t piece : {1U, 1000U, 1U << 20U}) {
        WebSocketReader reader(side == client ? server : client);
        EXPECT_EQ(seen_by(std::move(reader), bytes, piece), "text " + text + ";");
      }
    }
  }
}

TEST(WebSocketFrames, each_of_a_client_has_a_mask_of_its_own) {
  WebSocketWriter writer(client);
  const std::string first = written(writer, WebSocketType::text, "the same");
  EXPECT_NE(first, written(writer, WebSocketType::text, "the same"));
  EXPECT_EQ(first.find("the same"), std::string::npos);
  WebSocketWriter known(client, std::nullopt, {.mask_key = [] { return 0x3d21fa37U; }});
  EXPECT_EQ(to_hex(written(known, WebSocketType::text, "Hello")), "818537fa213d7f9f4d5158");
}

TEST(WebSocketFrames, masks_are_the_same_wherever_a_piece_begins) {
  const std::array<char, 4> key{1, 2, 3, 4};
  for (std::uint64_t at = 0; at < 9; ++at) {
    for (std::size_t size = 0; size < 40; ++size) {
      std::string fast(size, 'q');
      impl::mask(fast, key, at);
      for (std::size_t i = 0; i < size; ++i) {
        ASSERT_EQ(fast[i], static_cast<char>('q' ^ key[(at + i) % 4])) << at << " " << size;
      }
    }
  }
}

TEST(WebSocketFrames, fragment_bytes_says_in_what_frames_a_message_leaves) {
  WebSocketWriter whole(server);
  EXPECT_EQ(to_hex(written(whole, WebSocketType::text, "abcde")), "81056162636465");
  WebSocketWriter pieces(server, std::nullopt, {.fragment_bytes = 2});
  EXPECT_EQ(to_hex(written(pieces, WebSocketType::text, "abcde")),
            "010261620002636480"
            "0165");
  EXPECT_EQ(to_hex(written(pieces, WebSocketType::text, "")), "8100");
  EXPECT_FALSE(pieces.goes_as_it_is(3));
  EXPECT_TRUE(pieces.goes_as_it_is(2));
  EXPECT_FALSE(WebSocketWriter(client).goes_as_it_is(2));
}

TEST(WebSocketFrames, a_writer_sends_nothing_that_a_reader_would_refuse) {
  WebSocketWriter writer(server);
  std::string out;
  const std::string_view halves[] = {"\xe2", "\x82\xac"};
  EXPECT_TRUE(writer.message(WebSocketType::text, halves, out).is_ok());
  out.clear();
  for (const std::string_view bad : {"\xff", "a\xc0\xaf", "\xe2\x82"}) {
    EXPECT_EQ(writer.message(WebSocketType::text, {&bad, 1}, out).code(), Code::data_loss);
  }
  EXPECT_EQ(writer.ping(std::string(126, 'x'), out).code(), Code::invalid_argument);
  EXPECT_EQ(writer.pong(std::string(126, 'x'), out).code(), Code::invalid_argument);
  for (const int code : {0, 999, 1004, 1006, 1015, 2999, 5000}) {
    EXPECT_EQ(writer.close(static_cast<std::uint16_t>(code), "", out).code(),
              Code::invalid_argument)
        << code;
  }
  EXPECT_EQ(writer.close(1005, "why", out).code(), Code::invalid_argument);
  EXPECT_EQ(writer.close(1000, std::string(124, 'x'), out).code(), Code::invalid_argument);
  EXPECT_EQ(writer.close(1000, "\xff", out).code(), Code::invalid_argument);
  EXPECT_EQ(out, "");
  EXPECT_TRUE(writer.close(1005, "", out).is_ok());
  EXPECT_EQ(to_hex(out), "8800");
}

TEST(WebSocketLimits, end_a_message_before_it_takes_memory) {
  const WebSocketLimits limits{.max_message = 10, .max_frame = 8, .max_fragments = 3};
  const auto seen = [&](std::string_view hex) {
    return seen_by(WebSocketReader(client, limits), from_hex(hex), 100);
  };
  EXPECT_EQ(seen("8208 6162636465666768"), "binary abcdefgh;");
  EXPECT_EQ(seen("8209"), "1009");
  EXPECT_EQ(seen("0208 6162636465666768 8002 696a"), "binary abcdefghij;");
  EXPECT_EQ(seen("0208 6162636465666768 8003"), "1009");
  EXPECT_EQ(seen("0200 0000 8000"), "binary ;");
  EXPECT_EQ(seen("0200 0000 0000 8000"), "1008");
  EXPECT_EQ(seen("827f7fffffffffffffff"), "1009");
}

TEST(WebSocketLimits, pings_and_pongs_are_counted_by_the_second) {
  WebSocketReader reader(client, {.max_controls_per_second = 3});
  const auto read = [&](Instant now) {
    const std::string ping = from_hex("8900");
    std::string_view in = ping;
    return reader.next(in, now).error();
  };
  Instant now{};
  for (int second = 0; second < 5; ++second, now += 1s) {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(read(now).is_ok());
  }
  now -= 1s;
  const Status status = read(now + 999ms);
  EXPECT_EQ(status.code(), Code::resource_exhausted);
  EXPECT_EQ(reader.answer(), 1008);
  EXPECT_NE(status.message().find("max_controls_per_second (3)"), std::string::npos) << status;
  EXPECT_EQ(read(now + 10s).code(), Code::resource_exhausted);
}

TEST(WebSocketLimits, a_bomb_ends_at_max_message) {
  WebSocketWriter writer(server, DeflateAgreement{});
  const std::string bomb = written(writer, WebSocketType::binary, std::string(1 << 20, '\0'));
  EXPECT_LT(bomb.size(), 5000U);
  WebSocketReader reader(client, {.max_message = 1000}, DeflateAgreement{});
  EXPECT_EQ(seen_by(std::move(reader), bomb, 100), "1009");
}

struct DeflateCase {
  const char* section;
  const char* what;
  const char* hex;
  const char* seen;
};

const DeflateCase deflate_cases[] = {
    {"7.2.3.1", "a message", "c107 f248cdc9c90700", "text Hello;"},
    {"7.2.3.1", "a message in two frames", "4103 f248cd 8004 c9c90700", "text Hello;"},
    {"7.2.3.1", "a ping between them", "4103 f248cd 8900 8004 c9c90700", "ping ;text Hello;"},
    {"7.2.3.2", "the window is kept", "c107 f248cdc9c90700 c105 f200110000",
     "text Hello;text Hello;"},
    {"7.2.3.3", "a block without compression", "c10b 000500faff48656c6c6f00", "text Hello;"},
    {"7.2.3.4", "a final block", "c108 f348cdc9c9070000", "text Hello;"},
    {"7.2.3.4", "and the window is kept behind it", "c108 f348cdc9c9070000 c105 f200110000",
     "text Hello;text Hello;"},
    {"7.2.3.5", "two blocks", "c10d f248050000 00ffff cac9c90700", "text Hello;"},
    {"7.2.3.6", "an empty message", "c10100", "text ;"},
    {"6", "one that is not compressed", "8105 48656c6c6f", "text Hello;"},
    {"6", "a bit behind the first frame", "4103 f248cd c004 c9c90700", "1002"},
    {"6", "a compressed ping", "c900", "1002"},
    {"6.2", "nothing at all", "c100", "1007"},
    {"6.2", "it ends within a block", "c103 f248cd", "1007"},
    {"6.2", "a final block without the byte behind it", "c107 f348cdc9c90700", "1007"},
    {"6.2", "a block of a kind that is none", "c10107", "1007"},
    {"8.1", "a text that is no UTF-8", "c107 000100feffff00", "1007"},
};

TEST(WebSocketDeflate, messages_are_judged_as_rfc_7692_has_it_however_they_are_cut) {
  for (const DeflateCase& one : deflate_cases) {
    const std::string bytes = from_hex(one.hex);
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
      WebSocketReader reader(client, {}, DeflateAgreement{});
      EXPECT_EQ(seen_by(std::move(reader), bytes, piece), one.seen)
          << one.section << " " << one.what << ", in pieces of " << piece;
    }
  }
}

const char* const tea = R"({"symbol":"TEA","price":1250,"currency":"EUR","market":"Assam"})";

TEST(WebSocketDeflate, a_kept_window_makes_repetition_small_and_a_forgotten_one_does_not) {
  for (const bool forgets : {false, true}) {
    const DeflateAgreement agreed{.server_no_context_takeover = forgets, .min_bytes = 0};
    WebSocketWriter writer(server, agreed);
    const std::string first = written(writer, WebSocketType::text, tea);
    const std::string second = written(writer, WebSocketType::text, tea);
    EXPECT_EQ(second == first, forgets);
    if (!forgets) EXPECT_LT(second.size(), 20U);
    WebSocketReader reader(client, {}, agreed);
    EXPECT_EQ(seen_by(std::move(reader), first + second, 7),
              "text " + std::string(tea) + ";text " + tea + ";");
  }
}

TEST(WebSocketDeflate, min_bytes_says_what_is_worth_compressing) {
  WebSocketWriter writer(server, DeflateAgreement{.min_bytes = 5});
  EXPECT_EQ(to_hex(written(writer, WebSocketType::text, "Hell")), "810448656c6c");
  EXPECT_TRUE(writer.goes_as_it_is(4));
  EXPECT_FALSE(writer.goes_as_it_is(5));
  EXPECT_EQ(to_hex(written(writer, WebSocketType::text, "Hello")), "c107f248cdc9c90700");
}

TEST(WebSocketDeflate, what_would_grow_goes_as_it_is_where_nothing_is_remembered) {
  const DeflateAgreement agreed{.server_no_context_takeover = true, .min_bytes = 0};
  WebSocketWriter writer(server, agreed);
  EXPECT_EQ(to_hex(written(writer, WebSocketType::text, "Hello")), "810548656c6c6f");
}

TEST(WebSocketDeflate, a_side_that_may_look_back_256_bytes_compresses_nothing) {
  WebSocketWriter none(server, DeflateAgreement{.server_max_window_bits = 8, .min_bytes = 0});
  EXPECT_EQ(written(none, WebSocketType::text, tea)[0], '\x81');
  WebSocketWriter some(server, DeflateAgreement{.server_max_window_bits = 9, .min_bytes = 0});
  EXPECT_EQ(written(some, WebSocketType::text, tea)[0], '\xc1');
}

TEST(WebSocketDeflate, compressed_fragments_of_a_client_come_back) {
  const DeflateAgreement agreed{.client_max_window_bits = 10, .min_bytes = 0};
  WebSocketWriter writer(client, agreed, {.fragment_bytes = 7});
  std::string text;
  for (int i = 0; i < 500; ++i) text += "line " + std::to_string(i * i) + "\n";
  const std::string sent = written(writer, WebSocketType::text, text);
  EXPECT_EQ(seen_by(WebSocketReader(server, {}, agreed), sent, 11), "text " + text + ";");
}

}  // namespace
}  // namespace parley::http
