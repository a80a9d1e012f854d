// A foreign witness: protoc reads what generated types write, and they read what it writes, for
// every kind of field.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "kinds.parley.h"
#include "parley/codec/json.h"
#include "parley/codec/message_types.h"
#include "parley/codec/msgpack.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/protoc/testing/run_protoc.h"

namespace parley::protoc {
namespace {

using codec::decode_protobuf;
using codec::encode_protobuf;

std::string ask(const std::string& option, std::string_view input) {
  const testing::Outcome answer = testing::run_protoc(
      option + " -I'" PARLEY_SOURCE_DIR "/parley/codec/protoc/golden' kinds.proto", input);
  EXPECT_EQ(answer.code, 0) << answer.errors;
  return answer.out;
}

// Reads what protoc makes of `text`, which is protoc's own text form to the byte, and has it read
// what we write; also what went through JSON, plain and as protobuf maps it, and MessagePack.
template <class Message>
Message witnessed(const std::string& name, std::string_view text) {
  const std::string bytes = ask("--deterministic_output --encode=golden." + name, text);
  auto read = decode_protobuf<Message>(bytes);
  EXPECT_TRUE(read) << read.error();
  const std::string written = encode_protobuf(*read).value();
  EXPECT_EQ(ask("--decode=golden." + name, written), text);
  EXPECT_EQ(written.size(), bytes.size());
  // Entries of maps have no promised order.
  if (text.find("key:") == std::string_view::npos) {
    EXPECT_EQ(written, bytes);
  }
  const std::string json = codec::encode_json(*read).value();
  EXPECT_EQ(encode_protobuf(codec::decode_json<Message>(json).value()).value(), written) << json;
  codec::MessageTypes types;
  types.add<golden::Scalars>("golden.Scalars");
  const codec::JsonOptions mapping{.protobuf_mapping = true, .message_types = &types};
  const std::string mapped = codec::encode_json(*read, {}, mapping).value();
  EXPECT_EQ(encode_protobuf(codec::decode_json<Message>(mapped, {}, mapping).value()).value(),
            written)
      << mapped;
  const std::string packed = codec::encode_msgpack(*read).value();
  EXPECT_EQ(encode_protobuf(codec::decode_msgpack<Message>(packed).value()).value(), written);
  return std::move(*read);
}

constexpr std::string_view scalars = R"(a_double: 1.5
a_float: -2.25
a_int32: -2147483648
a_int64: -9223372036854775808
a_uint32: 4294967295
a_uint64: 18446744073709551615
a_sint32: -7
a_sint64: 9223372036854775807
a_fixed32: 4294967295
a_fixed64: 1
a_sfixed32: -1
a_sfixed64: -9223372036854775808
a_bool: true
a_string: "gr\303\274n"
a_bytes: "\000\377"
a_colour: 77
far: -1
)";

TEST(ProtocWitness, scalars) {
  const auto message = witnessed<golden::Scalars>("Scalars", scalars);
  EXPECT_EQ(message.a_double, 1.5);
  EXPECT_EQ(message.a_float, -2.25F);
  EXPECT_EQ(message.a_int32, std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(message.a_uint64, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(message.a_sint32, -7);
  EXPECT_EQ(message.a_sfixed32, -1);
  EXPECT_EQ(message.a_string, "grün");
  EXPECT_EQ(message.a_bytes, (std::vector{std::byte{0}, std::byte{255}}));
  EXPECT_EQ(static_cast<int>(message.a_colour), 77) << "a value without a name";
  EXPECT_EQ(message.far, -1);
}

TEST(ProtocWitness, nothing) {
  EXPECT_EQ(witnessed<golden::Scalars>("Scalars", ""), golden::Scalars());
  EXPECT_EQ(witnessed<golden::Presence>("Presence", ""), golden::Presence());
  EXPECT_EQ(witnessed<golden::Choice>("Choice", "").first.index(), 0u);
  EXPECT_EQ(witnessed<golden::Tree>("Tree", "").left, nullptr);
}

TEST(ProtocWitness, presence) {
  const auto message = witnessed<golden::Presence>("Presence", R"(a_double: 0
a_float: 0
a_int32: 0
a_int64: 0
a_uint32: 0
a_uint64: 0
a_sint32: 0
a_sint64: 0
a_fixed32: 0
a_fixed64: 0
a_sfixed32: 0
a_sfixed64: 0
a_bool: false
a_string: ""
a_bytes: ""
a_colour: NONE
a_message {
}
)");
  EXPECT_EQ(message.a_sint64, 0);
  EXPECT_EQ(message.a_message, golden::Scalars());
  EXPECT_FALSE(message.another.has_value());
}

constexpr std::string_view lists = R"(a_double: 1
a_double: inf
a_float: 2
a_float: 0
a_int32: -3
a_int64: 4
a_int64: 300
a_uint32: 5
a_uint64: 6
a_sint32: -7
a_sint64: -8
a_fixed32: 9
a_fixed64: 10
a_sfixed32: -11
a_sfixed64: -12
a_bool: true
a_bool: false
)";

TEST(ProtocWitness, lists) {
  const std::string rest = R"(a_string: ""
a_string: "b"
a_bytes: "c"
a_colour: BLUE
a_colour: 5
a_message {
}
a_message {
  far: 3
}
)";
  std::string text(lists);
  text.erase(text.find("a_double: inf\n"), 14);  // JSON has no infinity
  const auto message = witnessed<golden::Lists>("Lists", text + rest);
  EXPECT_EQ(message.a_int64, (std::vector<std::int64_t>{4, 300}));
  EXPECT_EQ(message.a_bool, (std::vector<bool>{true, false}));
  EXPECT_EQ(message.a_message.at(1).far, 3);
}

TEST(ProtocWitness, lists_that_are_not_packed) {
  std::string text(lists);
  text.erase(text.find("a_double: inf\n"), 14);
  const auto message =
      witnessed<golden::Unpacked>("Unpacked", text + "a_colour: LAST\na_colour: 5\n");
  EXPECT_EQ(message.a_sfixed64, (std::vector<std::int64_t>{-12}));
  const std::string packed = ask("--encode=golden.Lists", lists);
  const std::string unpacked = ask("--encode=golden.Unpacked", lists);
  EXPECT_NE(packed, unpacked);
  EXPECT_EQ(encode_protobuf(decode_protobuf<golden::Unpacked>(packed).value()).value(), unpacked)
      << "either form is read";
  EXPECT_EQ(encode_protobuf(decode_protobuf<golden::Lists>(unpacked).value()).value(), packed);
}

// One entry of a map as protoc prints it.
std::string entry(const std::string& name, const std::string& key, const std::string& value) {
  return name + " {\n  key: " + key + "\n  value" + value + "\n}\n";
}

TEST(ProtocWitness, maps) {
  const auto message = witnessed<golden::Maps>(
      "Maps", entry("by_int32", "-1", ": \"minus\"") + entry("by_int32", "2", ": \"\"") +
                  entry("by_int64", "-9223372036854775808", ": \"\\000\"") +
                  entry("by_uint32", "4294967295", ": true") +
                  entry("by_uint64", "18446744073709551615", ": -0.5") +
                  entry("by_sint32", "-2147483648", ": -1") + entry("by_sint64", "-1", ": 7") +
                  entry("by_fixed32", "0", ": -9") + entry("by_fixed64", "1", ": 0") +
                  entry("by_sfixed32", "-3", ": 0.25") + entry("by_sfixed64", "-4", ": -5") +
                  entry("by_bool", "false", ": BLUE") + entry("by_bool", "true", ": 9") +
                  entry("by_string", "\"\"", " {\n  }") +
                  entry("by_string", "\"k\"", " {\n    far: 1\n  }") +
                  entry("more", "\"m\"",
                        " {\n    by_bool {\n      key: true\n      value: NONE\n    }\n  }"));
  EXPECT_EQ(message.by_int32.at(-1), "minus");
  EXPECT_EQ(message.by_uint64.at(std::numeric_limits<std::uint64_t>::max()), -0.5);
  EXPECT_EQ(message.by_fixed32.at(0), -9);
  EXPECT_EQ(message.by_string.at("k").far, 1);
  EXPECT_EQ(message.more.at("m").by_bool.at(true), golden::Colour::NONE);
}

struct Chosen {
  const char* text;
  std::size_t index;
};

TEST(ProtocWitness, each_alternative_of_a_oneof) {
  using At = golden::Choice::first_at;
  const Chosen all[] = {
      {"a_double: 0\n", At::a_double},
      {"a_float: 1.5\n", At::a_float},
      {"a_int32: 0\n", At::a_int32},
      {"a_int64: -1\n", At::a_int64},
      {"a_uint32: 1\n", At::a_uint32},
      {"a_uint64: 1\n", At::a_uint64},
      {"a_sint32: -64\n", At::a_sint32},
      {"a_sint64: -64\n", At::a_sint64},
      {"a_fixed32: 3\n", At::a_fixed32},
      {"a_fixed64: 3\n", At::a_fixed64},
      {"a_sfixed32: -3\n", At::a_sfixed32},
      {"a_sfixed64: -3\n", At::a_sfixed64},
      {"a_bool: false\n", At::a_bool},
      {"a_string: \"\"\n", At::a_string},
      {"a_bytes: \"\"\n", At::a_bytes},
      {"another_int32: 0\n", At::another_int32},
      {"a_colour: NONE\n", At::a_colour},
      {"a_message {\n}\n", At::a_message},
      {"itself {\n  itself {\n    a_bool: true\n  }\n}\n", At::itself},
  };
  for (const auto& [text, index] : all) {
    SCOPED_TRACE(text);
    EXPECT_EQ(witnessed<golden::Choice>("Choice", text).first.index(), index);
  }
  const auto both = witnessed<golden::Choice>(
      "Choice", "a_int32: 1\nbetween: 2\nwhen {\n  seconds: 1700000000\n  nanos: 5\n}\n");
  EXPECT_EQ(std::get<At::a_int32>(both.first), 1);
  EXPECT_EQ(std::get<golden::Choice::second_at::when>(both.second),
            (well_known::Timestamp{.seconds = 1'700'000'000, .nanos = 5}));
}

TEST(ProtocWitness, messages_that_hold_themselves) {
  const auto tree = witnessed<golden::Tree>("Tree", R"(label: "root"
left {
  label: "left"
}
right {
  end {
    label: "end"
  }
  leaf {
    smaller {
      veins: 1
    }
  }
}
list {
}
list {
  label: "second"
}
by_name {
  key: "n"
  value {
    list {
    }
  }
}
only {
  leaf {
    veins: 3
  }
}
)");
  EXPECT_EQ(tree.right->end->label, "end");
  EXPECT_EQ(tree.by_name.at("n").list.size(), 1u);
  EXPECT_EQ(std::get<golden::Tree::kind_at::only>(tree.kind)->kind.index(),
            golden::Tree::kind_at::leaf);
}

TEST(ProtocWitness, protobufs_own_messages) {
  const auto message = witnessed<golden::WellKnown>("WellKnown", R"(moment {
  seconds: -1
  nanos: 999999999
}
span {
  seconds: -1
  nanos: -5
}
moments {
}
spans {
  key: "s"
  value {
    nanos: 1
  }
}
object {
  fields {
    key: "a"
    value {
      list_value {
        values {
          null_value: NULL_VALUE
        }
        values {
          string_value: "x"
        }
      }
    }
  }
}
value {
  number_value: 2.5
}
any {
  type_url: "type.googleapis.com/golden.Scalars"
  value: "\030\001"
}
mask {
  paths: "a.b"
}
number {
  value: -1
}
text {
}
bytes {
  value: "b"
}
empty {
}
)");
  EXPECT_EQ(message.moment->nanos, 999'999'999);
  EXPECT_EQ(message.span->seconds, -1);
  EXPECT_EQ(std::get<double>(message.value->kind), 2.5);
  const auto& list = std::get<well_known::ListValue>(message.object->fields.at("a").kind);
  EXPECT_EQ(std::get<std::string>(list.values.at(1).kind), "x");
  EXPECT_TRUE(message ==
              decode_protobuf<golden::WellKnown>(encode_protobuf(message).value()).value());
}

TEST(ProtocWitness, what_is_imported) {
  const auto message =
      witnessed<golden::Imported>("Imported", "part {\n  name: \"bolt\"\n}\nkind: SCREW\n");
  EXPECT_EQ(message.part->name, "bolt");
  EXPECT_EQ(message.kind, golden::parts::Part::Kind::SCREW);
}

}  // namespace
}  // namespace parley::protoc
