#include "parley/codec/codec.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "parley/codec/json.h"

namespace parley::codec::codec_test {
namespace {

struct Cup {
  std::string tea;
  std::int32_t degrees = 0;
  friend bool operator==(const Cup&, const Cup&) = default;
};

// The members as text, one in each line.
Codec lines() {
  return {.id = 'l',
          .name = "lines",
          .content_types = {"text/x-lines"},
          .encode =
              [](std::string& out, const Type& type, const void* object, const Limits& limits) {
                for (const Field& field : type.members().fields()) {
                  const auto* const member = static_cast<const char*>(object) + field.offset;
                  if (Status s = encode_json_as(out, *field.type, member, limits); !s.is_ok()) {
                    return s;
                  }
                  out += '\n';
                }
                return Status();
              },
          .decode =
              [](std::string_view bytes, const Type& type, void* object, const Limits& limits,
                 const DecodeOptions&) {
                for (const Field& field : type.members().fields()) {
                  const std::size_t end = bytes.find('\n');
                  auto* const member = static_cast<char*>(object) + field.offset;
                  const Status s =
                      decode_json_as(bytes.substr(0, end), *field.type, member, limits);
                  if (!s.is_ok()) return s;
                  bytes.remove_prefix(end + 1);
                }
                return Status();
              }};
}

TEST(Codecs, have_the_ids_and_names_of_teleport) {
  const CodecRegistry codecs;
  const std::map<std::string, char> names = {
      {"json", 'j'}, {"protobuf", 'p'}, {"msgpack", 'm'}, {"form", 'f'}, {"plain", 's'}};
  for (const auto& [name, id] : names) {
    ASSERT_NE(codecs.find(id), nullptr);
    EXPECT_EQ(codecs.find(id)->name, name);
    EXPECT_EQ(codecs.find_name(name), codecs.find(id));
  }
  EXPECT_EQ(codecs.find('x'), nullptr);
  EXPECT_EQ(codecs.find_name("xml"), nullptr);
}

TEST(Codecs, are_found_by_media_type) {
  const CodecRegistry codecs;
  const auto id_of = [&](std::string_view type) {
    const Codec* const codec = codecs.find_content_type(type);
    return codec == nullptr ? '-' : codec->id;
  };
  EXPECT_EQ(id_of("application/json"), 'j');
  EXPECT_EQ(id_of("Application/JSON ; charset=utf-8"), 'j');
  EXPECT_EQ(id_of("application/x-protobuf"), 'p');
  EXPECT_EQ(id_of("application/vnd.msgpack"), 'm');
  EXPECT_EQ(id_of("application/x-www-form-urlencoded"), 'f');
  EXPECT_EQ(id_of("text/plain;charset=utf-8"), 's');
  EXPECT_EQ(id_of("text/html"), '-');
  EXPECT_EQ(id_of(""), '-');
}

TEST(Codecs, carry_one_value_each_in_its_own_bytes) {
  const CodecRegistry codecs;
  const Cup cup{.tea = "oolong", .degrees = 85};
  const std::map<char, std::string> bodies = {{'j', R"({"tea":"oolong","degrees":85})"},
                                              {'p', "\x0a\x06oolong\x10U"},
                                              {'m',
                                               "\x82\xa3tea\xa6oolong\xa7"
                                               "degreesU"},
                                              {'f', "tea=oolong&degrees=85"}};
  for (const auto& [id, expected] : bodies) {
    std::string body = "before ";
    ASSERT_TRUE(codecs.encode(id, body, type_of<Cup>(), &cup).is_ok());
    EXPECT_EQ(body, "before " + expected);
    Cup read;
    ASSERT_TRUE(codecs.decode(id, expected, type_of<Cup>(), &read).is_ok());
    EXPECT_EQ(read, cup);
  }
  const std::int32_t number = 85;
  std::string body;
  ASSERT_TRUE(codecs.encode('s', body, type_of<std::int32_t>(), &number).is_ok());
  EXPECT_EQ(body, "85");
}

TEST(Codecs, limits_and_options_reach_the_format) {
  const CodecRegistry codecs;
  for (const auto& [id, body] : std::map<char, std::string>{{'j', R"({"tea":"a","more":1})"},
                                                            {'m',
                                                             "\x82\xa3tea\xa1"
                                                             "a\xa4more\x01"},
                                                            {'p',
                                                             "\x0a\x01"
                                                             "a\x48\x01"},
                                                            {'f', "tea=a&more=1"}}) {
    Cup cup;
    EXPECT_TRUE(codecs.decode(id, body, type_of<Cup>(), &cup).is_ok()) << id;
    EXPECT_EQ(
        codecs.decode(id, body, type_of<Cup>(), &cup, {}, {.refuse_unknown_fields = true}).code(),
        Code::invalid_argument)
        << id;
    EXPECT_EQ(codecs.decode(id, body, type_of<Cup>(), &cup, {.max_bytes = 3}).code(),
              Code::resource_exhausted)
        << id;
  }
  std::string_view view;
  EXPECT_TRUE(codecs.decode('j', R"("a")", type_of<std::string_view>(), &view).is_ok());
  EXPECT_FALSE(
      codecs.decode('j', R"("a")", type_of<std::string_view>(), &view, {}, {.refuse_views = true})
          .is_ok());
}

TEST(Codecs, the_limits_of_the_caller_count_in_plain_text_too) {
  const CodecRegistry codecs;
  const Json nested{"[[]]"};
  std::string out;
  EXPECT_EQ(codecs.encode('s', out, type_of<Json>(), &nested, {.max_depth = 1}).code(),
            Code::resource_exhausted);
  EXPECT_EQ(out, "");
}

TEST(Codecs, bytes_pass_through_and_nothing_else_travels_without_a_codec) {
  const CodecRegistry codecs;
  const std::vector<std::byte> bytes = {std::byte{0}, std::byte{'"'}, std::byte{255}};
  for (const char id : {no_codec_id, json_id, plain_id}) {
    std::string body;
    ASSERT_TRUE(codecs.encode(id, body, type_of<std::vector<std::byte>>(), &bytes).is_ok());
    EXPECT_EQ(body, std::string("\0\"\xff", 3));
    std::vector<std::byte> read;
    ASSERT_TRUE(codecs.decode(id, body, type_of<std::vector<std::byte>>(), &read).is_ok());
    EXPECT_EQ(read, bytes);
    EXPECT_EQ(codecs
                  .decode(id, body, type_of<std::vector<std::byte>>(), &read,
                          {.max_bytes = 2, .max_string_bytes = 2})
                  .code(),
              Code::resource_exhausted);
    std::span<const std::byte> shown;
    EXPECT_TRUE(codecs.decode(id, body, type_of<std::span<const std::byte>>(), &shown).is_ok());
    EXPECT_EQ(static_cast<const void*>(shown.data()), body.data());
    EXPECT_FALSE(codecs
                     .decode(id, body, type_of<std::span<const std::byte>>(), &shown, {},
                             {.refuse_views = true})
                     .is_ok());
  }
  std::string body;
  const int number = 1;
  EXPECT_EQ(codecs.encode(no_codec_id, body, type_of<int>(), &number).message(),
            "a value needs a codec: only bytes travel without one");
  EXPECT_EQ(codecs.encode('q', body, type_of<int>(), &number).message(),
            "no codec has the id 'q': there are json ('j'), protobuf ('p'), msgpack ('m'), form "
            "('f'), plain ('s')");
  EXPECT_EQ(codecs.encode('q', body, type_of<std::vector<std::byte>>(), &bytes).code(),
            Code::invalid_argument);
}

TEST(Codecs, of_ones_own_are_added_and_used_as_the_others) {
  CodecRegistry codecs;
  ASSERT_TRUE(codecs.add(lines()).is_ok());
  const Cup cup{.tea = "a\nb", .degrees = 3};
  std::string body;
  ASSERT_TRUE(codecs.encode('l', body, type_of<Cup>(), &cup).is_ok());
  EXPECT_EQ(body, "\"a\\nb\"\n3\n");
  Cup read;
  ASSERT_TRUE(codecs.decode('l', body, type_of<Cup>(), &read).is_ok());
  EXPECT_EQ(read, cup);
  EXPECT_EQ(codecs.find_content_type("text/x-lines")->id, 'l');
  EXPECT_EQ(CodecRegistry().find('l'), nullptr);
}

TEST(Codecs, what_would_not_be_found_or_is_taken_is_refused) {
  CodecRegistry codecs;
  const auto error = [&](void (*change)(Codec&)) {
    Codec codec = lines();
    change(codec);
    return codecs.add(std::move(codec));
  };
  EXPECT_EQ(error([](Codec& c) { c.id = 'j'; }).to_string(),
            "already_exists: codec \"lines\" ('j'): there is \"json\" ('j') already");
  EXPECT_EQ(error([](Codec& c) { c.name = "json"; }).code(), Code::already_exists);
  EXPECT_EQ(error([](Codec& c) { c.content_types = {"TEXT/Plain"}; }).message(),
            "codec \"lines\": \"text/plain\" is the media type of \"plain\"");
  EXPECT_EQ(error([](Codec& c) { c.content_types = {"lines"}; }).code(), Code::invalid_argument);
  EXPECT_EQ(error([](Codec& c) { c.id = '\n'; }).message(),
            "codec \"lines\": its id must be a printable character of ASCII, not 10");
  EXPECT_EQ(error([](Codec& c) { c.name = ""; }).code(), Code::invalid_argument);
  EXPECT_EQ(error([](Codec& c) { c.encode = nullptr; }).code(), Code::invalid_argument);
  EXPECT_EQ(error([](Codec& c) { c.decode = nullptr; }).code(), Code::invalid_argument);
  EXPECT_TRUE(error([](Codec&) {}).is_ok());
}

TEST(Codec, one_that_throws_fails_with_internal_and_leaves_what_was_written_before) {
  CodecRegistry codecs;
  ASSERT_TRUE(
      codecs
          .add({.id = 'q',
                .name = "quirky",
                .encode = [](std::string& out, const Type&, const void*, const Limits&) -> Status {
                  out += "half of it";
                  throw std::runtime_error("no more ink");
                },
                .decode = [](std::string_view, const Type&, void*, const Limits&,
                             const DecodeOptions&) -> Status {
                  throw std::runtime_error("no glasses");
                }})
          .is_ok());
  int value = 1;
  std::string out = "before";
  const Status written = codecs.encode('q', out, type_of<int>(), &value);
  EXPECT_EQ(written.code(), Code::internal);
  EXPECT_EQ(written.message(), "codec \"quirky\" threw an exception");
  EXPECT_EQ(written.cause(), "no more ink");
  EXPECT_EQ(out, "before");
  EXPECT_EQ(codecs.decode('q', out, type_of<int>(), &value).cause(), "no glasses");
}

}  // namespace
}  // namespace parley::codec::codec_test
