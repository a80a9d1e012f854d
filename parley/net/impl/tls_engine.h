// TlsEngine: one TLS connection without a network: bytes from the other side go in, bytes for it
// come out. Nothing here waits, so a call of OpenSSL and the taking of its errors happen on one
// thread. Private to net.
//
// Not safe for two fibers at once: TlsConnection holds a lock around each call.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/net/impl/tls_openssl.h"
#include "parley/net/tls.h"

namespace parley::net::impl {

// What an SSL object's callbacks and errors know of their connection beyond OpenSSL. Server and
// client derive from it; SSL_get_app_data() leads to it.
struct TlsSide {
  virtual ~TlsSide() = default;

  bool is_server = false;
  // What a callback found wrong, to be told in place of OpenSSL's words for it.
  Status refusal;
  std::string alpn_offered;   // by the client, "h2, parley"
  std::string alpn_accepted;  // by this server
  TlsVersion min_version = TlsVersion::tls1_2;
  TlsVersion max_version = TlsVersion::tls1_3;
};

// The kind of BIO an engine reads and writes through. One for all engines of a server or client,
// which it must outlive.
BioMethodPtr make_engine_bio();

// min_version, max_version and what both sides want of every context. invalid_argument when no
// version is left.
Result<SslContextPtr> make_context(const SSL_METHOD* method, TlsVersion min, TlsVersion max,
                                   const TlsLimits& limits);

// The wire form of a list of protocols (RFC 7301, 3.1). invalid_argument for a name that is empty
// or longer than 255 bytes.
Result<std::string> alpn_wire(const std::vector<std::string>& protocols);
// "h2, parley".
std::string alpn_text(std::string_view wire);

class TlsEngine {
 public:
  enum class Step {
    done,
    wants_input,  // feed() more and try again
    ended,        // close_notify came
    failed,       // see failure(); output may hold an alert for the other side
  };

  // `side` is kept. Call SSL_set_accept_state() or SSL_set_connect_state() on ssl() before use.
  TlsEngine(SSL_CTX* context, const BIO_METHOD* bio, std::unique_ptr<TlsSide> side);

  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }

  Step handshake();
  // `size` is what was read (done) or written (done; at most a record's worth).
  Step read(std::span<char> into, std::size_t& size);
  Step write(std::string_view from, std::size_t& size);
  // Sends close_notify.
  Step finish();
  // The next write begins a new key and asks the other side for one. False: not now.
  bool change_key();

  void feed(std::string_view bytes);
  [[nodiscard]] std::size_t output_size() const { return wires_->out.size(); }
  // Swaps the output into `into`, which must be empty.
  void take_output(std::string& into) { wires_->out.swap(into); }

  [[nodiscard]] bool has_failed() const { return !failure_.is_ok(); }
  [[nodiscard]] const Status& failure() const { return failure_; }

  // After the handshake.
  [[nodiscard]] TlsInfo info() const;
  [[nodiscard]] bool knows_change_of_key() const;
  // True for a server of TLS 1.3: the other side is done too, and owes its keys nothing more.
  [[nodiscard]] bool only_tickets_left() const { return side_->is_server && knows_change_of_key(); }

 private:
  friend BioMethodPtr make_engine_bio();
  // The two ends of the BIO. Its address stays when the engine moves.
  struct Wires {
    std::string in;
    std::size_t consumed = 0;  // of `in`
    std::string out;
    std::string first_bytes;  // of all that came, for telling who is there
  };

  Step step_of(int result);
  Status explain() const;

  // In this order: the SSL object goes first.
  std::unique_ptr<TlsSide> side_;
  std::unique_ptr<Wires> wires_;
  SslPtr ssl_;
  Status failure_;
};

// What OpenSSL's reasons and the alerts of the other side mean, and what to do about them.
// `first_bytes` are the first that came over the connection.
Status explain_fault(const OpensslFault& fault, const TlsSide& side, std::string_view first_bytes);

}  // namespace parley::net::impl
