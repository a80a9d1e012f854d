// A foreign witness: Python's urllib.parse reads the forms we write, and we read those it writes.
// Skipped where there is no python3.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "parley/base/testing/hex.h"
#include "parley/base/testing/witness.h"
#include "parley/codec/form.h"
#include "parley/codec/testing/sample.h"

namespace parley::codec {
namespace {

using parley::testing::to_hex;
using testing::Dice;

using Map = std::map<std::string, std::vector<std::string>>;

// Pairs as the script has them.
std::string shown(const Map& map) {
  std::string out;
  for (const auto& [key, values] : map) {
    for (const std::string& value : values) {
      if (!out.empty()) out += ' ';
      out += to_hex(key);
      out += '=';
      out += to_hex(value);
    }
  }
  return out;
}

std::vector<Map> random_maps() {
  Dice dice(41);
  std::vector<Map> maps(300);
  for (Map& map : maps) {
    for (std::size_t keys = dice.below(5); keys > 0; --keys) {
      auto& values = map[dice.text()];
      for (std::size_t left = 1 + dice.below(3); left > 0; --left) values.push_back(dice.text());
    }
  }
  return maps;
}

class FormWitness : public ::testing::Test {
 protected:
  void SetUp() override {
    if (witness_.python_with("urllib.parse").empty()) GTEST_SKIP() << "there is no python3 to ask";
  }

  [[nodiscard]] std::vector<std::string> ask(const std::string& mode,
                                             const std::vector<std::string>& lines) const {
    return witness_.lines_of("python3 '" PARLEY_SOURCE_DIR "/parley/codec/form_witness.py' " + mode,
                             lines);
  }

 private:
  parley::testing::Witness witness_;
};

TEST_F(FormWitness, python_reads_what_we_write) {
  const std::vector<Map> maps = random_maps();
  std::vector<std::string> lines;
  std::vector<std::string> expected;
  for (const Map& map : maps) {
    lines.push_back(encode_form(map).value());
    expected.push_back(shown(map));
  }
  EXPECT_EQ(ask("read", lines), expected);
}

TEST_F(FormWitness, we_read_what_python_writes) {
  const std::vector<Map> maps = random_maps();
  std::vector<std::string> lines;
  for (const Map& map : maps) lines.push_back(shown(map));
  const std::vector<std::string> forms = ask("write", lines);
  ASSERT_EQ(forms.size(), maps.size());
  for (std::size_t i = 0; i < forms.size(); ++i) {
    const auto read = decode_form<Map>(forms[i]);
    ASSERT_TRUE(read) << read.error() << "\n" << forms[i];
    EXPECT_EQ(*read, maps[i]) << forms[i];
  }
}

}  // namespace
}  // namespace parley::codec
