#include "parley/http/impl/http2_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "parley/http/impl/chars.h"
#include "parley/http/impl/head_rules.h"
#include "parley/http/syntax.h"
#include "parley/http/target.h"

namespace parley::http::impl {
namespace {

// RFC 9113 8.2.2, and Host, which is :authority.
constexpr std::array<std::string_view, 5> of_a_connection = {
    "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};

bool is_of_a_connection(std::string_view name) {
  return std::any_of(of_a_connection.begin(), of_a_connection.end(),
                     [name](std::string_view one) { return same_name(name, one); });
}

// A token without upper case.
bool is_lower_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_of(c, chars::token) && (c < 'A' || c > 'Z');
  });
}

// Eight bytes at once: a byte that is ASCII and from A to Z gets the bit of small letters. Sums of
// seven bits each carry nothing into the next byte.
constexpr std::uint64_t lower_eight(std::uint64_t eight) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t tops = ones << 7U;
  const std::uint64_t low = eight & ~tops;
  const std::uint64_t from_a = low + ones * (0x80 - 'A');
  const std::uint64_t beyond_z = low + ones * (0x7f - 'Z');
  return eight | ((from_a ^ beyond_z) & ~eight & tops) >> 2U;
}

void copy_lower(std::string_view from, char* to) {
  for (; from.size() >= sizeof(std::uint64_t); from.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, from.data(), sizeof eight);
    eight = lower_eight(eight);
    std::memcpy(to, &eight, sizeof eight);
    to += sizeof eight;
  }
  for (const char c : from) *to++ = lower_case(c);
}

bool parse_number(std::string_view text, std::uint64_t& number) {
  if (text.empty() || text.size() > 19) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && text.front() != '-';
}

// Bytes of what a small head has.
constexpr std::size_t small_head = 240;

Status bad_head(std::string text) { return {Code::invalid_argument, std::move(text)}; }

}  // namespace

void Http2HeadReader::begin() {
  fields_.clear();
  for (std::string* text :
       {&method_, &scheme_, &path_, &authority_, &protocol_, &status_, &cookie_, &host_, &says_}) {
    text->clear();
  }
  length_ = BodySize::unknown();
  list_bytes_ = count_ = hosts_ = 0;
  has_authority_ = has_fields_ = too_large_ = bad_ = false;
}

bool Http2HeadReader::refuse(std::string text) {
  if (!bad_) says_ = std::move(text);
  bad_ = true;
  return false;
}

void Http2HeadReader::take(std::string_view name, std::string_view value, bool is_sound) {
  list_bytes_ += name.size() + value.size() + 32;
  ++count_;
  if (list_bytes_ > std::min(limits_.max_header_list, Headers::most_bytes) ||
      count_ > std::min(limits_.max_headers, Headers::most_fields)) {
    too_large_ = true;
  }
  if (bad_ || too_large_) return;
  if (!name.empty() && name.front() == ':') {
    take_pseudo(name, value);
    return;
  }
  if (!has_fields_) begin_fields();
  take_field(name, value, is_sound);
}

// Where the request goes is one field, and the first one, whoever wrote it.
void Http2HeadReader::begin_fields() {
  has_fields_ = true;
  if (!authority_.empty()) fields_.put("host", authority_);
  if (!protocol_.empty()) fields_.put("upgrade", protocol_);
}

void Http2HeadReader::take_field(std::string_view name, std::string_view value, bool is_sound) {
  if (!is_sound && !is_lower_token(name)) {
    refuse("the name " + quoted(name) + " has upper case, or is no token (RFC 9113 8.2.1)");
  } else if (is_of_a_connection(name)) {
    refuse("the field " + quoted(name) + " is of a connection of HTTP/1 (RFC 9113 8.2.2)");
  } else if (name == "te" && !same_name(value, "trailers")) {
    refuse("te says " + quoted(value) + ", and may say trailers only (RFC 9113 8.2.2)");
  } else if (!is_sound && !is_field_value(value)) {
    refuse("the value of " + quoted(name) + " has a blank at an end or a control (8.2.1)");
  } else if (name == "cookie") {
    if (!cookie_.empty()) cookie_ += "; ";
    cookie_ += value;
  } else if (name == "host") {
    if (hosts_++ == 0) host_ = value;
  } else if (name == "content-length") {
    std::uint64_t bytes = 0;
    if (length_.is_known() || !parse_number(value, bytes)) {
      refuse("content-length is no number, or comes twice");
    } else {
      length_ = BodySize::of(bytes);
      fields_.put(name, value);
    }
  } else {
    fields_.put(name, value);
  }
}

