#include "parley/kv/impl/command_code.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "parley/base/random.h"

namespace parley::kv::impl {
namespace {

Command full_command() {
  return {.kind = CommandKind::compare_and_swap,
          .path = "/shop/tea",
          .value = std::string("oo\0long", 7),
          .dir = true,
          .unique = true,
          .recursive = true,
          .refresh = true,
          .prev_value = "green",
          .prev_index = 12,
          .expiration = WallTime(std::chrono::seconds(2'000'000'000)),
          .now = WallTime(Duration(1'700'000'000'123'456'789))};
}

TEST(CommandCode, every_part_of_a_command_comes_back) {
  const Command full = full_command();
  const auto back = decode_command(encode_command(full, 99));
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back->command, full);
  EXPECT_EQ(back->index, 99U);

  std::vector<Command> each(8);
  each[0].path = "/a";
  each[1].value = "b";
  each[2].dir = true;
  each[3].unique = true;
  each[4].recursive = true;
  each[5].refresh = true;
  each[6].prev_value = "c";
  each[7].expiration = WallTime();
  for (const Command& command : each) {
    const auto one = decode_command(encode_command(command, {}));
    ASSERT_TRUE(one) << one.error();
    EXPECT_EQ(one->command, command);
    EXPECT_FALSE(one->index.has_value());
  }
  for (int kind = 1; kind <= 7; ++kind) {
    const Command command{.kind = static_cast<CommandKind>(kind), .now = WallTime(Duration(-1))};
    EXPECT_EQ(decode_command(encode_command(command, 0))->command, command);
  }
}

TEST(CommandCode, its_bytes_will_not_change) {
  const Command command{.kind = CommandKind::set,
                        .path = "/a",
                        .value = "1",
                        .prev_index = 3,
                        .now = WallTime(Duration(2))};
  EXPECT_EQ(encode_command(command, 4),
            std::string("\1\2\x60\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0"
                        "\2\0\0\0/a\1\0\0\0"
                        "1\0\0\0\0",
                        42));
}

TEST(CommandCode, a_command_that_was_cut_or_continued_is_data_loss) {
  const std::string whole = encode_command(full_command(), 99);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_EQ(decode_command(std::string_view(whole).substr(0, size)).error().code(),
              Code::data_loss)
        << size;
  }
  EXPECT_EQ(decode_command(whole + "x").error().code(), Code::data_loss);
}

TEST(CommandCode, what_a_newer_version_may_have_written_is_told_from_damage) {
  const std::string whole = encode_command(full_command(), 99);
  for (const std::size_t at : {0U, 1U, 2U}) {
    std::string newer = whole;
    newer[at] = '\xFE';
    const Status status = decode_command(newer).error();
    EXPECT_EQ(status.code(), Code::unimplemented) << at;
    EXPECT_NE(status.message().find("or a newer one"), std::string::npos) << status;
  }
}

TEST(CommandCode, what_decodes_is_what_was_encoded) {
  const std::string whole = encode_command(full_command(), 99);
  Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = whole;
    for (std::uint64_t n = random.between(1, 3); n > 0; --n) {
      changed[random.below(changed.size())] = static_cast<char>(random.next());
    }
    const auto back = decode_command(changed);
    if (back) {
      ASSERT_EQ(encode_command(back->command, back->index), changed);
    }
  }
}

}  // namespace
}  // namespace parley::kv::impl
