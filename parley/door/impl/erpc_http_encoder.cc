#include "parley/door/impl/erpc_http_encoder.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "parley/door/impl/json_text.h"
#include "parley/http/framing.h"
#include "parley/http/syntax.h"
#include "parley/http/target.h"
#include "parley/wire/query.h"
#include "parley/wire/status_code.h"

namespace parley::door::impl {
namespace {

using wire::BodyCodec;
using wire::Message;
using wire::MessageType;

// Of a message beside its body, about.
constexpr std::size_t most_overhead = 1024;
// Of the texts of an error, each: what a reader of such answers keeps of them.
constexpr std::size_t most_error_text = 16 * 1024;

struct Line {
  std::string_view name;
  std::string_view value;
  std::size_t place = 0;
};

bool is_call(MessageType type) {
  return type == MessageType::call || type == MessageType::auth_call;
}

Status wrong(const std::string& what) {
  return {Code::invalid_argument, "erpc-http message: " + what};
}

void append_text(std::string& out, std::string_view text) {
  append_json_text(out, std::string(text.substr(0, most_error_text)));
}

std::string error_text(const Status& status) {
  std::string out = R"({"code":)" + std::to_string(wire::raw_number(status)) + R"(,"msg":)";
  append_text(out, status.message());
  out += R"(,"cause":)";
  append_text(out, status.cause());
  return out + "}";
}

bool fits_a_field(const wire::Metadata::Entry& entry) {
  return http::is_token(entry.key) && http::is_field_value(entry.value) && !is_own_field(entry.key);
}

// A path as it may stand in a request line: what is no character of one has its escape.
void append_path(std::string& out, std::string_view path) {
  constexpr std::string_view plain = "/-_.~!$&'()*+,;=:@";
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : path) {
    const bool is_letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_letter || plain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append(1, '%').append(1, digits[byte >> 4U]).append(1, digits[byte & 0xFU]);
  }
}

struct Asked {
  std::string target{};
  std::string_view host{};
};

// Of "/home/test?a=b", or of a URL with both. Metadata that fits no field goes into the query.
Result<Asked> asked_of(const Message& message) {
  std::string_view method = message.method;
  Asked asked;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!method.starts_with(scheme)) continue;
    method.remove_prefix(scheme.size());
    const std::size_t slash = std::min(method.find('/'), method.size());
    asked.host = method.substr(0, slash);
    method.remove_prefix(slash);
  }
  if (!method.starts_with('/')) {
    return wrong("a method " + http::quoted(message.method) +
                 " cannot be the path of a request; its name must begin with /");
  }
  const std::string_view path = method.substr(0, method.find('?'));
  if (path.size() > longest_erpc_method) {
    return wrong("a method of " + std::to_string(path.size()) + " bytes; the format has room for " +
                 std::to_string(longest_erpc_method));
  }
  append_path(asked.target, path);
  asked.target += method.substr(path.size());
  bool has_query = path.size() < method.size();
  for (const auto& entry : message.metadata) {
    if (fits_a_field(entry)) continue;
    asked.target += std::exchange(has_query, true) ? '&' : '?';
    wire::append_escaped(asked.target, entry.key);
    asked.target += '=';
    wire::append_escaped(asked.target, entry.value);
  }
  const auto target = http::parse_target(http::Method::post, asked.target);
  if (!target) return target.error();
  if (!asked.host.empty() && !http::is_authority(asked.host)) {
    return wrong(http::quoted(asked.host) + " is no host");
  }
  return asked;
}

// Who reads a head has limits, and would end the session for one that is beyond them. Ours has
// those of http::Http1Limits: here they are asked first, and only this message is refused.
Status check_head(std::size_t start_line, const std::vector<Line>& lines) {
  const http::Http1Limits limits;
  const auto refused = [](const std::string& what, std::size_t size, std::size_t most) {
    return Status(Code::resource_exhausted,
                  "erpc-http message: " + what + " of " + std::to_string(size) + ", and " +
                      std::to_string(most) +
                      " is the most that a head may have: send less metadata, or in the body");
  };
  if (start_line > limits.max_start_line) {
    return refused("a request line (the method with what is in its query)", start_line,
                   limits.max_start_line);
  }
  if (lines.size() > limits.max_headers) {
    return refused("a number of headers", lines.size(), limits.max_headers);
  }
  std::size_t all = 0;
  for (const Line& line : lines) {
    constexpr std::size_t marks = 4;  // the colon and a blank, CR and LF
    const std::size_t size = line.name.size() + line.value.size() + marks;
    if (size > limits.max_header_line) {
      return refused("a header", size, limits.max_header_line);
    }
    all += size;
  }
  if (all > limits.max_header_bytes) return refused("headers", all, limits.max_header_bytes);
  return {};
}

// In the order of their names, as Go writes headers; equal ones stay as they came.
void put_lines(std::vector<Line> lines, std::string& out) {
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i].place = i;
  std::ranges::sort(lines, {}, [](const Line& line) { return std::pair(line.name, line.place); });
  for (const Line& line : lines)
    out.append(line.name).append(": ").append(line.value).append("\r\n");
  out += "\r\n";
}

}  // namespace

bool ErpcHttpEncoder::has(MessageType type) const noexcept {
  return type <= MessageType::auth_reply && type != MessageType::push;
}

std::size_t ErpcHttpEncoder::max_body_bytes() const noexcept {
  return terms_->max_bytes - std::min(terms_->max_bytes, most_overhead);
}

Status ErpcHttpEncoder::encode_answer(std::int32_t seq, BodyCodec codec, std::string_view body,
                                      std::string& out) const {
  Status status =
      put_head({.seq = seq, .type = MessageType::reply, .body_codec = codec}, body.size(), out);
  if (status.is_ok()) out += body;
  return status;
}

