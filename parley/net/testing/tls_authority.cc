#include "parley/net/testing/tls_authority.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "parley/base/assert.h"

namespace parley::net::testing {
namespace {

using impl::BioPtr;
using impl::KeyPtr;
using impl::X509Ptr;

KeyPtr new_key() {
  KeyPtr key(EVP_EC_gen("P-256"));
  PARLEY_ASSERT(key != nullptr, "no key for a test");
  return key;
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  PARLEY_ASSERT(extension != nullptr, "a test certificate has a bad extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509Ptr new_certificate(const std::string& name, EVP_PKEY* key, std::chrono::seconds from,
                        std::chrono::seconds until) {
  X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  long serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial & 0x7fffffff);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until.count());
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

std::string text_in(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return text_in(bio.get());
}

std::string alternative_names(const TestLeaf& leaf) {
  std::string names;
  const auto add = [&](const char* kind, const std::vector<std::string>& values) {
    for (const std::string& value : values) names += (names.empty() ? "" : ",") + (kind + value);
  };
  add("DNS:", leaf.dns_names);
  add("IP:", leaf.ip_addresses);
  add("URI:", leaf.uris);
  return names;
}

}  // namespace

TestAuthority::TestAuthority(const std::string& name, const TestAuthority* issuer)
    : issuer_(issuer),
      key_(new_key()),
      certificate_(
          new_certificate(name, key_.get(), -std::chrono::hours(2), std::chrono::hours(48))) {
  X509* signer = issuer == nullptr ? certificate_.get() : issuer->certificate_.get();
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(signer));
  add_extension(certificate_.get(), signer, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate_.get(), signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate_.get(), signer, NID_subject_key_identifier, "hash");
  X509_sign(certificate_.get(), issuer == nullptr ? key_.get() : issuer->key_.get(), EVP_sha256());
}

std::string TestAuthority::pem() const { return pem_of(certificate_.get()); }

TlsIdentity TestAuthority::issue(const TestLeaf& leaf) const {
  const KeyPtr key = new_key();
  const X509Ptr certificate =
      new_certificate(leaf.name, key.get(), leaf.valid_from, leaf.valid_until);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
  const std::string names = alternative_names(leaf);
  if (!names.empty()) {
    add_extension(certificate.get(), certificate_.get(), NID_subject_alt_name, names);
  }
  add_extension(certificate.get(), certificate_.get(), NID_basic_constraints, "CA:FALSE");
  X509_sign(certificate.get(), key_.get(), EVP_sha256());

  TlsIdentity identity{.chain_pem = pem_of(certificate.get())};
  for (const TestAuthority* at = this; at->issuer_ != nullptr; at = at->issuer_) {
    identity.chain_pem += at->pem();
  }
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  identity.key_pem = text_in(bio.get());
  return identity;
}

std::string encrypted_key(const TlsIdentity& identity) {
  const BioPtr in(
      BIO_new_mem_buf(identity.key_pem.data(), static_cast<int>(identity.key_pem.size())));
  const KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_128_cbc(), "sesame", 6, nullptr,
                                nullptr);
  return text_in(out.get());
}

}  // namespace parley::net::testing
