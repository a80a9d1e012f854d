// A foreign witness: protoc, which knows nothing but a .proto text, reads what we write, and we
// read what it writes. Skipped where there is no protoc.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/codec/fields.h"
#include "parley/codec/protobuf.h"

namespace parley::codec::protobuf_witness {

enum class Colour { none, red, blue = -2 };

struct Inner {
  std::int32_t number = 0;
  std::string text;
  friend bool operator==(const Inner&, const Inner&) = default;
};

struct Message {
  bool flag = false;
  std::int8_t i8 = 0;
  std::int32_t i32 = 0;
  std::int64_t i64 = 0;
  std::uint32_t u32 = 0;
  std::uint64_t u64 = 0;
  float f32 = 0;
  double f64 = 0;
  std::string text;
  std::vector<std::byte> bytes;
  Colour colour = Colour::none;
  std::int32_t s32 = 0;
  std::int64_t s64 = 0;
  std::uint32_t x32 = 0;
  std::int64_t x64 = 0;
  std::optional<std::int32_t> maybe;
  Inner inner;
  std::unique_ptr<Inner> pointer;
  std::vector<std::int64_t> packed;
  std::vector<std::string> texts;
  std::vector<Inner> inners;
  std::map<std::int32_t, std::string> names;
  std::map<std::string, Inner> people;
  std::variant<std::monostate, std::int32_t, Inner> choice;
  std::variant<std::monostate, std::string, Inner> nested;
  std::chrono::nanoseconds span{};
  std::chrono::sys_time<std::chrono::microseconds> moment{};
  std::vector<std::vector<std::uint32_t>> grid;
  Json json;
};

}  // namespace parley::codec::protobuf_witness

namespace witness = parley::codec::protobuf_witness;
using parley::codec::field;
using parley::codec::Wire;

