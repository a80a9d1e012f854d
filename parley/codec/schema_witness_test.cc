// Foreign witnesses of the schemas we write: python3-jsonschema judges our JSON by our JSON Schema,
// protoc reads our bytes by our .proto, and tsc checks our JSON against our TypeScript. Each is
// skipped, with the reason, where it is not installed.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/codec/json.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/schema.h"
#include "parley/codec/testing/sample.h"

namespace parley::codec::schema_witness {

enum class Colour { none, red, blue = -2 };

struct Inner {
  std::int32_t number = 0;
  std::string text;
};

struct Message {
  bool flag = false;
  std::int8_t i8 = 0;
  std::uint16_t u16 = 3;
  std::int64_t i64 = 0;
  std::uint64_t u64 = 0;
  float f32 = 0;
  double f64 = 0.25;
  std::string text;
  std::vector<std::byte> bytes;
  Colour colour = Colour::none;
  std::int32_t zigzag = 0;
  std::optional<std::int32_t> maybe;
  std::unique_ptr<Message> pointer;
  std::vector<std::int64_t> packed;
  std::vector<Inner> inners;
  std::array<bool, 2> two{};
  std::map<std::int32_t, std::string> names;
  std::map<Colour, Inner> colours;
  std::variant<std::monostate, std::int32_t, Inner> choice;
  std::variant<std::monostate, std::string, std::vector<Inner>> nested;
  std::chrono::nanoseconds span{};
  std::chrono::sys_time<std::chrono::microseconds> moment{};
  std::vector<std::vector<std::uint32_t>> grid;
  std::tuple<std::int32_t, std::optional<bool>> both;
  Json anything;
};

}  // namespace parley::codec::schema_witness

template <>
inline constexpr auto parley::fields<parley::codec::schema_witness::Message> =
    parley::codec::field_rules<parley::codec::schema_witness::Message>(
        parley::codec::field<&parley::codec::schema_witness::Message::zigzag>().encoded_as(
            parley::codec::Wire::zigzag),
        parley::codec::field<&parley::codec::schema_witness::Message::choice>().flatten().number(
            100),
        parley::codec::field<&parley::codec::schema_witness::Message::nested>().number(200),
        parley::codec::field<&parley::codec::schema_witness::Message::span>().number(201),
        parley::codec::field<&parley::codec::schema_witness::Message::moment>().number(202),
        parley::codec::field<&parley::codec::schema_witness::Message::grid>().number(203),
        parley::codec::field<&parley::codec::schema_witness::Message::both>().number(204),
        parley::codec::field<&parley::codec::schema_witness::Message::anything>().number(205));
template <>
inline constexpr auto parley::fields<parley::codec::schema_witness::Inner> =
    parley::codec::field_rules<parley::codec::schema_witness::Inner>(
        parley::codec::field<&parley::codec::schema_witness::Inner::number>().required())
        .on_unknown(parley::codec::OnUnknown::refuse);

