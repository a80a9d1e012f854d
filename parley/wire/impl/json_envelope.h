// The JSON object in which erpc's json framing and its WebSocket sub-protocol put a message.
// Private to wire. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "parley/base/status.h"
#include "parley/wire/erpc_limits.h"
#include "parley/wire/message.h"

namespace parley::wire::impl {

struct JsonEnvelope {
  std::string_view frame_name;  // "json frame": opens every error
  // Of the sub-protocol: the ids of transfer filters stand behind the body, and an ok status, which
  // erpc does not know there, is not written.
  bool is_sub_protocol = false;
};

// Of an envelope beside method, status, metadata and body: the longest numbers, all keys.
constexpr std::size_t most_json_overhead = 120;

// Reads `text` into `message`; `body` shows where in the text it stands, unless it had escapes and
// has become message.body. A method without escapes is a view of the text. Of the sub-protocol:
// message.filters are those that the body has yet to go back through.
Status read_json_envelope(std::string_view text, const JsonEnvelope& envelope,
                          const ErpcLimits& limits, Message& message, std::string_view& body);

// Appends everything up to the opening quote of the body, with at most `status_bytes` of status.
void put_json_head(std::string& out, const JsonEnvelope& envelope, const Message& message,
                   std::size_t status_bytes);
// What follows the body. `filters` stand there in the sub-protocol only.
std::string json_end(const JsonEnvelope& envelope, const FilterPipe& filters = {});

}  // namespace parley::wire::impl
