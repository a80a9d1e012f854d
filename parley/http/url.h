// Url: where a request of a client goes, http:// or https:// (RFC 9110 4.2), and how references
// lead from one to another (RFC 3986 5). Plain values and pure functions, from anywhere.
//
//   auto url = Url::parse("https://shop.example/tea?sort=price");
//   auto next = url->resolve("../order/7");                // https://shop.example/order/7
//   std::string target = "/find?name=" + percent_encoded(name);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/result.h"

namespace parley::http {

struct Url {
  // Bytes a URL may have. Longer ones are refused by most servers.
  static constexpr std::size_t most_bytes = 8 * 1024;

  std::string scheme{};  // "http" or "https"
  std::string host{};    // a name in small letters, or a number; IPv6 without brackets
  std::uint16_t port = 80;
  std::string path = "/";  // escaped as it came, never empty
  std::string query{};     // behind '?', escaped as it came
  bool has_query = false;  // "/tea?" is not "/tea"

  // Only what a request can be sent to. A fragment is dropped, since it stays with the client.
  // invalid_argument names what is wrong: another scheme, a user name (RFC 9110 4.2.4: send an
  // Authorization header), a host or port that is none, a character that has to be escaped, and
  // more than most_bytes.
  static Result<Url> parse(std::string_view text);
  // Where `reference` leads from here, as in a Location header; errors as for parse().
  [[nodiscard]] Result<Url> resolve(std::string_view reference) const;

  [[nodiscard]] bool is_secure() const { return scheme == "https"; }
  // What Host says: the port only where it is not the scheme's own.
  [[nodiscard]] std::string authority() const;
  // "https://shop.example:8443": whom one talks to. Equal origins share connections and secrets.
  [[nodiscard]] std::string origin() const { return scheme + "://" + authority(); }
  // What the request line says: path and query.
  [[nodiscard]] std::string target() const { return has_query ? path + "?" + query : path; }
  [[nodiscard]] std::string to_string() const { return origin() + target(); }

  friend bool operator==(const Url&, const Url&) = default;
};

// The text with all but letters, digits and -._~ as % and two hex digits (RFC 3986 2.1): fit for
// any part of a URL.
[[nodiscard]] std::string percent_encoded(std::string_view text);
// The other way; '+' stays. invalid_argument for a % without two hex digits.
Result<std::string> percent_decoded(std::string_view text);

// RFC 3986 5.2 for texts of any scheme: `base` has to have one. The fragment of the reference is
// kept. Nothing is checked but how the texts divide.
[[nodiscard]] std::string resolve_reference(std::string_view base, std::string_view reference);

}  // namespace parley::http
