#include "parley/base/bytes.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace parley {
namespace {

TEST(Bytes, takes_a_string_over_without_copying_it) {
  std::string text(1000, 'x');
  const char* before = text.data();
  const Bytes bytes = Bytes::from(std::move(text));
  EXPECT_EQ(bytes.size(), 1000u);
  EXPECT_EQ(bytes.piece(0).data(), before);
}

TEST(Bytes, a_slice_shares_the_block_and_outlives_its_source) {
  const std::size_t before = Block::live();
  Bytes slice;
  {
    const Bytes whole = Bytes::copy_of("hello world");
    slice = whole.slice(6, 5);
    EXPECT_EQ(slice.piece(0).data(), whole.piece(0).data() + 6);
  }
  EXPECT_EQ(slice, "world");
  EXPECT_EQ(Block::live(), before + 1);
  slice = {};
  EXPECT_EQ(Block::live(), before);
}

TEST(Bytes, a_slice_is_cut_to_what_there_is) {
  const Bytes bytes = Bytes::copy_of("abc");
  EXPECT_EQ(bytes.slice(1, 100), "bc");
  EXPECT_EQ(bytes.slice(5, 1), "");
  EXPECT_EQ(bytes.slice(0, 0), "");
}

TEST(Bytes, many_share_a_block_that_is_counted_once_for_all_of_them) {
  const std::size_t before = Block::live();
  {
    BlockRef block(Block::adopt("tea, milk"));
    const std::string_view text(block->data(), block->capacity());
    Bytes tea;
    Bytes milk = Bytes::copy_of("what it was before");
    Bytes nothing;
    EXPECT_TRUE(tea.share_uncounted(*block.get(), text.substr(0, 3)));
    EXPECT_TRUE(milk.share_uncounted(*block.get(), text.substr(5)));
    EXPECT_FALSE(nothing.share_uncounted(*block.get(), {}));
    block->add_owners(2);
    EXPECT_FALSE(tea.share_uncounted(*block.get(), text.substr(0, 2))) << "it has a count already";
    EXPECT_EQ(tea, "te");
    EXPECT_EQ(milk, "milk");
    EXPECT_TRUE(nothing.empty());
    EXPECT_EQ(Block::live(), before + 1);
    EXPECT_FALSE(block->is_unique());

    const Bytes kept = milk;
    EXPECT_EQ(tea.clear_uncounted(), block.get());
    EXPECT_EQ(milk.clear_uncounted(), block.get());
    EXPECT_EQ(nothing.clear_uncounted(), nullptr);
    block->drop_owners(2);
    EXPECT_TRUE(tea.empty());
    EXPECT_EQ(kept, "milk");
    EXPECT_FALSE(block->is_unique());
  }
  EXPECT_EQ(Block::live(), before);
}

TEST(Bytes, shares_a_part_of_another_in_place_of_what_it_was) {
  const std::size_t before = Block::live();
  {
    const Bytes first = Bytes::copy_of("hello world");
    const Bytes second = Bytes::copy_of("tea");
    Bytes bytes = Bytes::copy_of("a chain ");
    bytes.append(Bytes::copy_of("of two"));
    bytes.share_part(first, first.piece(0).substr(6));
    EXPECT_EQ(bytes, "world");
    EXPECT_EQ(bytes.piece_count(), 1U);
    EXPECT_EQ(bytes.piece(0).data(), first.piece(0).data() + 6);
    bytes.share_part(first, first.piece(0).substr(0, 5));
    EXPECT_EQ(bytes, "hello");
    bytes.share_part(second, second.piece(0));
    EXPECT_EQ(bytes, "tea");
    EXPECT_EQ(Block::live(), before + 2);
    bytes.share_part(second, {});
    EXPECT_TRUE(bytes.empty());
    EXPECT_EQ(bytes.piece_count(), 0U);
  }
  EXPECT_EQ(Block::live(), before);
}

TEST(Bytes, cleared_holds_nothing_and_may_be_used_again) {
  const std::size_t before = Block::live();
  Bytes bytes = Bytes::copy_of("one ");
  bytes.append(Bytes::copy_of("two"));
  bytes.clear();
  EXPECT_TRUE(bytes.empty());
  EXPECT_EQ(Block::live(), before);
  bytes.append(Bytes::copy_of("three"));
  EXPECT_EQ(bytes, "three");
}

TEST(Bytes, appending_joins_chains_and_flatten_makes_one_piece) {
  Bytes bytes = Bytes::copy_of("one ");
  bytes.append(Bytes::copy_of("two "));
  Bytes tail = Bytes::copy_of("three");
  tail.append(Bytes::copy_of("!"));
  bytes.append(std::move(tail));
  EXPECT_EQ(bytes.piece_count(), 4u);
  EXPECT_EQ(bytes, "one two three!");
  EXPECT_EQ(bytes.flatten(), "one two three!");
  EXPECT_EQ(bytes.piece_count(), 1u);
}

TEST(Bytes, appending_nothing_and_to_nothing_changes_nothing) {
  Bytes bytes;
  bytes.append({});
  EXPECT_TRUE(bytes.empty());
  EXPECT_EQ(bytes.piece_count(), 0u);
  EXPECT_EQ(bytes.flatten(), "");
  EXPECT_EQ(bytes.to_string(), "");
}

// Any sequence of operations gives what the same operations give on a std::string.
TEST(Bytes, behaves_as_a_string_does_under_random_operations) {
  const std::size_t before = Block::live();
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    Bytes bytes;
    std::string model;
    for (int step = 0; step < 20; ++step) {
      const std::string part(random() % 6, static_cast<char>('a' + random() % 26));
      const std::size_t a = random() % 20;
      const std::size_t b = random() % 20;
      switch (random() % 4) {
        case 0:
          bytes.append(Bytes::copy_of(part));
          model += part;
          break;
        case 1:
          bytes.remove_prefix(a);
          model.erase(0, a);
          break;
        case 2:
          bytes = bytes.slice(a, b);
          model = a < model.size() ? model.substr(a, b) : "";
          break;
        default:
          bytes.append(bytes.slice(a, b));
          model += a < model.size() ? model.substr(a, b) : "";
      }
      ASSERT_EQ(bytes.size(), model.size());
      ASSERT_EQ(bytes.to_string(), model);
      ASSERT_TRUE(bytes == model);
      Bytes flat = bytes;
      flat.flatten();
      ASSERT_TRUE(bytes == flat);
    }
  }
  EXPECT_EQ(Block::live(), before);
}

TEST(Bytes, differ_in_content_and_in_size) {
  Bytes chain = Bytes::copy_of("ab");
  chain.append(Bytes::copy_of("c"));
  EXPECT_TRUE(chain == Bytes::copy_of("abc"));
  EXPECT_FALSE(chain == Bytes::copy_of("abd"));
  EXPECT_FALSE(chain == Bytes::copy_of("ab"));
  EXPECT_FALSE(chain == "abcd");
}

TEST(Bytes, a_view_outside_its_block_is_a_bug) {
  EXPECT_DEATH(
      {
        const BlockRef block(Block::allocate(8));
        (void)Bytes::view_of(block, 4, 5);
      },
      "must lie inside");
}

}  // namespace
}  // namespace parley
