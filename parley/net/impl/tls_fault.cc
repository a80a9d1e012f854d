// explain_fault(): OpenSSL's reasons and TLS's alerts as a Status that says what to do.
#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <algorithm>
#include <array>

#include "parley/net/impl/tls_engine.h"

namespace parley::net::impl {
namespace {

struct Meaning {
  int number;
  Code code;
  const char* text;
};

// Alerts of the other side (RFC 8446, 6.2, and the registry behind it).
constexpr std::array alerts{
    Meaning{SSL_AD_BAD_RECORD_MAC, Code::data_loss, "what it received had been altered on the way"},
    Meaning{SSL_AD_HANDSHAKE_FAILURE, Code::failed_precondition,
            "it finds no version, cipher or certificate that suits both (TLS 1.2 servers also say "
            "this when they miss a client certificate)"},
    Meaning{SSL_AD_BAD_CERTIFICATE, Code::unauthenticated,
            "it does not take our certificate, or we showed none where it wants one"},
    Meaning{SSL_AD_UNSUPPORTED_CERTIFICATE, Code::unauthenticated,
            "our certificate is of a kind it does not know, or not meant for this use"},
    Meaning{SSL_AD_CERTIFICATE_REVOKED, Code::unauthenticated, "our certificate was revoked"},
    Meaning{SSL_AD_CERTIFICATE_EXPIRED, Code::unauthenticated,
            "our certificate has expired by its clock; renew it"},
    Meaning{SSL_AD_CERTIFICATE_UNKNOWN, Code::unauthenticated, "it does not take our certificate"},
    Meaning{SSL_AD_UNKNOWN_CA, Code::unauthenticated,
            "it does not trust the issuer of our certificate; give it that CA, or send the "
            "certificates that lead to one it trusts"},
    Meaning{SSL_AD_ACCESS_DENIED, Code::permission_denied, "our certificate has no access there"},
    Meaning{SSL_AD_DECRYPT_ERROR, Code::unauthenticated, "a signature did not fit"},
    Meaning{SSL_AD_PROTOCOL_VERSION, Code::failed_precondition,
            "no TLS version suits both; compare min_version and max_version of both sides"},
    Meaning{SSL_AD_INSUFFICIENT_SECURITY, Code::failed_precondition,
            "it wants stronger ciphers than we offered"},
    Meaning{SSL_AD_INTERNAL_ERROR, Code::unavailable, "it failed inside; its log may say why"},
    Meaning{SSL_AD_UNRECOGNIZED_NAME, Code::failed_precondition,
            "it has no certificate for the server name we asked for; check server_name"},
    Meaning{SSL_AD_CERTIFICATE_REQUIRED, Code::unauthenticated,
            "it wants a client certificate; set TlsClientOptions::identity"},
    Meaning{SSL_AD_NO_APPLICATION_PROTOCOL, Code::failed_precondition,
            "it speaks none of the protocols (ALPN) that were offered"},
};

Status alert_status(int alert, const TlsSide& side) {
  const std::string name = SSL_alert_desc_string_long(alert);
  const auto* const found = std::find_if(alerts.begin(), alerts.end(),
                                         [&](const Meaning& m) { return m.number == alert; });
  if (found == alerts.end()) {
    return {Code::unavailable,
            "the other side ended the connection with the alert \"" + name + "\""};
  }
  std::string text = "the other side refused (alert \"" + name + "\"): " + found->text;
  if (alert == SSL_AD_NO_APPLICATION_PROTOCOL && !side.alpn_offered.empty()) {
    text += ": " + side.alpn_offered;
  }
  return {found->code, std::move(text)};
}

bool starts_like_tls(std::string_view bytes) {
  // ContentType 20..24, then version 3.x (RFC 8446, 5.1).
  return bytes.size() < 2 ||
         (bytes[0] >= 20 && bytes[0] <= 24 && static_cast<unsigned char>(bytes[1]) == 3);
}

bool looks_like_http(std::string_view bytes) {
  constexpr std::array<std::string_view, 8> starts{"HTTP/", "GET ",   "POST ",  "PUT ",
                                                   "HEAD ", "PATCH ", "DELETE", "OPTION"};
  return bytes.starts_with("PRI * HTTP") || bytes.starts_with("CONNECT") ||
         std::any_of(starts.begin(), starts.end(),
                     [&](std::string_view start) { return bytes.starts_with(start); });
}

Status not_tls(const TlsSide& side, std::string_view first_bytes) {
  if (looks_like_http(first_bytes)) {
    return {Code::failed_precondition,
            side.is_server
                ? "the client speaks plain HTTP where TLS is expected; it should use "
                  "https://, or a port without TLS"
                : "the server speaks plain HTTP, not TLS; connect without TLS, or to its "
                  "TLS port"};
  }
  return {Code::failed_precondition,
          "the other side does not speak TLS: its first bytes are \"" + printable(first_bytes) +
              "\"; check that both sides mean the same port and protocol"};
}

std::string own_versions(const TlsSide& side) {
  std::string text(name_of(side.min_version));
  if (side.max_version != side.min_version) text += " to " + std::string(name_of(side.max_version));
  return text;
}

}  // namespace

Status explain_fault(const OpensslFault& fault, const TlsSide& side, std::string_view first_bytes) {
  if (!side.refusal.is_ok()) return side.refusal.with_cause(fault.text);
  const int reason = fault.tls_reason;
  if (reason >= SSL_AD_REASON_OFFSET) {
    return alert_status(reason - SSL_AD_REASON_OFFSET, side).with_cause(fault.text);
  }
  if (!starts_like_tls(first_bytes)) return not_tls(side, first_bytes).with_cause(fault.text);
  const auto say = [&](Code code, std::string text) {
    return Status(code, std::move(text)).with_cause(fault.text);
  };
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
      return say(Code::failed_precondition, "the other side offers no TLS version of ours (" +
                                                own_versions(side) +
                                                "); compare min_version and max_version");
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SHARED_GROUPS:
      return say(Code::failed_precondition,
                 "the other side offers no cipher, key exchange or signature that goes with our "
                 "certificate");
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return say(Code::unauthenticated,
                 "the client showed no certificate, and client_certificates is required");
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
      return say(Code::data_loss, "a record was altered on its way");
    case SSL_R_EXCESSIVE_MESSAGE_SIZE:
      return say(Code::resource_exhausted,
                 "a handshake message of the other side is larger than max_handshake_bytes allows");
    default:
      return say(Code::failed_precondition, "the other side broke the rules of TLS: " + fault.text);
  }
}

}  // namespace parley::net::impl
