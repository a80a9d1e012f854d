#include "parley/peer/body.h"

namespace parley::impl {

Status require_json(const wire::Message& message) {
  if (message.body_codec == wire::BodyCodec::json) return {};
  if (message.body.empty()) {
    return {Code::invalid_argument, "the body is empty where arguments are expected"};
  }
  return {Code::invalid_argument, "body codec '" + std::string(name_of(message.body_codec)) +
                                      "' is not supported: use json"};
}

Status require_no_arguments(const wire::Message& message) {
  if (message.body.empty() || message.body == "null" || message.body == "[]") return {};
  return {Code::invalid_argument, "no arguments are expected, got a body of " +
                                      std::to_string(message.body.size()) + " bytes"};
}

Status require_array(std::string_view text, std::size_t arguments) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || text[begin] == '[') return {};
  return {Code::invalid_argument,
          std::to_string(arguments) + " arguments are expected, in an array, got a single value"};
}

std::string_view text_of(const Bytes& body, std::string& joined) {
  if (body.piece_count() == 1) return body.piece(0);
  joined = body.to_string();
  return joined;
}

}  // namespace parley::impl
