// ClientSessions: what a client may resume, per server name, the least recently used going first.
// Private to net.
//
// Any number of threads. Nothing here parks.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <string>

#include "parley/net/impl/tls_openssl.h"

namespace parley::net::impl {

class ClientSessions {
 public:
  explicit ClientSessions(std::size_t max_sessions) : max_sessions_(max_sessions) {}

  void put(const std::string& server_name, SslSessionPtr session);
  // The newest for that name, or null. One of TLS 1.3 leaves the cache with it (RFC 8446, C.4).
  SslSessionPtr take(const std::string& server_name);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    std::string server_name;
    SslSessionPtr session;
  };

  const std::size_t max_sessions_;
  // tidy-allow(os-threads): OpenSSL calls in; a fiber must not park there
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // the most recently used first
};

}  // namespace parley::net::impl
