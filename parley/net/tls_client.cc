#include "parley/net/tls_client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>

#include "parley/net/impl/tls_certificate.h"
#include "parley/net/impl/tls_connection.h"
#include "parley/net/impl/tls_engine.h"
#include "parley/net/impl/tls_sessions.h"

namespace parley::net {
namespace {

constexpr std::size_t sha256_digits = 64;
constexpr std::size_t max_name_bytes = 253;  // RFC 1035, 2.3.4, without the dot of the root

Status invalid(std::string message) { return {Code::invalid_argument, std::move(message)}; }

bool is_ip_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

// The name in the form it is looked for: lower case, without the dot of the root.
Result<std::string> normal_name(std::string_view given, bool may_be_empty) {
  std::string name(given);
  if (name.ends_with('.')) name.pop_back();
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (name.empty() && may_be_empty) return name;
  if (name.empty()) return invalid("server_name is empty: whom should the certificate name?");
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
  if ((plain && name.size() <= max_name_bytes) || is_ip_address(name)) return name;
  return invalid("server_name \"" + impl::printable(given) +
                 "\" is neither a DNS name (in ASCII, RFC 5890 for others) nor an IP address");
}

Result<std::vector<std::string>> normal_pins(const std::vector<std::string>& given) {
  std::vector<std::string> pins;
  for (std::string pin : given) {
    for (char& c : pin) {
      if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    }
    if (pin.size() != sha256_digits ||
        pin.find_first_not_of("0123456789abcdef") != std::string::npos) {
      return invalid("pinned_spki_sha256: \"" + impl::printable(pin) +
                     "\" is not a SHA-256 of 64 hexadecimal digits");
    }
    pins.push_back(std::move(pin));
  }
  return pins;
}

}  // namespace

struct TlsClient::State {
  explicit State(TlsClientOptions given)
      : options(std::move(given)), sessions(options.max_cached_sessions) {}

  Status prepare();
  Status trust();
  Status show_identity();

  TlsClientOptions options;
  std::vector<std::string> pins;
  std::string alpn;
  impl::BioMethodPtr bio = impl::make_engine_bio();
  impl::SslContextPtr context;
  impl::ClientSessions sessions;
};

namespace {

// Works on the private State through a template, so that it stays private.
template <class State>
struct ClientSide final : impl::TlsSide {
  ClientSide(std::shared_ptr<State> client, std::string name)
      : state(std::move(client)), server_name(std::move(name)) {
    min_version = state->options.min_version;
    max_version = state->options.max_version;
    alpn_offered = impl::alpn_text(state->alpn);
  }

  static ClientSide& of(const SSL* ssl) { return *static_cast<ClientSide*>(SSL_get_app_data(ssl)); }

  // SSL_CTX_set_cert_verify_callback(3)
  static int verify(X509_STORE_CTX* context, void*) {
    const auto* ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
    ClientSide& side = of(ssl);
    if (!side.state->options.insecure_skip_verify && X509_verify_cert(context) != 1) {
      side.refusal = impl::refusal_of(context, side.server_name);
      return 0;
    }
    if (side.state->pins.empty() || side.has_pinned_key(context)) return 1;
    X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
    side.refusal = Status(Code::unauthenticated,
                          "no certificate of the server has a key of pinned_spki_sha256; its own "
                          "key is " +
                              impl::spki_sha256_of(X509_STORE_CTX_get0_cert(context)));
    return 0;
  }

  bool has_pinned_key(X509_STORE_CTX* context) const {
    const auto is_pinned = [&](const X509* certificate) {
      const std::string digest = impl::spki_sha256_of(certificate);
      return std::find(state->pins.begin(), state->pins.end(), digest) != state->pins.end();
    };
    // Of a chain that nobody verified, the server has shown to hold the key of the first only.
    if (state->options.insecure_skip_verify) return is_pinned(X509_STORE_CTX_get0_cert(context));
    const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context);
    for (int i = 0; i < sk_X509_num(chain); ++i) {
      if (is_pinned(sk_X509_value(chain, i))) return true;
    }
    return false;
  }

  // SSL_CTX_sess_set_new_cb(3); 1: the session is ours now.
  static int keep_session(SSL* ssl, SSL_SESSION* session) {
    ClientSide& side = of(ssl);
    side.state->sessions.put(side.server_name, impl::SslSessionPtr(session));
    return 1;
  }

  std::shared_ptr<State> state;
  std::string server_name;
};

}  // namespace

Status TlsClient::State::prepare() {
  auto normal = normal_pins(options.pinned_spki_sha256);
  if (!normal) return normal.error();
  pins = *std::move(normal);
  auto wire = impl::alpn_wire(options.alpn);
  if (!wire) return wire.error();
  alpn = *std::move(wire);
  auto made = impl::make_context(TLS_client_method(), options.min_version, options.max_version,
                                 options.limits);
  if (!made) return made.error();
  context = *std::move(made);
  SSL_CTX* ctx = context.get();
  SSL_CTX_set_alpn_protos(ctx, reinterpret_cast<const unsigned char*>(alpn.data()),
                          static_cast<unsigned int>(alpn.size()));
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(ctx, &ClientSide<State>::verify, nullptr);
  if (options.max_cached_sessions > 0) {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, &ClientSide<State>::keep_session);
  } else {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
  }
  if (Status s = trust(); !s.is_ok()) return s;
  return options.identity ? show_identity() : Status();
}