bool Http2HeadReader::take_pseudo(std::string_view name, std::string_view value) {
  if (has_fields_) {
    return refuse(quoted(name) + " comes after a field (RFC 9113 8.3)");
  }
  std::string* const text = pseudo_named(name);
  if (text == nullptr) {
    return refuse("nobody knows the pseudo-field " + quoted(name) + " (RFC 9113 8.3)");
  }
  const bool is_host = text == &authority_;
  if (!text->empty() || (is_host && has_authority_)) {
    return refuse(quoted(name) + " comes twice (RFC 9113 8.3)");
  }
  // An empty :authority says nothing, as a Host that is empty.
  if (value.empty() && !is_host) {
    return refuse(quoted(name) + " is empty (RFC 9113 8.3.1)");
  }
  *text = value;
  if (is_host) has_authority_ = true;
  return true;
}

std::string* Http2HeadReader::pseudo_named(std::string_view name) {
  switch (name.size()) {
    case 5:
      return name == ":path" ? &path_ : nullptr;
    case 7:
      if (name == ":method") return &method_;
      if (name == ":scheme") return &scheme_;
      return name == ":status" ? &status_ : nullptr;
    case 9:
      return name == ":protocol" ? &protocol_ : nullptr;
    case 10:
      return name == ":authority" ? &authority_ : nullptr;
    default:
      return nullptr;
  }
}

// RFC 9113 8.3.1, 8.5; RFC 8441 4.
bool Http2HeadReader::set_target(Request& request) {
  const bool is_tunnel = request.method == Method::connect && protocol_.empty();
  if (is_tunnel) {
    if (!scheme_.empty() || !path_.empty() || authority_.empty()) {
      return refuse("CONNECT has :authority, and neither :scheme nor :path (RFC 9113 8.5)");
    }
    request.target = authority_;
  } else {
    if (scheme_.empty() || path_.empty()) return refuse(":scheme or :path is missing (8.3.1)");
    if (!is_token(scheme_)) return refuse(":scheme is " + quoted(scheme_) + ", which is none");
    request.target = path_;
  }
  if (!protocol_.empty() && request.method != Method::connect) {
    return refuse(":protocol comes with CONNECT only (RFC 8441 4)");
  }
  const bool is_origin = path_.starts_with('/');
  // An extended CONNECT has the target of a request with a path.
  const Method as = !protocol_.empty() ? Method::get : request.method;
  if (!is_tunnel && !is_origin && path_ != "*") return refuse(":path does not begin with /");
  if (const auto parsed = parse_target(as, request.target); !parsed) {
    return refuse(parsed.error().message());
  }
  return true;
}

bool Http2HeadReader::end_request(Request& request) {
  request.clear();
  if (too_large_) return refuse("the head is larger than max_header_list or max_headers");
  if (bad_) return false;
  if (!status_.empty() || !is_token(method_)) return refuse(":method is missing, or is no token");
  request.method = method_named(method_);
  if (request.method == Method::other) request.other_method = method_;
  if (!set_target(request)) return false;
  if (hosts_ > 1) return refuse("there are two Host fields (RFC 9112 3.2)");
  if (hosts_ > 0 && has_authority_ && !same_name(host_, authority_)) {
    return refuse("Host and :authority name different hosts (RFC 9113 8.3.1)");
  }
  const std::string& named = has_authority_ ? authority_ : host_;
  if (!named.empty() && named != sound_host_) {
    if (!is_authority(named)) return refuse(quoted(named) + " is no host");
    sound_host_ = named;
  }
  if (!is_field_value(protocol_)) return refuse(":protocol is no value");
  if (!has_fields_) begin_fields();
  std::swap(request.headers, fields_);
  if (!has_authority_ && !host_.empty()) {
    fields_.put("host", host_);
    for (const auto [name, value] : request.headers) fields_.put(name, value);
    std::swap(request.headers, fields_);
  }
  if (!cookie_.empty()) request.headers.put("cookie", cookie_);
  return true;
}

bool Http2HeadReader::end_response(Response& response) {
  response.clear();
  if (too_large_) return refuse("the head is larger than max_header_list or max_headers");
  if (bad_) return false;
  if (!method_.empty() || !path_.empty() || !scheme_.empty() || has_authority_) {
    return refuse("a response has no pseudo-field but :status (RFC 9113 8.3.2)");
  }
  std::uint64_t status = 0;
  if (status_.size() != 3 || !parse_number(status_, status) || status < 100 || status == 101) {
    return refuse(":status is " + quoted(status_) + " (RFC 9113 8.3.2, 8.6)");
  }
  response.status = static_cast<StatusCode>(status);
  std::swap(response.headers, fields_);
  if (hosts_ > 0) response.headers.put("host", host_);
  if (!cookie_.empty()) response.headers.put("cookie", cookie_);
  return true;
}

