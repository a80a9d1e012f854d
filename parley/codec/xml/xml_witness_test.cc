// A foreign witness: Python's xml.etree (expat) reads what we write, we read what it writes, and
// both agree on what is XML and what it says. Skipped where there is no python3.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "parley/base/testing/hex.h"
#include "parley/base/testing/witness.h"
#include "parley/codec/testing/sample.h"
#include "parley/codec/xml/impl/xml_characters.h"
#include "parley/codec/xml/xml.h"

namespace parley::codec::xml_witness_test {
namespace {

using parley::testing::from_hex;
using parley::testing::to_hex;
using testing::Dice;
using testing::Sample;

struct Keeping {
  UnknownFields others;
};

class XmlWitness : public ::testing::Test {
 protected:
  void SetUp() override {
    if (witness_.python_with("xml.etree.ElementTree").empty()) {
      GTEST_SKIP() << "there is no python3 to ask";
    }
  }

  // The lines the script prints when it is given `lines`.
  [[nodiscard]] std::vector<std::string> ask(const std::string& arguments,
                                             const std::vector<std::string>& lines = {}) const {
    return witness_.lines_of(
        "python3 '" PARLEY_SOURCE_DIR "/parley/codec/xml/xml_witness.py' " + arguments, lines);
  }

 private:
  parley::testing::Witness witness_;
};

TEST_F(XmlWitness, python_reads_what_we_write_and_we_read_what_it_makes_of_it) {
  Dice dice(3);
  std::vector<Sample> samples;
  std::vector<std::string> lines;
  while (samples.size() < 300) {
    // Few values are without any character that XML does not have: make only their numbers random.
    Sample sample = dice.sample();
    for (std::string* text : {&sample.text, &sample.both.second}) *text = "<\"tea\"> \t\n & 'ü水' ";
    sample.texts.assign(dice.below(3), " \n]]>&#10;&lt;");
    sample.maybe_text.reset();
    std::get<2>(sample.three).reset();
    sample.forest = {{"a \t\"b\"\n", {"x", {{"y", {}}}}}};
    sample.stock = {{"&", 1}, {"\n", 2}};
    sample.series = {{"<", {dice.real()}}, {"", {}}};
    lines.push_back(to_hex(encode_xml(sample).value()));
    samples.push_back(std::move(sample));
  }
  const std::vector<std::string> answers = ask("rewrite", lines);
  ASSERT_EQ(answers.size(), samples.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto read = decode_xml<Sample>(from_hex(answers[i]));
    ASSERT_TRUE(read) << read.error() << "\n" << from_hex(answers[i]);
    ASSERT_EQ(*read, samples[i]) << from_hex(answers[i]);
  }
}

TEST_F(XmlWitness, python_and_we_agree_on_what_is_xml_and_on_what_it_says) {
  const std::vector<std::string> verdicts = ask("judge 4000 11");
  ASSERT_EQ(verdicts.size(), 4'000U);
  std::size_t valid = 0;
  for (const std::string& line : verdicts) {
    std::istringstream parts(line);
    std::string verdict;
    std::string text;
    std::string kept;
    parts >> verdict >> text >> kept;
    text = from_hex(text);
    const Status ours = validate_xml(text);
    EXPECT_EQ(ours.is_ok(), verdict == "True") << text << "\n" << ours;
    if (verdict != "True") continue;
    ++valid;
    // Inside another element, so that all of it is unknown and kept.
    const auto read = decode_xml<Keeping>("<all>" + text + "</all>");
    ASSERT_TRUE(read) << read.error() << "\n" << text;
    EXPECT_EQ(read->others.xml, "<unknown>" + from_hex(kept) + "</unknown>") << text;
  }
  // Both verdicts must occur often, or the test would prove nothing.
  EXPECT_GT(valid, 1'000U);
  EXPECT_LT(valid, 3'000U);
}

}  // namespace
}  // namespace parley::codec::xml_witness_test
