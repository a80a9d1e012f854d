#include "parley/door/grpc_details.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>

#include "parley/base/base64.h"
#include "parley/codec/reflect.h"
#include "parley/door/status_table.h"

namespace parley::door {

// google.rpc.Status and what it may hold, as protobuf has them.
struct RpcAny {
  std::string type_url;
  std::vector<std::byte> value;
};
struct RpcStatus {
  std::int32_t code = 0;
  std::string message;
  std::vector<RpcAny> details;
};
struct RpcErrorInfo {
  std::string reason;
  std::string domain;
  std::map<std::string, std::string> metadata;
};

namespace {

constexpr std::string_view info_type = "google.rpc.ErrorInfo";
constexpr std::string_view domain = "parley";
constexpr std::size_t most_text_bytes = most_grpc_details_bytes / 3;
// Of a detail beside its type and bytes: tags and lengths.
constexpr std::size_t detail_cost = 16;

// The first `most` bytes, and no part of a character.
std::string cut(std::string_view text, std::size_t most) {
  if (text.size() > most) {
    while (most > 0 && (static_cast<std::uint8_t>(text[most]) & 0xC0U) == 0x80U) --most;
    text = text.substr(0, most);
  }
  return std::string(text);
}

std::string_view text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

RpcAny any_of(const GrpcDetail& detail) {
  const auto* const first = reinterpret_cast<const std::byte*>(detail.value.data());
  return {.type_url = detail.type_url, .value = {first, first + detail.value.size()}};
}

GrpcDetails read(std::string_view bytes) {
  GrpcDetails details;
  const auto rpc = codec::decode_protobuf<RpcStatus>(bytes);
  if (!rpc) return details;
  for (const RpcAny& any : rpc->details) {
    details.push_back({any.type_url, std::string(text_of(any.value))});
  }
  return details;
}

bool is_own(const GrpcDetail& detail, RpcErrorInfo& info) {
  if (!detail.type_url.ends_with("/" + std::string(info_type))) return false;
  auto read_info = codec::decode_protobuf<RpcErrorInfo>(detail.value);
  if (!read_info || read_info->domain != domain) return false;
  info = *std::move(read_info);
  return true;
}

// What of `status` its number and message do not say; nothing where there is no such thing, or
// where it is no UTF-8: then it stays here.
std::optional<GrpcDetail> own_detail(const Status& status) {
  if (status.cause().empty() && status.business_code() == 0) return {};
  RpcErrorInfo info{.reason = "ERROR", .domain = std::string(domain), .metadata = {}};
  if (!status.cause().empty()) info.metadata["cause"] = cut(status.cause(), most_text_bytes);
  if (status.business_code() != 0) {
    info.reason = "BUSINESS";
    info.metadata["business_code"] = std::to_string(status.business_code());
  }
  auto detail = make_grpc_detail(info_type, info);
  if (!detail) return {};
  return *std::move(detail);
}

}  // namespace

void set_grpc_details(const GrpcDetails& details, wire::Metadata& reply_metadata) {
  RpcStatus rpc;
  for (const GrpcDetail& detail : details) rpc.details.push_back(any_of(detail));
  const auto bytes = codec::encode_protobuf(rpc);
  reply_metadata.set(grpc_details_key, bytes ? *bytes : std::string());
}

GrpcDetails grpc_details_of(const wire::Metadata& trailing_metadata) {
  const auto bytes = trailing_metadata.get(grpc_details_key);
  return bytes ? read(*bytes) : GrpcDetails();
}

const GrpcDetail* find_grpc_detail(const GrpcDetails& details, std::string_view type) {
  const auto at = std::ranges::find_if(details, [&](const GrpcDetail& each) {
    const std::size_t slash = each.type_url.rfind('/');
    return slash != std::string::npos && each.type_url.substr(slash + 1) == type;
  });
  return at == details.end() ? nullptr : &*at;
}

std::string write_grpc_details(const Status& status, std::string_view given) {
  RpcStatus rpc{.code = grpc_number(status),
                .message = cut(status.message(), most_text_bytes),
                .details = {}};
  std::size_t left = most_grpc_details_bytes - rpc.message.size() - detail_cost;
  const auto add = [&](const GrpcDetail& detail) {
    const std::size_t cost = detail.type_url.size() + detail.value.size() + detail_cost;
    if (cost > left) return;
    left -= cost;
    rpc.details.push_back(any_of(detail));
  };
  if (const auto own = own_detail(status)) add(*own);
  RpcErrorInfo info;
  for (const GrpcDetail& each : read(given)) {
    if (!is_own(each, info)) add(each);  // that of an error that was passed on is said by `status`
  }
  if (rpc.details.empty()) return {};
  auto bytes = codec::encode_protobuf(rpc);
  if (!bytes) {
    rpc.message.clear();  // it is no UTF-8, and grpc-message has it
    bytes = codec::encode_protobuf(rpc);
  }
  return bytes ? *std::move(bytes) : std::string();
}

Status with_grpc_details(const Status& status, std::string_view bytes) {
  Status whole = status;
  RpcErrorInfo info;
  for (const GrpcDetail& each : read(bytes)) {
    if (!is_own(each, info)) continue;
    if (const auto at = info.metadata.find("cause"); at != info.metadata.end()) {
      whole = whole.with_cause(at->second);
    }
    if (const auto at = info.metadata.find("business_code"); at != info.metadata.end()) {
      std::int32_t code = 0;
      const char* const last = at->second.data() + at->second.size();
      const auto [end, error] = std::from_chars(at->second.data(), last, code);
      if (error == std::errc() && end == last) whole = whole.with_business_code(code);
    }
  }
  return whole;
}

void take_grpc_details(const http::Headers& trailers, wire::Metadata& metadata) {
  const auto text = trailers.get(grpc_details_key);
  std::string bytes;
  if (text && decode_base64(*text, bytes)) {
    metadata.set(grpc_details_key, std::move(bytes));
  }
}

}  // namespace parley::door
