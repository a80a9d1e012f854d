#include "parley/door/detect.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "parley/door/erpc_http.h"
#include "parley/wire/json_framing.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/pb_framing.h"
#include "parley/wire/raw_framing.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using wire::Match;

const wire::ParleyFraming parley_framing;
const wire::RawFraming raw_framing;
const wire::JsonFraming json_framing;
const wire::PbFraming pb_framing;

Candidate of(const wire::Framing& framing) {
  return {std::string(framing.name()), *opening_of(framing)};
}
Candidate tls() { return {std::string(tls_name), tls_opening()}; }
Candidate http1() { return {std::string(http1_name), http1_opening()}; }
Candidate http2() { return {std::string(http2_name), http2_opening()}; }
std::vector<Candidate> everything() {
  return {tls(),           http2(),          http1(),       of(parley_framing),
          of(raw_framing), of(json_framing), of(pb_framing)};
}

std::string seen(const Detector& detector, std::string_view bytes) {
  const Detector::Verdict verdict = detector.look(bytes);
  if (verdict.match == Match::no) return "none";
  if (verdict.match == Match::needs_more) return "more";
  return detector.candidates()[verdict.index].name;
}

std::string refused(std::vector<Candidate> candidates, DetectOptions options = {}) {
  const auto made = Detector::make(std::move(candidates), std::move(options));
  EXPECT_TRUE(made || made.error().code() == Code::invalid_argument);
  return made ? "" : made.error().message();
}

TEST(Detect, what_two_protocols_have_in_common_is_known_for_all_pairs) {
  std::vector<Candidate> all = everything();
  all.push_back(of(*erpc_http_framing()));  // a Door tells it by its head where HTTP/1 is spoken
  // All others have nothing in common.
  const std::map<std::string, bool> alike = {{"http/2 http/1", true},
                                             {"raw json", true},
                                             {"raw pb", true},
                                             {"json pb", true},
                                             {"http/1 erpc-http", true}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = i + 1; j < all.size(); ++j) {
      const std::string pair = all[i].name + " " + all[j].name;
      const auto witness = overlap(all[i].opening, all[j].opening);
      EXPECT_EQ(witness.has_value(), alike.contains(pair)) << pair;
      EXPECT_EQ(overlap(all[j].opening, all[i].opening).has_value(), witness.has_value()) << pair;
      if (!witness) continue;
      EXPECT_EQ(match(all[i].opening, *witness), Match::yes) << pair;
      EXPECT_EQ(match(all[j].opening, *witness), Match::yes) << pair;
    }
  }
}

TEST(Detect, large_frames_can_begin_as_text_or_as_tls_does) {
  const wire::RawFraming large({.max_frame_bytes = 0x50000000});
  const wire::RawFraming larger({.max_frame_bytes = 0x16030100});
  const wire::RawFraming smaller({.max_frame_bytes = 0x1602FFFF});
  EXPECT_TRUE(overlap(opening_of(large).value(), http1_opening()));
  EXPECT_TRUE(overlap(opening_of(larger).value(), tls_opening()));
  EXPECT_FALSE(overlap(opening_of(smaller).value(), tls_opening())) << "none begins with 16 03";
}

TEST(Detect, a_set_that_is_ambiguous_is_refused_with_both_names_and_a_witness) {
  const std::string why = refused({of(raw_framing), of(pb_framing)});
  EXPECT_NE(why.find("raw and pb can begin alike, for example with \""), why.npos) << why;
  EXPECT_EQ(refused({of(raw_framing), of(pb_framing)}, {.order = {"pb", "raw"}}), "");
  EXPECT_NE(refused({of(raw_framing), of(pb_framing)}, {.order = {"pb"}}), "");
  EXPECT_EQ(refused({http1(), http2(), of(parley_framing), of(raw_framing), tls()}), "");
  EXPECT_NE(refused({http1(), http2()}, {.order = {}}).find("PRI * HTTP/2.0"), why.npos);
}

TEST(Detect, options_nobody_could_be_told_by_are_refused) {
  EXPECT_NE(refused({}), "");
  EXPECT_NE(refused({{"nothing", {}}}), "");
  EXPECT_NE(refused({{"anything", {{{}}}}}), "");
  EXPECT_NE(refused({tls(), tls()}), "");
  EXPECT_NE(refused({tls()}, {.order = {"tls", "tls"}}), "");
  EXPECT_NE(refused({tls()}, {.order = {"tsl"}}), "");
  EXPECT_NE(refused({tls()}, {.detect_timeout = 0s}), "");
  EXPECT_NE(refused({http2()}, {.max_detect_bytes = 23}), "");
  EXPECT_EQ(refused({http2()}, {.max_detect_bytes = 24}), "");
}

