// Exchanges messages with raw_reference.py, which was written from the document and shares no code.
#include <gtest/gtest.h>

#include <string>

#include "parley/wire/raw_framing.h"
#include "parley/wire/testing/random_message.h"
#include "parley/wire/testing/reference.h"

namespace parley::wire {
namespace {

using testing::line_of;

constexpr int message_count = 500;

class RawReference : public testing::Reference {
 protected:
  RawReference() : Reference("raw_reference.py") {}
};

TEST_F(RawReference, reads_and_writes_what_we_write) {
  testing::Random random(41);
  std::string frames;
  std::string lines;
  for (int i = 0; i < message_count; ++i) {
    const Message message = testing::random_message(random);
    ASSERT_TRUE(RawEncoder().encode(message, frames).is_ok());
    lines += line_of(message);
  }
  witness_.write("frames", frames);
  run("decode " + witness_.path("frames") + " " + witness_.path("lines"));
  EXPECT_TRUE(witness_.read("lines") == lines)
      << "the reference reads other messages than we wrote";
  run("encode " + witness_.path("lines") + " " + witness_.path("frames-back"));
  EXPECT_TRUE(witness_.read("frames-back") == frames)
      << "the reference writes other bytes than we did";
}

TEST_F(RawReference, is_read_by_us_whatever_freedom_it_takes) {
  for (int seed = 1; seed <= 3; ++seed) {
    run("generate " + std::to_string(seed) + " " + std::to_string(message_count) + " " +
        witness_.path("frames") + " " + witness_.path("lines"));
    RawDecoder decoder;
    decoder.feed(witness_.read("frames"));
    std::string lines;
    for (int i = 0; i < message_count; ++i) {
      auto next = decoder.next();
      ASSERT_TRUE(next && next->has_value()) << next.error();
      lines += line_of(**next);
    }
    EXPECT_EQ(decoder.buffered(), 0u);
    EXPECT_TRUE(lines == witness_.read("lines"))
        << "we read other messages than the reference wrote";
  }
}

}  // namespace
}  // namespace parley::wire
