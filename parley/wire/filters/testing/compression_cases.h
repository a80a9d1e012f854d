// What the tests of gzip and zstd share. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "parley/wire/filter.h"

namespace parley::wire::testing {

inline const FilterLimit roomy{.bytes = 10'000'000, .name = "max_message"};

// Of some bytes in pieces.
inline Bytes in_pieces(std::string_view text, std::size_t most) {
  Bytes bytes;
  for (; !text.empty(); text.remove_prefix(std::min(most, text.size()))) {
    bytes.append(Bytes::copy_of(text.substr(0, most)));
  }
  return bytes;
}

// Half text, half noise.
inline std::string mixed_text(std::size_t size) {
  std::mt19937 random(11);
  std::string text;
  while (text.size() < size) {
    text += random() % 2 == 0 ? "a line that comes again and again\n"
                              : std::string(10, static_cast<char>(random()));
  }
  text.resize(size);
  return text;
}

inline std::string applied(const Filter& filter, std::string_view content,
                           std::size_t most_piece = 1 << 30) {
  Result<Bytes> bytes = filter.apply(in_pieces(content, most_piece));
  EXPECT_TRUE(bytes) << bytes.error();
  return bytes->to_string();
}

inline Status error_of(const Filter& filter, std::string_view came,
                       const FilterLimit& limit = roomy) {
  auto undone = filter.undo(Bytes::copy_of(came), limit);
  EXPECT_FALSE(undone);
  return undone ? Status() : undone.error();
}

inline void check_round_trips(const Filter& filter) {
  for (const std::size_t size : {0U, 1U, 255U, 256U, 1000U, 65'535U, 65'536U, 65'792U, 300'000U}) {
    const std::string text = mixed_text(size);
    for (const std::size_t piece : {7U, 4096U, 1U << 30U}) {
      if (piece < 100 && size > 100'000) continue;
      const std::string sent = applied(filter, text, piece);
      const auto back = filter.undo(in_pieces(sent, piece), roomy);
      ASSERT_TRUE(back) << back.error() << " of " << size;
      EXPECT_TRUE(*back == text) << size;
    }
  }
}

// A limit as large as there are numbers is none.
inline void check_without_limit(const Filter& filter) {
  const std::string text = mixed_text(3000);
  const auto back = filter.undo(Bytes::from(applied(filter, text)),
                                {.bytes = std::numeric_limits<std::size_t>::max(), .name = "max"});
  ASSERT_TRUE(back) << back.error();
  EXPECT_TRUE(*back == text);
}

// Through two of a kind, as a bomb within a bomb.
inline void check_bomb_in_a_bomb(const Filters& filters, std::string_view ids) {
  const FilterPipe pipe(ids);
  const auto bomb = apply_filters(&filters, pipe, Bytes::from(std::string(50 << 20U, '\0')));
  ASSERT_TRUE(bomb) << bomb.error();
  EXPECT_LT(bomb->size(), 2000U);
  const auto undone = undo_filters(&filters, pipe, *bomb, {.bytes = 1 << 20U, .name = "max"});
  ASSERT_FALSE(undone);
  EXPECT_EQ(undone.error().code(), Code::resource_exhausted);
  EXPECT_NE(undone.error().message().find("more comes out than max allows"), std::string::npos);
}

// A stream that ends early, wherever that is.
inline void check_cuts(const Filter& filter, const std::string& sent) {
  for (std::size_t size = 0; size < sent.size(); ++size) {
    const Status error = error_of(filter, std::string_view(sent).substr(0, size));
    ASSERT_EQ(error.code(), Code::data_loss) << size << " " << error;
    ASSERT_NE(error.message().find("it ends within"), std::string::npos) << error;
  }
}

}  // namespace parley::wire::testing
