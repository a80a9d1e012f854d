// Certificates: reading them, describing them, and saying why one is not good enough. Private to
// net.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/net/impl/tls_openssl.h"
#include "parley/net/tls.h"

namespace parley::net::impl {

// An identity ready for use.
struct LoadedIdentity {
  X509Ptr leaf;
  X509StackPtr chain;  // without the leaf
  KeyPtr key;
  std::vector<std::string> names;  // DNS names, lower case; wildcards as "*.shop.example"

  // True for an exact name, or with `wildcard` for one that a wildcard covers. `name` is lower
  // case.
  [[nodiscard]] bool covers(std::string_view name, bool wildcard) const;
};

// Checks that key and certificate belong together, that OpenSSL would use them, and (unless
// `accept_expired`) that the certificate has not expired. invalid_argument or the file's error.
Result<std::shared_ptr<const LoadedIdentity>> load_identity(const TlsIdentity& identity,
                                                            bool accept_expired);

// The certificates of a CA bundle, of which there must be one at least: `pem` if it is not empty,
// else the content of `file`. `option` names it in errors.
Result<std::vector<X509Ptr>> load_authorities(const std::string& option, const std::string& pem,
                                              const std::string& file);

TlsCertificate describe(const X509* certificate);
std::string spki_sha256_of(const X509* certificate);

// Why the chain in `context` was refused, for the error of the handshake. `expected_name` is whom
// the certificate should belong to, empty for a client's.
Status refusal_of(X509_STORE_CTX* context, const std::string& expected_name);

}  // namespace parley::net::impl
