#include "parley/codec/proto_file.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/schema.h"
#include "parley/codec/well_known.h"

namespace parley::codec {

enum class Leaf : std::uint8_t { green = 0, black = 4 };
struct Sort {
  std::string name;
  std::optional<int> year;
  std::optional<Leaf> leaf;
  std::map<std::string, double> grades;
  std::map<Leaf, bool> has;
  std::vector<std::vector<int>> rows;
  std::variant<int, std::string> mark;
  well_known::Struct more;
  std::chrono::system_clock::time_point at;
  std::unique_ptr<Sort> parent;
};

namespace {

ProtoFile tea_file() {
  const ProtoService shop{
      .name = "Shop",
      .methods = {
          {.name = "Find",
           .shape = {.parameters = &arguments_type<std::tuple<std::string, int>>(),
                     .result = &type_of<Sort>(),
                     .description = "Finds one."}},
          {.name = "Watch",
           .shape = {.parameters = &type_of<Sort>(), .result = &type_of<int>(), .is_stream = true},
           .gives_one = true}}};
  return proto_file({}, {&shop, 1}, {.package = "tea.v1", .name = "tea/v1.proto"});
}

const ProtoMessage& message_of(const ProtoFile& file, std::string_view name) {
  static const ProtoMessage none;
  for (const ProtoMessage& each : file.message_type) {
    if (each.name == name) return each;
  }
  ADD_FAILURE() << "no message " << name;
  return none;
}

TEST(ProtoFile, names_what_fields_are_in_full) {
  const ProtoFile file = tea_file();
  const ProtoMessage& sort = message_of(file, "Sort");
  ASSERT_EQ(sort.field.size(), 10U);
  EXPECT_EQ(sort.field[9].type_name, ".tea.v1.Sort");
  EXPECT_EQ(sort.field[7].type_name, ".google.protobuf.Struct");
  EXPECT_EQ(sort.field[2].type_name, ".tea.v1.Leaf");
  EXPECT_EQ(sort.field[2].type, ProtoKind::enumeration);
  EXPECT_EQ(file.dependency, (std::vector<std::string>{"google/protobuf/struct.proto",
                                                       "google/protobuf/timestamp.proto"}));
}

TEST(ProtoFile, presence_is_a_oneof_for_itself_and_a_map_has_its_entry) {
  const ProtoMessage sort = message_of(tea_file(), "Sort");
  EXPECT_TRUE(sort.field[1].proto3_optional);
  ASSERT_EQ(sort.oneof_decl.size(), 3U);
  EXPECT_EQ(sort.oneof_decl.at(static_cast<std::size_t>(*sort.field[1].oneof_index)).name, "_year");
  ASSERT_EQ(sort.nested_type.size(), 1U);
  EXPECT_EQ(sort.nested_type[0].name, "GradesEntry");
  EXPECT_EQ(sort.nested_type[0].options.value().map_entry, true);
  EXPECT_EQ(sort.field[3].type_name, ".tea.v1.Sort.GradesEntry");
  EXPECT_EQ(sort.field[3].label, ProtoLabel::repeated);
}

TEST(ProtoFile, a_stream_says_which_way_it_streams) {
  const ProtoFile file = tea_file();
  ASSERT_EQ(file.service.size(), 1U);
  const ProtoMethod& find = file.service[0].method[0];
  EXPECT_FALSE(find.client_streaming || find.server_streaming);
  EXPECT_EQ(find.input_type, ".tea.v1.FindRequest");
  EXPECT_EQ(find.output_type, ".tea.v1.Sort");
  const ProtoMethod& watch = file.service[0].method[1];
  EXPECT_TRUE(watch.client_streaming);
  EXPECT_FALSE(watch.server_streaming);
  EXPECT_EQ(watch.input_type, ".tea.v1.Sort") << "the messages themselves";
  EXPECT_NE(text_of(file).find("  // Finds one.\n  rpc Find(FindRequest) returns (Sort);\n"
                               "  rpc Watch(stream Sort) returns (WatchResponse);\n"),
            std::string::npos)
      << text_of(file);
}

TEST(ProtoFile, travels_and_comes_back) {
  const auto bytes = encode_protobuf(tea_file());
  ASSERT_TRUE(bytes) << bytes.error();
  const auto back = decode_protobuf<ProtoFile>(*bytes);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back->package, "tea.v1");
  EXPECT_EQ(back->enum_type.at(0).value.at(0).number, 0) << "told also where it is zero";
  EXPECT_EQ(encode_protobuf(*back).value(), *bytes);
}

TEST(ProtoFile, names_that_are_reserved_are_nobodys) {
  const ProtoFile file = proto_file(types_of<Sort>(), {}, {.reserved = {"Sort"}});
  EXPECT_EQ(file.message_type.back().name, "Sort2");
  EXPECT_EQ(proto_file(types_of<Sort>(), {}, {}).message_type.back().name, "Sort");
}

TEST(ProtoFile, knows_those_of_protobuf) {
  const auto file = well_known_proto_file("google/protobuf/struct.proto");
  ASSERT_TRUE(file);
  EXPECT_EQ(message_of(*file, "Value").field.at(0).type_name, ".google.protobuf.NullValue");
  EXPECT_EQ(message_of(*file, "Value").oneof_decl.at(0).name, "choice_1");
  EXPECT_EQ(file->enum_type.at(0).value.at(0).name, "NULL_VALUE");
  EXPECT_EQ(message_of(*well_known_proto_file("google/protobuf/wrappers.proto"), "BytesValue")
                .field.at(0)
                .type,
            ProtoKind::bytes);
  EXPECT_FALSE(well_known_proto_file("google/protobuf/descriptor.proto"));
}

// protoc takes our bytes for a file, and finds nothing in it to complain of.
TEST(ProtoFileWitness, protoc_reads_messages_by_it) {
  const testing::Witness witness;
  if (witness.ask("protoc --version").code != 0) {
    GTEST_SKIP() << "there is no protoc to ask (Debian: protobuf-compiler)";
  }
  std::vector<ProtoFile> files;
  for (const char* name :
       {"timestamp", "struct", "duration", "any", "wrappers", "empty", "field_mask"}) {
    files.push_back(*well_known_proto_file("google/protobuf/" + std::string(name) + ".proto"));
  }
  files.push_back(tea_file());
  std::string bytes;
  for (const ProtoFile& file : files) {
    const std::string one = encode_protobuf(std::tuple<ProtoFile, bool>(file, false)).value();
    bytes += one;  // field 1 of a FileDescriptorSet
  }
  witness.write("set.bin", bytes);
  Sort sort;
  sort.name = "assam";
  sort.year = 0;
  sort.leaf = Leaf::black;
  sort.grades["top"] = 1.5;
  sort.has[Leaf::black] = true;
  sort.rows = {{1, 2}};
  sort.mark = "good";
  const std::string ours = encode_protobuf(sort).value();
  const std::string text =
      witness.output_of("protoc --descriptor_set_in=set.bin --decode=tea.v1.Sort", ours);
  EXPECT_NE(text.find("name: \"assam\"\nyear: 0\nleaf: LEAF_BLACK\ngrades {\n  key: \"top\""),
            std::string::npos)
      << text;
  EXPECT_EQ(
      witness.output_of("protoc --descriptor_set_in=set.bin --encode=tea.v1.Sort", text).size(),
      ours.size());
}

}  // namespace
}  // namespace parley::codec
