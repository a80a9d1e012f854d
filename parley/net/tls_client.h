// TlsClient: makes TLS connections, and remembers their sessions so that the next connection to the
// same server is cheaper.
//
// Any number of fibers, on any threads, may use one at the same time. Streams it made go on after
// it is gone. connect() is called inside a fiber.
//
//   auto client = net::TlsClient::create({.server_name = "shop.example", .alpn = {"parley"}});
//   auto tcp = network.dial(address, deadline);
//   auto stream = (*client)->connect(*std::move(tcp), deadline);
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/net/stream.h"
#include "parley/net/tls.h"
#include "parley/rt/deadline.h"

namespace parley::net {

struct TlsClientOptions {
  // Who the server must prove to be: a DNS name, or a numeric IP address. A name is also sent in
  // clear (SNI, RFC 6066, 3), an address is not.
  std::string server_name = {};

  // PEM of the CAs that are trusted; text or file. Both empty: those of the system (OpenSSL's
  // default paths; SSL_CERT_FILE and SSL_CERT_DIR change them).
  std::string ca_pem = {};
  std::string ca_file = {};
  // SHA-256 of public keys, 64 hexadecimal digits each (TlsCertificate::spki_sha256). When there
  // are some, one certificate of the verified chain must have such a key (RFC 7469, 2.6).
  std::vector<std::string> pinned_spki_sha256 = {};
  // Takes any certificate from anybody: whoever sits in between reads and changes everything. For
  // experiments. Pins still hold, for the server's own key only.
  bool insecure_skip_verify = false;

  // Protocols offered, best first (RFC 7301). A server that answers none of them by name is still
  // taken: see TlsInfo::alpn.
  std::vector<std::string> alpn = {};
  // Shown to a server that asks for it.
  std::optional<TlsIdentity> identity = {};

  TlsVersion min_version = TlsVersion::tls1_2;
  TlsVersion max_version = TlsVersion::tls1_3;

  // Sessions kept for resumption, over all server names; the least recently used goes first. A
  // session of TLS 1.3 is used once (RFC 8446, C.4). 0: none.
  std::size_t max_cached_sessions = 256;

  TlsLimits limits = {};
};

class TlsClient {
 public:
  // invalid_argument names the option and what is wrong with it; a file that cannot be read gives
  // the error of the file. Callable anywhere. Reads files, and parses all CAs of the system where
  // none are given, which takes tens of milliseconds: call it before parley::run() or in
  // rt::blocking().
  static Result<std::unique_ptr<TlsClient>> create(TlsClientOptions options);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Does the handshake over `stream`, which goes with it when it fails. unauthenticated when the
  // server is not who it must be (the message says which name, issuer or date is at fault) or wants
  // another certificate of ours; failed_precondition when the two sides have no version, cipher or
  // protocol in common, or when the server does not speak TLS; deadline_exceeded when it took
  // longer than `deadline` or TlsLimits::handshake_timeout; resource_exhausted at
  // max_handshake_bytes; unavailable when the connection ended first; the context's status. Nothing
  // was sent under the connection's keys in any of these cases. A TLS 1.3 server judges our
  // certificate after its handshake: its refusal comes with the first read.
  Result<std::unique_ptr<TlsStream>> connect(std::unique_ptr<Stream> stream,
                                             rt::Deadline deadline = {});
  // The same, to a server of another name, and offering these protocols instead of
  // TlsClientOptions::alpn when there are any.
  Result<std::unique_ptr<TlsStream>> connect_to(std::string_view server_name,
                                                std::unique_ptr<Stream> stream,
                                                rt::Deadline deadline = {},
                                                const std::vector<std::string>& alpn = {});

  // Sessions kept at the moment.
  [[nodiscard]] std::size_t cached_sessions() const;

 private:
  struct State;
  explicit TlsClient(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace parley::net
