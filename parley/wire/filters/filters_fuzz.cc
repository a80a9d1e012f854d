// Fuzzes the filters. The first byte says which one and where the rest is cut into two pieces; then
//  - undoing arbitrary bytes never makes more than the limit, and does not depend on the cut;
//  - what was undone is the same when it went through the filter once more, both ways;
//  - the bytes themselves come back from the filter unchanged.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/wire/filters/standard.h"

namespace {

using parley::Bytes;
using parley::Result;
using parley::wire::Filter;
using parley::wire::FilterLimit;

const FilterLimit limit{.bytes = 100'000, .name = "limit"};

Bytes in_two(std::string_view bytes, std::size_t cut) {
  Bytes whole = Bytes::copy_of(bytes.substr(0, cut));
  whole.append(Bytes::copy_of(bytes.substr(cut)));
  return whole;
}

void check_round_trip(const Filter& filter, const Bytes& content) {
  const Result<Bytes> applied = filter.apply(content);
  PARLEY_ASSERT(applied, "a filter refuses some content");
  const Result<Bytes> undone = filter.undo(*applied, limit);
  PARLEY_ASSERT(undone, "a filter cannot undo what it did: " + undone.error().to_string());
  PARLEY_ASSERT(*undone == content, "a filter changed the content");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // Thresholds of 200: the content is stored as often as it is compressed.
  static const auto filters =
      parley::wire::standard_filters({.min_bytes = 200}, {.level = 1, .min_bytes = 200});
  constexpr std::string_view ids = "gzmc";
  const Filter& filter = *filters->find(ids[data[0] % ids.size()]);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = bytes.size() * (data[0] / ids.size()) / 64;
  const Result<Bytes> undone = filter.undo(Bytes::copy_of(bytes), limit);
  const Result<Bytes> undone_in_two = filter.undo(in_two(bytes, cut), limit);
  PARLEY_ASSERT(undone.has_value() == undone_in_two.has_value(), "a cut makes a difference");
  if (undone) {
    PARLEY_ASSERT(undone->size() <= limit.bytes, "more than the limit");
    PARLEY_ASSERT(*undone == *undone_in_two, "a cut changes the content");
    check_round_trip(filter, *undone);
  }
  check_round_trip(filter, in_two(bytes, cut));
  return 0;
}
