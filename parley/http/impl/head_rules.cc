#include "parley/http/impl/head_rules.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "parley/http/impl/chars.h"
#include "parley/http/syntax.h"
#include "parley/http/target.h"

namespace parley::http::impl {
namespace {

// What the fields say that framing depends on.
struct Facts {
  std::size_t lengths = 0;  // fields of that name
  std::size_t codings = 0;
  std::size_t hosts = 0;
  std::string_view length{};
  std::string_view coding{};
  std::string_view host{};
  bool has_upgrade = false;
  bool closes = false;
  bool keeps_alive = false;
  bool connection_upgrades = false;
  bool expects_continue = false;
};

bool read_connection(std::string_view list, Facts& facts, Fault& fault) {
  for (std::string_view element; next_element(list, element);) {
    if (!is_token(element)) {
      return fault.refuse("Connection lists " + quoted(element) +
                          ", which is no name (RFC 9110 7.6.1); send close, keep-alive or the "
                          "names of headers");
    }
    if (same_name(element, "close")) facts.closes = true;
    if (same_name(element, "keep-alive")) facts.keeps_alive = true;
    if (same_name(element, "upgrade")) facts.connection_upgrades = true;
    for (const std::string_view framing : {"content-length", "transfer-encoding", "host"}) {
      if (same_name(element, framing)) {
        return fault.refuse("Connection names " + quoted(element) +
                            ", so that the next hop would lose it (RFC 9110 7.6.1); leave it out");
      }
    }
  }
  return true;
}

bool read_expect(std::string_view list, Facts& facts, Fault& fault) {
  for (std::string_view element; next_element(list, element);) {
    if (!same_name(element, "100-continue")) {
      return fault.refuse(417,
                          "Expect wants " + quoted(element) +
                              ", which nobody knows (RFC 9110 10.1.1); send 100-continue, or "
                              "no Expect",
                          Code::unimplemented);
    }
    facts.expects_continue = true;
  }
  return true;
}

bool gather(const Headers& headers, bool is_request, Facts& facts, Fault& fault) {
  for (const auto [name, value] : headers) {
    switch (name.size()) {
      case 4:
        if (!same_name(name, "Host")) break;
        ++facts.hosts;
        facts.host = value;
        break;
      case 6:
        if (!is_request || !same_name(name, "Expect")) break;
        if (!read_expect(value, facts, fault)) return false;
        break;
      case 7:
        if (same_name(name, "Upgrade")) facts.has_upgrade = true;
        break;
      case 10:
        if (!same_name(name, "Connection")) break;
        if (!read_connection(value, facts, fault)) return false;
        break;
      case 14:
        if (!same_name(name, "Content-Length")) break;
        ++facts.lengths;
        facts.length = value;
        break;
      case 17:
        if (!same_name(name, "Transfer-Encoding")) break;
        ++facts.codings;
        facts.coding = value;
        break;
      default:
        break;
    }
  }
  return true;
}

// RFC 9112 6.1. Only "chunked" alone is taken. It is no list here: of what else might stand in one,
// nothing is spoken by anybody, and much was used to make two readers differ.
bool check_coding(const Facts& facts, Version version, bool is_request, Fault& fault) {
  if (version == Version::http_1_0) {
    return fault.refuse(
        "Transfer-Encoding in HTTP/1.0, which has none: who passed it on may have "
        "seen another body (RFC 9112 6.1); send Content-Length");
  }
  if (facts.lengths > 0) {
    return fault.refuse(
        "both Transfer-Encoding and Content-Length: readers differ in which they "
        "follow (RFC 9112 6.1, 6.3); send one of them");
  }
  if (facts.codings > 1) {
    return fault.refuse(
        "two Transfer-Encoding headers (RFC 9112 6.1, 6.3); send one, with the "
        "value chunked");
  }
  if (same_name(facts.coding, "chunked")) return true;
  std::string_view rest = facts.coding;
  std::string_view last;
  std::size_t elements = 0;
  std::size_t chunked = 0;
  bool are_names = true;
  for (std::string_view element; next_element(rest, element); ++elements) {
    last = element;
    chunked += same_name(element, "chunked") ? 1 : 0;
    are_names = are_names && is_token(element);
  }
  const std::string value = "Transfer-Encoding " + quoted(facts.coding);
  if (elements > 1 && chunked == 1 && are_names && same_name(last, "chunked")) {
    return fault.refuse(501,
                        value +
                            " has a coding that is not spoken here (RFC 9112 6.1); send "
                            "chunked alone, and Content-Encoding for what is compressed",
                        Code::unimplemented);
  }
  return fault.refuse(is_request ? 400 : 502,
                      value +
                          " does not end with chunked, once and by itself, so nobody can tell "
                          "where the body ends (RFC 9112 6.3, 7.1); send chunked alone");
}

// RFC 9112 6.2, 6.3, RFC 9110 8.6.
bool check_length(const Facts& facts, Framing& framing, Fault& fault) {
  if (facts.lengths > 1) {
    return fault.refuse(
        "two Content-Length headers: even equal ones are refused, since no sound "
        "sender repeats it (RFC 9112 6.3); send one");
  }
  const std::string_view text = facts.length;
  if (text.empty() || !all_of(text, chars::digit)) {
    return fault.refuse("Content-Length " + quoted(text) +
                        " is not digits only: no sign, blank, list or 0x is taken (RFC 9110 8.6, "
                        "RFC 9112 6.3); send one decimal number");
  }
  constexpr std::size_t most_digits = 19;  // below 2^64, whatever they are
  if (text.size() > most_digits) {
    return fault.refuse(413, "Content-Length " + quoted(text) +
                                 " has more than 19 digits, which readers cut at different places "
                                 "(RFC 9110 8.6); send less, without leading zeros");
  }
  framing.length = 0;
  for (const char c : text) {
    framing.length = framing.length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  framing.body = BodyKind::length;
  return true;
}

bool within_limit(const Framing& framing, const Http1Limits& limits, Fault& fault) {
  if (framing.body != BodyKind::length || framing.length <= limits.max_body_bytes) return true;
  return fault.too_much(413, "Content-Length " + std::to_string(framing.length) + " is more " +
                                 body_limit(limits.max_body_bytes));
}

bool check_target_and_host(const Request& request, const Facts& facts, bool needs_host,
                           Fault& fault) {
  if (auto target = parse_target(request.method, request.target); !target) {
    return fault.refuse(target.error().message());
  }
  if (facts.hosts > 1) {
    return fault.refuse(
        "two Host headers: hops could each follow another one (RFC 9112 3.2); send "
        "one");
  }
  if (facts.hosts == 0) {
    if (request.version == Version::http_1_0 || !needs_host) return true;
    return fault.refuse(
        "no Host header, which HTTP/1.1 requires (RFC 9112 3.2); send Host with "
        "the host that is asked");
  }
  if (!is_authority(facts.host)) {
    return fault.refuse("Host " + quoted(facts.host) +
                        " is no host, perhaps with :port (RFC 9112 3.2, RFC 9110 7.2); send the "
                        "host that is asked, IPv6 in brackets");
  }
  return true;
}

}  // namespace

bool frame_request(const Request& request, const Http1Limits& limits, Framing& framing,
                   Fault& fault) {
  Facts facts;
  if (!gather(request.headers, true, facts, fault)) return false;
  if (!check_target_and_host(request, facts, limits.needs_host, fault)) return false;
  framing = {};
  if (facts.codings > 0) {
    if (!check_coding(facts, request.version, true, fault)) return false;
    framing.body = BodyKind::chunked;
  } else if (facts.lengths > 0) {
    if (!check_length(facts, framing, fault)) return false;
  }
  const bool has_body =
      framing.body == BodyKind::chunked || (framing.body == BodyKind::length && framing.length > 0);
  if (has_body && (request.method == Method::connect || request.method == Method::trace)) {
    return fault.refuse("a body in a " + std::string(request.method_name()) +
                        " request, which has none (RFC 9110 9.3.6, 9.3.8); leave it out");
  }
  if (!within_limit(framing, limits, fault)) return false;
  const bool is_1_1 = request.version == Version::http_1_1;
  framing.keeps_alive = !facts.closes && (is_1_1 || facts.keeps_alive);
  framing.expects_continue = facts.expects_continue && is_1_1 && has_body;
  framing.switches = request.method == Method::connect ||
                     (facts.has_upgrade && facts.connection_upgrades && is_1_1);
  return true;
}

bool frame_response(const Response& response, Version version, const Expected& expected,
                    const Http1Limits& limits, Framing& framing, Fault& fault) {
  Facts facts;
  if (!gather(response.headers, false, facts, fault)) return false;
  framing = {};
  const bool is_1_1 = version == Version::http_1_1;
  framing.keeps_alive = !facts.closes && (is_1_1 || facts.keeps_alive);
  const StatusCode status = response.status;
  if (expected.method == Method::connect && status >= 200 && status < 300) {
    framing.switches = true;  // and lengths mean nothing: RFC 9112 6.3
    return true;
  }
  if (status == 101 && !(expected.asked_to_switch && facts.has_upgrade)) {
    return fault.refuse(
        "101 (Switching Protocols) to a request that asked for none, or without "
        "Upgrade (RFC 9110 7.8, 15.2.2); answer it as HTTP");
  }
  const bool is_without = status < 200 || status == 204;
  if (facts.codings > 0) {
    if (is_without) {
      return fault.refuse("Transfer-Encoding in a response " + std::to_string(status) +
                          ", which has no body (RFC 9112 6.1); leave it out");
    }
    if (!check_coding(facts, version, false, fault)) return false;
    framing.body = BodyKind::chunked;
  } else if (facts.lengths > 0) {
    if (!check_length(facts, framing, fault)) return false;
    if (is_without && framing.length > 0) {
      return fault.refuse("Content-Length " + std::to_string(framing.length) + " in a response " +
                          std::to_string(status) +
                          ", which has no body (RFC 9110 8.6); leave it out");
    }
  }
  if (is_without || status == 304 || expected.method == Method::head) {
    framing.body = BodyKind::none;
    framing.length = 0;
    framing.switches = status == 101;
    return true;
  }
  if (framing.body == BodyKind::none) {
    framing.body = BodyKind::until_close;
    framing.keeps_alive = false;
  }
  return within_limit(framing, limits, fault);
}

bool may_be_trailer(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 10> framing = {
      "Content-Length", "Transfer-Encoding", "Host", "Connection", "Upgrade",
      "Expect",         "Trailer",           "TE",   "Keep-Alive", "Content-Encoding"};
  return std::ranges::none_of(framing,
                              [&](std::string_view other) { return same_name(name, other); });
}

}  // namespace parley::http::impl
