#include "parley/net/impl/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <string>

#include "parley/net/impl/tls_openssl.h"

namespace parley::net::impl {

TicketKeys::~TicketKeys() {
  for (Key& key : keys_) OPENSSL_cleanse(&key, sizeof key);
}

Status TicketKeys::rotate(Instant now) { return rotate_if_older(Duration::min(), now); }

Status TicketKeys::rotate_if_older(Duration lifetime, Instant now) {
  const std::lock_guard lock(mutex_);
  if (!keys_.empty() && now - rotated_ < lifetime) return {};
  Key key{};
  if (RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1 ||
      RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) != 1 ||
      RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) != 1) {
    return {Code::internal, "no random bytes for a ticket key: " + take_openssl_fault().text};
  }
  keys_.push_front(key);
  OPENSSL_cleanse(&key, sizeof key);
  while (keys_.size() > max_keys_) {
    OPENSSL_cleanse(&keys_.back(), sizeof keys_.back());
    keys_.pop_back();
  }
  rotated_ = now;
  return {};
}

int TicketKeys::prepare(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                        EVP_MAC_CTX* mac, bool seal) {
  const std::lock_guard lock(mutex_);
  if (keys_.empty()) return seal ? -1 : 0;
  auto key = keys_.begin();
  if (seal) {
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    std::copy(key->name.begin(), key->name.end(), name);
  } else {
    key = std::find_if(keys_.begin(), keys_.end(), [&](const Key& k) {
      return std::equal(k.name.begin(), k.name.end(), name);
    });
    if (key == keys_.end()) return 0;
  }
  std::string digest = "SHA256";  // OSSL_PARAM takes it non-const
  const std::array params{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac.data(), key->mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, params.data()) != 1 ||
      EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv, seal ? 1 : 0) !=
          1) {
    return -1;
  }
  return seal || key == keys_.begin() ? 1 : 2;
}

}  // namespace parley::net::impl
