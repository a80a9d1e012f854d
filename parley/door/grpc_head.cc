#include "parley/door/grpc_head.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "parley/base/base64.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/reflect.h"
#include "parley/door/status_table.h"
#include "parley/http/syntax.h"

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

constexpr std::string_view details_field = "grpc-status-details-bin";
constexpr std::string_view info_type = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr std::string_view domain = "parley";
constexpr std::size_t most_message_bytes = 4096;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string unpadded_base64(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  while (!out.empty() && out.back() == '=') out.pop_back();
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = static_cast<char>(c | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

std::string details_of(const Status& status) {
  RpcErrorInfo info{.reason = "ERROR", .domain = std::string(domain), .metadata = {}};
  if (!status.cause().empty()) info.metadata["cause"] = status.cause();
  if (status.business_code() != 0) {
    info.reason = "BUSINESS";
    info.metadata["business_code"] = std::to_string(status.business_code());
  }
  const auto packed = codec::encode_protobuf(info);
  if (!packed) return {};  // no UTF-8: it stays here
  RpcStatus rpc{.code = grpc_number(status), .message = status.message(), .details = {}};
  RpcAny& any = rpc.details.emplace_back();
  any.type_url = info_type;
  for (const char c : *packed) any.value.push_back(static_cast<std::byte>(c));
  auto bytes = codec::encode_protobuf(rpc);
  return bytes ? *std::move(bytes) : std::string();
}

void take_details(std::string_view text, Status& status) {
  std::string bytes;
  if (!decode_base64(text, bytes)) return;
  const auto rpc = codec::decode_protobuf<RpcStatus>(bytes);
  if (!rpc) return;
  for (const RpcAny& any : rpc->details) {
    if (any.type_url != info_type) continue;
    const auto info = codec::decode_protobuf<RpcErrorInfo>(
        std::string_view(reinterpret_cast<const char*>(any.value.data()), any.value.size()));
    if (!info || info->domain != domain) continue;
    if (const auto at = info->metadata.find("cause"); at != info->metadata.end()) {
      status = status.with_cause(at->second);
    }
    if (const auto at = info->metadata.find("business_code"); at != info->metadata.end()) {
      const auto code = number_of(at->second);
      if (code && *code == static_cast<std::int32_t>(*code)) {
        status = status.with_business_code(static_cast<std::int32_t>(*code));
      }
    }
  }
}

}  // namespace

std::string write_grpc_timeout(Duration timeout) {
  using std::chrono::duration_cast;
  struct Unit {
    std::int64_t nanoseconds;
    char letter;
  };
  constexpr std::array units = {Unit{1, 'n'},
                                Unit{1'000, 'u'},
                                Unit{1'000'000, 'm'},
                                Unit{1'000'000'000, 'S'},
                                Unit{60'000'000'000, 'M'},
                                Unit{3'600'000'000'000, 'H'}};
  constexpr std::int64_t most = 99'999'999;
  const std::int64_t all = duration_cast<std::chrono::nanoseconds>(timeout).count();
  if (all <= 0) return "0n";
  for (const auto& [nanoseconds, letter] : units) {
    const std::int64_t count = all / nanoseconds + (all % nanoseconds == 0 ? 0 : 1);
    if (count <= most) return std::to_string(count) + letter;
  }
  return std::to_string(most) + 'H';
}

std::string escape_grpc_message(std::string_view message) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : message.substr(0, most_message_bytes)) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '%') {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    }
  }
  // Blanks at the ends of a field are not its own.
  if (out.starts_with(' ')) out.replace(0, 1, "%20");
  if (out.ends_with(' ')) out.replace(out.size() - 1, 1, "%20");
  return out;
}

std::string unescape_grpc_message(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
    } else {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

bool is_grpc_metadata(std::string_view name) noexcept {
  constexpr std::string_view own = "grpc-";
  if (name.empty() || name.front() == ':') return false;
  if (name.size() >= own.size() && http::same_name(name.substr(0, own.size()), own)) return false;
  for (const std::string_view each : {"content-type", "te", "host", "content-length", "connection",
                                      "transfer-encoding", "trailer", "upgrade", "keep-alive",
                                      "proxy-connection", "date", "expect", "content-encoding"}) {
    if (http::same_name(name, each)) return false;
  }
  return true;
}

Status take_grpc_metadata(const http::Headers& headers, wire::Metadata& metadata) {
  for (const auto [name, value] : headers) {
    if (!is_grpc_metadata(name)) continue;
    const std::string key = lower(name);
    if (!key.ends_with("-bin")) {
      metadata.add(key, std::string(value));
      continue;
    }
    for (std::string_view left = value;;) {
      const std::size_t comma = std::min(left.find(','), left.size());
      std::string bytes;
      if (!decode_base64(http::trimmed(left.substr(0, comma)), bytes)) {
        return {Code::invalid_argument, "the metadata \"" + key + "\" is no base64"};
      }
      metadata.add(key, std::move(bytes));
      if (comma == left.size()) break;
      left.remove_prefix(comma + 1);
    }
  }
  return {};
}

bool put_grpc_metadata(std::string_view key, std::string_view value, http::Headers& headers) {
  if (!is_grpc_metadata(key)) return false;
  const std::string name = lower(key);
  if (name.ends_with("-bin")) return headers.add(name, unpadded_base64(value)).is_ok();
  for (const char c : value) {
    if (c < 0x20 || c > 0x7E) return false;
  }
  return headers.add(name, value).is_ok();
}

bool put_grpc_metadata(const wire::Metadata& metadata, http::Headers& headers) {
  bool all = true;
  for (const auto& [key, value] : metadata) all = put_grpc_metadata(key, value, headers) && all;
  return all;
}

void put_grpc_status(const Status& status, http::Headers& trailers) {
  (void)trailers.set("grpc-status", std::to_string(grpc_number(status)));
  if (status.is_ok()) return;
  if (!status.message().empty()) {
    (void)trailers.set("grpc-message", escape_grpc_message(status.message()));
  }
  if (status.cause().empty() && status.business_code() == 0) return;
  const std::string details = details_of(status);
  if (!details.empty()) (void)trailers.set(details_field, unpadded_base64(details));
}

bool take_grpc_status(const http::Headers& trailers, Status& status) {
  const auto text = trailers.get("grpc-status");
  if (!text) return false;
  const auto number = number_of(*text);
  std::string message = unescape_grpc_message(trailers.get("grpc-message").value_or(""));
  status = number ? status_of_grpc(*number, std::move(message))
                  : Status(Code::unknown, "grpc-status is no number: " + http::quoted(*text));
  const auto details = trailers.get(details_field);
  if (details && !status.is_ok()) take_details(*details, status);
  return true;
}

}  // namespace parley::door
