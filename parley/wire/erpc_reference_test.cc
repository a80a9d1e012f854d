// Exchanges messages with erpc_reference.py, which was written from the documents and shares no
// code.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "parley/wire/json_framing.h"
#include "parley/wire/pb_framing.h"
#include "parley/wire/testing/erpc_cases.h"
#include "parley/wire/testing/random_message.h"
#include "parley/wire/testing/reference.h"
#include "parley/wire/ws_payload.h"

namespace parley::wire {
namespace {

constexpr int message_count = 500;

class ErpcReference : public testing::Reference {
 protected:
  ErpcReference() : Reference("erpc_reference.py") {}

  void exchange(const std::string& format, Encoder& encoder) {
    testing::Random random(81);
    std::string frames;
    std::string lines;
    for (int i = 0; i < message_count; ++i) {
      const Message message = testing::random_message(random);
      ASSERT_TRUE(encoder.encode(message, frames).is_ok());
      lines += testing::line_of(message);
    }
    witness_.write("frames", frames);
    run(format + " decode " + witness_.path("frames") + " " + witness_.path("lines"));
    EXPECT_TRUE(witness_.read("lines") == lines)
        << "the reference reads other messages than we wrote";
    run(format + " encode " + witness_.path("lines") + " " + witness_.path("frames-back"));
    EXPECT_TRUE(witness_.read("frames-back") == frames)
        << "the reference writes other bytes than we did";
  }

  template <typename DecoderType>
  void read_random(const std::string& format) {
    for (int seed = 1; seed <= 3; ++seed) {
      run(format + " generate " + std::to_string(seed) + " " + std::to_string(message_count) + " " +
          witness_.path("frames") + " " + witness_.path("lines"));
      DecoderType decoder;
      decoder.feed(witness_.read("frames"));
      std::string lines;
      for (int i = 0; i < message_count; ++i) {
        auto next = decoder.next();
        ASSERT_TRUE(next && next->has_value()) << next.error() << " at message " << i;
        lines += testing::line_of(**next);
      }
      EXPECT_EQ(decoder.buffered(), 0U);
      EXPECT_TRUE(lines == witness_.read("lines"))
          << "we read other messages than the reference wrote";
    }
  }
};

TEST_F(ErpcReference, reads_and_writes_the_json_that_we_write) {
  JsonEncoder encoder;
  exchange("json", encoder);
}

TEST_F(ErpcReference, is_read_by_us_whatever_freedom_its_json_takes) {
  read_random<JsonDecoder>("json");
}

TEST_F(ErpcReference, is_read_by_us_when_it_escapes_bodies_as_erpc_does) {
  read_random<JsonDecoder>("oldjson");
}

TEST_F(ErpcReference, reads_and_writes_the_pb_that_we_write) {
  PbEncoder encoder;
  exchange("pb", encoder);
}

TEST_F(ErpcReference, is_read_by_us_whatever_freedom_its_pb_takes) { read_random<PbDecoder>("pb"); }

// The payloads stand in the files as the contents of frames.
class WsReference : public ErpcReference {
 protected:
  void exchange(const std::string& format,
                Status (*encode)(const Message&, std::string&, const ErpcLimits&)) {
    testing::Random random(82);
    std::string frames;
    std::string lines;
    for (int i = 0; i < message_count; ++i) {
      const Message message = testing::random_message(random);
      std::string payload;
      ASSERT_TRUE(encode(message, payload, {}).is_ok());
      frames += testing::erpc_framed(payload);
      lines += testing::line_of(message);
    }
    witness_.write("frames", frames);
    run(format + " decode " + witness_.path("frames") + " " + witness_.path("lines"));
    EXPECT_TRUE(witness_.read("lines") == lines);
    run(format + " encode " + witness_.path("lines") + " " + witness_.path("frames-back"));
    EXPECT_TRUE(witness_.read("frames-back") == frames);
  }

  void read_random(const std::string& format, Result<Message> (*decode)(Bytes, const ErpcLimits&)) {
    run(format + " generate 7 " + std::to_string(message_count) + " " + witness_.path("frames") +
        " " + witness_.path("lines"));
    const std::string frames = witness_.read("frames");
    std::string lines;
    for (std::size_t at = 0; at < frames.size();) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        size = size << 8U | static_cast<unsigned char>(frames[at + i]);
      }
      auto message = decode(Bytes::copy_of(frames.substr(at + 5, size - 1)), {});
      ASSERT_TRUE(message) << message.error();
      lines += testing::line_of(*message);
      at += 4 + size;
    }
    EXPECT_TRUE(lines == witness_.read("lines"));
  }
};

TEST_F(WsReference, reads_and_writes_the_json_that_we_write) { exchange("wsjson", encode_ws_json); }

TEST_F(WsReference, reads_and_writes_the_pb_that_we_write) { exchange("wspb", encode_ws_pb); }

TEST_F(WsReference, is_read_by_us_whatever_freedom_it_takes) {
  read_random("wsjson", decode_ws_json);
  read_random("wspb", decode_ws_pb);
}

}  // namespace
}  // namespace parley::wire
