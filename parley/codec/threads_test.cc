// What threads share in codec: the tables that are finished when the first of them meets a type. A
// program of its own, since of codec's tests ThreadSanitizer looks at these only.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "parley/codec/argument_list.h"
#include "parley/codec/json.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/type.h"
#include "parley/codec/validate.h"

namespace parley::codec::threads_test {

struct Item {
  std::int32_t quantity = 1;
  std::string name;
};
struct Order {
  std::vector<Item> all;
  Item item;
};

}  // namespace parley::codec::threads_test

template <>
inline constexpr auto parley::fields<parley::codec::threads_test::Item> =
    parley::codec::field_rules<parley::codec::threads_test::Item>(
        parley::codec::field<&parley::codec::threads_test::Item::quantity>().range(1, 9));

namespace parley::codec::threads_test {
namespace {

// What each of eight threads, started at once, has to say.
template <class Say>
auto of_eight(Say say) {
  std::array<decltype(say()), 8> answers;
  std::vector<std::thread> threads;
  threads.reserve(answers.size());
  for (auto& answer : answers) threads.emplace_back([&] { answer = say(); });
  for (std::thread& thread : threads) thread.join();
  return answers;
}

// Each type is used by one test only, so that its table is made there.
TEST(CodecThreads, the_first_makes_the_plan_of_the_rules_for_all) {
  const Order bad{.all = {}, .item = {.quantity = 0, .name = {}}};
  for (const Status& answer : of_eight([&] { return validate(bad); })) {
    EXPECT_EQ(answer.message(), "$.item.quantity: 0 is smaller than 1");
  }
}

TEST(CodecThreads, the_first_makes_the_table_of_a_type_for_all) {
  struct Fresh {
    std::vector<Item> items;
    std::string note = "n";
  };
  const auto answers = of_eight([] {
    const Fresh fresh{.items = {{.quantity = 2, .name = "x"}}};
    const std::string wire = encode_protobuf(fresh).value_or("");
    return encode_json(decode_protobuf<Fresh>(wire).value()).value();
  });
  for (const std::string& answer : answers) {
    EXPECT_EQ(answer, R"({"items":[{"quantity":2,"name":"x"}],"note":"n"})");
  }
}

TEST(CodecThreads, the_first_makes_the_table_of_a_list_of_arguments_for_all) {
  static constexpr const Type* types[] = {&type_of<std::int32_t>(), &type_of<std::string>()};
  static constinit const ArgumentList list(types);
  const auto answers = of_eight([] {
    const std::int32_t number = 7;
    const std::string text = "x";
    const void* const arguments[] = {&number, &text};
    std::string out;
    EXPECT_TRUE(encode_json_as(out, list.type(), static_cast<const void*>(arguments)).is_ok());
    return out;
  });
  for (const std::string& answer : answers) EXPECT_EQ(answer, R"([7,"x"])");
}

}  // namespace
}  // namespace parley::codec::threads_test
