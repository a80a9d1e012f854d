#include "parley/net/tls_server.h"

#include <openssl/err.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "parley/net/impl/tls_certificate.h"
#include "parley/net/impl/tls_connection.h"
#include "parley/net/impl/tls_engine.h"
#include "parley/net/impl/tls_tickets.h"

namespace parley::net {

using impl::LoadedIdentity;

namespace {

Status invalid(std::string message) { return {Code::invalid_argument, std::move(message)}; }

// What a server shows, exchanged as a whole.
struct Identities {
  std::vector<TlsIdentity> sources;
  std::vector<std::shared_ptr<const LoadedIdentity>> loaded;

  // For an empty name the first. Null: no certificate has that name.
  [[nodiscard]] const LoadedIdentity* named(std::string_view name) const {
    if (name.empty()) return loaded.front().get();
    for (const bool wildcard : {false, true}) {
      for (const auto& identity : loaded) {
        if (identity->covers(name, wildcard)) return identity.get();
      }
    }
    return nullptr;
  }
};

Result<std::shared_ptr<const Identities>> load(std::vector<TlsIdentity> sources,
                                               bool accept_expired) {
  if (sources.empty()) return invalid("identities: none given; a TLS server shows a certificate");
  auto identities = std::make_shared<Identities>();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    auto loaded = impl::load_identity(sources[i], accept_expired);
    if (!loaded) return loaded.error().with_context("identities[" + std::to_string(i) + "]");
    identities->loaded.push_back(*std::move(loaded));
  }
  identities->sources = std::move(sources);
  return std::shared_ptr<const Identities>(std::move(identities));
}

Status check(const TlsServerOptions& options) {
  const bool has_ca = !options.client_ca_pem.empty() || !options.client_ca_file.empty();
  if (has_ca && options.client_certificates == ClientCertificates::none) {
    return invalid("client_ca is given, but client_certificates is none: no client would be asked");
  }
  if (!has_ca && options.client_certificates != ClientCertificates::none) {
    return invalid("client_certificates needs client_ca_pem or client_ca_file: whose to take");
  }
  if (options.session_lifetime < std::chrono::seconds(1)) {
    return invalid("session_lifetime must be at least one second");
  }
  if (options.max_ticket_keys == 0) return invalid("max_ticket_keys must be at least 1");
  if (options.max_handshakes == 0) return invalid("max_handshakes must be at least 1");
  return {};
}

}  // namespace

struct TlsServer::State {
  explicit State(TlsServerOptions given)
      : options(std::move(given)), tickets(options.max_ticket_keys) {}

  std::shared_ptr<const Identities> current() {
    const std::lock_guard lock(mutex_);
    return identities_;
  }
  void exchange(std::shared_ptr<const Identities> with) {
    const std::lock_guard lock(mutex_);
    identities_.swap(with);  // what it held is freed after the lock
  }

  Status prepare();
  Status trust_clients();
  void allow_resumption();

  TlsServerOptions options;  // without identities
  std::string alpn;
  impl::BioMethodPtr bio = impl::make_engine_bio();
  impl::SslContextPtr context;
  impl::TicketKeys tickets;
  std::atomic<std::size_t> handshakes = 0;

 private:
  // tidy-allow(os-threads): held for a few instructions; usable outside a fiber too
  std::mutex mutex_;
  std::shared_ptr<const Identities> identities_;
};

namespace {

// Works on the private State through a template, so that it stays private.
template <class State>
struct ServerSide final : impl::TlsSide {
  explicit ServerSide(std::shared_ptr<State> server)
      : state(std::move(server)), identities(state->current()) {
    is_server = true;
    min_version = state->options.min_version;
    max_version = state->options.max_version;
    alpn_accepted = impl::alpn_text(state->alpn);
  }

  static ServerSide& of(const SSL* ssl) { return *static_cast<ServerSide*>(SSL_get_app_data(ssl)); }

