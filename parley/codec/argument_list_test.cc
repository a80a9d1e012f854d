#include "parley/codec/argument_list.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "parley/codec/codec.h"
#include "parley/codec/type.h"

namespace parley::codec {
namespace {

struct Order {
  int id = 0;
  std::vector<std::string> teas;
};

// What cannot be copied may be an argument.
struct Parcel {
  std::unique_ptr<Order> order;
};

constexpr char all_codecs[] = {json_id, protobuf_id, msgpack_id};

template <class... T>
std::string written_where_they_lie(char codec, const T&... values) {
  static constexpr const Type* types[] = {&type_of<T>()...};
  static constinit const ArgumentList list(types);
  const void* const arguments[] = {&values...};
  std::string out;
  const Status status = CodecRegistry().encode(codec, out, list.type(), arguments);
  EXPECT_TRUE(status.is_ok()) << status;
  return out;
}

template <class... T>
void expect_the_tuple(const T&... values) {
  const std::tuple<T...> copies(values...);
  for (const char codec : all_codecs) {
    std::string expected;
    ASSERT_TRUE(
        CodecRegistry().encode(codec, expected, type_of<std::tuple<T...>>(), &copies).is_ok());
    EXPECT_EQ(written_where_they_lie(codec, values...), expected) << codec;
  }
}

TEST(ArgumentList, is_written_as_the_tuple_of_its_values) {
  using namespace std::chrono_literals;
  expect_the_tuple(Order{7, {"oolong", "assam"}}, 3, true, std::string("urgent"));
  expect_the_tuple(0, Order{}, std::string(), false, 0.0);  // what protobuf leaves out
  expect_the_tuple(std::vector<int>{1, 2, 3}, std::map<std::string, int>{{"tea", 1}},
                   std::optional<int>(), std::optional<int>(0), -1.5, 1500ms);
  expect_the_tuple(std::vector<Order>{{1, {}}, {2, {"assam"}}}, std::array<int, 2>{4, 5},
                   std::vector<std::byte>{std::byte{1}});
}

TEST(ArgumentList, shows_what_cannot_be_copied_and_views) {
  Parcel parcel;
  parcel.order = std::make_unique<Order>(Order{7, {"oolong"}});
  EXPECT_EQ(written_where_they_lie(json_id, parcel, std::string_view("now")),
            R"([{"order":{"id":7,"teas":["oolong"]}},"now"])");
}

TEST(ArgumentList, an_error_names_the_place_of_the_argument) {
  static constexpr const Type* types[] = {&type_of<int>(), &type_of<double>()};
  static constinit const ArgumentList list(types);
  const int one = 1;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const void* const arguments[] = {&one, &nan};
  std::string out;
  const Status status = CodecRegistry().encode(json_id, out, list.type(), arguments);
  EXPECT_EQ(status.code(), Code::invalid_argument);
  EXPECT_TRUE(status.message().starts_with("$[1]")) << status;
}

}  // namespace
}  // namespace parley::codec
