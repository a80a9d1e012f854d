// TLS 1.2 and 1.3 over any Stream: what both sides share. TlsServer (tls_server.h) and TlsClient
// (tls_client.h) make a TlsStream out of the Stream they are given; all waiting is done by that
// Stream, so that TLS runs over TCP and over the network of a simulation alike.
//
// A TlsStream is used as any Stream: one fiber may read while another writes, also on different
// threads. TLS adds two things to what Stream says: a connection that ends without the other side's
// close_notify was cut, and is told apart from a clean end; and a record cannot be taken back, see
// write_some below.
//
//   auto stream = client.connect(std::move(tcp));
//   if (!stream) return stream.error();
//   log((*stream)->info().cipher);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/clock.h"
#include "parley/net/stream.h"

namespace parley::net {

// RFC 5246 and RFC 8446. Older versions are not offered (RFC 8996).
enum class TlsVersion : std::uint8_t { tls1_2, tls1_3 };

// "TLS 1.2", "TLS 1.3".
std::string_view name_of(TlsVersion version) noexcept;

// A certificate with its chain, and its private key: as PEM text, or as files that hold it.
struct TlsIdentity {
  std::string chain_pem = {};  // the certificate first, then those that lead to the CA
  std::string key_pem = {};    // not encrypted; empty: chain_pem holds it too

  // Instead of the texts: read when the server or client is made and by reload_from_files().
  std::string chain_file = {};
  std::string key_file = {};  // empty: chain_file holds it too
};

// Bytes a PEM text or file may have.
inline constexpr std::size_t max_pem_bytes = std::size_t{4} << 20;

// What one side may make the other bear.
struct TlsLimits {
  // A handshake takes at most this long, however late the caller's own deadline is.
  Duration handshake_timeout = std::chrono::seconds(10);
  // Bytes read from the other side until the handshake is done.
  std::size_t max_handshake_bytes = std::size_t{128} << 10;
  // Answers to the other side's key updates that it does not take. More end the connection.
  std::size_t max_unsent_bytes = std::size_t{256} << 10;
  // close_write() waits at most this long for the other side to take what is left.
  Duration close_timeout = std::chrono::seconds(5);
  // Records written under one key; then both sides change theirs (RFC 8446, 5.5: AES-GCM is good
  // for 2^24.5 of them). TLS 1.3 only.
  std::uint64_t records_per_key = std::uint64_t{1} << 23;
};

// What a certificate says of its owner. Names that come from a certificate are the owner's choice
// of bytes: what cannot be printed shows as '?'.
struct TlsCertificate {
  std::string subject = {};  // RFC 2253: "CN=shop,O=Tea"
  std::string issuer = {};
  std::vector<std::string> dns_names = {};  // the subject alternative names (RFC 5280, 4.2.1.6)
  std::vector<std::string> ip_addresses = {};
  std::vector<std::string> uris = {};
  WallTime not_before = {};
  WallTime not_after = {};
  std::string fingerprint = {};  // SHA-256 of the certificate, 64 hexadecimal digits
  std::string spki_sha256 = {};  // SHA-256 of its public key (RFC 7469, 2.4): what a client pins
};

// How a connection came about. It does not change while the connection lives.
struct TlsInfo {
  TlsVersion version = TlsVersion::tls1_3;
  std::string cipher = {};       // "TLS_AES_256_GCM_SHA384"
  std::string alpn = {};         // empty: none was agreed on
  std::string server_name = {};  // what the client asked for; empty: it named none
  bool resumed = false;          // without a new exchange of certificates
  // Of the other side. A resumed connection shows the certificate it was first made with.
  std::optional<TlsCertificate> peer = {};
};

class TlsStream : public Stream {
 public:
  // read() and write_some() return, beside what Stream says:
  // * data_loss when the connection ended without close_notify (RFC 8446, 6.1): what was read may
  // be
  //   less than what was sent; also when a record was altered on its way;
  // * unauthenticated when the other side refuses our certificate, which in TLS 1.3 comes to light
  //   only at the first read;
  // * from write_some, after one that ended at its deadline or by its context: go on with the same
  //   bytes, which lie encrypted already. Other bytes are refused with failed_precondition. Where a
  //   part of them had left, all but the last byte were counted as taken.
  //
  // close_write() sends close_notify and leaves the connection below open for reading. It waits as
  // long as TlsLimits::close_timeout for the other side to take it, else deadline_exceeded.
  //
  // close() and the destructor send close_notify if it can leave at once and no write is
  // unfinished; else the other side sees that the connection was cut. Destroyed inside a fiber.

  [[nodiscard]] virtual const TlsInfo& info() const = 0;
  // How often this side began to use a new key, see TlsLimits::records_per_key.
  [[nodiscard]] virtual std::uint64_t key_updates() const = 0;
};

}  // namespace parley::net