  // SSL_CTX_set_tlsext_servername_callback(3)
  static int choose_identity(SSL* ssl, int* alert, void*) {
    ServerSide& side = of(ssl);
    const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    std::string name = asked != nullptr ? asked : "";
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    side.chosen = side.identities->named(name);
    if (side.chosen == nullptr && side.state->options.refuse_unknown_names) {
      side.refusal = Status(Code::failed_precondition, "the client asks for the server \"" +
                                                           impl::printable(name) +
                                                           "\", and no certificate has that name");
      *alert = SSL_AD_UNRECOGNIZED_NAME;
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    if (side.chosen == nullptr) side.chosen = side.identities->named("");
    return SSL_TLSEXT_ERR_OK;
  }

  // SSL_CTX_set_cert_cb(3)
  static int use_identity(SSL* ssl, void*) {
    const LoadedIdentity* chosen = of(ssl).chosen;
    if (chosen == nullptr) chosen = of(ssl).identities->named("");
    return SSL_use_cert_and_key(ssl, chosen->leaf.get(), chosen->key.get(), chosen->chain.get(), 1);
  }

  // SSL_CTX_set_alpn_select_cb(3): ours in our order.
  static int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size,
                             const unsigned char* offered, unsigned int offered_size, void*) {
    ServerSide& side = of(ssl);
    const bool must_agree = !side.state->alpn.empty();
    const std::string& known = must_agree ? side.state->alpn : side.alpn_wished;
    if (known.empty()) return SSL_TLSEXT_ERR_NOACK;
    const auto* own = reinterpret_cast<const unsigned char*>(known.data());
    unsigned char* out = nullptr;
    if (SSL_select_next_proto(&out, chosen_size, own, static_cast<unsigned int>(known.size()),
                              offered, offered_size) == OPENSSL_NPN_NEGOTIATED) {
      *chosen = out;
      return SSL_TLSEXT_ERR_OK;
    }
    if (!must_agree) return SSL_TLSEXT_ERR_NOACK;
    side.alpn_offered =
        impl::alpn_text({reinterpret_cast<const char*>(offered), std::size_t{offered_size}});
    side.refusal = Status(Code::failed_precondition,
                          "no protocol (ALPN) in common: the client offers " + side.alpn_offered +
                              "; this server speaks " + side.alpn_accepted);
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  // SSL_CTX_set_cert_verify_callback(3)
  static int verify(X509_STORE_CTX* context, void*) {
    const int good = X509_verify_cert(context);
    if (good != 1) {
      const auto* ssl = static_cast<const SSL*>(
          X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
      of(ssl).refusal = impl::refusal_of(context, "");
    }
    return good;
  }

  static int prepare_ticket(SSL* ssl, unsigned char* name, unsigned char* iv,
                            EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int seal) {
    return of(ssl).state->tickets.prepare(name, iv, cipher, mac, seal == 1);
  }

  std::shared_ptr<State> state;
  std::shared_ptr<const Identities> identities;  // as they were when this handshake began
  const LoadedIdentity* chosen = nullptr;
  std::string alpn_wished;  // of accept(), as it stands on the wire
};

// One of max_handshakes places.
class Place {
 public:
  explicit Place(std::atomic<std::size_t>& taken) : taken_(taken), before_(taken.fetch_add(1)) {}
  ~Place() { --taken_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] std::size_t before() const { return before_; }

 private:
  std::atomic<std::size_t>& taken_;
  std::size_t before_;
};

}  // namespace

Status TlsServer::State::prepare() {
  using Side = ServerSide<State>;
  auto wire = impl::alpn_wire(options.alpn);
  if (!wire) return wire.error();
  alpn = *std::move(wire);
  auto made = impl::make_context(TLS_server_method(), options.min_version, options.max_version,
                                 options.limits);
  if (!made) return made.error();
  context = *std::move(made);
  SSL_CTX* ctx = context.get();
  SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_tlsext_servername_callback(ctx, &Side::choose_identity);
  SSL_CTX_set_cert_cb(ctx, &Side::use_identity, nullptr);
  SSL_CTX_set_alpn_select_cb(ctx, &Side::choose_protocol, nullptr);
  allow_resumption();
  if (options.client_certificates != ClientCertificates::none) {
    if (Status s = trust_clients(); !s.is_ok()) return s;
  }
  return tickets.rotate(rt::now());
}

void TlsServer::State::allow_resumption() {
  SSL_CTX* ctx = context.get();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options.session_lifetime);
  SSL_CTX_set_timeout(ctx, static_cast<long>(seconds.count()));
  // OpenSSL resumes nothing without a context where clients show certificates.
  constexpr std::string_view session_context = "parley";
  SSL_CTX_set_session_id_context(ctx,
                                 reinterpret_cast<const unsigned char*>(session_context.data()),
                                 static_cast<unsigned int>(session_context.size()));
  SSL_CTX_set_max_early_data(ctx, 0);
  SSL_CTX_set_recv_max_early_data(ctx, 0);
  if (options.session_tickets) {
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, &ServerSide<State>::prepare_ticket);
  } else {
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
  }
  if (options.max_cached_sessions > 0) {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(ctx, static_cast<long>(options.max_cached_sessions));
  } else {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    // TLS 1.3 without ticket or cache: what it would send could not be resumed.
    if (!options.session_tickets) SSL_CTX_set_num_tickets(ctx, 0);
  }
}

