// The payloads of erpc's WebSocket sub-protocols, docs/protocols/erpc-ws.md: one WebSocket message
// is one Message, in JSON or in protobuf. What a WebSocket is, is not known here.
//
// Pure functions.
//
//   std::string payload;
//   Status status = encode_ws_json(message, payload);
//   Result<Message> back = decode_ws_json(Bytes::from(payload));
#pragma once

#include <string>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/wire/erpc_limits.h"
#include "parley/wire/message.h"

namespace parley::wire {

// Appends the message. The status of a reply that is not ok stands in a key (JSON: "status") or
// field (protobuf: 8) that erpc's peers skip: they take the reply for a success without a body.
//
// Errors, which leave `out` as it was: what is none of Teleport's five types, or a body in parts
// (unimplemented); a method of more than 255 bytes (invalid_argument); more entries than
// max_metadata_entries or a payload of more than max_frame_bytes (resource_exhausted); those of
// apply_filters(), through which the body goes alone. A status that is too long is cut
// (status_text.h).
Status encode_ws_json(const Message& message, std::string& out, const ErpcLimits& limits = {});
Status encode_ws_pb(const Message& message, std::string& out, const ErpcLimits& limits = {});

// Reads a whole payload. Method and body share its blocks where they can; a payload of several
// pieces is joined first.
//
// Errors: a payload of more than max_frame_bytes or more entries than max_metadata_entries
// (resource_exhausted); those of undo_filters() for a body that went through transfer filters, with
// max_frame_bytes as their limit; a broken one (invalid_argument, with the place). The stream of
// messages goes on behind a broken one, unlike with framings: the boundaries are WebSocket's.
Result<Message> decode_ws_json(Bytes payload, const ErpcLimits& limits = {});
Result<Message> decode_ws_pb(Bytes payload, const ErpcLimits& limits = {});

}  // namespace parley::wire
