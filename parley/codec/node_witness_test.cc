// Foreign witnesses from the world of JavaScript: node's own JSON and @msgpack/msgpack read what we
// write, and we read what they make of it. Skipped, with the reason, where they are not installed.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "parley/base/testing/hex.h"
#include "parley/base/testing/witness.h"
#include "parley/codec/json.h"
#include "parley/codec/msgpack.h"
#include "parley/codec/testing/sample.h"

namespace parley::codec::node_witness_test {
namespace {

using parley::testing::from_hex;
using parley::testing::to_hex;
using testing::Dice;
using testing::Tree;

// What a number of JavaScript holds without loss: no integer beyond 2^53.
struct Parcel {
  bool open = false;
  std::int32_t number = 0;
  std::uint32_t count = 0;
  double weight = 0;
  std::string note;
  std::optional<std::string> maybe;
  std::vector<double> readings;
  std::map<std::string, Tree> forest;
  friend bool operator==(const Parcel&, const Parcel&) = default;
};

// And what only MessagePack carries.
struct Bulk {
  std::int64_t id = 0;
  std::uint64_t big = 0;
  std::vector<std::byte> bytes;
  Parcel inner;
  friend bool operator==(const Bulk&, const Bulk&) = default;
};

Parcel random_parcel(Dice& dice) {
  Parcel parcel{.open = dice.below(2) == 0,
                .number = dice.integer<std::int32_t>(),
                .count = dice.integer<std::uint32_t>(),
                .weight = dice.real(),
                .note = dice.text(),
                .maybe = {},
                .readings = {},
                .forest = {}};
  if (dice.below(2) == 0) parcel.maybe = dice.text();
  for (std::size_t left = dice.below(5); left > 0; --left) parcel.readings.push_back(dice.real());
  for (std::size_t left = dice.below(3); left > 0; --left) {
    // A key "__proto__" would be another matter in JavaScript.
    parcel.forest["key " + dice.text()] = dice.tree(3);
  }
  return parcel;
}

Bulk random_bulk(Dice& dice) {
  Bulk bulk{.id = dice.integer<std::int64_t>(),
            .big = dice.integer<std::uint64_t>(),
            .bytes = std::vector<std::byte>(dice.below(300)),
            .inner = random_parcel(dice)};
  for (std::byte& each : bulk.bytes) each = static_cast<std::byte>(dice.below(256));
  return bulk;
}

class NodeWitness : public ::testing::Test {
 protected:
  static std::vector<std::string> ask(const std::string& mode,
                                      const std::vector<std::string>& lines) {
    const parley::testing::Witness witness;
    return witness.lines_of("node '" PARLEY_SOURCE_DIR "/parley/codec/node_witness.js' " + mode,
                            lines);
  }
  static bool has(const std::string& module) {
    return !parley::testing::Witness().node_with(module).empty();
  }
};

TEST_F(NodeWitness, node_reads_our_json_and_we_read_what_it_makes_of_it) {
  if (!has("fs")) GTEST_SKIP() << "node is not installed";
  Dice dice(5);
  std::vector<Parcel> parcels;
  std::vector<std::string> lines;
  for (int i = 0; i < 300; ++i) {
    parcels.push_back(random_parcel(dice));
    lines.push_back(to_hex(encode_json(parcels.back()).value()));
  }
  const std::vector<std::string> answers = ask("json", lines);
  ASSERT_EQ(answers.size(), parcels.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto read = decode_json<Parcel>(from_hex(answers[i]));
    ASSERT_TRUE(read) << read.error() << '\n' << from_hex(answers[i]);
    ASSERT_EQ(*read, parcels[i]) << from_hex(answers[i]);
  }
}

TEST_F(NodeWitness, msgpack_of_npm_reads_ours_and_we_read_what_it_makes_of_it) {
  if (!has("@msgpack/msgpack")) GTEST_SKIP() << "npm's @msgpack/msgpack is not installed";
  Dice dice(6);
  std::vector<Bulk> bulks;
  std::vector<std::string> lines;
  for (int i = 0; i < 300; ++i) {
    bulks.push_back(random_bulk(dice));
    lines.push_back(to_hex(encode_msgpack(bulks.back()).value()));
  }
  const std::vector<std::string> answers = ask("msgpack", lines);
  ASSERT_EQ(answers.size(), bulks.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto read = decode_msgpack<Bulk>(from_hex(answers[i]));
    ASSERT_TRUE(read) << read.error() << '\n' << answers[i];
    ASSERT_EQ(*read, bulks[i]) << answers[i];
  }
}

TEST_F(NodeWitness, our_msgpack_means_the_same_there_as_our_json) {
  if (!has("@msgpack/msgpack")) GTEST_SKIP() << "npm's @msgpack/msgpack is not installed";
  Dice dice(7);
  std::vector<Parcel> parcels;
  std::vector<std::string> lines;
  for (int i = 0; i < 100; ++i) {
    parcels.push_back(random_parcel(dice));
    lines.push_back(to_hex(encode_msgpack(parcels.back()).value()));
  }
  const std::vector<std::string> answers = ask("cross", lines);
  ASSERT_EQ(answers.size(), parcels.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto read = decode_json<Parcel>(from_hex(answers[i]));
    ASSERT_TRUE(read) << read.error() << '\n' << from_hex(answers[i]);
    ASSERT_EQ(*read, parcels[i]) << from_hex(answers[i]);
  }
}

}  // namespace
}  // namespace parley::codec::node_witness_test
