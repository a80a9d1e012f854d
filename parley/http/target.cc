#include "parley/http/target.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "parley/http/impl/chars.h"
#include "parley/http/syntax.h"

namespace parley::http {
namespace {

namespace chars = impl::chars;

Status wrong(std::string_view target, const std::string& why) {
  return Status(Code::invalid_argument, "the request target " + quoted(target) + " " + why);
}

bool has_whole_escapes(std::string_view text) noexcept {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 3)) {
    if (text.size() - at < 3 || !impl::all_of(text.substr(at + 1, 2), chars::hex)) return false;
  }
  return true;
}

bool is_ipv6(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  std::array<unsigned char, 16> address{};
  if (text.empty() || text.size() >= terminated.size()) return false;
  std::ranges::copy(text, terminated.begin());
  return ::inet_pton(AF_INET6, terminated.data(), address.data()) == 1;
}

bool is_port(std::string_view text) noexcept {
  if (text.size() > 5 || !impl::all_of(text, chars::digit)) return false;
  int port = 0;
  for (const char c : text) port = port * 10 + (c - '0');
  return port <= 65'535;
}

struct HostPort {
  std::string_view host;
  std::string_view port;
  bool is_valid = false;
};

HostPort split(std::string_view text) noexcept {
  HostPort parts;
  const bool is_literal = text.starts_with('[');
  const std::size_t end = is_literal ? std::min(text.find(']'), text.size() - 1) + 1
                                     : std::min(text.find(':'), text.size());
  parts.host = text.substr(0, end);
  std::string_view rest = text.substr(end);
  if (!rest.empty() && rest.front() != ':') return parts;
  parts.port = rest.empty() ? rest : rest.substr(1);
  const bool is_host = is_literal ? parts.host.ends_with(']') && parts.host.size() > 2 &&
                                        is_ipv6(parts.host.substr(1, parts.host.size() - 2))
                                  : !parts.host.empty() && impl::all_of(parts.host, chars::host) &&
                                        has_whole_escapes(parts.host);
  parts.is_valid = is_host && is_port(parts.port);
  return parts;
}

bool is_scheme(std::string_view text) noexcept {
  return !text.empty() && ((text[0] | 0x20) >= 'a' && (text[0] | 0x20) <= 'z') &&
         std::ranges::all_of(text, [](char c) {
           return impl::is_of(c, chars::digit) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                  c == '+' || c == '-' || c == '.';
         });
}

// `rest` of `target` is a path and perhaps a query.
Status take_path(std::string_view target, std::string_view rest, Target& into) {
  const std::size_t mark = std::min(rest.find('?'), rest.size());
  into.path = rest.substr(0, mark);
  into.query = rest.substr(std::min(mark + 1, rest.size()));
  const std::size_t good = impl::run_of(into.path, chars::path);
  if (good < into.path.size()) {
    return wrong(target, "has " + quoted(into.path.substr(good, 1)) +
                             " in its path (RFC 3986 3.3); send it as % and two hex digits");
  }
  if (!has_whole_escapes(into.path)) {
    return wrong(target,
                 "has a % without two hex digits in its path (RFC 3986 2.1); send a % "
                 "itself as %25");
  }
  const std::size_t fine = impl::run_of(into.query, chars::query);
  if (fine < into.query.size()) {
    return wrong(target, "has " + quoted(into.query.substr(fine, 1)) +
                             " in its query (RFC 3986 3.4); send it as % and two hex digits");
  }
  return {};
}

Result<Target> parse_absolute(std::string_view target) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos || !is_scheme(target.substr(0, colon))) {
    return wrong(target,
                 "is of no form that its method may have (RFC 9112 3.2); begin it with / or with "
                 "http://host, or send * with OPTIONS and host:port with CONNECT");
  }
  Target parts{.form = TargetForm::absolute, .scheme = target.substr(0, colon)};
  std::string_view rest = target.substr(colon + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  parts.authority = rest.substr(0, end);
  if (!is_authority(parts.authority)) {
    return wrong(target, "names no valid host (RFC 9110 4.2): " + quoted(parts.authority) +
                             "; send host or host:port, without a user name");
  }
  if (Status status = take_path(target, rest.substr(end), parts); !status.is_ok()) return status;
  if (parts.path.empty()) parts.path = "/";
  return parts;
}

}  // namespace

bool is_authority(std::string_view text) noexcept { return split(text).is_valid; }

Result<Target> parse_target(Method method, std::string_view target) {
  if (method == Method::connect) {
    const HostPort parts = split(target);
    if (!parts.is_valid || parts.port.empty()) {
      return wrong(target, "is not what CONNECT takes (RFC 9112 3.2.3); send host:port");
    }
    return Target{.form = TargetForm::authority, .authority = target};
  }
  if (target == "*" && method == Method::options) {
    return Target{.form = TargetForm::asterisk, .path = target};
  }
  if (!target.starts_with('/')) return parse_absolute(target);
  Target parts;
  if (Status status = take_path(target, target, parts); !status.is_ok()) return status;
  return parts;
}

}  // namespace parley::http
