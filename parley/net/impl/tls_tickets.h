// TicketKeys: the keys session tickets are sealed with (RFC 5077, 4): the newest seals, those
// before it still open. Private to net.
//
// Any number of threads. Nothing here parks.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <deque>
#include <mutex>

#include "parley/base/clock.h"
#include "parley/base/status.h"

namespace parley::net::impl {

class TicketKeys {
 public:
  // Bytes of a key's name, which a ticket shows in clear; OpenSSL's.
  static constexpr std::size_t name_bytes = 16;

  // Without a key until the first rotate().
  explicit TicketKeys(std::size_t max_keys) : max_keys_(max_keys) {}
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // internal when the system gives no random bytes.
  Status rotate(Instant now);
  // The same if the newest key is older than `lifetime`.
  Status rotate_if_older(Duration lifetime, Instant now);

  // What SSL_CTX_set_tlsext_ticket_key_evp_cb(3) wants: 1 done, 2 done and a new ticket is due,
  // 0 the ticket is not to be used, -1 an error. `name` and `iv` are written when sealing and read
  // when opening.
  int prepare(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
              bool seal);

 private:
  struct Key {
    std::array<unsigned char, name_bytes> name;
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
  };

  const std::size_t max_keys_;
  // tidy-allow(os-threads): OpenSSL calls in; a fiber must not park there
  std::mutex mutex_;
  std::deque<Key> keys_;  // the newest first
  Instant rotated_;
};

}  // namespace parley::net::impl