Status TlsServer::State::trust_clients() {
  const auto authorities =
      impl::load_authorities("client_ca", options.client_ca_pem, options.client_ca_file);
  if (!authorities) return authorities.error();
  SSL_CTX* ctx = context.get();
  for (const auto& authority : *authorities) {
    // The second time the same certificate is no fault.
    (void)X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority.get());
    (void)SSL_CTX_add_client_CA(ctx, authority.get());
    ERR_clear_error();
  }
  int mode = SSL_VERIFY_PEER;
  if (options.client_certificates == ClientCertificates::required) {
    mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  SSL_CTX_set_verify(ctx, mode, nullptr);
  SSL_CTX_set_cert_verify_callback(ctx, &ServerSide<State>::verify, nullptr);
  return {};
}

TlsServer::TlsServer(std::shared_ptr<State> state) : state_(std::move(state)) {}
TlsServer::~TlsServer() = default;

Result<std::unique_ptr<TlsServer>> TlsServer::create(TlsServerOptions options) {
  if (Status s = check(options); !s.is_ok()) return s.with_context("TLS server");
  auto identities = load(std::exchange(options.identities, {}), options.accept_expired_identities);
  if (!identities) return identities.error().with_context("TLS server");
  auto state = std::make_shared<State>(std::move(options));
  if (Status s = state->prepare(); !s.is_ok()) return s.with_context("TLS server");
  state->exchange(*std::move(identities));
  return std::unique_ptr<TlsServer>(new TlsServer(std::move(state)));
}

Result<std::unique_ptr<TlsStream>> TlsServer::accept(std::unique_ptr<Stream> stream,
                                                     rt::Deadline deadline,
                                                     const std::vector<std::string>& alpn) {
  auto wished = impl::alpn_wire(alpn);
  if (!wished) return wished.error().with_context("TLS server");
  const Place place(state_->handshakes);
  if (place.before() >= state_->options.max_handshakes) {
    return Status(Code::resource_exhausted,
                  "TLS handshake with " + stream->remote_address().to_string() +
                      ": max_handshakes (" + std::to_string(state_->options.max_handshakes) +
                      ") are under way");
  }
  const Duration lifetime = state_->options.ticket_key_lifetime;
  if (Status s = state_->tickets.rotate_if_older(lifetime, rt::now()); !s.is_ok()) return s;
  auto side = std::make_unique<ServerSide<State>>(state_);
  side->alpn_wished = *std::move(wished);
  impl::TlsEngine engine(state_->context.get(), state_->bio.get(), std::move(side));
  SSL_set_accept_state(engine.ssl());
  auto connection = std::make_unique<impl::TlsConnection>(std::move(stream), std::move(engine),
                                                          state_->options.limits);
  if (Status s = connection->handshake(deadline); !s.is_ok()) return s;
  return std::unique_ptr<TlsStream>(std::move(connection));
}

Status TlsServer::reload(std::vector<TlsIdentity> identities) {
  auto loaded = load(std::move(identities), state_->options.accept_expired_identities);
  if (!loaded) return loaded.error().with_context("TLS reload: the old certificates stay");
  state_->exchange(*std::move(loaded));
  return {};
}

Status TlsServer::reload_from_files() {
  std::vector<TlsIdentity> sources = state_->current()->sources;
  const bool all_files = std::all_of(sources.begin(), sources.end(), [](const TlsIdentity& source) {
    return !source.chain_file.empty() && source.key_pem.empty();
  });
  if (!all_files) {
    return {Code::failed_precondition,
            "TLS reload: the certificates were given as text, not as files; use reload()"};
  }
  return reload(std::move(sources));
}

void TlsServer::rotate_ticket_keys() {
  // Without random bytes the old key goes on; accept() tries again in time and tells.
  (void)state_->tickets.rotate(rt::now());
}

std::size_t TlsServer::handshakes_running() const { return state_->handshakes; }

}  // namespace parley::net
