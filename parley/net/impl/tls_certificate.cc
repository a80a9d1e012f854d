#include "parley/net/impl/tls_certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "parley/base/fd.h"

namespace parley::net::impl {
namespace {

constexpr std::size_t names_in_messages = 5;

Status invalid(std::string message) { return {Code::invalid_argument, std::move(message)}; }

std::string hex(const unsigned char* bytes, std::size_t size) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(size * 2);
  for (std::size_t i = 0; i < size; ++i) {
    out += digits[bytes[i] >> 4];
    out += digits[bytes[i] & 15];
  }
  return out;
}

std::string text_of(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  // RFC 2253 with control characters and bytes beyond ASCII escaped.
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) {
    ERR_clear_error();
    return "?";
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return printable({data, static_cast<std::size_t>(size)});
}

std::time_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return ::timegm(&parts);
}

std::string date_of(const ASN1_TIME* time) {
  const std::time_t seconds = seconds_of(time);
  std::tm parts{};
  std::array<char, 40> text{};
  ::gmtime_r(&seconds, &parts);
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text.data();
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// Calls visit(type, bytes) for each subject alternative name.
template <class Visit>
void for_each_name(const X509* certificate, Visit visit) {
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) {
    ERR_clear_error();
    return;
  }
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type));
    if (type != GEN_DNS && type != GEN_IPADD && type != GEN_URI) continue;
    visit(type, std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                 static_cast<std::size_t>(ASN1_STRING_length(value))));
  }
  GENERAL_NAMES_free(names);
}

std::string address_text(std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) return "?";
  ::inet_ntop(family, bytes.data(), text.data(), text.size());
  return text.data();
}

std::string names_text(const X509* certificate) {
  std::vector<std::string> names;
  for_each_name(certificate, [&](int type, std::string_view bytes) {
    if (type != GEN_URI) names.push_back(type == GEN_DNS ? printable(bytes) : address_text(bytes));
  });
  if (names.empty()) return "no host";
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < names_in_messages; ++i) {
    out += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > names_in_messages) {
    out += " and " + std::to_string(names.size() - names_in_messages) + " more";
  }
  return out;
}

Result<std::string> read_file(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::is_regular_file(path, error)
                        ? std::filesystem::file_size(path, error)
                        : std::uintmax_t{0};
  if (error) return errno_status(error.value(), "read " + path);
  if (size == 0) return invalid("read " + path + ": not a file, or an empty one");
  if (size > max_pem_bytes) {
    return invalid("read " + path + ": " + std::to_string(size) +
                   " bytes, more than max_pem_bytes (" + std::to_string(max_pem_bytes) + ")");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return errno_status(errno, "read " + path);
  std::string text(size, '\0');
  file.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

// A PEM text and where it came from, for errors.
struct Source {
  std::string text;
  std::string where;
};

Result<Source> source_of(const std::string& what, const std::string& pem, const std::string& file) {
  if (!pem.empty() && !file.empty()) {
    return invalid(what + ": given both as text and as file " + file + "; give one");
  }
  Source source{pem, what};
  if (!file.empty()) {
    auto text = read_file(file);
    if (!text) return text.error().with_context(what);
    source = {*std::move(text), what + " " + file};
  }
  if (source.text.size() > max_pem_bytes) {
    return invalid(what + ": " + std::to_string(source.text.size()) +
                   " bytes, more than max_pem_bytes");
  }
  return source;
}

BioPtr bio_over(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// OpenSSL would ask for the password on the terminal.
int no_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Result<std::vector<X509Ptr>> read_certificates(const Source& source) {
  ERR_clear_error();
  const BioPtr bio = bio_over(source.text);
  std::vector<X509Ptr> certificates;
  bool asked = false;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_password, &asked)) {
    certificates.emplace_back(certificate);
  }
  // Every reading ends with an error; at the end of the text it is this one.
  const OpensslFault fault = take_openssl_fault();
  if (fault.first_library != ERR_LIB_PEM || fault.first_reason != PEM_R_NO_START_LINE) {
    return invalid(source.where + ": certificate " + std::to_string(certificates.size() + 1) +
                   " cannot be read: " + fault.text);
  }
  if (certificates.empty()) {
    return invalid(source.where +
                   ": no certificate in it; it should have a block that begins with "
                   "-----BEGIN CERTIFICATE-----");
  }
  return certificates;
}

Result<KeyPtr> read_key(const Source& source) {
  ERR_clear_error();
  const BioPtr bio = bio_over(source.text);
  bool asked = false;
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, &asked));
  if (key) return key;
  const OpensslFault fault = take_openssl_fault();
  if (asked) {
    return invalid(source.where +
                   ": the private key is encrypted; decrypt it first (openssl pkey -in KEY -out "
                   "PLAIN)");
  }
  if (source.text.find("PRIVATE KEY-----") == std::string::npos) {
    return invalid(source.where +
                   ": no private key in it; it should have a block that begins with "
                   "-----BEGIN PRIVATE KEY-----");
  }
  return invalid(source.where + ": the private key cannot be read: " + fault.text);
}

// What OpenSSL would say only at the first handshake: a key too short for its security level, say.
Status check_usable(const LoadedIdentity& identity, const std::string& where) {
  const SslContextPtr trial(SSL_CTX_new(TLS_method()));
  if (trial && SSL_CTX_use_cert_and_key(trial.get(), identity.leaf.get(), identity.key.get(),
                                        identity.chain.get(), 1) == 1) {
    return {};
  }
  return invalid(where + ": OpenSSL refuses the certificate: " + take_openssl_fault().text);
}

