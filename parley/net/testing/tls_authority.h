// TestAuthority: a CA that lives as long as a test, so that no private key is ever in the
// repository. For tests only; any thread.
//
//   const TestAuthority authority("Tea CA");
//   const TlsIdentity shop = authority.issue({.name = "shop", .dns_names = {"shop.example"}});
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "parley/net/impl/tls_openssl.h"
#include "parley/net/tls.h"

namespace parley::net::testing {

struct TestLeaf {
  std::string name = "leaf";
  std::vector<std::string> dns_names = {};
  std::vector<std::string> ip_addresses = {};
  std::vector<std::string> uris = {};
  std::chrono::seconds valid_from = -std::chrono::hours(1);  // relative to now
  std::chrono::seconds valid_until = std::chrono::hours(24);
};

class TestAuthority {
 public:
  // Signed by `issuer`, or by itself.
  explicit TestAuthority(const std::string& name, const TestAuthority* issuer = nullptr);

  // The CA's certificate.
  [[nodiscard]] std::string pem() const;
  // With the certificates of this authority and its issuers, but not of the root.
  [[nodiscard]] TlsIdentity issue(const TestLeaf& leaf) const;

 private:
  const TestAuthority* issuer_;
  impl::KeyPtr key_;
  impl::X509Ptr certificate_;
};

// The same key, to be opened with a password.
std::string encrypted_key(const TlsIdentity& identity);

}  // namespace parley::net::testing
