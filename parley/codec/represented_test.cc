// Types that travel as a view: what they take over may lie anywhere, in every format.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/codec/form.h"
#include "parley/codec/json.h"
#include "parley/codec/msgpack.h"
#include "parley/codec/plain.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/testing/as_views.h"

namespace parley::codec::represented_test {
namespace {

using testing::Blob;
using testing::Label;

struct Parcel {
  Label label;
  Blob blob;
  std::optional<Label> note;
  std::vector<Label> stamps;
  friend bool operator==(const Parcel&, const Parcel&) = default;
};

struct Keeper {
  std::string_view kept;
};

std::vector<std::byte> bytes_of(std::string_view text) {
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

// Longer than a small string, so that a view of memory that is gone shows under a sanitizer.
const std::string escaped = "a line\nand \"another\" one & more \xC3\xBC";

Parcel parcel() {
  return {.label = {escaped},
          .blob = {bytes_of("some bytes that are base64 in a text")},
          .note = Label{"b\\" + escaped},
          .stamps = {{"1\n"}, {""}, {escaped + escaped}}};
}

template <class T>
void expect_equal(const Result<T>& read, const T& value) {
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, value);
}

TEST(Represented, a_view_survives_its_own_json_with_escapes_and_base64) {
  const JsonOptions strict{.refuse_views = true};
  const JsonOptions mapped{.refuse_views = true, .protobuf_mapping = true};
  const std::string text = encode_json(parcel()).value();
  expect_equal(decode_json<Parcel>(text), parcel());
  expect_equal(decode_json<Parcel>(text, {}, strict), parcel());
  expect_equal(decode_json<Parcel>(encode_json(parcel(), {}, mapped).value(), {}, mapped),
               parcel());
}

TEST(Represented, a_view_need_not_live_on_in_messagepack_and_protobuf) {
  const MsgpackOptions msgpack{.refuse_views = true};
  expect_equal(decode_msgpack<Parcel>(encode_msgpack(parcel()).value(), {}, msgpack), parcel());
  const ProtobufOptions protobuf{.refuse_views = true};
  expect_equal(decode_protobuf<Parcel>(encode_protobuf(parcel()).value(), {}, protobuf), parcel());
  expect_equal(decode_protobuf<Label>(encode_protobuf(Label{escaped}).value(), {}, protobuf),
               Label{escaped});
}

TEST(Represented, a_view_survives_its_own_form_and_plain_text) {
  const std::string form = encode_form(parcel()).value();
  expect_equal(decode_form<Parcel>(form), parcel());
  expect_equal(decode_form<Parcel>(form, {}, {.refuse_views = true}), parcel());
  const std::string plain = encode_plain(Label{escaped}).value();
  expect_equal(decode_plain<Label>(plain, {}, {.refuse_views = true}), Label{escaped});
  expect_equal(decode_plain<Blob>("abc", {}, {.refuse_views = true}), Blob{bytes_of("abc")});
}

TEST(Represented, a_view_that_is_kept_is_still_refused) {
  const Keeper keeper{"tea"};
  EXPECT_FALSE(decode_json<Keeper>(encode_json(keeper).value(), {}, {.refuse_views = true}));
  EXPECT_FALSE(decode_msgpack<Keeper>(encode_msgpack(keeper).value(), {}, {.refuse_views = true}));
  EXPECT_FALSE(
      decode_protobuf<Keeper>(encode_protobuf(keeper).value(), {}, {.refuse_views = true}));
  EXPECT_FALSE(decode_form<Keeper>(encode_form(keeper).value(), {}, {.refuse_views = true}));
  EXPECT_FALSE(decode_plain<std::string_view>("tea", {}, {.refuse_views = true}));
  EXPECT_FALSE(decode_json<Keeper>(R"({"kept":"a\nb"})"));
}

TEST(RepresentedDeathTest, a_value_is_not_written_into_a_part_of_itself) {
  std::string text = "tea";
  EXPECT_DEATH((void)encode_json_to(text, text), "written to a string that is a part of it");
  Label label{"tea"};
  EXPECT_DEATH((void)encode_msgpack_to(label.text, label), "is a part of it");
  EXPECT_DEATH((void)encode_protobuf_to(label.text, label), "is a part of it");
  EXPECT_DEATH((void)encode_plain_to(label.text, label), "is a part of it");
  Parcel whole;
  EXPECT_DEATH((void)encode_form_to(whole.label.text, whole), "is a part of it");
}

}  // namespace
}  // namespace parley::codec::represented_test
