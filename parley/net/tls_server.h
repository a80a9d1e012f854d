// TlsServer: takes TLS connections. It holds certificates, which can be exchanged while it runs,
// and what is needed to resume earlier connections.
//
// Any number of fibers, on any threads, may use one at the same time. Streams it made go on after
// it is gone. accept() is called inside a fiber.
//
//   net::TlsServerOptions options;
//   options.identities = {{.chain_file = "shop.pem", .key_file = "shop.key"}};
//   options.alpn = {"parley"};
//   auto server = net::TlsServer::create(std::move(options));
//   while (auto tcp = listener->accept()) {
//     scope.go("session", [&, tcp = *std::move(tcp)]() mutable {
//       auto stream = (*server)->accept(std::move(tcp));
//       ...
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "parley/base/result.h"
#include "parley/net/stream.h"
#include "parley/net/tls.h"
#include "parley/rt/deadline.h"

namespace parley::net {

// What a server wants to see of its clients.
enum class ClientCertificates : std::uint8_t {
  none,      // does not ask
  optional,  // asks; a client may have none, but not a bad one
  required,  // mutual TLS
};

struct TlsServerOptions {
  // At least one. A client that names a server gets the first whose certificate has that name, then
  // the first with a fitting wildcard (one label: *.shop.example); else, and when it names none,
  // the first of all.
  std::vector<TlsIdentity> identities = {};
  // Refuses a name that no certificate has (unrecognized_name, RFC 6066, 3) rather than showing the
  // first certificate.
  bool refuse_unknown_names = false;
  // An expired certificate is a mistake that every client would notice; true serves it all the
  // same.
  bool accept_expired_identities = false;

  // Protocols served, best first (RFC 7301). A client that offers some and none of these is
  // refused; one that offers none is served. Empty: the extension is
  // not answered, unless accept() is told what to choose from.
  std::vector<std::string> alpn = {};

  ClientCertificates client_certificates = ClientCertificates::none;
  // PEM of the CAs whose clients are taken; text or file. Needed unless client_certificates is
  // none.
  std::string client_ca_pem = {};
  std::string client_ca_file = {};

  TlsVersion min_version = TlsVersion::tls1_2;
  TlsVersion max_version = TlsVersion::tls1_3;

  // Resumption. Tickets keep nothing here (RFC 5077; RFC 8446, 4.6.1); clients without them, and
  // all when session_tickets is off, use the cache. Early data is never taken: it can be replayed.
  bool session_tickets = true;
  std::size_t max_cached_sessions = 4096;  // 0: no cache
  // A session can be resumed for this long; whole seconds.
  Duration session_lifetime = std::chrono::hours(2);
  // A new ticket key is made this often. Those before it still open tickets, so many in all.
  Duration ticket_key_lifetime = std::chrono::hours(1);
  std::size_t max_ticket_keys = 3;

  // Handshakes at the same time; further connections are refused.
  std::size_t max_handshakes = 1024;
  TlsLimits limits = {};
};

class TlsServer {
 public:
  // invalid_argument names the option, or the certificate and what is wrong with it; a file that
  // cannot be read gives the error of the file.
  static Result<std::unique_ptr<TlsServer>> create(TlsServerOptions options);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // Does the handshake over `stream`, which goes with it when it fails. deadline_exceeded when it
  // took longer than `deadline` or TlsLimits::handshake_timeout; resource_exhausted at
  // max_handshakes or max_handshake_bytes; unauthenticated when the client's certificate is missing
  // or not good; failed_precondition when the two sides have no version, cipher or protocol in
  // common, or when the client does not speak TLS (plain HTTP is named); unavailable when the
  // connection ended first; the context's status. The client was told by an alert where TLS has
  // one. `alpn` is chosen from, best first, where TlsServerOptions::alpn is empty; a client that
  // has none of these is served all the same, with no protocol agreed on.
  Result<std::unique_ptr<TlsStream>> accept(std::unique_ptr<Stream> stream,
                                            rt::Deadline deadline = {},
                                            const std::vector<std::string>& alpn = {});

  // New handshakes use `identities`; connections and handshakes under way keep what they have.
  // Errors as for create(): then nothing has changed.
  Status reload(std::vector<TlsIdentity> identities);
  // Reads again the files the current identities came from. failed_precondition when one of them
  // came as text.
  Status reload_from_files();

  // A new key for tickets from now on; the oldest beyond max_ticket_keys no longer opens any.
  // accept() does it every ticket_key_lifetime.
  void rotate_ticket_keys();

  [[nodiscard]] std::size_t handshakes_running() const;

 private:
  struct State;
  explicit TlsServer(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace parley::net
