// The protobuf message in which erpc's pb framing and its WebSocket sub-protocol put a message.
// Private to wire. Pure functions.
//
// Why not codec's reader: it fills structs, and so would copy the body, which shall share the
// frame's block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/status.h"
#include "parley/wire/erpc_limits.h"
#include "parley/wire/message.h"

namespace parley::wire::impl {

// The numbers of the fields; 0: there is none. seq, mtype and serviceMethod are 1, 2, 3 in both.
struct PbEnvelope {
  std::string_view frame_name;  // "pb frame": opens every error
  std::uint32_t status = 0;
  std::uint32_t metadata = 0;
  std::uint32_t body_codec = 0;
  std::uint32_t body = 0;
  std::uint32_t filters = 0;
  // An ok status, which erpc does not know in this envelope, is not written.
  bool leaves_out_ok = false;
};

// Of an envelope beside method, status, metadata and body: all tags, lengths and numbers.
constexpr std::size_t most_pb_overhead = 40;

// Reads `bytes` into `message`; method and `body` show where in the bytes they stand.
// message.filters, where the envelope has them, are those that the body has yet to go back through.
Status read_pb_envelope(std::string_view bytes, const PbEnvelope& envelope,
                        const ErpcLimits& limits, Message& message, std::string_view& body);

// Appends every field but the body, and what precedes the body's `body_bytes`; of the status at
// most `status_bytes`. The body is the last field, but for the filters.
void put_pb_head(std::string& out, const PbEnvelope& envelope, const Message& message,
                 std::size_t status_bytes, std::size_t body_bytes);
// Appends what follows the body in an envelope that has filters.
void put_pb_filters(std::string& out, const PbEnvelope& envelope, const FilterPipe& filters);

}  // namespace parley::wire::impl
