#include "parley/http/http1_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "parley/base/assert.h"
#include "parley/http/impl/chars.h"
#include "parley/http/impl/head_rules.h"
#include "parley/http/syntax.h"

namespace parley::http {
namespace {

constexpr std::string_view chunked_line = "Transfer-Encoding: chunked\r\n";

// A sender has no limits but those of its reader.
constexpr Http1Limits unlimited = {.max_body_bytes = std::numeric_limits<std::uint64_t>::max()};

Status cannot(std::string_view what, const std::string& why, Code code = Code::invalid_argument) {
  return Status(code, "cannot write the HTTP " + std::string(what) + ": " + why);
}

Status check_no_lengths(const Headers& headers, std::string_view what) {
  for (const auto [name, value] : headers) {
    if (!same_name(name, "Content-Length") && !same_name(name, "Transfer-Encoding")) continue;
    return cannot(what, "its headers have " + std::string(name) +
                            ", which follows from the BodySize; remove it from the headers");
  }
  return {};
}

void put_number(std::uint64_t number, int radix, std::string& out) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, radix).ptr;
  out.append(digits.data(), end);
}

char* put(std::string_view text, char* at) { return std::copy(text.begin(), text.end(), at); }

void put_field(std::string_view name, std::string_view value, std::string& out) {
  constexpr std::size_t between = 4;  // ": " and the end of the line
  const std::size_t before = out.size();
  out.resize(before + name.size() + value.size() + between);
  put("\r\n", put(value, put(": ", put(name, out.data() + before))));
}

void put_fields(const Headers& headers, std::string& out) {
  for (const auto [name, value] : headers) put_field(name, value, out);
}

void put_length(std::uint64_t length, std::string& out) {
  std::array<char, 20> digits{};
  const auto* end = std::to_chars(digits.data(), digits.data() + digits.size(), length).ptr;
  put_field("Content-Length", {digits.data(), static_cast<std::size_t>(end - digits.data())}, out);
}

void put_status_line(const Response& response, std::string& out) {
  if (response.status == 200 && response.reason.empty()) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  put_number(response.status, 10, out);
  out += ' ';
  out += response.reason.empty() ? reason_of(response.status) : std::string_view(response.reason);
  out += "\r\n";
}

// What of the head the body decides.
struct Plan {
  BodyKind body = BodyKind::none;
  bool tells_length = false;
  bool tells_chunked = false;
  bool is_dropped = false;
};

Status plan_response(const Response& response, BodySize size, const Answered& request, Plan& plan) {
  const StatusCode status = response.status;
  const bool is_1_1 = request.version == Version::http_1_1;
  const bool is_tunnel = request.method == Method::connect && status >= 200 && status < 300;
  const bool is_empty = size.is_known() && size.bytes() == 0;
  if (status < 200 || status == 204 || status == 205 || is_tunnel) {
    if (!is_empty) {
      return cannot("response", "one with status " + std::to_string(status) +
                                    " to this request has no body (RFC 9112 6.3); give "
                                    "BodySize::none()");
    }
    plan.tells_length = status == 205;
    return {};
  }
  if (request.method == Method::head || status == 304) {
    plan.is_dropped = true;
    plan.tells_length = size.is_known() && !size.is_none();
    plan.tells_chunked = !size.is_known() && is_1_1;
    return {};
  }
  if (size.is_known()) {
    plan.body = BodyKind::length;
    plan.tells_length = true;
  } else {
    plan.body = is_1_1 ? BodyKind::chunked : BodyKind::until_close;
    plan.tells_chunked = is_1_1;
  }
  return {};
}

Status check_response(const Response& response, const Answered& request) {
  if (response.status < 100 || response.status > 999) {
    return cannot("response", "its status " + std::to_string(response.status) +
                                  " has not three digits; give one from 100 to 599");
  }
  if (!impl::all_of(response.reason, impl::chars::value)) {
    return cannot("response", "its reason " + quoted(response.reason) +
                                  " has a line break or another control; leave the reason empty");
  }
  if (response.status < 200 && request.version == Version::http_1_0) {
    return cannot("response", "HTTP/1.0 knows no status " + std::to_string(response.status) +
                                  " (RFC 9110 15.2); send only the answer itself");
  }
  return check_no_lengths(response.headers, "response");
}

}  // namespace

Status Http1Writer::begin(const Request& request, BodySize size, std::string& out) {
  PARLEY_ASSERT(done(), "the message before has not ended: call end() first");
  if (!is_token(request.method_name())) {
    return cannot("request", "its method " + quoted(request.method_name()) +
                                 " is no token (RFC 9110 9.1); give letters only");
  }
  if (Status status = check_no_lengths(request.headers, "request"); !status.is_ok()) return status;
  Framing framing;
  impl::Fault fault;
  if (!impl::frame_request(request, unlimited, framing, fault)) {
    return cannot("request", fault.says, fault.code);
  }
  const bool is_empty = size.is_known() && size.bytes() == 0;
  if (!is_empty && (request.method == Method::connect || request.method == Method::trace)) {
    return cannot("request", std::string(request.method_name()) +
                                 " has no body (RFC 9110 9.3.6, 9.3.8); give BodySize::none()");
  }
  if (!size.is_known() && request.version == Version::http_1_0) {
    return cannot("request", "HTTP/1.0 has no chunks (RFC 9112 6.1); give the size of the body");
  }
  out.append(request.method_name()).append(" ").append(request.target).append(" ");
  out.append(name_of(request.version)).append("\r\n");
  put_fields(request.headers, out);
  const bool means_body = request.method == Method::post || request.method == Method::put ||
                          request.method == Method::patch;
  if (!size.is_known()) {
    out += chunked_line;
  } else if (means_body || !size.is_none()) {
    put_length(size.bytes(), out);
  }
  out += "\r\n";
  keeps_alive_ = framing.keeps_alive;
  const BodyKind known = size.is_none() ? BodyKind::none : BodyKind::length;
  start(size.is_known() ? known : BodyKind::chunked, size, false);
  return {};
}

