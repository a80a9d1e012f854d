// A foreign witness: python3-msgpack reads what we write, we read what it writes, and both agree on
// what is MessagePack. Skipped, with the reason, where it is not installed.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "parley/base/testing/hex.h"
#include "parley/base/testing/witness.h"
#include "parley/codec/msgpack.h"
#include "parley/codec/testing/sample.h"

namespace parley::codec {
namespace {

using parley::testing::from_hex;
using parley::testing::to_hex;
using testing::Dice;
using testing::Sample;

class MsgpackWitness : public ::testing::Test {
 protected:
  void SetUp() override {
    python_ = witness_.python_with("msgpack");
    if (python_.empty()) GTEST_SKIP() << "python3-msgpack is not installed";
  }

  // The lines the script prints when it is given `lines`.
  [[nodiscard]] std::vector<std::string> ask(const std::string& arguments,
                                             const std::vector<std::string>& lines = {}) const {
    return witness_.lines_of(
        python_ + " '" PARLEY_SOURCE_DIR "/parley/codec/msgpack_witness.py' " + arguments, lines);
  }

 private:
  parley::testing::Witness witness_;
  std::string python_;
};

TEST_F(MsgpackWitness, python_reads_what_we_write_and_we_read_what_it_makes_of_it) {
  Dice dice(3);
  std::vector<Sample> samples;
  std::vector<std::string> lines;
  for (int i = 0; i < 300; ++i) {
    samples.push_back(dice.sample());
    lines.push_back(to_hex(encode_msgpack(samples.back()).value()));
  }
  const std::vector<std::string> answers = ask("rewrite", lines);
  ASSERT_EQ(answers.size(), samples.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto read = decode_msgpack<Sample>(from_hex(answers[i]));
    ASSERT_TRUE(read) << read.error() << "\n" << answers[i];
    ASSERT_EQ(*read, samples[i]) << answers[i];
  }
}

TEST_F(MsgpackWitness, python_sees_the_kinds_we_mean) {
  using namespace std::chrono;
  struct Shown {
    std::vector<std::byte> bytes = {std::byte{0xFF}};
    std::map<int, bool> keys = {{-5, true}};
    sys_time<nanoseconds> at = sys_time<nanoseconds>(nanoseconds(-1));
    milliseconds wait{1'500};
    std::optional<int> none;
    std::tuple<float, std::string> pair = {0.5F, "grün"};
  };
  const std::vector<std::string> shown = ask("show", {to_hex(encode_msgpack(Shown()).value())});
  ASSERT_EQ(shown.size(), 1U);
  EXPECT_EQ(shown[0],
            "{'bytes': b'\\xff', 'keys': {-5: True}, 'at': Timestamp(seconds=-1, "
            "nanoseconds=999999999), 'wait': [1, 500000000], 'pair': [0.5, 'grün']}");
}

TEST_F(MsgpackWitness, what_python_writes_is_valid_and_kept_to_the_byte) {
  struct Keeping {
    UnknownFields others;
  };
  const std::vector<std::string> messages = ask("generate 500 7");
  ASSERT_EQ(messages.size(), 500U);
  for (const std::string& hex : messages) {
    const std::string bytes = from_hex(hex);
    ASSERT_TRUE(validate_msgpack(bytes).is_ok()) << validate_msgpack(bytes) << "\n" << hex;
    const std::string object = "\x81\xa1x" + bytes;
    const auto kept = decode_msgpack<Keeping>(object);
    ASSERT_TRUE(kept) << kept.error();
    EXPECT_EQ(encode_msgpack(*kept).value(), object);
  }
}

TEST_F(MsgpackWitness, python_and_we_agree_on_what_is_messagepack) {
  const std::vector<std::string> verdicts = ask("judge 3000 11");
  ASSERT_GT(verdicts.size(), 2'900U);
  std::size_t valid = 0;
  for (const std::string& line : verdicts) {
    const bool is_message = line.starts_with("True");
    const std::string bytes = from_hex(std::string_view(line).substr(line.find(' ') + 1));
    const Status ours = validate_msgpack(bytes);
    EXPECT_EQ(ours.is_ok(), is_message) << line << "\n" << ours;
    valid += is_message ? 1 : 0;
  }
  // Both verdicts must occur often, or the test would prove nothing.
  EXPECT_GT(valid, 300U);
  EXPECT_LT(valid, 2'700U);
}

}  // namespace
}  // namespace parley::codec
