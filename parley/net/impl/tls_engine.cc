#include "parley/net/impl/tls_engine.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "parley/net/impl/tls_certificate.h"

namespace parley::net::impl {
namespace {

// Enough to recognise another protocol by.
constexpr std::size_t first_bytes_kept = 16;
// Forward secrecy and authenticated encryption only (RFC 9325, 4.2); TLS 1.3 has nothing else.
constexpr const char* tls1_2_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

int to_int(std::size_t size) {
  return static_cast<int>(std::min(size, std::size_t{std::numeric_limits<int>::max()}));
}

int number_of(TlsVersion version) {
  return version == TlsVersion::tls1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

}  // namespace

BioMethodPtr make_engine_bio() {
  using Wires = TlsEngine::Wires;
  BioMethodPtr method(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "parley stream"));
  PARLEY_ASSERT(method != nullptr, "out of memory for a BIO method");
  BIO_meth_set_read(method.get(), [](BIO* bio, char* into, int size) {
    auto& wires = *static_cast<Wires*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const std::size_t left = wires.in.size() - wires.consumed;
    if (left == 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t count = std::min(left, static_cast<std::size_t>(size));
    std::memcpy(into, wires.in.data() + wires.consumed, count);
    wires.consumed += count;
    if (wires.consumed == wires.in.size()) {
      wires.in = {};  // a connection at rest holds no buffer
      wires.consumed = 0;
    }
    return to_int(count);
  });
  BIO_meth_set_write(method.get(), [](BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    static_cast<Wires*>(BIO_get_data(bio))->out.append(from, static_cast<std::size_t>(size));
    return size;
  });
  BIO_meth_set_ctrl(method.get(), [](BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1L : 0L;
  });
  return method;
}

Result<SslContextPtr> make_context(const SSL_METHOD* method, TlsVersion min, TlsVersion max,
                                   const TlsLimits& limits) {
  if (min > max) {
    return Status(Code::invalid_argument, "min_version (" + std::string(name_of(min)) +
                                              ") is above max_version (" +
                                              std::string(name_of(max)) + ")");
  }
  ERR_clear_error();
  SslContextPtr context(SSL_CTX_new(method));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), number_of(min)) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), number_of(max)) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), tls1_2_ciphers) != 1) {
    return Status(Code::internal, "OpenSSL cannot be set up: " + take_openssl_fault().text);
  }
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_max_cert_list(context.get(), static_cast<long>(std::min<std::size_t>(
                                               limits.max_handshake_bytes, std::size_t{1} << 24)));
  return context;
}

Result<std::string> alpn_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) {
      return Status(Code::invalid_argument, "alpn: \"" + printable(protocol) +
                                                "\" is not a protocol name, which has 1 to 255 "
                                                "bytes");
    }
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  if (wire.size() > 65535) {
    return Status(Code::invalid_argument, "alpn: the names have more than 65,535 bytes together");
  }
  return wire;
}

std::string alpn_text(std::string_view wire) {
  std::string text;
  while (!wire.empty()) {
    const auto size = static_cast<unsigned char>(wire.front());
    text += (text.empty() ? "" : ", ") + printable(wire.substr(1, size));
    wire.remove_prefix(std::min(wire.size(), std::size_t{size} + 1));
  }
  return printable(text);
}

TlsEngine::TlsEngine(SSL_CTX* context, const BIO_METHOD* bio, std::unique_ptr<TlsSide> side)
    : side_(std::move(side)), wires_(std::make_unique<Wires>()), ssl_(SSL_new(context)) {
  BIO* both = BIO_new(bio);
  PARLEY_ASSERT(ssl_ != nullptr && both != nullptr, "out of memory for a TLS connection");
  BIO_set_data(both, wires_.get());
  BIO_set_init(both, 1);
  SSL_set_bio(ssl_.get(), both, both);
  SSL_set_app_data(ssl_.get(), side_.get());
}

TlsEngine::Step TlsEngine::step_of(int result) {
  if (result > 0) return Step::done;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Step::wants_input;
    case SSL_ERROR_ZERO_RETURN:
      return Step::ended;
    default:
      failure_ = explain();
      return Step::failed;
  }
}

Status TlsEngine::explain() const {
  return explain_fault(take_openssl_fault(), *side_, wires_->first_bytes);
}

TlsEngine::Step TlsEngine::handshake() {
  ERR_clear_error();
  return step_of(SSL_do_handshake(ssl_.get()));
}

TlsEngine::Step TlsEngine::read(std::span<char> into, std::size_t& size) {
  if (has_failed()) return Step::failed;
  ERR_clear_error();
  return step_of(SSL_read_ex(ssl_.get(), into.data(), into.size(), &size));
}

TlsEngine::Step TlsEngine::write(std::string_view from, std::size_t& size) {
  if (has_failed()) return Step::failed;
  ERR_clear_error();
  return step_of(SSL_write_ex(ssl_.get(), from.data(), from.size(), &size));
}

TlsEngine::Step TlsEngine::finish() {
  if (has_failed()) return Step::failed;
  ERR_clear_error();
  const int result = SSL_shutdown(ssl_.get());
  return result >= 0 ? Step::done : step_of(result);
}

bool TlsEngine::change_key() {
  ERR_clear_error();
  if (SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) == 1) return true;
  ERR_clear_error();
  return false;
}

void TlsEngine::feed(std::string_view bytes) {
  std::string& first = wires_->first_bytes;
  if (first.size() < first_bytes_kept) {
    first += bytes.substr(0, first_bytes_kept - first.size());
  }
  wires_->in.append(bytes);
}

bool TlsEngine::knows_change_of_key() const { return SSL_version(ssl_.get()) >= TLS1_3_VERSION; }

TlsInfo TlsEngine::info() const {
  TlsInfo out;
  out.version = knows_change_of_key() ? TlsVersion::tls1_3 : TlsVersion::tls1_2;
  out.cipher = SSL_get_cipher_name(ssl_.get());
  const unsigned char* alpn = nullptr;
  unsigned int alpn_size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &alpn, &alpn_size);
  if (alpn != nullptr) out.alpn.assign(reinterpret_cast<const char*>(alpn), alpn_size);
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) out.server_name = printable(name, 255);
  out.resumed = SSL_session_reused(ssl_.get()) == 1;
  if (const X509* peer = SSL_get0_peer_certificate(ssl_.get())) out.peer = describe(peer);
  return out;
}

}  // namespace parley::net::impl
