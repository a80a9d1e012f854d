#include "parley/peer/body.h"

#include <cstddef>

#include "parley/codec/codec.h"
#include "parley/codec/json.h"

namespace parley::impl {
namespace {

using wire::BodyCodec;

// What is decoded outlives the message it came in.
constexpr codec::JsonOptions json_options{.refuse_views = true};
constexpr codec::DecodeOptions decode_options{.refuse_views = true};

char id_of(BodyCodec codec) { return static_cast<char>(codec); }

bool is_raw(const codec::Type& type) {
  return type.kind == codec::Kind::bytes && !type.bytes->is_text;
}

// The text in one piece: in place when it is, else copied to `joined`.
std::string_view text_of(const Bytes& body, std::string& joined) {
  if (body.piece_count() == 1) return body.piece(0);
  joined = body.to_string();
  return joined;
}

// Ok for the body of a call without arguments: nothing, null, [] or {}, in JSON or MessagePack. In
// a codec of none an empty body is all that comes.
Status require_no_arguments(const wire::Message& message) {
  for (const std::string_view nothing : {"", "null", "[]", "{}", "\xc0", "\x90", "\x80"}) {
    if (message.body == nothing) return {};
  }
  return {Code::invalid_argument, "no arguments are expected, got a body of " +
                                      std::to_string(message.body.size()) + " bytes"};
}

// What a JSON text begins with; 0 when that is nothing.
char first_of(const Bytes& text) {
  for (std::size_t i = 0; i < text.piece_count(); ++i) {
    const std::string_view piece = text.piece(i);
    const std::size_t begin = piece.find_first_not_of(" \t\r\n");
    if (begin != std::string_view::npos) return piece[begin];
  }
  return 0;
}

// Ok when `text` begins as what holds several arguments.
Status require_several(const Bytes& text, const codec::Members& members) {
  const char first = first_of(text);
  if (first == 0 || first == '[' || (first == '{' && members.are_parameters())) return {};
  return {Code::invalid_argument,
          std::to_string(members.fields().size()) + " arguments are expected, in an array" +
              (members.are_parameters() ? " or by name" : "") + ", got a single value"};
}

// In JSON each is written by itself, so that nothing but the values is made for it.
Status encode_json_list(const PeerOptions& options, std::string& out,
                        std::span<const void* const> arguments,
                        std::span<const codec::Type* const> types) {
  const std::size_t before = out.size();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    out += i == 0 ? '[' : ',';
    Status status = encode_value_as(options, BodyCodec::json, out, *types[i], arguments[i]);
    if (status.is_ok()) continue;
    out.resize(before);
    return status.with_context("argument " + std::to_string(i + 1));
  }
  out += ']';
  return {};
}

}  // namespace

Status encode_arguments_as(const PeerOptions& options, BodyCodec codec, std::string& out,
                           std::span<const void* const> arguments,
                           std::span<const codec::Type* const> types,
                           const codec::ArgumentList* several) {
  if (codec == BodyCodec::json) return encode_json_list(options, out, arguments, types);
  return codecs_of(options).encode(id_of(codec), out, several->type(),
                                   static_cast<const void*>(arguments.data()),
                                   options.codec_limits);
}

Status encode_value_as(const PeerOptions& options, BodyCodec codec, std::string& out,
                       const codec::Type& type, const void* value) {
  if (codec == BodyCodec::json && !is_raw(type)) {
    return codec::encode_json_as(out, type, value, options.codec_limits);
  }
  return codecs_of(options).encode(id_of(codec), out, type, value, options.codec_limits);
}

Status decode_value_as(const PeerOptions& options, BodyCodec codec, const Bytes& body,
                       const codec::Type& type, void* value) {
  if (codec == BodyCodec::none && body.empty() && !is_raw(type)) {
    return {Code::invalid_argument, "the body is empty where a value is expected"};
  }
  std::string joined;
  const std::string_view text = text_of(body, joined);
  if (codec == BodyCodec::json && !is_raw(type)) {
    return codec::decode_json_as(text, type, value, options.codec_limits, json_options);
  }
  return codecs_of(options).decode(id_of(codec), text, type, value, options.codec_limits,
                                   decode_options);
}

Status unlike_result(const wire::Message& message, std::string_view method, Status status) {
  const bool is_empty = message.body_codec == BodyCodec::none && message.body.empty();
  if (is_empty) {
    status = Status(Code::invalid_argument, "the body is empty where a result is expected");
  }
  return status.with_context(method.empty() ? "the answer"
                                            : "the answer of " + std::string(method));
}

Status decode_arguments_as(const PeerOptions& options, const wire::Message& message,
                           const codec::Type& type, void* arguments) {
  const codec::Body<void> body = codec::body_of(type, arguments);
  if (body.type == nullptr) return require_no_arguments(message);
  if (body.type == &type && message.body_codec == BodyCodec::json) {
    if (Status s = require_several(message.body, type.members()); !s.is_ok()) return s;
  }
  if (message.body_codec == BodyCodec::none && message.body.empty()) {
    return {Code::invalid_argument, "the body is empty where arguments are expected"};
  }
  return decode_value_as(options, message.body_codec, message.body, *body.type, body.object);
}

const codec::CodecRegistry& codecs_of(const PeerOptions& options) {
  static const codec::CodecRegistry standard;
  return options.codecs != nullptr ? *options.codecs : standard;
}

bool is_known(const PeerOptions& options, BodyCodec codec) {
  return codecs_of(options).find(id_of(codec)) != nullptr;
}

Status require_known(const PeerOptions& options, BodyCodec codec) {
  if (codec == BodyCodec::none || is_known(options, codec)) return {};
  bool nothing = false;  // what says so
  return codecs_of(options).decode(id_of(codec), {}, codec::type_of<bool>(), &nothing);
}

}  // namespace parley::impl
