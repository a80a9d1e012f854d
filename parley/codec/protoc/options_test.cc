// The options of protoc-gen-parley, and what it says when it cannot.
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "parley/codec/protoc/testing/run_protoc.h"

namespace parley::protoc {
namespace {

using testing::generate;
using testing::Outcome;

constexpr std::string_view times = R"(syntax = "proto3";
package a.b;
import "google/protobuf/timestamp.proto";
message Event { google.protobuf.Timestamp at = 1; }
)";

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

struct Refused {
  const char* name;
  std::string_view text;
  const char* options;
  const char* says;
};

void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.name; }

class ProtocRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(ProtocRefuses, with_a_sentence_and_writes_nothing) {
  const Refused& refused = GetParam();
  const Outcome outcome = generate("file", refused.text, refused.options);
  EXPECT_NE(outcome.code, 0);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(has(outcome.errors, refused.says)) << outcome.errors;
}

INSTANTIATE_TEST_SUITE_P(
    Protoc, ProtocRefuses,
    ::testing::Values(
        Refused{"proto2", "syntax = \"proto2\"; message M { required int32 a = 1; }", "",
                "file.proto: this file is proto2, and protoc-gen-parley reads proto3 only"},
        Refused{"no_syntax", "message M { optional int32 a = 1; }", "",
                "begin it with syntax = \"proto3\";"},
        Refused{"a_field_of_proto2",
                "syntax = \"proto3\"; import \"google/protobuf/descriptor.proto\";"
                "message M { map<string, google.protobuf.FileOptions> a = 1; }",
                "",
                "the field M.a has the type google.protobuf.FileOptions of "
                "google/protobuf/descriptor.proto, which is proto2"},
        Refused{
            "one_json_name_twice",
            "syntax = \"proto3\"; package p; message M { string a = 1 [json_name = \"x\"];"
            "int32 c = 3; oneof o { string b = 2 [json_name = \"x\"]; } }",
            "",
            "file.proto: the fields a and b of p.M are both called \"x\" in JSON, and could not "
            "be told apart there: give one of them another json_name"},
        Refused{"a_json_name_that_is_made_of_another_name",
                "syntax = \"proto3\"; message M { message N { string foo_bar = 1;"
                "string c = 2 [json_name = \"fooBar\"]; } }",
                "",
                "file.proto: the fields foo_bar and c of M.N are both called \"fooBar\" in JSON"},
        Refused{"unknown_option", times, "--parley_opt=keep",
                "unknown option 'keep': expected unknown_fields=skip or keep"},
        Refused{"unknown_fields", times, "--parley_opt=unknown_fields=yes",
                "the option unknown_fields is 'yes': expected skip or keep"},
        Refused{"times", times,
                "--parley_opt=times=", "the option times is '': expected message or chrono"},
        Refused{"empty_part", times, "--parley_opt=namespace=a::",
                "the option namespace is 'a::': expected names with :: between them"},
        Refused{"keyword", times, "--parley_opt=namespace=new", "the option namespace is 'new'"},
        Refused{"no_name", times, "--parley_opt=namespace=1a", "the option namespace is '1a'"}));

TEST(Protoc, json_names_may_be_those_of_other_fields) {
  const Outcome outcome = generate("file",
                                   "syntax = \"proto3\"; message M { string a = 1 [json_name = "
                                   "\"b\"]; string b = 2 [json_name = \"a\"]; }",
                                   "");
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_TRUE(has(outcome.out, ".json_name(\"b\")")) << outcome.out;
}

TEST(ProtocOptions, unknown_fields_have_a_member_when_they_are_kept) {
  constexpr std::string_view member = "parley::codec::UnknownFields unknown_fields;";
  EXPECT_FALSE(has(generate("file", times, "").out, member));
  EXPECT_FALSE(has(generate("file", times, "--parley_opt=unknown_fields=skip").out, member));
  EXPECT_TRUE(has(generate("file", times, "--parley_opt=unknown_fields=keep").out, member));
}

TEST(ProtocOptions, a_message_called_as_the_member_that_keeps_makes_way) {
  constexpr std::string_view named =
      "syntax = \"proto3\"; message unknown_fields { int32 unknown_fields = 1; }";
  EXPECT_TRUE(has(generate("file", named, "").out, "struct unknown_fields {"));
  const std::string kept = generate("file", named, "--parley_opt=unknown_fields=keep").out;
  EXPECT_TRUE(has(kept, "struct unknown_fields_ {")) << kept;
  EXPECT_TRUE(has(kept, "parley::codec::UnknownFields unknown_fields;")) << kept;
}

TEST(ProtocOptions, times_are_messages_or_those_of_chrono) {
  const std::string message = generate("file", times, "--parley_opt=times=message").out;
  EXPECT_TRUE(has(message, "std::optional<::parley::well_known::Timestamp> at;"));
  EXPECT_TRUE(has(message, "#include \"parley/codec/well_known.h\""));
  EXPECT_EQ(generate("file", times, "").out, message) << "it is the default";
  const std::string chrono = generate("file", times, "--parley_opt=times=chrono").out;
  EXPECT_TRUE(has(chrono, "std::optional<std::chrono::sys_time<std::chrono::nanoseconds>> at;"));
  EXPECT_FALSE(has(chrono, "well_known"));
}

TEST(ProtocOptions, the_namespace_goes_around_that_of_the_package) {
  EXPECT_TRUE(has(generate("file", times, "").out, "namespace a::b {"));
  EXPECT_TRUE(
      has(generate("file", times, "--parley_opt=namespace=x::y").out, "namespace x::y::a::b {"));
  EXPECT_TRUE(
      has(generate("file", "syntax = \"proto3\"; message M {}", "").out, "parley::fields<M>"));
}

TEST(ProtocOptions, what_streams_is_left_out_with_a_warning) {
  const Outcome outcome = generate("file", R"(syntax = "proto3";
message M {}
service S {
  rpc Up(stream M) returns (M);
  rpc Plain(M) returns (M);
}
)",
                                   "");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_TRUE(has(outcome.errors, "file.proto: warning: S.Up is left out: it streams"))
      << outcome.errors;
  EXPECT_TRUE(has(outcome.out, "// Up is left out: it streams"));
  EXPECT_TRUE(has(outcome.out, "virtual parley::Result<M> Plain(const M& request) = 0;"));
}

}  // namespace
}  // namespace parley::protoc
