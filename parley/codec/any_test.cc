// What Anys in each other cost in JSON: memory and steps, whatever the depth.
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/testing/allocations.h"
#include "parley/codec/impl/type_urls.h"
#include "parley/codec/json.h"
#include "parley/codec/message_types.h"
#include "parley/codec/well_known.h"

namespace parley::codec::any_test {
namespace {

using impl::TypeUrls;
using well_known::Any;

struct Box {
  std::string text;
  Any inside;
  std::vector<Any> more;
};

// What it holds is shown where it lies.
struct Shown {
  std::string_view text;
  std::unique_ptr<Any> inside;
};

constexpr std::size_t levels = 60;
constexpr std::size_t size = 200'000;  // of what lies innermost

JsonOptions mapped() {
  static const MessageTypes& types = *[] {
    auto* const added = new MessageTypes;
    added->add<Box>("test.Box");
    added->add<Shown>("test.Shown");
    return added;
  }();
  return {.protobuf_mapping = true, .message_types = &types};
}

// Boxes and Anys by turns, a Box with `size` bytes of text innermost.
Any boxes_in_each_other() {
  Any any =
      pack_any("test.Box", Box{.text = std::string(size, 'x'), .inside = {}, .more = {}}).value();
  for (std::size_t i = 3; i < levels; i += 3) {
    any = pack_any("google.protobuf.Any", any).value();
    Box box;
    (i % 2 == 0 ? box.inside : box.more.emplace_back()) = std::move(any);
    any = pack_any("test.Box", box).value();
  }
  return any;
}

// Of `levels` Anys in each other, each with its "@type" at the end.
std::string types_at_the_end() {
  std::string text = R"({"value":"1s","@type":"google.protobuf.Duration"})";
  for (std::size_t i = 1; i < levels; ++i) {
    text.insert(0, R"({"value":)");
    text += R"(,"@type":"google.protobuf.Any"})";
  }
  return text;
}

const Any& deep() {
  static const Any any = boxes_in_each_other();
  return any;
}

TEST(AnyInAny, writing_holds_about_twice_the_size_at_any_depth) {
  static std::string text;
  text.reserve(2 * size);
  (void)deep();
  const std::size_t held = parley::testing::most_held_by(
      [] { EXPECT_TRUE(encode_json_to(text, deep(), {}, mapped()).is_ok()); });
  EXPECT_GT(text.size(), size);
  EXPECT_LT(held, 9 * size / 4);
  // What is written is the caller's: it is still there.
  EXPECT_EQ(deep(), boxes_in_each_other());
}

TEST(AnyInAny, reading_holds_about_twice_the_size_at_any_depth) {
  static const std::string text = encode_json(deep(), {}, mapped()).value();
  static Any read;
  const std::size_t held = parley::testing::most_held_by(
      [] { EXPECT_TRUE(decode_json_into(text, read, {}, mapped()).is_ok()); });
  EXPECT_LT(held, 9 * size / 4);
  EXPECT_EQ(read, deep());
}

TEST(AnyInAny, what_a_message_shows_of_its_bytes_is_there_until_it_is_written) {
  Shown shown{.text = "a text that is too long to lie in a std::string itself", .inside = {}};
  Any any = pack_any("test.Shown", shown).value();
  for (int i = 0; i < 3; ++i) {
    shown.inside = std::make_unique<Any>(std::move(any));
    any = pack_any("test.Shown", shown).value();
  }
  const std::string text = encode_json(any, {}, mapped()).value();
  std::size_t count = 0;
  for (std::size_t at = text.find(shown.text); at != std::string::npos;
       at = text.find(shown.text, at + 1)) {
    ++count;
  }
  EXPECT_EQ(count, 4U) << text;
}

TEST(AnyInAny, no_character_is_looked_at_twice_for_a_type) {
  const std::string text = types_at_the_end();
  const Limits limits;
  TypeUrls urls(text, limits);
  for (std::size_t i = 0; i < levels; ++i) {
    const char* const url = urls.find(text.data() + i * std::string_view(R"({"value":)").size());
    ASSERT_NE(url, nullptr) << i;
    EXPECT_TRUE(std::string_view(url).starts_with(
        i + 1 < levels ? R"("google.protobuf.Any"})" : R"("google.protobuf.Duration"})"))
        << url;
  }
  EXPECT_EQ(urls.looked_at(), text.size());
  const auto any = decode_json<Any>(text, {}, mapped());
  ASSERT_TRUE(any) << any.error();
  EXPECT_TRUE(is_any_of(*any, "google.protobuf.Any"));
}

TEST(AnyInAny, a_type_that_comes_first_is_found_at_once) {
  const std::string text = R"({"@type":"a","in":[{"x":{"@type":"c"},"\u0040type":"b"},{"y":1}]})";
  const Limits limits;
  TypeUrls urls(text, limits);
  const auto found = [&](std::string_view object) {
    const char* const url = urls.find(text.data() + text.find(object));
    return url == nullptr ? '-' : url[1];
  };
  EXPECT_EQ(found(R"({"@type":"a")"), 'a');
  EXPECT_EQ(urls.looked_at(), 0U);
  EXPECT_EQ(found(R"({"x")"), 'b');
  EXPECT_EQ(found(R"({"@type":"c")"), 'c');
  const std::size_t once = urls.looked_at();
  EXPECT_EQ(once, std::string_view(R"({"x":{"@type":"c"},"\u0040type":"b"})").size());
  EXPECT_EQ(found(R"({"y")"), '-');
  EXPECT_EQ(urls.looked_at(), once + std::string_view(R"({"y":1})").size());
}

TEST(AnyInAny, what_is_no_json_or_too_deep_has_no_type) {
  const Limits limits{.max_depth = 3};
  for (const std::string_view text : {R"({"a":[[)", R"({"a)", R"({"a":"\x","@type":""})",
                                      R"({"a":[[[]]],"@type":""})", R"({"a":1)", "{"}) {
    TypeUrls urls(text, limits);
    EXPECT_EQ(urls.find(text.data()), nullptr) << text;
  }
}

}  // namespace
}  // namespace parley::codec::any_test
