// Exchanges messages with erpc_reference.py, which was written from the documents and shares no
// code.
#include <gtest/gtest.h>

#include <string>

#include "parley/wire/json_framing.h"
#include "parley/wire/pb_framing.h"
#include "parley/wire/testing/random_message.h"
#include "parley/wire/testing/reference.h"

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

}  // namespace
}  // namespace parley::wire
