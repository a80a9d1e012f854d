// Exchanges messages with parley_reference.py, which was written from the document and shares no
// code.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "parley/wire/parley_framing.h"
#include "parley/wire/testing/random_message.h"
#include "parley/wire/testing/reference.h"

namespace parley::wire {
namespace {

using testing::hex_or_dash;
using testing::metadata_or_dash;

constexpr int message_count = 500;
const ParleyLimits least{.takes = {}};

std::string kind_of(MessageType type) {
  std::string name(name_of(type));
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

// The line parley_reference.py writes for the same message.
std::string line_of(const Message& message) {
  const std::string timeout =
      message.timeout ? std::to_string(message.timeout->count() / 1000) : "-";
  return kind_of(message.type) + " " + std::to_string(message.seq) + " " +
         (message.own ? "1 " : "0 ") + hex_or_dash(message.method) + " " + timeout + " " +
         std::to_string(static_cast<int>(message.status.code())) + " " +
         std::to_string(message.status.business_code()) + " " +
         hex_or_dash(message.status.message()) + " " + hex_or_dash(message.status.cause()) + " " +
         std::to_string(static_cast<unsigned char>(message.body_codec)) + " " +
         hex_or_dash(message.filters.ids()) + " " + std::to_string(message.value) + " " +
         metadata_or_dash(message.metadata) + " " + hex_or_dash(message.body.to_string()) + "\n";
}

class ParleyReference : public testing::Reference {
 protected:
  ParleyReference() : Reference("parley_reference.py") {}
};

TEST_F(ParleyReference, reads_and_writes_what_we_write) {
  testing::Random random(43);
  ParleyEncoder encoder(least);
  std::string stream;
  encoder.start(stream);
  std::string lines;
  for (int i = 0; i < message_count; ++i) {
    const Message message = testing::random_parley_message(random);
    ASSERT_TRUE(encoder.encode(message, stream).is_ok());
    lines += line_of(message);
  }
  witness_.write("stream", stream);
  run("decode " + witness_.path("stream") + " " + witness_.path("lines"));
  EXPECT_TRUE(witness_.read("lines") == lines)
      << "the reference reads other messages than we wrote";
  run("encode " + witness_.path("lines") + " " + witness_.path("stream-back"));
  EXPECT_TRUE(witness_.read("stream-back") == stream)
      << "the reference writes other bytes than we did";
}

TEST_F(ParleyReference, is_read_by_us_whatever_freedom_it_takes) {
  for (int seed = 1; seed <= 3; ++seed) {
    run("generate " + std::to_string(seed) + " " + std::to_string(message_count) + " " +
        witness_.path("stream") + " " + witness_.path("lines"));
    ParleyDecoder decoder(least);
    decoder.feed(witness_.read("stream"));
    std::string lines;
    for (;;) {
      auto next = decoder.next();
      ASSERT_TRUE(next) << next.error();
      if (!*next) break;
      if ((*next)->type != MessageType::hello) lines += line_of(**next);
    }
    EXPECT_EQ(decoder.buffered(), 0u);
    EXPECT_EQ(decoder.unfinished(), 0u);
    EXPECT_TRUE(lines == witness_.read("lines"))
        << "we read other messages than the reference wrote";
  }
}

}  // namespace
}  // namespace parley::wire
