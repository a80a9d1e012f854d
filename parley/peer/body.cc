#include "parley/peer/body.h"

#include <cstddef>

namespace parley::impl {

Status require_json(wire::BodyCodec codec, const Bytes& body) {
  if (codec != wire::BodyCodec::json && body.empty()) {
    return {Code::invalid_argument, "the body is empty where arguments are expected"};
  }
  return require_json(codec);
}

Status require_json(wire::BodyCodec codec) {
  if (codec == wire::BodyCodec::json) return {};
  return {Code::invalid_argument,
          "body codec '" + std::string(name_of(codec)) + "' is not supported: use json"};
}

namespace {

// Ok for the body of a call without arguments: nothing, null, [] or {}.
Status require_no_arguments(const wire::Message& message) {
  for (const std::string_view nothing : {"", "null", "[]", "{}"}) {
    if (message.body == nothing) return {};
  }
  return {Code::invalid_argument, "no arguments are expected, got a body of " +
                                      std::to_string(message.body.size()) + " bytes"};
}

// Ok when `text` begins as what holds several arguments.
Status require_several(std::string_view text, const codec::Members& members) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || text[begin] == '[') return {};
  if (text[begin] == '{' && members.are_parameters()) return {};
  return {Code::invalid_argument,
          std::to_string(members.fields().size()) + " arguments are expected, in an array" +
              (members.are_parameters() ? " or by name" : "") + ", got a single value"};
}

}  // namespace

Status decode_arguments_as(const wire::Message& message, const codec::Type& type, void* arguments) {
  const codec::Body<void> body = codec::body_of(type, arguments);
  if (body.type == nullptr) return require_no_arguments(message);
  if (Status s = require_json(message.body_codec, message.body); !s.is_ok()) return s;
  std::string joined;
  const std::string_view text = text_of(message.body, joined);
  if (body.type == &type) {
    if (Status s = require_several(text, type.members()); !s.is_ok()) return s;
  }
  return codec::decode_json_as(text, *body.type, body.object, {}, body_options);
}

std::string_view text_of(const Bytes& body, std::string& joined) {
  if (body.piece_count() == 1) return body.piece(0);
  joined = body.to_string();
  return joined;
}

}  // namespace parley::impl
