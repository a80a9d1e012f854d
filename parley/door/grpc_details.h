// Details of an error of gRPC: messages beside its status, such as those of google/rpc/
// error_details.proto. They travel as google.rpc.Status in grpc-status-details-bin, which every
// gRPC knows.
//
// All functions are pure.
//
//   struct RetryInfo { Wait retry_delay; };          // google.rpc.RetryInfo
//
//   // A handler, unary or of a stream:
//   auto retry = make_grpc_detail("google.rpc.RetryInfo", RetryInfo{{.seconds = 3}});
//   if (retry) set_grpc_details({*retry}, context.reply_metadata());
//   return Status(Code::unavailable, "closed for lunch");
//
//   // A caller, with the trailing metadata of a GrpcCall or of GrpcAnswerMetadata:
//   const GrpcDetails details = grpc_details_of(call.trailing_metadata());
//   auto retry = find_grpc_detail<RetryInfo>(details, "google.rpc.RetryInfo");
//
// The cause and business code of a Status are such a detail, too, and need no word of this: see
// put_grpc_status().
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/protobuf.h"
#include "parley/http/headers.h"
#include "parley/wire/metadata.h"

namespace parley::door {

// As protobuf's Any.
struct GrpcDetail {
  // The full name of the message behind a '/': "type.googleapis.com/google.rpc.RetryInfo".
  std::string type_url{};
  std::string value{};  // the message
  friend bool operator==(const GrpcDetail&, const GrpcDetail&) = default;
};
using GrpcDetails = std::vector<GrpcDetail>;

// The name under which details lie in metadata, as a google.rpc.Status.
inline constexpr std::string_view grpc_details_key = "grpc-status-details-bin";
// What a server sends of that at most. Details that do not fit are left out, so are messages and
// causes beyond a third of it: many clients take 8 KiB of metadata and no byte more.
inline constexpr std::size_t most_grpc_details_bytes = 3072;

// Puts the details there, in place of any that are. They travel when the handler fails.
void set_grpc_details(const GrpcDetails& details, wire::Metadata& reply_metadata);
// Those of an answer, that of put_grpc_status() among them. Empty where there are none, or none
// that can be read.
[[nodiscard]] GrpcDetails grpc_details_of(const wire::Metadata& trailing_metadata);

// The detail that `message` is, of the full name `type`: "google.rpc.RetryInfo". Errors as of
// encode_protobuf().
template <class T>
Result<GrpcDetail> make_grpc_detail(std::string_view type, const T& message) {
  auto bytes = codec::encode_protobuf(message);
  if (!bytes) return bytes.error();
  return GrpcDetail{"type.googleapis.com/" + std::string(type), *std::move(bytes)};
}
// The first one of that type, whatever stands before the '/'. Null when there is none.
[[nodiscard]] const GrpcDetail* find_grpc_detail(const GrpcDetails& details, std::string_view type);
// Its message; nothing when there is none. Errors as of decode_protobuf().
template <class T>
Result<std::optional<T>> find_grpc_detail(const GrpcDetails& details, std::string_view type) {
  const GrpcDetail* const found = find_grpc_detail(details, type);
  if (found == nullptr) return std::optional<T>();
  auto message = codec::decode_protobuf<T>(found->value);
  if (!message) return message.error();
  return std::optional<T>(*std::move(message));
}

// For both sides of a call, below grpc_head.h. The google.rpc.Status that says this of `status`,
// with the details of `given`, which is one as well; empty when there is nothing to say.
[[nodiscard]] std::string write_grpc_details(const Status& status, std::string_view given);
// `status` with the cause and business code that write_grpc_details() wrote.
[[nodiscard]] Status with_grpc_details(const Status& status, std::string_view bytes);
// Adds what lies in these trailers as grpc_details_key.
void take_grpc_details(const http::Headers& trailers, wire::Metadata& metadata);

}  // namespace parley::door
