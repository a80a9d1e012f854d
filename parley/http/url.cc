#include "parley/http/url.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "parley/http/impl/chars.h"
#include "parley/http/method.h"
#include "parley/http/syntax.h"
#include "parley/http/target.h"
#include "parley/net/address.h"

namespace parley::http {
namespace {

namespace chars = impl::chars;

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

Status wrong(std::string_view url, const std::string& why) {
  return Status(Code::invalid_argument, "the URL " + quoted(url, 128) + " " + why);
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_unreserved(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  for (char& c : small) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return small;
}

// The parts of RFC 3986, appendix B.
struct Parts {
  std::optional<std::string_view> scheme{};
  std::optional<std::string_view> authority{};
  std::string_view path{};
  std::optional<std::string_view> query{};
  std::optional<std::string_view> fragment{};
};

Parts divided(std::string_view text) {
  Parts parts;
  if (const std::size_t at = text.find('#'); at != std::string_view::npos) {
    parts.fragment = text.substr(at + 1);
    text = text.substr(0, at);
  }
  if (const std::size_t at = text.find('?'); at != std::string_view::npos) {
    parts.query = text.substr(at + 1);
    text = text.substr(0, at);
  }
  const std::size_t colon = text.find_first_of(":/");
  const bool has_scheme =
      colon != std::string_view::npos && text[colon] == ':' && colon > 0 && is_letter(text[0]) &&
      std::ranges::all_of(text.substr(0, colon), [](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
      });
  if (has_scheme) {
    parts.scheme = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const std::size_t end = std::min(text.find('/'), text.size());
    parts.authority = text.substr(0, end);
    text.remove_prefix(end);
  }
  parts.path = text;
  return parts;
}

void drop_last_segment(std::string& path) {
  const std::size_t slash = path.rfind('/');
  path.resize(slash == std::string::npos ? 0 : slash);
}

// RFC 3986 5.2.4.
std::string without_dots(std::string_view in) {
  std::string out;
  while (!in.empty()) {
    if (in.starts_with("../")) {
      in.remove_prefix(3);
    } else if (in.starts_with("./") || in.starts_with("/./")) {
      in.remove_prefix(2);
    } else if (in == "/.") {
      in = "/";
    } else if (in.starts_with("/../")) {
      in.remove_prefix(3);
      drop_last_segment(out);
    } else if (in == "/..") {
      in = "/";
      drop_last_segment(out);
    } else if (in == "." || in == "..") {
      in = {};
    } else {
      const std::size_t end = std::min(in.find('/', 1), in.size());
      out += in.substr(0, end);
      in.remove_prefix(end);
    }
  }
  return out;
}

// RFC 3986 5.2.3.
std::string merged(const Parts& base, std::string_view path) {
  if (base.authority && base.path.empty()) return "/" + std::string(path);
  const std::size_t slash = base.path.rfind('/');
  const std::size_t kept = slash == std::string_view::npos ? 0 : slash + 1;
  return std::string(base.path.substr(0, kept)).append(path);
}

// Host and port, checked by who dials them.
Status take_authority(std::string_view text, std::string_view authority, Url& url) {
  if (authority.find('@') != std::string_view::npos) {
    // Not the text: it has a password in it.
    return Status(Code::invalid_argument,
                  "a URL with a user name before its host is refused (RFC 9110 4.2.4); leave it "
                  "out and send an Authorization header");
  }
  if (!is_authority(authority) || authority.find('%') != std::string_view::npos) {
    return wrong(text, "names no valid host (RFC 9110 4.2): " + quoted(authority) +
                           "; give host, host:port or [IPv6]:port");
  }
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const std::string host = in_small_letters(authority.substr(0, colon));
  std::string port = "1";
  if (colon != std::string_view::npos && colon + 1 < authority.size()) {
    port = authority.substr(colon + 1);
  }
  const Result<net::Address> address = net::Address::parse("tcp://" + host + ":" + port);
  if (!address) return address.error().with_context("the URL " + quoted(text, 128));
  url.host = address->host;
  url.port = url.is_secure() ? https_port : http_port;
  if (colon != std::string_view::npos && colon + 1 < authority.size()) url.port = address->port;
  return url.port == 0 ? wrong(text, "has port 0, on which nobody listens; leave it out")
                       : Status();
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > most_bytes) {
    return wrong(text, "has " + std::to_string(text.size()) + " bytes, more than " +
                           std::to_string(most_bytes) + "; send what is long in the body");
  }
  const Parts parts = divided(text);
  Url url;
  url.scheme = in_small_letters(parts.scheme.value_or(""));
  if (url.scheme != "http" && url.scheme != "https") {
    return wrong(text, "is neither http:// nor https://; begin it with one of them");
  }
  if (!parts.authority) return wrong(text, "has no host; write " + url.scheme + "://host/path");
  if (Status status = take_authority(text, *parts.authority, url); !status.is_ok()) return status;
  if (!parts.path.empty()) url.path = parts.path;
  url.has_query = parts.query.has_value();
  url.query = parts.query.value_or("");
  const Result<Target> target = parse_target(Method::get, url.target());
  if (!target) return target.error().with_context("the URL " + quoted(text, 128));
  return url;
}

Result<Url> Url::resolve(std::string_view reference) const {
  if (reference.size() > most_bytes) return parse(reference);
  return parse(resolve_reference(to_string(), reference));
}

std::string Url::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  const std::string name = is_ipv6 ? "[" + host + "]" : host;
  const bool is_usual = port == (is_secure() ? https_port : http_port);
  return is_usual ? name : name + ":" + std::to_string(port);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    }
  }
  return out;
}

Result<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    if (text.size() - at < 3 || !impl::all_of(text.substr(at + 1, 2), chars::hex)) {
      return Status(Code::invalid_argument, "a % without two hex digits at byte " +
                                                std::to_string(at) + " of " + quoted(text) +
                                                " (RFC 3986 2.1); send a % itself as %25");
    }
    out += static_cast<char>(impl::hex_value(text[at + 1]) * 16 + impl::hex_value(text[at + 2]));
    at += 2;
  }
  return out;
}

std::string resolve_reference(std::string_view base, std::string_view reference) {
  const Parts from = divided(base);
  const Parts to = divided(reference);
  std::string_view scheme = to.scheme.value_or(from.scheme.value_or(""));
  std::optional<std::string_view> authority = to.authority;
  std::optional<std::string_view> query = to.query;
  std::string path;
  if (to.scheme || to.authority) {
    path = without_dots(to.path);
  } else {
    authority = from.authority;
    if (to.path.empty()) {
      path = from.path;
      if (!query) query = from.query;
    } else {
      path = without_dots(to.path.starts_with('/') ? std::string(to.path) : merged(from, to.path));
    }
  }
  std::string out(scheme);
  out += ':';
  if (authority) out.append("//").append(*authority);
  out += path;
  if (query) out.append("?").append(*query);
  if (to.fragment) out.append("#").append(*to.fragment);
  return out;
}

}  // namespace parley::http