bool Http2HeadReader::end_trailers(Headers& trailers) {
  trailers.clear();
  if (too_large_) return refuse("the trailers are larger than max_header_list or max_headers");
  if (bad_) return false;
  if (!method_.empty() || !status_.empty() || !path_.empty() || !scheme_.empty() ||
      !protocol_.empty() || has_authority_) {
    return refuse("trailers have no pseudo-field (RFC 9113 8.1)");
  }
  if (hosts_ > 0) return refuse("host may be no trailer (RFC 9110 6.5.1)");
  for (const auto [name, value] : fields_) {
    if (!may_be_trailer(name)) return refuse(quoted(name) + " may be no trailer (RFC 9110 6.5.1)");
  }
  std::swap(trailers, fields_);
  if (!cookie_.empty()) trailers.put("cookie", cookie_);
  return true;
}

void Http2Fields::clear(std::size_t room) {
  text_.clear();
  text_.reserve(room);
  size_ = 0;
}

bool Http2Fields::has(std::string_view name) const noexcept {
  bool found = false;
  each([&](std::string_view one, std::string_view /*value*/) { found = found || one == name; });
  return found;
}

// Headers::most_bytes bounds both sizes.
void Http2Fields::add(std::string_view name, std::string_view value) {
  const Entry entry{.name_size = static_cast<std::uint32_t>(name.size()),
                    .value_size = static_cast<std::uint32_t>(value.size())};
  const std::size_t at = text_.size();
  text_.resize(at + sizeof entry + name.size() + value.size());
  char* const to = text_.data() + at;
  std::memcpy(to, &entry, sizeof entry);
  copy_lower(name, to + sizeof entry);
  std::copy_n(value.data(), value.size(), to + sizeof entry + name.size());
  ++size_;
}

void Http2Fields::add_number(std::string_view name, std::uint64_t number) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  add(name, {digits.data(), static_cast<std::size_t>(end - digits.data())});
}

Status Http2Fields::add_all(const Headers& headers, BodySize size) {
  for (const auto [name, value] : headers) {
    if (is_of_a_connection(name)) continue;
    if (same_name(name, "host")) continue;
    if (same_name(name, "te") && !same_name(value, "trailers")) continue;
    if (same_name(name, "content-length")) {
      if (size.is_known() && !size.is_none() && value != std::to_string(size.bytes())) {
        return bad_head("Content-Length says " + quoted(value) + " and the body has " +
                        std::to_string(size.bytes()) + " bytes; leave the field out");
      }
      continue;
    }
    add(name, value);
  }
  if (size.is_known() && !size.is_none()) add_number("content-length", size.bytes());
  return {};
}

Status Http2Fields::set_request(const Request& request, BodySize size, std::string_view scheme) {
  clear(small_head);
  if (!is_token(request.method_name())) return bad_head("the method is no token");
  const auto protocol = request.headers.get("Upgrade");
  const bool extends = request.method == Method::connect && protocol;
  const auto target = parse_target(extends ? Method::get : request.method, request.target);
  if (!target) return target.error();
  if (request.headers.count("Host") > 1) return bad_head("there are two Host fields");
  const std::string authority(
      !target->authority.empty() ? target->authority : request.headers.get("Host").value_or(""));
  add(":method", request.method_name());
  if (request.method != Method::connect || extends) {
    add(":scheme", target->scheme.empty() ? scheme : target->scheme);
    std::string path(request.target);
    if (target->form == TargetForm::absolute) {
      path = target->path;
      if (path.empty()) path = "/";
      if (!target->query.empty()) path += "?" + std::string(target->query);
    }
    add(":path", path);
  }
  if (!authority.empty()) add(":authority", authority);
  if (extends) add(":protocol", *protocol);
  return add_all(request.headers, extends ? BodySize::none() : size);
}

Status Http2Fields::set_response(const Response& response, BodySize size, bool has_length) {
  clear(small_head);
  if (response.status < 100 || response.status > 999 || response.status == 101) {
    return bad_head("status " + std::to_string(response.status) + " is none of HTTP/2");
  }
  if (response.status == 200) {
    add(":status", "200");
  } else {
    add_number(":status", response.status);
  }
  return add_all(response.headers, has_length ? size : BodySize::none());
}

Status Http2Fields::set_trailers(const Headers& trailers) {
  clear(trailers.text_bytes() + trailers.size() * sizeof(Entry));
  for (const auto [name, value] : trailers) {
    if (!may_be_trailer(name)) return bad_head(quoted(name) + " may be no trailer");
    add(name, value);
  }
  return {};
}

}  // namespace parley::http::impl
