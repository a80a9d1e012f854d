#include "parley/codec/codec.h"

#include <algorithm>
#include <utility>

#include "parley/base/guard.h"
#include "parley/codec/form.h"
#include "parley/codec/json.h"
#include "parley/codec/msgpack.h"
#include "parley/codec/plain.h"
#include "parley/codec/protobuf.h"

namespace parley::codec {
namespace {

// A format whose functions take options of their own.
template <class Options, auto encode, auto decode>
Codec standard(char id, std::string name, std::vector<std::string> content_types) {
  return {.id = id,
          .name = std::move(name),
          .content_types = std::move(content_types),
          .encode = [](std::string& out, const Type& type, const void* object,
                       const Limits& limits) { return encode(out, type, object, limits, {}); },
          .decode =
              [](std::string_view bytes, const Type& type, void* object, const Limits& limits,
                 const DecodeOptions& asked) {
                Options options;
                if constexpr (requires { options.refuse_unknown_fields; }) {
                  options.refuse_unknown_fields = asked.refuse_unknown_fields;
                }
                options.refuse_views = asked.refuse_views;
                return decode(bytes, type, object, limits, options);
              }};
}

Status encode_protobuf_within(std::string& out, const Type& type, const void* object,
                              const Limits& limits, const ProtobufOptions& /*options*/) {
  return encode_protobuf_as(out, type, object, limits);
}

bool is_printable(char id) { return id > ' ' && id <= '~'; }

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

bool is_raw(const Type& type) { return type.kind == Kind::bytes && !type.bytes->is_text; }

// A codec is anybody's code, and so are parts of what its values are made of.
template <class Run>
Status run_guarded(const Codec& codec, Run run) {
  return guarded_status(run, [&](const Status& thrown) {
    return Status(Code::internal, "codec \"" + codec.name + "\" threw an exception")
        .with_cause(thrown.cause());
  });
}

std::string shown(char id) {
  return is_printable(id) ? "'" + std::string(1, id) + "'"
                          : std::to_string(static_cast<unsigned char>(id));
}

}  // namespace

CodecRegistry::CodecRegistry() {
  const auto put = [&](Codec codec) {
    codecs_.push_back(std::make_unique<const Codec>(std::move(codec)));
  };
  put(standard<JsonOptions, &encode_json_as, &decode_json_as>(json_id, "json",
                                                              {"application/json", "text/json"}));
  put(standard<ProtobufOptions, &encode_protobuf_within, &decode_protobuf_as>(
      protobuf_id, "protobuf",
      {"application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf"}));
  put(standard<MsgpackOptions, &encode_msgpack_as, &decode_msgpack_as>(
      msgpack_id, "msgpack",
      {"application/msgpack", "application/x-msgpack", "application/vnd.msgpack"}));
  put(standard<FormOptions, &encode_form_as, &decode_form_as>(
      form_id, "form", {"application/x-www-form-urlencoded"}));
  put(standard<PlainOptions, &encode_plain_as, &decode_plain_as>(plain_id, "plain",
                                                                 {"text/plain"}));
}

Status CodecRegistry::add(Codec codec) {
  const auto invalid = [&](const std::string& what) {
    return Status(Code::invalid_argument, "codec \"" + codec.name + "\": " + what);
  };
  if (codec.name.empty()) return {Code::invalid_argument, "a codec needs a name"};
  if (!is_printable(codec.id)) {
    return invalid("its id must be a printable character of ASCII, not " + shown(codec.id));
  }
  if (!codec.encode || !codec.decode) return invalid("it needs a function each way");
  for (std::string& type : codec.content_types) {
    type = lower_case(type);
    if (type.find('/') == std::string::npos || type.find_first_of("; \t") != std::string::npos) {
      return invalid("\"" + type + "\" is no media type without parameters");
    }
    if (const Codec* other = find_content_type(type)) {
      return {Code::already_exists, "codec \"" + codec.name + "\": \"" + type +
                                        "\" is the media type of \"" + other->name + "\""};
    }
  }
  const Codec* const same_id = find(codec.id);
  const Codec* const same = same_id != nullptr ? same_id : find_name(codec.name);
  if (same != nullptr) {
    return {Code::already_exists, "codec \"" + codec.name + "\" (" + shown(codec.id) +
                                      "): there is \"" + same->name + "\" (" + shown(same->id) +
                                      ") already"};
  }
  codecs_.push_back(std::make_unique<const Codec>(std::move(codec)));
  return {};
}

const Codec* CodecRegistry::find(char id) const noexcept {
  for (const auto& codec : codecs_) {
    if (codec->id == id) return codec.get();
  }
  return nullptr;
}

const Codec* CodecRegistry::find_name(std::string_view name) const noexcept {
  for (const auto& codec : codecs_) {
    if (codec->name == name) return codec.get();
  }
  return nullptr;
}

const Codec* CodecRegistry::find_content_type(std::string_view type) const {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  const std::string wanted = lower_case(type);
  for (const auto& codec : codecs_) {
    if (std::ranges::find(codec->content_types, wanted) != codec->content_types.end()) {
      return codec.get();
    }
  }
  return nullptr;
}

Status CodecRegistry::unknown(char id) const {
  if (id == no_codec_id) {
    return {Code::invalid_argument, "a value needs a codec: only bytes travel without one"};
  }
  std::string known;
  for (const auto& codec : codecs_) {
    known += (known.empty() ? "" : ", ") + codec->name + " (" + shown(codec->id) + ")";
  }
  return {Code::invalid_argument, "no codec has the id " + shown(id) + ": there are " + known};
}

Status CodecRegistry::encode(char id, std::string& out, const Type& type, const void* object,
                             const Limits& limits) const {
  const Codec* const codec = find(id);
  if (codec == nullptr && !(id == no_codec_id && is_raw(type))) return unknown(id);
  if (!is_raw(type)) {
    const std::size_t before = out.size();
    const Status status =
        run_guarded(*codec, [&] { return codec->encode(out, type, object, limits); });
    if (!status.is_ok() && out.size() > before) out.resize(before);
    return status;
  }
  std::string room;
  out += type.bytes->get(object, room);
  return {};
}

Status CodecRegistry::decode(char id, std::string_view body, const Type& type, void* object,
                             const Limits& limits, const DecodeOptions& options) const {
  const Codec* const codec = find(id);
  if (codec == nullptr && !(id == no_codec_id && is_raw(type))) return unknown(id);
  if (!is_raw(type)) {
    return run_guarded(*codec, [&] { return codec->decode(body, type, object, limits, options); });
  }
  // Nothing is gained over plain text, which is the bytes themselves.
  return decode_plain_as(body, type, object, limits, {.refuse_views = options.refuse_views});
}

}  // namespace parley::codec