namespace parley::codec::schema_witness {
namespace {

Message message() {
  Message m;
  m.flag = true;
  m.i8 = -5;
  m.i64 = std::numeric_limits<std::int64_t>::min();
  m.u64 = std::numeric_limits<std::uint64_t>::max();
  m.f32 = 1.5F;
  m.text = "grün \"";
  m.bytes = {std::byte{0}, std::byte{255}};
  m.colour = Colour::blue;
  m.zigzag = -7;
  m.maybe = 0;
  m.pointer = std::make_unique<Message>();
  m.packed = {0, -1, 300};
  m.inners = {{.number = 0, .text = "x"}, {.number = 2, .text = ""}};
  m.two = {true, false};
  m.names = {{-3, "three"}};
  m.colours[Colour::red] = {.number = 4, .text = "r"};
  m.choice = Inner{.number = 0, .text = "o"};
  m.nested = std::vector<Inner>{{.number = 1, .text = "n"}};
  m.span = std::chrono::nanoseconds(-1'000'000'005);
  m.moment = std::chrono::sys_time<std::chrono::microseconds>(
      std::chrono::microseconds(1'700'000'000'123'456));
  m.grid = {{1, 2}, {}};
  m.both = {5, true};
  m.anything.text = R"({"a":[1]})";
  return m;
}

TEST(JsonSchemaWitness, jsonschema_judges_as_our_reader_does) {
  const parley::testing::Witness witness;
  const std::string python = witness.python_with("jsonschema");
  if (python.empty()) GTEST_SKIP() << "python3-jsonschema is not installed";
  witness.write("schema.json", json_schema<Message>());
  witness.write("judge.py", R"(import json, sys, jsonschema
judge = jsonschema.Draft202012Validator(json.load(open("schema.json")))
judge.check_schema(judge.schema)
for line in sys.stdin:
    print("yes" if judge.is_valid(json.loads(line)) else "no")
)");
  const std::vector<std::string> texts = {
      encode_json(message()).value(),
      encode_json(Message()).value(),
      "{}",
      R"({"unknown":1})",
      R"({"inners":[{"number":1}]})",
      R"({"inners":[{"text":"no number"}]})",
      R"({"inners":[{"number":1,"other":2}]})",
      R"({"i8":128})",
      R"({"i8":1.5})",
      R"({"u16":-1})",
      R"({"text":1})",
      R"({"colour":"red"})",
      R"({"colour":-2})",
      R"({"colour":"green"})",
      R"({"two":[true]})",
      R"({"both":[1,null]})",
      R"({"both":[1,null,2]})",
      R"({"names":{"12":"a"}})",
      R"({"names":{"x":"a"}})",
      R"({"Inner":{"number":1}})",
      R"({"Inner":{"number":1},"int32":2})",
      R"({"nested":{"string":"s"}})",
      R"({"nested":{"string":"s","list":[]}})",
      R"({"span":"1.5s"})",
      R"({"span":"1.5"})",
      R"({"pointer":{"pointer":null}})",
      R"({"pointer":{"pointer":{"flag":0}}})",
  };
  std::vector<std::string> ours;
  std::size_t accepted = 0;
  for (const std::string& text : texts) {
    const bool is_valid = decode_json<Message>(text).has_value();
    ours.emplace_back(is_valid ? "yes" : "no");
    accepted += is_valid ? 1 : 0;
  }
  EXPECT_EQ(accepted, 13U);
  const std::vector<std::string> theirs = witness.lines_of(python + " judge.py", texts);
  ASSERT_EQ(theirs.size(), ours.size());
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_EQ(theirs[i], ours[i]) << texts[i];
}

TEST(JsonSchemaWitness, random_values_keep_to_their_schema) {
  const parley::testing::Witness witness;
  const std::string python = witness.python_with("jsonschema");
  if (python.empty()) GTEST_SKIP() << "python3-jsonschema is not installed";
  witness.write("schema.json", json_schema<testing::Sample>());
  witness.write("judge.py", R"(import json, sys, jsonschema
judge = jsonschema.Draft202012Validator(json.load(open("schema.json")))
for line in sys.stdin:
    for error in judge.iter_errors(json.loads(line)):
        print(error.json_path, error.message)
)");
  testing::Dice dice(17);
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.push_back(encode_json(dice.sample()).value());
  EXPECT_EQ(witness.lines_of(python + " judge.py", texts), std::vector<std::string>());
}

TEST(ProtoWitness, protoc_reads_our_bytes_by_our_proto_and_writes_them_back) {
  const parley::testing::Witness witness;
  if (witness.ask("protoc --version").code != 0) {
    GTEST_SKIP() << "there is no protoc to ask (Debian: protobuf-compiler)";
  }
  const std::vector<MethodShape> methods = {{.name = "/m",
                                             .parameters = &type_of<std::tuple<Message, bool>>(),
                                             .result = &type_of<std::vector<Inner>>()}};
  witness.write("ours.proto", proto_of({}, methods, {.package = "ours"}));
  const auto protoc = [&](const std::string& option, const std::string& input) {
    return witness.output_of("protoc --" + option + " -I. -I/usr/include ours.proto", input);
  };
  const std::tuple<Message, bool> arguments(message(), true);
  const std::string bytes = encode_protobuf(arguments).value();
  const std::string text = protoc("decode=ours.MRequest", bytes);
  // Everything has a name there: nothing is shown by its number alone.
  EXPECT_EQ(text.find("\n  1"), std::string::npos) << text;
  EXPECT_NE(text.find("colour: COLOUR_BLUE"), std::string::npos) << text;
  EXPECT_NE(text.find("zigzag: -7"), std::string::npos) << text;
  EXPECT_NE(text.find("seconds: 1700000000"), std::string::npos) << text;
  const auto back =
      decode_protobuf<std::tuple<Message, bool>>(protoc("encode=ours.MRequest", text));
  ASSERT_TRUE(back) << back.error() << text;
  EXPECT_EQ(encode_protobuf(*back).value(), bytes);
  const std::string result = protoc("encode=ours.MResponse", "value { number: 3 text: 'x' }");
  EXPECT_EQ(decode_protobuf<std::vector<Inner>>(result).value().at(0).text, "x");
}

TEST(TypescriptWitness, tsc_takes_our_json_for_our_types) {
  const parley::testing::Witness witness;
  if (witness.ask("tsc --version").code != 0) {
    GTEST_SKIP() << "there is no tsc to ask (Debian: node-typescript)";
  }
  const std::vector<MethodShape> methods = {{.name = "/m",
                                             .parameters = &type_of<std::tuple<Message, bool>>(),
                                             .result = &type_of<std::vector<Inner>>()}};
  witness.write("ours.ts", typescript_of({}, methods));
  witness.write("right.ts",
                "import { Message, Methods } from \"./ours\";\nconst m: Message = " +
                    encode_json(message()).value() +
                    ";\nexport async function use(methods: Methods): Promise<string> {\n"
                    "  return methods[\"/m\"](m, true)[0].text;\n}\n");
  witness.write("wrong.ts",
                "import { Inner } from \"./ours\";\n"
                "export const wrong: Inner = { number: \"1\", text: \"\" };\n");
  const auto answer = witness.ask("tsc --noEmit --strict --target es2020 right.ts wrong.ts");
  EXPECT_NE(answer.code, 0);
  EXPECT_EQ(answer.out,
            "wrong.ts(2,31): error TS2322: Type 'string' is not assignable to type "
            "'number'.\n");
}

}  // namespace
}  // namespace parley::codec::schema_witness
