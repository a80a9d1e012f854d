// Feeds arbitrary text to the XML reader. What must hold, whatever the text:
// * what is read is well-formed, and what was found well-formed is read into an empty struct;
// * what was read and can be written is read again as the same;
// * a used object keeps nothing of what it held;
// * what UnknownFields keeps is written and kept again as the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/codec/json.h"
#include "parley/codec/testing/sample.h"
#include "parley/codec/xml/xml.h"

namespace {

using namespace parley;
using codec::testing::Sample;

struct Nothing {};
struct Keeping {
  codec::UnknownFields others;
};

constexpr codec::Limits small = {
    .max_depth = 12, .max_bytes = 8192, .max_elements = 100, .max_string_bytes = 200};

void check_sample(std::string_view text) {
  const auto first = codec::decode_xml<Sample>(text, small);
  if (!first) {
    PARLEY_ASSERT(!first.error().message().empty(), "an error without a message");
    return;
  }
  PARLEY_ASSERT(codec::validate_xml(text, small).is_ok(), "read what is not well-formed");
  Sample used = codec::testing::Dice(text.size()).sample();
  PARLEY_ASSERT(codec::decode_xml_into(text, used, small).is_ok(), "read only once");
  const auto written = codec::encode_xml(*first);
  PARLEY_ASSERT(written, "what was read cannot be written");
  const auto second = codec::decode_xml<Sample>(*written);
  PARLEY_ASSERT(second, "what was written is not read");
  // NaN is not itself: what JSON can say is compared.
  if (!codec::encode_json(*first)) return;
  PARLEY_ASSERT(used == *first, "something old is left");
  PARLEY_ASSERT(*second == *first, "it came back changed");
}

void check_unknown(std::string_view text) {
  const auto first = codec::decode_xml<Keeping>(text, small);
  if (!first) return;
  const auto written = codec::encode_xml(*first);
  PARLEY_ASSERT(written, "what was kept cannot be written");
  const auto second = codec::decode_xml<Keeping>(*written);
  PARLEY_ASSERT(second && second->others == first->others, "what was kept came back changed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_sample(text);
  check_unknown(text);
  if (codec::validate_xml(text, small).is_ok()) {
    const auto nothing = codec::decode_xml<Nothing>(text, small);
    PARLEY_ASSERT(nothing || nothing.error().code() == Code::invalid_argument, "hit another limit");
  }
  return 0;
}