TEST(Detect, the_order_decides_what_could_be_both) {
  const std::string both("\0\0\0\x20\x01gx", 7);
  const auto raw_first =
      Detector::make({of(raw_framing), of(json_framing)}, {.order = {"raw", "json"}});
  const auto json_first =
      Detector::make({of(raw_framing), of(json_framing)}, {.order = {"json", "raw"}});
  EXPECT_EQ(seen(*raw_first, both), "raw");
  EXPECT_EQ(seen(*json_first, both), "json");
  const std::string raw_alone("\0\0\0\x20\0\1x", 7);
  EXPECT_EQ(seen(*json_first, raw_alone), "raw");
}

TEST(Detect, tells_all_protocols_apart_by_few_bytes) {
  const auto detector =
      Detector::make(everything(), {.order = {"http/2", "http/1", "raw", "json", "pb"}});
  ASSERT_TRUE(detector) << detector.error();
  const std::array<std::pair<std::string_view, std::string_view>, 16> cases = {{
      {"tls", {"\x16\x03\x01\x02\x00\x01", 6}},
      {"http/1", "GET"},
      {"http/1", "A /"},
      {"http/1", "PRI * HTTP/1.1"},
      {"http/1", "\r\nGET"},
      {"http/1", "\r\nA /"},
      {"none", "\r\n\r"},
      {"http/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"parley", "\xF0PRL"},
      {"raw", {"\0\0\0\x20\0\1", 6}},
      {"json", {"\0\0\0\x20\0{", 6}},
      {"pb", {"\0\0\0\x20\0\x10", 6}},
      {"none", "\n"},
      {"none", "\rG"},
      {"none", "\x7f"},
      {"none", {"\0\0\0\x20\0\xFF", 6}},
  }};
  for (const auto& [name, bytes] : cases) {
    EXPECT_EQ(seen(*detector, bytes), name) << bytes;
    EXPECT_EQ(seen(*detector, std::string(bytes) + "and more"), name) << bytes;
    if (bytes != "PRI * HTTP/1.1") {
      EXPECT_EQ(seen(*detector, bytes.substr(0, bytes.size() - 1)), "more") << bytes;
    }
  }
  const Status refusal = detector->refusal(
      "\x7F"
      "ELF");
  EXPECT_NE(refusal.message().find("http/1"), std::string::npos) << refusal;
  EXPECT_NE(refusal.message().find("ELF"), std::string::npos) << refusal;
}

// The table of a framing says the same as the framing, where either has decided.
TEST(Detect, the_table_of_a_framing_is_what_the_framing_says) {
  const std::vector<std::size_t> limits = {100, 0x100, 0x1FFFF, 0x1000000, 0x16030105, 0xFFFFFFFF};
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same each time
  for (const std::size_t limit : limits) {
    const wire::RawFraming raw({.max_frame_bytes = limit});
    const wire::JsonFraming json({.max_frame_bytes = limit});
    const wire::PbFraming pb({.max_frame_bytes = limit});
    for (const wire::Framing* framing : std::vector<const wire::Framing*>{&raw, &json, &pb}) {
      const Opening opening = opening_of(*framing).value();
      for (int i = 0; i < 4000; ++i) {
        const std::uint64_t size = i % 3 == 0   ? i % 64
                                   : i % 3 == 1 ? limit - 32 + i % 64
                                                : random();
        std::string head;
        for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>(size >> shift);
        head += static_cast<char>(random() % 3 == 0 ? random() : 0);
        head += static_cast<char>(random() % 2 == 0 ? random() % 64 : random());
        ASSERT_EQ(match(opening, head), framing->matches(head))
            << framing->name() << " " << limit << " " << size;
        ASSERT_FALSE(match(opening, head.substr(0, 5)) == Match::no &&
                     framing->matches(head) == Match::yes);
      }
    }
  }
  EXPECT_EQ(match(*opening_of(parley_framing), "\xF0PRL"), parley_framing.matches("\xF0PRL"));
}

TEST(Detect, a_framing_of_another_name_is_not_known) {
  class Other final : public wire::Framing {
    [[nodiscard]] std::string_view name() const noexcept override { return "smoke"; }
    [[nodiscard]] Match matches(std::string_view /*first*/) const noexcept override {
      return Match::no;
    }
    [[nodiscard]] std::unique_ptr<wire::Encoder> make_encoder() const override { return {}; }
    [[nodiscard]] std::unique_ptr<wire::Decoder> make_decoder() const override { return {}; }
  };
  EXPECT_EQ(opening_of(Other()).error().code(), Code::unimplemented);
  EXPECT_EQ(opening_of(wire::RawFraming({.max_frame_bytes = 5})).error().code(),
            Code::invalid_argument);
}

}  // namespace
}  // namespace parley::door