template <>
inline constexpr auto parley::fields<witness::Message> =
    parley::codec::field_rules<witness::Message>(
        field<&witness::Message::s32>().encoded_as(Wire::zigzag),
        field<&witness::Message::s64>().encoded_as(Wire::zigzag),
        field<&witness::Message::x32>().encoded_as(Wire::fixed),
        field<&witness::Message::x64>().encoded_as(Wire::fixed),
        field<&witness::Message::choice>().flatten().number(100),
        field<&witness::Message::nested>().number(40), field<&witness::Message::span>().number(41),
        field<&witness::Message::moment>().number(42), field<&witness::Message::grid>().number(43),
        field<&witness::Message::json>().number(2'000));

namespace parley::codec::protobuf_witness {
namespace {

constexpr std::string_view schema = R"(syntax = "proto3";
package witness;
import "google/protobuf/duration.proto";
import "google/protobuf/timestamp.proto";
enum Colour { NONE = 0; RED = 1; BLUE = -2; }
message Inner { int32 number = 1; string text = 2; }
message Nested { oneof value { string string = 1; Inner inner = 2; } }
message Row { repeated uint32 value = 1; }
message Message {
  bool flag = 1; int32 i8 = 2; int32 i32 = 3; int64 i64 = 4; uint32 u32 = 5; uint64 u64 = 6;
  float f32 = 7; double f64 = 8; string text = 9; bytes bytes = 10; Colour colour = 11;
  sint32 s32 = 12; sint64 s64 = 13; fixed32 x32 = 14; sfixed64 x64 = 15;
  optional int32 maybe = 16; Inner inner = 17; Inner pointer = 18; repeated int64 packed = 19;
  repeated string texts = 20; repeated Inner inners = 21; map<int32, string> names = 22;
  map<string, Inner> people = 23; oneof choice { int32 number = 100; Inner other = 101; }
  Nested nested = 40; google.protobuf.Duration span = 41; google.protobuf.Timestamp moment = 42;
  repeated Row grid = 43; string json = 2000;
}
)";

// As protoc prints it.
constexpr std::string_view text_form = R"(flag: true
i8: -5
i32: -2147483648
i64: 9223372036854775807
u32: 4294967295
u64: 18446744073709551615
f32: 1.5
f64: -0
text: "gr\303\274n"
bytes: "\000\377"
colour: BLUE
s32: -7
s64: -9223372036854775808
x32: 4294967295
x64: -1
maybe: 0
inner {
  number: 1
}
pointer {
}
packed: 0
packed: -1
packed: 300
texts: "a"
texts: ""
inners {
}
inners {
  text: "x"
}
names {
  key: -3
  value: "three"
}
people {
  key: "ann"
  value {
    number: 4
  }
}
nested {
  string: ""
}
span {
  seconds: -1
  nanos: -5
}
moment {
  seconds: 1700000000
  nanos: 123456000
}
grid {
  value: 1
  value: 2
}
grid {
}
other {
  text: "o"
}
json: "{\"a\":[1]}"
)";

Message message() {
  Message m;
  m.flag = true;
  m.i8 = -5;
  m.i32 = std::numeric_limits<std::int32_t>::min();
  m.i64 = std::numeric_limits<std::int64_t>::max();
  m.u32 = 4'294'967'295U;
  m.u64 = 18'446'744'073'709'551'615U;
  m.f32 = 1.5F;
  m.f64 = -0.0;
  m.text = "grün";
  m.bytes = {std::byte{0}, std::byte{255}};
  m.colour = Colour::blue;
  m.s32 = -7;
  m.s64 = std::numeric_limits<std::int64_t>::min();
  m.x32 = 4'294'967'295U;
  m.x64 = -1;
  m.maybe = 0;
  m.inner.number = 1;
  m.pointer = std::make_unique<Inner>();
  m.packed = {0, -1, 300};
  m.texts = {"a", ""};
  m.inners = {{}, {.number = 0, .text = "x"}};
  m.names = {{-3, "three"}};
  m.people["ann"] = {.number = 4, .text = ""};
  m.choice = Inner{.number = 0, .text = "o"};
  m.nested = std::string();
  m.span = std::chrono::nanoseconds(-1'000'000'005);
  m.moment = std::chrono::sys_time<std::chrono::microseconds>(
      std::chrono::microseconds(1'700'000'000'123'456));
  m.grid = {{1, 2}, {}};
  m.json.text = R"({"a":[1]})";
  return m;
}

class ProtobufWitness : public ::testing::Test {
 protected:
  void SetUp() override {
    if (witness_.ask("protoc --version").code != 0) {
      GTEST_SKIP() << "there is no protoc to ask (Debian: protobuf-compiler)";
    }
    witness_.write("witness.proto", schema);
  }

  // What protoc prints with this option when it is given `input`.
  [[nodiscard]] std::string ask(const std::string& option, std::string_view input) const {
    return witness_.output_of(
        "protoc " + option + "=witness.Message -I. -I/usr/include witness.proto", input);
  }

 private:
  parley::testing::Witness witness_;
};

TEST_F(ProtobufWitness, protoc_reads_what_we_write) {
  const auto bytes = encode_protobuf(message());
  ASSERT_TRUE(bytes) << bytes.error();
  // It prints fields by number within a message, and those of a oneof behind the others.
  std::string expected(text_form);
  EXPECT_EQ(ask("--decode", *bytes), expected);
}

TEST_F(ProtobufWitness, we_read_what_protoc_writes_and_write_the_same) {
  const std::string bytes = ask("--encode", text_form);
  const auto read = decode_protobuf<Message>(bytes);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(encode_protobuf(*read).value(), encode_protobuf(message()).value());
  EXPECT_EQ(encode_protobuf(message()).value().size(), bytes.size());
  EXPECT_EQ(read->i64, message().i64);
  EXPECT_EQ(read->s64, message().s64);
  EXPECT_EQ(read->inners, message().inners);
  EXPECT_EQ(read->choice, message().choice);
}

TEST_F(ProtobufWitness, nothing_is_nothing_on_both_sides) {
  EXPECT_EQ(encode_protobuf(Message()).value(), ask("--encode", ""));
  EXPECT_EQ(ask("--decode", encode_protobuf(Message()).value()), "");
}

}  // namespace
}  // namespace parley::codec::protobuf_witness
