#include "parley/net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace parley::net {
namespace {

// How much of a refused text an error repeats.
constexpr std::size_t max_quoted = 300;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The text in quotes, fit for a terminal and a log: no control characters, not endless.
std::string quoted(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, max_quoted)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + (text.size() > max_quoted ? "...\"" : "\"");
}

// An address that cannot be read, and one that shows how to write it.
Status refuse(std::string_view text, const std::string& why,
              std::string_view example = "tcp://127.0.0.1:4711") {
  return {Code::invalid_argument,
          "address " + quoted(text) + ": " + why + "; write it as " + std::string(example)};
}

// The shortest form of a numeric address, or nothing when it is not one.
std::optional<std::string> numeric(int family, std::string_view host) {
  // inet_pton reads up to a NUL; what stands behind one must not be lost.
  if (host.find('\0') != std::string_view::npos) return std::nullopt;
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_pton(family, std::string(host).c_str(), bytes.data()) != 1) return std::nullopt;
  ::inet_ntop(family, bytes.data(), text.data(), text.size());
  return std::string(text.data());
}

// What is wrong with one part of a DNS name (RFC 1123, 2.1); empty when nothing is.
std::string wrong_label(std::string_view label) {
  if (label.empty()) return "has an empty part";
  if (label.size() > max_host_label) {
    return "has a part of " + std::to_string(label.size()) + " letters, at most " +
           std::to_string(max_host_label) + " are allowed";
  }
  for (const char c : label) {
    if (is_letter(c) || is_digit(c) || c == '-') continue;
    if (static_cast<unsigned char>(c) >= 0x80) {
      return "has letters outside ASCII: write its xn-- form";
    }
    return "has " + quoted({&c, 1}) + " in it: a name has letters, digits, '-' and '.'";
  }
  if (label.front() == '-' || label.back() == '-') return "has a part that begins or ends in '-'";
  return {};
}

// What is wrong with a DNS name; empty when nothing is.
std::string wrong_name(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > max_host_name) {
    return "has " + std::to_string(host.size()) + " letters, at most " +
           std::to_string(max_host_name) + " are allowed";
  }
  std::string_view last;
  for (std::string_view rest = host;;) {
    const std::size_t dot = rest.find('.');
    last = rest.substr(0, dot);
    if (std::string why = wrong_label(last); !why.empty()) return why;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  // No top-level domain is a number; "127.1" and "0x7f.1" are addresses to some programs only.
  if (std::all_of(last.begin(), last.end(), is_digit) || last.starts_with("0x") ||
      last.starts_with("0X")) {
    return "is neither a numeric IPv4 address (four numbers from 0 to 255) nor a name (its last "
           "part is a number)";
  }
  return {};
}

Result<std::string> parse_host(std::string_view text, std::string_view host) {
  if (host.empty()) return refuse(text, "no host (0.0.0.0 listens on every interface)");
  if (host.starts_with('[') || host.ends_with(']')) {
    const bool is_whole = host.size() >= 2 && host.starts_with('[') && host.ends_with(']');
    const std::string_view inner = is_whole ? host.substr(1, host.size() - 2) : host;
    if (is_whole && inner.find('%') != std::string_view::npos) {
      return refuse(text, "host " + quoted(inner) + ": zones (%) are not supported");
    }
    auto address = is_whole ? numeric(AF_INET6, inner) : std::nullopt;
    if (!address) return refuse(text, "host " + quoted(inner) + " is not a numeric IPv6 address");
    return *std::move(address);
  }
  if (host.find(':') != std::string_view::npos) {
    return refuse(text,
                  "host " + quoted(host) +
                      " is not a numeric IPv4 address or a name, and an IPv6 address needs "
                      "brackets",
                  "tcp://[::1]:4711");
  }
  if (auto address = numeric(AF_INET, host)) return *std::move(address);
  if (const std::string why = wrong_name(host); !why.empty()) {
    return refuse(text, "host " + quoted(host) + " " + why);
  }
  std::string name(host);
  std::transform(name.begin(), name.end(), name.begin(), lowered);
  return name;
}

// unix(7), Address format.
Result<Address> parse_unix(std::string_view text) {
  constexpr std::string_view example = "unix:///run/shop.sock or unix:@shop";
  std::string_view path = text.substr(std::string_view("unix:").size());
  if (path.starts_with("//")) {
    path.remove_prefix(2);
    if (!path.starts_with('/')) return refuse(text, "the path does not begin with '/'", example);
    if (path.ends_with('/')) return refuse(text, "the path names a folder", example);
  } else if (!path.starts_with('@')) {
    return refuse(text, "neither a path nor '@' and a name", example);
  } else if (path.size() == 1) {
    return refuse(text, "no name behind '@'", example);
  }
  if (path.find('\0') != std::string_view::npos) {
    return refuse(text, "a zero byte in it", example);
  }
  if (path.size() > max_unix_path) {
    return refuse(text,
                  "the path has " + std::to_string(path.size()) + " bytes, the kernel takes " +
                      std::to_string(max_unix_path),
                  example);
  }
  return Address{.network = "unix", .host = std::string(path), .port = 0};
}

// Any name of letters that a terminal and a log can show, without a space.
Result<Address> parse_in_process(std::string_view text) {
  constexpr std::string_view example = "inproc:shop";
  const std::string_view name = text.substr(std::string_view("inproc:").size());
  if (name.empty()) return refuse(text, "no name behind inproc:", example);
  if (name.starts_with("//")) {
    return refuse(text, "a name within a process stands right behind inproc:", example);
  }
  if (name.size() > max_in_process_name) {
    return refuse(text,
                  "the name has " + std::to_string(name.size()) + " bytes, at most " +
                      std::to_string(max_in_process_name) + " are allowed",
                  example);
  }
  for (const char c : name) {
    if (c > ' ' && c < 0x7f) continue;
    return refuse(text, "the name has " + quoted({&c, 1}) + " in it", example);
  }
  return Address{.network = "inproc", .host = std::string(name), .port = 0};
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text);
  if (text.starts_with("inproc:")) return parse_in_process(text);
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return refuse(text, "no network (tcp://) in front");
  Address address;
  address.network = text.substr(0, scheme);
  if (address.network != "tcp" && address.network != "udp") {
    return refuse(text, "network " + quoted(address.network) +
                            " is not supported, tcp, udp, unix and inproc are");
  }
  const std::string_view rest = text.substr(scheme + 3);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || rest.ends_with(']')) return refuse(text, "no port");

  auto host = parse_host(text, rest.substr(0, colon));
  if (!host) return host.error();
  address.host = *std::move(host);

  const std::string_view port = rest.substr(colon + 1);
  const auto end = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || end.ec != std::errc() || end.ptr != port.data() + port.size()) {
    return refuse(text, "port " + quoted(port) + " is not a number from 0 to 65535");
  }
  return address;
}

bool Address::is_numeric() const {
  return network != "unix" && network != "inproc" &&
         (numeric(AF_INET, host) || numeric(AF_INET6, host));
}

Address Address::as_numbers() const {
  Address numbers = *this;
  if ((network == "tcp" || network == "udp") && host == "localhost") numbers.host = "127.0.0.1";
  return numbers;
}

std::string Address::to_string() const {
  if (network == "unix") return (host.starts_with('/') ? "unix://" : "unix:") + host;
  if (network == "inproc") return "inproc:" + host;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return network + "://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace parley::net
