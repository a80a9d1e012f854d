// What every framing promises, whatever its bytes.
#include "parley/wire/framing.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "parley/base/testing/allocations.h"
#include "parley/wire/json_framing.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/pb_framing.h"
#include "parley/wire/raw_framing.h"

namespace parley::wire {
namespace {

using parley::testing::allocations;

class EachFraming : public ::testing::TestWithParam<const Framing*> {
 protected:
  std::unique_ptr<Encoder> encoder_ = GetParam()->make_encoder();
};

Message answer_of(std::int32_t seq, std::string_view body) {
  return {.seq = seq,
          .type = MessageType::reply,
          .body_codec = BodyCodec::json,
          .body = Bytes::copy_of(body)};
}

TEST_P(EachFraming, an_answer_is_written_as_any_reply_with_that_body_is) {
  for (const std::int32_t seq : {1, 127, 128, 1295, std::numeric_limits<std::int32_t>::max()}) {
    for (const std::size_t size : {0, 1, 127, 128, 16'000}) {
      const std::string body(size, 'x');
      std::string expected = "before";
      ASSERT_TRUE(encoder_->encode(answer_of(seq, body), expected).is_ok());
      std::string out = "before";
      ASSERT_TRUE(encoder_->encode_answer(seq, BodyCodec::json, body, out).is_ok());
      EXPECT_EQ(out, expected) << seq << " " << size;
    }
  }
}

TEST_P(EachFraming, an_answer_takes_no_memory_where_there_is_room) {
  std::string out;
  out.reserve(1'000);
  const std::size_t before = allocations().count;
  ASSERT_TRUE(encoder_->encode_answer(7, BodyCodec::json, "[1,2,3]", out).is_ok());
  EXPECT_EQ(allocations().count, before);
}

TEST_P(EachFraming, an_answer_beyond_what_a_frame_takes_leaves_everything_as_it_was) {
  std::string out = "before";
  const std::string body(20 << 20, 'x');
  const Status status = encoder_->encode_answer(7, BodyCodec::json, body, out);
  EXPECT_EQ(status.code(), Code::resource_exhausted) << status;
  EXPECT_EQ(out, "before");
}

const ParleyFraming parley_framing;
const RawFraming raw_framing;
const JsonFraming json_framing;
const PbFraming pb_framing;

INSTANTIATE_TEST_SUITE_P(Of, EachFraming,
                         ::testing::Values(&parley_framing, &raw_framing, &json_framing,
                                           &pb_framing),
                         [](const auto& each) { return std::string(each.param->name()); });

}  // namespace
}  // namespace parley::wire
