// A foreign witness: Python's json module reads what we write, we read what it writes, and both
// agree on what is JSON. Skipped where there is no python3.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parley/base/testing/hex.h"
#include "parley/base/testing/witness.h"
#include "parley/codec/json.h"
#include "parley/codec/testing/sample.h"

namespace parley::codec {
namespace {

using parley::testing::from_hex;
using parley::testing::to_hex;
using testing::Dice;
using testing::Sample;

class JsonWitness : public ::testing::Test {
 protected:
  void SetUp() override {
    if (witness_.python_with("json").empty()) GTEST_SKIP() << "there is no python3 to ask";
  }

  // The lines the script prints when it is given `lines`.
  [[nodiscard]] std::vector<std::string> ask(const std::string& arguments,
                                             const std::vector<std::string>& lines = {}) const {
    return witness_.lines_of(
        "python3 '" PARLEY_SOURCE_DIR "/parley/codec/json_witness.py' " + arguments, lines);
  }

 private:
  parley::testing::Witness witness_;
};

TEST_F(JsonWitness, python_reads_what_we_write_and_we_read_what_it_makes_of_it) {
  Dice dice(3);
  std::vector<Sample> samples;
  std::vector<std::string> lines;
  for (int i = 0; i < 300; ++i) {
    samples.push_back(dice.sample());
    lines.push_back(to_hex(encode_json(samples.back()).value()));
  }
  const std::vector<std::string> answers = ask("rewrite", lines);
  ASSERT_EQ(answers.size(), samples.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::string text = from_hex(answers[i]);
    auto read = decode_json<Sample>(text);
    ASSERT_TRUE(read) << read.error() << "\n" << text;
    // The raw value comes back in Python's style.
    read->anything = samples[i].anything;
    ASSERT_EQ(*read, samples[i]) << text;
  }
}

TEST_F(JsonWitness, documents_of_python_mean_the_same_after_we_indented_them) {
  const std::vector<std::string> documents = ask("generate 500 7");
  ASSERT_EQ(documents.size(), 500u);
  std::vector<std::string> pairs;
  for (const std::string& hex : documents) {
    const std::string text = from_hex(hex);
    const auto read = decode_json<Json>(text);
    ASSERT_TRUE(read) << read.error() << "\n" << text;
    pairs.push_back(hex + " " + to_hex(indent_json(encode_json(*read).value())));
  }
  EXPECT_EQ(ask("same", pairs), std::vector<std::string>(pairs.size(), "True"));
}

TEST_F(JsonWitness, python_and_we_agree_on_what_is_json) {
  const std::vector<std::string> verdicts = ask("judge 5000 11");
  ASSERT_EQ(verdicts.size(), 5000u);
  std::size_t valid = 0;
  for (const std::string& line : verdicts) {
    const bool is_json = line.starts_with("True");
    const std::string text = from_hex(std::string_view(line).substr(line.find(' ') + 1));
    EXPECT_EQ(validate_json(text).is_ok(), is_json) << text << "\n" << validate_json(text);
    valid += is_json ? 1 : 0;
  }
  // Both verdicts must occur often, or the test would prove nothing.
  EXPECT_GT(valid, 500u);
  EXPECT_LT(valid, 4500u);
}

}  // namespace
}  // namespace parley::codec
