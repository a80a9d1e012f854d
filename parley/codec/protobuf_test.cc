// Protobuf's wire format, byte by byte and there and back.
#include "parley/codec/protobuf.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "parley/codec/testing/sample.h"

namespace parley::codec {
namespace {

using testing::Dice;
using testing::Sample;

struct Test1 {
  std::int32_t a = 0;
};
struct Test3 {
  std::optional<Test1> c;
};
struct Numbers {
  std::uint64_t big = 0;
  std::int32_t small = 0;
  std::vector<std::int32_t> list{};
  friend bool operator==(const Numbers&, const Numbers&) = default;
};
struct Texts {
  std::string text;
  std::vector<std::string> list{};
  std::vector<Numbers> numbers{};
  friend bool operator==(const Texts&, const Texts&) = default;
};

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    if (!out.empty()) out += ' ';
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

TEST(Protobuf, the_golden_bytes_of_its_documentation) {
  EXPECT_EQ(hex(encode_protobuf(Test1{.a = 150}).value()), "08 96 01");
  EXPECT_EQ(hex(encode_protobuf(Test3{.c = Test1{.a = 150}}).value()), "0a 03 08 96 01");
}

// As many bytes as it takes, and to the end of what it stands in.
TEST(Protobuf, varints_of_every_size) {
  for (int bits = 1; bits <= 64; ++bits) {
    for (const std::uint64_t value :
         {~std::uint64_t{0} >> (64 - bits), std::uint64_t{1} << (bits - 1)}) {
      const auto low = static_cast<std::int32_t>(value);
      const Numbers numbers{.big = value, .small = low, .list = {low, 1, low}};
      const std::string bytes = encode_protobuf(numbers).value();
      EXPECT_EQ(decode_protobuf<Numbers>(bytes).value(), numbers) << value;
      const std::string alone = encode_protobuf(Numbers{.big = value}).value();
      ASSERT_EQ(alone.size(), 1 + static_cast<std::size_t>(bits + 6) / 7);
      for (std::size_t size = 1; size < alone.size(); ++size) {
        EXPECT_FALSE(decode_protobuf<Numbers>(alone.substr(0, size))) << value;
        EXPECT_FALSE(decode_protobuf<Numbers>(bytes.substr(0, size))) << value;
      }
    }
  }
}

TEST(Protobuf, varints_may_be_longer_than_they_need) {
  for (std::size_t more = 1; more < 10; ++more) {
    const std::string whole = "\x08\x85" + std::string(more - 1, '\x80') + std::string(1, '\0');
    EXPECT_EQ(decode_protobuf<Numbers>(whole).value().big, 5) << more;
    EXPECT_EQ(decode_protobuf<Numbers>(whole + "\x10\x07").value().small, 7) << more;
  }
}

// The writer puts what it writes together in pieces.
TEST(Protobuf, messages_of_every_size_are_whole) {
  Texts reused;
  for (std::size_t size = 0; size < 20'000; size += size > 1'800 && size < 2'200 ? 1 : 61) {
    Texts texts{.text = std::string(size, 'x'), .list = {"", std::string(size / 2, 'y')}};
    texts.numbers.resize(size % 40, {.big = 1, .small = 2});
    std::string bytes = "before";
    ASSERT_TRUE(encode_protobuf_to(bytes, texts).is_ok());
    ASSERT_TRUE(bytes.starts_with("before"));
    bytes.erase(0, 6);
    ASSERT_EQ(decode_protobuf<Texts>(bytes).value(), texts) << size;
    ASSERT_TRUE(decode_protobuf_into(bytes, reused).is_ok());
    ASSERT_EQ(reused, texts) << size;
  }
  Texts uneven{.text = "", .list = std::vector<std::string>(20'000)};
  uneven.list.back() = std::string(6'000, 'x');
  const std::string bytes = encode_protobuf(uneven).value();
  EXPECT_LT(bytes.capacity(), 100'000U);  // not as if all were as long as what comes first
  EXPECT_EQ(decode_protobuf<Texts>(bytes).value(), uneven);
}

TEST(Protobuf, text_that_is_not_utf8_is_found_wherever_it_stands) {
  for (std::size_t size = 1; size < 70; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      Texts texts{.text = std::string(size, 'x')};
      std::string bytes = encode_protobuf(texts).value();
      bytes[2 + place] = '\xff';
      ASSERT_FALSE(decode_protobuf<Texts>(bytes)) << place << " of " << size;
      texts.text[place] = '\xff';
      ASSERT_FALSE(encode_protobuf(texts)) << place << " of " << size;
    }
  }
}

TEST(Protobuf, strings_of_every_size_and_place_are_whole) {
  struct Three {
    std::string first;
    std::string second;
    std::vector<std::string> others;
    bool operator==(const Three&) const = default;
  };
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string text = std::string(size, 'x') + "y";
    std::string on_the_heap;  // short, and still not inside the string
    on_the_heap.reserve(64);
    on_the_heap = text;
    const Three value{text, on_the_heap, {on_the_heap, "", text}};
    const Result<std::string> bytes = encode_protobuf(value);
    ASSERT_TRUE(bytes);
    const Result<Three> back = decode_protobuf<Three>(*bytes);
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(*back, value) << size;
    std::string expected;
    const auto add = [&expected](char tag, const std::string& what) {
      expected += tag;
      expected += static_cast<char>(what.size());
      expected += what;
    };
    add('\x0a', text);
    add('\x12', text);
    for (const std::string& what : value.others) add('\x1a', what);
    EXPECT_EQ(*bytes, expected) << size;
  }
}

TEST(Protobuf, fields_may_come_in_any_order_and_again) {
  struct Mixed {
    std::int64_t first = 0;
    std::string second;
    std::vector<std::string> third;
    bool fourth = false;
    bool operator==(const Mixed&) const = default;
  };
  const std::string bytes("\x20\x01\x12\x01x\x08\x96\x01\x1a\x01q\x08\x07\x1a\x01r\x12\x02yz", 20);
  const Result<Mixed> mixed = decode_protobuf<Mixed>(bytes);
  ASSERT_TRUE(mixed) << mixed.error().message();
  EXPECT_EQ(*mixed, (Mixed{7, "yz", {"q", "r"}, true}));
}

TEST(Protobuf, random_values_go_there_and_back_also_over_used_objects) {
  Dice dice(1);
  Sample used;
  std::string bytes;
  for (int i = 0; i < 2'000; ++i) {
    const Sample sample = dice.sample();
    bytes.clear();
    const Status encoded = encode_protobuf_to(bytes, sample);
    ASSERT_TRUE(encoded.is_ok()) << encoded;
    const auto fresh = decode_protobuf<Sample>(bytes);
    ASSERT_TRUE(fresh) << fresh.error();
    ASSERT_EQ(*fresh, sample);
    const Status reused = decode_protobuf_into(bytes, used);
    ASSERT_TRUE(reused.is_ok()) << reused;
    ASSERT_EQ(used, sample);
  }
}

}  // namespace
}  // namespace parley::codec
