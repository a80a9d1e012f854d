// What gRPC says beside its messages, in fields of HTTP: how long a caller waits, metadata, and how
// a call ended. For both sides. Sans-I/O.
//
// All functions are pure.
//
//   write_grpc_timeout(250ms)                              // "250m"
//   put_grpc_metadata(metadata, response.headers);         // "-bin" in base64, both ways
//   put_grpc_status(status, trailers);                     // grpc-status, grpc-message, details
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/http/headers.h"
#include "parley/wire/metadata.h"

namespace parley::door {

// In the finest unit that has room for it in eight digits, rounded up; "0n" for what is over. What
// reads it is parse_timeout() (post.h).
[[nodiscard]] std::string write_grpc_timeout(Duration timeout);

// grpc-message: UTF-8 with what is no visible ASCII, and '%', as %41; cut before the character that
// would be beyond most_grpc_message_bytes, escapes and all. Reading takes anything: what is no
// escape stays as it is.
inline constexpr std::size_t most_grpc_message_bytes = 2048;
[[nodiscard]] std::string escape_grpc_message(std::string_view message);
[[nodiscard]] std::string unescape_grpc_message(std::string_view text);

// Whether fields of that name are metadata of the application: not those of gRPC ("grpc-...",
// content-type, te) and of HTTP itself. In any case.
[[nodiscard]] bool is_grpc_metadata(std::string_view name) noexcept;

// Whether a media type is one of gRPC or gRPC-Web: application/grpc, application/grpc-web+proto.
[[nodiscard]] bool is_grpc_type(std::string_view type) noexcept;

// Adds the metadata in these fields, names in lower case. A value of a name with "-bin" is bytes:
// base64 is undone, several values in one field are several entries. invalid_argument for what is
// no base64; what came before it is there.
Status take_grpc_metadata(const http::Headers& headers, wire::Metadata& metadata);
// Adds the field of one entry, or of each, names in lower case. False when something could not
// stand there and is left out: a name that is no token or none of the application's, a value
// without "-bin" that is no visible ASCII.
bool put_grpc_metadata(std::string_view key, std::string_view value, http::Headers& headers);
bool put_grpc_metadata(const wire::Metadata& metadata, http::Headers& headers);

// Adds grpc-status, grpc-message where there is one and, where the status carries a cause or a
// business code, grpc-status-details-bin: a google.rpc.Status whose detail is a
// google.rpc.ErrorInfo of the domain "parley" with metadata "cause" and "business_code". Behind it
// come the details of `details`, a google.rpc.Status as well (grpc_details.h).
void put_grpc_status(const Status& status, http::Headers& trailers, std::string_view details = {});
// How the call ended, by these fields; with the cause and business code that put_grpc_status()
// wrote. False when there is no grpc-status in them.
bool take_grpc_status(const http::Headers& trailers, Status& status);

}  // namespace parley::door
