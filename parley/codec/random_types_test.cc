// What holds for every type and every format: a value comes back as it was, over a used object too,
// and one that goes from format to format stays the same. Types and values are random.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "parley/codec/json.h"
#include "parley/codec/msgpack.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/testing/random_types.h"

namespace parley::codec::random_types_test {
namespace {

using testing::Dice;
using testing::random_value;

struct Format {
  const char* name;
  Status (*encode)(std::string& out, const Type& type, const void* object);
  Status (*decode)(std::string_view text, const Type& type, void* object);
};

template <JsonOptions options>
constexpr Format json(const char* name) {
  return {name,
          [](std::string& out, const Type& type, const void* object) {
            return encode_json_as(out, type, object, {}, options);
          },
          [](std::string_view text, const Type& type, void* object) {
            return decode_json_as(text, type, object, {}, options);
          }};
}

constexpr std::array formats = {
    json<JsonOptions{}>("JSON"),
    json<JsonOptions{.protobuf_mapping = true, .enums_as_numbers = true}>("JSON of protobuf"),
    Format{"MessagePack",
           [](std::string& out, const Type& type, const void* object) {
             return encode_msgpack_as(out, type, object);
           },
           [](std::string_view bytes, const Type& type, void* object) {
             return decode_msgpack_as(bytes, type, object);
           }},
    Format{"protobuf",
           [](std::string& out, const Type& type, const void* object) {
             return encode_protobuf_as(out, type, object);
           },
           [](std::string_view bytes, const Type& type, void* object) {
             return decode_protobuf_as(bytes, type, object);
           }},
};

// What comes of `value` on its way through `format`, written over `over`.
template <class T>
void carry(const Format& format, const T& value, T& over) {
  SCOPED_TRACE(format.name);
  std::string text;
  Status status = format.encode(text, type_of<T>(), &value);
  ASSERT_TRUE(status.is_ok()) << status;
  status = format.decode(text, type_of<T>(), &over);
  ASSERT_TRUE(status.is_ok()) << status << '\n' << text;
}

template <std::uint64_t seed, int depth>
void carry_values_of_a_random_type() {
  using T = testing::RandomType<seed, depth>;
  SCOPED_TRACE("RandomType<" + std::to_string(seed) + ", " + std::to_string(depth) + ">");
  Dice dice(seed);
  for (int i = 0; i < 20; ++i) {
    const T value = random_value<T>(dice);
    for (const Format& first : formats) {
      T once = random_value<T>(dice);
      carry(first, value, once);
      ASSERT_TRUE(once == value) << first.name << ", " << encode_json(value).value();
      for (const Format& second : formats) {
        T twice = random_value<T>(dice);
        carry(second, once, twice);
        ASSERT_TRUE(twice == value)
            << first.name << ", then " << second.name << ", " << encode_json(value).value();
      }
    }
  }
}

template <int depth, std::uint64_t first, std::uint64_t... seeds>
void carry_all(std::integer_sequence<std::uint64_t, seeds...>) {
  ([] {
    carry_values_of_a_random_type<first + seeds, depth>();
    return !::testing::Test::HasFatalFailure();
  }() &&
   ...);
}

TEST(RandomTypes, flat_ones_pass_from_every_format_to_every_other_unchanged) {
  carry_all<1, 1000>(std::make_integer_sequence<std::uint64_t, 16>());
}

TEST(RandomTypes, deep_ones_pass_from_every_format_to_every_other_unchanged) {
  carry_all<4, 2000>(std::make_integer_sequence<std::uint64_t, 12>());
}

}  // namespace
}  // namespace parley::codec::random_types_test