Status Http1Writer::begin(const Response& response, BodySize size, const Answered& request,
                          std::string& out) {
  PARLEY_ASSERT(done(), "the message before has not ended: call end() first");
  if (Status status = check_response(response, request); !status.is_ok()) return status;
  Framing framing;
  impl::Fault fault;
  const Expected asked{.method = request.method, .asked_to_switch = request.asked_to_switch};
  if (!impl::frame_response(response, Version::http_1_1, asked, unlimited, framing, fault)) {
    return cannot("response", fault.says, fault.code);
  }
  Plan plan;
  if (Status status = plan_response(response, size, request, plan); !status.is_ok()) return status;
  const bool closes = response.headers.has_element("Connection", "close");
  put_status_line(response, out);
  put_fields(response.headers, out);
  if (is_informational(response.status)) {
    out += "\r\n";
    return {};
  }
  keeps_alive_ = request.keeps_alive && !closes && plan.body != BodyKind::until_close;
  if (framing.switches) {
    keeps_alive_ = false;
  } else if (!keeps_alive_ && !closes) {
    out += "Connection: close\r\n";
  } else if (keeps_alive_ && request.version == Version::http_1_0 &&
             !response.headers.has_element("Connection", "keep-alive")) {
    out += "Connection: keep-alive\r\n";
  }
  if (plan.tells_length) put_length(size.bytes(), out);
  if (plan.tells_chunked) out += chunked_line;
  out += "\r\n";
  start(plan.body, size, plan.is_dropped);
  return {};
}

void Http1Writer::start(BodyKind body, BodySize size, bool is_dropped) {
  body_ = body;
  is_dropped_ = is_dropped;
  is_writing_ = true;
  left_.reset();
  if (size.is_known()) left_ = size.bytes();
}

Status Http1Writer::begin_piece(std::uint64_t bytes, std::string& out) {
  PARLEY_ASSERT(is_writing_ && !in_piece_, "pieces lie between begin() and end(), one by one");
  if (is_dropped_) {
    return cannot("body", "this response is sent without one; ask body() before sending pieces");
  }
  if (left_ && bytes > *left_) {
    return cannot("body", "a piece of " + std::to_string(bytes) + " bytes, where " +
                              std::to_string(*left_) +
                              " are left of the size that was given; give the right size, or "
                              "BodySize::unknown()");
  }
  if (left_) *left_ -= bytes;
  in_piece_ = bytes > 0;
  if (in_piece_ && body_ == BodyKind::chunked) {
    put_number(bytes, 16, out);
    out += "\r\n";
  }
  return {};
}

void Http1Writer::end_piece(std::string& out) {
  if (in_piece_ && body_ == BodyKind::chunked) out += "\r\n";
  in_piece_ = false;
}

Status Http1Writer::write(std::string_view piece, std::string& out) {
  PARLEY_ASSERT(is_writing_, "a body is written between begin() and end()");
  if (is_dropped_) return {};
  if (Status status = begin_piece(piece.size(), out); !status.is_ok()) return status;
  out += piece;
  end_piece(out);
  return {};
}

Status Http1Writer::end(std::string& out) { return end({}, out); }

Status Http1Writer::end(const Headers& trailers, std::string& out) {
  PARLEY_ASSERT(is_writing_ && !in_piece_, "a message ends once, behind its last piece");
  for (const auto [name, value] : trailers) {
    if (impl::may_be_trailer(name)) continue;
    return cannot("trailers", quoted(name) +
                                  " would change how the message is framed or where it goes (RFC "
                                  "9110 6.5.1); send it as a header");
  }
  if (!trailers.empty() && left_) {
    return cannot("trailers",
                  "only a body in chunks has them (RFC 9112 7.1.2); give BodySize::unknown()");
  }
  const bool is_short = !is_dropped_ && left_.value_or(0) > 0;
  if (is_short) {
    keeps_alive_ = false;
    is_writing_ = false;
    return cannot("body",
                  std::to_string(*left_) +
                      " bytes of its size are missing, so the reader waits for them; close the "
                      "connection",
                  Code::failed_precondition);
  }
  if (body_ == BodyKind::chunked) {
    out += "0\r\n";
    put_fields(trailers, out);
    out += "\r\n";
  }
  is_writing_ = false;
  return {};
}

}  // namespace parley::http
