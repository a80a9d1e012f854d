#include "parley/peer/impl/read_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace parley::impl {
namespace {

constexpr std::size_t small = ReadBuffer::small_chunk_bytes;
constexpr std::size_t large = ReadBuffer::large_chunk_bytes;

// What a read of that size brings, which nobody keeps.
void read(ReadBuffer& buffer, std::size_t size) {
  const auto room = buffer.room();
  (void)buffer.take(std::min(size, room.size()));
}

TEST(ReadBuffer, reads_into_the_same_memory_while_nobody_keeps_what_was_read) {
  ReadBuffer buffer;
  const std::size_t before = Block::live();
  const char* const at = buffer.room().data();
  EXPECT_EQ(buffer.room().size(), small);
  for (int i = 0; i < 3; ++i) {
    read(buffer, 100);
    EXPECT_EQ(buffer.room().data(), at);
    EXPECT_EQ(buffer.room().size(), small);
  }
  EXPECT_EQ(Block::live(), before + 1);
}

TEST(ReadBuffer, leaves_alone_what_somebody_keeps) {
  ReadBuffer buffer;
  const auto room = buffer.room();
  std::fill_n(room.begin(), 5'000, 'a');
  const Bytes kept = buffer.take(5'000);
  EXPECT_EQ(buffer.room().data(), room.data() + 5'000);
  EXPECT_EQ(buffer.room().size(), small - 5'000);
  std::vector<Bytes> all;
  while (buffer.room().size() < small) {
    const auto more = buffer.room();
    EXPECT_GE(more.size(), small / 16) << "too little for a read";
    std::fill_n(more.begin(), 5'000 - 1, 'b');
    all.push_back(buffer.take(std::min<std::size_t>(5'000 - 1, more.size() - 1)));
  }
  EXPECT_EQ(kept, std::string(5'000, 'a'));
  EXPECT_NE(buffer.room().data(), room.data()) << "the old chunk is still in use";
}

TEST(ReadBuffer, reads_more_at_a_time_where_large_bodies_come) {
  ReadBuffer buffer;
  read(buffer, small);
  buffer.brought(small / 2 - 1);
  EXPECT_EQ(buffer.room().size(), small) << "most of it was no large bodies";
  read(buffer, small);
  buffer.brought(small / 2);
  EXPECT_EQ(buffer.room().size(), large);
  const char* const at = buffer.room().data();
  read(buffer, large);
  buffer.brought(large - 100);
  EXPECT_EQ(buffer.room().size(), large);
  EXPECT_EQ(buffer.room().data(), at);
}

// Others wait while a session works off what a read brought.
TEST(ReadBuffer, reads_less_at_a_time_as_soon_as_small_messages_come) {
  ReadBuffer buffer;
  read(buffer, small);
  buffer.brought(small);
  const char* const at = buffer.room().data();
  read(buffer, large);
  buffer.brought(0);
  EXPECT_EQ(buffer.room().size(), small);
  EXPECT_EQ(buffer.room().data(), at) << "the memory is kept for a while";
}

TEST(ReadBuffer, gives_the_larger_memory_back_when_it_was_not_needed_for_long) {
  ReadBuffer buffer;
  const auto memory = [&] {
    (void)buffer.room();
    return buffer.take(1).first_block()->capacity();
  };
  read(buffer, small);
  buffer.brought(small);
  for (int i = 0; i < ReadBuffer::most_small_reads; ++i) {
    ASSERT_EQ(memory(), large) << i;
    buffer.brought(0);
  }
  EXPECT_EQ(memory(), small);
}

}  // namespace
}  // namespace parley::impl
