// Fuzzes the telling apart of protocols: with all of them in some order, which the first byte
// chooses, the rest being what a connection begins with. However it is cut, what it is taken for is
// the first of those whose opening it has, and it takes no more than max_detect_bytes to say so.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/assert.h"
#include "parley/door/detect.h"
#include "parley/wire/json_framing.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/pb_framing.h"
#include "parley/wire/raw_framing.h"

namespace {

using namespace parley;
using namespace parley::door;
using wire::Match;

Detector make(unsigned turn) {
  std::vector<Candidate> all = {
      {std::string(tls_name), tls_opening()},
      {std::string(http2_name), http2_opening()},
      {std::string(http1_name), http1_opening()},
      {"parley", *opening_of(wire::ParleyFraming())},
      {"raw", *opening_of(wire::RawFraming({.max_frame_bytes = 0xFFFFFFFF}))},
      {"json", *opening_of(wire::JsonFraming())},
      {"pb", *opening_of(wire::PbFraming())}};
  std::rotate(all.begin(), all.begin() + turn % all.size(), all.end());
  DetectOptions options{.order = {}};
  for (const Candidate& each : all) options.order.push_back(each.name);
  auto made = Detector::make(std::move(all), std::move(options));
  PARLEY_ASSERT(made, made.error().to_string());
  return *std::move(made);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Detector> detectors = {make(0), make(1), make(2), make(3),
                                                  make(4), make(5), make(6)};
  if (size == 0) return 0;
  const Detector& detector = detectors[data[0] % detectors.size()];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Detector::Verdict decided;
  for (std::size_t have = 0; have <= std::min<std::size_t>(bytes.size(), 80); ++have) {
    const Detector::Verdict now = detector.look(bytes.substr(0, have));
    if (decided.match != Match::needs_more) {
      PARLEY_ASSERT(now.match == decided.match && now.index == decided.index,
                    "further bytes changed what was decided");
    }
    decided = now;
    PARLEY_ASSERT(have < detector.options().max_detect_bytes || now.match != Match::needs_more,
                  "it was not decided in max_detect_bytes");
  }
  for (std::size_t i = 0; i < detector.candidates().size(); ++i) {
    if (match(detector.candidates()[i].opening, bytes) != Match::yes) continue;
    PARLEY_ASSERT(decided.match != Match::no, "what one protocol begins with was refused");
    PARLEY_ASSERT(decided.match != Match::yes || decided.index <= i, "the order was not kept");
  }
  return 0;
}