Status TlsClient::State::trust() {
  if (options.ca_pem.empty() && options.ca_file.empty()) {
    if (options.insecure_skip_verify || SSL_CTX_set_default_verify_paths(context.get()) == 1) {
      return {};
    }
    return {Code::internal,
            "the CAs of the system cannot be used: " + impl::take_openssl_fault().text};
  }
  const auto authorities = impl::load_authorities("ca", options.ca_pem, options.ca_file);
  if (!authorities) return authorities.error();
  for (const auto& authority : *authorities) {
    // The second time the same certificate is no fault.
    (void)X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority.get());
    ERR_clear_error();
  }
  return {};
}

Status TlsClient::State::show_identity() {
  const auto loaded = impl::load_identity(*options.identity, false);
  if (!loaded) return loaded.error().with_context("identity");
  const impl::LoadedIdentity& own = **loaded;
  if (SSL_CTX_use_cert_and_key(context.get(), own.leaf.get(), own.key.get(), own.chain.get(), 1) ==
      1) {
    return {};
  }
  return invalid("identity: " + impl::take_openssl_fault().text);
}

TlsClient::TlsClient(std::shared_ptr<State> state) : state_(std::move(state)) {}
TlsClient::~TlsClient() = default;

Result<std::unique_ptr<TlsClient>> TlsClient::create(TlsClientOptions options) {
  // connect_to() may name the server later.
  const auto name = normal_name(options.server_name, true);
  if (!name) return name.error().with_context("TLS client");
  auto state = std::make_shared<State>(std::move(options));
  if (Status s = state->prepare(); !s.is_ok()) return s.with_context("TLS client");
  return std::unique_ptr<TlsClient>(new TlsClient(std::move(state)));
}

Result<std::unique_ptr<TlsStream>> TlsClient::connect(std::unique_ptr<Stream> stream,
                                                      rt::Deadline deadline) {
  return connect_to(state_->options.server_name, std::move(stream), deadline);
}

Result<std::unique_ptr<TlsStream>> TlsClient::connect_to(std::string_view server_name,
                                                         std::unique_ptr<Stream> stream,
                                                         rt::Deadline deadline,
                                                         const std::vector<std::string>& alpn) {
  const auto name = normal_name(server_name, state_->options.insecure_skip_verify);
  if (!name) return name.error().with_context("TLS client");
  const auto wire = impl::alpn_wire(alpn);
  if (!wire) return wire.error().with_context("TLS client");
  auto side = std::make_unique<ClientSide<State>>(state_, *name);
  if (!wire->empty()) side->alpn_offered = impl::alpn_text(*wire);
  impl::TlsEngine engine(state_->context.get(), state_->bio.get(), std::move(side));
  SSL* ssl = engine.ssl();
  if (!wire->empty()) {
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(wire->data()),
                        static_cast<unsigned int>(wire->size()));
  }
  SSL_set_connect_state(ssl);
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  // RFC 9525, 6.3 and 6.4: no name from the subject, a wildcard for a whole label only.
  X509_VERIFY_PARAM_set_hostflags(
      param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  int set = 1;
  if (is_ip_address(*name)) {
    set = X509_VERIFY_PARAM_set1_ip_asc(param, name->c_str());
  } else if (!name->empty()) {
    set = X509_VERIFY_PARAM_set1_host(param, name->data(), name->size());
    if (set == 1) set = static_cast<int>(SSL_set_tlsext_host_name(ssl, name->c_str()));
  }
  if (set != 1) {
    return Status(Code::internal, "TLS client: server_name \"" + *name +
                                      "\" cannot be set: " + impl::take_openssl_fault().text);
  }
  const impl::SslSessionPtr session = state_->sessions.take(*name);
  if (session) SSL_set_session(ssl, session.get());
  auto connection = std::make_unique<impl::TlsConnection>(std::move(stream), std::move(engine),
                                                          state_->options.limits);
  if (Status s = connection->handshake(deadline); !s.is_ok()) return s;
  // A server of TLS 1.2 may renew the ticket of a session it resumes; OpenSSL does not report it.
  if (session && SSL_version(ssl) == TLS1_2_VERSION && SSL_session_reused(ssl) == 1 &&
      SSL_get0_session(ssl) != session.get()) {
    state_->sessions.put(*name, impl::SslSessionPtr(SSL_get1_session(ssl)));
  }
  return std::unique_ptr<TlsStream>(std::move(connection));
}

std::size_t TlsClient::cached_sessions() const { return state_->sessions.size(); }

}  // namespace parley::net
