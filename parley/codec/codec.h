// Codecs by id, name and media type: which format a body is in is said where it travels, not where
// it is used. The ids and names of json, protobuf, plain and form are Teleport's; MessagePack,
// which it lacks, is 'm'. XML joins from its own library (xml/xml.h), others from wherever they
// are:
//
//   codec::CodecRegistry codecs;                       // json, protobuf, msgpack, form, plain
//   Status added = codecs.add({.id = 'b', .name = "mine", .content_types = {"application/mine"},
//                              .encode = ..., .decode = ...});
//   std::string body;
//   Status status = codecs.encode('j', body, codec::type_of<Order>(), &order);
//
// Bytes pass through every codec as they are: std::vector<std::byte>, Bytes and std::span of bytes
// as the whole body are the body. Id 0 is no codec: nothing but them, and empty bodies.
//
// What is written to (`out`) must be no part of the value, and what is decoded into must not own
// the body.
//
// Fiber-safe as a standard container: once it is filled, any number may read.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/limits.h"
#include "parley/codec/type.h"

namespace parley::codec {

inline constexpr char no_codec_id = 0;
inline constexpr char json_id = 'j';
inline constexpr char protobuf_id = 'p';
inline constexpr char msgpack_id = 'm';
inline constexpr char form_id = 'f';
inline constexpr char plain_id = 's';
inline constexpr char xml_id = 'x';

// What every codec can be asked for when it decodes.
struct DecodeOptions {
  bool refuse_unknown_fields = false;  // what is said beside a type goes before
  bool refuse_views = false;  // types that show parts of the input, where it does not live on
};
inline constexpr DecodeOptions default_decode_options{};

// One format. encode() appends to `out` and leaves it as it was on an error; decode() leaves a
// valid object behind. Both are called by many fibers at the same time.
struct Codec {
  char id = no_codec_id;  // a printable character of ASCII
  std::string name{};
  // The first one is written, all are found: "application/json", in lower case, no parameters.
  std::vector<std::string> content_types{};
  std::function<Status(std::string& out, const Type& type, const void* object,
                       const Limits& limits)>
      encode{};
  std::function<Status(std::string_view bytes, const Type& type, void* object, const Limits& limits,
                       const DecodeOptions& options)>
      decode{};
};

class CodecRegistry {
 public:
  // With json, protobuf, msgpack, form and plain.
  CodecRegistry();

  // already_exists when its id, its name or one of its media types is taken; invalid_argument for a
  // codec without a name, a function or a printable id.
  Status add(Codec codec);

  // Null when there is none. What they point to stays where it is.
  [[nodiscard]] const Codec* find(char id) const noexcept;
  [[nodiscard]] const Codec* find_name(std::string_view name) const noexcept;
  // As in a Content-Type header: parameters behind ';' do not count, capitals neither.
  [[nodiscard]] const Codec* find_content_type(std::string_view type) const;

  // Appends the body. Fails as the codec does, with internal when that threw an exception, and with
  // invalid_argument for an id that is not there, which names those that are, and for a value
  // without a codec.
  Status encode(char id, std::string& out, const Type& type, const void* object,
                const Limits& limits = default_limits) const;
  Status decode(char id, std::string_view body, const Type& type, void* object,
                const Limits& limits = default_limits,
                const DecodeOptions& options = default_decode_options) const;

 private:
  [[nodiscard]] Status unknown(char id) const;

  std::vector<std::unique_ptr<const Codec>> codecs_;
};

}  // namespace parley::codec
