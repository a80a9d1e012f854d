// What gzip and zstd promise alike.
#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "parley/base/testing/hex.h"
#include "parley/wire/filters/gzip.h"
#include "parley/wire/filters/testing/compression_cases.h"
#include "parley/wire/filters/zstd.h"

namespace parley::wire {
namespace {

using parley::testing::from_hex;
using testing::applied;
using testing::error_of;
using testing::mixed_text;
using testing::roomy;

// What tests choose; the rest is the filter's own.
struct Choice {
  int level = 0;  // 0: the default
  int min_bytes = -1;
  bool is_other = false;  // under another id
};

struct Kind {
  const char* name;
  std::unique_ptr<const Filter> (*make)(const Choice& choice);
  int highest;
  int of_bombs;
  std::string_view ids;             // its own, and the other one
  std::string_view between_in_hex;  // may stand between two contents,
  std::string_view is;              // and is this
  std::string_view garbage_in_hex;  // the beginning of a further content
};

template <class Options>
Options chosen(const Choice& choice, char other) {
  Options options;
  if (choice.level > 0) options.level = choice.level;
  if (choice.min_bytes >= 0) options.min_bytes = static_cast<std::size_t>(choice.min_bytes);
  if (choice.is_other) options.id = other;
  return options;
}

const Kind gzip{.name = "gzip",
                .make = [](const Choice& c) -> std::unique_ptr<const Filter> {
                  return gzip_filter(chosen<GzipOptions>(c, 'G'));
                },
                .highest = 9,
                .of_bombs = 9,
                .ids = "gG",
                // "hello" as Go's compress/gzip writes it.
                .between_in_hex = "1f8b08000000000000ff ca48cdc9c907040000ffff 86a61036 05000000",
                .is = "hello",
                .garbage_in_hex = "1f8b08"};
const Kind zstd{.name = "zstd",
                .make = [](const Choice& c) -> std::unique_ptr<const Filter> {
                  return zstd_filter(chosen<ZstdOptions>(c, 'Z'));
                },
                .highest = 19,
                .of_bombs = 1,
                .ids = "zZ",
                .between_in_hex = "502a4d18 03000000 616263",  // one that is to be skipped
                .is = "",
                .garbage_in_hex = "28b52f"};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class Compression : public ::testing::TestWithParam<Kind> {
 protected:
  static std::unique_ptr<const Filter> filter(const Choice& choice = {}) {
    return GetParam().make(choice);
  }
};

INSTANTIATE_TEST_SUITE_P(Filters, Compression, ::testing::Values(gzip, zstd));

TEST_P(Compression, what_goes_in_comes_out) {
  testing::check_round_trips(*filter());
  testing::check_round_trips(*filter({.level = 1, .min_bytes = 0}));
  testing::check_round_trips(*filter({.level = GetParam().highest, .min_bytes = 1'000'000}));
}

TEST_P(Compression, a_higher_level_is_smaller) {
  const std::string text = mixed_text(200'000);
  EXPECT_LT(applied(*filter({.level = GetParam().highest}), text).size(),
            applied(*filter({.level = 1}), text).size());
}

TEST_P(Compression, a_level_that_is_none_is_a_bug) {
  EXPECT_DEATH((void)filter({.level = GetParam().highest + 1}),
               "levels from 1 to " + std::to_string(GetParam().highest));
}

TEST_P(Compression, a_stream_that_is_cut_is_data_loss) {
  testing::check_cuts(*filter(), applied(*filter({.min_bytes = 0}), mixed_text(500)));
  testing::check_cuts(*filter(), applied(*filter(), mixed_text(50)));
}

TEST_P(Compression, contents_behind_each_other_are_one) {
  const auto stores = filter({.min_bytes = 4});
  const std::string sent = applied(*stores, "one ") + from_hex(GetParam().between_in_hex) +
                           applied(*stores, "") + applied(*stores, "two");
  for (std::size_t piece = 1; piece <= sent.size(); ++piece) {
    const auto back = stores->undo(testing::in_pieces(sent, piece), roomy);
    ASSERT_TRUE(back) << back.error();
    EXPECT_EQ(*back, "one " + std::string(GetParam().is) + "two");
  }
}

TEST_P(Compression, anything_else_behind_the_end_is_data_loss) {
  const std::string sent = applied(*filter(), "hello");
  const std::string begun = from_hex(GetParam().garbage_in_hex);
  for (const std::string& behind :
       {std::string("!"), std::string("garbage"), begun.substr(0, 1), begun}) {
    EXPECT_EQ(error_of(*filter(), sent + behind).code(), Code::data_loss);
  }
}

TEST_P(Compression, a_bomb_within_a_bomb_is_refused_at_the_same_limit) {
  Filters filters;
  const int level = GetParam().of_bombs;
  filters.add(filter({.level = level}));
  filters.add(filter({.level = level, .min_bytes = 0, .is_other = true}));
  testing::check_bomb_in_a_bomb(filters, GetParam().ids);
}

TEST_P(Compression, works_without_a_limit) { testing::check_without_limit(*filter()); }

}  // namespace
}  // namespace parley::wire