Result<Source> key_source(const TlsIdentity& identity, const Source& chain) {
  const std::string what = "private key";
  if (identity.key_pem.empty() && identity.key_file.empty()) {
    return Source{chain.text, what + " (in the " + chain.where + ")"};
  }
  return source_of(what, identity.key_pem, identity.key_file);
}

}  // namespace

bool LoadedIdentity::covers(std::string_view name, bool wildcard) const {
  const std::size_t dot = name.find('.');
  return std::any_of(names.begin(), names.end(), [&](std::string_view own) {
    if (!wildcard) return own == name;
    // RFC 9525, 6.3: the whole leftmost label, and one label only.
    return own.starts_with("*.") && dot != 0 && dot != std::string_view::npos &&
           own.substr(1) == name.substr(dot);
  });
}

Result<std::shared_ptr<const LoadedIdentity>> load_identity(const TlsIdentity& identity,
                                                            bool accept_expired) {
  const auto chain = source_of("certificate", identity.chain_pem, identity.chain_file);
  if (!chain) return chain.error();
  if (chain->text.empty()) return invalid("certificate: none given; set chain_pem or chain_file");
  auto certificates = read_certificates(*chain);
  if (!certificates) return certificates.error();
  const auto source = key_source(identity, *chain);
  if (!source) return source.error();
  auto key = read_key(*source);
  if (!key) return key.error();

  auto loaded = std::make_shared<LoadedIdentity>();
  loaded->leaf = std::move(certificates->front());
  loaded->key = *std::move(key);
  loaded->chain.reset(sk_X509_new_null());
  for (std::size_t i = 1; i < certificates->size(); ++i) {
    sk_X509_push(loaded->chain.get(), (*certificates)[i].release());
  }
  const std::string subject = text_of(X509_get_subject_name(loaded->leaf.get()));
  if (X509_check_private_key(loaded->leaf.get(), loaded->key.get()) != 1) {
    ERR_clear_error();
    return invalid(source->where + ": not the key of " + chain->where + " (" + subject +
                   "), which must come first in its text");
  }
  const ASN1_TIME* end = X509_get0_notAfter(loaded->leaf.get());
  if (!accept_expired && X509_cmp_current_time(end) < 0) {
    return invalid(chain->where + " (" + subject + ") expired on " + date_of(end) + "; renew it");
  }
  if (Status s = check_usable(*loaded, chain->where + " (" + subject + ")"); !s.is_ok()) return s;
  for_each_name(loaded->leaf.get(), [&](int type, std::string_view bytes) {
    if (type == GEN_DNS) loaded->names.push_back(lower(std::string(bytes)));
  });
  return std::shared_ptr<const LoadedIdentity>(std::move(loaded));
}

Result<std::vector<X509Ptr>> load_authorities(const std::string& option, const std::string& pem,
                                              const std::string& file) {
  const auto source = source_of(option, pem, file);
  if (!source) return source.error();
  return read_certificates(*source);
}

TlsCertificate describe(const X509* certificate) {
  TlsCertificate out;
  out.subject = text_of(X509_get_subject_name(certificate));
  out.issuer = text_of(X509_get_issuer_name(certificate));
  for_each_name(certificate, [&](int type, std::string_view bytes) {
    if (type == GEN_DNS) out.dns_names.push_back(printable(bytes));
    if (type == GEN_IPADD) out.ip_addresses.push_back(address_text(bytes));
    if (type == GEN_URI) out.uris.push_back(printable(bytes, 2048));
  });
  const auto time_of = [](const ASN1_TIME* time) {
    return WallTime(std::chrono::seconds(seconds_of(time)));
  };
  out.not_before = time_of(X509_get0_notBefore(certificate));
  out.not_after = time_of(X509_get0_notAfter(certificate));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1) {
    out.fingerprint = hex(digest.data(), size);
  }
  out.spki_sha256 = spki_sha256_of(certificate);
  return out;
}

std::string spki_sha256_of(const X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) {
    ERR_clear_error();
    return {};
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int digest_size = 0;
  const int done = EVP_Digest(der, static_cast<std::size_t>(size), digest.data(), &digest_size,
                              EVP_sha256(), nullptr);
  OPENSSL_free(der);
  return done == 1 ? hex(digest.data(), digest_size) : std::string();
}

Status refusal_of(X509_STORE_CTX* context, const std::string& expected_name) {
  const int error = X509_STORE_CTX_get_error(context);
  const X509* certificate = X509_STORE_CTX_get_current_cert(context);
  if (certificate == nullptr) certificate = X509_STORE_CTX_get0_cert(context);
  std::string what = "the certificate of the other side";
  std::string issuer;
  if (certificate != nullptr) {
    what = "certificate \"" + text_of(X509_get_subject_name(certificate)) + "\" of the other side";
    issuer = "\"" + text_of(X509_get_issuer_name(certificate)) + "\"";
  }
  const auto refuse = [&](const std::string& why) {
    return Status(Code::unauthenticated, what + " " + why);
  };
  switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return refuse("is for " + names_text(certificate) + ", not for " + printable(expected_name) +
                    "; check server_name, or whom the address leads to");
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return refuse("expired on " + date_of(X509_get0_notAfter(certificate)) +
                    "; it must be renewed there (or this clock is wrong)");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return refuse("is valid only from " + date_of(X509_get0_notBefore(certificate)) +
                    " on; compare the clocks of both sides");
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return refuse("was issued by " + issuer +
                    ", which is not trusted here; add that CA to the CA bundle, or have the other "
                    "side send the certificates that lead to a trusted one");
    default:
      return refuse(std::string("was refused: ") + X509_verify_cert_error_string(error));
  }
}

}  // namespace parley::net::impl
