// Feeds arbitrary bytes to the protobuf reader. What must hold, whatever the bytes:
// * what was decoded can be encoded, and decodes to the same again, also over a used object;
// * what was encoded has no field that the type does not know, and encodes to the same bytes again;
// * fields that are kept because nobody knows them come back;
// * JSON that was made of it can be read.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/assert.h"
#include "parley/codec/json.h"
#include "parley/codec/message_types.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/testing/sample.h"
#include "parley/codec/well_known.h"

namespace {

using namespace parley;
using codec::testing::Sample;

constexpr codec::Limits limits{
    .max_depth = 12, .max_bytes = 8192, .max_elements = 100, .max_string_bytes = 200};

struct Keeping {
  codec::UnknownFields others;
};

void check_typed(std::string_view bytes) {
  const auto first = codec::decode_protobuf<Sample>(bytes, limits);
  if (!first) return;
  const auto written = codec::encode_protobuf(*first);
  PARLEY_ASSERT(written, "what was decoded cannot be encoded");
  const codec::ProtobufOptions strict{.refuse_unknown_fields = true};
  const auto second = codec::decode_protobuf<Sample>(*written, {}, strict);
  PARLEY_ASSERT(second, "what was encoded cannot be decoded");
  // By their bytes: a NaN does not equal itself.
  PARLEY_ASSERT(codec::encode_protobuf(*second).value().size() == written->size(),
                "a value changed on its way out and in");

  Sample used = codec::testing::Dice(bytes.size()).sample();
  PARLEY_ASSERT(codec::decode_protobuf_into(bytes, used, limits).is_ok(),
                "a used object made a difference");
  PARLEY_ASSERT(codec::encode_protobuf(used).value().size() == written->size(),
                "something of the old content was left");
}

void check_unknown(std::string_view bytes) {
  const auto keeping = codec::decode_protobuf<Keeping>(bytes, limits);
  if (!keeping) return;
  PARLEY_ASSERT(keeping->others.protobuf == bytes, "unknown fields were lost");
  PARLEY_ASSERT(codec::encode_protobuf(*keeping).value() == bytes,
                "unknown fields were not written back");
}

// Protobuf's own messages in its JSON: what that can say can be read again.
struct Known {
  std::optional<well_known::Timestamp> at;
  std::optional<well_known::Duration> span;
  std::vector<well_known::Value> values;
  well_known::FieldMask mask;
  well_known::Any any;
};

void check_known(std::string_view bytes) {
  const auto known = codec::decode_protobuf<Known>(bytes, limits);
  if (!known) return;
  codec::MessageTypes types;
  types.add<Known>("k");
  const codec::JsonOptions mapped{.protobuf_mapping = true, .message_types = &types};
  const auto text = codec::encode_json(*known, {}, mapped);
  if (!text) return;
  PARLEY_ASSERT(codec::decode_json<Known>(*text, {}, mapped), "our own JSON is refused");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_typed(bytes);
  check_unknown(bytes);
  check_known(bytes);
  return 0;
}