Status ErpcHttpEncoder::encode_pieces(const Message& message,
                                      std::span<const std::string_view> body, std::string& out) {
  if (!message.status.is_ok() && !is_call(message.type)) return put_error(message, out);
  std::size_t size = 0;
  for (const std::string_view piece : body) size += piece.size();
  if (message.filters.empty()) {
    Status status = put_head(message, size, out);
    if (!status.is_ok()) return status;
    for (const std::string_view piece : body) out += piece;
    return {};
  }
  std::string whole;
  whole.reserve(size);
  for (const std::string_view piece : body) whole += piece;
  Bytes tail;
  Status status = put_filtered(message, Bytes::from(std::move(whole)), out, tail);
  for (std::size_t i = 0; status.is_ok() && i < tail.piece_count(); ++i) out += tail.piece(i);
  return status;
}

Status ErpcHttpEncoder::encode_apart(const Message& message, std::string& out, Bytes& tail) {
  if (!message.status.is_ok() && !is_call(message.type)) {
    Status status = put_error(message, out);
    if (status.is_ok()) tail = {};
    return status;
  }
  if (!message.filters.empty()) return put_filtered(message, message.body, out, tail);
  Status status = put_head(message, message.body.size(), out);
  if (status.is_ok()) tail = message.body;
  return status;
}

Status ErpcHttpEncoder::put_filtered(const Message& message, Bytes body, std::string& out,
                                     Bytes& tail) const {
  if (message.filters.ids() != std::string_view(&terms_->gzip_id, 1)) {
    return {Code::unimplemented, "erpc-http message: there is no transfer filter but gzip"};
  }
  auto filtered = wire::apply_filters(terms_->filters.get(), message.filters, std::move(body));
  if (!filtered) return filtered.error();
  Status status = put_head(message, filtered->size(), out);
  if (status.is_ok()) tail = *std::move(filtered);
  return status;
}

Status ErpcHttpEncoder::put_head(const Message& message, std::size_t body_bytes,
                                 std::string& out) const {
  if (!has(message.type) || message.more) {
    return {Code::unimplemented, "erpc's http framing has no " +
                                     std::string(name_of(message.type)) +
                                     " messages, and no bodies in parts: it has calls and answers"};
  }
  if (message.metadata.size() > terms_->max_entries) {
    return {Code::resource_exhausted,
            "erpc-http message: more metadata than max_metadata_entries (" +
                std::to_string(terms_->max_entries) + ")"};
  }
  const std::string seq = std::to_string(message.seq);
  const std::string type = std::to_string(static_cast<int>(message.type));
  const std::string length = std::to_string(body_bytes);
  std::vector<Line> lines = {{"Content-Length", length}, {type_field, type}, {seq_field, seq}};
  std::string head = "HTTP/1.1 200 OK\r\n";
  std::string_view content_type = content_type_of(*terms_, message.body_codec);
  Asked asked;
  if (is_call(message.type)) {
    auto made = asked_of(message);
    if (!made) return made.error();
    asked = *std::move(made);
    head = "POST " + asked.target + " HTTP/1.1\r\n";
    lines.push_back({"Accept-Encoding", "gzip"});
    lines.push_back({"User-Agent", "erpc-httproto/1.1"});
    if (!asked.host.empty()) lines.push_back({"Host", asked.host});
    if (content_type.empty()) content_type = "text/plain;charset=utf-8";
  } else if (content_type.empty()) {
    content_type = "text/plain";
  }
  lines.push_back({"Content-Type", content_type});
  if (!message.filters.empty()) {
    lines.push_back({"Content-Encoding", "gzip"});
    lines.push_back({coding_field, terms_->gzip_name});
  }
  for (const auto& entry : message.metadata) {
    if (fits_a_field(entry)) lines.push_back({entry.key, entry.value});
  }
  if (Status s = check_head(head.size(), lines); !s.is_ok()) return s;
  put_lines(std::move(lines), head);
  if (head.size() + body_bytes > terms_->max_bytes) {
    return {Code::resource_exhausted,
            "erpc-http message: " + std::to_string(head.size() + body_bytes) +
                " bytes are more than max_frame_bytes (" + std::to_string(terms_->max_bytes) + ")"};
  }
  out += head;
  return {};
}

// Never through gzip, so that it is read whatever the other side has registered.
Status ErpcHttpEncoder::put_error(const Message& message, std::string& out) const {
  const std::string seq = std::to_string(message.seq);
  const std::string type = std::to_string(static_cast<int>(message.type));
  const auto put = [&](const Status& status, const wire::Metadata& metadata) {
    const std::string body = error_text(status);
    const std::string length = std::to_string(body.size());
    std::vector<Line> lines = {{"Content-Length", length},
                               {"Content-Type", "application/json"},
                               {type_field, type},
                               {seq_field, seq}};
    const std::size_t own = lines.size();
    for (const auto& entry : metadata) {
      if (fits_a_field(entry)) lines.push_back({entry.key, entry.value});
    }
    if (!check_head(0, lines).is_ok()) lines.resize(own);
    std::string answer = "HTTP/1.1 299 Business Error\r\n";
    put_lines(std::move(lines), answer);
    return answer.append(body);
  };
  std::string answer = put(message.status, message.metadata);
  if (answer.size() > terms_->max_bytes) {
    const Status bare(message.status.code(), "");
    answer = put(bare.with_business_code(message.status.business_code()), {});
  }
  out += answer;
  return {};
}

}  // namespace parley::door::impl
