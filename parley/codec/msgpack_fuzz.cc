// Feeds arbitrary bytes to every MessagePack reader. What must hold, whatever they are:
// * a value comes only from a message that is well formed;
// * what was decoded can be encoded, and decodes to the same again, also over a used object;
// * skipping and keeping a value accept what validation accepts, and kept bytes stay as they are;
// * keys of maps keep their kind.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/codec/msgpack.h"
#include "parley/codec/testing/sample.h"

namespace {

using namespace parley;
using codec::testing::Sample;

constexpr codec::Limits limits{
    .max_depth = 12, .max_bytes = 8192, .max_elements = 100, .max_string_bytes = 200};

struct Nothing {};
struct Keeping {
  codec::UnknownFields others;
};

void check_untyped(std::string_view bytes) {
  const Status verdict = codec::validate_msgpack(bytes, limits);
  if (!verdict.is_ok()) return;
  codec::Limits deeper = limits;
  ++deeper.max_depth;
  deeper.max_bytes += 100;
  const std::string object = "\x81\xa5value" + std::string(bytes);
  PARLEY_ASSERT(codec::decode_msgpack<Nothing>(object, deeper), "skipping refused what is valid");
  const auto kept = codec::decode_msgpack<Keeping>(object, deeper);
  PARLEY_ASSERT(kept, "keeping refused what is valid");
  PARLEY_ASSERT(codec::encode_msgpack(*kept).value() == object, "kept bytes changed");
}

// Floating-point numbers may be NaN here, so bytes are compared, not values.
template <class T>
void check_typed(std::string_view bytes) {
  const auto first = codec::decode_msgpack<T>(bytes, limits);
  if (!first) return;
  PARLEY_ASSERT(codec::validate_msgpack(bytes, limits).is_ok(), "a value from no message");
  const auto written = codec::encode_msgpack(*first);
  PARLEY_ASSERT(written, "what was decoded cannot be encoded");
  const codec::MsgpackOptions strict{.refuse_unknown_fields = true, .require_all_fields = true};
  const auto second = codec::decode_msgpack<T>(*written, {}, strict);
  PARLEY_ASSERT(second, "our own message was refused");
  PARLEY_ASSERT(codec::encode_msgpack(*second).value().size() == written->size(),
                "a value changed on its way out and in");
}

void check_reuse(std::string_view bytes) {
  Sample used = codec::testing::Dice(bytes.size()).sample();
  Sample fresh;
  const bool is_read = codec::decode_msgpack_into(bytes, used, limits).is_ok();
  PARLEY_ASSERT(is_read == codec::decode_msgpack_into(bytes, fresh, limits).is_ok(),
                "a used object changed the verdict");
  if (!is_read) return;
  // Unordered maps may differ in their order.
  used.series.clear();
  fresh.series.clear();
  PARLEY_ASSERT(codec::encode_msgpack(used).value() == codec::encode_msgpack(fresh).value(),
                "something of the old content was left");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_untyped(bytes);
  check_typed<Sample>(bytes);
  check_typed<std::map<std::int64_t, std::vector<double>>>(bytes);
  check_typed<std::map<std::string, float>>(bytes);
  check_reuse(bytes);
  return 0;
}
