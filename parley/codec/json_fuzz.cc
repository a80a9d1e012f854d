// Feeds arbitrary text to every JSON reader. What must hold, whatever the text:
// * whoever reads a text without knowing its type (validate, raw Json, skip) gives the same
// verdict;
// * what was decoded can be encoded, and decodes to the same again, also over a used object;
// * indenting keeps a valid text valid, and its meaning;
// * the same of JSON as protobuf maps it, with protobuf's own messages.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/assert.h"
#include "parley/codec/json.h"
#include "parley/codec/message_types.h"
#include "parley/codec/testing/sample.h"
#include "parley/codec/well_known.h"

namespace {

using namespace parley;
using codec::testing::Sample;

constexpr codec::Limits limits{
    .max_depth = 12, .max_bytes = 8192, .max_elements = 100, .max_string_bytes = 200};

struct Nothing {};
struct Wrapped {
  codec::Json value;
};

void check_untyped(std::string_view text) {
  const Status verdict = codec::validate_json(text, limits);
  const auto raw = codec::decode_json<codec::Json>(text, limits);
  PARLEY_ASSERT(raw.has_value() == verdict.is_ok(), "raw Json and validation disagree");
  if (!verdict.is_ok()) {
    PARLEY_ASSERT(raw.error() == verdict, "the same fault was told in two ways");
    return;
  }
  codec::Limits deeper = limits;
  ++deeper.max_depth;
  deeper.max_bytes += 100;
  const std::string object = "{\"value\":" + std::string(text) + "}";
  PARLEY_ASSERT(codec::decode_json<Nothing>(object, deeper), "skipping refused what is valid");
  const auto wrapped = codec::decode_json<Wrapped>(object, deeper);
  PARLEY_ASSERT(wrapped && wrapped->value == *raw, "a raw value changed inside an object");

  const std::string indented = codec::indent_json(text);
  PARLEY_ASSERT(codec::validate_json(indented).is_ok(), "indenting broke a valid text");
  PARLEY_ASSERT(codec::indent_json(indented) == indented, "indenting twice is not indenting once");
}

void check_typed(std::string_view text) {
  const auto first = codec::decode_json<Sample>(text, limits);
  if (!first) return;
  PARLEY_ASSERT(codec::validate_json(text, limits).is_ok(), "a value came from an invalid text");
  const auto written = codec::encode_json(*first);
  PARLEY_ASSERT(written, "what was decoded cannot be encoded");
  const auto second = codec::decode_json<Sample>(*written);
  PARLEY_ASSERT(second && *second == *first, "a value changed on its way out and in");
  auto third = codec::decode_json<Sample>(codec::indent_json(*written));
  PARLEY_ASSERT(third, "an indented value was refused");
  third->anything = first->anything;
  PARLEY_ASSERT(*third == *first, "indenting changed a value");

  // Over an object that is in use already, with the strictest options.
  Sample used = codec::testing::Dice(text.size()).sample();
  PARLEY_ASSERT(codec::decode_json_into(text, used, limits).is_ok() && used == *first,
                "something of the old content was left");
  const codec::JsonOptions strict{.refuse_unknown_fields = true, .require_all_fields = true};
  PARLEY_ASSERT(codec::decode_json<Sample>(*written, {}, strict), "our own text is not complete");
}

// As protobuf maps it, where a number may be NaN, which is not equal to itself.
void check_mapped(std::string_view text) {
  const codec::JsonOptions mapped{.protobuf_mapping = true};
  const auto first = codec::decode_json<Sample>(text, limits, mapped);
  if (!first) return;
  PARLEY_ASSERT(codec::validate_json(text, limits).is_ok(), "a value came from an invalid text");
  const auto written = codec::encode_json(*first, {}, mapped);
  PARLEY_ASSERT(written, "what was decoded cannot be encoded for protobuf");
  Sample used = codec::testing::Dice(text.size()).sample();
  PARLEY_ASSERT(codec::decode_json_into(*written, used, {}, mapped).is_ok(),
                "our own text is refused");
  const bool has_nan = written->find("NaN") != std::string::npos;
  PARLEY_ASSERT(has_nan || used == *first, "a value changed on its way out and in");
}

// Protobuf's own messages, and these in an Any.
struct Known {
  std::optional<well_known::Timestamp> at;
  std::optional<well_known::Duration> span;
  std::optional<well_known::Int64Value> number;
  std::vector<well_known::Value> values;
  well_known::FieldMask mask;
  well_known::Any any;
  friend bool operator==(const Known&, const Known&) = default;
};

void check_known(std::string_view text) {
  codec::MessageTypes types;
  types.add<Known>("k");
  const codec::JsonOptions mapped{.protobuf_mapping = true, .message_types = &types};
  const auto first = codec::decode_json<Known>(text, limits, mapped);
  if (!first) return;
  const auto written = codec::encode_json(*first, {}, mapped);
  PARLEY_ASSERT(written, "what was decoded cannot be encoded");
  const auto second = codec::decode_json<Known>(*written, {}, mapped);
  PARLEY_ASSERT(second && *second == *first, "a value changed on its way out and in");
}

void check_numbers(std::string_view text) {
  if (const auto value = codec::decode_json<double>(text, limits)) {
    PARLEY_ASSERT(codec::decode_json<double>(*codec::encode_json(*value)).value() == *value,
                  "a double changed");
  }
  if (const auto value = codec::decode_json<std::int64_t>(text, limits)) {
    PARLEY_ASSERT(codec::decode_json<std::int64_t>(*codec::encode_json(*value)).value() == *value,
                  "an integer changed");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_untyped(text);
  check_mapped(text);
  check_known(text);
  check_typed(text);
  check_numbers(text);
  return 0;
}
