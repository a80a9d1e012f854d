// Owners for what OpenSSL allocates, and its error queue turned into text. Private to net.
//
// The queue belongs to a thread: take it right after the call that failed, before anything that may
// park.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace parley::net::impl {

template <auto release>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    release(object);
  }
};

inline void free_certificates(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }

using SslPtr = std::unique_ptr<SSL, Freed<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using BioMethodPtr = std::unique_ptr<BIO_METHOD, Freed<BIO_meth_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using X509StackPtr = std::unique_ptr<STACK_OF(X509), Freed<free_certificates>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

// What one failed call left in the queue.
struct OpensslFault {
  // The first reason that came from the TLS part (SSL_R_...), 0 when none did.
  int tls_reason = 0;
  // The first reason of any part, for telling kinds of broken PEM apart.
  int first_library = 0;
  int first_reason = 0;
  // All of them, "wrong version number; ...". Never empty.
  std::string text;
};

// Empties the calling thread's queue.
OpensslFault take_openssl_fault();

// At most `max` bytes of `text`, control characters and non-ASCII bytes shown as '?'. Whoever is at
// the other end chose them: they must not forge log lines.
std::string printable(std::string_view text, std::size_t max = 200);

}  // namespace parley::net::impl
